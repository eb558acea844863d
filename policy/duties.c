/* Duties of a policy, numbered when it is made: two are alike if they have one number, so that a
 * decision compares none of them. */
#include <stdlib.h>
#include <string.h>

#include "policy/index.h"

struct listed {
	const struct xos_policy_duty_value *duty;
	uint32_t *number;
};

static int duty_order(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int c = strcmp(x->duty->name, y->duty->name);
	if (c)
		return c;
	if (!x->duty->arg || !y->duty->arg)
		return !!x->duty->arg - !!y->duty->arg;
	return strcmp(x->duty->arg, y->duty->arg);
}

static size_t count_duties(const struct xos_policy_set *set)
{
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++)
		n += set->statements[i].nduties;
	return n;
}

/* Room for the numbers of one set, and what they are numbers of. */
static bool list_duties(
    struct xos_policy *p, struct xos_policy_scope *s, struct listed *list, size_t *n)
{
	size_t own = count_duties(s->set);
	if (!own)
		return true;
	uint32_t *first = xos_policy_memory_take(p->memory, s->set->n * sizeof(*first));
	uint32_t *numbers = xos_policy_memory_take(p->memory, own * sizeof(*numbers));
	if (!first || !numbers)
		return false;
	s->duties = first;
	s->duty_numbers = numbers;
	for (size_t i = 0, at = 0; i < s->set->n; i++) {
		const struct xos_policy_statement *st = &s->set->statements[i];
		first[i] = (uint32_t)at;
		for (size_t j = 0; j < st->nduties; j++, at++)
			list[(*n)++] = (struct listed){&st->duties[j], &numbers[at]};
	}
	return true;
}

bool xos_policy_number_duties(struct xos_policy *p)
{
	size_t all = 0, n = 0;
	bool ok = true;
	for (size_t i = 0; i < p->n; i++)
		all += count_duties(p->scopes[i].set);
	struct listed *list = malloc((all + 1) * sizeof(*list));
	if (!list)
		return false;
	for (size_t i = 0; ok && i < p->n; i++)
		ok = list_duties(p, &p->scopes[i], list, &n);
	if (ok && n)
		qsort(list, n, sizeof(*list), duty_order);
	for (size_t i = 0; ok && i < n; i++) {
		p->nduties += i == 0 || duty_order(&list[i - 1], &list[i]) != 0;
		*list[i].number = p->nduties - 1;
	}
	free(list);
	return ok;
}
