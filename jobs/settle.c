#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "jobs/hold.h"
#include "jobs/outcome.h"
#include "jobs/past.h"
#include "jobs/place.h"
#include "jobs/standing.h"
#include "jobs/starter.h"
#include "jobs/tree.h"

#define AGAIN_MS 5000
#define CLEAN_MS 60000

/* Its monitor would have removed it. What still runs in there keeps it; the next start of a job of that id fails then. What is frozen has
 * not died with the monitor everywhere. */
static void remove_group(const struct xos_starter *s, const char *id)
{
	struct xos_cgroup g;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st;

	if (!s->groups.can || xos_cgroup_open(&s->groups, id, &g, NULL) != XOS_OK)
		return;
	st = xos_cgroup_is_frozen(&g) ? xos_cgroup_kill(&g, &err) : XOS_OK;
	if (st == XOS_OK)
		st = xos_cgroup_remove(&g, &err);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "job.group-left", &err, "job", id, (const char *)NULL);
}

/*
 * The monitor is gone without a word. The lock is taken while the outcome is written, so that no
 * monitor that is only now coming up can run the job meanwhile.
 */
static enum xos_status declare_lost(const struct xos_starter *s, const char *id, const char *run,
    const char *why, struct xos_err *err)
{
	struct xos_job_outcome o = {.end = XOS_END_LOST, .cause = XOS_CAUSE_SELF};
	struct xos_job_standing standing;
	struct xos_launch l = {.cred = NULL};
	char cred[PATH_MAX];
	int lock = -1;
	enum xos_status st = xos_hold_take(run, &lock, err);

	if (st != XOS_OK)
		return st;
	o.started = xos_stage_time(&s->stage, id, "started");
	o.ended = xos_clock_now();
	if (!o.started)
		o.end = XOS_END_FAILED;
	/* It was told to end, and did, whoever did it in the end. */
	if (xos_standing_read(run, &standing, NULL) == XOS_OK && standing.ending)
		o.cause = (enum xos_job_cause)standing.ending;
	snprintf(o.text, sizeof(o.text), "%s",
	    o.started ? why : "the node's job service stopped before the job could start");
	snprintf(o.isolation, sizeof(o.isolation), "%s", "unknown");
	remove_group(s, id);
	if (!s->stage.root) {
		xos_tree_kill_marked(id);
		l.cred = xos_starter_cred(s, id, cred, NULL) == XOS_OK ? cred : NULL;
		if (l.cred)
			xos_place_plain_remove(&l);
	}
	if (xos_outcome_read(run, &o, NULL) == XOS_NOT_FOUND)
		st = xos_outcome_write(run, &o, err);
	close(lock);
	XOS_EVENT(XOS_WARN, "job.lost", "job", id);
	return st;
}

static void fill_record(const struct xos_job_outcome *o, struct xos_record *r)
{
	r->started = o->started;
	r->ended = o->ended < r->submitted ? r->submitted : o->ended;
	r->wall_ms = o->wall_ms;
	r->cpu_user_us = o->user_us;
	r->cpu_system_us = o->system_us;
	r->memory_kib = o->memory_kib;
	r->value = o->end == XOS_END_EXITED || o->end == XOS_END_SIGNALLED ? (int64_t)o->value : -1;
	snprintf(r->end, sizeof(r->end), "%s", xos_job_end_name(o->end));
	snprintf(r->cause, sizeof(r->cause), "%s", xos_job_cause_name(o->cause));
	snprintf(r->text, sizeof(r->text), "%s", o->text);
	snprintf(r->isolation, sizeof(r->isolation), "%s", o->isolation);
}

static bool is_damaged(enum xos_status st)
{
	return st == XOS_MALFORMED || st == XOS_LIMIT;
}

/*
 * What cannot be read now cannot be read later either: it gets another name, once, and stays for whoever
 * looks into it; the job goes on to its end without it.
 */
static enum xos_status set_aside(struct xos_starter *s, const char *id, const char *name,
    const struct xos_err *why, struct xos_err *err)
{
	char path[PATH_MAX], aside[PATH_MAX], damaged[32];
	enum xos_status st = xos_stage_path(&s->stage, id, name, path, err);

	snprintf(damaged, sizeof(damaged), "%s" XOS_STAGE_DAMAGED, name);
	if (st == XOS_OK)
		st = xos_stage_path(&s->stage, id, damaged, aside, err);
	if (st == XOS_OK && rename(path, aside) != 0)
		st = xos_err_errno(err, errno, "job-damaged", "cannot set %s aside", path);
	if (st == XOS_OK)
		xos_event_err(
		    XOS_ERROR, "job.damaged", why, "job", id, "kept", aside, (const char *)NULL);
	return st;
}

/* How the job ended; what is missing or damaged is made up for by "lost". */
static enum xos_status outcome_of(
    struct xos_starter *s, const char *id, struct xos_job_outcome *o, struct xos_err *err)
{
	const char *text = "monitor lost: exit status unknown";
	struct xos_err why = XOS_ERR_INIT;
	char run[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, id, NULL, run, err);

	if (st == XOS_OK)
		st = xos_outcome_read(run, o, &why);
	if (is_damaged(st)) {
		text = "the job's status was damaged on disk: exit status unknown";
		st = set_aside(s, id, "status", &why, err);
		if (st == XOS_OK)
			st = XOS_NOT_FOUND;
	} else if (st != XOS_OK && st != XOS_NOT_FOUND) {
		*err = why;
	}
	if (st == XOS_NOT_FOUND) {
		st = declare_lost(s, id, run, text, err);
		if (st == XOS_OK)
			st = xos_outcome_read(run, o, err);
	}
	return st;
}

/* Each step may be repeated: a starter that dies in between begins again and changes nothing. */
static enum xos_status settle(struct xos_starter *s, const char *id, struct xos_err *err)
{
	struct xos_job_outcome o = {0};
	struct xos_record r = {0};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = outcome_of(s, id, &o, err);

	if (st == XOS_OK) {
		st = xos_stage_load(&s->stage, id, &r, &why);
		if (st != XOS_OK)
			*err = why;
		/* Accounting will lack this job: the event says so, and what is left is kept. */
		if (is_damaged(st)) {
			st = set_aside(s, id, "record", &why, err);
			if (st == XOS_OK)
				st = XOS_NOT_FOUND;
		}
	}
	/* Without any record the start got no further than its folder: nothing ran, nothing to send. */
	if (st == XOS_OK) {
		fill_record(&o, &r);
		st = xos_spool_put(s->stage.spool, &r,
		    s->stage.root ? s->stage.network_uid : (uint32_t)-1,
		    s->stage.root ? s->stage.network_gid : (uint32_t)-1, err);
		if (st == XOS_OK)
			st = xos_past_add(s->c->common.state, &s->stage, &r, err);
	} else if (st == XOS_NOT_FOUND) {
		st = XOS_OK;
	}
	if (st == XOS_OK)
		st = xos_local_job_release(s->credd, id, err);
	if (st == XOS_OK)
		st = xos_stage_mark(&s->stage, id, "done", err);
	s->unlease_ms = 0;
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "job.settled", "job", id, "end", xos_job_end_name(o.end),
		    "cause", xos_job_cause_name(o.cause));
	return st;
}

/* A start that was cut off between its folder and its monitor is done again when the front repeats
 * the order; until then it is not lost. */
static bool may_still_start(const struct xos_starter *s, const char *id)
{
	return !xos_stage_has(&s->stage, id, "started") &&
	       !xos_stage_has(&s->stage, id, "status") &&
	       xos_stage_time(&s->stage, id, NULL) + s->c->waiting_max > xos_clock_now();
}

static bool over(struct xos_starter *s, struct xos_starter_job *j)
{
	struct xos_err err = XOS_ERR_INIT;
	char run[PATH_MAX];
	pid_t holder = 0;
	enum xos_status st = xos_stage_path(&s->stage, j->id, NULL, run, &err);

	if (st == XOS_OK)
		st = xos_hold_who(run, &holder, &err);
	if (st == XOS_OK && (holder != 0 || may_still_start(s, j->id)))
		return false;
	if (st == XOS_OK)
		st = settle(s, j->id, &err);
	if (st == XOS_OK)
		return true;
	if (st != XOS_CONFLICT)
		xos_event_err(
		    XOS_WARN, "job.settle-failed", &err, "job", j->id, (const char *)NULL);
	j->again_ms = xos_clock_mono_ms() + AGAIN_MS;
	return false;
}

static void clean_one(void *ctx, const char *id)
{
	struct xos_starter *s = ctx;
	int64_t done = xos_stage_time(&s->stage, id, "done");

	if (done && done + s->c->keep < xos_clock_now() &&
	    !xos_stage_has(&s->stage, id, "record" XOS_STAGE_DAMAGED)) {
		XOS_EVENT(XOS_INFO, "job.removed", "job", id);
		xos_stage_remove(&s->stage, id);
	}
}

void xos_starter_settle(void *ctx)
{
	struct xos_starter *s = ctx;
	int64_t now = xos_clock_mono_ms();
	size_t i = 0;

	while (i < s->njobs) {
		if (s->jobs[i].again_ms <= now && over(s, &s->jobs[i])) {
			free(s->jobs[i].news);
			s->jobs[i] = s->jobs[--s->njobs];
		} else {
			i++;
		}
	}
	if (s->clean_ms <= now) {
		struct xos_err err = XOS_ERR_INIT;

		s->clean_ms = now + CLEAN_MS;
		if (xos_stage_each(&s->stage, clean_one, s, &err) != XOS_OK)
			xos_event_err(XOS_WARN, "job.clean-failed", &err, (const char *)NULL);
	}
}
