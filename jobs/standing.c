#include "jobs/standing.h"

#include <stdio.h>
#include <string.h>

/* A deadline is far enough away when nobody can tell it from none. */
#define AFTER_MAX (INT64_C(100) * 366 * 86400)

static void set_text(struct xos_job_standing *s, const char *text)
{
	snprintf(s->text, sizeof(s->text), "%s", text);
}

static bool same(const struct xos_job_standing *a, const struct xos_job_standing *b)
{
	return a->refused == b->refused && a->draining == b->draining &&
	       a->frozen_mark == b->frozen_mark && a->stop_mark == b->stop_mark &&
	       a->ending == b->ending && strcmp(a->text, b->text) == 0;
}

static void no_stop(struct xos_job_standing *s)
{
	s->stops_at = s->stop_mark = s->stop_began = s->stop_after = 0;
}

/* True: it was frozen. */
static bool thaw(struct xos_job_standing *s, const struct xos_standing_clock *clock)
{
	if (!s->frozen_mark)
		return false;
	s->frozen_ms = xos_standing_frozen(s, clock->mono_ms);
	s->frozen_mark = s->frozen_since = 0;
	return true;
}

static enum xos_standing_act end(struct xos_job_standing *s, enum xos_job_cause cause)
{
	s->ending = cause;
	return XOS_STANDING_END;
}

uint64_t xos_standing_frozen(const struct xos_job_standing *s, int64_t mono_ms)
{
	uint64_t ms = s->frozen_ms;

	if (s->frozen_mark && mono_ms > s->frozen_mark)
		ms += (uint64_t)(mono_ms - s->frozen_mark);
	return ms;
}

/*
 * The time counts from the first refusal. A later set that gives more of it gives that; one that gives less gives at least that from
 * now on, so that nobody is told of a deadline that is over.
 */
static void plan_stop(
    struct xos_job_standing *s, int64_t after, const struct xos_standing_clock *clock)
{
	int64_t before = s->stop_mark, least;

	if (after < 0 || after > AFTER_MAX)
		after = after < 0 ? 0 : AFTER_MAX;
	if (before && s->stop_after == after)
		return;
	if (!before)
		s->stop_began = clock->mono_ms;
	s->stop_after = after;
	s->stop_mark = s->stop_began + after * 1000;
	least = clock->mono_ms + after * 1000;
	if (before && before < least)
		least = before;
	if (s->stop_mark < least)
		s->stop_mark = least;
	s->stops_at = clock->now + (s->stop_mark - clock->mono_ms) / 1000;
}

static void refuse(struct xos_job_standing *s, const struct xos_job_word *w,
    const struct xos_standing_clock *clock)
{
	s->refused = true;
	s->draining = w->change == XOS_WORD_DRAIN;
	set_text(s, w->text);
	if (w->change == XOS_WORD_STOP)
		plan_stop(s, w->after, clock);
	else
		no_stop(s);
}

static void clear(struct xos_job_standing *s)
{
	s->refused = s->draining = false;
	no_stop(s);
	set_text(s, "");
}

/* A stop that was planned stays planned: a lock says nothing about the sets. */
static enum xos_standing_act lock(struct xos_job_standing *s, const struct xos_job_word *w,
    const struct xos_standing_rules *rules, const struct xos_standing_clock *clock)
{
	set_text(s, w->text);
	if (!rules->freeze)
		return end(s, XOS_CAUSE_LOCK);
	if (s->frozen_mark)
		return XOS_STANDING_NOTE;
	s->frozen_since = clock->now;
	s->frozen_mark = clock->mono_ms;
	return XOS_STANDING_FREEZE;
}

enum xos_standing_act xos_standing_hear(struct xos_job_standing *s, const struct xos_job_word *w,
    const struct xos_standing_rules *rules, const struct xos_standing_clock *clock)
{
	const struct xos_job_standing before = *s;
	enum xos_standing_act act = XOS_STANDING_NOTE;

	if (s->ending || w->kind == XOS_WORD_NOTHING)
		return XOS_STANDING_KEEP;
	if (w->kind == XOS_WORD_LOCKED) {
		act = lock(s, w, rules, clock);
	} else {
		if (thaw(s, clock))
			act = XOS_STANDING_THAW;
		if (w->kind == XOS_WORD_REFUSED)
			refuse(s, w, clock);
		else
			clear(s);
	}
	return act == XOS_STANDING_NOTE && same(&before, s) ? XOS_STANDING_KEEP : act;
}

enum xos_standing_act xos_standing_due(struct xos_job_standing *s,
    const struct xos_standing_rules *rules, const struct xos_standing_clock *clock)
{
	if (s->ending)
		return XOS_STANDING_KEEP;
	if (s->stop_mark && clock->mono_ms >= s->stop_mark)
		return end(s, XOS_CAUSE_POLICY);
	if (s->frozen_mark && (clock->mono_ms - s->frozen_mark) / 1000 >= rules->freeze_max)
		return end(s, XOS_CAUSE_LOCK);
	return XOS_STANDING_KEEP;
}

enum xos_standing_act xos_standing_unfrozen(struct xos_job_standing *s)
{
	s->frozen_since = s->frozen_mark = 0;
	return end(s, XOS_CAUSE_LOCK);
}
