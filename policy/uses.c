#include "policy/uses.h"

#include <string.h>

#include "policy/ast.h"

struct walk {
	const struct xos_policy_set *set;
	xos_policy_use_fn fn;
	void *ctx;
};

static bool use_zone(const struct walk *w, const struct xos_policy_clock *clock)
{
	return clock->zone == 0 || clock->zone > w->set->nzones ||
	       w->fn(w->ctx, XOS_POLICY_USES_ZONE, w->set->zones[clock->zone - 1], 0);
}

static bool use_attr(const struct walk *w, const struct xos_policy_attr *attr)
{
	return !attr || !attr->from_context ||
	       w->fn(w->ctx, XOS_POLICY_USES_ATTRIBUTE, attr->name, 0);
}

/* Nesting is bounded by XOS_POLICY_DEPTH_MAX. */
static bool use_cond(
    const struct walk *w, const struct xos_policy_cond *c) // NOLINT(misc-no-recursion)
{
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		for (size_t i = 0; i < c->n; i++)
			if (!use_cond(w, c->u.kids[i]))
				return false;
		return true;
	case XOS_COND_TIME:
		return use_zone(w, &c->u.window.clock);
	case XOS_COND_DATE:
		return use_zone(w, &c->u.dates.clock);
	default:
		return use_attr(w, c->attr);
	}
}

bool xos_policy_statement_uses(
    const struct xos_policy_statement *s, xos_policy_use_fn fn, void *ctx)
{
	const struct walk w = {.set = s->set, .fn = fn, .ctx = ctx};

	if (s->cond && !use_cond(&w, s->cond))
		return false;
	for (size_t i = 0; i < s->ncaps; i++)
		if (!fn(ctx, XOS_POLICY_USES_CAP, xos_policy_cap_info(s->caps[i].cap)->name,
		        s->caps[i].number))
			return false;
	for (size_t i = 0; i < s->nduties; i++)
		if (!fn(ctx, XOS_POLICY_USES_DUTY, s->duties[i].name, 0))
			return false;
	return true;
}

static bool term_reaches(const struct xos_policy_term *t, const char *site, const char *node)
{
	size_t n = strlen(site);

	if (t->kind == XOS_TERM_SITE)
		return strcmp(t->name, site) == 0;
	if (t->kind == XOS_TERM_NODE)
		return strncmp(t->name, site, n) == 0 && t->name[n] == '/' &&
		       strcmp(t->name + n + 1, node) == 0;
	return true;
}

bool xos_policy_statement_reaches(
    const struct xos_policy_statement *s, const char *site, const char *node)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		const struct xos_policy_place *p = &s->places[i];
		size_t k = 0;

		while (k < p->n && term_reaches(&p->terms[k], site, node))
			k++;
		if (k == p->n)
			return true;
	}
	return s->nplaces == 0;
}

bool xos_policy_statement_acts(const struct xos_policy_statement *s, const char *action)
{
	const struct xos_policy_action *a = xos_policy_set_action(s->set, action);

	return a && (s->actions >> a->code & 1);
}

bool xos_policy_attr_goes_with(
    const struct xos_policy_set *set, const char *attr, const char *action)
{
	const struct xos_policy_attr *a = xos_policy_set_attr(set, attr);
	const struct xos_policy_action *act = xos_policy_set_action(set, action);

	if (!a || !act)
		return false;
	return a->code >= XOS_POLICY_ATTR_OWN || ((a->given | a->optional) >> act->code & 1);
}
