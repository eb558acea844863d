/* Which sets are asked about a request, and what their statements come to. */
#include "policy/decide.h"

#include <string.h>

#include "base/name.h"

#include "policy/run.h"

static struct xos_level *add_level(
    struct xos_run *r, enum xos_policy_level level, const char *name, enum xos_policy_stand stand)
{
	if (r->nlevels == r->most_levels) {
		r->failed = true;
		return &r->levels[r->nlevels - 1];
	}
	struct xos_level *l = &r->levels[r->nlevels];
	struct xos_policy_verdict *v = &r->verdicts[r->nlevels++];
	*v = (struct xos_policy_verdict){.level = level, .name = name, .stand = stand};
	*l = (struct xos_level){.verdict = v, .grantor = l};
	return l;
}

static bool valid_now(const struct xos_policy_scope *s, int64_t now)
{
	return (!s->not_before || now >= s->not_before) && (!s->not_after || now < s->not_after);
}

static void missing(struct xos_run *r, struct xos_level *l, uint64_t serial)
{
	l->verdict->stand = XOS_STAND_MISSING;
	l->verdict->serial = serial;
	xos_run_refuse(r, l, true);
}

/* A level with a set; whether it grants is settled later. False: the set is not valid now. */
static bool run_scope(
    struct xos_run *r, struct xos_level *l, const struct xos_policy_scope *s, bool any)
{
	const struct xos_policy_interned_subject *known = r->eval.known;
	if (!valid_now(s, r->eval.req->now)) {
		missing(r, l, s->serial);
		return false;
	}
	l->verdict->serial = s->serial;
	bool rows = known && known->vo == s;
	r->scope = s;
	xos_policy_eval_enter(&r->eval, s->compiled, s->zones, any);
	xos_run_set(r, l, rows ? known->rows : NULL, rows ? known->nrows : 0);
	return true;
}

/* A level that must grant: does it? */
static void settle(struct xos_run *r, struct xos_level *l)
{
	if (l->verdict->stand != XOS_STAND_LACKS)
		return;
	l->verdict->by = l->permit;
	if (l->grant == XOS_TRUE) {
		l->verdict->stand = XOS_STAND_GRANTS;
		return;
	}
	if (l->grant == XOS_UNKNOWN)
		l->verdict->stand = XOS_STAND_UNKNOWN;
	xos_merge_changes(&r->change, &l->lost);
	xos_run_refuse(r, l, l->grant == XOS_UNKNOWN);
}

/* Does the delegate statement name the set of that group, or of one above it? */
static bool covers(const struct xos_policy_statement *s, const char *group)
{
	for (size_t i = 0; i < s->nwhos; i++) {
		const struct xos_policy_who *w = &s->whos[i];
		if (w->kind == XOS_WHO_GROUP && xos_group_within(group, w->name))
			return true;
		if (w->kind == XOS_WHO_EXACTLY && strcmp(group, w->name) == 0)
			return true;
	}
	return false;
}

/* The permits of a group's or node's set count where a delegate statement covers them. */
static void lend(struct xos_run *r, struct xos_level *from, const char *group)
{
	struct xos_level *to = from->grantor;
	for (size_t i = 0; i < r->ndelegates; i++) {
		const struct xos_delegate *d = &r->delegates[i];
		if (group && !covers(d->statement, group))
			continue;
		/* Once one of them grants, the others are not looked at: nothing is lost. */
		if (from->grant != XOS_TRUE)
			xos_merge_changes(&to->lost, &from->lost);
		enum xos_tri t = xos_tri_and(from->grant, d->unknown ? XOS_UNKNOWN : XOS_TRUE);
		if (t == XOS_FALSE)
			continue;
		if (t == XOS_TRUE || from->verdict->stand == XOS_STAND_NARROWS) {
			from->verdict->stand = t == XOS_TRUE ? XOS_STAND_GRANTS : XOS_STAND_UNKNOWN;
			from->verdict->by = from->permit;
		}
		if (t > to->grant) {
			to->grant = t;
			to->permit = d->statement;
		}
	}
}

static void run_group(struct xos_run *r, struct xos_level *vo, const struct xos_policy_scope *s)
{
	struct xos_level *l = add_level(r, XOS_POLICY_GROUP, s->name, XOS_STAND_NARROWS);
	l->grantor = vo;
	if (run_scope(r, l, s, true))
		lend(r, l, s->name);
}

/* The sets of the subject's groups and of those above them. */
static void run_groups(struct xos_run *r, struct xos_level *vo)
{
	const struct xos_policy_interned_subject *known = r->eval.known;
	const struct xos_subject_facts *who = r->eval.who;
	if (!r->policy->of_level[XOS_POLICY_GROUP])
		return;
	for (size_t i = 0; known && i < known->ngroups; i++)
		run_group(r, vo, known->groups[i]);
	for (size_t i = 0; !known && i < who->n; i++) {
		const struct xos_fact *f = &who->list[i];
		const struct xos_policy_scope *s =
		    f->kind == XOS_WHO_GROUP
		        ? xos_policy_find_scope(r->policy, XOS_POLICY_GROUP, f->s, f->n)
		        : NULL;
		if (s)
			run_group(r, vo, s);
	}
	/* What was open does not matter where somebody else grants. */
	for (size_t i = 0; vo->grant == XOS_TRUE && i < r->nlevels; i++) {
		struct xos_policy_verdict *v = &r->verdicts[i];
		if (v->level != XOS_POLICY_GROUP || v->stand != XOS_STAND_UNKNOWN)
			continue;
		v->stand = XOS_STAND_NARROWS;
		v->by = NULL;
	}
}

static void run_vo(struct xos_run *r, const char *name, bool own)
{
	const struct xos_policy_interned_subject *known = own ? r->eval.known : NULL;
	const struct xos_policy_scope *s =
	    known ? known->vo
	    : own && r->eval.who->of
	        ? r->eval.who->vo
	        : xos_policy_find_scope(r->policy, XOS_POLICY_VO, name, strlen(name));
	struct xos_level *l = add_level(r, XOS_POLICY_VO, s ? s->name : name, XOS_STAND_LACKS);
	r->ndelegates = 0;
	if (s)
		run_scope(r, l, s, own && r->eval.subject->kind == XOS_SUBJECT_MEMBER);
	else
		missing(r, l, 0);
	if (own)
		run_groups(r, l);
	settle(r, l);
}

static const struct xos_policy_interned_resource *known_place(const struct xos_run *r)
{
	const struct xos_policy_interned_resource *known = r->eval.req->interned_resource;
	return known && known->policy == r->policy ? known : NULL;
}

static const struct xos_policy_scope *node_scope(const struct xos_run *r)
{
	const struct xos_policy_interned_resource *known = known_place(r);
	const struct xos_resource_facts *w = r->eval.where;
	if (known || !r->policy->of_level[XOS_POLICY_NODE])
		return known ? known->node : NULL;
	return xos_policy_find_scope(r->policy, XOS_POLICY_NODE, w->place, w->place_len);
}

static void run_site(struct xos_run *r, const struct xos_policy_scope *s)
{
	const struct xos_policy_resource *res = r->eval.resource;
	if (!res->site)
		return;
	struct xos_level *l =
	    add_level(r, XOS_POLICY_SITE, s ? s->name : res->site, XOS_STAND_LACKS);
	r->ndelegates = 0;
	bool any = r->eval.subject->kind == XOS_SUBJECT_MEMBER;
	if (s)
		run_scope(r, l, s, any);
	else
		missing(r, l, 0);
	const struct xos_policy_scope *node = res->node ? node_scope(r) : NULL;
	if (node) {
		struct xos_level *n = add_level(r, XOS_POLICY_NODE, node->name, XOS_STAND_NARROWS);
		n->grantor = l;
		if (run_scope(r, n, node, any))
			lend(r, n, NULL);
		if (l->grant == XOS_TRUE && n->verdict->stand == XOS_STAND_UNKNOWN) {
			n->verdict->stand = XOS_STAND_NARROWS;
			n->verdict->by = NULL;
		}
	}
	settle(r, l);
}

/* What somebody owns is for others only with the owner's permit; the owner is not bound by it. */
static void run_owner(struct xos_run *r)
{
	const struct xos_policy_subject *s = r->eval.subject;
	const struct xos_policy_resource *res = r->eval.resource;
	const struct xos_policy_interned_resource *known = known_place(r);
	char name[XOS_VO_MAX + 1 + XOS_MEMBER_MAX + 1];
	if (!res->owner)
		return;
	bool own = s->kind == XOS_SUBJECT_MEMBER && strcmp(s->vo, res->vo) == 0 &&
	           strcmp(s->member, res->owner) == 0;
	struct xos_level *l =
	    add_level(r, XOS_POLICY_OWNER, res->owner, own ? XOS_STAND_NARROWS : XOS_STAND_LACKS);
	const struct xos_policy_scope *scope = known ? known->owner : NULL;
	if (!known && !own && r->policy->of_level[XOS_POLICY_OWNER]) {
		size_t n = strlen(res->vo), m = strlen(res->owner);
		memcpy(name, res->vo, n);
		name[n] = ':';
		memcpy(name + n + 1, res->owner, m + 1);
		scope = xos_policy_find_scope(r->policy, XOS_POLICY_OWNER, name, n + 1 + m);
	}
	if (!own && scope)
		run_scope(
		    r, l, scope, s->kind == XOS_SUBJECT_MEMBER && strcmp(s->vo, res->vo) == 0);
	settle(r, l);
}

static void run_chain(struct xos_run *r)
{
	const struct xos_policy_request *req = r->eval.req;
	for (size_t i = 0; i < req->nchain; i++) {
		const struct xos_policy_set *set = req->chain[i];
		const struct xos_policy_compiled *c = xos_policy_set_compiled(set);
		struct xos_level *l =
		    add_level(r, XOS_POLICY_DELEGATION, set->name, XOS_STAND_NARROWS);
		if (!c) {
			r->failed = true;
			return;
		}
		xos_policy_eval_enter(
		    &r->eval, c, NULL, r->eval.subject->kind == XOS_SUBJECT_MEMBER);
		xos_run_delegation(r, l);
	}
}

static void check_meets(struct xos_run *r)
{
	const struct xos_policy_limit *l = r->limits ? &r->limits[XOS_CAP_ACCOUNT_CLASS] : NULL;
	if (!l || !l->from || l->nnames)
		return;
	xos_merge_changes(&r->change, &r->class_change);
	for (size_t i = 0; i < r->nlevels; i++)
		if (r->verdicts[i].level == l->level)
			xos_run_refuse(r, &r->levels[i], r->class_unknown);
}

/* A permit takes somebody's grant and not a single reason against it. */
static enum xos_policy_decision conclude(const struct xos_run *r)
{
	bool granted = false;
	if (r->failed)
		return XOS_POLICY_UNDECIDED;
	for (size_t i = 0; i < r->nlevels; i++) {
		granted |= r->verdicts[i].stand == XOS_STAND_GRANTS;
		if (r->verdicts[i].refuses && !r->refused && !r->maybe)
			return XOS_POLICY_UNDECIDED;
	}
	if (r->refused || (!granted && !r->maybe))
		return XOS_POLICY_DENIED;
	return r->maybe ? XOS_POLICY_UNDECIDED : XOS_POLICY_PERMITTED;
}

/* VO, the object's VO, site, node, owner; the delegations; the sets of groups. */
static bool make_levels(struct xos_run *r)
{
	const struct xos_policy_interned_subject *known = r->eval.known;
	size_t groups = r->policy->of_level[XOS_POLICY_GROUP];
	size_t most = known ? known->ngroups : r->eval.who->n;
	r->most_levels = 5 + r->eval.req->nchain + (groups < most ? groups : most);
	r->levels = xos_policy_memory_raw(r->memory, r->most_levels * sizeof(*r->levels));
	r->verdicts = xos_policy_memory_raw(r->memory, r->most_levels * sizeof(*r->verdicts));
	r->failed = !r->levels || !r->verdicts;
	return !r->failed;
}

/* What will be read first of each set, on its way while the others are looked at. */
static void expect_sets(const struct xos_run *r, const struct xos_policy_scope *site)
{
	const struct xos_policy_interned_subject *known = r->eval.known;
	const struct xos_policy_interned_resource *place = known_place(r);
	if (site)
		__builtin_prefetch(site->compiled);
	if (place && place->node)
		__builtin_prefetch(place->node);
	if (r->eval.place.declared)
		__builtin_prefetch(r->eval.place.declared);
	for (size_t i = 0; known && i < known->nrows; i++)
		__builtin_prefetch(known->rows[i]);
}

static enum xos_policy_decision run_all(struct xos_run *r)
{
	const struct xos_policy_subject *s = r->eval.subject;
	const struct xos_policy_resource *res = r->eval.resource;
	if (!make_levels(r))
		return XOS_POLICY_UNDECIDED;
	const struct xos_policy_scope *site = r->eval.place.site;
	expect_sets(r, site);
	if (site && res->node && valid_now(site, r->eval.req->now)) {
		r->eval.node = r->eval.place.declared;
		r->eval.tags = r->eval.node ? site->compiled->tags + r->eval.node->tags : NULL;
	}
	xos_eval_place(&r->eval);
	if (s->kind != XOS_SUBJECT_LOCAL)
		run_vo(r, s->vo, true);
	/* Across VOs both must grant: the requester's, and the object's. */
	if (res->vo && (!s->vo || strcmp(res->vo, s->vo) != 0))
		run_vo(r, res->vo, false);
	run_site(r, site);
	run_owner(r);
	run_chain(r);
	check_meets(r);
	return conclude(r);
}

static void note_unknown(void *arg, const char *name)
{
	struct xos_run *r = arg;
	for (size_t i = 0; i < r->nunknown; i++)
		if (strcmp(r->unknown[i], name) == 0)
			return;
	const char **p = xos_run_more(r, r->unknown, r->nunknown, sizeof(*p));
	if (!p)
		return;
	r->unknown = p;
	p[r->nunknown++] = name;
}

/* Only a refusal pays for this: what was missing where the answer hangs on it. */
static void find_unknown(struct xos_run *r)
{
	struct xos_policy_eval *e = &r->eval;
	size_t first;
	e->missing = note_unknown;
	e->arg = r;
	for (const struct xos_doubt *d = r->doubts; d; d = d->next) {
		if (d->level && d->level->grantor->verdict->stand != XOS_STAND_UNKNOWN)
			continue;
		xos_policy_eval_enter(e, d->set, d->zones, d->any);
		(void)xos_eval_places(e, d->rule, &first);
		(void)xos_eval_cond(e, d->rule);
	}
	e->missing = NULL;
}

static void publish(const struct xos_run *r, struct xos_policy_answer *a)
{
	a->levels = r->verdicts;
	a->nlevels = r->nlevels;
	/* Those that there are move to the front; the order stays. */
	for (size_t i = 0; r->limits && i < XOS_CAP_COUNT; i++)
		if (r->limits[i].from)
			r->limits[a->nlimits++] = r->limits[i];
	a->limits = r->limits;
	a->forbids = r->forbids;
	a->nforbids = r->nforbids;
	a->checks = r->checks;
	a->nchecks = r->nchecks;
	a->duties = r->duties;
	a->nduties = r->nduties;
	a->shadows = r->shadows;
	a->nshadows = r->nshadows;
	a->unknown = r->unknown;
	a->nunknown = r->nunknown;
	a->statements = r->eval.statements;
	a->nodes = r->eval.nodes;
}

static void start_again(struct xos_run *r, const struct xos_run *first, const char **classes)
{
	*r = (struct xos_run){.policy = first->policy,
	    .eval = first->eval,
	    .memory = first->memory,
	    .classes = classes,
	    .again = true};
	r->eval.statements = r->eval.nodes = 0;
	r->eval.steps = 0;
}

static void find_way_out(const struct xos_run *first, struct xos_policy_answer *a, bool *failed)
{
	const struct xos_policy_subject *s = first->eval.subject;
	const char **roles = NULL;
	const char **classes =
	    NULL; /* the answer keeps those of the first; the tries share one list */
	uint64_t work = 0;
	for (size_t i = 0; i < s->nheld && work < XOS_POLICY_WAY_OUT_WORK && !*failed; i++) {
		struct xos_run again;
		start_again(&again, first, classes);
		again.eval.extra_role = s->held[i];
		again.eval.extra_hash =
		    xos_hash_name(XOS_HASH_WHO + XOS_WHO_ROLE, s->held[i], strlen(s->held[i]));
		enum xos_policy_decision decision = run_all(&again);
		classes = again.classes;
		*failed |= again.failed;
		work += again.eval.statements + again.eval.nodes +
		        again.eval.steps / XOS_POLICY_STEPS_OF_NODE;
		a->statements += again.eval.statements;
		a->nodes += again.eval.nodes;
		if (decision != XOS_POLICY_PERMITTED)
			continue;
		const char **p =
		    xos_policy_memory_grow(first->memory, roles, a->nway_out, sizeof(*roles));
		if (!p) {
			*failed = true;
			return;
		}
		roles = p;
		roles[a->nway_out++] = s->held[i];
		a->way_out = roles;
	}
}

void xos_policy_answer_init(struct xos_policy_answer *a)
{
	*a = (struct xos_policy_answer){.decision = XOS_POLICY_UNDECIDED};
}

void xos_policy_answer_free(struct xos_policy_answer *a)
{
	if (!a)
		return;
	xos_policy_memory_free(a->memory);
	xos_policy_answer_init(a);
}

/* The facts of a subject or resource that was interned in this policy are there already. */
static const char *make_facts(
    struct xos_run *r, struct xos_subject_facts *who, struct xos_resource_facts *where)
{
	struct xos_policy_eval *e = &r->eval;
	const struct xos_policy_request *req = e->req;
	const struct xos_policy_interned_subject *subject = req->interned_subject;
	const struct xos_policy_interned_resource *resource = known_place(r);
	e->known = subject && subject->policy == r->policy ? subject : NULL;
	e->who = e->known ? &subject->facts : who;
	/* Nothing changes them: the folders of what is interned are there already. */
	e->where = resource ? (struct xos_resource_facts *)(uintptr_t)&resource->facts : where;
	if (!resource)
		xos_resource_facts_make(where, e->resource, &e->place);
	if (e->values->given >> XOS_ATTR_CTX_SERVICE & 1) {
		const char *service = e->values->list[XOS_ATTR_CTX_SERVICE]->string;
		e->service =
		    xos_hash_name(XOS_HASH_TERM + XOS_TERM_SERVICE, service, strlen(service));
	}
	/* A delegation may ask about what no set asks about. */
	const struct xos_policy *of = req->nchain ? NULL : r->policy;
	return e->known ? NULL : xos_subject_facts_make(who, e->subject, of, r->memory, &r->failed);
}

enum xos_status xos_policy_decide(
    const struct xos_policy *p, const struct xos_policy_request *req, struct xos_policy_answer *a)
{
	struct xos_policy_memory *memory = a->memory;
	struct xos_request_values values;
	struct xos_subject_facts who;
	struct xos_resource_facts where;
	bool failed = false;
	xos_policy_answer_init(a);
	a->memory = memory ? memory : xos_policy_memory_new();
	if (!a->memory)
		return XOS_INTERNAL;
	xos_policy_memory_reset(a->memory);
	struct xos_run r = {.policy = p, .memory = a->memory};
	r.eval.values = &values;
	a->problem = xos_policy_eval_init(&r.eval, p, req);
	if (!a->problem)
		a->problem = make_facts(&r, &who, &where);
	if (a->problem)
		return XOS_UNAVAILABLE;
	if (r.failed)
		return XOS_INTERNAL;
	enum xos_policy_decision decision = run_all(&r);
	if (decision != XOS_POLICY_PERMITTED) {
		find_unknown(&r);
		a->change = r.change;
	}
	if (r.failed)
		return XOS_INTERNAL; /* the decision stays undecided */
	publish(&r, a);
	if (decision != XOS_POLICY_PERMITTED)
		find_way_out(&r, a, &failed);
	if (failed)
		return XOS_INTERNAL;
	a->decision = decision;
	if (decision == XOS_POLICY_PERMITTED)
		return XOS_OK;
	return decision == XOS_POLICY_DENIED ? XOS_DENIED : XOS_UNAVAILABLE;
}

const char *xos_policy_decision_name(enum xos_policy_decision d)
{
	switch (d) {
	case XOS_POLICY_PERMITTED:
		return "permit";
	case XOS_POLICY_DENIED:
		return "deny";
	case XOS_POLICY_UNDECIDED:
		break;
	}
	return "undecided";
}
