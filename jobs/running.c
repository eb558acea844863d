#include "jobs/running.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "jobs/hold.h"
#include "jobs/starter.h"
#include "jobs/word.h"

#define TIMEOUT_MS 1000 /* orders wait meanwhile */
#define LOOK_MS 1000
#define AWAY_MS 5000 /* until xos-credd is tried again that did not answer */
#define RETRY_MS 1000
#define STILL_MS 100    /* until it is looked again whether a job stands still */
#define STILL_LOOKS 100 /* after which that is said to take long */
#define AT_ONCE 16      /* questions in one look */

enum xos_status xos_running_open(
    struct xos_starter *s, const struct xos_local_options *opt, struct xos_err *err)
{
	struct xos_local_options own = *opt;

	own.timeout_ms = TIMEOUT_MS;
	return xos_local_new(&own, &s->running.credd, err);
}

void xos_running_close(struct xos_starter *s)
{
	xos_local_free(s->running.credd);
}

enum xos_status xos_running_begin(const struct xos_starter *s, const char *id,
    const struct xos_order *order, int64_t wall, struct xos_err *err)
{
	struct xos_job_asked asked = {.wall = wall};
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, id, NULL, run, err);

	memcpy(asked.source, order->source, sizeof(asked.source));
	return st == XOS_OK ? xos_asked_write(run, &asked, err) : st;
}

void xos_running_again(struct xos_starter *s, const char *id)
{
	for (size_t i = 0; i < s->njobs; i++)
		if (strcmp(s->jobs[i].id, id) == 0)
			s->jobs[i].running.version = 0;
}

static struct xos_standing_clock read_clock(void)
{
	return (struct xos_standing_clock){.now = xos_clock_now(), .mono_ms = xos_clock_mono_ms()};
}

/* Without root what is frozen could be thawed by other processes of the same user, so it is not relied on. */
static struct xos_standing_rules rules_of(const struct xos_starter *s)
{
	return (struct xos_standing_rules){.freeze = strcmp(s->c->on_lock, "freeze") == 0 &&
	                                             s->stage.root &&
	                                             s->groups.can & XOS_CGROUP_FREEZE,
	    .freeze_max = s->c->freeze_max};
}

/* --- carrying out --- */

static void complain(const char *event, const struct xos_starter_job *j, const struct xos_err *err)
{
	xos_event_err(XOS_WARN, event, err, "job", j->id, (const char *)NULL);
}

static void write_down(const struct xos_starter *s, struct xos_starter_job *j)
{
	struct xos_err err = XOS_ERR_INIT;
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, j->id, NULL, run, &err);

	if (st == XOS_OK)
		st = xos_standing_write(run, &j->running.standing, &err);
	j->running.unwritten = st != XOS_OK;
	if (st != XOS_OK)
		complain("job.standing-not-written", j, &err);
}

static pid_t monitor_of(const struct xos_starter *s, const char *id)
{
	char run[PATH_MAX];
	pid_t holder = 0;

	if (xos_stage_path(&s->stage, id, NULL, run, NULL) != XOS_OK ||
	    xos_hold_who(run, &holder, NULL) != XOS_OK)
		return 0;
	return holder > 1 ? holder : 0;
}

/* The lock's holder lives: its pid is not another process's. */
static void tell_to_end(const struct xos_starter *s, struct xos_starter_job *j)
{
	pid_t monitor = monitor_of(s, j->id);
	struct xos_err err = XOS_ERR_INIT;

	j->running.act_ms = xos_clock_mono_ms() + AWAY_MS;
	if (!monitor)
		return;
	if (kill(monitor, SIGTERM) != 0 && errno != ESRCH) {
		xos_err_errno(&err, errno, "job-end", "cannot signal the job's monitor");
		complain("job.not-ended", j, &err);
	}
}

static void end_it(const struct xos_starter *s, struct xos_starter_job *j)
{
	const struct xos_job_standing *t = &j->running.standing;

	write_down(s, j);
	XOS_EVENT(XOS_WARN, "job.told-to-end", "job", j->id, "cause",
	    xos_job_cause_name((enum xos_job_cause)t->ending), "why", t->text);
	tell_to_end(s, j);
}

/* Never waits: what is stuck in the kernel stands still once it comes out, and orders must not wait for that. */
static void freeze_it(const struct xos_starter *s, struct xos_starter_job *j)
{
	struct xos_running_job *r = &j->running;
	struct xos_cgroup g;
	struct xos_err err = XOS_ERR_INIT;

	r->act_ms = xos_clock_mono_ms() + STILL_MS;
	if (!monitor_of(s, j->id)) /* over, or not quite begun */
		return;
	enum xos_status st = xos_cgroup_open(&s->groups, j->id, &g, &err);
	if (st == XOS_OK && !xos_cgroup_is_frozen(&g))
		st = xos_cgroup_freeze_begin(&g, &err);
	if (st != XOS_OK) { /* there is no holding it here */
		complain("job.not-frozen", j, &err);
		if (xos_standing_unfrozen(&r->standing) == XOS_STANDING_END)
			end_it(s, j);
	} else if (xos_cgroup_stands_still(&g)) {
		r->frozen = true;
		XOS_EVENT(XOS_WARN, "job.frozen", "job", j->id, "why", r->standing.text);
	} else if (++r->looks == STILL_LOOKS) {
		XOS_EVENT(XOS_WARN, "job.freezes-slowly", "job", j->id);
	}
}

/* False: it stands still yet. */
static bool thaw_it(const struct xos_starter *s, struct xos_starter_job *j)
{
	struct xos_cgroup g;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_cgroup_open(&s->groups, j->id, &g, &err);

	if (st == XOS_OK)
		st = xos_cgroup_freeze(&g, false, &err);
	if (st == XOS_OK) {
		j->running.frozen = false;
		j->running.looks = 0;
		XOS_EVENT(XOS_INFO, "job.thawed", "job", j->id);
		return true;
	}
	if (monitor_of(s, j->id))
		complain("job.not-thawed", j, &err);
	return false;
}

static void tell_change(const struct xos_starter_job *j, const struct xos_job_standing *before)
{
	const struct xos_job_standing *t = &j->running.standing;
	char at[XOS_TIME_TEXT] = "";

	if (t->stops_at)
		xos_time_format(t->stops_at, at);
	if (before->refused && !t->refused)
		XOS_EVENT(XOS_INFO, "job.permitted-again", "job", j->id);
	else if (t->refused && (!before->refused || before->stop_mark != t->stop_mark ||
	                           before->draining != t->draining))
		XOS_EVENT(XOS_WARN, "job.refused", "job", j->id, "change",
		    t->stop_mark  ? "stop"
		    : t->draining ? "drain"
		                  : "continue",
		    "stops", at[0] ? at : NULL, "why", t->text);
}

static void carry_out(const struct xos_starter *s, struct xos_starter_job *j,
    const struct xos_job_standing *before, enum xos_standing_act act)
{
	if (act == XOS_STANDING_KEEP)
		return;
	tell_change(j, before);
	if (act == XOS_STANDING_END) {
		end_it(s, j);
		return;
	}
	if (act == XOS_STANDING_THAW && !thaw_it(s, j)) {
		/* As it was: decided, and so tried, again. */
		j->running.standing = *before;
		j->running.again_ms = xos_clock_mono_ms() + AWAY_MS;
		j->running.again = xos_clock_now() + AWAY_MS / 1000;
		return;
	}
	write_down(s, j);
	if (act == XOS_STANDING_FREEZE)
		freeze_it(s, j);
}

/* --- time --- */

static void load(const struct xos_starter *s, struct xos_starter_job *j)
{
	struct xos_err err = XOS_ERR_INIT;
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, j->id, NULL, run, &err);

	j->running.loaded = true;
	if (st == XOS_OK)
		st = xos_standing_read(run, &j->running.standing, &err);
	if (st != XOS_OK && st != XOS_NOT_FOUND)
		complain("job.standing-lost", j, &err);
	st = xos_asked_read(run, &j->running.asked, &err);
	if (st != XOS_OK && st != XOS_NOT_FOUND)
		complain("job.asked-lost", j, &err);
}

/* What is due, and what an earlier try or an earlier starter left undone. */
static void go_on(const struct xos_starter *s, struct xos_starter_job *j)
{
	const struct xos_standing_rules rules = rules_of(s);
	const struct xos_standing_clock clock = read_clock();
	struct xos_running_job *r = &j->running;
	const struct xos_job_standing before = r->standing;

	carry_out(s, j, &before, xos_standing_due(&r->standing, &rules, &clock));
	if (clock.mono_ms < r->act_ms)
		return;
	r->act_ms = clock.mono_ms + RETRY_MS;
	if (r->unwritten)
		write_down(s, j);
	if (r->standing.ending)
		tell_to_end(s, j);
	else if (r->standing.frozen_mark && !r->frozen)
		freeze_it(s, j);
}

/* --- asking --- */

static enum xos_status ask(const struct xos_starter *s, const struct xos_word_question *q, size_t n,
    int64_t since, struct xos_words *out, struct xos_err *err)
{
	struct xos_buf text;
	char *json = NULL;

	xos_buf_init(&text, XOS_LOCAL_TEXT_MAX);
	enum xos_status st = xos_word_ask(q, n, since, &text, err);
	if (st == XOS_OK)
		st = xos_local_standing(s->running.credd, xos_buf_bytes(&text), &json, err);
	if (st == XOS_OK)
		st = xos_word_read(xos_bytes_str(json), q, n, out, err);
	free(json);
	xos_buf_free(&text);
	return st;
}

/* By either clock: one was set, or stood still while the machine slept. */
static bool is_due(const struct xos_starter *s, const struct xos_starter_job *j,
    const struct xos_standing_clock *clock)
{
	const struct xos_running_job *r = &j->running;

	return r->version != s->running.version ||
	       (r->again_ms && (clock->mono_ms >= r->again_ms || clock->now >= r->again));
}

static void hear(struct xos_starter *s, struct xos_starter_job *j, const struct xos_words *w,
    const struct xos_job_word *word)
{
	const struct xos_standing_rules rules = rules_of(s);
	const struct xos_standing_clock clock = read_clock();
	const struct xos_job_standing before = j->running.standing;

	j->running.version = w->version;
	j->running.again_ms = w->again ? clock.mono_ms + w->again * 1000 : 0;
	j->running.again = clock.now + w->again;
	carry_out(s, j, &before, xos_standing_hear(&j->running.standing, word, &rules, &clock));
}

/* As many of those that are due as go into one question, from *at on. *n 0: there are no more. */
static enum xos_status ask_some(
    struct xos_starter *s, size_t *at, size_t *n, struct xos_words *w, struct xos_err *err)
{
	struct xos_word_question q[XOS_LOCAL_STANDING_JOBS];
	size_t place[XOS_LOCAL_STANDING_JOBS];
	const struct xos_standing_clock clock = read_clock();

	*n = 0;
	for (; *at < s->njobs && *n < XOS_LOCAL_STANDING_JOBS; ++*at) {
		const struct xos_starter_job *j = &s->jobs[*at];

		if (!is_due(s, j, &clock))
			continue;
		place[*n] = *at;
		memcpy(q[*n].id, j->id, sizeof(q[*n].id));
		q[(*n)++].asked = j->running.asked;
	}
	if (*n == 0)
		return XOS_OK;
	enum xos_status st = ask(s, q, *n, 0, w, err);
	for (size_t i = 0; st == XOS_OK && i < *n; i++)
		hear(s, &s->jobs[place[i]], w, &w->of[i]);
	if (st == XOS_OK)
		s->running.version = w->version;
	return st;
}

static enum xos_status ask_all(struct xos_starter *s, struct xos_err *err)
{
	struct xos_words *w = malloc(sizeof(*w));
	size_t at = 0, n = 1;
	enum xos_status st = w ? ask(s, NULL, 0, s->running.version, w, err)
	                       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		s->running.version = w->version;
	for (int i = 0; st == XOS_OK && n && i < AT_ONCE; i++)
		st = ask_some(s, &at, &n, w, err);
	free(w);
	return st;
}

void xos_running_look(struct xos_starter *s)
{
	struct xos_running *r = &s->running;
	struct xos_err err = XOS_ERR_INIT;

	for (size_t i = 0; i < s->njobs; i++) {
		if (!s->jobs[i].running.loaded)
			load(s, &s->jobs[i]);
		go_on(s, &s->jobs[i]);
	}
	if (s->njobs == 0 || xos_clock_mono_ms() < r->look_ms)
		return;
	bool ok = ask_all(s, &err) == XOS_OK;
	if (ok == r->away)
		xos_event_err(ok ? XOS_INFO : XOS_WARN,
		    ok ? "jobs.decided-again" : "jobs.not-decided-again", &err, (const char *)NULL);
	r->away = !ok;
	r->look_ms = xos_clock_mono_ms() + (ok ? LOOK_MS : AWAY_MS);
}
