#ifndef XOS_JOBS_SPAWN_H
#define XOS_JOBS_SPAWN_H

#include "jobs/launch.h"

/*
 * Starts a monitor (program: path of xos-job-monitor) as nobody's child, in a session of its own, so
 * that it outlives whoever started it, and hands it the launch. OK: the monitor's program runs and has
 * got the whole order.
 */
XOS_MUST_USE enum xos_status xos_monitor_spawn(
    const char *program, const struct xos_launch *l, struct xos_err *err);

#endif
