#ifndef XOS_JOBS_CHILD_H
#define XOS_JOBS_CHILD_H

#include "jobs/launch.h"

struct xos_child_fds {
	int out, err; /* become standard output and error */
	int report;   /* close-on-exec: gets a text if the program cannot be started */
};

/*
 * The job's own process, from fork to its program: new session, the account, no_new_privs, limits,
 * an environment and descriptors of its own and nothing else. Never returns.
 */
_Noreturn void xos_job_child(const struct xos_launch *l, const struct xos_child_fds *fds);

#endif
