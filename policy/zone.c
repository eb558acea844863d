#include "policy/zone.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define TRANSITIONS_MAX 4096u
#define TYPES_MAX 256u
#define CHARS_MAX 4096u
#define FOOTER_MAX 128u
#define NO_MEMORY "out of memory"
#define OFFSET_MIN (-89999) /* RFC 9636 3.2 */
#define OFFSET_MAX 93599

struct rule {      /* when a half of the year begins: RFC 9636 3.3.1, POSIX TZ */
	char kind; /* 'M': week and weekday of a month, 'J': day 1-365 without 29 February, '0' */
	int month, week, day;
	int32_t seconds; /* of the local day, -167 to 167 hours */
};

struct xos_policy_zone {
	int64_t *at; /* moments from which the offsets of the same place hold */
	int32_t *offset;
	size_t n;
	int32_t first; /* before the first transition */
	int32_t std, dst;
	bool footer, has_dst;
	struct rule begins, ends;
};

bool xos_policy_zone_name_ok(const char *name)
{
	bool start = true;
	size_t n = strlen(name);
	if (n == 0 || n > XOS_POLICY_ZONE_NAME_MAX)
		return false;
	for (const char *s = name; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
		bool other = (*s >= '0' && *s <= '9') || *s == '_' || *s == '+' || *s == '-';
		if (*s == '/' ? start : !letter && (start || !other))
			return false;
		start = *s == '/';
	}
	return !start;
}

/* The footer: a string that ends at *s == 0. */
static bool take_number(const char **s, int least, int most, int *v)
{
	int n = 0, digits = 0;
	while (**s >= '0' && **s <= '9' && digits < 4) {
		n = n * 10 + (*(*s)++ - '0');
		digits++;
	}
	*v = n;
	return digits && n >= least && n <= most;
}

/* hh[:mm[:ss]], with a sign */
static bool take_time(const char **s, int hours_max, int32_t *v)
{
	int h, m = 0, sec = 0, sign = 1;
	if (**s == '-' || **s == '+')
		sign = *(*s)++ == '-' ? -1 : 1;
	if (!take_number(s, 0, hours_max, &h))
		return false;
	if (**s == ':') {
		(*s)++;
		if (!take_number(s, 0, 59, &m))
			return false;
		if (**s == ':') {
			(*s)++;
			if (!take_number(s, 0, 59, &sec))
				return false;
		}
	}
	*v = sign * (h * 3600 + m * 60 + sec);
	return true;
}

/* "CET" or "<+03>" */
static bool take_name(const char **s)
{
	bool quoted = **s == '<';
	int n = 0;
	*s += quoted;
	for (; **s; (*s)++, n++) {
		bool letter = (**s >= 'a' && **s <= 'z') || (**s >= 'A' && **s <= 'Z');
		bool other = (**s >= '0' && **s <= '9') || **s == '+' || **s == '-';
		if (!letter && !(quoted && other))
			break;
	}
	if (quoted && *(*s)++ != '>')
		return false;
	return n >= 3 && n <= 32;
}

static bool take_rule(const char **s, struct rule *r)
{
	if (*(*s)++ != ',')
		return false;
	r->seconds = 2 * 3600;
	r->kind = **s == 'M' || **s == 'J' ? *(*s)++ : '0';
	if (r->kind == 'M') {
		if (!take_number(s, 1, 12, &r->month) || *(*s)++ != '.' ||
		    !take_number(s, 1, 5, &r->week) || *(*s)++ != '.' ||
		    !take_number(s, 0, 6, &r->day))
			return false;
	} else if (!take_number(s, r->kind == 'J' ? 1 : 0, 365, &r->day)) {
		return false;
	}
	if (**s != '/')
		return true;
	(*s)++;
	return take_time(s, 167, &r->seconds);
}

static bool parse_footer(struct xos_policy_zone *z, const char *s)
{
	/* POSIX counts offsets westwards. */
	if (!take_name(&s) || !take_time(&s, 24, &z->std))
		return false;
	z->std = -z->std;
	z->footer = true;
	if (!*s)
		return true;
	z->has_dst = true;
	z->dst = z->std + 3600;
	if (!take_name(&s))
		return false;
	if (*s && *s != ',') {
		if (!take_time(&s, 24, &z->dst))
			return false;
		z->dst = -z->dst;
	}
	return take_rule(&s, &z->begins) && take_rule(&s, &z->ends) && *s == 0;
}

static bool leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first day of the year; years from 1 up. */
static int64_t year_start(int64_t year)
{
	int64_t y = year - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && leap(year));
}

/* Local seconds since 1970 at which the rule strikes in a year. */
static int64_t strikes(const struct rule *r, int64_t year)
{
	int64_t day = year_start(year);
	if (r->kind == 'J') {
		day += r->day - 1 + (leap(year) && r->day >= 60);
	} else if (r->kind == '0') {
		day += r->day;
	} else {
		for (int m = 1; m < r->month; m++)
			day += month_days(year, m);
		/* 1970-01-01 was a Thursday, day 4. */
		int64_t weekday = ((day + 4) % 7 + 7) % 7;
		int first = (int)((r->day - weekday + 7) % 7), last = month_days(year, r->month);
		int at = first + (r->week - 1) * 7;
		day += at < last ? at : at - 7;
	}
	return day * DAY + r->seconds;
}

static int64_t year_of(int64_t t)
{
	int64_t year = 1970 + t / (365 * DAY + DAY / 4);
	while (year_start(year) * DAY > t)
		year--;
	while (year_start(year + 1) * DAY <= t)
		year++;
	return year;
}

static int32_t footer_offset(const struct xos_policy_zone *z, int64_t t)
{
	int64_t year = year_of(t + z->std);
	if (!z->has_dst)
		return z->std;
	/* Rules may strike up to a week outside their year. */
	int64_t last = INT64_MIN;
	int32_t offset = z->std;
	for (int64_t y = year - 1; y <= year + 1; y++) {
		int64_t begins = strikes(&z->begins, y) - z->std;
		int64_t ends = strikes(&z->ends, y) - z->dst;
		if (begins <= t && begins >= last) {
			last = begins;
			offset = z->dst;
		}
		/* Both at once: daylight saving time all the year. */
		if (ends <= t && ends > last) {
			last = ends;
			offset = z->std;
		}
	}
	return offset;
}

int32_t xos_policy_zone_offset(const struct xos_policy_zone *z, int64_t t)
{
	size_t lo = 0, hi = z->n;
	if (t < -62000000000 || t > 253402300799)
		return z->std; /* outside the years 5 to 9999 no clock is local */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (z->at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return z->n || !z->footer ? z->first : footer_offset(z, t);
	if (lo == z->n && z->footer)
		return footer_offset(z, t);
	return z->offset[lo - 1];
}

struct header {
	uint8_t version;
	uint32_t isut, isstd, leaps, times, types, chars;
};

static bool take_header(struct xos_reader *r, struct header *h)
{
	struct xos_bytes magic, unused;
	return xos_reader_take(r, 4, &magic) && memcmp(magic.p, "TZif", 4) == 0 &&
	       xos_reader_u8(r, &h->version) && xos_reader_take(r, 15, &unused) &&
	       xos_reader_u32(r, &h->isut) && xos_reader_u32(r, &h->isstd) &&
	       xos_reader_u32(r, &h->leaps) && xos_reader_u32(r, &h->times) &&
	       xos_reader_u32(r, &h->types) && xos_reader_u32(r, &h->chars);
}

/* NULL, or what is wrong with the counts (RFC 9636 3.1). The empty block that a second one follows
 * may have no types. */
static const char *check_header(const struct header *h, bool skipped)
{
	if (h->version != 0 && (h->version < '2' || h->version > '4'))
		return "a version that is not known";
	if (h->types > TYPES_MAX || h->chars > CHARS_MAX || h->times > TRANSITIONS_MAX ||
	    (h->isut != 0 && h->isut != h->types) || (h->isstd != 0 && h->isstd != h->types) ||
	    (!skipped && (h->types == 0 || h->chars == 0)))
		return "counts that cannot be";
	if (h->leaps)
		return "leap seconds: take the zone's plain form";
	return NULL;
}

struct types {
	int32_t offset[TYPES_MAX];
};

static const char *take_types(struct xos_reader *r, const struct header *h, struct types *types)
{
	for (uint32_t i = 0; i < h->types; i++) {
		uint32_t offset;
		uint8_t isdst, name;
		if (!xos_reader_u32(r, &offset) || !xos_reader_u8(r, &isdst) ||
		    !xos_reader_u8(r, &name))
			return "it is cut short";
		types->offset[i] = (int32_t)offset;
		if (types->offset[i] < OFFSET_MIN || types->offset[i] > OFFSET_MAX || isdst > 1 ||
		    name >= h->chars)
			return "a type of local time out of range";
	}
	return NULL;
}

static const char *take_times(
    struct xos_reader *r, const struct header *h, bool wide, struct xos_policy_zone *z)
{
	for (uint32_t i = 0; i < h->times; i++) {
		uint64_t v = 0;
		uint32_t narrow = 0;
		if (wide ? !xos_reader_u64(r, &v) : !xos_reader_u32(r, &narrow))
			return "it is cut short";
		z->at[i] = wide ? (int64_t)v : (int32_t)narrow;
		if (i && z->at[i] <= z->at[i - 1])
			return "transitions out of order";
	}
	return NULL;
}

static const char *take_flags(struct xos_reader *r, size_t n)
{
	struct xos_bytes flags;
	if (!xos_reader_take(r, n, &flags))
		return "it is cut short";
	for (size_t i = 0; i < n; i++)
		if (flags.p[i] > 1)
			return "an indicator that is neither 0 nor 1";
	return NULL;
}

static const char *take_data(
    struct xos_reader *r, const struct header *h, bool wide, struct xos_policy_zone *z)
{
	struct types types;
	struct xos_bytes which, chars;
	const char *problem = take_times(r, h, wide, z);
	if (problem)
		return problem;
	if (!xos_reader_take(r, h->times, &which))
		return "it is cut short";
	problem = take_types(r, h, &types);
	if (problem)
		return problem;
	for (uint32_t i = 0; i < h->times; i++) {
		if (which.p[i] >= h->types)
			return "a transition to a type that is not there";
		z->offset[i] = types.offset[which.p[i]];
	}
	z->n = h->times;
	z->first = z->std = types.offset[0];
	if (!xos_reader_take(r, h->chars, &chars))
		return "it is cut short";
	if (chars.p[h->chars - 1] != 0)
		return "a name without end";
	problem = take_flags(r, h->isstd);
	return problem ? problem : take_flags(r, h->isut);
}

static const char *take_footer(struct xos_reader *r, struct xos_policy_zone *z)
{
	char text[FOOTER_MAX + 1];
	size_t n = 0;
	uint8_t c;
	if (!xos_reader_u8(r, &c) || c != '\n')
		return "no footer";
	while (xos_reader_u8(r, &c) && c != '\n') {
		if (n == FOOTER_MAX || c < 0x20 || c >= 0x7f)
			return "a malformed footer";
		text[n++] = (char)c;
	}
	text[n] = 0;
	if (c != '\n' || (n && !parse_footer(z, text)))
		return "a malformed footer";
	return NULL;
}

static const char *parse(struct xos_reader *r, struct xos_policy_zone *z)
{
	struct header h;
	struct xos_bytes skipped;
	const char *problem;
	if (!take_header(r, &h))
		return "no TZif header";
	bool wide = h.version != 0;
	problem = check_header(&h, wide);
	if (problem)
		return problem;
	if (wide) {
		uint8_t version = h.version;
		size_t n = (size_t)h.times * 5 + (size_t)h.types * 6 + h.chars + h.isstd + h.isut;
		if (!xos_reader_take(r, n, &skipped) || !take_header(r, &h) || h.version != version)
			return "no second header";
		problem = check_header(&h, false);
		if (problem)
			return problem;
	}
	z->at = calloc(h.times + 1, sizeof(*z->at));
	z->offset = calloc(h.times + 1, sizeof(*z->offset));
	if (!z->at || !z->offset)
		return NO_MEMORY;
	problem = take_data(r, &h, wide, z);
	if (!problem && wide)
		problem = take_footer(r, z);
	if (!problem && xos_reader_end(r) != XOS_OK)
		problem = "bytes after its end";
	return problem;
}

enum xos_status xos_policy_zone_parse(
    struct xos_bytes tzif, struct xos_policy_zone **out, struct xos_err *err)
{
	struct xos_policy_zone *z = calloc(1, sizeof(*z));
	struct xos_reader r;
	*out = NULL;
	xos_reader_init(&r, tzif);
	const char *problem = NO_MEMORY;
	if (z)
		problem = tzif.n > XOS_POLICY_TZIF_MAX ? "it is too large" : parse(&r, z);
	if (!problem) {
		*out = z;
		return XOS_OK;
	}
	xos_policy_zone_free(z);
	if (strcmp(problem, NO_MEMORY) == 0)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	return xos_err_set(err, XOS_MALFORMED, "zone-malformed",
	    "the data of a time zone is malformed: %s", problem);
}

void xos_policy_zone_free(struct xos_policy_zone *zone)
{
	if (!zone)
		return;
	free(zone->at);
	free(zone->offset);
	free(zone);
}
