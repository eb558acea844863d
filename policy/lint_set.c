/* What single statements give reason to suspect, and permits that a forbid makes pointless. */
#include "policy/lint_set.h"

#include <stdio.h>
#include <string.h>

/* Forbids without condition that permits are held against: more would take time and tell little. */
#define FORBIDS_MAX 64u
/* Longer lists are not compared with themselves, and not more than so many names altogether. */
#define LIST_MAX 16u
#define WORK_MAX 20000000u

static bool within(const char *name, const char *top)
{
	size_t n = strlen(top);
	return strncmp(name, top, n) == 0 && (name[n] == 0 || name[n] == '/');
}

/* Is everybody of b also of a? */
static bool who_covers(const struct xos_policy_set *set, const struct xos_policy_who *a,
    const struct xos_policy_who *b)
{
	if (a->kind == b->kind && (!a->name || strcmp(a->name, b->name) == 0))
		return true;
	if (a->kind == XOS_WHO_NODE || a->kind == XOS_WHO_SERVICE) {
		/* "demo:*" is all of that kind, "demo:data" all "demo:data/...". */
		size_t n = strlen(a->name), star = a->name[n - 1] == '*';
		return a->kind == b->kind &&
		       (star ? strncmp(b->name, a->name, n - 1) == 0 : within(b->name, a->name));
	}
	if (a->kind == XOS_WHO_ANY)
		return set->site
		           ? b->kind != XOS_WHO_LOCAL && b->kind != XOS_WHO_NODE &&
		                 b->kind != XOS_WHO_SERVICE
		           : !b->name || (b->name[0] == '/' ? within(b->name + 1, set->vo)
		                                            : b->kind == XOS_WHO_USER &&
		                                                  strncmp(b->name, set->vo,
		                                                      strlen(set->vo)) == 0 &&
		                                                  b->name[strlen(set->vo)] == ':');
	return a->kind == XOS_WHO_GROUP &&
	       (b->kind == XOS_WHO_GROUP || b->kind == XOS_WHO_EXACTLY) && within(b->name, a->name);
}

/* Is all of b also in a? Each term of a must be one of b. */
static bool place_covers(const struct xos_policy_place *a, const struct xos_policy_place *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;
		for (size_t j = 0; j < b->n && !found; j++) {
			const struct xos_policy_term *x = &a->terms[i], *y = &b->terms[j];
			found = x->kind == y->kind &&
			        (strcmp(x->name, y->name) == 0 ||
			            (x->kind == XOS_TERM_FILE && within(y->name, x->name)));
		}
		if (!found)
			return false;
	}
	return true;
}

static bool covers(
    const struct xos_policy_statement *a, const struct xos_policy_statement *b, size_t *work)
{
	*work += 1 + a->nwhos * b->nwhos + a->nplaces * b->nplaces;
	if (b->actions & ~a->actions || *work > WORK_MAX)
		return false;
	for (size_t i = 0; i < b->nwhos; i++) {
		size_t j = 0;
		while (j < a->nwhos && !who_covers(a->set, &a->whos[j], &b->whos[i]))
			j++;
		if (j == a->nwhos)
			return false;
	}
	for (size_t i = 0; i < b->nplaces && a->nplaces; i++) {
		size_t j = 0;
		while (j < a->nplaces && !place_covers(&a->places[j], &b->places[i]))
			j++;
		if (j == a->nplaces)
			return false;
	}
	return !a->nplaces || b->nplaces;
}

static void lint_forbidden(const struct xos_policy_set *set, struct xos_policy_errors *out)
{
	const struct xos_policy_statement *forbids[FORBIDS_MAX];
	size_t n = 0, work = 0;
	for (size_t i = 0; i < set->n && n < FORBIDS_MAX; i++) {
		const struct xos_policy_statement *s = &set->statements[i];
		if (s->effect == XOS_POLICY_FORBID && !s->shadow && !s->cond)
			forbids[n++] = s;
	}
	for (size_t i = 0; n && i < set->n; i++) {
		const struct xos_policy_statement *s = &set->statements[i];
		struct xos_policy_token at = {.line = s->line, .col = 1};
		size_t j = 0;
		if (s->effect != XOS_POLICY_PERMIT || s->shadow)
			continue;
		while (j < n && !covers(forbids[j], s, &work))
			j++;
		if (j < n)
			xos_lint_tell(out, &at, XOS_LINT_FORBIDDEN_PERMIT,
			    "a forbid always wins: remove one of the two, or say unless",
			    "the forbid on line %u refuses all that this permits",
			    forbids[j]->line);
	}
}

static void lint_lists(const struct xos_policy_statement *s, const struct xos_policy_token *at,
    struct xos_policy_errors *out)
{
	for (size_t i = 0; i < s->nwhos && s->nwhos <= LIST_MAX; i++)
		for (size_t j = 0; j < s->nwhos; j++)
			if (i != j && who_covers(s->set, &s->whos[i], &s->whos[j])) {
				xos_lint_tell(out, at, XOS_LINT_REDUNDANT, "leave the narrower out",
				    "%s is among %s", s->whos[j].name ? s->whos[j].name : "one",
				    s->whos[i].name ? s->whos[i].name : "any");
				return;
			}
	for (size_t i = 0; i < s->nplaces && s->nplaces <= LIST_MAX; i++)
		for (size_t j = 0; j < s->nplaces; j++)
			if (i != j && place_covers(&s->places[i], &s->places[j])) {
				xos_lint_tell(out, at, XOS_LINT_REDUNDANT, "leave the narrower out",
				    "one of the resources contains another");
				return;
			}
}

static void lint_cond(const struct xos_policy_cond *c, const struct xos_policy_token *at,
    struct xos_policy_errors *out)
{
	for (size_t i = 0; c->op <= XOS_COND_NOT && i < c->n; i++)
		lint_cond(c->u.kids[i], at, out);
	for (size_t i = 0; c->op == XOS_COND_LIKE && i < c->n; i++) {
		const char *s = c->u.strings[i];
		if (!s[strcspn(s, "*?")])
			xos_lint_tell(out, at, XOS_LINT_PATTERN,
			    "write ==", "the pattern \"%.80s\" has no '*' or '?'", s);
		else if (s[strspn(s, "*")] == 0)
			xos_lint_tell(out, at, XOS_LINT_PATTERN, "write has",
			    "everything is like \"%.80s\"", s);
	}
	if (c->op == XOS_COND_TIME && c->u.window.days == XOS_POLICY_EVERY_DAY &&
	    c->u.window.start == 0 && c->u.window.end == 1440)
		xos_lint_tell(
		    out, at, XOS_LINT_ALWAYS, "leave it out", "this window is always open");
}

/* Is something of the place, as far as it tells of which kind, what one of the actions is for? */
static bool any_fits(const struct xos_policy_statement *s, const struct xos_policy_place *place)
{
	const struct xos_policy_set *set = s->set;
	char kind[64] = "";
	for (size_t i = 0; i < place->n; i++) {
		const struct xos_policy_term *t = &place->terms[i];
		size_t n = strcspn(t->name, ":");
		if (t->kind == XOS_TERM_JOB)
			snprintf(kind, sizeof(kind), "job");
		else if (t->kind == XOS_TERM_FILE)
			snprintf(kind, sizeof(kind), "file");
		else if ((t->kind == XOS_TERM_KIND || t->kind == XOS_TERM_OBJECT) &&
		         n < sizeof(kind))
			snprintf(kind, sizeof(kind), "%.*s", (int)n, t->name);
	}
	if (!kind[0] || s->actions & ((UINT64_C(1) << XOS_POLICY_ACTION_OWN) - 1))
		return true;
	for (size_t i = 0; i < set->nown_actions; i++)
		if (s->actions >> set->own_actions[i].code & 1 &&
		    xos_policy_own_action_on(set, i, kind))
			return true;
	return false;
}

static void lint_kinds(const struct xos_policy_statement *s, const struct xos_policy_token *at,
    struct xos_policy_errors *out)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		if (any_fits(s, &s->places[i]))
			continue;
		struct xos_buf b;
		xos_buf_init(&b, 200);
		xos_policy_place_print(&b, &s->places[i]);
		const char *place = xos_buf_str(&b);
		xos_lint_tell(out, at, XOS_LINT_NEVER,
		    "the schema of the set says for which kinds an action is",
		    "no action of this statement is about %.100s", place ? place : "this resource");
		xos_buf_free(&b);
	}
}

static bool is_wide(const struct xos_policy_statement *s)
{
	return s->effect == XOS_POLICY_PERMIT && !s->cond && !s->nplaces && s->nwhos &&
	       s->whos[0].kind == XOS_WHO_ANY && !s->shadow &&
	       s->actions == xos_policy_set_all_actions(s->set);
}

static void lint_statement(const struct xos_policy_statement *s, struct xos_policy_errors *out)
{
	struct xos_policy_token at = {.line = s->line, .col = 1};
	bool nowhere;
	const struct xos_policy_cond *test = xos_policy_unguarded(s, &nowhere);
	struct xos_policy_token there = {
	    .line = test ? test->line : 0, .col = test ? test->col : 0};
	if (test)
		xos_lint_tell(out, &there, XOS_LINT_UNGUARDED, "write has ATTRIBUTE and ...",
		    nowhere ? "no action of this statement has %s" : "a request may lack %s",
		    test->attr->name);
	if (xos_policy_never(s))
		xos_lint_tell(out, &at, XOS_LINT_NEVER,
		    "parts of its condition exclude each other, or the actions",
		    "this never applies");
	if (is_wide(s))
		xos_lint_tell(out, &at, XOS_LINT_WIDE_PERMIT, "name a group, actions, or resources",
		    "this permits everything to everybody");
	if (s->effect == XOS_POLICY_FORBID && !s->because)
		xos_lint_tell(out, &at, XOS_LINT_NO_REASON, "write because \"...\" contact \"...\"",
		    "who is refused is not told why");
	lint_kinds(s, &at, out);
	lint_lists(s, &at, out);
	if (s->cond)
		lint_cond(s->cond, &at, out);
}

void xos_lint_statements(const struct xos_policy_set *set, struct xos_policy_errors *out)
{
	for (size_t i = 0; i < set->n; i++)
		lint_statement(&set->statements[i], out);
	lint_forbidden(set, out);
}
