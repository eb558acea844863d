#include "api/decision.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"

/* Enough for people; the counts of the engine's answer are not bounded by anything small. */
#define SHOWN_MAX 16
#define LIST_MAX 1024
#define NAME_MAX_LEN 300
#define LABEL_MAX 512

static const char *const stand_names[] = {
    [XOS_STAND_LACKS] = "lacks",
    [XOS_STAND_UNKNOWN] = "unknown",
    [XOS_STAND_MISSING] = "missing",
    [XOS_STAND_GRANTS] = "grants",
    [XOS_STAND_NARROWS] = "narrows",
};

static const char *stand_name(enum xos_policy_stand stand)
{
	return (unsigned)stand <= XOS_STAND_NARROWS ? stand_names[stand] : "unknown";
}

static void set_label(
    struct xos_json *to, const char *key, const struct xos_policy_statement *statement)
{
	struct xos_buf b;
	if (!statement)
		return;
	xos_buf_init(&b, LABEL_MAX);
	xos_policy_statement_label(statement, &b);
	xos_json_set_text(to, key, xos_buf_str(&b));
	xos_buf_free(&b);
}

static void encode_levels(const struct xos_policy_answer *a, struct xos_json *context)
{
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; i < a->nlevels && i < SHOWN_MAX; i++) {
		const struct xos_policy_verdict *v = &a->levels[i];
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "level", xos_policy_level_name(v->level));
		xos_json_set_text(o, "name", v->name);
		xos_json_set_int(
		    o, "serial", v->serial > INT64_MAX ? INT64_MAX : (int64_t)v->serial);
		xos_json_set_string(o, "stand", stand_name(v->stand));
		xos_json_set_bool(o, "refuses", v->refuses);
		set_label(o, "statement", v->by);
		xos_json_add(list, o);
	}
	xos_json_set(context, "levels", list);
}

static void encode_fired(
    const struct xos_policy_fired *fired, size_t n, const char *key, struct xos_json *context)
{
	if (!n)
		return;
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
		const struct xos_policy_statement *s = fired[i].statement;
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "level", xos_policy_level_name(fired[i].level));
		set_label(o, "statement", s);
		xos_json_set_bool(o, "unknown", fired[i].unknown);
		xos_json_set_text(o, "because", xos_policy_statement_because(s));
		xos_json_set_text(o, "contact", xos_policy_statement_contact(s));
		xos_json_add(list, o);
	}
	xos_json_set(context, key, list);
}

static void encode_limits(const struct xos_policy_answer *a, struct xos_json *context)
{
	struct xos_json *limits = xos_json_object();
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		const struct xos_policy_cap_info *cap = xos_policy_cap_info(l->cap);
		struct xos_json *o = xos_json_object();
		if (cap->type == XOS_POLICY_STRING)
			xos_json_set_strings(o, "value", l->names, l->nnames);
		else
			xos_json_set_int(o, "value", l->number);
		set_label(o, "statement", l->from);
		xos_json_set(limits, cap->name, o);
	}
	xos_json_set(context, "limits", limits);
}

static void encode_duties(const struct xos_policy_answer *a, struct xos_json *context)
{
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; i < a->nduties; i++) {
		struct xos_json *o = xos_json_object();
		xos_json_set_text(o, "name", a->duties[i].name);
		xos_json_set_text(o, "arg", a->duties[i].arg);
		set_label(o, "statement", a->duties[i].from);
		xos_json_add(list, o);
	}
	xos_json_set(context, "duties", list);
}

/* AuthZEN gives reasons by language. */
static void set_reason(struct xos_json *context, const char *key, const char *text)
{
	if (!text || !text[0])
		return;
	struct xos_json *o = xos_json_object();
	xos_json_set_text(o, "en", text);
	xos_json_set(context, key, o);
}

static void encode_engine(const struct xos_policy_answer *a, bool reasons, struct xos_json *context)
{
	struct xos_buf user, admin;
	xos_buf_init(&user, XOS_DECISION_TEXT_MAX);
	xos_buf_init(&admin, XOS_DECISION_TEXT_MAX);
	xos_policy_answer_explain(a, &user);
	xos_policy_answer_deciders(a, &admin);
	const char *deciders = xos_buf_str(&admin);
	xos_json_set_text(context, "deciders", deciders);
	if (reasons) {
		set_reason(context, "reason_user", xos_buf_str(&user));
		set_reason(context, "reason_admin", a->problem ? a->problem : deciders);
	}
	encode_levels(a, context);
	encode_fired(a->forbids, a->nforbids, "forbids", context);
	encode_fired(a->checks, a->nchecks, "checks", context);
	encode_fired(a->shadows, a->nshadows, "shadows", context);
	encode_limits(a, context);
	encode_duties(a, context);
	xos_json_set_strings(context, "unknown", a->unknown, a->nunknown);
	xos_json_set_strings(context, "way_out", a->way_out, a->nway_out);
	xos_buf_free(&user);
	xos_buf_free(&admin);
}

enum xos_status xos_decision_answer_encode(const struct xos_policy_answer *a,
    const struct xos_decision_extra *extra, struct xos_buf *out, struct xos_err *err)
{
	bool refused = extra->lock || extra->failed || !a;
	bool permit = !refused && a->decision == XOS_POLICY_PERMITTED;
	bool undecided = extra->lock ? false : refused || a->decision == XOS_POLICY_UNDECIDED;
	struct xos_json *root = xos_json_object(), *context = xos_json_object();
	struct xos_json *serials = xos_json_object();

	xos_json_set_bool(root, "decision", permit);
	xos_json_set_bool(context, "undecided", undecided);
	xos_json_set_text(context, "id", extra->id);
	if (a)
		encode_engine(a, !refused, context);
	if (refused) {
		const char *why = extra->lock ? extra->lock : extra->failed;
		set_reason(context, "reason_user", why ? why : "The request was not decided.");
		set_reason(context, "reason_admin", extra->lock ? "lock" : "could not decide");
	}
	xos_json_set_int(serials, "bundle",
	    extra->bundle_serial > INT64_MAX ? INT64_MAX : (int64_t)extra->bundle_serial);
	xos_json_set(context, "serials", serials);
	if (extra->valid_until)
		xos_json_set_time(context, "valid_until", extra->valid_until);
	xos_json_set(root, "context", context);
	enum xos_status st = xos_json_dump(root, out, err);
	xos_json_free(root);
	return st;
}

/* The public object first, so that one pointer serves both. */
struct decoded {
	struct xos_decision_answer answer;
	struct xos_json *doc;
	struct xos_decision_level *levels;
	struct xos_decision_duty *duties;
	const char **unknown, **way_out;
	const char **classes;
};

static enum xos_status decode_reason(
    const struct xos_json *context, const char *key, const char **out, struct xos_err *err)
{
	const struct xos_json *o;
	const char *text = NULL;
	enum xos_status st = xos_json_opt_object(context, key, &o, err);
	if (!st && o)
		st = xos_json_opt_string(o, "en", XOS_DECISION_ANSWER_MAX, &text, err);
	if (!st && text)
		*out = text;
	return st;
}

static enum xos_status decode_level(
    const struct xos_json *o, struct xos_decision_level *l, struct xos_err *err)
{
	enum xos_status st = xos_json_as_object(o, err);
	if (!st)
		st = xos_json_get_string(o, "level", 31, &l->level, err);
	if (!st)
		st = xos_json_get_string(o, "name", NAME_MAX_LEN, &l->name, err);
	if (!st)
		st = xos_json_get_string(o, "stand", 31, &l->stand, err);
	if (!st)
		st = xos_json_opt_string(o, "statement", LABEL_MAX, &l->statement, err);
	if (!st)
		st = xos_json_get_uint64(o, "serial", INT64_MAX, &l->serial, err);
	if (!st)
		st = xos_json_get_bool(o, "refuses", &l->refuses, err);
	return st;
}

static enum xos_status decode_levels(
    const struct xos_json *context, struct decoded *d, struct xos_err *err)
{
	const struct xos_json *list;
	enum xos_status st = xos_json_opt_array(context, "levels", LIST_MAX, &list, err);
	size_t n = xos_json_count(list);
	if (st || !n)
		return st;
	d->levels = calloc(n, sizeof(*d->levels));
	if (!d->levels)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; !st && i < n; i++)
		st = decode_level(xos_json_at(list, i), &d->levels[i], err);
	d->answer.levels = d->levels;
	d->answer.nlevels = n;
	return st;
}

static enum xos_status decode_limit(
    const struct xos_json *limits, const char *key, struct decoded *d, struct xos_err *err)
{
	enum xos_policy_cap cap;
	const struct xos_json *o;
	enum xos_status st = xos_json_get_object(limits, key, &o, err);
	if (st)
		return st;
	if (!xos_policy_cap_find(key, &cap))
		return xos_err_set(err, XOS_MALFORMED, "decision-limit",
		    "the decision limits \"%s\", which this program does not know: it must refuse",
		    key);
	struct xos_decision_limit *l = &d->answer.limits[cap];
	if (xos_policy_cap_info(cap)->type == XOS_POLICY_STRING) {
		st = xos_json_get_strings(
		    o, "value", LIST_MAX, NAME_MAX_LEN, &d->classes, &l->nnames, err);
		l->names = d->classes;
	} else {
		st = xos_json_get_int64(o, "value", 0, INT64_MAX, &l->number, err);
	}
	if (!st)
		st = xos_json_opt_string(o, "statement", LABEL_MAX, &l->statement, err);
	l->set = !st;
	return st;
}

static enum xos_status decode_limits(
    const struct xos_json *context, struct decoded *d, struct xos_err *err)
{
	const struct xos_json *limits, *value;
	const char *key;
	void *it = NULL;
	enum xos_status st = xos_json_opt_object(context, "limits", &limits, err);
	if (st || !limits)
		return st;
	while (!st && xos_json_next(limits, &it, &key, &value))
		st = decode_limit(limits, key, d, err);
	return st;
}

static enum xos_status decode_duties(
    const struct xos_json *context, struct decoded *d, struct xos_err *err)
{
	const struct xos_json *list;
	enum xos_status st = xos_json_opt_array(context, "duties", LIST_MAX, &list, err);
	size_t n = xos_json_count(list);
	if (st || !n)
		return st;
	d->duties = calloc(n, sizeof(*d->duties));
	if (!d->duties)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; !st && i < n; i++) {
		const struct xos_json *o = xos_json_at(list, i);
		st = xos_json_as_object(o, err);
		if (!st)
			st = xos_json_get_string(o, "name", NAME_MAX_LEN, &d->duties[i].name, err);
		if (!st)
			st = xos_json_opt_string(
			    o, "arg", XOS_DECISION_TEXT_MAX, &d->duties[i].arg, err);
	}
	d->answer.duties = d->duties;
	d->answer.nduties = n;
	return st;
}

static enum xos_status decode_decision(const struct xos_json *root, const struct xos_json *context,
    struct decoded *d, struct xos_err *err)
{
	bool yes, undecided;
	enum xos_status st = xos_json_get_bool(root, "decision", &yes, err);
	if (!st)
		st = xos_json_get_bool(context, "undecided", &undecided, err);
	if (st)
		return st;
	if (yes && undecided)
		return xos_err_set(err, XOS_MALFORMED, "decision-answer",
		    "an answer that permits and says that it is undecided");
	d->answer.decision = yes         ? XOS_POLICY_PERMITTED
	                     : undecided ? XOS_POLICY_UNDECIDED
	                                 : XOS_POLICY_DENIED;
	return XOS_OK;
}

static enum xos_status decode_rest(
    const struct xos_json *context, struct decoded *d, struct xos_err *err)
{
	struct xos_decision_answer *a = &d->answer;
	const struct xos_json *serials;
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(context, "id", XOS_DECISION_ID_MAX, &text, err);
	a->id = text ? text : "";
	text = NULL;
	if (!st)
		st = xos_json_opt_string(context, "deciders", XOS_DECISION_TEXT_MAX, &text, err);
	a->deciders = text ? text : "";
	if (!st)
		st = decode_reason(context, "reason_user", &a->reason_user, err);
	if (!st)
		st = decode_reason(context, "reason_admin", &a->reason_admin, err);
	if (!st)
		st = xos_json_opt_strings(
		    context, "unknown", LIST_MAX, NAME_MAX_LEN, &d->unknown, &a->nunknown, err);
	if (!st)
		st = xos_json_opt_strings(
		    context, "way_out", LIST_MAX, NAME_MAX_LEN, &d->way_out, &a->nway_out, err);
	a->unknown = d->unknown;
	a->way_out = d->way_out;
	if (!st)
		st = xos_json_opt_object(context, "serials", &serials, err);
	if (!st && serials)
		st = xos_json_opt_uint64(serials, "bundle", INT64_MAX, 0, &a->bundle_serial, err);
	if (!st)
		st = xos_json_opt_time(context, "valid_until", 0, &a->valid_until, err);
	return st;
}

enum xos_status xos_decision_answer_decode(
    struct xos_bytes in, struct xos_decision_answer **out, struct xos_err *err)
{
	const struct xos_json *context;
	struct decoded *d = calloc(1, sizeof(*d));
	if (!d)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	d->answer.id = d->answer.reason_user = d->answer.reason_admin = d->answer.deciders = "";
	enum xos_status st = xos_json_parse(in, XOS_DECISION_ANSWER_MAX, &d->doc, err);
	if (!st)
		st = xos_json_get_object(d->doc, "context", &context, err);
	if (!st)
		st = decode_decision(d->doc, context, d, err);
	if (!st)
		st = decode_levels(context, d, err);
	if (!st)
		st = decode_limits(context, d, err);
	if (!st)
		st = decode_duties(context, d, err);
	if (!st)
		st = decode_rest(context, d, err);
	if (st) {
		xos_decision_answer_free(&d->answer);
		return xos_err_prefix(err, st, "decision answer");
	}
	*out = &d->answer;
	return XOS_OK;
}

void xos_decision_answer_free(struct xos_decision_answer *a)
{
	if (!a)
		return;
	struct decoded *d = (struct decoded *)a;
	xos_json_free(d->doc);
	free(d->levels);
	free(d->duties);
	free(d->unknown);
	free(d->way_out);
	free(d->classes);
	free(d);
}
