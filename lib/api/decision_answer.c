#include "api/decision.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "json/write.h"

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

/* Texts are made in one buffer, again and again. */
struct encoder {
	struct xos_json_writer w;
	struct xos_buf text;
	bool no_memory;
};

/* A text that was too long was told in part; the next one begins anew. */
static void clear(struct encoder *e)
{
	e->no_memory |= e->text.status == XOS_INTERNAL;
	e->text.n = 0;
	e->text.status = XOS_OK;
}

static void put_label(
    struct encoder *e, const char *key, const struct xos_policy_statement *statement)
{
	if (!statement)
		return;
	clear(e);
	xos_policy_statement_label(statement, &e->text);
	xos_json_write_bytes(&e->w, key, xos_buf_bytes(&e->text));
}

static int64_t serial_of(uint64_t serial)
{
	return serial > INT64_MAX ? INT64_MAX : (int64_t)serial;
}

static void encode_levels(struct encoder *e, const struct xos_policy_answer *a)
{
	xos_json_write_open(&e->w, "levels", '[');
	for (size_t i = 0; i < a->nlevels && i < SHOWN_MAX; i++) {
		const struct xos_policy_verdict *v = &a->levels[i];
		xos_json_write_open(&e->w, NULL, '{');
		xos_json_write_text(&e->w, "level", xos_policy_level_name(v->level));
		xos_json_write_text(&e->w, "name", v->name);
		xos_json_write_bool(&e->w, "refuses", v->refuses);
		xos_json_write_int(&e->w, "serial", serial_of(v->serial));
		xos_json_write_text(&e->w, "stand", stand_name(v->stand));
		put_label(e, "statement", v->by);
		xos_json_write_close(&e->w, '}');
	}
	xos_json_write_close(&e->w, ']');
}

static void encode_fired(
    struct encoder *e, const char *key, const struct xos_policy_fired *fired, size_t n)
{
	if (!n)
		return;
	xos_json_write_open(&e->w, key, '[');
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
		const struct xos_policy_statement *s = fired[i].statement;
		xos_json_write_open(&e->w, NULL, '{');
		xos_json_write_text(&e->w, "because", xos_policy_statement_because(s));
		xos_json_write_text(&e->w, "contact", xos_policy_statement_contact(s));
		xos_json_write_text(&e->w, "level", xos_policy_level_name(fired[i].level));
		put_label(e, "statement", s);
		xos_json_write_bool(&e->w, "unknown", fired[i].unknown);
		xos_json_write_close(&e->w, '}');
	}
	xos_json_write_close(&e->w, ']');
}

static void encode_limits(struct encoder *e, const struct xos_policy_answer *a)
{
	xos_json_write_open(&e->w, "limits", '{');
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		const struct xos_policy_cap_info *cap = xos_policy_cap_info(l->cap);
		xos_json_write_open(&e->w, cap->name, '{');
		put_label(e, "statement", l->from);
		if (xos_policy_cap_is_set(l->cap))
			xos_json_write_texts(&e->w, "value", l->names, l->nnames);
		else
			xos_json_write_int(&e->w, "value", l->number);
		xos_json_write_close(&e->w, '}');
	}
	xos_json_write_close(&e->w, '}');
}

static void encode_duties(struct encoder *e, const struct xos_policy_answer *a)
{
	xos_json_write_open(&e->w, "duties", '[');
	for (size_t i = 0; i < a->nduties; i++) {
		xos_json_write_open(&e->w, NULL, '{');
		xos_json_write_text(&e->w, "arg", a->duties[i].arg);
		xos_json_write_text(&e->w, "name", a->duties[i].name);
		put_label(e, "statement", a->duties[i].from);
		xos_json_write_close(&e->w, '}');
	}
	xos_json_write_close(&e->w, ']');
}

static void encode_change(struct encoder *e, const struct xos_policy_answer *a)
{
	if (a->change.change == XOS_CHANGE_NONE)
		return;
	xos_json_write_open(&e->w, "on_change", '{');
	if (a->change.change == XOS_CHANGE_STOP)
		xos_json_write_int(&e->w, "after", a->change.after);
	xos_json_write_text(&e->w, "do", xos_policy_change_name(a->change.change));
	put_label(e, "statement", a->change.from);
	xos_json_write_close(&e->w, '}');
}

/* AuthZEN gives reasons by language. */
static void put_reason(struct encoder *e, const char *key, struct xos_bytes text)
{
	if (!text.n)
		return;
	xos_json_write_open(&e->w, key, '{');
	xos_json_write_bytes(&e->w, "en", text);
	xos_json_write_close(&e->w, '}');
}

static void encode_reasons(struct encoder *e, const struct xos_policy_answer *a, bool reasons)
{
	clear(e);
	xos_policy_answer_deciders(a, &e->text);
	xos_json_write_bytes(&e->w, "deciders", xos_buf_bytes(&e->text));
	if (!reasons)
		return;
	put_reason(
	    e, "reason_admin", a->problem ? xos_bytes_str(a->problem) : xos_buf_bytes(&e->text));
	clear(e);
	xos_policy_answer_explain(a, &e->text);
	put_reason(e, "reason_user", xos_buf_bytes(&e->text));
}

static void encode_engine(struct encoder *e, const struct xos_policy_answer *a, bool reasons)
{
	encode_reasons(e, a, reasons);
	encode_levels(e, a);
	encode_fired(e, "forbids", a->forbids, a->nforbids);
	encode_fired(e, "checks", a->checks, a->nchecks);
	encode_fired(e, "shadows", a->shadows, a->nshadows);
	encode_limits(e, a);
	encode_duties(e, a);
	encode_change(e, a);
	xos_json_write_texts(&e->w, "unknown", a->unknown, a->nunknown);
	xos_json_write_texts(&e->w, "way_out", a->way_out, a->nway_out);
}

/* Why, for a refusal, and what binds: an answer without its limits would permit too much. */
static void encode_brief(struct encoder *e, const struct xos_policy_answer *a, bool reasons)
{
	if (reasons && a->decision != XOS_POLICY_PERMITTED) {
		clear(e);
		xos_policy_answer_explain(a, &e->text);
		put_reason(e, "reason_user", xos_buf_bytes(&e->text));
		if (a->nway_out)
			xos_json_write_texts(&e->w, "way_out", a->way_out, a->nway_out);
	}
	if (a->nlimits)
		encode_limits(e, a);
	if (a->nduties)
		encode_duties(e, a);
}

static void encode_extra(struct encoder *e, const struct xos_decision_extra *extra)
{
	xos_json_write_text(&e->w, "basis", extra->basis);
	if (extra->nignored)
		xos_json_write_texts(&e->w, "ignored", extra->ignored, extra->nignored);
	if (extra->brief)
		return;
	xos_json_write_open(&e->w, "serials", '{');
	if (!extra->basis)
		xos_json_write_int(&e->w, "bundle", serial_of(extra->bundle_serial));
	if (extra->membership_serial)
		xos_json_write_int(&e->w, "membership", serial_of(extra->membership_serial));
	if (extra->roster_serial)
		xos_json_write_int(&e->w, "roster", serial_of(extra->roster_serial));
	xos_json_write_close(&e->w, '}');
	if (extra->valid_until)
		xos_json_write_time(&e->w, "valid_until", extra->valid_until);
}

static void encode_all(
    struct encoder *e, const struct xos_policy_answer *a, const struct xos_decision_extra *extra)
{
	bool refused = extra->lock || extra->failed || !a;
	bool undecided = extra->lock ? false : refused || a->decision == XOS_POLICY_UNDECIDED;
	xos_json_write_open(&e->w, NULL, '{');
	xos_json_write_open(&e->w, "context", '{');
	xos_json_write_text(&e->w, "id", extra->id);
	xos_json_write_bool(&e->w, "undecided", undecided);
	if (a && extra->brief)
		encode_brief(e, a, !refused);
	else if (a)
		encode_engine(e, a, !refused);
	if (refused) {
		const char *why = extra->lock ? extra->lock : extra->failed;
		if (!extra->brief)
			put_reason(e, "reason_admin",
			    xos_bytes_str(extra->lock ? "lock" : "could not decide"));
		put_reason(e, "reason_user",
		    xos_bytes_str(why && why[0] ? why : "The request was not decided."));
	}
	encode_extra(e, extra);
	xos_json_write_close(&e->w, '}');
	xos_json_write_bool(&e->w, "decision", !refused && a->decision == XOS_POLICY_PERMITTED);
	xos_json_write_close(&e->w, '}');
}

enum xos_status xos_decision_answer_encode(const struct xos_policy_answer *a,
    const struct xos_decision_extra *extra, struct xos_buf *out, struct xos_err *err)
{
	struct encoder e = {.no_memory = false};
	xos_json_writer_init(&e.w, out);
	xos_buf_init(&e.text, XOS_DECISION_TEXT_MAX);
	encode_all(&e, a, extra);
	clear(&e);
	enum xos_status st = xos_buf_status(out);
	if (st == XOS_OK && e.no_memory)
		st = XOS_INTERNAL;
	xos_buf_free(&e.text);
	if (st == XOS_LIMIT)
		return xos_err_set(
		    err, st, "json-too-long", "JSON of more than %zu bytes", out->max);
	if (st)
		return xos_err_set(err, st, "memory", "out of memory");
	return XOS_OK;
}

/* The public object first, so that one pointer serves both. */
struct decoded {
	struct xos_decision_answer answer;
	struct xos_json *doc;
	struct xos_decision_level *levels;
	struct xos_decision_duty *duties;
	const char **unknown, **way_out;
	const char **sets[XOS_CAP_COUNT];
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
	if (xos_policy_cap_is_set(cap)) {
		st = xos_json_get_strings(
		    o, "value", LIST_MAX, NAME_MAX_LEN, &d->sets[cap], &l->nnames, err);
		l->names = d->sets[cap];
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

static enum xos_status decode_change(
    const struct xos_json *context, struct xos_decision_answer *a, struct xos_err *err)
{
	const struct xos_json *o;
	const char *what = NULL;
	enum xos_status st = xos_json_opt_object(context, "on_change", &o, err);
	if (st || !o)
		return st;
	st = xos_json_get_string(o, "do", 31, &what, err);
	if (!st)
		st = xos_json_opt_int64(o, "after", 0, INT64_MAX, 0, &a->change_after, err);
	if (st)
		return st;
	/* What this program does not know is taken for the strictest. */
	a->change = XOS_CHANGE_STOP;
	if (strcmp(what, xos_policy_change_name(XOS_CHANGE_CONTINUE)) == 0)
		a->change = XOS_CHANGE_CONTINUE;
	else if (strcmp(what, xos_policy_change_name(XOS_CHANGE_DRAIN)) == 0)
		a->change = XOS_CHANGE_DRAIN;
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
		st = decode_change(context, &d->answer, err);
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
	for (size_t i = 0; i < XOS_CAP_COUNT; i++)
		free(d->sets[i]);
	free(d);
}
