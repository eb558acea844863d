#ifndef XOS_CA_ROBOTS_H
#define XOS_CA_ROBOTS_H

#include "ca/membership/membership.h"

/*
 * Robots: members that are programs. Each has an owner, a person in good standing without whom it gets nothing
 * (standing.h), and a restriction of level delegation that stands in every token of its as a critical extension
 * (token/profile.h), so that nobody can drop it. Fixed: another restriction is another robot.
 */
struct ca_robot {
	const char *name, *owner;
	struct xos_bytes restriction; /* policy/restriction.h */
};

/* In the caller's transaction. DENIED ("owner-left") unless the owner is a person in good standing; MALFORMED
 * ("restriction") for what is no restriction of this robot's. */
XOS_MUST_USE enum xos_status ca_robot_add(struct ca_membership *m, const struct ca_robot *robot,
    int64_t now, uint64_t *number, struct xos_err *err);
/* Another owner; the same demands. NOT_FOUND ("no-robot"). */
XOS_MUST_USE enum xos_status ca_robot_owner(
    struct ca_membership *m, const char *name, const char *owner, int64_t now, struct xos_err *err);
/* Appends what the tokens of this member must carry; nothing for persons. INTERNAL if a robot's is missing: then
 * there is no token. */
XOS_MUST_USE enum xos_status ca_robot_restriction(
    struct ca_membership *m, uint64_t number, struct xos_buf *out, struct xos_err *err);

#endif
