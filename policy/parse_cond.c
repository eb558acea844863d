/* Conditions: and, or, not. */
#include "policy/parser.h"

struct xos_policy_cond *xos_parser_cond_new(struct xos_policy_parser *p, enum xos_policy_cond_op op)
{
	if (++p->nodes > XOS_POLICY_NODES_MAX) {
		xos_parser_error(p, NULL, "split it into several statements",
		    "the conditions of one statement have more than %u parts",
		    XOS_POLICY_NODES_MAX);
		return NULL;
	}
	struct xos_policy_cond *c = xos_policy_memory_take(p->set->memory, sizeof(*c));
	if (!c)
		xos_parser_memory(p);
	else
		c->op = op;
	return c;
}

unsigned xos_policy_cond_depth(const struct xos_policy_cond *c)
{
	unsigned deepest = 0;
	if (!c || c->op > XOS_COND_NOT)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		unsigned d = xos_policy_cond_depth(c->u.kids[i]);
		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

struct xos_policy_cond *xos_parser_cond_not(struct xos_policy_parser *p, struct xos_policy_cond *c)
{
	struct xos_policy_cond *r = c ? xos_parser_cond_new(p, XOS_COND_NOT) : NULL;
	if (!r)
		return NULL;
	r->u.kids = xos_policy_memory_take(p->set->memory, sizeof(struct xos_policy_cond *));
	if (!r->u.kids) {
		xos_parser_memory(p);
		return NULL;
	}
	r->u.kids[0] = c;
	r->n = 1;
	return r;
}

static bool add_kid(
    struct xos_policy_parser *p, struct xos_policy_cond *c, struct xos_policy_cond *kid)
{
	struct xos_policy_cond **kids = xos_policy_memory_grow(
	    p->set->memory, c->u.kids, c->n, sizeof(struct xos_policy_cond *));
	if (!kids)
		return xos_parser_memory(p);
	c->u.kids = kids;
	kids[c->n++] = kid;
	return true;
}

/* "a and (b and c)" is "a and b and c": one form for one meaning. */
static bool add_flat(
    struct xos_policy_parser *p, struct xos_policy_cond *c, struct xos_policy_cond *kid)
{
	if (kid->op != c->op)
		return add_kid(p, c, kid);
	for (size_t i = 0; i < kid->n; i++)
		if (!add_kid(p, c, kid->u.kids[i]))
			return false;
	return true;
}

struct xos_policy_cond *xos_parser_cond_join(struct xos_policy_parser *p,
    enum xos_policy_cond_op op, struct xos_policy_cond *a, struct xos_policy_cond *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->op == op)
		return add_flat(p, a, b) ? a : NULL;
	struct xos_policy_cond *r = xos_parser_cond_new(p, op);
	return r && add_flat(p, r, a) && add_flat(p, r, b) ? r : NULL;
}

static bool parse_or(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out);

static bool too_deep(struct xos_policy_parser *p)
{
	return xos_parser_error(p, NULL, "split it into several statements",
	    "conditions nested deeper than %u", XOS_POLICY_DEPTH_MAX);
}

static bool parse_not(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (depth > XOS_POLICY_DEPTH_MAX)
		return too_deep(p);
	if (xos_parser_accept(p, "not")) {
		if (!parse_not(p, depth + 1, out))
			return false;
		*out = xos_parser_cond_not(p, *out);
		return *out != NULL;
	}
	if (xos_parser_accept(p, "("))
		return parse_or(p, depth + 1, out) &&
		       xos_parser_expect(p, ")", "a ( is not closed");
	return xos_parser_test(p, out);
}

static bool parse_and(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (!parse_not(p, depth, out))
		return false;
	while (xos_parser_accept(p, "and")) {
		struct xos_policy_cond *more;
		if (!parse_not(p, depth, &more))
			return false;
		*out = xos_parser_cond_join(p, XOS_COND_AND, *out, more);
		if (!*out)
			return false;
	}
	return true;
}

static bool parse_or(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (!parse_and(p, depth, out))
		return false;
	while (xos_parser_accept(p, "or")) {
		struct xos_policy_cond *more;
		if (!parse_and(p, depth, &more))
			return false;
		*out = xos_parser_cond_join(p, XOS_COND_OR, *out, more);
		if (!*out)
			return false;
	}
	return true;
}

bool xos_parser_cond(struct xos_policy_parser *p, struct xos_policy_cond **out)
{
	return parse_or(p, 0, out);
}
