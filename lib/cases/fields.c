/* What one line of a file of cases says. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cases/parser.h"

static const char *const expect_names[XOS_EXPECT_COUNT] = {
    "expect", "by", "not-by", "lacks", "because", "limit", "duty", "unknown", "way-out", "shadow"};

const char *xos_cases_expect_name(enum xos_cases_expect e)
{
	return (unsigned)e < XOS_EXPECT_COUNT ? expect_names[e] : "unknown";
}

enum xos_status xos_cases_fail(struct xos_cases_parser *p, const char *at, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	unsigned col =
	    at >= p->text && at < p->text + sizeof(p->text) ? (unsigned)(at - p->text) + 1 : 1;
	return xos_err_set(p->err, XOS_MALFORMED, "cases-malformed", "%s:%u:%u: %s", p->cases->path,
	    p->line ? p->line : 1, col, text);
}

enum xos_status xos_cases_no_memory(struct xos_cases_parser *p)
{
	return xos_err_set(p->err, XOS_INTERNAL, "memory", "out of memory");
}

void xos_cases_draft_clear(struct xos_cases_draft *d)
{
	xos_cases_ask_free(d->ask);
	for (size_t i = 0; i < d->nexpected; i++)
		free(d->expected[i].text);
	*d = (struct xos_cases_draft){.ask = NULL};
}

bool xos_cases_draft_copy(struct xos_cases_draft *to, const struct xos_cases_draft *from)
{
	*to = (struct xos_cases_draft){.ask = xos_cases_ask_copy(from->ask)};
	if (!to->ask)
		return false;
	memcpy(to->delegations, from->delegations, sizeof(to->delegations));
	to->ndelegations = from->ndelegations;
	for (size_t i = 0; i < from->nexpected; i++) {
		to->expected[i] = from->expected[i];
		to->expected[i].text = strdup(from->expected[i].text);
		if (!to->expected[i].text)
			return false;
		to->nexpected++;
	}
	return true;
}

/* A name in the file, as a path from where we stand. */
char *xos_cases_beside(const struct xos_cases_parser *p, const char *name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(p->cases->path, '/');
	if (name[0] == '/' || !slash)
		return strdup(name);
	if (!xos_str_printf(
	        path, sizeof(path), "%.*s/%s", (int)(slash - p->cases->path), p->cases->path, name))
		return NULL;
	return strdup(path);
}

enum xos_status xos_cases_add_string(struct xos_cases_parser *p, char ***list, size_t *n, char *s)
{
	char **more = s ? reallocarray(*list, *n + 1, sizeof(*more)) : NULL;
	if (!more) {
		free(s);
		return xos_cases_no_memory(p);
	}
	*list = more;
	more[(*n)++] = s;
	return XOS_OK;
}

char *xos_cases_skip(char *s)
{
	return s + strspn(s, " \t");
}

void xos_cases_trim(char *s)
{
	size_t n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = 0;
}

/* The next piece of a list that commas or blanks divide; NULL at the end. */
char *xos_cases_piece(char **at, const char *marks)
{
	char *s = *at + strspn(*at, marks);
	if (!*s)
		return NULL;
	char *end = s + strcspn(s, marks);
	*at = *end ? end + 1 : end;
	*end = 0;
	xos_cases_trim(s);
	return s;
}

static enum xos_status expect_one(
    struct xos_cases_parser *p, struct xos_cases_draft *d, enum xos_cases_expect what, char *text)
{
	if (d->nexpected == XOS_CASES_EXPECTED_MAX)
		return xos_cases_fail(
		    p, text, "more than %u expectations in one case", XOS_CASES_EXPECTED_MAX);
	if (what == XOS_EXPECT_DECISION) {
		if (strcmp(text, "permit") != 0 && strcmp(text, "deny") != 0 &&
		    strcmp(text, "undecided") != 0)
			return xos_cases_fail(
			    p, text, "expect is permit, deny or undecided, not '%s'", text);
		for (size_t i = 0; i < d->nexpected; i++)
			if (d->expected[i].what == what)
				return xos_cases_fail(p, text, "expect stands here twice");
	}
	char *copy = strdup(text);
	if (!copy)
		return xos_cases_no_memory(p);
	struct xos_cases_expected *e = &d->expected[d->nexpected++];
	e->what = what;
	e->text = copy;
	e->line = p->line;
	return XOS_OK;
}

/* "expect deny by demo@no-students": the short form for one line. */
static enum xos_status expect_decision(
    struct xos_cases_parser *p, struct xos_cases_draft *d, char *text)
{
	char *rest = text + strcspn(text, " \t");
	if (*rest) {
		*rest = 0;
		rest = xos_cases_skip(rest + 1);
	}
	enum xos_status st = expect_one(p, d, XOS_EXPECT_DECISION, text);
	if (st || !*rest)
		return st;
	if (strncmp(rest, "by", 2) != 0 || !strchr(" \t", rest[2]) || !rest[2])
		return xos_cases_fail(
		    p, rest, "after the decision comes 'by STATEMENT' or nothing");
	rest += 3;
	for (char *s; !st && (s = xos_cases_piece(&rest, " \t,"));)
		st = expect_one(p, d, XOS_EXPECT_BY, s);
	return st;
}

static enum xos_status expect_field(
    struct xos_cases_parser *p, struct xos_cases_draft *d, enum xos_cases_expect what, char *value)
{
	enum xos_status st = XOS_OK;
	if (what == XOS_EXPECT_DECISION)
		return expect_decision(p, d, value);
	if (what == XOS_EXPECT_BECAUSE)
		return expect_one(p, d, what, value);
	bool labels = what == XOS_EXPECT_BY || what == XOS_EXPECT_NOT_BY ||
	              what == XOS_EXPECT_SHADOW || what == XOS_EXPECT_WAY_OUT;
	for (char *s; !st && (s = xos_cases_piece(&value, labels ? " \t," : ","));)
		st = expect_one(p, d, what, xos_cases_skip(s));
	return st;
}

static enum xos_status take_delegations(
    struct xos_cases_parser *p, struct xos_cases_draft *d, char *value)
{
	enum xos_status st = XOS_OK;
	for (char *s; !st && (s = xos_cases_piece(&value, " \t,"));) {
		struct xos_cases *c = p->cases;
		char *path = xos_cases_beside(p, s);
		size_t i = 0;
		while (path && i < c->ndelegations && strcmp(c->delegations[i], path) != 0)
			i++;
		if (d->ndelegations == XOS_CASES_DELEGATIONS_MAX) {
			free(path);
			return xos_cases_fail(
			    p, s, "more than %u delegations", XOS_CASES_DELEGATIONS_MAX);
		}
		if (i == c->ndelegations)
			st = xos_cases_add_string(p, &c->delegations, &c->ndelegations, path);
		else
			free(path);
		d->delegations[d->ndelegations++] = i;
	}
	return st;
}

enum xos_status xos_cases_set(struct xos_cases_parser *p, struct xos_cases_draft *d, const char *at,
    const char *name, const char *value)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_cases_ask_set(d->ask, name, value, &why);
	return st == XOS_MALFORMED || st == XOS_LIMIT ? xos_cases_fail(p, at, "%s", why.text)
	       : st                                   ? xos_cases_no_memory(p)
	                                              : XOS_OK;
}

/* "subject bob" takes over what was said of bob. */
static enum xos_status take_person(
    struct xos_cases_parser *p, struct xos_cases_draft *d, const char *at, const char *name)
{
	static const char *const fields[] = {
	    "subject", "groups", "roles", "held", "home", "auth.method", "auth.age", "auth.mfa"};
	const struct xos_cases_person *who = NULL;
	enum xos_status st = XOS_OK;
	for (size_t i = 0; i < p->cases->npeople; i++)
		if (strcmp(p->cases->people[i].name, name) == 0)
			who = &p->cases->people[i];
	if (!who)
		return xos_cases_fail(p, at,
		    "no subject '%s' was described above; write 'subject %s' with lines below it, "
		    "or VO:MEMBER",
		    name, name);
	for (size_t i = 0; !st && i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *v = xos_cases_ask_get(who->ask, fields[i]);
		st = xos_cases_set(p, d, at, fields[i], v ? v : "none");
	}
	return st;
}

enum xos_status xos_cases_take(struct xos_cases_parser *p, struct xos_cases_draft *d,
    const char *at, const char *name, char *value)
{
	for (unsigned e = 0; e < XOS_EXPECT_COUNT; e++)
		if (strcmp(expect_names[e], name) == 0)
			return p->block == IN_CASE
			           ? expect_field(p, d, (enum xos_cases_expect)e, value)
			           : xos_cases_fail(p, at, "'%s' stands in a case", name);
	if (strcmp(name, "delegation") == 0)
		return take_delegations(p, d, value);
	if (strcmp(name, "subject") == 0 && !strchr(value, ':') && strcmp(value, "none") != 0)
		return take_person(p, d, value, value);
	if (!xos_cases_ask_is_field(name))
		return xos_cases_fail(
		    p, at, "'%s' is nothing that a case says; xos-policy(1) lists all", name);
	return xos_cases_set(p, d, value, name, value);
}
