/* The tests that conditions are made of. */
#include <stdlib.h>
#include <string.h>

#include "policy/parser.h"

#define new_cond xos_parser_cond_new

static const char *attr_word(size_t i)
{
	size_t n;
	const struct xos_policy_attr *a = xos_policy_attrs(&n);
	return i < n ? a[i].name : NULL;
}

static const struct xos_policy_attr *parse_attr(struct xos_policy_parser *p)
{
	char hint[80];
	const struct xos_policy_attr *a = NULL;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return NULL;
	if (p->t.kind == XOS_TOKEN_WORD)
		a = xos_policy_set_attr(p->set, p->word);
	if (!a) {
		const char *advice = "schema 2 has it: write so after the serial";
		if (!xos_policy_attr_find(p->word, XOS_POLICY_SCHEMA))
			advice = xos_parser_suggest(hint, sizeof(hint), p->word,
			    "`xos-policy schema` lists the attributes", attr_word);
		xos_parser_error(p, NULL, advice, "unknown attribute or test '%.*s'",
		    xos_parser_shown(p), xos_parser_text(p));
		return NULL;
	}
	xos_parser_next(p);
	return a;
}

static bool parse_cmp(struct xos_policy_parser *p, enum xos_policy_cmp *cmp)
{
	static const struct {
		const char *text;
		enum xos_policy_cmp cmp;
	} ops[] = {{"==", XOS_CMP_EQ}, {"!=", XOS_CMP_NE}, {"<", XOS_CMP_LT}, {"<=", XOS_CMP_LE},
	    {">", XOS_CMP_GT}, {">=", XOS_CMP_GE}};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!xos_parser_accept(p, ops[i].text))
			continue;
		*cmp = ops[i].cmp;
		return true;
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	return xos_parser_error(
	    p, NULL, NULL, "expected a comparison (== != < <= > >=), 'in' or 'like'");
}

/* The list that the type of an attribute calls for. */
static struct xos_names list_for(const struct xos_policy_attr *attr)
{
	struct xos_names list = {.kind = XOS_NAMES_NUMBERS, .type = attr->type};
	if (attr->type == XOS_POLICY_STRING)
		list.kind = XOS_NAMES_STRINGS;
	return list;
}

static void take_list(struct xos_policy_cond *c, const struct xos_names *list)
{
	c->n = list->n;
	if (list->kind == XOS_NAMES_PREFIXES)
		c->u.prefixes = list->u.prefixes;
	else if (list->kind == XOS_NAMES_STRINGS)
		c->u.strings = list->u.strings;
	else
		c->u.numbers = list->u.numbers;
}

static struct xos_policy_cond *parse_ip(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_IP);
	struct xos_names list = {.kind = XOS_NAMES_PREFIXES};
	if (!c || !xos_parser_expect(p, "(", "write ip(ctx.src) in 131.254.0.0/16"))
		return NULL;
	struct xos_policy_token at = p->t;
	c->attr = parse_attr(p);
	if (!c->attr)
		return NULL;
	if (c->attr->type != XOS_POLICY_IP) {
		xos_parser_error(p, &at, NULL, "%s is a %s, not an address", c->attr->name,
		    xos_policy_type_name(c->attr->type));
		return NULL;
	}
	if (!xos_parser_expect(p, ")", NULL) ||
	    !xos_parser_expect(p, "in", "write ip(ctx.src) in 131.254.0.0/16"))
		return NULL;
	if (xos_parser_is(p, "{") || p->t.kind == XOS_TOKEN_NAME ? !xos_parser_list(p, &list)
	                                                         : !xos_parser_list_add(p, &list))
		return NULL;
	take_list(c, &list);
	return c;
}

static struct xos_policy_cond *parse_time(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_TIME);
	return c && xos_parser_expect(p, "in", "write time in 08:00-20:00 UTC") &&
	               xos_parser_window(p, &c->u.window)
	           ? c
	           : NULL;
}

static struct xos_policy_cond *parse_date(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_DATE);
	return c &&
	               xos_parser_expect(
	                   p, "in", "write date in 2026-12-24..2027-01-02 Europe/Paris") &&
	               xos_parser_dates(p, &c->u.dates)
	           ? c
	           : NULL;
}

static struct xos_policy_cond *parse_now(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_NOW);
	struct xos_names list = {.kind = XOS_NAMES_NUMBERS, .type = XOS_POLICY_TIME};
	if (!c || !parse_cmp(p, &c->cmp))
		return NULL;
	if (p->t.kind == XOS_TOKEN_NAME) {
		xos_parser_error(p, NULL, "write now < 2026-12-01T00:00Z", "a set, not a moment");
		return NULL;
	}
	if (!xos_parser_list_add(p, &list))
		return NULL;
	take_list(c, &list);
	return c;
}

static struct xos_policy_cond *parse_action(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_ACTION);
	if (!c)
		return NULL;
	bool differs = xos_parser_is(p, "!=");
	if (differs || xos_parser_is(p, "==")) {
		xos_parser_next(p);
		if (!xos_parser_action(p, &c->u.actions))
			return NULL;
		return differs ? xos_parser_cond_not(p, c) : c;
	}
	if (!xos_parser_expect(p, "in", "write action in {job.submit, file.read}"))
		return NULL;
	if (p->t.kind == XOS_TOKEN_NAME)
		return xos_parser_action(p, &c->u.actions) ? c : NULL;
	if (!xos_parser_expect(p, "{", "write action in {job.submit, file.read}"))
		return NULL;
	do {
		if (!xos_parser_action(p, &c->u.actions))
			return NULL;
	} while (xos_parser_accept(p, ","));
	return xos_parser_expect(p, "}", "actions are separated by commas") ? c : NULL;
}

static bool parse_like(struct xos_policy_parser *p, struct xos_policy_cond *c)
{
	struct xos_names list = {.kind = XOS_NAMES_STRINGS};
	if (c->attr->type != XOS_POLICY_STRING)
		return xos_parser_error(p, NULL, "only strings are like a pattern", "%s is a %s",
		    c->attr->name, xos_policy_type_name(c->attr->type));
	xos_parser_next(p);
	c->op = XOS_COND_LIKE;
	if (p->t.kind == XOS_TOKEN_STRING ? !xos_parser_list_add(p, &list)
	                                  : !xos_parser_list(p, &list))
		return false;
	take_list(c, &list);
	return true;
}

static bool parse_comparison(struct xos_policy_parser *p, struct xos_policy_cond *c)
{
	struct xos_names list = list_for(c->attr);
	struct xos_policy_token at = p->t;
	if (xos_parser_accept(p, "in")) {
		c->op = XOS_COND_IN;
		if (!xos_parser_list(p, &list))
			return false;
		take_list(c, &list);
		return true;
	}
	if (xos_parser_is(p, "like"))
		return parse_like(p, c);
	if (!parse_cmp(p, &c->cmp))
		return false;
	if (c->attr->type == XOS_POLICY_STRING && c->cmp != XOS_CMP_EQ && c->cmp != XOS_CMP_NE)
		return xos_parser_error(p, &at, "strings have no order: use ==, !=, in or like",
		    "%s is a string", c->attr->name);
	if (p->t.kind == XOS_TOKEN_NAME)
		return xos_parser_error(p, NULL, "write in $NAME", "a set, not one value");
	if (!xos_parser_list_add(p, &list))
		return false;
	take_list(c, &list);
	return true;
}

static struct xos_policy_cond *parse_attr_test(struct xos_policy_parser *p)
{
	struct xos_policy_token at = p->t;
	const struct xos_policy_attr *attr = parse_attr(p);
	struct xos_policy_cond *c = attr ? new_cond(p, XOS_COND_COMPARE) : NULL;
	if (!c)
		return NULL;
	c->attr = attr;
	if (attr->type == XOS_POLICY_IP) {
		xos_parser_error(p, &at, "write ip(ctx.src) in 131.254.0.0/16",
		    "%s is an address: compare it with ip()", attr->name);
		return NULL;
	}
	if (attr->type != XOS_POLICY_BOOL)
		return parse_comparison(p, c) ? c : NULL;
	c->op = XOS_COND_BOOL;
	if (!xos_parser_is(p, "==") && !xos_parser_is(p, "!="))
		return c;
	int64_t want;
	if (!parse_cmp(p, &c->cmp) || !xos_parser_number(p, XOS_POLICY_BOOL, &want))
		return NULL;
	bool same = c->cmp == XOS_CMP_EQ;
	c->cmp = 0;
	return same == (want != 0) ? c : xos_parser_cond_not(p, c);
}

/* "who in {group /a, user b}" and "on {site:x, tag:y}" are one test for each, joined by "or". */
static struct xos_policy_cond *alternatives(struct xos_policy_parser *p, enum xos_names_kind kind)
{
	struct xos_names list = {.kind = kind};
	struct xos_policy_cond *all = NULL;
	bool who = kind == XOS_NAMES_WHOS;
	if (!xos_parser_list(p, &list))
		return NULL;
	for (size_t i = 0; i < list.n; i++) {
		struct xos_policy_cond *c = new_cond(p, who ? XOS_COND_WHO : XOS_COND_ON);
		if (!c)
			return NULL;
		if (who)
			c->u.who = list.u.whos[i];
		else
			c->u.place = list.u.places[i];
		all = xos_parser_cond_join(p, XOS_COND_OR, all, c);
		if (!all)
			return NULL;
	}
	return all;
}

static struct xos_policy_cond *parse_on(struct xos_policy_parser *p)
{
	if (xos_parser_is(p, "{") || p->t.kind == XOS_TOKEN_NAME)
		return alternatives(p, XOS_NAMES_PLACES);
	struct xos_policy_cond *c = new_cond(p, XOS_COND_ON);
	return c && xos_parser_place(p, &c->u.place) ? c : NULL;
}

static struct xos_policy_cond *parse_who(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_WHO);
	return c && xos_parser_who(p, &c->u.who) ? c : NULL;
}

static struct xos_policy_cond *parse_has(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_HAS);
	return c && (c->attr = parse_attr(p)) ? c : NULL;
}

/* "!=" made a "not" of the test, a list an "or" of several: they stand where it does. */
static void stand(struct xos_policy_cond *c, const struct xos_policy_token *at)
{
	for (size_t i = 0; c->op <= XOS_COND_NOT && i < c->n; i++)
		stand(c->u.kids[i], at);
	c->line = at->line;
	c->col = at->col;
}

bool xos_parser_test(struct xos_policy_parser *p, struct xos_policy_cond **out)
{
	const struct xos_policy_token at = p->t;
	if (xos_parser_starts_who(p))
		*out = parse_who(p);
	else if (xos_parser_accept(p, "who"))
		*out = xos_parser_expect(p, "in", "write who in {group /demo/a, user demo:bob}")
		           ? alternatives(p, XOS_NAMES_WHOS)
		           : NULL;
	else if (xos_parser_accept(p, "on"))
		*out = parse_on(p);
	else if (xos_parser_accept(p, "has"))
		*out = parse_has(p);
	else if (xos_parser_accept(p, "action"))
		*out = parse_action(p);
	else if (xos_parser_accept(p, "ip"))
		*out = parse_ip(p);
	else if (xos_parser_accept(p, "time"))
		*out = parse_time(p);
	else if (xos_parser_accept(p, "date"))
		*out = parse_date(p);
	else if (xos_parser_accept(p, "now"))
		*out = parse_now(p);
	else
		*out = parse_attr_test(p);
	if (!*out)
		return false;
	stand(*out, &at);
	return true;
}
