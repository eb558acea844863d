/* A difference is told by the smallest policy that still shows it. */
#include "compare.h"

static const char *wanted; /* the difference that is to stay */

static bool still_differs(const struct m_policy *p, struct m_request *r)
{
	struct m_policy copy = *p;
	struct xos_policy_answer a;
	struct built b;
	enum xos_policy_decision decision;
	xos_policy_answer_init(&a);
	build(&copy, &b);
	const char *what = compare_one(&copy, &b, r, &a, &decision);
	bool result = what && strcmp(what, wanted) == 0;
	xos_policy_answer_free(&a);
	built_free(&b);
	return result;
}

static void drop(struct m_set *set, unsigned i)
{
	memmove(&set->list[i], &set->list[i + 1], (set->n - i - 1) * sizeof(set->list[0]));
	set->n--;
}

/* Smaller conditions in place of the one at *c. */
static bool shrink_cond(struct m_policy *p, struct m_request *r, struct m_cond **c)
{
	struct m_cond *old = *c;
	struct m_cond *tries[] = {NULL, old->x, old->y};
	for (int i = 0; i < 3; i++) {
		if (i && !tries[i])
			continue;
		*c = tries[i];
		if (still_differs(p, r))
			return true;
	}
	*c = old;
	return false;
}

static bool shrink_statement(struct m_policy *p, struct m_request *r, struct m_statement *s)
{
	struct m_statement old = *s;
	if (s->cond && s->effect != M_CHECK && shrink_cond(p, r, &s->cond))
		return true;
	s->nplaces = 0;
	if (old.nplaces && still_differs(p, r))
		return true;
	*s = old;
	s->nwhos = s->nwhos > 1 ? 1 : s->nwhos;
	s->change = M_UNSAID;
	if ((old.nwhos > 1 || old.change) && still_differs(p, r))
		return true;
	*s = old;
	return false;
}

static bool shrink_set(struct m_policy *p, struct m_request *r, struct m_set *set)
{
	struct m_set old = *set;
	for (unsigned i = 0; i < old.n; i++) {
		drop(set, i);
		if (still_differs(p, r))
			return true;
		*set = old;
		if (shrink_statement(p, r, &set->list[i]))
			return true;
	}
	return false;
}

static bool shrink(struct m_policy *p, struct m_request *r)
{
	struct m_policy old = *p;
	for (unsigned i = 0; i < old.n; i++) {
		memmove(&p->sets[i], &p->sets[i + 1], (p->n - i - 1) * sizeof(p->sets[0]));
		p->n--;
		if (still_differs(p, r))
			return true;
		*p = old;
	}
	for (unsigned i = 0; i < p->n; i++)
		if (shrink_set(p, r, &p->sets[i]))
			return true;
	for (unsigned i = 0; i < p->nchain; i++)
		if (shrink_set(p, r, &p->chain[i]))
			return true;
	return false;
}

static void put_outcome(struct xos_buf *out, const struct outcome *o)
{
	static const char *const stands[] = {"lacks", "unknown", "missing", "grants", "narrows"};
	xos_buf_printf(out, "%s; wall %u, cpu %u, classes %u, duties %u, change %d after %u\n",
	    xos_policy_decision_name(o->decision), o->wall, o->cpu, o->classes, o->duties,
	    (int)o->change.what, o->change.after);
	for (unsigned i = 0; i < SLOTS; i++)
		if (o->levels[i].there)
			xos_buf_printf(out,
			    "  level %u %s%s, fired %x, of them unknown %x, on trial %x\n", i,
			    stands[o->levels[i].stand], o->levels[i].refuses ? ", refuses" : "",
			    o->fired[i], o->perhaps[i], o->shadows[i]);
}

void report_difference(const struct m_policy *original, struct m_request *r, const char *difference)
{
	static struct m_policy p;
	struct xos_policy_answer a;
	struct xos_buf out;
	struct built b;
	struct outcome slow, engine;
	enum xos_policy_decision decision;
	p = *original;
	wanted = difference;
	while (shrink(&p, r))
		;
	xos_policy_answer_init(&a);
	build(&p, &b);
	xos_buf_init(&out, 1 << 20);
	for (unsigned i = 0; i < p.n; i++) {
		write_set(&out, &p.sets[i]);
		if (p.sets[i].not_before || p.sets[i].not_after)
			xos_buf_printf(&out, "# valid %lld to %lld\n",
			    (long long)p.sets[i].not_before, (long long)p.sets[i].not_after);
	}
	for (unsigned i = 0; i < p.nchain; i++)
		write_set(&out, &p.chain[i]);
	const char *what = compare_one(&p, &b, r, &a, &decision);
	write_request(&out, &r->req);
	ref_decide(&p, &r->req, NULL, &slow);
	const struct xos_policy_set *chain[M_CHAIN] = {b.chain[0], b.chain[1]};
	r->req.chain = chain;
	engine = ask_engine(&p, &b, &r->req, &a);
	r->req.chain = NULL;
	xos_buf_put_str(&out, "engine: ");
	put_outcome(&out, &engine);
	xos_buf_put_str(&out, "slow:   ");
	put_outcome(&out, &slow);
	for (size_t i = 0; i < a.nunknown; i++)
		xos_buf_printf(&out, "missing: %s\n", a.unknown[i]);
	for (size_t i = 0; i < a.nway_out; i++)
		xos_buf_printf(&out, "way out: %s\n", a.way_out[i]);
	fprintf(
	    stderr, "they differ in %s:\n%s", what ? what : "nothing any more", xos_buf_str(&out));
	xos_buf_free(&out);
	xos_policy_answer_free(&a);
	built_free(&b);
}
