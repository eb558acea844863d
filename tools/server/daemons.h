#ifndef XOS_SERVER_DAEMONS_H
#define XOS_SERVER_DAEMONS_H

#include "server/layout.h"

/* Starts what does not run, with fresh TLS certificates where they are due; waits until each is
 * ready. What was started before a failure stays. */
XOS_MUST_USE enum xos_status xos_server_start(const struct xos_server *s, struct xos_err *err);
/* Stops what runs, in reverse order; exactly the processes named in the pid files. */
XOS_MUST_USE enum xos_status xos_server_stop(const struct xos_server *s, struct xos_err *err);
/* `program --check --config F` of each daemon. */
XOS_MUST_USE enum xos_status xos_server_check(const struct xos_server *s, struct xos_err *err);

#endif
