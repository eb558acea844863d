#ifndef XOS_VOPS_ABILITIES_H
#define XOS_VOPS_ABILITIES_H

#include "vops/auth.h"

/*
 * What nodes say that their services tell of requests and can enforce (api/abilities.h). A set that names an attribute,
 * a limit, a duty or a zone which a node that it reaches does not know is refused before it comes into force: there a permit
 * would never match, a forbid always or never fire, and a job with a duty nobody knows be refused. Nodes that said nothing for a
 * week, and banned ones, are not asked about.
 */
#define VOPS_ABILITIES_NODES_MAX 100000
#define VOPS_ABILITIES_AGE (7 * 86400)

/* DENIED "node-lacks": the node, what it lacks and the statement that names it. */
XOS_MUST_USE enum xos_status vops_abilities_check(
    struct vops_auth *a, const struct xos_policy_set *set, int64_t now, struct xos_err *err);
/* The same for one document. */
XOS_MUST_USE enum xos_status vops_abilities_hold(
    const struct xos_json *doc, const struct xos_policy_set *set, struct xos_err *err);

/* VOPS_ABILITIES (messages.h): the node has been identified by its certificate. ctx: struct vops_auth. */
enum xos_status vops_abilities_take(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* The verb node.abilities, for administrators. */
enum xos_status vops_abilities_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);

#endif
