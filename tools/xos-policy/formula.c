#include "policytool/formula.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 256u /* more parts than this are not compared with each other */

const struct xos_formula xos_formula_true = {.kind = XOS_FORMULA_TRUE};
const struct xos_formula xos_formula_false = {.kind = XOS_FORMULA_FALSE};

void xos_formula_add(struct xos_formula_list *l, const struct xos_formula *f)
{
	const struct xos_formula **item =
	    f && !l->failed ? xos_policy_memory_grow(l->memory, l->item, l->n, sizeof(*item))
	                    : NULL;
	if (!item) {
		l->failed = true;
		return;
	}
	l->item = item;
	item[l->n++] = f;
}

static void put(const struct xos_formula *f, struct xos_buf *out, bool inner)
{
	bool parens = inner && f->kind == XOS_FORMULA_ANY;
	switch (f->kind) {
	case XOS_FORMULA_FALSE:
		xos_buf_put_str(out, "never");
		return;
	case XOS_FORMULA_TRUE:
		xos_buf_put_str(out, "always");
		return;
	case XOS_FORMULA_TEST:
		xos_buf_put_str(out, f->text);
		return;
	case XOS_FORMULA_ALL:
	case XOS_FORMULA_ANY:
		break;
	}
	xos_buf_put_str(out, parens ? "(" : "");
	for (size_t i = 0; i < f->n; i++) {
		if (i)
			xos_buf_put_str(out, f->kind == XOS_FORMULA_ALL ? " and " : " or ");
		put(f->kids[i], out, f->kind == XOS_FORMULA_ALL);
	}
	xos_buf_put_str(out, parens ? ")" : "");
}

void xos_formula_text(const struct xos_formula *f, struct xos_buf *out)
{
	put(f, out, false);
}

void xos_formula_tests(
    const struct xos_formula *f, void (*told)(void *arg, const struct xos_formula *test), void *arg)
{
	if (f->kind == XOS_FORMULA_TEST)
		told(arg, f);
	for (size_t i = 0; i < f->n; i++)
		xos_formula_tests(f->kids[i], told, arg);
}

/* A total order by structure: tests by text first, then what is joined. */
static int order(const struct xos_formula *a, const struct xos_formula *b)
{
	if (a == b)
		return 0;
	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	if (a->kind == XOS_FORMULA_TEST)
		return strcmp(a->text, b->text);
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int c = order(a->kids[i], b->kids[i]);
		if (c)
			return c;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static int order_for_sort(const void *a, const void *b)
{
	return order(*(const struct xos_formula *const *)a, *(const struct xos_formula *const *)b);
}

/* The numbers for which a comparison holds, as a closed range. */
static bool range_of(const struct xos_formula *f, int64_t *lo, int64_t *hi)
{
	static const enum xos_policy_cmp flipped[] = {[XOS_CMP_LT] = XOS_CMP_GE,
	    [XOS_CMP_LE] = XOS_CMP_GT,
	    [XOS_CMP_GT] = XOS_CMP_LE,
	    [XOS_CMP_GE] = XOS_CMP_LT};
	const struct xos_policy_cond *c = f->kind == XOS_FORMULA_TEST ? f->cond : NULL;
	if (!c || !(c->op == XOS_COND_NOW ||
	              (c->op == XOS_COND_COMPARE && c->attr->type != XOS_POLICY_STRING)))
		return false;
	enum xos_policy_cmp cmp = c->cmp;
	int64_t v = c->u.numbers[0];
	if (cmp == XOS_CMP_NE || cmp == XOS_CMP_EQ) {
		*lo = *hi = v;
		return (cmp == XOS_CMP_EQ) != f->negated;
	}
	if (f->negated)
		cmp = flipped[cmp];
	*lo = cmp == XOS_CMP_GT ? (v == INT64_MAX ? v : v + 1) : cmp == XOS_CMP_GE ? v : INT64_MIN;
	*hi = cmp == XOS_CMP_LT ? (v == INT64_MIN ? v : v - 1) : cmp == XOS_CMP_LE ? v : INT64_MAX;
	return true;
}

static bool same_number(const struct xos_formula *a, const struct xos_formula *b)
{
	return a->cond && b->cond && a->cond->op == b->cond->op &&
	       (a->cond->op == XOS_COND_NOW ||
	           strcmp(a->cond->attr->name, b->cond->attr->name) == 0);
}

/* Does a, where it holds, make b hold? No is always a safe answer. */
static bool implies(const struct xos_formula *a, const struct xos_formula *b)
{
	int64_t alo, ahi, blo, bhi;
	if (a->kind != XOS_FORMULA_TEST || b->kind != XOS_FORMULA_TEST)
		return false;
	if (strcmp(a->text, b->text) == 0)
		return true;
	/* Whatever is known of a value, it is there. */
	if (b->cond && b->cond->op == XOS_COND_HAS && !b->negated && a->cond &&
	    a->cond->op != XOS_COND_HAS && a->cond->op >= XOS_COND_BOOL &&
	    a->cond->op != XOS_COND_NOW && a->cond->op != XOS_COND_TIME &&
	    a->cond->op != XOS_COND_DATE && strcmp(a->cond->attr->name, b->cond->attr->name) == 0)
		return true;
	return range_of(a, &alo, &ahi) && range_of(b, &blo, &bhi) && same_number(a, b) &&
	       blo <= alo && ahi <= bhi;
}

/* Can both hold? Yes is always a safe answer. */
static bool excludes(const struct xos_formula *a, const struct xos_formula *b)
{
	int64_t alo, ahi, blo, bhi;
	if (a->kind != XOS_FORMULA_TEST || b->kind != XOS_FORMULA_TEST)
		return false;
	if (strcmp(a->text, b->opposite) == 0)
		return true;
	/* There is one home organisation. */
	if (a->home && b->home && !a->negated && !b->negated)
		return strcmp(a->home, b->home) != 0;
	/* What is not there has no value. */
	if (a->cond && b->cond && a->cond->op == XOS_COND_HAS && a->negated && !implies(b, a)) {
		struct xos_formula has = *a;
		has.negated = false;
		has.text = a->opposite;
		if (implies(b, &has))
			return true;
	}
	return range_of(a, &alo, &ahi) && range_of(b, &blo, &bhi) && same_number(a, b) &&
	       (ahi < blo || bhi < alo);
}

/* Is it known in every request that one of the two holds? */
static bool covers(const struct xos_formula *a, const struct xos_formula *b)
{
	return a->kind == XOS_FORMULA_TEST && b->kind == XOS_FORMULA_TEST && a->total &&
	       strcmp(a->text, b->opposite) == 0;
}

/* Part of a join, seen from a test that stands beside it. */
static bool settled(
    enum xos_formula_kind kind, const struct xos_formula *test, const struct xos_formula *part)
{
	return kind == XOS_FORMULA_ALL ? implies(test, part) : implies(part, test);
}

static bool impossible(
    enum xos_formula_kind kind, const struct xos_formula *test, const struct xos_formula *part)
{
	return kind == XOS_FORMULA_ALL ? excludes(test, part) || excludes(part, test)
	                               : covers(test, part);
}

/*
 * `test and (test or x)` is `test`; `test and (opposite or x)` is `test and x`; the same with and and
 * or exchanged. NULL: the part has nothing to add. What it becomes otherwise; failed: out of memory.
 */
static const struct xos_formula *against(struct xos_formula_list *l, enum xos_formula_kind kind,
    const struct xos_formula *test, const struct xos_formula *part)
{
	struct xos_formula_list rest = {.memory = l->memory};
	bool changed = false;
	if (part->kind == XOS_FORMULA_TEST)
		return settled(kind, test, part) ? NULL : part;
	for (size_t i = 0; i < part->n; i++) {
		if (settled(kind, test, part->kids[i]))
			return NULL;
		if (impossible(kind, test, part->kids[i]))
			changed = true;
		else
			xos_formula_add(&rest, part->kids[i]);
	}
	if (!changed)
		return part;
	const struct xos_formula *made = xos_formula_join(part->kind, &rest);
	if (!made)
		l->failed = true;
	return made;
}

/* Compares each part with each test once; true if something changed. */
static bool reduce(struct xos_formula_list *l, enum xos_formula_kind kind, bool *dead)
{
	bool changed = false;
	for (size_t t = 0; t < l->n; t++) {
		if (l->item[t]->kind != XOS_FORMULA_TEST)
			continue;
		for (size_t i = 0; i < l->n && !l->failed; i++) {
			const struct xos_formula *test = l->item[t], *part = l->item[i];
			if (i == t)
				continue;
			if (impossible(kind, test, part)) {
				*dead = true;
				return false;
			}
			const struct xos_formula *now = against(l, kind, test, part);
			if (now == part)
				continue;
			changed = true;
			if (now) {
				l->item[i] = now;
				continue;
			}
			memmove(&l->item[i], &l->item[i + 1], (l->n - i - 1) * sizeof(l->item[0]));
			l->n--;
			t -= i < t;
			i--;
		}
	}
	return changed;
}

static void flatten(struct xos_formula_list *to, const struct xos_formula_list *from,
    enum xos_formula_kind kind, const struct xos_formula *neutral, bool *dead)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct xos_formula *f = from->item[i];
		if (f->kind == neutral->kind)
			continue;
		if (f->kind == XOS_FORMULA_TRUE || f->kind == XOS_FORMULA_FALSE)
			*dead = true;
		else if (f->kind != kind)
			xos_formula_add(to, f);
		for (size_t j = 0; f->kind == kind && j < f->n; j++)
			xos_formula_add(to, f->kids[j]);
	}
}

static void sort_once(struct xos_formula_list *l)
{
	size_t kept = 0;
	if (l->n > 1)
		qsort(l->item, l->n, sizeof(l->item[0]), order_for_sort);
	for (size_t i = 0; i < l->n; i++)
		if (!kept || order(l->item[kept - 1], l->item[i]) != 0)
			l->item[kept++] = l->item[i];
	l->n = kept;
}

const struct xos_formula *xos_formula_join(enum xos_formula_kind kind, struct xos_formula_list *l)
{
	bool all = kind == XOS_FORMULA_ALL, dead = false;
	const struct xos_formula *neutral = all ? &xos_formula_true : &xos_formula_false;
	const struct xos_formula *other = all ? &xos_formula_false : &xos_formula_true;
	struct xos_formula_list parts = {.memory = l->memory, .failed = l->failed};
	flatten(&parts, l, kind, neutral, &dead);
	sort_once(&parts);
	while (!dead && !parts.failed && parts.n <= PAIRS_MAX && reduce(&parts, kind, &dead)) {
		/* What became smaller may now be a test, a constant, or of our own kind. */
		struct xos_formula_list again = {.memory = l->memory};
		flatten(&again, &parts, kind, neutral, &dead);
		sort_once(&again);
		parts = again;
	}
	if (parts.failed)
		return NULL;
	if (dead)
		return other;
	if (parts.n < 2)
		return parts.n ? parts.item[0] : neutral;
	struct xos_formula *f = xos_policy_memory_take(l->memory, sizeof(*f));
	if (f)
		*f = (struct xos_formula){.kind = kind, .kids = parts.item, .n = parts.n};
	return f;
}

const struct xos_formula *xos_formula_pair(struct xos_policy_memory *m, enum xos_formula_kind kind,
    const struct xos_formula *a, const struct xos_formula *b)
{
	struct xos_formula_list l = {.memory = m};
	xos_formula_add(&l, a);
	xos_formula_add(&l, b);
	return xos_formula_join(kind, &l);
}
