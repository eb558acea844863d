#include "credd/renewals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "decide/known.h"

#define SPREAD_MS 60000 /* over which what is due at the start is spread, at most */
#define AWAY_MAX 60     /* seconds between calls to an authority that does not answer */

struct xos_credd_renewals {
	struct xos_credd_renewals_options o;
	bool busy;
	uint64_t changes;
	char epoch[17]; /* of this count of changes */
	char last_error[XOS_ERR_TEXT_MAX];
	/* The authority does not answer: nobody asks before. */
	int64_t away_ms;
	unsigned away;
	struct xos_err away_why;
};

void xos_credd_work_free(struct xos_credd_work *w)
{
	if (!w)
		return;
	xos_secret_free(w->key);
	xos_buf_free(&w->wire);
	xos_chain_clear(&w->chain);
	free(w);
}

int64_t xos_credd_boot_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t between(int64_t v, int64_t least, int64_t most)
{
	return v < least ? least : v > most ? most : v;
}

/* At least four tries in what is left, however long it has failed already. */
int64_t xos_credd_renewal_pause(int64_t life, int64_t left, unsigned failures)
{
	int64_t most = between(life / 20, 1, 600), pause = between(life / 80, 1, 60);
	if (left > 0)
		most = between(left / 5, 1, most);
	for (unsigned i = 1; i < failures && pause < most; i++)
		pause *= 2;
	pause = pause < most ? pause : most;
	return pause / 2 + (int64_t)xos_random_below((uint64_t)(pause - pause / 2) + 1);
}

static void touch(struct xos_credd_renewals *r, struct xos_credd_grant *g)
{
	g->changed = ++r->changes;
}

static void touch_first(void *ctx, struct xos_credd_job *job)
{
	if (job->grant)
		touch(ctx, job->grant);
}

enum xos_status xos_credd_renewals_new(const struct xos_credd_renewals_options *o,
    struct xos_credd_renewals **out, struct xos_err *err)
{
	struct xos_credd_renewals *r = calloc(1, sizeof(*r));
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	r->o = *o;
	xos_random_id(r->epoch, 8);
	xos_credd_jobs_each(o->jobs, touch_first, r);
	*out = r;
	return XOS_OK;
}

void xos_credd_renewals_free(struct xos_credd_renewals *r)
{
	free(r);
}

const char *xos_credd_renewals_epoch(const struct xos_credd_renewals *r)
{
	return r->epoch;
}

static bool stands(const struct xos_credd_job *job, int64_t now)
{
	const struct xos_credd_grant *g = job->grant;
	return g && job->chain.n && !g->refusal[0] && g->ends > now;
}

static void say(struct xos_credd_job *job, const struct xos_err *why)
{
	snprintf(job->grant->text, sizeof(job->grant->text), "%s",
	    strcmp(why->code, "unreachable") == 0 ? "authority not reached" : why->text);
	xos_text_clean(job->grant->text); /* it may have been cut in the middle of a character */
}

/* --- when --- */

static int64_t life_of(const struct xos_credd_job *job)
{
	int64_t life = job->not_after - job->grant->taken;
	return life > 1 ? life : 1;
}

/* Half of its life, a tenth of it more or less. */
static void plan(struct xos_credd_job *job, bool start, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	int64_t life = life_of(job), left = job->not_after - now->wall, spread = 0;
	int64_t jitter = (int64_t)xos_random_below((uint64_t)life / 5 + 1) - life / 10;

	g->next = g->registered ? g->taken + life / 2 + jitter : now->wall;
	if (start && g->registered && g->next <= now->wall && left > 0)
		spread = between(left * 100, 0, SPREAD_MS);
	/* Nodes that come back together do not ask together. */
	g->wait_ms = spread ? now->boot_ms + (int64_t)xos_random_below((uint64_t)spread + 1) : 0;
	g->next_ms = now->boot_ms + (g->next > now->wall ? (g->next - now->wall) * 1000 : 0);
}

/* What came goes no further than what there was: it is as long as the grant, unless the member extends that. Asked now and
 * then, ever closer to the end. */
static void plan_again(struct xos_credd_job *job, const struct xos_credd_now *now)
{
	int64_t pause = between((job->not_after - now->wall) / 2, 2, 3600);
	job->grant->next = now->wall + pause;
	job->grant->next_ms = job->grant->wait_ms = now->boot_ms + pause * 1000;
}

static bool due(const struct xos_credd_grant *g, const struct xos_credd_now *now)
{
	return (g->next <= now->wall || g->next_ms <= now->boot_ms) && g->wait_ms <= now->boot_ms;
}

/* --- what became of it --- */

static void fails(struct xos_credd_renewals *r, struct xos_credd_job *job,
    const struct xos_err *why, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	char before[sizeof(g->text)];
	memcpy(before, g->text, sizeof(before));
	say(job, why);
	memcpy(r->last_error, why->text, sizeof(r->last_error));
	g->failures++;
	if (g->failing_since && strcmp(before, g->text) == 0)
		return;
	/* Said once for each new reason. */
	if (!g->failing_since)
		g->failing_since = now->wall;
	xos_event_err(
	    XOS_WARN, "renewal.failing", why, "job", job->id, "member", job->member, (char *)NULL);
	touch(r, g);
}

static void wait_after(struct xos_credd_job *job, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	int64_t pause =
	    xos_credd_renewal_pause(life_of(job), job->not_after - now->wall, g->failures);
	g->wait_ms = now->boot_ms + pause * 1000;
}

/* What is said of a proof or an answer, not of grant or member: a clock that is wrong, a server that mixes things up. */
static bool of_the_call(const struct xos_credd_work *w)
{
	const char *code = w->err.code;
	return strcmp(code, "grant-unknown") == 0 || strcmp(code, "grant-time") == 0 ||
	       strcmp(code, "grant-proof") == 0 ||
	       (!w->registers && strcmp(code, "grant-other") == 0);
}

/* A definite no is the authority's word about this grant or its member. Anything else, such as a server that is not
 * who it should be, may be another tomorrow. */
static bool definite(const struct xos_credd_work *w)
{
	const char *code = w->err.code;
	bool word = w->status == XOS_DENIED || w->status == XOS_NOT_FOUND ||
	            w->status == XOS_EXPIRED || w->status == XOS_CONFLICT;
	return word && !of_the_call(w) &&
	       (strncmp(code, "grant-", 6) == 0 || strncmp(code, "member-", 7) == 0 ||
	           strcmp(code, "locked") == 0);
}

static void store(struct xos_credd_renewals *r, struct xos_credd_job *job)
{
	struct xos_err err = XOS_ERR_INIT;
	/* Asked again after the next start, then. */
	if (xos_credd_jobs_store(r->o.jobs, job, &err))
		xos_event_err(XOS_ERROR, "renewal.not-stored", &err, "job", job->id, (char *)NULL);
}

static void refuse(struct xos_credd_renewals *r, struct xos_credd_job *job,
    const struct xos_err *why, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	say(job, why);
	memcpy(g->refusal, why->code, sizeof(g->refusal));
	g->refused = now->wall;
	g->failing_since = 0;
	g->failures = 0;
	touch(r, g);
	xos_event_err(
	    XOS_WARN, "renewal.refused", why, "job", job->id, "member", job->member, (char *)NULL);
	store(r, job);
}

static void well(struct xos_credd_grant *g)
{
	g->failures = 0;
	g->failing_since = 0;
	g->text[0] = '\0';
}

static void registered(struct xos_credd_renewals *r, struct xos_credd_job *job,
    const struct xos_credd_work *w, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	well(g);
	g->registered = true;
	if (w->ends)
		g->ends = w->ends;
	XOS_EVENT(XOS_INFO, "renewal.registered", "job", job->id, "member", job->member);
	plan(job, false, now);
	touch(r, g);
	store(r, job);
}

static void renewed(struct xos_credd_renewals *r, struct xos_credd_job *job,
    const struct xos_credd_work *w, const struct xos_credd_now *now)
{
	struct xos_err err = XOS_ERR_INIT;
	char until[XOS_TIME_TEXT];
	int64_t had = job->not_after, ends = job->grant->ends;
	enum xos_status st = r->o.take(r->o.ctx, job, &w->chain, w->ends, now->wall, &err);
	if (st) {
		err.status = st;
		fails(r, job, &err, now);
		wait_after(job, now);
		return;
	}
	well(job->grant);
	touch(r, job->grant);
	if (job->not_after <= had && ends == job->grant->ends) {
		plan_again(job, now);
		return;
	}
	plan(job, false, now);
	if (job->grant->next <= now->wall)
		plan_again(job, now);
	xos_time_format(job->not_after, until);
	XOS_EVENT(
	    XOS_INFO, "renewal.renewed", "job", job->id, "member", job->member, "until", until);
}

/* The authority may have it all the same: handed in by the member's own tool, or its answer was lost; and what was refused was
 * an extension, which takes nothing from the grant before. It says so when it is asked to renew. Once. */
static bool try_unheard(struct xos_credd_grant *g)
{
	if (g->unheard)
		return false;
	g->registered = g->unheard = true;
	return true;
}

static bool same_wire(const struct xos_credd_work *w, const struct xos_credd_grant *g)
{
	return xos_bytes_eq(xos_buf_bytes(&w->wire), xos_buf_bytes(&g->wire));
}

static void settle(struct xos_credd_renewals *r, struct xos_credd_job *job,
    struct xos_credd_work *w, const struct xos_credd_now *now)
{
	struct xos_credd_grant *g = job->grant;
	g->busy = false;
	if (w->registers && !same_wire(w, g)) {
		plan(job, false, now); /* the member gave another one meanwhile */
	} else if (!w->status && w->registers) {
		registered(r, job, w, now);
	} else if (!w->status) {
		renewed(r, job, w, now);
	} else if (strcmp(w->err.code, "given-up") == 0) {
		return; /* xos-credd ends: nothing was wrong */
	} else if (definite(w) && !(w->registers && g->renewed && try_unheard(g))) {
		refuse(r, job, &w->err, now);
	} else {
		/* An authority that lost it may take it again, as long as the token lives. */
		if (!w->registers && strcmp(w->err.code, "grant-unknown") == 0)
			g->registered = false;
		fails(r, job, &w->err, now);
		wait_after(job, now);
	}
}

static void authority_answered(
    struct xos_credd_renewals *r, const struct xos_credd_work *w, const struct xos_credd_now *now)
{
	int64_t pause = AWAY_MAX;
	if (w->status != XOS_UNAVAILABLE) {
		r->away = 0;
		r->away_ms = 0;
		return;
	}
	r->away_why = w->err;
	if (r->away < 6)
		pause = between(INT64_C(1) << r->away++, 1, AWAY_MAX);
	r->away_ms =
	    now->boot_ms + 500 * pause + (int64_t)xos_random_below((uint64_t)(500 * pause) + 1);
}

void xos_credd_renewals_done(
    struct xos_credd_renewals *r, struct xos_credd_work *w, const struct xos_credd_now *now)
{
	struct xos_credd_job *job = xos_credd_jobs_find(r->o.jobs, w->job);
	w->err.status = w->status;
	r->busy = false;
	authority_answered(r, w, now);
	/* It may have ended meanwhile. */
	if (job && job->grant && job->grant->busy)
		settle(r, job, w, now);
	xos_credd_work_free(w);
	xos_credd_renewals_tick(r, now);
}

void xos_credd_renewals_changed(struct xos_credd_renewals *r, struct xos_credd_job *job)
{
	job->grant->next = 0;
	touch(r, job->grant);
}

enum xos_status xos_credd_renewals_ask(
    struct xos_credd_renewals *r, struct xos_credd_job *job, int64_t now, struct xos_err *err)
{
	struct xos_credd_grant *g = job->grant;
	if (!r || !g)
		return xos_err_set(err, XOS_UNAVAILABLE, "not-renewable",
		    "nothing was given by which the credential of job %s could be renewed: it ends "
		    "with "
		    "its token",
		    job->id);
	if (g->refusal[0] || !stands(job, now))
		return xos_err_set(err, XOS_DENIED, g->refusal[0] ? g->refusal : "grant-ended",
		    "the credential of job %s is not renewed any more: %s", job->id,
		    g->refusal[0] ? g->text : "its grant has ended (xos-job extend)");
	if (now - g->taken < life_of(job) / 10)
		return xos_err_set(err, XOS_LIMIT, "renewed-already",
		    "the credential of job %s is new, and is renewed at half of its life anyway",
		    job->id);
	if (!g->failing_since && !g->busy) {
		g->next = now;
		g->next_ms = g->wait_ms = 0;
	}
	return XOS_OK;
}

/* --- giving work out --- */

static struct xos_credd_work *work_for(const struct xos_credd_job *job)
{
	const struct xos_credd_grant *g = job->grant;
	struct xos_credd_work *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	xos_buf_init(&w->wire, XOS_CREDD_GRANT_MAX);
	memcpy(w->job, job->id, sizeof(w->job));
	w->registers = !g->registered;
	if (w->registers)
		xos_buf_put(&w->wire, g->wire.p, g->wire.n);
	else
		w->key = xos_secret_from(xos_secret_data(job->key), xos_secret_len(job->key));
	if (xos_buf_status(&w->wire) || (!w->registers && !w->key)) {
		xos_credd_work_free(w);
		return NULL;
	}
	return w;
}

struct round {
	struct xos_credd_renewals *r;
	const struct xos_credd_now *now;
	struct xos_credd_job *first; /* whose credential ends first of those that are due */
};

/* Without the authority the grant is of no use once the token that signed it has ended. */
static void never_registered(struct round *x, struct xos_credd_job *job)
{
	struct xos_err why = XOS_ERR_INIT;
	(void)xos_err_set(&why, XOS_EXPIRED, "grant-late",
	    "the authority did not get the grant before the token that signed it ended%s%s",
	    job->grant->text[0] ? ": " : "", job->grant->text);
	refuse(x->r, job, &why, x->now);
}

static void look(void *ctx, struct xos_credd_job *job)
{
	struct round *x = ctx;
	struct xos_credd_grant *g = job->grant;
	if (!g || g->busy || !job->chain.n)
		return;
	if (!stands(job, x->now->wall)) {
		if (!g->over && !g->refusal[0])
			XOS_EVENT(XOS_INFO, "renewal.ended", "job", job->id);
		if (!g->over)
			touch(x->r, g);
		g->over = true;
		return;
	}
	if (!g->next)
		plan(job, true, x->now);
	if (!due(g, x->now))
		return;
	bool late = !g->registered && g->token_ends + XOS_KNOWN_SKEW < x->now->wall;
	if (late && !try_unheard(g)) {
		never_registered(x, job);
	} else if (x->r->away_ms > x->now->boot_ms) {
		if (!g->failing_since)
			fails(x->r, job, &x->r->away_why, x->now);
	} else if (!x->first || job->not_after < x->first->not_after) {
		x->first = job;
	}
}

void xos_credd_renewals_tick(struct xos_credd_renewals *r, const struct xos_credd_now *now)
{
	struct round x = {.r = r, .now = now};
	if (r->busy)
		return;
	xos_credd_jobs_each(r->o.jobs, look, &x);
	if (!x.first)
		return;
	struct xos_credd_work *w = work_for(x.first);
	if (!w) {
		XOS_EVENT(XOS_ERROR, "memory");
		return;
	}
	x.first->grant->busy = true;
	if (r->o.send(r->o.ctx, w)) {
		r->busy = true;
	} else {
		x.first->grant->busy = false;
		xos_credd_work_free(w);
	}
}

/* --- telling --- */

const char *xos_credd_renewal_state(const struct xos_credd_job *job, int64_t now)
{
	const struct xos_credd_grant *g = job->grant;
	if (g->refusal[0])
		return "refused";
	if (g->ends <= now)
		return "ended";
	return g->failing_since ? "failing" : "renewing";
}

struct tally {
	struct xos_credd_renewal_counts *n;
	int64_t now;
};

static void count_one(void *ctx, struct xos_credd_job *job)
{
	const struct tally *t = ctx;
	if (!job->grant)
		return;
	const char *state = xos_credd_renewal_state(job, t->now);
	t->n->refused += strcmp(state, "refused") == 0;
	t->n->renewing += strcmp(state, "renewing") == 0;
	t->n->ended += strcmp(state, "ended") == 0;
	if (strcmp(state, "failing") != 0)
		return;
	t->n->failing++;
	if (!t->n->failing_since || job->grant->failing_since < t->n->failing_since)
		t->n->failing_since = job->grant->failing_since;
}

void xos_credd_renewals_count(
    const struct xos_credd_renewals *r, int64_t now, struct xos_credd_renewal_counts *out)
{
	struct tally t = {.n = out, .now = now};
	*out = (struct xos_credd_renewal_counts){.failing_since = 0};
	xos_credd_jobs_each(r->o.jobs, count_one, &t);
	out->last_error = out->failing ? r->last_error : "";
}
