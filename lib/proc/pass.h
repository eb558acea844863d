#ifndef XOS_PROC_PASS_H
#define XOS_PROC_PASS_H

#include <stddef.h>

#include "base/status.h"

/* Descriptors handed from one process to another over a channel's kind of socket pair, in one packet. */
#define XOS_PASS_MAX 8

/* Does not wait: UNAVAILABLE if the other side does not take it. fds stay the caller's. */
XOS_MUST_USE enum xos_status xos_fds_send(int sock, const int *fds, size_t n, struct xos_err *err);
/* Exactly n, close-on-exec; anything else is refused and closed. NOT_FOUND: nothing is there now; UNAVAILABLE: the
 * other side is gone. */
XOS_MUST_USE enum xos_status xos_fds_receive(int sock, int *fds, size_t n, struct xos_err *err);

#endif
