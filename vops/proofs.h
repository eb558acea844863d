#ifndef XOS_VOPS_PROOFS_H
#define XOS_VOPS_PROOFS_H

#include "service/relay.h"
#include "vops/conf.h"

/*
 * GET /v1/vo/{vo}/logs/{log}/consistency?from=N&to=N, {log} one of ca, rca, accounting: for nodes, which know this server only. What the log's keeper
 * answers is handed on and kept a while, since all nodes ask for the same; nobody believes it: a proof holds or it does not.
 */
struct vops_proofs;

/* All borrowed; they outlive it. Adds its route to the relay's front. */
XOS_MUST_USE enum xos_status vops_proofs_new(struct xos_relay *relay, const struct vops_conf *conf,
    struct vops_proofs **out, struct xos_err *err);
void vops_proofs_free(struct vops_proofs *p); /* NULL-safe */

#endif
