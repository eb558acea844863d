/* Limits meet, duties unite, of what running work shall do the strictest counts. */
#include <string.h>

#include "policy/run.h"

void *xos_run_more(struct xos_run *r, void *old, size_t n, size_t size)
{
	void *p = xos_policy_memory_grow(r->memory, old, n, size);
	if (!p)
		r->failed = true;
	return p;
}

static void merge_names(struct xos_run *r, struct xos_policy_limit *l,
    const struct xos_policy_cap_value *v, const struct xos_policy_statement *s)
{
	size_t n = 0;
	if (!l->from) {
		*l = (struct xos_policy_limit){
		    .cap = XOS_CAP_ACCOUNT_CLASS, .from = s, .names = v->names, .nnames = v->n};
		return;
	}
	/* One list for all that meet: what is kept stands before what is still to be read. */
	if (!r->classes)
		r->classes = xos_policy_memory_take(
		    r->memory, XOS_POLICY_VALUES_IN_SET * sizeof(*r->classes));
	if (!r->classes) {
		r->failed = true;
		return;
	}
	/* Both are sorted. */
	for (size_t i = 0, j = 0; i < l->nnames && j < v->n;) {
		int c = strcmp(l->names[i], v->names[j]);
		if (c == 0)
			r->classes[n++] = l->names[i];
		i += c <= 0;
		j += c >= 0;
	}
	if (n < l->nnames)
		l->from = s;
	l->names = r->classes;
	l->nnames = n;
}

static void merge_sets(struct xos_run *r, const struct xos_level *level,
    const struct xos_policy_statement *s, bool unknown)
{
	for (size_t i = 0; i < s->ncaps; i++) {
		struct xos_policy_limit *l = &r->limits[s->caps[i].cap];
		const struct xos_policy_statement *before = l->from;
		if (!xos_policy_cap_is_set(s->caps[i].cap))
			continue;
		if (s->caps[i].cap != XOS_CAP_ACCOUNT_CLASS) {
			xos_merge_networks(r, l, &s->caps[i], s);
		} else {
			r->class_unknown |= unknown;
			merge_names(r, l, &s->caps[i], s);
			xos_merge_change(&r->class_change, s);
		}
		if (l->from != before)
			l->level = level->verdict->level;
	}
}

/* Of the rest of one nothing is set until it has a `from`. */
static bool make_limits(struct xos_run *r)
{
	r->limits = xos_policy_memory_raw(r->memory, XOS_CAP_COUNT * sizeof(*r->limits));
	r->failed |= !r->limits;
	for (size_t i = 0; r->limits && i < XOS_CAP_COUNT; i++)
		r->limits[i].from = NULL;
	return r->limits;
}

void xos_merge_limit(struct xos_run *r, const struct xos_level *level, const struct xos_rule *rule,
    const struct xos_policy_statement *s, bool unknown)
{
	if (!r->limits && !make_limits(r))
		return;
	const struct xos_cap_number *c = &r->eval.set->numbers[rule->numbers];
	for (unsigned i = 0; i < rule->nnumbers; i++) {
		struct xos_policy_limit *l = &r->limits[c[i].cap];
		if (l->from && c[i].number >= l->number)
			continue;
		*l = (struct xos_policy_limit){.cap = (enum xos_policy_cap)c[i].cap,
		    .number = c[i].number,
		    .from = s,
		    .level = level->verdict->level};
	}
	if (rule->flags & XOS_RULE_CLASSES)
		merge_sets(r, level, s, unknown);
}

void xos_merge_duties(struct xos_run *r, const struct xos_policy_statement *s)
{
	const struct xos_policy_scope *of = r->scope;
	const uint32_t *number = of->duty_numbers + of->duties[s - of->set->statements];
	if (r->again)
		return;
	if (!r->have_duties)
		r->have_duties = xos_policy_memory_take(
		    r->memory, ((size_t)r->policy->nduties + 63) / 64 * sizeof(uint64_t));
	if (!r->have_duties) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < s->nduties; i++) {
		uint64_t *bits = &r->have_duties[number[i] / 64];
		uint64_t bit = UINT64_C(1) << number[i] % 64;
		if (*bits & bit)
			continue;
		struct xos_policy_duty *p = xos_run_more(r, r->duties, r->nduties, sizeof(*p));
		if (!p)
			return;
		*bits |= bit;
		r->duties = p;
		p[r->nduties++] = (struct xos_policy_duty){s->duties[i].name, s->duties[i].arg, s};
	}
}

void xos_merge_changes(struct xos_policy_on_change *to, const struct xos_policy_on_change *from)
{
	if (from->change > to->change ||
	    (from->change == XOS_CHANGE_STOP && to->change == XOS_CHANGE_STOP &&
	        from->after < to->after))
		*to = *from;
}

void xos_merge_change(struct xos_policy_on_change *to, const struct xos_policy_statement *s)
{
	struct xos_policy_on_change one = {s->change, s->change_after, s};
	if (s->change != XOS_CHANGE_NONE)
		xos_merge_changes(to, &one);
}
