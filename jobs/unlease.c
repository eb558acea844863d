#include "jobs/unlease.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "jobs/clean.h"
#include "jobs/home.h"

#define ROUND_MS 1000
#define HELD_MS 5000  /* what is left is seldom gone a moment later */
#define IDLE_MS 60000 /* nothing was leased in the last round */
#define AWAY_MS 10000 /* xos-credd did not answer */
#define PAGE 256
#define ROUND_MAX 16 /* each costs a look at all processes of the machine */

/* An order that was cut off is carried out again while its folder is there; one without may have failed. */
static bool is_over(const struct xos_starter *s, const char *job)
{
	char run[PATH_MAX];

	if (!xos_job_id_valid(job) || xos_stage_path(&s->stage, job, NULL, run, NULL) != XOS_OK)
		return true; /* no job of this service's */
	return access(run, F_OK) != 0 || xos_stage_has(&s->stage, job, "done");
}

/* By our own record: xos-credd's word alone ends nobody's processes. */
static bool ran_under(const struct xos_starter *s, const struct xos_leased *l)
{
	struct xos_record r;

	return xos_job_id_valid(l->job) && xos_stage_load(&s->stage, l->job, &r, NULL) == XOS_OK &&
	       r.uid == l->uid;
}

static void end_one(struct xos_starter *s, const struct xos_leased *l)
{
	struct xos_err err = XOS_ERR_INIT;
	char why[XOS_CLEAN_WHY] = "", work[PATH_MAX];
	bool has =
	    xos_job_id_valid(l->job) && xos_path_join(work, sizeof(work), s->stage.work, l->job);

	if (ran_under(s, l))
		xos_clean_up(&xos_clean_here, l->uid);
	if (has)
		xos_stage_clear(&s->stage, l->job);
	bool clean = xos_clean_is(&xos_clean_here, l->uid, has ? work : NULL, why);
	if (xos_lease_end(s->credd, l->job, clean ? NULL : why, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "lease.not-ended", &err, "job", l->job, (const char *)NULL);
}

/* Where the last round stopped, to its own bound. *seen: how many leases it came across. */
static enum xos_status round_of(struct xos_starter *s, bool held, size_t *seen, struct xos_err *err)
{
	struct xos_leased *list = calloc(PAGE, sizeof(*list));
	size_t looked = 0;
	bool more = true;
	enum xos_status st =
	    list ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	while (st == XOS_OK && more && looked < ROUND_MAX) {
		size_t n = 0;

		st = xos_leases_page(s->credd, s->unlease_after, list, PAGE, &n, &more, err);
		for (size_t i = 0; st == XOS_OK && i < n && looked < ROUND_MAX; i++) {
			if (is_over(s, list[i].job) && (held || !list[i].held)) {
				end_one(s, &list[i]);
				looked++;
			}
			s->unlease_after = list[i].uid;
		}
		*seen += n;
		more = more && n > 0;
	}
	if (st != XOS_OK || looked < ROUND_MAX)
		s->unlease_after = -1;
	free(list);
	return st;
}

void xos_starter_unlease(struct xos_starter *s)
{
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_mono_ms();
	bool held = now >= s->held_ms, begins = s->unlease_after < 0;
	size_t seen = 0;

	if (!s->stage.root || now < s->unlease_ms)
		return;
	enum xos_status st = round_of(s, held, &seen, &err);
	now = xos_clock_mono_ms();
	if (held && s->unlease_after < 0)
		s->held_ms = now + HELD_MS;
	/* While it is away nothing is leased or given back. */
	s->unlease_ms = now + (st != XOS_OK ? AWAY_MS : seen || !begins ? ROUND_MS : IDLE_MS);
}

/* Whatever the journal says: a uid that somebody uses is not given to a job. */
static enum xos_status check_unused(
    struct xos_starter *s, const char *id, uint32_t uid, struct xos_err *err)
{
	char why[XOS_CLEAN_WHY] = "";
	struct xos_err told = XOS_ERR_INIT;

	if (xos_clean_is(&xos_clean_here, uid, NULL, why))
		return XOS_OK;
	if (xos_lease_end(s->credd, id, why, &told) != XOS_OK)
		xos_event_err(XOS_WARN, "lease.not-ended", &told, "job", id, (const char *)NULL);
	return xos_err_set(err, XOS_UNAVAILABLE, "lease-unclean",
	    "the uid %u that the job would have to itself is in use (%s); submit it again",
	    (unsigned)uid, why);
}

enum xos_status xos_starter_account(struct xos_starter *s, const char *id, struct xos_permission *p,
    struct xos_lease *out, struct xos_err *err)
{
	struct xos_lease l = {.isolated = false};
	enum xos_status st = s->stage.root ? xos_lease_take(s->credd, id, &l, err) : XOS_OK;

	if (st == XOS_OK && l.isolated)
		st = check_unused(s, id, l.account.uid, err);
	else if (st == XOS_OK && s->stage.root && l.account.uid != p->account.uid)
		st = xos_err_set(err, XOS_CONFLICT, "no-account",
		    "the account of %s has changed meanwhile; submit the job again",
		    p->record.member);
	if (st == XOS_OK && l.home && !l.isolated)
		st = xos_home_make(l.home, l.account.uid, l.account.gid, err);
	if (l.isolated) /* also one that did not come to be used */
		s->unlease_ms = xos_clock_mono_ms() + ROUND_MS;
	if (st == XOS_OK && s->stage.root) {
		p->account = l.account;
		p->record.uid = l.account.uid;
	}
	if (st == XOS_OK)
		*out = l;
	else
		xos_lease_free(&l);
	return st;
}
