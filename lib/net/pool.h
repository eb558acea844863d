#ifndef XOS_NET_POOL_H
#define XOS_NET_POOL_H

#include <stddef.h>

#include "base/status.h"

/* A bounded pool of worker threads for what may block. */
struct xos_pool;

/* threads: 1 to 64; queue_max: how many jobs may wait. */
XOS_MUST_USE enum xos_status xos_pool_new(
    size_t threads, size_t queue_max, struct xos_pool **out, struct xos_err *err);
/* LIMIT when the queue is full: the caller refuses the work and says so. */
XOS_MUST_USE enum xos_status xos_pool_submit(
    struct xos_pool *pool, void (*fn)(void *ctx), void *ctx);
size_t xos_pool_waiting(struct xos_pool *pool); /* jobs that no thread has taken yet */
/* Runs what is queued to its end, then joins the threads. NULL is accepted. */
void xos_pool_free(struct xos_pool *pool);

#endif
