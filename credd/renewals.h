#ifndef XOS_CREDD_RENEWALS_H
#define XOS_CREDD_RENEWALS_H

#include <stddef.h>
#include <stdint.h>

#include "credd/jobfile.h"
#include "credd/jobs.h"

/*
 * When which job's credential is renewed, and how that stands; on the loop's thread, without any call to a server: those are
 * done by whoever is given the work (renewer.h), one at a time.
 *
 * A grant is registered at once and the credential renewed at half of its life, with jitter. What fails is tried again later
 * and later, but so often that several tries remain before the end. Each time is kept by the clock on the wall and by
 * the one that counts from the boot through a suspend, and the earlier counts: a clock that is set back stretches nothing.
 * While the authority cannot be reached, nobody else's call waits for it again. Only a definite no ends it.
 */
struct xos_credd_renewals;

/* One call. Taken by the sender, who gives it back with xos_credd_renewals_done. */
struct xos_credd_work {
	char job[XOS_LOCAL_JOB_MAX + 1];
	bool registers;         /* else renews */
	struct xos_secret *key; /* of the job, PEM; to renew */
	struct xos_buf wire;    /* as in the grant; to register */
	/* What came of it. */
	enum xos_status status;
	struct xos_err err;
	struct xos_chain chain; /* renewed */
	int64_t ends;           /* of the grant, as the authority knows it */
};
void xos_credd_work_free(struct xos_credd_work *w); /* NULL-safe */

struct xos_credd_now {
	int64_t wall;    /* the node's, which is never before what was signed */
	int64_t boot_ms; /* CLOCK_BOOTTIME */
};
int64_t xos_credd_boot_ms(void);

struct xos_credd_renewals_options {
	struct xos_credd_jobs *jobs; /* borrowed */
	/* Takes the work, or says that it is busy. */
	bool (*send)(void *ctx, struct xos_credd_work *w);
	/* Verifies a chain that came for this job, and keeps it (grants.h). */
	enum xos_status (*take)(void *ctx, struct xos_credd_job *job, const struct xos_chain *chain,
	    int64_t ends, int64_t now, struct xos_err *err);
	void *ctx;
};

XOS_MUST_USE enum xos_status xos_credd_renewals_new(const struct xos_credd_renewals_options *o,
    struct xos_credd_renewals **out, struct xos_err *err);
void xos_credd_renewals_free(struct xos_credd_renewals *r); /* NULL-safe */

/* Gives out what is due. Call it every second, and after each answer. */
void xos_credd_renewals_tick(struct xos_credd_renewals *r, const struct xos_credd_now *now);
/* What became of it; frees it. */
void xos_credd_renewals_done(
    struct xos_credd_renewals *r, struct xos_credd_work *w, const struct xos_credd_now *now);
/* The job's grant is new or another one. */
void xos_credd_renewals_changed(struct xos_credd_renewals *r, struct xos_credd_job *job);
/*
 * Its holder wants it renewed before its time: planned for now, unless it fails already and is tried again anyway. r NULL: nothing is
 * renewed here. UNAVAILABLE "not-renewable", or, with a grant that ended or was refused, DENIED with the code of that; LIMIT
 * "renewed-already": it is so new that this would only be work for the authority.
 */
XOS_MUST_USE enum xos_status xos_credd_renewals_ask(
    struct xos_credd_renewals *r, struct xos_credd_job *job, int64_t now, struct xos_err *err);

struct xos_credd_renewal_counts {
	size_t renewing, failing, refused, ended;
	int64_t failing_since;  /* of the oldest; 0: none */
	const char *last_error; /* borrowed; "" if none fails */
};
void xos_credd_renewals_count(
    const struct xos_credd_renewals *r, int64_t now, struct xos_credd_renewal_counts *out);
/* "renewing", "failing", "ended", "refused" */
const char *xos_credd_renewal_state(const struct xos_credd_job *job, int64_t now);

/* Changes of one epoch are numbered from 1. */
const char *xos_credd_renewals_epoch(const struct xos_credd_renewals *r);

#define XOS_CREDD_RENEWALS_TOLD 200 /* jobs in one answer */
/*
 * The answer of operation renewals, appended (renewals_json.c). r NULL: nothing is renewed here. uid NULL: of all jobs, else
 * those of one uid. question: {"epoch", "after"}, both optional: what has changed since an answer with these.
 */
XOS_MUST_USE enum xos_status xos_credd_renewals_json(const struct xos_credd_renewals *r,
    const struct xos_credd_jobs *jobs, const uid_t *uid, struct xos_bytes question, int64_t now,
    struct xos_buf *out, struct xos_err *err);

/* Seconds to wait after the nth failure in a row (from 1); life: of the credential, left: what is left of it, negative
 * after the end. */
int64_t xos_credd_renewal_pause(int64_t life, int64_t left, unsigned failures);

#endif
