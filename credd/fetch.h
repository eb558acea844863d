#ifndef XOS_CREDD_FETCH_H
#define XOS_CREDD_FETCH_H

#include "base/status.h"
#include "credd/ops.h"
#include "credd/source.h"
#include "net/loop.h"

/*
 * The thread that talks to servers: fetches bundles from xos-vopsd, renews certificates at xos-rcad.
 * Blocking calls stay here; what comes of them is handed to the loop's thread, which alone touches
 * ops. Failures change nothing but what status shows; the next try comes with jitter.
 */
struct xos_credd_fetch;

/* Takes source. Starts the thread, unless the configuration names no server. */
XOS_MUST_USE enum xos_status xos_credd_fetch_start(struct xos_loop *loop, struct xos_credd_ops *ops,
    struct xos_credd_source *source, struct xos_credd_fetch **out, struct xos_err *err);
/* Asks now (SIGHUP). */
void xos_credd_fetch_wake(struct xos_credd_fetch *f);
/* Stops the thread; waits for the call under way, at most its time-out. The loop has ended. */
void xos_credd_fetch_stop(struct xos_credd_fetch *f);

#endif
