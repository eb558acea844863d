#include "jobs/refresh.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "jobs/copy.h"
#include "jobs/starter.h"

#define ASK_MS 1000
#define FAILED_MAX_MS                                                                              \
	10000 /* until xos-credd is asked again after it did not answer: a second first, then longer */
#define AGAIN_MS 2000 /* until a copy is tried again that could not be exchanged */
#define TIMEOUT_MS 1000
#define ANSWER_MAX XOS_LOCAL_PEM_MAX
#define JOBS_MAX 1000 /* in one answer */

struct xos_refresh {
	struct xos_local *credd;
	char epoch[65];
	int64_t after;
	int64_t ask_ms;
	int64_t pause_ms;
	bool failed; /* xos-credd does not answer: nothing else waits for it until it does */
};

enum xos_status xos_refresh_new(
    const struct xos_starter *s, struct xos_refresh **out, struct xos_err *err)
{
	struct xos_refresh *f = calloc(1, sizeof(*f));
	enum xos_status st;

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_starter_credd(s, TIMEOUT_MS, &f->credd, err);
	if (st != XOS_OK)
		xos_refresh_free(f);
	else
		*out = f;
	return st;
}

void xos_refresh_free(struct xos_refresh *f)
{
	if (!f)
		return;
	xos_local_free(f->credd);
	free(f);
}

/* --- one job --- */

/* Whose job it is: its folder was given to that account and lies in one that only we can write. */
static enum xos_status find_account(
    const struct xos_starter *s, const char *id, struct xos_copy *c, struct xos_err *err)
{
	char path[PATH_MAX];
	struct stat sb;

	if (!xos_path_join(path, sizeof(path), s->stage.work, id))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	if (lstat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))
		return xos_err_set(err, XOS_NOT_FOUND, "job-over", "the job's folder is gone");
	c->uid = sb.st_uid;
	c->gid = sb.st_gid;
	return XOS_OK;
}

static void credd_failed(struct xos_refresh *f, const struct xos_err *why)
{
	/* Said once: it may be away for long, and an older one does not know the question. */
	if (!f->failed)
		xos_event_err(XOS_WARN, "jobs.renewals-not-known", why, (char *)NULL);
	f->failed = true;
	f->pause_ms = f->pause_ms ? 2 * f->pause_ms : ASK_MS;
	if (f->pause_ms > FAILED_MAX_MS)
		f->pause_ms = FAILED_MAX_MS;
	f->ask_ms = xos_clock_mono_ms() + f->pause_ms;
}

static enum xos_status fetch(
    struct xos_refresh *f, const char *id, struct xos_secret **pem, struct xos_err *err)
{
	enum xos_status st = xos_local_job_credential(f->credd, id, pem, err);

	if (st == XOS_UNAVAILABLE && strncmp(err->code, "credd-", 6) == 0)
		credd_failed(f, err);
	return st;
}

static enum xos_status exchange(struct xos_starter *s, const char *id, struct xos_err *err)
{
	char run[PATH_MAX], cred[PATH_MAX];
	struct xos_copy c = {.run = run, .cred = cred, .isolate = s->stage.root};
	struct xos_secret *pem = NULL;
	enum xos_status st = xos_stage_path(&s->stage, id, NULL, run, err);

	if (st == XOS_OK && !xos_stage_has(&s->stage, id, "started"))
		st = xos_err_set(err, XOS_NOT_FOUND, "job-over", "the job has not started yet");
	if (st == XOS_OK)
		st = xos_starter_cred(s, id, cred, err);
	if (st == XOS_OK)
		st = find_account(s, id, &c, err);
	if (st == XOS_OK)
		st = fetch(s->refresh, id, &pem, err);
	if (st == XOS_OK)
		st = xos_copy_exchange(&c, pem, err);
	xos_secret_free(pem);
	return st;
}

static bool same(const struct xos_job_renewal *a, const struct xos_job_renewal *b)
{
	return strcmp(a->state, b->state) == 0 && strcmp(a->text, b->text) == 0 &&
	       a->until == b->until && a->renews_until == b->renews_until &&
	       a->failing_since == b->failing_since && a->refused == b->refused &&
	       a->renewed == b->renewed;
}

/* What the job has is what is told: a renewed credential that did not reach it is none. */
static bool refresh_copy(struct xos_starter *s, struct xos_job_renewal *r,
    const struct xos_job_renewal *had, int64_t first_until)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st;

	if (r->renewed == had->renewed)
		return true;
	st = exchange(s, r->job, &err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "job.credential-refreshed", "job", r->job);
		xos_running_again(s, r->job);
		return true;
	}
	r->renewed = had->renewed;
	r->until = had->until ? had->until : first_until;
	if (st == XOS_NOT_FOUND) /* it has not begun, or ends */
		return false;
	if (strcmp(had->text, err.text) != 0)
		xos_event_err(XOS_WARN, "job.not-refreshed", &err, "job", r->job, (char *)NULL);
	snprintf(r->state, sizeof(r->state), "failing");
	snprintf(r->text, sizeof(r->text), "%s", err.text);
	xos_text_clean(r->text);
	if (!r->failing_since)
		r->failing_since = had->failing_since ? had->failing_since : xos_clock_now();
	return false;
}

/* False: to be tried again. */
static bool settle_one(struct xos_starter *s, const struct xos_job_renewal *news)
{
	struct xos_job_renewal r = *news, had = {.renewed = 0};
	struct xos_err err = XOS_ERR_INIT;
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, r.job, NULL, run, &err);
	bool done;

	if (st == XOS_OK && xos_job_renewal_read(run, &had, &err) != XOS_OK)
		had = (struct xos_job_renewal){.renewed = 0};
	if (st != XOS_OK)
		return false;
	done = refresh_copy(s, &r, &had, 0);
	if (!same(&r, &had))
		st = xos_job_renewal_write(run, &r, &err);
	if (st != XOS_OK)
		xos_event_err(
		    XOS_WARN, "job.renewal-not-written", &err, "job", r.job, (char *)NULL);
	return done && st == XOS_OK;
}

static struct xos_starter_job *find_job(struct xos_starter *s, const char *id)
{
	for (size_t i = 0; i < s->njobs; i++)
		if (strcmp(s->jobs[i].id, id) == 0)
			return &s->jobs[i];
	return NULL;
}

static void try_job(struct xos_starter *s, struct xos_starter_job *j, int64_t now)
{
	struct xos_job_renewal *news = j->news;

	if (!s->refresh->failed && settle_one(s, news)) {
		j->news = NULL;
		free(news);
	} else {
		j->news_ms = now + AGAIN_MS;
	}
}

/* Only the newest word about a job counts. */
static void take(struct xos_starter *s, const struct xos_json *entry, int64_t now)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_job_renewal r;
	struct xos_starter_job *j;

	if (xos_job_renewal_from_json(entry, &r, &err) != XOS_OK) {
		xos_event_err(XOS_WARN, "job.renewal-unreadable", &err, (char *)NULL);
		return;
	}
	j = find_job(s, r.job);
	if (j && !j->news)
		j->news = calloc(1, sizeof(*j->news));
	if (!j || !j->news)
		return;
	*j->news = r;
	try_job(s, j, now);
}

/* --- asking --- */

static enum xos_status read_answer(
    struct xos_starter *s, const char *text, bool *more, int64_t now, struct xos_err *err)
{
	struct xos_refresh *f = s->refresh;
	const struct xos_json *jobs = NULL;
	struct xos_json *doc = NULL;
	char epoch[sizeof(f->epoch)];
	int64_t after = 0;
	enum xos_status st = xos_json_parse(xos_bytes_str(text), ANSWER_MAX, &doc, err);

	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "epoch", epoch, sizeof(epoch), err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "after", 0, INT64_MAX, &after, err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "more", more, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "jobs", JOBS_MAX, &jobs, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(jobs); i++)
		take(s, xos_json_at(jobs, i), now);
	if (st == XOS_OK) {
		memcpy(f->epoch, epoch, sizeof(epoch));
		f->after = after;
	}
	xos_json_free(doc);
	return st;
}

static enum xos_status ask(struct xos_starter *s, bool *more, int64_t now, struct xos_err *err)
{
	struct xos_refresh *f = s->refresh;
	struct xos_json *q = xos_json_object();
	struct xos_buf b;
	char *answer = NULL;
	enum xos_status st;

	if (f->epoch[0]) {
		xos_json_set_string(q, "epoch", f->epoch);
		xos_json_set_int(q, "after", f->after);
	}
	xos_buf_init(&b, 256);
	st = xos_json_dump(q, &b, err);
	if (st == XOS_OK)
		st = xos_local_renewals(f->credd, xos_buf_str(&b), &answer, err);
	if (st == XOS_OK) {
		f->failed = false;
		f->pause_ms = 0;
	}
	if (st == XOS_OK)
		st = read_answer(s, answer, more, now, err);
	free(answer);
	xos_buf_free(&b);
	xos_json_free(q);
	return st;
}

void xos_refresh_tick(struct xos_starter *s)
{
	struct xos_refresh *f = s->refresh;
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_mono_ms();
	bool more = false;

	for (size_t i = 0; i < s->njobs; i++)
		if (s->jobs[i].news && s->jobs[i].news_ms <= now)
			try_job(s, &s->jobs[i], now);
	if (f->ask_ms > now || s->njobs == 0)
		return;
	if (ask(s, &more, now, &err) != XOS_OK)
		credd_failed(f, &err);
	else if (!f->failed)
		f->ask_ms = now + (more ? 0 : ASK_MS);
}

/* --- at the start of a job --- */

/* An xos-credd from before there were grants does not know the operation. */
static bool cannot(const struct xos_err *err)
{
	return strcmp(err->code, "renewal-off") == 0 || strcmp(err->code, "header") == 0;
}

enum xos_status xos_refresh_grant(struct xos_starter *s, const char *id,
    const struct xos_bytes *chain, size_t n, struct xos_bytes grant, char note[256],
    struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	int64_t ends = 0;
	enum xos_status st = xos_local_job_grant(s->credd, id, chain, n, grant, &ends, &why);

	note[0] = 0;
	if (st != XOS_OK && cannot(&why)) {
		snprintf(note, 256, "node %s does not renew credentials: %s", s->ask.node,
		    strcmp(why.code, "header") == 0 ? "its xos-credd is too old for that"
		                                    : why.text);
		xos_text_clean(note);
		return XOS_OK;
	}
	if (st != XOS_OK && err)
		*err = why;
	return st;
}

/* xos-credd verifies that it is of who submitted, for this job and no wider than what that has. */
enum xos_status xos_refresh_order(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;
	struct xos_order_grant g;
	int64_t ends = 0;
	enum xos_status st = xos_order_grant_decode(payload, &g, err);

	(void)from;
	if (st == XOS_OK && !find_job(s, g.id))
		st = xos_err_set(err, XOS_NOT_FOUND, "job-over", "job %s does not run", g.id);
	if (st == XOS_OK)
		st = xos_local_job_grant(s->credd, g.id, g.chain, g.n, g.grant, &ends, err);
	if (st == XOS_OK) {
		s->refresh->ask_ms = 0; /* how it stands now is asked at once */
		xos_buf_u64(reply, (uint64_t)ends);
		st = xos_buf_status(reply);
	}
	return st;
}

void xos_refresh_none(struct xos_starter *s, const char *id, const char *note)
{
	struct xos_job_renewal r = {.state = "none"};
	struct xos_err err = XOS_ERR_INIT;
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, id, NULL, run, &err);

	snprintf(r.job, sizeof(r.job), "%s", id);
	snprintf(r.text, sizeof(r.text), "%s", note);
	if (st == XOS_OK)
		st = xos_job_renewal_write(run, &r, &err);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "job.renewal-not-written", &err, "job", id, (char *)NULL);
}
