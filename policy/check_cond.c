/* Two questions about conditions: is every test of an optional attribute guarded, and can it ever be
 * true? */
#include <string.h>

#include "policy/ast.h"

struct facts { /* what is certain where a part of a condition matters */
	uint64_t actions;
	uint64_t has[XOS_POLICY_ATTRS_MAX / 64];
};

static void learn_has(struct facts *f, const struct xos_policy_attr *attr)
{
	f->has[attr->code / 64] |= UINT64_C(1) << (attr->code % 64);
}

static bool knows(const struct facts *f, const struct xos_policy_attr *attr)
{
	return f->has[attr->code / 64] >> (attr->code % 64) & 1;
}

/*
 * Adds what must hold if c is to be `value`: where it does not hold, c is the opposite for certain
 * and never unknown, so that its neighbours in an "and" (value true) or "or" (value false) do not
 * matter there.
 */
static void learn(struct facts *f, const struct xos_policy_cond *c, bool value)
{
	if (c->op == XOS_COND_NOT) {
		learn(f, c->u.kids[0], !value);
	} else if (c->op == (value ? XOS_COND_AND : XOS_COND_OR)) {
		for (size_t i = 0; i < c->n; i++)
			learn(f, c->u.kids[i], value);
	} else if (c->op == XOS_COND_HAS && value) {
		learn_has(f, c->attr);
	} else if (c->op == XOS_COND_ACTION) {
		f->actions &= value ? c->u.actions : ~c->u.actions;
	}
}

/* The first test of an attribute that is not certain to be there; NULL: there is none. */
static const struct xos_policy_cond *unguarded(
    const struct xos_policy_cond *c, const struct facts *known, bool *nowhere)
{
	if (c->op <= XOS_COND_NOT) {
		struct facts f = *known;
		if (c->op != XOS_COND_NOT)
			learn(&f, c, c->op == XOS_COND_AND);
		for (size_t i = 0; i < c->n; i++) {
			const struct xos_policy_cond *test = unguarded(c->u.kids[i], &f, nowhere);
			if (test)
				return test;
		}
		return NULL;
	}
	if (!c->attr || !known->actions)
		return NULL;
	*nowhere = !(known->actions & (c->attr->given | c->attr->optional));
	if (*nowhere)
		return c;
	if (c->op == XOS_COND_HAS || knows(known, c->attr) || !(known->actions & ~c->attr->given))
		return NULL;
	return c;
}

const struct xos_policy_cond *xos_policy_unguarded(
    const struct xos_policy_statement *s, bool *nowhere)
{
	struct facts f = {.actions = s->actions};
	bool none = false;
	const struct xos_policy_cond *test = s->cond ? unguarded(s->cond, &f, &none) : NULL;
	if (nowhere)
		*nowhere = none;
	return test;
}

static void count_patterns(const struct xos_policy_cond *c, size_t *bytes, size_t *stars)
{
	if (c->op <= XOS_COND_NOT) {
		for (size_t i = 0; i < c->n; i++)
			count_patterns(c->u.kids[i], bytes, stars);
		return;
	}
	for (size_t i = 0; c->op == XOS_COND_LIKE && i < c->n; i++) {
		size_t n = 0;
		const char *p = c->u.strings[i];
		for (; *p; p++)
			n += *p == '*';
		*bytes += (size_t)(p - c->u.strings[i]);
		*stars = n > *stars ? n : *stars;
	}
}

const char *xos_policy_patterns_check(
    const struct xos_policy_statement *s, size_t *bytes, const char **hint)
{
	size_t stars = 0;
	*bytes = 0;
	if (s->cond)
		count_patterns(s->cond, bytes, &stars);
	if (stars > XOS_POLICY_STARS_MAX) {
		*hint = "at most 8; several patterns say it more clearly";
		return "a pattern with too many stars";
	}
	if (*bytes > XOS_POLICY_PATTERNS_MAX) {
		*hint = "at most 4096 bytes together; split it into several statements";
		return "the patterns of one statement are too long";
	}
	return NULL;
}

struct range { /* of one attribute, or of now */
	const struct xos_policy_cond *test;
	int64_t least, most;
};

/* Keeps of r what the comparison leaves. False: nothing is left. */
static bool narrow(struct range *r, const struct xos_policy_cond *c)
{
	int64_t v = c->u.numbers[0];
	switch (c->cmp) {
	case XOS_CMP_EQ:
		r->least = v > r->least ? v : r->least;
		r->most = v < r->most ? v : r->most;
		break;
	case XOS_CMP_LT:
		if (v == INT64_MIN)
			return false;
		r->most = v - 1 < r->most ? v - 1 : r->most;
		break;
	case XOS_CMP_LE:
		r->most = v < r->most ? v : r->most;
		break;
	case XOS_CMP_GT:
		if (v == INT64_MAX)
			return false;
		r->least = v + 1 > r->least ? v + 1 : r->least;
		break;
	case XOS_CMP_GE:
		r->least = v > r->least ? v : r->least;
		break;
	case XOS_CMP_NE:
	case XOS_CMP_OPS:
		break;
	}
	return r->least <= r->most;
}

#define RANGES 8 /* attributes of one conjunction that are looked at */

/* Do the comparisons of a conjunction leave each number a value? */
static bool ranges_left(const struct xos_policy_cond *const *kids, size_t nkids)
{
	struct range ranges[RANGES];
	size_t n = 0;
	for (size_t i = 0; i < nkids; i++) {
		const struct xos_policy_cond *kid = kids[i];
		bool compares =
		    kid->op == XOS_COND_NOW ||
		    (kid->op == XOS_COND_COMPARE && kid->attr->type != XOS_POLICY_STRING);
		size_t j = 0;
		if (!compares)
			continue;
		while (j < n && ranges[j].test->attr != kid->attr)
			j++;
		if (j == RANGES)
			continue;
		if (j == n)
			ranges[n++] = (struct range){kid, 0, INT64_MAX};
		if (!narrow(&ranges[j], kid))
			return false;
	}
	return true;
}

static bool never(const struct xos_policy_cond *c, uint64_t actions)
{
	struct facts f = {.actions = actions};
	switch (c->op) {
	case XOS_COND_ACTION:
		return !(c->u.actions & actions);
	case XOS_COND_AND:
		learn(&f, c, true);
		if (!f.actions ||
		    !ranges_left((const struct xos_policy_cond *const *)c->u.kids, c->n))
			return true;
		for (size_t i = 0; i < c->n; i++)
			if (never(c->u.kids[i], f.actions))
				return true;
		return false;
	case XOS_COND_OR:
		for (size_t i = 0; i < c->n; i++)
			if (!never(c->u.kids[i], actions))
				return false;
		return true;
	case XOS_COND_NOT:
		learn(&f, c, true);
		return !f.actions;
	case XOS_COND_COMPARE:
	case XOS_COND_NOW:
		return !ranges_left(&c, 1);
	case XOS_COND_WHO:
	case XOS_COND_ON:
	case XOS_COND_HAS:
	case XOS_COND_BOOL:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_TIME:
	case XOS_COND_LIKE:
	case XOS_COND_DATE:
	case XOS_COND_OPS:
		break;
	}
	return false;
}

bool xos_policy_never(const struct xos_policy_statement *s)
{
	return s->cond && never(s->cond, s->actions);
}
