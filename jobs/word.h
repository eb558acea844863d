#ifndef XOS_JOBS_WORD_H
#define XOS_JOBS_WORD_H

#include "api/jobs.h"
#include "jobs/standing.h"
#include "local/client.h"

/* What xos-credd is asked about jobs that run, and what it says (operation standing, docs/protocols/credd.md). */
struct xos_word_question {
	char id[XOS_JOB_ID_TEXT];
	struct xos_job_asked asked;
};

struct xos_words {
	int64_t version; /* of the view by which was decided */
	int64_t
	    again; /* seconds from the answer on until it is asked again at the latest; 0: not said */
	size_t n;
	struct xos_job_word of
	    [XOS_LOCAL_STANDING_JOBS]; /* in the order of the question; NOTHING where nothing was said */
};

/* n at most XOS_LOCAL_STANDING_JOBS. since: as in an earlier answer, for a short one while it stands; 0: decide. */
XOS_MUST_USE enum xos_status xos_word_ask(const struct xos_word_question *q, size_t n,
    int64_t since, struct xos_buf *out, struct xos_err *err);
/* Of jobs that were not asked about nothing is taken. */
XOS_MUST_USE enum xos_status xos_word_read(struct xos_bytes json, const struct xos_word_question *q,
    size_t n, struct xos_words *out, struct xos_err *err);

#endif
