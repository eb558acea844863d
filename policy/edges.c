#include "policy/edges.h"

#include "policy/index.h"
#include "policy/zone.h"

#define DAY 86400

struct search {
	const struct xos_policy_edges *q;
	const struct xos_policy *policy;
	const struct xos_policy_set *set;
	struct xos_policy_zone *const *zones; /* NULL: by name */
	int64_t best;
};

static void take(struct search *s, int64_t at)
{
	if (at > s->q->now && at < s->best)
		s->best = at;
}

/* Before, at and after a number are three answers. */
static void take_number(struct search *s, int64_t at)
{
	take(s, at);
	if (at < INT64_MAX)
		take(s, at + 1);
}

static const struct xos_policy_zone *zone_of(
    const struct search *s, const struct xos_policy_clock *clock)
{
	return s->zones ? s->zones[clock->zone - 1]
	                : xos_policy_find_zone(s->policy, s->set->zones[clock->zone - 1]);
}

/* The first moment after now, and until then at the latest, at which the zone's clocks are moved. They are moved once a day at most. */
static int64_t moved(const struct xos_policy_zone *zone, int64_t now, int64_t then)
{
	int32_t before = xos_policy_zone_offset(zone, now);

	while (then - now > 1) {
		int64_t middle = now + (then - now) / 2;

		if (xos_policy_zone_offset(zone, middle) == before)
			now = middle;
		else
			then = middle;
	}
	return then;
}

/* The next time that this minute of the local day begins. */
static void take_minute(struct search *s, const struct xos_policy_clock *clock, int minute)
{
	const struct xos_policy_zone *zone = clock->zone ? zone_of(s, clock) : NULL;
	int64_t now = s->q->now, offset = (int64_t)clock->offset * 60;

	if (clock->zone && !zone)
		return; /* unknown at any time */
	if (zone)
		offset = xos_policy_zone_offset(zone, now);
	int64_t second = ((now + offset) % DAY + DAY) % DAY;
	int64_t then = now - second + (int64_t)minute * 60;
	if (then <= now)
		then += DAY;
	if (zone && xos_policy_zone_offset(zone, then) != offset)
		then = moved(zone, now, then);
	take(s, then);
}

static void take_ages(struct search *s, const struct xos_policy_cond *c)
{
	for (size_t i = 0; i < s->q->nauth_times; i++) {
		int64_t t = s->q->auth_times[i];

		if (t <= 0)
			continue;
		take(s, t); /* one that is yet to come is not known */
		for (size_t k = 0; c->op != XOS_COND_HAS && k < c->n; k++)
			if (c->u.numbers[k] >= 0 && c->u.numbers[k] < INT64_MAX - t)
				take_number(s, t + c->u.numbers[k]);
	}
}

/* Nesting is bounded by XOS_POLICY_DEPTH_MAX. */
static void take_cond(
    struct search *s, const struct xos_policy_cond *c) // NOLINT(misc-no-recursion)
{
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		for (size_t i = 0; i < c->n; i++)
			take_cond(s, c->u.kids[i]);
		break;
	case XOS_COND_NOW:
		take_number(s, c->u.numbers[0]);
		break;
	case XOS_COND_TIME:
		take_minute(s, &c->u.window.clock, c->u.window.start);
		take_minute(s, &c->u.window.clock, c->u.window.end);
		break;
	case XOS_COND_DATE:
		take_minute(s, &c->u.dates.clock, 0);
		break;
	case XOS_COND_HAS:
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
		if (!c->attr->from_context && c->attr->code == XOS_ATTR_AUTH_AGE)
			take_ages(s, c);
		break;
	default:
		break;
	}
}

static void take_set(struct search *s)
{
	const struct xos_policy_action *a =
	    s->q->action ? xos_policy_set_action(s->set, s->q->action) : NULL;

	if (s->q->action && !a)
		return;
	for (size_t i = 0; i < s->set->n; i++) {
		const struct xos_policy_statement *t = &s->set->statements[i];

		if (t->cond && !t->shadow && (!a || t->actions >> a->code & 1))
			take_cond(s, t->cond);
	}
}

static int64_t farthest(const struct xos_policy_edges *q)
{
	return q->limit - q->now > DAY ? q->now + DAY : q->limit;
}

int64_t xos_policy_next_edge(const struct xos_policy *p, const struct xos_policy_edges *q)
{
	struct search s = {.q = q, .policy = p, .best = farthest(q)};

	for (size_t i = 0; i < p->n; i++) {
		const struct xos_policy_scope *of = &p->scopes[i];

		take(&s, of->not_before);
		take(&s, of->not_after);
		s.set = of->set;
		s.zones = of->zones;
		take_set(&s);
	}
	return s.best;
}

int64_t xos_policy_set_next_edge(
    const struct xos_policy *p, const struct xos_policy_set *set, const struct xos_policy_edges *q)
{
	struct search s = {.q = q, .policy = p, .set = set, .best = farthest(q)};

	take_set(&s);
	return s.best;
}
