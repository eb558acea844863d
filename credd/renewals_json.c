#include <stdlib.h>
#include <string.h>

#include "credd/renewals.h"
#include "json/json.h"

#define QUESTION_MAX 256

struct found {
	const uid_t *uid;
	uint64_t after;
	bool all; /* also what has not changed */
	const struct xos_credd_job **job;
	size_t n, max;
};

static void collect(void *ctx, struct xos_credd_job *job)
{
	struct found *f = ctx;
	if (job->grant && (!f->uid || job->account.uid == *f->uid) &&
	    (f->all || job->grant->changed > f->after) && f->n < f->max)
		f->job[f->n++] = job;
}

static int by_change(const void *a, const void *b)
{
	const struct xos_credd_job *x = *(const struct xos_credd_job *const *)a;
	const struct xos_credd_job *y = *(const struct xos_credd_job *const *)b;
	return x->grant->changed < y->grant->changed ? -1 : x->grant->changed > y->grant->changed;
}

static const char *epoch_of(const struct xos_credd_renewals *r)
{
	return r ? xos_credd_renewals_epoch(r) : "off";
}

static enum xos_status read_question(const struct xos_credd_renewals *r, struct xos_bytes question,
    struct found *f, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *epoch = NULL;
	enum xos_status st = xos_json_parse(question, QUESTION_MAX, &doc, err);
	if (!st)
		st = XOS_JSON_ONLY(doc, err, "epoch", "after");
	if (!st)
		st = xos_json_opt_string(doc, "epoch", 64, &epoch, err);
	if (!st)
		st = xos_json_opt_uint64(doc, "after", INT64_MAX, 0, &f->after, err);
	/* The count began anew: nothing that was told before says what is new. */
	f->all = !st && (!epoch || strcmp(epoch, epoch_of(r)) != 0);
	xos_json_free(doc);
	return st;
}

static struct xos_json *entry(const struct xos_credd_job *job, int64_t now)
{
	const struct xos_credd_grant *g = job->grant;
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "job", job->id);
	xos_json_set_string(o, "state", xos_credd_renewal_state(job, now));
	xos_json_set_time(o, "until", job->not_after);
	xos_json_set_time(o, "renews_until", g->ends);
	xos_json_set_int(o, "renewed", g->renewed);
	xos_json_set_bool(o, "registered", g->registered);
	if (g->next)
		xos_json_set_time(o, "next", g->next);
	if (g->failing_since)
		xos_json_set_time(o, "failing_since", g->failing_since);
	if (g->refused)
		xos_json_set_time(o, "refused", g->refused);
	if (g->text[0])
		xos_json_set_text(o, "text", g->text);
	return o;
}

static void tell(const struct found *f, int64_t now, struct xos_json *doc)
{
	struct xos_json *list = xos_json_array();
	size_t told = f->n < XOS_CREDD_RENEWALS_TOLD ? f->n : XOS_CREDD_RENEWALS_TOLD;
	for (size_t i = 0; i < told; i++)
		xos_json_add(list, entry(f->job[i], now));
	xos_json_set(doc, "jobs", list);
	xos_json_set_bool(doc, "more", told < f->n);
	xos_json_set_int(
	    doc, "after", (int64_t)(told ? f->job[told - 1]->grant->changed : f->after));
}

enum xos_status xos_credd_renewals_json(const struct xos_credd_renewals *r,
    const struct xos_credd_jobs *jobs, const uid_t *uid, struct xos_bytes question, int64_t now,
    struct xos_buf *out, struct xos_err *err)
{
	struct found f = {.uid = uid, .max = xos_credd_jobs_count(jobs)};
	struct xos_json *doc = NULL;
	enum xos_status st = read_question(r, question, &f, err);
	if (st)
		return st;
	f.job = calloc(f.max + 1, sizeof(const struct xos_credd_job *));
	if (!f.job)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (f.all)
		f.after = 0;
	xos_credd_jobs_each(jobs, collect, &f);
	qsort(f.job, f.n, sizeof(const struct xos_credd_job *), by_change);
	doc = xos_json_object();
	xos_json_set_string(doc, "epoch", epoch_of(r));
	tell(&f, now, doc);
	st = xos_json_dump(doc, out, err);
	xos_json_free(doc);
	free(f.job);
	return st;
}
