#include "cases/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/text.h"
#include "policy/ast.h"

#define FIELDS_MAX 96u
#define VALUE_MAX 65536u

struct field {
	char *name, *value;
};

enum list { GROUPS, ROLES, HELD, LISTS };

struct xos_cases_ask {
	struct field fields[FIELDS_MAX];
	size_t n;
	/* What the last request borrows. */
	char *text; /* of all values, cut into strings */
	const char **list[LISTS];
	struct xos_policy_value values[XOS_POLICY_VALUES_MAX];
};

static const char *const plain[] = {"subject", "groups", "roles", "held", "home", "auth.method",
    "auth.age", "auth.mfa", "action", "on", "at", "owner", "vo", "now"};

static bool is_plain(const char *name)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(plain[i], name) == 0)
			return true;
	return false;
}

static bool is_list(const char *name)
{
	return strcmp(name, "groups") == 0 || strcmp(name, "roles") == 0 ||
	       strcmp(name, "held") == 0;
}

bool xos_cases_ask_is_field(const char *name)
{
	return is_plain(name) || strchr(name, '.');
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status bad(struct xos_err *err, const char *name, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "ask-field", "%s is %s", name, what);
}

struct xos_cases_ask *xos_cases_ask_new(void)
{
	return calloc(1, sizeof(struct xos_cases_ask));
}

static void drop_made(struct xos_cases_ask *ask)
{
	free(ask->text);
	ask->text = NULL;
	for (size_t i = 0; i < LISTS; i++) {
		free(ask->list[i]);
		ask->list[i] = NULL;
	}
}

void xos_cases_ask_free(struct xos_cases_ask *ask)
{
	if (!ask)
		return;
	drop_made(ask);
	for (size_t i = 0; i < ask->n; i++) {
		free(ask->fields[i].name);
		free(ask->fields[i].value);
	}
	free(ask);
}

static size_t find(const struct xos_cases_ask *ask, const char *name)
{
	size_t i = 0;
	while (i < ask->n && strcmp(ask->fields[i].name, name) != 0)
		i++;
	return i;
}

const char *xos_cases_ask_get(const struct xos_cases_ask *ask, const char *name)
{
	size_t i = find(ask, name);
	return i < ask->n ? ask->fields[i].value : NULL;
}

static void drop(struct xos_cases_ask *ask, const char *name)
{
	size_t i = find(ask, name);
	if (i == ask->n)
		return;
	free(ask->fields[i].name);
	free(ask->fields[i].value);
	ask->n--;
	memmove(&ask->fields[i], &ask->fields[i + 1], (ask->n - i) * sizeof(ask->fields[0]));
}

static enum xos_status store(
    struct xos_cases_ask *ask, const char *name, const char *value, struct xos_err *err)
{
	size_t i = find(ask, name);
	char *copy = strdup(value);
	if (!copy)
		return no_memory(err);
	if (i < ask->n) {
		free(ask->fields[i].value);
		ask->fields[i].value = copy;
		return XOS_OK;
	}
	char *key = ask->n < FIELDS_MAX ? strdup(name) : NULL;
	if (!key) {
		free(copy);
		return ask->n < FIELDS_MAX ? no_memory(err)
		                           : xos_err_set(err, XOS_LIMIT, "ask-fields",
		                                 "more than %u fields", FIELDS_MAX);
	}
	ask->fields[ask->n].name = key;
	ask->fields[ask->n++].value = copy;
	return XOS_OK;
}

struct xos_cases_ask *xos_cases_ask_copy(const struct xos_cases_ask *ask)
{
	struct xos_cases_ask *copy = xos_cases_ask_new();
	for (size_t i = 0; copy && i < ask->n; i++)
		if (store(copy, ask->fields[i].name, ask->fields[i].value, NULL)) {
			xos_cases_ask_free(copy);
			return NULL;
		}
	return copy;
}

/* "a" and "b" of "a:b"; both not empty and short. The buffers are of at least 256 bytes. */
static bool split(const char *s, char mark, char a[256], char b[256])
{
	const char *p = strchr(s, mark);
	size_t n = p ? (size_t)(p - s) : 0;
	if (n == 0 || n > 255 || !p[1] || !xos_str_copy(b, 256, p + 1))
		return false;
	memcpy(a, s, n);
	a[n] = 0;
	return true;
}

static bool is_member(const char *value)
{
	char vo[256], name[256];
	return split(value, ':', vo, name) && xos_name_is_vo(vo) && xos_name_is_member(vo, name);
}

/* "node:demo:n1", "service:demo:data/n1": a member's name has no colon in it. */
static bool is_machine(const char *value)
{
	char vo[256], name[XOS_SERVICE_KIND_MAX + 1 + XOS_NODE_MAX + 2];
	bool node = strncmp(value, "node:", 5) == 0;
	const char *of = node ? value + 5 : strncmp(value, "service:", 8) == 0 ? value + 8 : NULL;
	const char *colon = of ? strchr(of, ':') : NULL;
	if (!colon || !xos_str_printf(vo, sizeof(vo), "%.*s", (int)(colon - of), of) ||
	    !xos_str_copy(name, sizeof(name), colon + 1))
		return false;
	return xos_name_is_vo(vo) && (node ? xos_name_is_node(name) : xos_name_is_service(name));
}

static bool is_at(const char *value)
{
	char site[256], node[256];
	if (!strchr(value, '/'))
		return xos_name_is_site(value);
	return split(value, '/', site, node) && xos_name_is_site(site) && xos_name_is_node(node);
}

static enum xos_status check_resource(const char *value, struct xos_err *err)
{
	const char *name = strchr(value, ':');
	if (!name || name == value || name - value > 31 || !name[1])
		return bad(err, "on", "KIND:NAME, for example node:lab/n1, job:42 or file:/data/x");
	if (strncmp(value, "node:", 5) == 0 && (!strchr(name, '/') || !is_at(name + 1)))
		return bad(err, "a node", "SITE/NODE, for example node:lab/n1");
	if (strncmp(value, "site:", 5) == 0 && !xos_name_is_site(name + 1))
		return bad(err, "a site", "a name of small letters, digits and hyphens");
	if (strncmp(value, "vo:", 3) == 0 && !xos_name_is_vo(name + 1))
		return bad(err, "a VO", "a name of small letters, digits and hyphens");
	return XOS_OK;
}

static enum xos_status check_list(const char *name, const char *value, struct xos_err *err)
{
	bool groups = strcmp(name, "groups") == 0;
	char one[XOS_FQAN_MAX + 2];
	for (const char *p = value; *p;) {
		size_t n = strcspn(p, " \t,");
		if (n > XOS_FQAN_MAX)
			return bad(err, name, "a list of names of at most 255 bytes");
		memcpy(one, p, n);
		one[n] = 0;
		p += n + strspn(p + n, " \t,");
		if (groups ? xos_name_is_group(one) : xos_name_is_role(one))
			continue;
		return xos_err_set(err, XOS_MALFORMED, "ask-field",
		    groups ? "'%s' is no group, for example /demo/physics"
		           : "'%s' is no role, for example /demo/Role=editor",
		    one);
	}
	return XOS_OK;
}

static enum xos_status check_value(const char *name, const char *value, struct xos_err *err)
{
	int64_t v;
	if (is_list(name))
		return check_list(name, value, err);
	if (strcmp(name, "subject") == 0)
		return is_member(value) || is_machine(value) ||
		               (strncmp(value, "local:", 6) == 0 && value[6])
		           ? XOS_OK
		           : bad(err, name,
		                 "VO:MEMBER, for example demo:alice, node:VO:HOST, "
		                 "service:VO:KIND/HOST, or local:ACCOUNT");
	if (strcmp(name, "owner") == 0)
		return is_member(value) ? XOS_OK
		                        : bad(err, name, "VO:MEMBER, for example demo:alice");
	if (strcmp(name, "on") == 0)
		return check_resource(value, err);
	if (strcmp(name, "at") == 0)
		return is_at(value) ? XOS_OK
		                    : bad(err, name, "SITE or SITE/NODE, for example lab/n1");
	if (strcmp(name, "vo") == 0)
		return xos_name_is_vo(value) ? XOS_OK : bad(err, name, "the name of a VO");
	if (strcmp(name, "now") == 0)
		return xos_time_parse(value, &v)
		           ? XOS_OK
		           : bad(err, name, "a time in UTC, for example 2026-12-01T00:00:00Z");
	if (strcmp(name, "auth.age") == 0)
		return xos_duration_parse(value, &v) ? XOS_OK
		                                     : bad(err, name, "a duration, for example 2h");
	if (strcmp(name, "auth.mfa") == 0)
		return strcmp(value, "yes") == 0 || strcmp(value, "no") == 0
		           ? XOS_OK
		           : bad(err, name, "yes or no");
	return XOS_OK;
}

enum xos_status xos_cases_ask_set(
    struct xos_cases_ask *ask, const char *name, const char *value, struct xos_err *err)
{
	if (!xos_cases_ask_is_field(name))
		return xos_err_set(
		    err, XOS_MALFORMED, "ask-field", "'%s' is nothing that a request has", name);
	if (strlen(value) > VALUE_MAX)
		return bad(err, name, "too long");
	if (!value[0] || strcmp(value, "none") == 0) {
		drop(ask, name);
		return XOS_OK;
	}
	enum xos_status st = check_value(name, value, err);
	return st ? st : store(ask, name, value, err);
}

enum xos_status xos_cases_ask_add(
    struct xos_cases_ask *ask, const char *name, const char *value, struct xos_err *err)
{
	const char *before = xos_cases_ask_get(ask, name);
	struct xos_buf both;
	xos_buf_init(&both, VALUE_MAX);
	if (before)
		xos_buf_printf(&both, "%s ", before);
	xos_buf_put_str(&both, value);
	const char *text = xos_buf_str(&both);
	enum xos_status st =
	    text ? xos_cases_ask_set(ask, name, text, err) : bad(err, name, "too long");
	xos_buf_free(&both);
	return st;
}

/* Making the request: every value is copied into one text, which is cut in place. */
struct maker {
	struct xos_cases_ask *ask;
	char *at; /* in ask->text */
	const struct xos_policy *policy;
	struct xos_policy_request *req;
	struct xos_err *err;
};

static char *take(struct maker *m, const char *name)
{
	const char *value = xos_cases_ask_get(m->ask, name);
	char *copy = m->at;
	if (!value)
		return NULL;
	size_t n = strlen(value) + 1;
	memcpy(copy, value, n);
	m->at += n;
	return copy;
}

static char *cut(char *s, char mark)
{
	char *p = s ? strchr(s, mark) : NULL;
	if (!p)
		return NULL;
	*p = 0;
	return p + 1;
}

static enum xos_status make_list(
    struct maker *m, const char *name, enum list which, const char *const **out, size_t *count)
{
	char *text = take(m, name);
	size_t n = 0;
	*count = 0;
	if (!text)
		return XOS_OK;
	const char **list = calloc(strlen(text) / 2 + 2, sizeof(*list));
	if (!list)
		return no_memory(m->err);
	m->ask->list[which] = list;
	char *rest = NULL;
	for (char *one = strtok_r(text, " \t,", &rest); one; one = strtok_r(NULL, " \t,", &rest))
		list[n++] = one;
	*out = list;
	*count = n;
	return XOS_OK;
}

static enum xos_status make_subject(struct maker *m)
{
	struct xos_policy_subject *s = &m->req->subject;
	char *name = take(m, "subject"), *age = take(m, "auth.age"), *mfa = take(m, "auth.mfa");
	int64_t seconds;
	if (!name)
		return xos_err_set(m->err, XOS_MALFORMED, "ask-field", "say who asks: subject");
	s->auth_mfa = mfa ? strcmp(mfa, "yes") == 0 : -1;
	bool machine = is_machine(name);
	s->member = cut(name, ':');
	s->kind = strcmp(name, "local") == 0 ? XOS_SUBJECT_LOCAL : XOS_SUBJECT_MEMBER;
	s->vo = s->kind == XOS_SUBJECT_MEMBER ? name : NULL;
	if (machine) {
		s->kind = strcmp(name, "node") == 0 ? XOS_SUBJECT_NODE : XOS_SUBJECT_SERVICE;
		name = (char *)(uintptr_t)s->member;
		s->member = cut(name, ':');
		s->vo = name;
	}
	s->home = take(m, "home");
	s->auth_method = take(m, "auth.method");
	if (age) {
		if (!xos_duration_parse(age, &seconds) || seconds >= m->req->now)
			return bad(m->err, "auth.age", "longer than the time since 1970");
		s->auth_time = m->req->now - seconds;
	}
	enum xos_status st = make_list(m, "groups", GROUPS, &s->groups, &s->ngroups);
	if (!st)
		st = make_list(m, "roles", ROLES, &s->roles, &s->nroles);
	return st ? st : make_list(m, "held", HELD, &s->held, &s->nheld);
}

static enum xos_status make_resource(struct maker *m)
{
	struct xos_policy_resource *r = &m->req->resource;
	char *on = take(m, "on"), *name = cut(on, ':'), *at = take(m, "at");
	char *owner = take(m, "owner"), *vo = take(m, "vo");
	if (!on)
		return xos_err_set(m->err, XOS_MALFORMED, "ask-field", "say what it is about: on");
	r->kind = on;
	if (strcmp(on, "node") == 0) {
		r->node = cut(name, '/');
		r->site = name;
	} else if (strcmp(on, "site") == 0) {
		r->site = name;
	} else if (strcmp(on, "vo") == 0) {
		r->vo = name;
	} else {
		r->id = name;
	}
	if (at) {
		if (r->site)
			return xos_err_set(m->err, XOS_MALFORMED, "ask-field",
			    "a %s says itself where it is: leave 'at' out", on);
		r->node = cut(at, '/');
		r->site = at;
	}
	if (vo)
		r->vo = vo;
	if (owner) {
		r->owner = cut(owner, ':');
		if (vo && strcmp(vo, owner) != 0)
			return xos_err_set(m->err, XOS_MALFORMED, "ask-field",
			    "the owner is of VO %s and the object of %s", owner, vo);
		r->vo = owner;
	}
	return XOS_OK;
}

static enum xos_status make_values(struct maker *m)
{
	for (size_t i = 0; i < m->ask->n; i++) {
		const char *name = m->ask->fields[i].name;
		struct xos_policy_value *v = &m->ask->values[m->req->nvalues];
		if (is_plain(name))
			continue;
		if (m->req->nvalues == XOS_POLICY_VALUES_MAX)
			return xos_err_set(m->err, XOS_LIMIT, "ask-fields",
			    "more than %u attributes", XOS_POLICY_VALUES_MAX);
		enum xos_status st =
		    xos_policy_value_parse(m->policy, name, take(m, name), v, m->err);
		if (st)
			return st;
		v->name = name;
		m->req->nvalues++;
	}
	m->req->values = m->ask->values;
	return XOS_OK;
}

enum xos_status xos_cases_ask_request(struct xos_cases_ask *ask, const struct xos_policy *policy,
    int64_t now, struct xos_policy_request *out, struct xos_err *err)
{
	struct xos_policy_request req = {.now = now};
	struct maker m = {ask, NULL, policy, &req, err};
	size_t size = 1;
	drop_made(ask);
	for (size_t i = 0; i < ask->n; i++)
		size += strlen(ask->fields[i].value) + 1;
	m.at = ask->text = malloc(size);
	if (!ask->text)
		return no_memory(err);
	const char *time = take(&m, "now");
	if (time && !xos_time_parse(time, &req.now))
		return bad(err, "now", "a time in UTC");
	req.action = take(&m, "action");
	if (!req.action)
		return xos_err_set(err, XOS_MALFORMED, "ask-field", "say what is done: action");
	enum xos_status st = make_subject(&m);
	if (!st)
		st = make_resource(&m);
	if (!st)
		st = make_values(&m);
	if (!st)
		*out = req;
	return st;
}

void xos_cases_ask_text(const struct xos_cases_ask *ask, struct xos_buf *out)
{
	static const char *const inside[] = {"groups", "roles", "held", "home"};
	const char *between = " (", *s = xos_cases_ask_get(ask, "subject");
	xos_buf_put_str(out, s ? s : "?");
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		const char *v = xos_cases_ask_get(ask, inside[i]);
		if (!v)
			continue;
		xos_buf_printf(out, "%s%s %s", between, inside[i], v);
		between = "; ";
	}
	xos_buf_put_str(out, between[0] == ';' ? ") " : " ");
	s = xos_cases_ask_get(ask, "action");
	xos_buf_printf(out, "%s on ", s ? s : "?");
	s = xos_cases_ask_get(ask, "on");
	xos_buf_put_str(out, s ? s : "?");
	for (size_t i = 0; i < ask->n; i++) {
		const char *name = ask->fields[i].name;
		if (strcmp(name, "subject") == 0 || strcmp(name, "action") == 0 ||
		    strcmp(name, "on") == 0 || is_list(name) || strcmp(name, "home") == 0)
			continue;
		xos_buf_printf(out, ", %s %s", name, ask->fields[i].value);
	}
}
