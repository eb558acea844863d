/* The slow evaluator: how matches become an answer. Each level is asked in full, one after the other. */
#include "model.h"

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool within(const char *name, const char *top)
{
	size_t n = strlen(top);
	return strncmp(name, top, n) == 0 && (name[n] == 0 || name[n] == '/');
}

struct judge {
	struct where w;
	struct outcome *o;
	bool refused, maybe; /* a reason that stands for certain; one that hangs on something */
	struct change class_change;        /* of the limits on classes */
	bool open_classes;                 /* a limit on classes that applies only perhaps */
	const struct m_set *below[M_SETS]; /* sets of the subject's groups, and of the node */
	unsigned nbelow;
};

/* A level has a reason to refuse. */
static void refuse(struct judge *j, unsigned slot, bool certain)
{
	j->o->levels[slot].refuses = true;
	j->refused |= certain;
	j->maybe |= !certain;
}

/* What shall happen to running work: the strictest word counts, of two stops the sooner. */
static void blame(struct change *c, const struct m_statement *s)
{
	if (s->change == M_STOP && c->what == M_STOP && s->stop_after < c->after)
		c->after = s->stop_after;
	if (s->change > c->what)
		*c = (struct change){s->change, s->change == M_STOP ? s->stop_after : 0};
}

static void merge(struct judge *j, const struct m_statement *s, bool certain)
{
	struct outcome *o = j->o;
	if (s->wall && (!o->wall || s->wall < o->wall))
		o->wall = s->wall;
	if (s->cpu && (!o->cpu || s->cpu < o->cpu))
		o->cpu = s->cpu;
	if (s->classes) {
		o->classes &= s->classes;
		j->open_classes |= !certain;
		blame(&j->class_change, s);
	}
}

/* Everything of a set but its grants: forbids, checks, limits, duties, and what is on trial. */
static void narrow(struct judge *j, unsigned slot, const struct m_set *set)
{
	struct outcome *o = j->o;
	for (unsigned i = 0; i < set->n; i++) {
		const struct m_statement *s = &set->list[i];
		struct truth t = ref_applies(&j->w, set, s);
		bool perhaps = t.can_true && t.can_false;
		if (s->shadow) {
			bool grants = s->effect == M_PERMIT || s->effect == M_DELEGATE;
			bool counts = grants ? !t.can_false : t.can_true;
			if (counts)
				o->shadows[slot] |= 1u << i;
			continue;
		}
		if ((s->effect == M_FORBID && t.can_true) ||
		    (s->effect == M_CHECK && t.can_false)) {
			o->fired[slot] |= 1u << i;
			if (perhaps)
				o->perhaps[slot] |= 1u << i;
			blame(&j->o->change, s);
			refuse(j, slot, !perhaps);
		} else if (s->effect == M_LIMIT && t.can_true) {
			merge(j, s, !t.can_false);
		} else if (s->effect == M_DUTY && t.can_true) {
			o->duties |= 1u << s->duty;
		}
	}
}

/* Does a set permit by itself? */
static struct truth permits(const struct judge *j, const struct m_set *set)
{
	struct truth result = {false, true};
	for (unsigned i = 0; i < set->n; i++) {
		if (set->list[i].effect != M_PERMIT || set->list[i].shadow)
			continue;
		struct truth t = ref_applies(&j->w, set, &set->list[i]);
		result.can_true |= t.can_true;
		result.can_false &= t.can_false;
	}
	return result;
}

/* Does `above` let the set `below` grant this request? */
static struct truth delegated(
    const struct judge *j, const struct m_set *above, const struct m_set *below)
{
	struct truth result = {false, true};
	for (unsigned i = 0; i < above->n; i++) {
		const struct m_statement *s = &above->list[i];
		if (s->effect != M_DELEGATE || s->shadow)
			continue;
		bool covers = false;
		for (unsigned k = 0; k < s->nwhos; k++) {
			char full[128];
			snprintf(full, sizeof(full), "%s/%s", above->name, s->whos[k].name);
			covers |= below->level == L_NODE ? same(full, below->name)
			                                 : within(below->name, s->whos[k].name);
		}
		struct truth t = ref_applies(&j->w, above, s);
		result.can_true |= covers && t.can_true;
		result.can_false &= !covers || t.can_false;
	}
	return result;
}

/* The permits of a set that are about this and yet do not grant: running work may have lost them. */
static void blame_lost(struct judge *j, const struct m_set *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		struct m_statement head = set->list[i];
		head.cond = NULL;
		if (head.effect == M_PERMIT && !head.shadow &&
		    ref_applies(&j->w, set, &head).can_true &&
		    ref_applies(&j->w, set, &set->list[i]).can_false)
			blame(&j->o->change, &set->list[i]);
	}
}

static unsigned slot_of(const struct judge *j, const struct m_set *set)
{
	return (unsigned)(set - j->w.policy->sets);
}

static enum xos_policy_stand stand_of(struct truth t)
{
	return !t.can_false ? XOS_STAND_GRANTS : t.can_true ? XOS_STAND_UNKNOWN : XOS_STAND_LACKS;
}

static void level_at(struct judge *j, unsigned slot, enum xos_policy_stand stand)
{
	j->o->levels[slot].there = true;
	j->o->levels[slot].stand = stand;
}

/* A set that is not valid now says nothing, and what it would say is not known. */
static bool in_force(struct judge *j, const struct m_set *set)
{
	if (ref_valid(set, j->w.req->now))
		return true;
	level_at(j, slot_of(j, set), XOS_STAND_MISSING);
	refuse(j, slot_of(j, set), false);
	return false;
}

/* Is `below` a set that this one may lend its grant to: a group of the VO, the node of a site? */
static bool lends(const struct judge *j, const struct m_set *set, const struct m_set *below)
{
	return (set->level == L_VO && below->level == L_GROUP &&
	           within(below->name + 1, set->name) && ref_valid(below, j->w.req->now)) ||
	       (set->level == L_SITE && below->level == L_NODE && within(below->name, set->name) &&
	           ref_valid(below, j->w.req->now));
}

/* What the sets below add to a grant. */
static void borrow(
    const struct judge *j, const struct m_set *set, const struct m_set *below, struct truth *grant)
{
	if (!lends(j, set, below))
		return;
	struct truth own = permits(j, below), let = delegated(j, set, below);
	grant->can_true |= own.can_true && let.can_true;
	grant->can_false &= own.can_false || let.can_false;
}

/*
 * The set of this level and name must grant, by itself or through one of those below it (groups of a VO, the
 * node of a site). no_set: the slot that answers if there is none.
 */
static void must_grant(struct judge *j, enum m_level level, const char *name, unsigned no_set)
{
	const struct m_set *set = ref_find(j->w.policy, level, name);
	if (!set) {
		bool owner = level == L_OWNER;
		level_at(j, no_set, owner ? XOS_STAND_LACKS : XOS_STAND_MISSING);
		refuse(j, no_set, owner);
		return;
	}
	if (!in_force(j, set))
		return;
	struct truth grant = permits(j, set);
	for (unsigned i = 0; i < j->nbelow; i++)
		borrow(j, set, j->below[i], &grant);
	narrow(j, slot_of(j, set), set);
	level_at(j, slot_of(j, set), stand_of(grant));
	if (!grant.can_false)
		return;
	refuse(j, slot_of(j, set), !grant.can_true);
	blame_lost(j, set);
	for (unsigned i = 0; i < j->nbelow; i++)
		if (lends(j, set, j->below[i]) && delegated(j, set, j->below[i]).can_true &&
		    permits(j, j->below[i]).can_false)
			blame_lost(j, j->below[i]);
}

/* The sets that concern this subject and node beside those that must grant. */
static void find_below(struct judge *j)
{
	const struct xos_policy_subject *s = &j->w.req->subject;
	const struct xos_policy_resource *r = &j->w.req->resource;
	char node[128];
	snprintf(node, sizeof(node), "%s/%s", r->site ? r->site : "", r->node ? r->node : "");
	for (unsigned i = 0; i < j->w.policy->n; i++) {
		const struct m_set *set = &j->w.policy->sets[i];
		const struct m_who members = {W_GROUP, set->name};
		if ((set->level == L_GROUP && s->kind == XOS_SUBJECT_MEMBER &&
		        ref_who(&j->w, set, &members)) ||
		    (set->level == L_NODE && r->node && same(set->name, node)))
			j->below[j->nbelow++] = set;
	}
}

/* A group or node grants where its own permit and the delegate above agree; what is open there is of no
 * account once somebody grants. */
static enum xos_policy_stand stand_below(const struct judge *j, const struct m_set *below)
{
	const char *above =
	    below->level == L_GROUP ? j->w.req->subject.vo : j->w.req->resource.site;
	const struct m_set *set =
	    ref_find(j->w.policy, below->level == L_GROUP ? L_VO : L_SITE, above);
	struct truth t = {false, true};
	if (!set || !ref_valid(set, j->w.req->now))
		return XOS_STAND_NARROWS;
	borrow(j, set, below, &t);
	bool granted = j->o->levels[slot_of(j, set)].stand == XOS_STAND_GRANTS;
	if (!t.can_false)
		return XOS_STAND_GRANTS;
	return t.can_true && !granted ? XOS_STAND_UNKNOWN : XOS_STAND_NARROWS;
}

static void ask_owner(struct judge *j)
{
	const struct xos_policy_subject *s = &j->w.req->subject;
	const struct xos_policy_resource *r = &j->w.req->resource;
	char name[64];
	if (!r->owner)
		return;
	snprintf(name, sizeof(name), "%s:%s", r->vo, r->owner);
	if (s->kind == XOS_SUBJECT_MEMBER && same(s->vo, r->vo) && same(s->member, r->owner)) {
		level_at(j, SLOT_OWNER, XOS_STAND_NARROWS);
		return;
	}
	must_grant(j, L_OWNER, name, SLOT_OWNER);
}

/* Of sets of names the common part remains; if nothing does, nobody can keep to it. */
static void ask_meets(struct judge *j)
{
	if (j->o->classes)
		return;
	j->refused |= !j->open_classes;
	j->maybe |= j->open_classes;
	const struct m_statement of_classes = {
	    .change = j->class_change.what, .stop_after = j->class_change.after};
	blame(&j->o->change, &of_classes);
}

void ref_decide(const struct m_policy *p, const struct xos_policy_request *req,
    const char *extra_role, struct outcome *o)
{
	struct judge j = {.w = {p, req, extra_role}, .o = o};
	const struct xos_policy_subject *s = &req->subject;
	const struct xos_policy_resource *r = &req->resource;
	*o = (struct outcome){.classes = CLASSES_ALL};
	find_below(&j);
	if (s->kind != XOS_SUBJECT_LOCAL)
		must_grant(&j, L_VO, s->vo, SLOT_VO);
	/* Across VOs both must grant: the requester's, and the object's. */
	if (r->vo && !same(r->vo, s->vo))
		must_grant(&j, L_VO, r->vo, SLOT_OBJECT_VO);
	if (r->site)
		must_grant(&j, L_SITE, r->site, SLOT_SITE);
	for (unsigned i = 0; i < j.nbelow; i++) {
		if (!in_force(&j, j.below[i]))
			continue;
		level_at(&j, slot_of(&j, j.below[i]), stand_below(&j, j.below[i]));
		narrow(&j, slot_of(&j, j.below[i]), j.below[i]);
	}
	ask_owner(&j);
	for (unsigned i = 0; i < p->nchain && i < req->nchain; i++) {
		level_at(&j, SLOT_CHAIN + i, XOS_STAND_NARROWS);
		narrow(&j, SLOT_CHAIN + i, &p->chain[i]);
	}
	ask_meets(&j);
	o->decision = j.refused ? XOS_POLICY_DENIED
	              : j.maybe ? XOS_POLICY_UNDECIDED
	                        : XOS_POLICY_PERMITTED;
	if (o->decision == XOS_POLICY_PERMITTED)
		o->change = (struct change){M_UNSAID, 0};
}
