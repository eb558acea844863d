#ifndef XOS_JOBS_MONITOR_H
#define XOS_JOBS_MONITOR_H

#include "jobs/launch.h"

/*
 * One monitor a job: a small process of its own that outlives every restart of xos-jobd. It keeps
 * the job's output (files `stdout` and `stderr` in l->run, capped), enforces its wall time, carries
 * out a cancellation (SIGTERM to the monitor) and writes how the job ended (`status`) once.
 *
 * Runs to the end of the job. `notify_fd` (-1 for none) gets one byte when the program runs and is
 * closed. The credential is wiped as soon as the job has it. CONFLICT: another monitor has, or had, this job; nothing was done.
 */
XOS_MUST_USE enum xos_status xos_monitor_run(
    struct xos_launch *l, int notify_fd, struct xos_err *err);

#endif
