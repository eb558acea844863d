#ifndef XOS_JOBS_RENEWAL_H
#define XOS_JOBS_RENEWAL_H

#include <stdint.h>

#include "api/jobs.h"
#include "base/status.h"
#include "json/json.h"

/*
 * How the renewal of a job's credential stands: as xos-credd tells the starter (docs/protocols/credd.md, operation renewals), and
 * as the starter leaves it in `renewal` of the run folder for the front, once the job's own copy is the one it speaks of.
 */
struct xos_job_renewal {
	char job[XOS_JOB_ID_TEXT];
	char state[16]; /* "none", "renewing", "failing", "ended", "refused" */
	int64_t until, renews_until;
	int64_t failing_since, refused; /* 0: not */
	uint64_t renewed;               /* how often */
	char text[256];
};

#define XOS_JOB_RENEWAL_MAX 4096 /* bytes of one */
XOS_MUST_USE enum xos_status xos_job_renewal_from_json(
    const struct xos_json *doc, struct xos_job_renewal *out, struct xos_err *err);
/* NOT_FOUND: nothing was said yet. */
XOS_MUST_USE enum xos_status xos_job_renewal_read(
    const char *run, struct xos_job_renewal *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_job_renewal_write(
    const char *run, const struct xos_job_renewal *r, struct xos_err *err);
/* Puts it into what is told of a running job; "none" where nothing was said. */
void xos_job_renewal_tell(const char *run, struct xos_job_info *i);

#endif
