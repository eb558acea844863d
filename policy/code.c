/* Places and conditions in the form in which they are evaluated: flat, with names hashed. */
#include <stdlib.h>

#include "policy/compiled.h"

static bool room(void **list, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 64;
	void *p = more > UINT32_MAX / 2 ? NULL : realloc(*list, more * size);
	if (!p)
		return false;
	*list = p;
	*cap = more;
	return true;
}

static uint64_t term_hash(const struct xos_policy_term *t, size_t n)
{
	unsigned salt = XOS_HASH_TERM + (unsigned)t->kind;
	if (t->kind == XOS_TERM_FILE || t->kind == XOS_TERM_OBJECT)
		return xos_hash_mix(xos_hash_more(XOS_HASH_START, t->name, n), salt);
	return xos_hash_name(salt, t->name, n);
}

static bool add_term(struct xos_coder *c, const struct xos_policy_term *t, bool last)
{
	void *list = c->terms;
	bool ok = room(&list, &c->terms_cap, c->nterms, sizeof(*c->terms));
	c->terms = list;
	if (!ok)
		return false;
	size_t n = strlen(t->name);
	const char *colon = t->kind == XOS_TERM_OBJECT ? strchr(t->name, ':') : NULL;
	c->terms[c->nterms++] = (struct xos_term){
	    .hash = term_hash(t, n),
	    .name = t->name,
	    .n = (uint32_t)n,
	    .kind = (uint8_t)t->kind,
	    .last = last,
	    .of_kind = (uint16_t)(colon ? colon - t->name : 0),
	};
	struct xos_term *to = &c->terms[c->nterms - 1];
	memcpy(to->head, t->name, n < sizeof(to->head) ? n : sizeof(to->head));
	return true;
}

bool xos_code_places(
    struct xos_coder *c, const struct xos_policy_place *places, size_t n, uint32_t *first)
{
	*first = (uint32_t)c->nterms;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < places[i].n; j++)
			if (!add_term(c, &places[i].terms[j], j + 1 == places[i].n))
				return false;
	return true;
}

bool xos_code_numbers(
    struct xos_coder *c, const struct xos_policy_statement *s, uint32_t *first, uint8_t *n)
{
	*first = (uint32_t)c->nnumbers;
	*n = 0;
	for (size_t i = 0; i < s->ncaps; i++) {
		void *list = c->numbers;
		bool ok = room(&list, &c->numbers_cap, c->nnumbers, sizeof(*c->numbers));
		c->numbers = list;
		if (!ok)
			return false;
		if (xos_policy_cap_is_set(s->caps[i].cap))
			continue;
		c->numbers[c->nnumbers++] =
		    (struct xos_cap_number){s->caps[i].number, (uint32_t)s->caps[i].cap};
		(*n)++;
	}
	return true;
}

static bool leaf(struct xos_coder *c, const struct xos_policy_cond *cond, struct xos_code *out)
{
	switch (cond->op) {
	case XOS_COND_WHO:
		c->who_kinds |= (uint16_t)(1u << cond->u.who.kind);
		if (cond->u.who.name)
			out->u.hash = xos_hash_name(XOS_HASH_WHO + (unsigned)cond->u.who.kind,
			    cond->u.who.name, strlen(cond->u.who.name));
		return true;
	case XOS_COND_ON:
		return xos_code_places(c, &cond->u.place, 1, &out->u.terms);
	case XOS_COND_COMPARE:
	case XOS_COND_NOW:
		if (!cond->attr || cond->attr->type != XOS_POLICY_STRING)
			out->u.number = cond->u.numbers[0];
		return true;
	case XOS_COND_TIME:
		out->u.window = cond->u.window;
		return true;
	case XOS_COND_DATE:
		out->u.dates = cond->u.dates;
		return true;
	default:
		return true;
	}
}

/* Recursion is bounded: no condition is deeper than XOS_POLICY_DEPTH_MAX. */
static bool add_cond(struct xos_coder *c, const struct xos_policy_cond *cond)
{
	void *list = c->code;
	bool ok = room(&list, &c->code_cap, c->ncode, sizeof(*c->code));
	c->code = list;
	if (!ok)
		return false;
	size_t at = c->ncode++;
	struct xos_code code = {.op = (uint8_t)cond->op, .cmp = (uint8_t)cond->cmp, .cond = cond};
	if (cond->op == XOS_COND_AND || cond->op == XOS_COND_OR || cond->op == XOS_COND_NOT) {
		for (size_t i = 0; ok && i < cond->n; i++)
			ok = add_cond(c, cond->u.kids[i]);
	} else {
		code.attr = cond->attr;
		ok = leaf(c, cond, &code);
	}
	code.size = (uint32_t)(c->ncode - at);
	c->code[at] = code;
	return ok;
}

bool xos_code_cond(struct xos_coder *c, const struct xos_policy_cond *cond, uint32_t *at)
{
	*at = 0;
	if (!cond)
		return true;
	*at = (uint32_t)c->ncode + 1;
	return add_cond(c, cond);
}
