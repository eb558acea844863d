#ifndef XOS_JOBS_ASK_H
#define XOS_JOBS_ASK_H

#include "api/accounting.h"
#include "api/jobs.h"
#include "jobs/limits.h"
#include "jobs/order.h"
#include "local/client.h"

/* What the starter asks xos-credd, and what it makes of the answers. */
struct xos_ask {
	struct xos_local *credd; /* borrowed */
	const char *vo, *site, *node;
	const char *member; /* without root: the only member; NULL as root */
	bool root;
	int64_t wall_default, wall_max;
	unsigned can; /* what control groups can do here: proc/cgroup.h */
};

struct xos_permission {
	struct xos_launch_limits limits;
	int64_t lifetime;                 /* seconds; INT64_MAX */
	int64_t not_after;                /* of the submitter's chain */
	struct xos_local_account account; /* whose uid the job gets; checked */
	struct xos_record record;         /* who, where and why, filled as far as known */
	char groups
	    [1024]; /* that the token has: names with blanks between, "..." if there are more */
};

/*
 * May the holder of this chain (the submitter's own, DER, leaf first) run this? OK and everything that
 * running needs; DENIED with code "policy-denied" (text: level, statement, reason, for the member),
 * "no-account", "member-only"; UNAVAILABLE with code "policy-undecided" or credd's own.
 */
XOS_MUST_USE enum xos_status xos_ask_permission(const struct xos_ask *a,
    const struct xos_job_spec *spec, const char *id, const struct xos_order *order,
    const struct xos_bytes *chain, size_t n, struct xos_permission *out, struct xos_err *err);

/* The attributes that requests of this service may have, by number from 0; NULL past the end. */
const char *xos_ask_attribute(size_t i);

#endif
