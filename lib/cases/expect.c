#include "cases/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/ast.h"

#define TEXT_MAX 65536u

struct holder {
	const struct xos_case *one;
	const struct xos_cases_expected *now;
	const struct xos_policy_answer *answer, *trial;
	struct xos_cases_verdict *out;
	struct xos_err *err;
};

void xos_cases_verdict_free(struct xos_cases_verdict *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->expected[i]);
		free(v->got[i]);
	}
	free(v->expected);
	free(v->got);
	free(v->lines);
	*v = (struct xos_cases_verdict){.n = 0};
}

/* Notes that the expectation was not met; got (taken) says what is there instead. */
static enum xos_status miss(struct holder *h, struct xos_buf *got)
{
	struct xos_cases_verdict *v = h->out;
	struct xos_buf want;
	xos_buf_init(&want, TEXT_MAX);
	xos_buf_printf(&want, "%s %s", xos_cases_expect_name(h->now->what), h->now->text);
	char **expected = reallocarray(v->expected, v->n + 1, sizeof(*expected));
	if (expected)
		v->expected = expected;
	char **gots = reallocarray(v->got, v->n + 1, sizeof(*gots));
	if (gots)
		v->got = gots;
	unsigned *lines = reallocarray(v->lines, v->n + 1, sizeof(*lines));
	if (lines)
		v->lines = lines;
	char *a = xos_buf_steal(&want, NULL), *b = xos_buf_steal(got, NULL);
	if (!expected || !gots || !lines || !a || !b) {
		free(a);
		free(b);
		return xos_err_set(h->err, XOS_INTERNAL, "memory", "out of memory");
	}
	v->expected[v->n] = a;
	v->got[v->n] = b;
	v->lines[v->n++] = h->now->line;
	return XOS_OK;
}

static bool is_label(const struct xos_policy_statement *s, const char *label)
{
	struct xos_buf b;
	xos_buf_init(&b, TEXT_MAX);
	xos_policy_statement_label(s, &b);
	const char *text = xos_buf_str(&b);
	bool same = text && strcmp(text, label) == 0;
	xos_buf_free(&b);
	return same;
}

static bool among(const struct xos_policy_fired *list, size_t n, const char *label,
    enum xos_policy_effect only, bool any_effect)
{
	for (size_t i = 0; i < n; i++)
		if ((any_effect || xos_policy_statement_effect(list[i].statement) == only) &&
		    is_label(list[i].statement, label))
			return true;
	return false;
}

/* Does the statement count towards the decision that was made? */
static bool counts(const struct holder *h, const char *label)
{
	const struct xos_policy_answer *a = h->answer;
	if (among(a->forbids, a->nforbids, label, XOS_POLICY_FORBID, true) ||
	    among(a->checks, a->nchecks, label, XOS_POLICY_CHECK, true))
		return true;
	for (size_t i = 0; i < a->nlevels; i++)
		if (a->levels[i].by && is_label(a->levels[i].by, label))
			return true;
	for (size_t i = 0; i < a->nlimits; i++)
		if (is_label(a->limits[i].from, label))
			return true;
	for (size_t i = 0; i < a->nduties; i++)
		if (is_label(a->duties[i].from, label))
			return true;
	return a->decision == XOS_POLICY_PERMITTED &&
	       among(h->trial->shadows, h->trial->nshadows, label, XOS_POLICY_PERMIT, false);
}

static bool applies(const struct holder *h, const char *label)
{
	return counts(h, label) ||
	       among(h->trial->shadows, h->trial->nshadows, label, XOS_POLICY_PERMIT, true);
}

static void put_decided(const struct holder *h, struct xos_buf *out)
{
	xos_buf_printf(out, "%s: ", xos_policy_decision_name(h->answer->decision));
	xos_policy_answer_explain(h->answer, out);
}

/* An owner is named with the VO or without. */
static bool is_named(const struct xos_policy_verdict *v, const char *name)
{
	const char *colon = strchr(name, ':');
	return strcmp(name, v->name) == 0 ||
	       (v->level == XOS_POLICY_OWNER && colon && strcmp(colon + 1, v->name) == 0);
}

static bool lacks(const struct holder *h, const char *text)
{
	for (size_t i = 0; i < h->answer->nlevels; i++) {
		const struct xos_policy_verdict *v = &h->answer->levels[i];
		const char *level = xos_policy_level_name(v->level);
		size_t n = strlen(level);
		if ((v->stand == XOS_STAND_LACKS || v->stand == XOS_STAND_MISSING) &&
		    strncmp(text, level, n) == 0 && (!text[n] || text[n] == ' ') &&
		    (!text[n] || is_named(v, text + n + 1)))
			return true;
	}
	return false;
}

static bool because(const struct holder *h)
{
	struct xos_buf b;
	xos_buf_init(&b, TEXT_MAX);
	xos_policy_answer_explain(h->answer, &b);
	const char *text = xos_buf_str(&b);
	bool found = text && strstr(text, h->now->text);
	xos_buf_free(&b);
	return found;
}

static void put_limit(struct xos_buf *out, const struct xos_policy_limit *l)
{
	const struct xos_policy_cap_info *info = xos_policy_cap_info(l->cap);
	xos_buf_printf(out, "%s ", info->name);
	if (!xos_policy_cap_is_set(l->cap))
		xos_policy_number_print(out, info->type, l->number);
	for (size_t i = 0; xos_policy_cap_is_set(l->cap) && i < l->nnames; i++)
		xos_buf_printf(out, "%s%s", i ? " " : "", l->names[i]);
}

static void put_limits(const struct holder *h, struct xos_buf *out)
{
	for (size_t i = 0; i < h->answer->nlimits; i++) {
		xos_buf_put_str(out, i ? ", " : "limit ");
		put_limit(out, &h->answer->limits[i]);
	}
	if (!h->answer->nlimits)
		xos_buf_put_str(out, "limit none");
}

static bool number_of(enum xos_policy_type type, const char *text, int64_t *v)
{
	uint64_t u;
	if (type == XOS_POLICY_DURATION)
		return xos_duration_parse(text, v);
	if (type == XOS_POLICY_SIZE)
		return xos_policy_size_parse(text, v);
	if (!xos_parse_u64(text, INT64_MAX, &u))
		return false;
	*v = (int64_t)u;
	return true;
}

/* The names of a limit, in any order. */
static bool same_names(const struct xos_policy_limit *l, const char *text)
{
	size_t n = 0;
	for (const char *p = text; *p; n++) {
		size_t len = strcspn(p, " \t");
		bool found = false;
		for (size_t i = 0; i < l->nnames && !found; i++)
			found = strlen(l->names[i]) == len && strncmp(l->names[i], p, len) == 0;
		if (!found)
			return false;
		p += len + strspn(p + len, " \t");
	}
	return n == l->nnames;
}

static enum xos_status limit_holds(struct holder *h, bool *holds)
{
	const char *text = h->now->text;
	char name[32];
	size_t n = strcspn(text, " \t");
	const char *value = text + n + strspn(text + n, " \t");
	enum xos_policy_cap cap;
	int64_t number = 0;
	*holds = false;
	if (strcmp(text, "none") == 0) {
		*holds = h->answer->nlimits == 0;
		return XOS_OK;
	}
	if (n >= sizeof(name) || !xos_str_printf(name, sizeof(name), "%.*s", (int)n, text) ||
	    !xos_policy_cap_find(name, &cap))
		return xos_err_set(h->err, XOS_MALFORMED, "cases-malformed",
		    "'%s' is no limit; `xos-policy schema` lists them as caps", text);
	bool none = strcmp(value, "none") == 0, names = xos_policy_cap_is_set(cap);
	if (!none && !names && !number_of(xos_policy_cap_info(cap)->type, value, &number))
		return xos_err_set(h->err, XOS_MALFORMED, "cases-malformed",
		    "limit %s: '%s' is not a %s", name, value,
		    xos_policy_type_name(xos_policy_cap_info(cap)->type));
	*holds = none;
	for (size_t i = 0; i < h->answer->nlimits; i++) {
		const struct xos_policy_limit *l = &h->answer->limits[i];
		if (l->cap == cap)
			*holds = !none && (names ? same_names(l, value) : l->number == number);
	}
	return XOS_OK;
}

static bool duty_holds(const struct holder *h, struct xos_buf *got)
{
	bool found = h->answer->nduties == 0 && strcmp(h->now->text, "none") == 0;
	xos_buf_put_str(got, h->answer->nduties ? "" : "duty none");
	for (size_t i = 0; i < h->answer->nduties; i++) {
		const struct xos_policy_duty *d = &h->answer->duties[i];
		char text[1024];
		xos_buf_printf(got, "%s%s%s%s", i ? ", " : "duty ", d->name, d->arg ? " " : "",
		    d->arg ? d->arg : "");
		found |= xos_str_printf(text, sizeof(text), "%s%s%s", d->name, d->arg ? " " : "",
		             d->arg ? d->arg : "") &&
		         strcmp(text, h->now->text) == 0;
	}
	return found;
}

static bool listed(
    const char *const *list, size_t n, const char *what, const char *text, struct xos_buf *got)
{
	bool found = n == 0 && strcmp(text, "none") == 0;
	for (size_t i = 0; i < n; i++) {
		xos_buf_printf(got, "%s%s", i ? ", " : what, list[i]);
		found |= strcmp(list[i], text) == 0;
	}
	if (!n)
		xos_buf_printf(got, "%snone", what);
	return found;
}

static bool holds(struct holder *h, struct xos_buf *got)
{
	const struct xos_policy_answer *a = h->answer;
	const char *text = h->now->text;
	switch (h->now->what) {
	case XOS_EXPECT_UNKNOWN:
		return listed(a->unknown, a->nunknown, "unknown ", text, got);
	case XOS_EXPECT_WAY_OUT:
		return listed(a->way_out, a->nway_out, "way-out ", text, got);
	case XOS_EXPECT_DUTY:
		return duty_holds(h, got);
	case XOS_EXPECT_DECISION:
		put_decided(h, got);
		return strcmp(xos_policy_decision_name(a->decision), text) == 0;
	case XOS_EXPECT_BY:
		put_decided(h, got);
		return counts(h, text);
	case XOS_EXPECT_NOT_BY:
		xos_buf_printf(got, "%s applies", text);
		return !applies(h, text);
	case XOS_EXPECT_LACKS:
		put_decided(h, got);
		return lacks(h, text);
	case XOS_EXPECT_BECAUSE:
		put_decided(h, got);
		return because(h);
	case XOS_EXPECT_SHADOW:
		xos_buf_printf(got, "%s does not apply, or is not on trial", text);
		return among(a->shadows, a->nshadows, text, XOS_POLICY_PERMIT, true);
	case XOS_EXPECT_LIMIT:
	case XOS_EXPECT_COUNT:
		break;
	}
	return false;
}

enum xos_status xos_cases_expect_all(const struct xos_case *one,
    const struct xos_policy_answer *answer, const struct xos_policy_answer *trial,
    struct xos_cases_verdict *out, struct xos_err *err)
{
	struct holder h = {one, NULL, answer, trial, out, err};
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < one->nexpected; i++) {
		struct xos_buf got;
		bool met = false;
		h.now = &one->expected[i];
		xos_buf_init(&got, TEXT_MAX);
		if (h.now->what == XOS_EXPECT_LIMIT) {
			st = limit_holds(&h, &met);
			put_limits(&h, &got);
		} else {
			met = holds(&h, &got);
		}
		if (!st && !met)
			st = miss(&h, &got);
		xos_buf_free(&got);
	}
	return st;
}
