#include "policytool/lines.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"

#define NAMES_MAX 1024u

enum list { GROUPS, ROLES, HELD, LISTS };

struct xos_policytool_lines {
	FILE *in;
	const char *path;
	size_t number, n;
	bool too_long;
	struct xos_json *doc;
	struct xos_decision_request *request;
	const char **list[LISTS];
	char text[XOS_DECISION_REQUEST_MAX + 1];
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
		if (l->n == XOS_DECISION_REQUEST_MAX)
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

/* The same request without what a service never says, as the one codec takes it. */
static enum xos_status decode_plain(struct xos_policytool_lines *l, struct xos_err *err)
{
	const struct xos_json *subject = NULL, *context = NULL, *v;
	struct xos_json *plain = xos_json_object(), *who = xos_json_object();
	struct xos_json *rest = xos_json_object();
	const char *key;
	void *it = NULL;
	struct xos_buf text;
	xos_buf_init(&text, XOS_DECISION_REQUEST_MAX);
	enum xos_status st = xos_json_get_object(l->doc, "subject", &subject, err);
	while (!st && xos_json_next(subject, &it, &key, &v))
		if (strcmp(key, "properties") != 0)
			xos_json_set(who, key, xos_json_copy(v));
	if (!st)
		st = xos_json_opt_object(l->doc, "context", &context, err);
	it = NULL;
	while (!st && context && xos_json_next(context, &it, &key, &v))
		if (strcmp(key, "now") != 0)
			xos_json_set(rest, key, xos_json_copy(v));
	it = NULL;
	while (!st && xos_json_next(l->doc, &it, &key, &v))
		if (strcmp(key, "subject") != 0 && strcmp(key, "context") != 0)
			xos_json_set(plain, key, xos_json_copy(v));
	xos_json_set(plain, "subject", who);
	xos_json_set(plain, "context", rest);
	if (!st)
		st = xos_json_dump(plain, &text, err);
	if (!st)
		st = xos_decision_request_decode(xos_buf_bytes(&text), &l->request, err);
	xos_json_free(plain);
	xos_buf_free(&text);
	return st;
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

static enum xos_status take_request(struct xos_policytool_lines *l, int64_t now,
    struct xos_policy_request *req, struct xos_err *err)
{
	const struct xos_json *subject = NULL, *context = NULL;
	if (l->too_long)
		return xos_err_set(err, XOS_LIMIT, "request-too-long",
		    "the line is longer than %u bytes", (unsigned)XOS_DECISION_REQUEST_MAX);
	enum xos_status st = xos_json_parse((struct xos_bytes){(const uint8_t *)l->text, l->n},
	    XOS_DECISION_REQUEST_MAX, &l->doc, err);
	if (!st)
		st = xos_json_as_object(l->doc, err);
	if (!st)
		st = decode_plain(l, err);
	if (st)
		return st;
	*req = *xos_decision_request_get(l->request);
	req->now = now;
	req->subject.auth_mfa = -1;
	st = xos_json_opt_object(l->doc, "context", &context, err);
	if (!st && context)
		st = xos_json_opt_time(context, "now", now, &req->now, err);
	if (!st)
		st = xos_json_get_object(l->doc, "subject", &subject, err);
	return st ? st : take_properties(l, subject, req, err);
}

enum xos_status xos_policytool_lines_request(struct xos_policytool_lines *l, int64_t now,
    struct xos_policy_request *out, struct xos_err *err)
{
	enum xos_status st = take_request(l, now, out, err);
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
	enum xos_status st = xos_policytool_lines_request(l, now, &req, &why);
	if (st)
		return put_error(l, st, &why, out);
	enum xos_status decided = xos_policy_decide(policy, &req, a);
	st = xos_decision_answer_encode(a, &none, out, &why);
	if (st)
		return put_error(l, st, &why, out);
	return decided == XOS_OK ? 0 : decided == XOS_DENIED ? 1 : 3;
}
