/* The slow evaluator: it looks at every statement and every condition, each time anew. */
#include "random.h"

struct truth {
	bool can_true, can_false;
};
static const struct truth yes = {true, false}, no = {false, true}, open = {true, true};

static struct truth known(bool b)
{
	return b ? yes : no;
}

static bool in_groups(const struct world *w, const char *name, bool exactly)
{
	size_t n = strlen(name);
	if (strcmp(name, "/demo") == 0)
		return true;
	for (size_t i = 0; i < 3 && group_sets[w->groups][i]; i++) {
		const char *g = group_sets[w->groups][i];
		if (strcmp(g, name) == 0 || (!exactly && strncmp(g, name, n) == 0 && g[n] == '/'))
			return true;
	}
	return false;
}

static bool ref_who(const struct world *w, unsigned who)
{
	switch (who) {
	case 0:
		return true;
	case 1:
	case 2:
	case 3:
	case 4:
		return in_groups(w, who_texts[who] + 6, false);
	case 5:
		return in_groups(w, "/demo/a", true);
	case 6:
		return !w->bob;
	case 7:
		return w->bob;
	case 8:
		return w->uni;
	default:
		return w->role;
	}
}

/* nodes: 0 n1 (c1, t1), 1 n2 (c2, t1 t2), 2 n9 (not declared), 3 none given */
static struct truth label(const struct world *w, bool n1, bool n2)
{
	if (w->node >= 2)
		return open;
	return known(w->node == 0 ? n1 : n2);
}

static struct truth both(struct truth a, struct truth b)
{
	return (struct truth){a.can_true && b.can_true, a.can_false || b.can_false};
}

static struct truth is_node(const struct world *w, unsigned node)
{
	return w->node == 3 ? open : known(w->node == node);
}

/* kinds: 0 node or site, 1 job j1, 2 job j2, 3 file /d/f, 4 file /dd */
static struct truth ref_place(const struct world *w, unsigned place)
{
	switch (place) {
	case 2:
		return is_node(w, 0);
	case 3:
		return is_node(w, 1);
	case 4:
		return label(w, true, false);
	case 5:
		return label(w, false, true);
	case 6:
		return label(w, true, true);
	case 7:
		return label(w, false, true);
	case 8:
		return both(label(w, true, true), label(w, false, true));
	case 9:
		return known(w->kind == 1 || w->kind == 2);
	case 10:
		return known(w->kind == 1);
	case 11:
		return known(w->kind == 3);
	case 12:
		return known(w->kind == 3 || w->kind == 4);
	case 13:
		return both(is_node(w, 0), label(w, false, true));
	default:
		return yes;
	}
}

static bool ref_compare(unsigned cmp, int64_t x, int64_t y)
{
	return cmp == 0 ? x < y : cmp == 1 ? x == y : cmp == 2 ? x >= y : x != y;
}

static struct truth ref_cond(const struct world *w, const struct cond *c)
{
	struct truth x = no, y = no;
	if (c->x)
		x = ref_cond(w, c->x);
	if (c->y)
		y = ref_cond(w, c->y);
	switch (c->kind) {
	case C_AND:
		return both(x, y);
	case C_OR:
		return (struct truth){x.can_true || y.can_true, x.can_false && y.can_false};
	case C_NOT:
		return (struct truth){x.can_false, x.can_true};
	case C_WHO:
		return known(ref_who(w, c->a));
	case C_ON:
		return ref_place(w, c->a);
	case C_ACTION:
		return known(w->action == c->a);
	case C_MFA:
		return w->mfa == 2 ? open : known(w->mfa == 1);
	case C_CPU:
		return w->cpu_given ? known(ref_compare(c->b, w->cpu, c->a + 1)) : open;
	case C_IP:
		return w->src_given ? known(w->src_inside) : open;
	case C_HAS:
		return known(c->a ? w->cpu_given : w->src_given);
	default:
		return known(ref_compare(c->b, NOON, NOON));
	}
}

static struct truth ref_applies(const struct world *w, const struct statement *s)
{
	struct truth t = yes;
	if (s->effect != XOS_POLICY_CHECK) {
		t = both(known(s->actions >> w->action & 1), known(ref_who(w, s->who)));
		t = both(t, ref_place(w, s->place));
	}
	return s->cond ? both(t, ref_cond(w, s->cond)) : t;
}

struct outcome ref_decide(const struct world *w, const struct level *levels)
{
	struct outcome o = {.classes = 8};
	bool refused = false, maybe = false, open_limit = false;
	for (unsigned level = 0; level < L_COUNT; level++) {
		bool grants = false, might = false;
		if (level == L_NODE && w->node != 0)
			continue; /* the set is n1's */
		for (size_t i = 0; i < levels[level].n; i++) {
			const struct statement *s = &levels[level].list[i];
			struct truth t = ref_applies(w, s);
			if (s->shadow)
				continue;
			if (s->effect == XOS_POLICY_PERMIT) {
				grants |= !t.can_false;
				might |= t.can_true;
			} else if (s->effect == XOS_POLICY_FORBID) {
				refused |= !t.can_false;
				maybe |= t.can_true && t.can_false;
			} else if (s->effect == XOS_POLICY_CHECK) {
				refused |= !t.can_true;
				maybe |= t.can_true && t.can_false;
			} else if (t.can_true) {
				if (!o.wall || s->wall < o.wall)
					o.wall = s->wall;
				o.classes = o.classes == 8 ? s->classes : o.classes & s->classes;
				open_limit |= t.can_false;
			}
		}
		if (level <= L_SITE && !grants) {
			refused |= !might;
			maybe |= might;
		}
	}
	if (o.classes == 0) {
		refused |= !open_limit;
		maybe |= open_limit;
	}
	o.decision = refused ? XOS_POLICY_DENIED
	             : maybe ? XOS_POLICY_UNDECIDED
	                     : XOS_POLICY_PERMITTED;
	return o;
}
