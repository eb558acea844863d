#ifndef XOS_JOBS_END_H
#define XOS_JOBS_END_H

#include <stddef.h>

#include "jobs/config.h"

/*
 * Ends the jobs of one configuration, for a node that leaves a VO: as a cancel from the node's owner, whom nobody can
 * refuse. Whether xos-jobd runs or not; what is to be told to accounting is, if it does.
 */
struct xos_jobs_ended {
	size_t ended;     /* jobs that ran and do not any more */
	size_t running;   /* that still run when the time is over */
	size_t unsettled; /* ended, and not written down by xos-jobd */
	size_t unsent;    /* records that accounting has not acknowledged */
};

/* Waits for kill_grace and some seconds. OK also if some still run: out says. */
XOS_MUST_USE enum xos_status xos_jobs_end(
    const struct xos_jobs_config *c, struct xos_jobs_ended *out, struct xos_err *err);

#endif
