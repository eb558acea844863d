#ifndef XOS_JOBS_TREE_H
#define XOS_JOBS_TREE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/*
 * The processes below one process, read from /proc (proc_pid_stat(5)). A snapshot: what is forked
 * meanwhile shows in the next one, so whoever wants nobody left repeats until the count is 0.
 */
struct xos_tree {
	struct xos_tree_process {
		pid_t pid, parent;
		uint64_t ticks; /* user and system time, its own and of children it waited for */
		int below;
	} * v;
	size_t n;
};

/* Loads the processes below root (root itself not included). */
XOS_MUST_USE enum xos_status xos_tree_load(pid_t root, struct xos_tree *t, struct xos_err *err);
void xos_tree_free(struct xos_tree *t);
void xos_tree_signal(const struct xos_tree *t, int sig);
uint64_t xos_tree_seconds(const struct xos_tree *t); /* CPU time, whole seconds */
/* Sends SIGKILL to all own processes whose environment holds XOS_JOB_ID=id; says how many. For what
 * a dead monitor left behind where there is no process namespace. */
size_t xos_tree_kill_marked(const char *id);

#endif
