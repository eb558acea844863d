#ifndef XOS_CREDD_RENEWER_H
#define XOS_CREDD_RENEWER_H

#include "base/status.h"
#include "credd/ops.h"
#include "net/loop.h"
#include "token/trust.h"

/*
 * The thread that asks the authority for what renewals.h gives out: it registers grants and renews credentials of jobs, one call at
 * a time. It has the job's key for the length of one call and keeps nothing; what comes back is handed to the loop's thread,
 * which verifies and keeps it.
 */
struct xos_credd_renewer;

/* Sets ops->renewals and starts the thread; without an authority in the configuration *out is NULL and nothing is
 * renewed. trust: one more owner. */
XOS_MUST_USE enum xos_status xos_credd_renewer_start(struct xos_loop *loop,
    struct xos_credd_ops *ops, const struct xos_trust *trust, struct xos_credd_renewer **out,
    struct xos_err *err);
/* Ends the thread; a call under way is given up within a second or two. The loop has ended, and is not freed yet. NULL-safe. */
void xos_credd_renewer_stop(struct xos_credd_renewer *r);
/* After the loop was freed, which runs what is left. NULL-safe. */
void xos_credd_renewer_free(struct xos_credd_renewer *r);

#endif
