#include "jobs/end.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "jobs/hold.h"
#include "jobs/stage.h"

#define LOOK_MS 100
#define KILL_MS 10000  /* beyond kill_grace, until a monitor has to be gone */
#define SETTLE_MS 5000 /* what xos-jobd needs to write an end down and to send it */

struct round {
	const struct xos_stage *stage;
	bool tell; /* the monitors to end their jobs */
	size_t running, unsettled;
	struct xos_err err;
};

static void look_at(void *ctx, const char *id)
{
	struct round *r = ctx;
	char run[PATH_MAX];
	pid_t holder = 0;

	if (xos_stage_has(r->stage, id, "done"))
		return;
	if (xos_stage_path(r->stage, id, NULL, run, &r->err) != XOS_OK ||
	    xos_hold_who(run, &holder, &r->err) != XOS_OK)
		return;
	if (holder <= 1) {
		r->unsettled += xos_stage_has(r->stage, id, "started");
		return;
	}
	r->running++;
	/* The lock's holder lives: its pid is not another process's. */
	if (r->tell && kill(holder, SIGTERM) == 0)
		XOS_EVENT(XOS_INFO, "job.ended-by-owner", "job", id);
	else if (r->tell && errno != ESRCH)
		xos_err_errno(&r->err, errno, "job-cancel", "cannot end job %s of this node", id);
}

static enum xos_status look(struct round *r, bool tell, struct xos_err *err)
{
	r->tell = tell;
	r->running = r->unsettled = 0;
	enum xos_status st = xos_stage_each(r->stage, look_at, r, err);
	if (st == XOS_OK && r->err.status != XOS_OK) {
		st = r->err.status;
		*err = r->err;
	}
	return st;
}

static size_t count_records(const char *spool)
{
	DIR *d = opendir(spool);
	size_t n = 0;

	for (const struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

enum xos_status xos_jobs_end(
    const struct xos_jobs_config *c, struct xos_jobs_ended *out, struct xos_err *err)
{
	const struct timespec pause = {0, LOOK_MS * 1000000L};
	struct xos_stage stage;
	struct round r = {.stage = &stage, .err = XOS_ERR_INIT};
	size_t began;
	enum xos_status st = xos_stage_open(&stage, c->common.state, c->common.user_network, err);

	*out = (struct xos_jobs_ended){.ended = 0};
	if (st == XOS_OK)
		st = look(&r, true, err);
	began = r.running;
	int64_t end = xos_clock_mono_ms() + c->kill_grace * 1000 + KILL_MS;
	while (st == XOS_OK && r.running && xos_clock_mono_ms() < end) {
		(void)nanosleep(&pause, NULL);
		st = look(&r, false, err);
	}
	out->unsent = c->accounting ? count_records(stage.spool) : 0;
	end = xos_clock_mono_ms() + SETTLE_MS;
	while (st == XOS_OK && (r.unsettled || out->unsent) && xos_clock_mono_ms() < end) {
		(void)nanosleep(&pause, NULL);
		st = look(&r, false, err);
		out->unsent = c->accounting ? count_records(stage.spool) : 0;
	}
	out->running = r.running;
	out->ended = began > r.running ? began - r.running : 0;
	out->unsettled = r.unsettled;
	return st;
}
