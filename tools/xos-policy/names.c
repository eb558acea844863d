#include "policytool/names.h"

static void place_names(const struct xos_policy_place *p, const struct xos_policytool_namer *n)
{
	for (size_t i = 0; i < p->n; i++)
		n->term(n->arg, &p->terms[i]);
}

static void cond_names(const struct xos_policy_cond *c, const struct xos_policytool_namer *n)
{
	if (c->op <= XOS_COND_NOT)
		for (size_t i = 0; i < c->n; i++)
			cond_names(c->u.kids[i], n);
	else if (c->op == XOS_COND_WHO)
		n->who(n->arg, &c->u.who);
	else if (c->op == XOS_COND_ON)
		place_names(&c->u.place, n);
}

void xos_policytool_names(
    const struct xos_policy_statement *s, const struct xos_policytool_namer *namer)
{
	for (size_t i = 0; i < s->nwhos; i++)
		namer->who(namer->arg, &s->whos[i]);
	for (size_t i = 0; i < s->nplaces; i++)
		place_names(&s->places[i], namer);
	if (s->cond)
		cond_names(s->cond, namer);
}
