#ifndef XOS_JOBS_LIMITS_H
#define XOS_JOBS_LIMITS_H

#include "api/decision.h"
#include "jobs/launch.h"

/*
 * From what policy allows to what this node enforces. A limit or a duty that cannot be carried out
 * refuses the job: a limit that is only written down protects nobody.
 */
struct xos_limits_opts {
	int64_t wall_asked; /* seconds; 0: none */
	int64_t wall_default, wall_max;
	long processors; /* of this machine */
	unsigned can;    /* what control groups can do: proc/cgroup.h */
	bool root;       /* a job can have a network namespace of its own */
};

/* lifetime: seconds that the job's credential may live, INT64_MAX if nothing says. DENIED with code
 * "limit-not-enforceable", "duty-unknown" or "wall-limit". */
XOS_MUST_USE enum xos_status xos_limits_from(const struct xos_decision_answer *a,
    const struct xos_limits_opts *opts, struct xos_launch_limits *out, int64_t *lifetime,
    struct xos_err *err);

/* The smallest value of a cap that this service can enforce on a machine of so many processors and with
 * control groups that can do so much; -1: none at all. */
int64_t xos_limits_least(enum xos_policy_cap cap, long processors, unsigned can);

#endif
