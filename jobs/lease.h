#ifndef XOS_JOBS_LEASE_H
#define XOS_JOBS_LEASE_H

#include "jobs/launch.h"
#include "local/client.h"

/* What a job runs as, by xos-credd's answer: checked, because a job's groups and home follow from it. */
struct xos_lease {
	struct xos_local_account account;
	bool isolated; /* the uid is this job's alone */
	gid_t groups[XOS_LAUNCH_GROUPS];
	size_t ngroups;
	char *home; /* malloc'd; NULL: none */
};

/* DENIED (code "no-account"): no account, or one that no job may have; else xos-credd's own refusals. */
XOS_MUST_USE enum xos_status xos_lease_take(
    struct xos_local *credd, const char *id, struct xos_lease *out, struct xos_err *err);
void xos_lease_free(struct xos_lease *l); /* NULL-safe; frees what l owns */
/* The object beside the account; for tests and fuzzing. */
XOS_MUST_USE enum xos_status xos_lease_decode(
    struct xos_bytes json, struct xos_lease *out, struct xos_err *err);

/* A job that has a uid to itself, as xos-credd keeps it. A page begins after uid `after` (-1: the first). */
struct xos_leased {
	uint32_t uid;
	char job[XOS_LOCAL_JOB_MAX + 1];
	bool held; /* something was left when it was looked at last */
};
XOS_MUST_USE enum xos_status xos_leases_page(struct xos_local *credd, int64_t after,
    struct xos_leased *out, size_t max, size_t *n, bool *more, struct xos_err *err);
/* left NULL: nothing of the job is left. */
XOS_MUST_USE enum xos_status xos_lease_end(
    struct xos_local *credd, const char *id, const char *left, struct xos_err *err);

#endif
