/* Statements: permit, forbid, limit, duty, check, delegate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

#define DUTIES_MAX 16u

static const char *cap_word(size_t i)
{
	return i < XOS_CAP_COUNT ? xos_policy_cap_info((enum xos_policy_cap)i)->name : NULL;
}

/* A named set of strings, which here must be names. */
static bool take_names(struct xos_policy_parser *p, struct xos_policy_cap_value *v)
{
	const struct xos_names *from = xos_parser_named(p, XOS_NAMES_STRINGS);
	if (!from)
		return false;
	for (size_t i = 0; i < from->n; i++)
		if (!xos_policy_word_ok(from->u.strings[i]))
			return xos_parser_error(p, NULL, NULL, "'%.60s' of $%.60s is not a name",
			    from->u.strings[i], from->name);
	v->names = from->u.strings;
	v->n = from->n;
	xos_parser_next(p);
	return true;
}

static bool parse_names(struct xos_policy_parser *p, struct xos_policy_cap_value *v)
{
	if (!xos_parser_expect(p, "in", "write account_class in {pool, staff}"))
		return false;
	if (p->t.kind == XOS_TOKEN_NAME)
		return take_names(p, v);
	if (!xos_parser_expect(p, "{", "write account_class in {pool, staff}"))
		return false;
	do {
		if (v->n == XOS_POLICY_VALUES_IN_SET)
			return xos_parser_error(p, NULL, NULL, "more than %u names in one set",
			    XOS_POLICY_VALUES_IN_SET);
		if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_word_ok(p->word))
			return xos_parser_error(p, NULL, NULL, "'%.60s' is not a name", p->word);
		v->names =
		    xos_policy_memory_grow(p->set->memory, v->names, v->n, sizeof(*v->names));
		if (!v->names)
			return xos_parser_memory(p);
		v->names[v->n] = xos_parser_keep(p);
		if (!v->names[v->n++])
			return false;
		xos_parser_next(p);
	} while (xos_parser_accept(p, ","));
	qsort(v->names, v->n, sizeof(*v->names), xos_policy_string_order);
	for (size_t i = 1; i < v->n; i++)
		if (strcmp(v->names[i - 1], v->names[i]) == 0)
			return xos_parser_error(
			    p, NULL, NULL, "'%s' twice in one set", v->names[i]);
	return xos_parser_expect(p, "}", "names are separated by commas");
}

static bool parse_cap(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	char hint[80];
	struct xos_policy_cap_value v = {0};
	struct xos_policy_token at = p->t;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_cap_find(p->word, &v.cap))
		return xos_parser_error(p, NULL,
		    xos_parser_suggest(hint, sizeof(hint), p->word,
		        "`xos-policy schema` lists the caps", cap_word),
		    "'%.*s' cannot be limited", xos_parser_shown(p), xos_parser_text(p));
	for (size_t i = 0; i < s->ncaps; i++)
		if (s->caps[i].cap == v.cap)
			return xos_parser_error(p, NULL, NULL, "%s is limited twice", p->word);
	xos_parser_next(p);
	const struct xos_policy_cap_info *info = xos_policy_cap_info(v.cap);
	if (xos_policy_cap_is_set(v.cap)) {
		if (info->type == XOS_POLICY_IP ? !xos_parser_networks(p, &v) : !parse_names(p, &v))
			return false;
	} else {
		if (!xos_parser_expect(p, "<=", "write wall <= 24h") ||
		    !xos_parser_number(p, info->type, &v.number))
			return false;
		if (v.number == 0)
			return xos_parser_error(p, &at, "use forbid", "a limit of nothing");
	}
	struct xos_policy_cap_value *caps =
	    xos_policy_memory_grow(p->set->memory, s->caps, s->ncaps, sizeof(v));
	if (!caps)
		return xos_parser_memory(p);
	s->caps = caps;
	caps[s->ncaps++] = v;
	return true;
}

static bool parse_duty(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	struct xos_policy_duty_value v = {0};
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_word_ok(p->word) || s->nduties == DUTIES_MAX)
		return xos_parser_error(p, NULL, "write duty ... { notify \"ops@demo\"; }",
		    "expected the name of a duty (at most %u), found '%.*s'", DUTIES_MAX,
		    xos_parser_shown(p), xos_parser_text(p));
	v.name = xos_parser_keep(p);
	if (!v.name)
		return false;
	xos_parser_next(p);
	if (p->t.kind == XOS_TOKEN_STRING &&
	    !xos_parser_string(p, XOS_POLICY_STRING_MAX, "what the duty is about", &v.arg))
		return false;
	struct xos_policy_duty_value *duties =
	    xos_policy_memory_grow(p->set->memory, s->duties, s->nduties, sizeof(v));
	if (!duties)
		return xos_parser_memory(p);
	s->duties = duties;
	duties[s->nduties++] = v;
	return true;
}

static int cap_order(const void *a, const void *b)
{
	const struct xos_policy_cap_value *x = a, *y = b;
	return (int)x->cap - (int)y->cap;
}

static bool parse_block(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	bool limit = s->effect == XOS_POLICY_LIMIT;
	if (!limit && s->effect != XOS_POLICY_DUTY)
		return xos_parser_error(p, NULL, "did you mean limit?", "a %s has no { }",
		    xos_policy_effect_name(s->effect));
	if (s->ncaps || s->nduties)
		return xos_parser_error(p, NULL, NULL, "a second { } in one statement");
	xos_parser_next(p);
	do {
		if (limit ? !parse_cap(p, s) : !parse_duty(p, s))
			return false;
	} while (xos_parser_accept(p, ";") && !xos_parser_is(p, "}"));
	if (s->ncaps)
		qsort(s->caps, s->ncaps, sizeof(*s->caps), cap_order);
	return xos_parser_expect(p, "}", "parts of a block end with ';'");
}

static bool parse_condition(
    struct xos_policy_parser *p, struct xos_policy_statement *s, bool unless)
{
	struct xos_policy_cond *c;
	if (!xos_parser_cond(p, &c))
		return false;
	if (unless && !(c = xos_parser_cond_not(p, c)))
		return false;
	s->cond = xos_parser_cond_join(p, XOS_COND_AND, s->cond, c);
	return s->cond != NULL;
}

static bool parse_text(struct xos_policy_parser *p, const char **out, const char *what)
{
	if (*out)
		return xos_parser_error(p, NULL, NULL, "a second %s in one statement", what);
	return xos_parser_string(p, XOS_POLICY_BECAUSE_MAX, what, out);
}

/* After "on", at "change". */
static bool parse_change(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	static const char usage[] = "write on change continue, drain, or stop after 10m";
	bool may = s->effect == XOS_POLICY_PERMIT || s->effect == XOS_POLICY_FORBID ||
	           s->effect == XOS_POLICY_LIMIT || s->effect == XOS_POLICY_CHECK;
	if (!may)
		return xos_parser_error(p, NULL, "write it with permit, forbid, limit or check",
		    "a %s takes nothing away from running work", xos_policy_effect_name(s->effect));
	if (s->change != XOS_CHANGE_NONE)
		return xos_parser_error(p, NULL, NULL, "a second 'on change' in one statement");
	xos_parser_next(p);
	for (unsigned c = XOS_CHANGE_CONTINUE; c <= XOS_CHANGE_STOP; c++) {
		if (!xos_parser_accept(p, xos_policy_change_name((enum xos_policy_change)c)))
			continue;
		s->change = (enum xos_policy_change)c;
		return c != XOS_CHANGE_STOP ||
		       (xos_parser_expect(p, "after", usage) &&
		           xos_parser_number(p, XOS_POLICY_DURATION, &s->change_after));
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	return xos_parser_error(p, NULL, usage, "'%.*s' is not what can be done with running work",
	    xos_parser_shown(p), xos_parser_text(p));
}

static bool parse_on(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	if (xos_parser_is(p, "change"))
		return parse_change(p, s);
	return xos_parser_error(p, NULL, "order: who, action, on, conditions",
	    "'on RESOURCE' stands after the action, 'on change' at the end");
}

static bool parse_tail(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	static const char end[] = "a statement ends with ';'; it may have when, unless, because, "
	                          "contact and on change";
	bool check = s->effect == XOS_POLICY_CHECK;
	if (!check)
		p->nodes = 0; /* lists of the head are bounded by themselves */
	for (;;) {
		bool ok;
		if (!check && xos_parser_accept(p, "when"))
			ok = parse_condition(p, s, false);
		else if (!check && xos_parser_accept(p, "unless"))
			ok = parse_condition(p, s, true);
		else if (xos_parser_accept(p, "because"))
			ok = parse_text(p, &s->because, "because");
		else if (xos_parser_accept(p, "contact"))
			ok = parse_text(p, &s->contact, "contact");
		else if (xos_parser_accept(p, "on"))
			ok = parse_on(p, s);
		else if (xos_parser_is(p, "{"))
			ok = parse_block(p, s);
		else
			break;
		if (!ok)
			return false;
	}
	if (xos_parser_accept(p, ";") || ((s->ncaps || s->nduties) && p->after_brace))
		return true;
	return xos_parser_expect(p, ";", end);
}

/* "node n1, n2" of a site's delegate: the places that the statement is about. */
static bool parse_nodes(struct xos_policy_parser *p, struct xos_names *nodes)
{
	if (!xos_parser_expect(p, "node", "write delegate node n1 action job.submit;"))
		return false;
	do {
		char full[XOS_SITE_MAX + 1 + XOS_NODE_MAX + 1];
		struct xos_policy_token at = p->t;
		struct xos_policy_term term = {.kind = XOS_TERM_NODE};
		struct xos_policy_place place;
		if (p->t.kind == XOS_TOKEN_ERROR)
			return false;
		if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_node(p->word) ||
		    !xos_str_printf(full, sizeof(full), "%s/%s", p->set->name, p->word))
			return xos_parser_error(p, NULL,
			    "its host name in lower case, without the site",
			    "'%.60s' is not the name of a node", p->word);
		if (nodes->n == XOS_POLICY_VALUES_IN_SET)
			return xos_parser_error(p, NULL, NULL,
			    "more than %u nodes in one statement", XOS_POLICY_VALUES_IN_SET);
		term.name = xos_policy_memory_string(p->set->memory, full, strlen(full));
		if (!term.name)
			return xos_parser_memory(p);
		if (!xos_parser_place_make(p, &at, &term, 1, &place))
			return false;
		nodes->u.places = xos_policy_memory_grow(
		    p->set->memory, nodes->u.places, nodes->n, sizeof(place));
		if (!nodes->u.places)
			return xos_parser_memory(p);
		nodes->u.places[nodes->n++] = place;
		xos_parser_next(p);
	} while (xos_parser_accept(p, ","));
	xos_parser_list_end(nodes);
	return true;
}

/* delegate group /demo/physics action ..., or in a site's set delegate node n1 action ... */
static bool parse_delegate(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	struct xos_names nodes = {.kind = XOS_NAMES_PLACES};
	bool site = p->set->level == XOS_POLICY_SITE;
	if (!site && p->set->level != XOS_POLICY_VO)
		return xos_parser_error(p, NULL,
		    "a VO delegates to its groups, a site to its nodes",
		    "delegate belongs into the set of a VO or a site");
	if (site ? !parse_nodes(p, &nodes) : !xos_parser_whos(p, &s->whos, &s->nwhos))
		return false;
	if (!xos_parser_expect(p, "action", "write action job.submit, or action any") ||
	    !xos_parser_actions(p, false, &s->actions))
		return false;
	s->places = nodes.u.places;
	s->nplaces = nodes.n;
	if (!xos_parser_accept(p, "on"))
		return true;
	if (xos_parser_is(p, "change"))
		return parse_change(p, s);
	if (site)
		return xos_parser_error(
		    p, NULL, "say more with when on ...", "the nodes are named already");
	return xos_parser_places(p, &s->places, &s->nplaces);
}

static bool parse_head(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	bool delegation = p->set->level == XOS_POLICY_DELEGATION;
	bool narrowing = s->effect != XOS_POLICY_PERMIT;
	s->actions = XOS_POLICY_ACTION_ALL;
	if (s->effect == XOS_POLICY_CHECK)
		return xos_parser_cond(p, &s->cond);
	if (s->effect == XOS_POLICY_DELEGATE)
		return parse_delegate(p, s);
	if (delegation && xos_parser_starts_who(p))
		return xos_parser_error(p, NULL, "it binds whoever holds the delegation",
		    "a delegation does not say who");
	if (!delegation && !xos_parser_whos(p, &s->whos, &s->nwhos))
		return false;
	if (xos_parser_accept(p, "action")) {
		if (!xos_parser_actions(p, narrowing, &s->actions))
			return false;
	} else if (!delegation) {
		return xos_parser_expect(p, "action", "write action job.submit, or action any");
	}
	if (!xos_parser_accept(p, "on"))
		return true;
	if (xos_parser_is(p, "change"))
		return parse_change(p, s);
	return xos_parser_places(p, &s->places, &s->nplaces);
}

static bool parse_effect(struct xos_policy_parser *p, enum xos_policy_effect *effect)
{
	for (unsigned e = XOS_POLICY_PERMIT; e < XOS_POLICY_EFFECTS; e++) {
		if (!xos_parser_accept(p, xos_policy_effect_name((enum xos_policy_effect)e)))
			continue;
		*effect = (enum xos_policy_effect)e;
		return true;
	}
	return xos_parser_error(p, NULL, "write shadow forbid ...",
	    "'shadow' stands before permit, forbid, limit, duty or check");
}

/* In the use of a template the ids of its statements follow the id of the use. */
static bool keep_id(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	char full[64];
	const char *prefix = p->use ? p->use->id : NULL;
	if (!prefix) {
		s->id = xos_parser_keep(p);
		return s->id != NULL;
	}
	if (!xos_str_printf(full, sizeof(full), "%s.%s", prefix, p->word))
		return xos_parser_error(p, NULL, "take shorter ids",
		    "the id @%.60s.%.60s has more than 63 bytes", prefix, p->word);
	s->id = xos_policy_memory_string(p->set->memory, full, strlen(full));
	return s->id || xos_parser_memory(p);
}

static bool parse_id(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	if (p->t.kind != XOS_TOKEN_ID)
		return true;
	if (!xos_policy_word_ok(p->word))
		return xos_parser_error(p, NULL, "letters, digits, '.', '_' and '-', at most 63",
		    "'@%.60s' is not an id", p->word);
	if (!keep_id(p, s))
		return false;
	xos_parser_next(p);
	return true;
}

/* The same as check.c says, with the name of the attribute. */
static bool tell_unguarded(struct xos_policy_parser *p, const struct xos_policy_statement *s)
{
	char hint[160];
	bool nowhere;
	const struct xos_policy_cond *test = xos_policy_unguarded(s, &nowhere);
	const struct xos_policy_token at = {.line = test->line, .col = test->col};
	const char *name = test->attr->name;
	if (nowhere)
		return xos_parser_error(p, &at, "`xos-policy schema` tells which actions have it",
		    "no action of this statement has %s", name);
	snprintf(hint, sizeof(hint), "write has %s and ..., or not has %s or ...", name, name);
	return xos_parser_error(p, &at, hint, "a request may lack %s", name);
}

static bool whole(struct xos_policy_parser *p, const struct xos_policy_statement *s,
    const struct xos_policy_token *at)
{
	if ((s->effect == XOS_POLICY_LIMIT && !s->ncaps) ||
	    (s->effect == XOS_POLICY_DUTY && !s->nduties))
		return xos_parser_error(p, at, "write limit ... { wall <= 24h; }",
		    "a %s needs its { }", xos_policy_effect_name(s->effect));
	if (xos_policy_cond_depth(s->cond) > XOS_POLICY_DEPTH_MAX)
		return xos_parser_error(p, at, "split it into several statements",
		    "conditions nested deeper than %u", XOS_POLICY_DEPTH_MAX);
	return true;
}

static bool complete(
    struct xos_policy_parser *p, struct xos_policy_statement *s, const struct xos_policy_token *at)
{
	const char *hint = NULL;
	if (!whole(p, s, at))
		return false;
	s->set = p->set;
	const struct xos_policy_cond *test = NULL;
	const char *problem = xos_policy_statement_check(s, &hint, &test);
	if (problem == xos_policy_problem_unguarded)
		return tell_unguarded(p, s);
	const struct xos_policy_token there = {
	    .line = test ? test->line : 0, .col = test ? test->col : 0};
	if (problem)
		return xos_parser_error(p, test ? &there : at, hint, "%s", problem);
	size_t bytes;
	bool within = p->set->pattern_bytes <= XOS_POLICY_PATTERNS_IN_SET;
	(void)xos_policy_patterns_check(s, &bytes, &hint);
	p->set->pattern_bytes += bytes;
	/* Told once. */
	return !within || p->set->pattern_bytes <= XOS_POLICY_PATTERNS_IN_SET ||
	       xos_parser_error(p, at, "say it with places (on file:/...), or with fewer patterns",
	           "the patterns of this set are longer than %u bytes", XOS_POLICY_PATTERNS_IN_SET);
}

bool xos_parser_statement(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_statement s = {.line = p->t.line};
	struct xos_policy_token at = p->t;
	p->nodes = 0;
	s.shadow = xos_parser_accept(p, "shadow");
	if (!parse_effect(p, &s.effect) || !parse_id(p, &s) || !parse_head(p, &s) ||
	    !parse_tail(p, &s))
		return false;
	/* What it means hangs on the arguments, and there are none. */
	if (p->use && p->use->trial) {
		whole(p, &s, &at);
		return true;
	}
	/* Counted even if it is wrong, so that the next ones have their numbers. */
	s.number = (uint32_t)set->n + 1;
	if (set->n == XOS_POLICY_STATEMENTS_MAX)
		return xos_parser_error(
		    p, &at, NULL, "more than %u statements", XOS_POLICY_STATEMENTS_MAX);
	struct xos_policy_statement *list =
	    xos_policy_memory_grow(set->memory, set->statements, set->n, sizeof(s));
	if (!list)
		return xos_parser_memory(p);
	set->statements = list;
	list[set->n++] = s;
	/* A statement that is whole but wrong ends where it ends: nothing to skip. */
	complete(p, &s, &at);
	return true;
}
