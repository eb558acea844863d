#ifndef XOS_NET_LOOP_H
#define XOS_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/*
 * An event loop (libevent), run by one thread. Everything here belongs to that thread except
 * xos_loop_post and xos_loop_stop, which any thread may call. Callbacks must not block: what blocks
 * goes to a pool (pool.h). Signals come through a watch on the descriptor of xos_signal_fd.
 */
struct xos_loop;

/* Ignores SIGPIPE in this process. */
XOS_MUST_USE enum xos_status xos_loop_new(struct xos_loop **out, struct xos_err *err);
/* Watches, and timers of the loop must be freed before. NULL is accepted. */
void xos_loop_free(struct xos_loop *loop);
/* Runs until xos_loop_stop. OK when stopped; INTERNAL if the kernel's interface failed. */
XOS_MUST_USE enum xos_status xos_loop_run(struct xos_loop *loop, struct xos_err *err);
void xos_loop_stop(struct xos_loop *loop);
/* Calls fn(ctx) on the loop's thread soon, in order of posting. INTERNAL: out of memory. What was
 * posted and not run when the loop is freed is run then. */
XOS_MUST_USE enum xos_status xos_loop_post(struct xos_loop *loop, void (*fn)(void *ctx), void *ctx);

/* A timer, idle until set. */
struct xos_timer;
struct xos_timer *xos_timer_new(struct xos_loop *loop, void (*fn)(void *ctx), void *ctx);
void xos_timer_set(struct xos_timer *t, int64_t ms);   /* once, from now; replaces an earlier one */
void xos_timer_every(struct xos_timer *t, int64_t ms); /* again and again */
void xos_timer_clear(struct xos_timer *t);
void xos_timer_free(struct xos_timer *t);

#define XOS_WATCH_READ 1u
#define XOS_WATCH_WRITE 2u

/* A descriptor, which stays the caller's. fn gets the events that are ready; it may free the watch. */
struct xos_watch;
struct xos_watch *xos_watch_new(
    struct xos_loop *loop, int fd, void (*fn)(void *ctx, unsigned events), void *ctx);
void xos_watch_set(struct xos_watch *w, unsigned events); /* 0: none */
void xos_watch_free(struct xos_watch *w);

#endif
