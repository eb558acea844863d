#ifndef XOS_VOPS_INCOMING_H
#define XOS_VOPS_INCOMING_H

#include "vops/auth.h"

/* Handlers of the auth process for what is no command (service/bulk.h); ctx is a struct vops_auth. */
#define VOPS_TICK_MS 500

/* The set of a node, as its site signed it. */
enum xos_status vops_incoming_node_set(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

/* Puts into force what was planned for now, ends proposals whose time is over. An error is an event: what is in
 * force stays, and the next tick tries again. */
void vops_incoming_time(void *ctx);

#endif
