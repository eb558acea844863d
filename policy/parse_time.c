/* Windows of time and ranges of dates. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/parser.h"
#include "policy/zone.h"

#define DAY_SECONDS 86400

/* "08:00" at s; 24:00 is the end of a day. */
static bool clock_minutes(const char *s, bool end, int16_t *v)
{
	for (int i = 0; i < 5; i++)
		if (i == 2 ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return false;
	int h = (s[0] - '0') * 10 + s[1] - '0', m = (s[3] - '0') * 10 + s[4] - '0';
	*v = (int16_t)(h * 60 + m);
	return (h < 24 && m < 60) || (end && h == 24 && m == 0);
}

static bool add_zone(struct xos_policy_parser *p, struct xos_policy_clock *clock)
{
	struct xos_policy_set *set = p->set;
	size_t i = 0;
	while (i < set->nzones && strcmp(set->zones[i], p->word) != 0)
		i++;
	if (i == XOS_POLICY_ZONES_MAX)
		return xos_parser_error(
		    p, NULL, NULL, "more than %u time zones in one set", XOS_POLICY_ZONES_MAX);
	if (i == set->nzones) {
		const char **zones =
		    xos_policy_memory_grow(set->memory, set->zones, i, sizeof(*zones));
		if (!zones)
			return xos_parser_memory(p);
		set->zones = zones;
		zones[i] = xos_parser_keep(p);
		if (!zones[i])
			return false;
		set->nzones++;
	}
	clock->zone = (uint16_t)(i + 1);
	xos_parser_next(p);
	return true;
}

static bool parse_clock(struct xos_policy_parser *p, struct xos_policy_clock *clock)
{
	const char *w = p->word;
	*clock = (struct xos_policy_clock){0, 0};
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (xos_parser_accept(p, "UTC") || xos_parser_accept(p, "Z"))
		return true;
	if ((w[0] == '+' || w[0] == '-') && strlen(w) == 6 &&
	    clock_minutes(w + 1, false, &clock->offset) && clock->offset <= 14 * 60) {
		if (w[0] == '-')
			clock->offset = (int16_t)-clock->offset;
		xos_parser_next(p);
		return true;
	}
	/* A keyword here means that the zone was left out. */
	if (p->t.kind == XOS_TOKEN_WORD && xos_policy_zone_name_ok(w) && strchr(w, '/'))
		return add_zone(p, clock);
	return xos_parser_error(p, NULL,
	    "write UTC, an offset from it such as +01:00, or a zone such as Europe/Paris",
	    "'%.*s' is not a time zone", xos_parser_shown(p), xos_parser_text(p));
}

static int day_of(const char *s)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	for (int i = 0; i < 7; i++)
		if (strncmp(s, days[i], 3) == 0)
			return i;
	return -1;
}

/* "mon", or "fri-mon", which goes over the end of the week. */
static bool days_of(const char *s, uint8_t *days)
{
	size_t n = strlen(s);
	int first = n >= 3 ? day_of(s) : -1;
	int last = n == 7 && s[3] == '-' ? day_of(s + 4) : n == 3 ? first : -1;
	if (first < 0 || last < 0)
		return false;
	for (int day = first;; day = (day + 1) % 7) {
		*days |= (uint8_t)(1u << day);
		if (day == last)
			return true;
	}
}

static bool range_of(const char *s, struct xos_policy_window *w)
{
	return strlen(s) == 11 && s[5] == '-' && clock_minutes(s, false, &w->start) &&
	       clock_minutes(s + 6, true, &w->end) && w->start != w->end;
}

bool xos_parser_window(struct xos_policy_parser *p, struct xos_policy_window *w)
{
	static const char usage[] =
	    "write time in 08:00-20:00 UTC, or time in mon-fri 08:00-20:00 Europe/Paris";
	*w = (struct xos_policy_window){.start = 0, .end = 1440};
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	while (p->t.kind == XOS_TOKEN_WORD && days_of(p->word, &w->days)) {
		xos_parser_next(p);
		if (!xos_parser_accept(p, ","))
			break;
		if (p->t.kind != XOS_TOKEN_WORD || day_of(p->word) < 0)
			return xos_parser_error(
			    p, NULL, usage, "'%.40s' is not a day of the week", p->word);
	}
	if (p->t.kind == XOS_TOKEN_WORD && range_of(p->word, w))
		xos_parser_next(p);
	else if (!w->days || (p->word[0] >= '0' && p->word[0] <= '9'))
		return xos_parser_error(p, NULL, usage, "'%.*s' is not a window of time",
		    xos_parser_shown(p), xos_parser_text(p));
	if (!w->days)
		w->days = XOS_POLICY_EVERY_DAY;
	return parse_clock(p, &w->clock);
}

/* "2026-12-24" */
static bool day_parse(const char *s, size_t n, int32_t *day)
{
	char full[32];
	int64_t t;
	if (n != 10)
		return false;
	snprintf(full, sizeof(full), "%.10sT00:00:00Z", s);
	if (!xos_time_parse(full, &t))
		return false;
	*day = (int32_t)(t / DAY_SECONDS);
	return true;
}

bool xos_parser_dates(struct xos_policy_parser *p, struct xos_policy_dates *d)
{
	const char *dots = strstr(p->word, ".."), *w = p->word;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	size_t n = dots ? (size_t)(dots - w) : strlen(w);
	const char *last = dots ? dots + 2 : w;
	if (p->t.kind != XOS_TOKEN_WORD || !day_parse(w, n, &d->first) ||
	    !day_parse(last, strlen(last), &d->last))
		return xos_parser_error(p, NULL,
		    "write date in 2026-12-24..2027-01-02 Europe/Paris",
		    "'%.*s' is not a range of dates", xos_parser_shown(p), xos_parser_text(p));
	if (d->first > d->last)
		return xos_parser_error(
		    p, NULL, "the first day comes first", "'%.40s' ends before it begins", p->word);
	xos_parser_next(p);
	return parse_clock(p, &d->clock);
}
