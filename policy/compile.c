/* From sets to a policy: one scope a set, sorted, counted, never changed afterwards. */
#include <stdlib.h>
#include <string.h>

#include "policy/index.h"

static int compare_scope(
    const struct xos_policy_scope *s, enum xos_policy_level level, const char *name)
{
	if (s->set->level != level)
		return s->set->level < level ? -1 : 1;
	return strcmp(s->set->name, name);
}

static int scope_order(const void *a, const void *b)
{
	const struct xos_policy_scope *x = a, *y = b;
	return compare_scope(x, y->set->level, y->set->name);
}

static enum xos_status check_part(
    const struct xos_policy_set *set, size_t *total, struct xos_err *err)
{
	if (!set || set->level == XOS_POLICY_DELEGATION)
		return xos_err_set(err, XOS_MALFORMED, "policy-level",
		    "a delegation is handed to each decision; it is no part of a policy");
	*total += set->n;
	if (*total > XOS_POLICY_STATEMENTS_MAX)
		return xos_err_set(err, XOS_LIMIT, "policy-too-large",
		    "the sets together have more than %u statements", XOS_POLICY_STATEMENTS_MAX);
	return XOS_OK;
}

static enum xos_status build(
    struct xos_policy *p, const struct xos_policy_part *parts, size_t n, struct xos_err *err)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++) {
		enum xos_status status = check_part(parts[i].set, &total, err);
		if (status != XOS_OK)
			return status;
		struct xos_policy_scope *s = &p->scopes[p->n];
		if (xos_policy_scope_build(s, parts[i].set) != XOS_OK)
			return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
		s->set = xos_policy_set_ref(parts[i].set);
		s->not_before = parts[i].not_before;
		s->not_after = parts[i].not_after;
		p->n++;
	}
	if (p->n)
		qsort(p->scopes, p->n, sizeof(*p->scopes), scope_order);
	for (size_t i = 1; i < p->n; i++)
		if (scope_order(&p->scopes[i - 1], &p->scopes[i]) == 0)
			return xos_err_set(err, XOS_CONFLICT, "policy-twice",
			    "two sets for the %s %s: give one of each",
			    xos_policy_level_name(p->scopes[i].set->level), p->scopes[i].set->name);
	return XOS_OK;
}

enum xos_status xos_policy_new(const struct xos_policy_part *parts, size_t n,
    const struct xos_policy_options *options, struct xos_policy **out, struct xos_err *err)
{
	*out = NULL;
	(void)options; /* zones: a test in a zone is unknown */
	struct xos_policy *p = calloc(1, sizeof(*p));
	if (p) {
		atomic_init(&p->refs, 1);
		p->scopes = calloc(n + 1, sizeof(*p->scopes));
	}
	enum xos_status status = XOS_INTERNAL;
	if (!p || !p->scopes)
		xos_err_set(err, status, "out-of-memory", "out of memory");
	else
		status = build(p, parts, n, err);
	if (status == XOS_OK)
		*out = p;
	else
		xos_policy_unref(p);
	return status;
}

struct xos_policy *xos_policy_ref(struct xos_policy *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void xos_policy_unref(struct xos_policy *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < p->n; i++)
		xos_policy_scope_clear(&p->scopes[i]);
	free(p->scopes);
	free(p);
}

const struct xos_policy_scope *xos_policy_find_scope(
    const struct xos_policy *p, enum xos_policy_level level, const char *name)
{
	size_t lo = 0, hi = p->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_scope(&p->scopes[mid], level, name);
		if (c == 0)
			return &p->scopes[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct xos_policy_set *xos_policy_find_set(
    const struct xos_policy *p, enum xos_policy_level level, const char *name)
{
	const struct xos_policy_scope *s = name ? xos_policy_find_scope(p, level, name) : NULL;
	return s ? s->set : NULL;
}
