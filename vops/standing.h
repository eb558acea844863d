#ifndef XOS_VOPS_STANDING_H
#define XOS_VOPS_STANDING_H

#include "token/verify.h"
#include "vops/auth.h"

/*
 * What a member who is no administrator of the VO may do here now. What the token says is believed as far as
 * roster and locks of the moment do not contradict: whose membership rests or ended, and whoever is locked (the
 * member, the token, one of the groups or active roles, the home organisation), does nothing. UNAVAILABLE "locks-unknown"
 * without a roster and lists of locks that still count.
 */
XOS_MUST_USE enum xos_status vops_standing_member(
    struct vops_auth *a, const struct xos_identity *id, int64_t now, struct xos_err *err);

/* An administrator of the VO at this moment? As xos_gate_open says it. */
XOS_MUST_USE enum xos_status vops_standing_admin(
    struct vops_auth *a, const struct xos_command *c, int64_t now, struct xos_err *err);

/* May the signer write for that group? An administrator of the moment may, and who is in standing, has Role=admin of the
 * group or of one above it active, and holds it by the newest membership of the ca. DENIED "not-group-administrator". */
XOS_MUST_USE enum xos_status vops_standing_group(struct vops_auth *a, const struct xos_command *c,
    const char *group, int64_t now, struct xos_err *err);

/* May that node act, as far as is known? One of which nothing is known may. */
bool vops_standing_node(struct vops_auth *a, const char *node, int64_t now);

/* Forgets what was read of roster and locks: a newer one came. */
void vops_standing_forget(struct vops_auth *a);

#endif
