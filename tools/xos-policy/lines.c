#include "policytool/lines.h"

#include <stdlib.h>
#include <string.h>

#include "decide/record.h"
#include "json/json.h"
#include "policy/ast.h"

#define NAMES_MAX 1024u

enum list { GROUPS, ROLES, HELD, LISTS };

struct xos_policytool_lines {
	FILE *in;
	const char *path;
	size_t number, n;
	bool too_long;
	struct xos_json *doc;
	struct xos_decision_request *request;
	struct xos_policytool_recorded recorded;
	const char **list[LISTS];
	struct xos_policy_value
	    values[XOS_POLICY_VALUES_MAX]; /* where a VO's own things are said */
	char text[XOS_DECISION_RECORD_MAX + 1];
};

struct xos_policytool_lines *xos_policytool_lines_new(FILE *in, const char *path)
{
	struct xos_policytool_lines *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->in = in;
	l->path = path;
	return l;
}

static void forget(struct xos_policytool_lines *l)
{
	xos_decision_request_free(l->request);
	l->request = NULL;
	for (size_t i = 0; i < LISTS; i++) {
		free(l->list[i]);
		l->list[i] = NULL;
	}
	xos_json_free(l->doc);
	l->doc = NULL;
	xos_policytool_recorded_free(&l->recorded);
}

void xos_policytool_lines_free(struct xos_policytool_lines *l)
{
	if (!l)
		return;
	forget(l);
	free(l);
}

size_t xos_policytool_lines_number(const struct xos_policytool_lines *l)
{
	return l->number;
}

/* False at the end of the file. */
static bool read_line(struct xos_policytool_lines *l)
{
	int c;
	l->n = 0;
	l->too_long = false;
	while ((c = getc_unlocked(l->in)) != EOF && c != '\n') {
		if (l->n == XOS_DECISION_RECORD_MAX)
			l->too_long = true;
		else
			l->text[l->n++] = (char)c;
	}
	if (c == EOF && !l->n && !l->too_long)
		return false;
	l->number++;
	return true;
}

static bool is_blank(const struct xos_policytool_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!memchr(" \t\r", l->text[i], 3))
			return false;
	return !l->too_long;
}

bool xos_policytool_lines_next(
    struct xos_policytool_lines *l, enum xos_status *st, struct xos_err *err)
{
	forget(l);
	while (read_line(l))
		if (!is_blank(l))
			return true;
	if (ferror(l->in))
		*st =
		    xos_err_set(err, XOS_UNAVAILABLE, "file-read", "cannot read on in %s", l->path);
	return false;
}

static struct xos_json *without(const struct xos_json *obj, const char *left_out)
{
	struct xos_json *copy = xos_json_object();
	const struct xos_json *v;
	const char *key;
	void *it = NULL;
	while (obj && xos_json_next(obj, &it, &key, &v))
		if (strcmp(key, left_out) != 0)
			xos_json_set(copy, key, xos_json_copy(v));
	return copy;
}

static enum xos_status decode(
    struct xos_policytool_lines *l, struct xos_json *plain, struct xos_err *err)
{
	struct xos_buf text;
	xos_buf_init(&text, XOS_DECISION_REQUEST_MAX);
	enum xos_status st = xos_json_dump(plain, &text, err);
	if (!st)
		st = xos_decision_request_decode(xos_buf_bytes(&text), &l->request, err);
	xos_buf_free(&text);
	xos_json_free(plain);
	return st;
}

/* The same request without what a service never says, as the one codec takes it. */
static enum xos_status decode_plain(struct xos_policytool_lines *l, struct xos_err *err)
{
	const struct xos_json *subject = NULL, *context = NULL, *v;
	const char *key;
	void *it = NULL;
	enum xos_status st = xos_json_get_object(l->doc, "subject", &subject, err);
	if (!st)
		st = xos_json_opt_object(l->doc, "context", &context, err);
	if (st)
		return st;
	struct xos_json *plain = xos_json_object();
	while (xos_json_next(l->doc, &it, &key, &v))
		if (strcmp(key, "subject") != 0 && strcmp(key, "context") != 0)
			xos_json_set(plain, key, xos_json_copy(v));
	xos_json_set(plain, "subject", without(subject, "properties"));
	xos_json_set(plain, "context", without(context, "now"));
	return decode(l, plain, err);
}

/* ---- requests with what a VO added to the schema, which the codec of services does not know ---- */

static enum xos_status own_value(struct xos_policytool_lines *l, const struct xos_json *context,
    const char *key, const struct xos_policy_attr *a, size_t *n, struct xos_err *err)
{
	struct xos_policy_value *v = &l->values[*n];
	bool flag = false;
	enum xos_status st = XOS_OK;
	if (*n == XOS_POLICY_VALUES_MAX)
		return xos_json_refuse(
		    context, err, "more than %u attributes", XOS_POLICY_VALUES_MAX);
	*v = (struct xos_policy_value){.name = a->name, .type = a->type};
	switch (a->type) {
	case XOS_POLICY_BOOL:
		st = xos_json_get_bool(context, key, &flag, err);
		v->number = flag;
		break;
	case XOS_POLICY_NUMBER:
	case XOS_POLICY_DURATION:
	case XOS_POLICY_SIZE:
		st = xos_json_get_int64(context, key, 0, INT64_MAX, &v->number, err);
		break;
	case XOS_POLICY_TIME:
		st = xos_json_get_time(context, key, &v->number, err);
		break;
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		st = xos_json_get_string(context, key, XOS_POLICY_STRING_MAX, &v->string, err);
		break;
	}
	*n += st == XOS_OK;
	return st;
}

static enum xos_status own_context(struct xos_policytool_lines *l, const struct xos_policy *policy,
    struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *context = NULL, *v;
	const char *key;
	void *it = NULL;
	enum xos_status st = xos_json_opt_object(l->doc, "context", &context, err);
	while (!st && context && xos_json_next(context, &it, &key, &v)) {
		const struct xos_policy_attr *a = xos_policy_attr_find(key, XOS_POLICY_SCHEMA);
		if (strcmp(key, "now") == 0)
			continue;
		if (!a)
			a = xos_policy_own_attr(policy, key);
		if (!a || !a->from_context)
			return xos_json_refuse(
			    v, err, "no attribute of that name comes from the context");
		st = own_value(l, context, key, a, &req->nvalues, err);
	}
	req->values = l->values;
	return st;
}

static enum xos_status own_resource(
    const struct xos_policytool_lines *l, struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *to = NULL, *props = NULL;
	struct xos_policy_resource *r = &req->resource;
	*r = (struct xos_policy_resource){.kind = NULL};
	enum xos_status st = xos_json_get_object(l->doc, "resource", &to, err);
	if (!st)
		st = XOS_JSON_ONLY(to, err, "type", "id", "properties");
	if (!st)
		st = xos_json_get_string(to, "type", XOS_DECISION_TEXT_MAX, &r->kind, err);
	if (!st)
		st = xos_json_get_string(to, "id", XOS_DECISION_TEXT_MAX, &r->id, err);
	if (!st)
		st = xos_json_opt_object(to, "properties", &props, err);
	if (st || !props)
		return st;
	st = XOS_JSON_ONLY(props, err, "site", "node", "vo", "owner");
	if (!st)
		st = xos_json_opt_string(props, "site", XOS_DECISION_TEXT_MAX, &r->site, err);
	if (!st)
		st = xos_json_opt_string(props, "node", XOS_DECISION_TEXT_MAX, &r->node, err);
	if (!st)
		st = xos_json_opt_string(props, "vo", XOS_DECISION_TEXT_MAX, &r->vo, err);
	return st ? st : xos_json_opt_string(props, "owner", XOS_DECISION_TEXT_MAX, &r->owner, err);
}

/* Does the request do or say something that only a VO's set knows? */
static bool is_own(const struct xos_policytool_lines *l, const struct xos_policy *policy)
{
	const struct xos_json *action = NULL, *context = NULL, *v;
	const char *name = NULL, *key;
	void *it = NULL;
	if (xos_json_opt_object(l->doc, "action", &action, NULL) == XOS_OK && action &&
	    xos_json_opt_string(action, "name", XOS_DECISION_TEXT_MAX, &name, NULL) == XOS_OK &&
	    name && xos_policy_own_action(policy, name))
		return true;
	if (xos_json_opt_object(l->doc, "context", &context, NULL) != XOS_OK || !context)
		return false;
	while (xos_json_next(context, &it, &key, &v))
		if (xos_policy_own_attr(policy, key))
			return true;
	return false;
}

/* The subject as the codec reads it, and the rest from here. */
static enum xos_status decode_own(struct xos_policytool_lines *l, const struct xos_policy *policy,
    struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *subject = NULL, *action = NULL;
	enum xos_status st = XOS_JSON_ONLY(l->doc, err, "subject", "action", "resource", "context");
	if (!st)
		st = xos_json_get_object(l->doc, "subject", &subject, err);
	if (!st)
		st = xos_json_get_object(l->doc, "action", &action, err);
	if (!st)
		st = XOS_JSON_ONLY(action, err, "name");
	if (st)
		return st;
	struct xos_json *plain = xos_json_object(), *any = xos_json_object();
	struct xos_json *vo = xos_json_object();
	xos_json_set(plain, "subject", without(subject, "properties"));
	xos_json_set_string(any, "name", "token.issue");
	xos_json_set(plain, "action", any);
	xos_json_set_string(vo, "type", "vo");
	xos_json_set_string(vo, "id", "any");
	xos_json_set(plain, "resource", vo);
	st = decode(l, plain, err);
	if (st)
		return st;
	*req = *xos_decision_request_get(l->request);
	req->values = NULL;
	req->nvalues = 0;
	st = xos_json_get_string(action, "name", XOS_DECISION_TEXT_MAX, &req->action, err);
	if (!st)
		st = own_resource(l, req, err);
	return st ? st : own_context(l, policy, req, err);
}

static enum xos_status take_list(struct xos_policytool_lines *l, const struct xos_json *props,
    const char *key, enum list which, const char *const **out, size_t *n, struct xos_err *err)
{
	enum xos_status st = xos_json_opt_strings(
	    props, key, NAMES_MAX, XOS_DECISION_TEXT_MAX, &l->list[which], n, err);
	if (!st)
		*out = l->list[which];
	return st;
}

static enum xos_status take_auth(
    const struct xos_json *props, struct xos_policy_request *req, struct xos_err *err)
{
	int64_t age = -1;
	bool mfa = false;
	enum xos_status st = xos_json_opt_string(
	    props, "auth_method", XOS_DECISION_TEXT_MAX, &req->subject.auth_method, err);
	if (!st)
		st = xos_json_opt_int64(props, "auth_age", 0, req->now - 1, -1, &age, err);
	if (!st && age >= 0)
		req->subject.auth_time = req->now - age;
	if (!st && xos_json_has(props, "auth_mfa")) {
		st = xos_json_get_bool(props, "auth_mfa", &mfa, err);
		req->subject.auth_mfa = mfa;
	}
	return st;
}

static enum xos_status take_properties(struct xos_policytool_lines *l,
    const struct xos_json *subject, struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *props;
	struct xos_policy_subject *s = &req->subject;
	enum xos_status st = xos_json_opt_object(subject, "properties", &props, err);
	if (st || !props)
		return st;
	st = XOS_JSON_ONLY(
	    props, err, "groups", "roles", "held", "home", "auth_method", "auth_age", "auth_mfa");
	if (!st)
		st = take_list(l, props, "groups", GROUPS, &s->groups, &s->ngroups, err);
	if (!st)
		st = take_list(l, props, "roles", ROLES, &s->roles, &s->nroles, err);
	if (!st)
		st = take_list(l, props, "held", HELD, &s->held, &s->nheld, err);
	if (!st)
		st = xos_json_opt_string(props, "home", XOS_DECISION_TEXT_MAX, &s->home, err);
	return st ? st : take_auth(props, req, err);
}

/* The line as a request, whatever it was. */
static enum xos_status read_doc(struct xos_policytool_lines *l, struct xos_err *err)
{
	if (l->too_long)
		return xos_err_set(err, XOS_LIMIT, "request-too-long",
		    "the line is longer than %u bytes", (unsigned)XOS_DECISION_RECORD_MAX);
	enum xos_status st = xos_json_parse((struct xos_bytes){(const uint8_t *)l->text, l->n},
	    XOS_DECISION_RECORD_MAX, &l->doc, err);
	if (!st)
		st = xos_json_as_object(l->doc, err);
	if (!st && xos_policytool_is_recorded(l->doc))
		return xos_policytool_recorded_read(&l->doc, &l->recorded, err);
	if (!st && l->n > XOS_DECISION_REQUEST_MAX)
		st = xos_err_set(err, XOS_LIMIT, "request-too-long",
		    "the line is longer than %u bytes", (unsigned)XOS_DECISION_REQUEST_MAX);
	return st;
}

static enum xos_status take_request(struct xos_policytool_lines *l, const struct xos_policy *policy,
    int64_t now, struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *subject = NULL, *context = NULL;
	enum xos_status st = read_doc(l, err);
	if (!st && is_own(l, policy)) {
		st = decode_own(l, policy, req, err);
	} else if (!st) {
		st = decode_plain(l, err);
		if (!st)
			*req = *xos_decision_request_get(l->request);
	}
	if (st)
		return st;
	req->now = now;
	req->subject.auth_mfa = -1;
	st = xos_json_opt_object(l->doc, "context", &context, err);
	if (!st && context)
		st = xos_json_opt_time(context, "now", now, &req->now, err);
	if (!st)
		st = xos_json_get_object(l->doc, "subject", &subject, err);
	req->chain = l->recorded.chain;
	req->nchain = l->recorded.nchain;
	return st ? st : take_properties(l, subject, req, err);
}

const struct xos_policytool_recorded *xos_policytool_lines_recorded(
    const struct xos_policytool_lines *l)
{
	return l->recorded.decision[0] ? &l->recorded : NULL;
}

enum xos_status xos_policytool_lines_request(struct xos_policytool_lines *l,
    const struct xos_policy *policy, int64_t now, struct xos_policy_request *out,
    struct xos_err *err)
{
	enum xos_status st = take_request(l, policy, now, out, err);
	return st ? xos_err_prefix(err, st, "%s:%zu", l->path, l->number) : XOS_OK;
}

static int put_error(const struct xos_policytool_lines *l, enum xos_status st,
    const struct xos_err *why, struct xos_buf *out)
{
	struct xos_json *doc = xos_json_object(), *e = xos_json_object();
	xos_json_set_int(doc, "line", (int64_t)l->number);
	xos_json_set_text(e, "code", why->code);
	xos_json_set_string(e, "status", xos_status_name(st));
	xos_json_set_text(e, "text", why->text);
	xos_json_set(doc, "error", e);
	/* A failed buffer shows when the caller looks at it. */
	(void)!xos_json_dump(doc, out, NULL);
	xos_json_free(doc);
	return 3;
}

int xos_policytool_lines_answer(struct xos_policytool_lines *l, const struct xos_policy *policy,
    int64_t now, struct xos_policy_answer *a, struct xos_buf *out)
{
	static const struct xos_decision_extra none;
	struct xos_policy_request req;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_policytool_lines_request(l, policy, now, &req, &why);
	if (st)
		return put_error(l, st, &why, out);
	enum xos_status decided = xos_policy_decide(policy, &req, a);
	st = xos_decision_answer_encode(a, &none, out, &why);
	if (st)
		return put_error(l, st, &why, out);
	return decided == XOS_OK ? 0 : decided == XOS_DENIED ? 1 : 3;
}
