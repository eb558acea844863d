#ifndef XOS_JOBS_HOLD_H
#define XOS_JOBS_HOLD_H

#include <sys/types.h>

#include "base/status.h"

/*
 * Who has a job in hand: a record lock (fcntl(2)) on `lock` in the job's folder. The monitor holds
 * it as long as it lives and its children do not inherit it, so that a free lock means no monitor.
 */

/* CONFLICT if somebody else holds it. *fd holds it until closed. */
XOS_MUST_USE enum xos_status xos_hold_take(const char *run, int *fd, struct xos_err *err);
/* The holder's pid, 0 if nobody. */
XOS_MUST_USE enum xos_status xos_hold_who(const char *run, pid_t *pid, struct xos_err *err);

#endif
