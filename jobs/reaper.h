#ifndef XOS_JOBS_REAPER_H
#define XOS_JOBS_REAPER_H

#include "jobs/launch.h"
#include "proc/cgroup.h"

/*
 * The process that holds a job together, between its monitor and its program. As root it is process
 * 1 of the job's process namespace: when it ends the kernel ends everything inside, whatever it
 * forked, ignored or detached. Without root it adopts orphans (PR_SET_CHILD_SUBREAPER) and kills
 * what is left itself. It ends when the program ends, when told so, and when its monitor is gone: a
 * job never runs without its monitor.
 */
struct xos_reaper_fds {
	int out, err; /* write ends for the program */
	int report;   /* reports to the monitor, commands from it (report.h) */
	int door
	    [XOS_CGROUP_CONTROLS]; /* of the job's control group: it is in there before anything runs */
	size_t ndoors;
	int cradle; /* of the same group, proc/cgroup.h; -1: none */
};

/* Forks it. The monitor waits for the pid like for any child; its resource usage is the job's. */
XOS_MUST_USE enum xos_status xos_reaper_start(
    struct xos_launch *l, const struct xos_reaper_fds *fds, pid_t *pid, struct xos_err *err);

#endif
