/* Statements: permit, forbid, limit, duty, check. */
#include <stdlib.h>
#include <string.h>

#include "policy/parser.h"

#define DUTIES_MAX 16u

static const char *cap_word(size_t i)
{
	return i < XOS_CAP_COUNT ? xos_policy_cap_info((enum xos_policy_cap)i)->name : NULL;
}

static bool parse_names(struct xos_policy_parser *p, struct xos_policy_cap_value *v)
{
	if (!xos_parser_expect(p, "in", "write account_class in {pool, staff}") ||
	    !xos_parser_expect(p, "{", "write account_class in {pool, staff}"))
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
		    "'%.*s' cannot be limited", (int)(p->t.len < 40 ? p->t.len : 40), p->t.text);
	for (size_t i = 0; i < s->ncaps; i++)
		if (s->caps[i].cap == v.cap)
			return xos_parser_error(p, NULL, NULL, "%s is limited twice", p->word);
	xos_parser_next(p);
	const struct xos_policy_cap_info *info = xos_policy_cap_info(v.cap);
	if (info->type == XOS_POLICY_STRING) {
		if (!parse_names(p, &v))
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
		    (int)(p->t.len < 40 ? p->t.len : 40), p->t.text);
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

static bool parse_tail(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	static const char end[] =
	    "a statement ends with ';'; it may have when, unless, because and contact";
	bool check = s->effect == XOS_POLICY_CHECK;
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
		else if (xos_parser_is(p, "{"))
			ok = parse_block(p, s);
		else if (xos_parser_is(p, "on"))
			ok = xos_parser_error(p, NULL, "order: who, action, on, conditions",
			    "'on change' is not supported yet, and 'on RESOURCE' stands after the "
			    "action");
		else
			break;
		if (!ok)
			return false;
	}
	if (xos_parser_accept(p, ";") || ((s->ncaps || s->nduties) && p->after_brace))
		return true;
	return xos_parser_expect(p, ";", end);
}

static bool parse_head(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	bool delegation = p->set->level == XOS_POLICY_DELEGATION;
	bool narrowing = s->effect != XOS_POLICY_PERMIT;
	s->actions = UINT64_MAX;
	if (s->effect == XOS_POLICY_CHECK)
		return xos_parser_cond(p, &s->cond);
	if (delegation && xos_parser_starts_who(p))
		return xos_parser_error(p, NULL, "it binds whoever holds the delegation",
		    "a delegation does not say who");
	if (!delegation) {
		s->whos = xos_policy_memory_take(p->set->memory, sizeof(*s->whos));
		if (!s->whos)
			return xos_parser_memory(p);
		s->nwhos = 1;
		if (!xos_parser_who(p, s->whos))
			return false;
	}
	if (xos_parser_accept(p, "action")) {
		if (!xos_parser_actions(p, narrowing, &s->actions))
			return false;
	} else if (!delegation) {
		return xos_parser_expect(p, "action", "write action job.submit, or action any");
	}
	if (!xos_parser_accept(p, "on"))
		return true;
	s->places = xos_policy_memory_take(p->set->memory, sizeof(*s->places));
	if (!s->places)
		return xos_parser_memory(p);
	if (!xos_parser_place(p, s->places))
		return false;
	s->nplaces = s->places->n != 0;
	return true;
}

static bool parse_effect(struct xos_policy_parser *p, enum xos_policy_effect *effect)
{
	for (unsigned e = XOS_POLICY_PERMIT; e <= XOS_POLICY_CHECK; e++) {
		if (!xos_parser_accept(p, xos_policy_effect_name((enum xos_policy_effect)e)))
			continue;
		*effect = (enum xos_policy_effect)e;
		return true;
	}
	return xos_parser_error(p, NULL, "write shadow forbid ...",
	    "'shadow' stands before permit, forbid, limit, duty or check");
}

static bool parse_id(struct xos_policy_parser *p, struct xos_policy_statement *s)
{
	if (p->t.kind != XOS_TOKEN_ID)
		return true;
	if (!xos_policy_word_ok(p->word))
		return xos_parser_error(p, NULL, "letters, digits, '.', '_' and '-', at most 63",
		    "'@%.60s' is not an id", p->word);
	s->id = xos_parser_keep(p);
	if (!s->id)
		return false;
	xos_parser_next(p);
	return true;
}

static bool complete(
    struct xos_policy_parser *p, struct xos_policy_statement *s, const struct xos_policy_token *at)
{
	const char *hint = NULL;
	if ((s->effect == XOS_POLICY_LIMIT && !s->ncaps) ||
	    (s->effect == XOS_POLICY_DUTY && !s->nduties))
		return xos_parser_error(p, at, "write limit ... { wall <= 24h; }",
		    "a %s needs its { }", xos_policy_effect_name(s->effect));
	if (xos_policy_cond_depth(s->cond) > XOS_POLICY_DEPTH_MAX)
		return xos_parser_error(p, at, "split it into several statements",
		    "conditions nested deeper than %u", XOS_POLICY_DEPTH_MAX);
	s->set = p->set;
	const char *problem = xos_policy_statement_check(s, &hint);
	return !problem || xos_parser_error(p, at, hint, "%s", problem);
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
