#include "policytool/vary.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policytool/names.h"
#include "policytool/match.h"
#include "policytool/zones.h"

#define FIELDS_MAX 24u
#define VALUES_MAX 256u
#define WINDOWS_MAX 32u
#define ANCHORS_MAX 32u
#define MINUTE INT64_C(60)
#define DAY INT64_C(86400)
#define HALF_YEAR (182 * DAY)

struct field {
	const char *name; /* as ask.h calls it */
	const char *values[VALUES_MAX];
	size_t n;
};

struct xos_policytool_variety {
	struct xos_policy_memory *memory;
	const struct xos_policy *policy;
	const struct xos_policy_options *zones;
	struct xos_policy_request req;
	struct field fields[FIELDS_MAX];
	size_t n;
	const struct xos_formula *windows[WINDOWS_MAX];
	size_t nwindows;
	int64_t anchors[ANCHORS_MAX];
	size_t nanchors;
	bool failed;
};

struct xos_policytool_variety *xos_policytool_variety_new(const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req)
{
	struct xos_policytool_variety *v = calloc(1, sizeof(*v));
	if (v)
		v->memory = xos_policy_memory_new();
	if (!v || !v->memory) {
		free(v);
		return NULL;
	}
	v->policy = policy;
	v->zones = zones;
	v->req = *req;
	return v;
}

void xos_policytool_variety_free(struct xos_policytool_variety *v)
{
	if (!v)
		return;
	xos_policy_memory_free(v->memory);
	free(v);
}

void xos_policytool_variety_reset(
    struct xos_policytool_variety *v, const struct xos_policy_request *req)
{
	xos_policy_memory_reset(v->memory);
	v->n = v->nwindows = v->nanchors = 0;
	v->req = *req;
}

bool xos_policytool_variety_failed(const struct xos_policytool_variety *v)
{
	return v->failed;
}

static struct field *field_of(struct xos_policytool_variety *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->fields[i].name, name) == 0)
			return &v->fields[i];
	if (v->n == FIELDS_MAX)
		return NULL;
	struct field *f = &v->fields[v->n++];
	f->name = xos_policy_memory_string(v->memory, name, strlen(name));
	f->n = 0;
	v->failed |= !f->name;
	return f;
}

static void add_value(struct xos_policytool_variety *v, struct field *f, const char *value)
{
	if (!f || !value)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->values[i], value) == 0)
			return;
	if (f->n == VALUES_MAX)
		return;
	f->values[f->n] = xos_policy_memory_string(v->memory, value, strlen(value));
	v->failed |= !f->values[f->n];
	f->n += f->values[f->n] != NULL;
}

static void add_number(
    struct xos_policytool_variety *v, struct field *f, enum xos_policy_type type, int64_t n)
{
	struct xos_buf b;
	if (n < 0)
		return;
	xos_buf_init(&b, 128);
	xos_policy_number_print(&b, type, n);
	add_value(v, f, xos_buf_str(&b));
	xos_buf_free(&b);
}

static void vary_numbers(
    struct xos_policytool_variety *v, struct field *f, const struct xos_policy_cond *c)
{
	enum xos_policy_type type = c->attr->type;
	for (size_t i = 0; i < c->n; i++) {
		int64_t n = c->u.numbers[i];
		add_number(v, f, type, n);
		if (n < INT64_MAX)
			add_number(v, f, type, n + 1);
		add_number(v, f, type, n - 1);
	}
}

struct into {
	struct xos_policytool_variety *variety;
	struct field *field;
};

static void add_example(void *arg, const char *text)
{
	const struct into *to = arg;
	add_value(to->variety, to->field, text);
}

static void vary_strings(
    struct xos_policytool_variety *v, struct field *f, const struct xos_policy_cond *c)
{
	struct into to = {v, f};
	for (size_t i = 0; i < c->n; i++) {
		if (c->op == XOS_COND_LIKE)
			xos_policytool_like_examples(c->u.strings[i], add_example, &to);
		else
			add_value(v, f, c->u.strings[i]);
	}
	add_value(v, f, "other");
}

static void vary_addresses(
    struct xos_policytool_variety *v, struct field *f, const struct xos_policy_cond *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct xos_policy_ip *ip = &c->u.prefixes[i];
		char text[INET6_ADDRSTRLEN];
		if (inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->addr, text, sizeof(text)))
			add_value(v, f, text);
	}
	/* Addresses for documentation: seldom anybody's own. */
	add_value(v, f, "203.0.113.77");
	add_value(v, f, "2001:db8:ffff::77");
}

static void add_moment(struct xos_policytool_variety *v, int64_t t)
{
	char text[XOS_TIME_TEXT];
	if (t < 0)
		return;
	xos_time_format(t, text);
	add_value(v, field_of(v, "now"), text);
}

/* The UTC moment of a local minute: the offset is that at the moment, as near as two tries come. */
static bool moment_of(const struct xos_policytool_variety *v, const struct xos_formula *test,
    const struct xos_policy_clock *clock, int64_t local, int64_t *out)
{
	int64_t offset = (int64_t)clock->offset * 60;
	for (unsigned i = 0; clock->zone && i < 2; i++)
		if (!xos_policytool_zone_offset(v->zones, test->set->zones[clock->zone - 1],
		        i ? local - offset : local, &offset))
			return false;
	*out = local - offset;
	return true;
}

/* A local moment and the minute before it: the last that is on the other side. */
static void add_boundary(struct xos_policytool_variety *v, const struct xos_formula *test,
    const struct xos_policy_clock *clock, int64_t local)
{
	int64_t t;
	if (!moment_of(v, test, clock, local, &t))
		return;
	add_moment(v, t);
	add_moment(v, t - MINUTE);
}

/* The boundaries of the first window that begins on the day of at or after it. days: also its start on
 * each day of the week, whether it is one of the window's days or not. */
static void add_window(
    struct xos_policytool_variety *v, const struct xos_formula *test, int64_t at, bool days)
{
	const struct xos_policy_window *w = &test->cond->u.window;
	int64_t first = at / DAY, t;
	bool found = false;
	for (int64_t d = first; d < first + 7; d++) {
		int64_t start = d * DAY + w->start * MINUTE;
		/* 1970-01-01 was a Thursday; bit 0 is Monday. */
		bool begins = w->days >> ((d + 3) % 7) & 1;
		if (days && moment_of(v, test, &w->clock, start, &t))
			add_moment(v, t);
		if (!begins || found)
			continue;
		found = true;
		add_boundary(v, test, &w->clock, start);
		add_boundary(
		    v, test, &w->clock, d * DAY + w->end * MINUTE + (w->end < w->start ? DAY : 0));
	}
}

/* A moment about which all windows are tried: a window may matter on certain dates only. */
static void add_anchor(struct xos_policytool_variety *v, int64_t at)
{
	if (at < DAY || v->nanchors == ANCHORS_MAX)
		return;
	for (size_t i = 0; i < v->nanchors; i++)
		if (v->anchors[i] / DAY == at / DAY)
			return;
	v->anchors[v->nanchors++] = at;
	for (size_t i = 0; i < v->nwindows; i++)
		add_window(v, v->windows[i], at, false);
}

static void vary_window(struct xos_policytool_variety *v, const struct xos_formula *test)
{
	/* Summer and winter differ in a zone. */
	if (test->cond->u.window.clock.zone)
		add_anchor(v, v->req.now + HALF_YEAR);
	add_window(v, test, v->req.now, true);
	for (size_t i = 0; i < v->nanchors; i++)
		add_window(v, test, v->anchors[i], false);
	if (v->nwindows < WINDOWS_MAX)
		v->windows[v->nwindows++] = test;
}

static void vary_date(struct xos_policytool_variety *v, const struct xos_formula *test)
{
	const struct xos_policy_dates *d = &test->cond->u.dates;
	const int64_t first = d->first * DAY, end = (d->last + INT64_C(1)) * DAY;
	add_moment(v, first + DAY / 2);
	add_moment(v, end + 3 * DAY / 2);
	add_boundary(v, test, &d->clock, first);
	add_boundary(v, test, &d->clock, end);
	add_anchor(v, first);
	add_anchor(v, end - DAY);
	add_anchor(v, end);
}

static void vary_value(struct xos_policytool_variety *v, const struct xos_policy_cond *c)
{
	const struct xos_policy_attr *a = c->attr;
	struct field *f = field_of(v, a->name);
	const struct xos_policytool_matcher m = {.req = &v->req};
	if (!xos_policytool_always(&m, a))
		add_value(v, f, "none");
	if (a->type == XOS_POLICY_BOOL) {
		bool mfa = a->code == XOS_ATTR_AUTH_MFA;
		add_value(v, f, mfa ? "yes" : "true");
		add_value(v, f, mfa ? "no" : "false");
	} else if (c->op == XOS_COND_IP || a->type == XOS_POLICY_IP) {
		if (c->op == XOS_COND_IP)
			vary_addresses(v, f, c);
		else
			add_value(v, f, "203.0.113.77");
	} else if (c->op == XOS_COND_HAS) {
		add_value(v, f, a->type == XOS_POLICY_STRING ? "other" : NULL);
		if (a->type != XOS_POLICY_STRING)
			add_number(v, f, a->type, a->type == XOS_POLICY_TIME ? v->req.now : 1);
	} else if (a->type == XOS_POLICY_STRING) {
		vary_strings(v, f, c);
	} else {
		vary_numbers(v, f, c);
	}
}

void xos_policytool_variety_test(void *arg, const struct xos_formula *test)
{
	struct xos_policytool_variety *v = arg;
	struct field *f;
	if (test->role) {
		f = field_of(v, "roles");
		add_value(v, f, "none");
		add_value(v, f, test->role);
	} else if (test->home) {
		f = field_of(v, "home");
		add_value(v, f, "none");
		add_value(v, f, test->home);
	} else if (test->service) {
		f = field_of(v, "ctx.service");
		add_value(v, f, test->service);
		add_value(v, f, "other");
		add_value(v, f, "none");
	} else if (test->cond->op == XOS_COND_NOW) {
		add_moment(v, test->cond->u.numbers[0]);
		add_moment(v, test->cond->u.numbers[0] - 1);
		add_moment(v, test->cond->u.numbers[0] + 1);
		add_anchor(v, test->cond->u.numbers[0]);
	} else if (test->cond->op == XOS_COND_TIME) {
		vary_window(v, test);
	} else if (test->cond->op == XOS_COND_DATE) {
		vary_date(v, test);
	} else {
		vary_value(v, test->cond);
	}
}

/* Several roles may be active at once: one more value means all of them. */
static size_t choices(const struct field *f)
{
	return f->n + (strcmp(f->name, "roles") == 0 && f->n > 2);
}

uint64_t xos_policytool_variety_count(const struct xos_policytool_variety *v)
{
	uint64_t n = 1;
	for (size_t i = 0; i < v->n; i++)
		if (v->fields[i].n && __builtin_mul_overflow(n, choices(&v->fields[i]), &n))
			return UINT64_MAX;
	return n;
}

enum xos_status xos_policytool_variety_apply(const struct xos_policytool_variety *v, uint64_t i,
    struct xos_cases_ask *ask, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t k = 0; !st && k < v->n; k++) {
		const struct field *f = &v->fields[k];
		if (!f->n)
			continue;
		size_t which = i % choices(f);
		i /= choices(f);
		if (which < f->n) {
			st = xos_cases_ask_set(ask, f->name, f->values[which], err);
			continue;
		}
		for (size_t j = 1; !st && j < f->n; j++)
			st = xos_cases_ask_add(ask, f->name, f->values[j], err);
	}
	return st;
}
