#include "policy/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policy/index.h"

/* VO, the object's VO, site, node, owner, delegations. */
#define LEVELS_MAX (5u + XOS_POLICY_CHAIN_MAX)

struct run {
	const struct xos_policy *policy;
	struct xos_policy_eval eval;
	struct xos_policy_memory *memory;
	struct xos_policy_verdict levels[LEVELS_MAX];
	size_t nlevels;
	struct xos_policy_fired *forbids, *checks, *shadows;
	size_t nforbids, nchecks, nshadows;
	struct xos_policy_limit
	    limits[XOS_CAP_COUNT]; /* by cap; from is NULL where there is none */
	bool limit_unknown[XOS_CAP_COUNT];
	struct xos_policy_duty *duties;
	size_t nduties;
	const char **unknown;
	size_t nunknown;
	bool failed;         /* out of memory */
	bool refused, maybe; /* a reason that stands for certain; one that hangs on the unknown */
};

/* Room for one more in an array of the run's memory; sets failed and gives NULL if there is none. */
static void *one_more(struct run *r, void *old, size_t n, size_t size)
{
	void *p = xos_policy_memory_grow(r->memory, old, n, size);
	if (!p)
		r->failed = true;
	return p;
}

static void add_fired(struct run *r, struct xos_policy_fired **list, size_t *n,
    const struct xos_policy_verdict *v, const struct xos_policy_statement *s, bool unknown)
{
	struct xos_policy_fired *p = one_more(r, *list, *n, sizeof(*p));
	if (!p)
		return;
	*list = p;
	p[(*n)++] = (struct xos_policy_fired){v->level, s, unknown};
}

static void refuse(struct run *r, struct xos_policy_verdict *v, bool unknown)
{
	v->refuses = true;
	if (unknown)
		r->maybe = true;
	else
		r->refused = true;
}

static void merge_names(struct run *r, struct xos_policy_limit *l,
    const struct xos_policy_cap_value *v, const struct xos_policy_statement *s)
{
	const char **kept = xos_policy_memory_take(r->memory, (v->n + 1) * sizeof(*kept));
	size_t n = 0;
	if (!kept) {
		r->failed = true;
		return;
	}
	if (!l->from) {
		l->from = s;
		memcpy(kept, v->names, v->n * sizeof(*kept));
		l->names = kept;
		l->nnames = v->n;
		return;
	}
	/* Both are sorted. */
	for (size_t i = 0, j = 0; i < l->nnames && j < v->n;) {
		int c = strcmp(l->names[i], v->names[j]);
		if (c == 0)
			kept[n++] = l->names[i];
		i += c <= 0;
		j += c >= 0;
	}
	if (n < l->nnames)
		l->from = s;
	l->names = kept;
	l->nnames = n;
}

static void merge_limit(struct run *r, const struct xos_policy_verdict *v,
    const struct xos_policy_statement *s, bool unknown)
{
	for (size_t i = 0; i < s->ncaps; i++) {
		const struct xos_policy_cap_value *c = &s->caps[i];
		struct xos_policy_limit *l = &r->limits[c->cap];
		const struct xos_policy_statement *before = l->from;
		l->cap = c->cap;
		r->limit_unknown[c->cap] |= unknown;
		if (c->cap == XOS_CAP_ACCOUNT_CLASS) {
			merge_names(r, l, c, s);
		} else if (!l->from || c->number < l->number) {
			l->number = c->number;
			l->from = s;
		}
		if (l->from != before)
			l->level = v->level;
	}
}

static void add_duties(struct run *r, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nduties; i++) {
		const struct xos_policy_duty_value *d = &s->duties[i];
		bool there = false;
		for (size_t j = 0; j < r->nduties && !there; j++) {
			const struct xos_policy_duty *have = &r->duties[j];
			there = strcmp(have->name, d->name) == 0 && !have->arg == !d->arg &&
			        (!d->arg || strcmp(have->arg, d->arg) == 0);
		}
		if (there)
			continue;
		struct xos_policy_duty *p = one_more(r, r->duties, r->nduties, sizeof(*p));
		if (!p)
			return;
		r->duties = p;
		p[r->nduties++] = (struct xos_policy_duty){d->name, d->arg, s};
	}
}

static void visit(struct run *r, struct xos_policy_verdict *v, const struct xos_policy_statement *s)
{
	if (!(s->actions >> r->eval.action->code & 1))
		return;
	if (s->effect == XOS_POLICY_PERMIT && v->stand == XOS_STAND_GRANTS && !s->shadow)
		return; /* one is enough */
	enum xos_tri t = xos_policy_eval_statement(&r->eval, s);
	bool unknown = t == XOS_UNKNOWN;
	if (s->effect == XOS_POLICY_CHECK) {
		if (t == XOS_TRUE)
			return;
		add_fired(r, &r->checks, &r->nchecks, v, s, unknown);
		refuse(r, v, unknown);
		return;
	}
	if (t == XOS_FALSE)
		return;
	if (s->shadow) {
		if (!(s->effect == XOS_POLICY_PERMIT && unknown))
			add_fired(r, &r->shadows, &r->nshadows, v, s, unknown);
		return;
	}
	switch (s->effect) {
	case XOS_POLICY_PERMIT:
		if (v->stand == XOS_STAND_NARROWS)
			return;
		v->stand = unknown ? XOS_STAND_UNKNOWN : XOS_STAND_GRANTS;
		v->by = s;
		return;
	case XOS_POLICY_FORBID:
		add_fired(r, &r->forbids, &r->nforbids, v, s, unknown);
		refuse(r, v, unknown);
		return;
	case XOS_POLICY_LIMIT:
		merge_limit(r, v, s, unknown);
		return;
	case XOS_POLICY_DUTY:
		add_duties(r, s);
		return;
	case XOS_POLICY_CHECK:
	case XOS_POLICY_DELEGATE:
	case XOS_POLICY_EFFECTS:
		return;
	}
}

static struct xos_policy_verdict *add_level(
    struct run *r, enum xos_policy_level level, const char *name, enum xos_policy_stand stand)
{
	struct xos_policy_verdict *v = &r->levels[r->nlevels++];
	*v = (struct xos_policy_verdict){.level = level, .name = name, .stand = stand};
	return v;
}

static bool valid_now(const struct xos_policy_scope *s, int64_t now)
{
	return (!s->not_before || now >= s->not_before) && (!s->not_after || now < s->not_after);
}

/* A level with a set. needs: it must grant; otherwise its set, if there is one, only narrows. */
static void run_scope(struct run *r, enum xos_policy_level level, const char *name, bool needs)
{
	const struct xos_policy_scope *s = xos_policy_find_scope(r->policy, level, name);
	if (!s && !needs)
		return;
	struct xos_policy_verdict *v = add_level(
	    r, level, s ? s->set->name : name, needs ? XOS_STAND_LACKS : XOS_STAND_NARROWS);
	if (!s || !valid_now(s, r->eval.req->now)) {
		v->stand = XOS_STAND_MISSING;
		v->serial = s ? s->set->serial : 0;
		refuse(r, v, true);
		return;
	}
	const struct xos_policy_bucket **buckets;
	size_t n;
	v->serial = s->set->serial;
	if (!xos_policy_scope_find(s, &r->eval, r->memory, &buckets, &n)) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < buckets[i]->count; j++)
			visit(r, v, &s->set->statements[s->entries[buckets[i]->first + j]]);
	if (v->stand == XOS_STAND_LACKS || v->stand == XOS_STAND_UNKNOWN)
		refuse(r, v, v->stand == XOS_STAND_UNKNOWN);
}

static void run_site(struct run *r)
{
	const struct xos_policy_resource *res = &r->eval.req->resource;
	char name[XOS_SITE_MAX + 1 + XOS_NODE_MAX + 1];
	if (!res->site)
		return;
	run_scope(r, XOS_POLICY_SITE, res->site, true);
	if (!res->node)
		return;
	size_t n = strlen(res->site);
	memcpy(name, res->site, n);
	name[n] = '/';
	memcpy(name + n + 1, res->node, strlen(res->node) + 1);
	run_scope(r, XOS_POLICY_NODE, name, false);
}

/* What somebody owns is for others only with the owner's permit; owners cannot write any yet. */
static void run_owner(struct run *r)
{
	const struct xos_policy_subject *s = &r->eval.req->subject;
	const struct xos_policy_resource *res = &r->eval.req->resource;
	if (!res->owner)
		return;
	bool own = s->kind == XOS_SUBJECT_MEMBER && s->vo && res->vo &&
	           strcmp(s->vo, res->vo) == 0 && strcmp(s->member, res->owner) == 0;
	struct xos_policy_verdict *v =
	    add_level(r, XOS_POLICY_OWNER, res->owner, own ? XOS_STAND_NARROWS : XOS_STAND_LACKS);
	if (!own)
		refuse(r, v, false);
}

static void run_chain(struct run *r)
{
	const struct xos_policy_request *req = r->eval.req;
	for (size_t i = 0; i < req->nchain; i++) {
		const struct xos_policy_set *set = req->chain[i];
		struct xos_policy_verdict *v =
		    add_level(r, XOS_POLICY_DELEGATION, set->name, XOS_STAND_NARROWS);
		for (size_t j = 0; j < set->n; j++)
			visit(r, v, &set->statements[j]);
	}
}

static void check_meets(struct run *r)
{
	const struct xos_policy_limit *l = &r->limits[XOS_CAP_ACCOUNT_CLASS];
	if (!l->from || l->nnames)
		return;
	for (size_t i = 0; i < r->nlevels; i++)
		if (r->levels[i].level == l->level)
			refuse(r, &r->levels[i], r->limit_unknown[XOS_CAP_ACCOUNT_CLASS]);
}

/* A permit takes somebody's grant and not a single reason against it. */
static enum xos_policy_decision conclude(const struct run *r)
{
	bool granted = false;
	if (r->failed)
		return XOS_POLICY_UNDECIDED;
	for (size_t i = 0; i < r->nlevels; i++) {
		granted |= r->levels[i].stand == XOS_STAND_GRANTS;
		if (r->levels[i].refuses && !r->refused && !r->maybe)
			return XOS_POLICY_UNDECIDED;
	}
	if (r->refused || (!granted && !r->maybe))
		return XOS_POLICY_DENIED;
	return r->maybe ? XOS_POLICY_UNDECIDED : XOS_POLICY_PERMITTED;
}

static enum xos_policy_decision run_all(struct run *r)
{
	const struct xos_policy_subject *s = &r->eval.req->subject;
	const struct xos_policy_resource *res = &r->eval.req->resource;
	const struct xos_policy_scope *site =
	    res->site ? xos_policy_find_scope(r->policy, XOS_POLICY_SITE, res->site) : NULL;
	if (site && res->node && valid_now(site, r->eval.req->now))
		r->eval.node = xos_policy_set_node(site->set, res->node);
	if (s->kind == XOS_SUBJECT_MEMBER)
		run_scope(r, XOS_POLICY_VO, s->vo, true);
	/* Across VOs both must grant: the requester's, and the object's. */
	if (res->vo && (!s->vo || strcmp(res->vo, s->vo) != 0))
		run_scope(r, XOS_POLICY_VO, res->vo, true);
	run_site(r);
	run_owner(r);
	run_chain(r);
	check_meets(r);
	return conclude(r);
}

static void note_unknown(void *arg, const char *name)
{
	struct run *r = arg;
	for (size_t i = 0; i < r->nunknown; i++)
		if (strcmp(r->unknown[i], name) == 0)
			return;
	const char **p = one_more(r, r->unknown, r->nunknown, sizeof(*p));
	if (!p)
		return;
	r->unknown = p;
	p[r->nunknown++] = name;
}

/* Only a refusal pays for this: what was missing where the answer hangs on it. */
static void find_unknown(struct run *r)
{
	r->eval.missing = note_unknown;
	r->eval.arg = r;
	for (size_t i = 0; i < r->nlevels; i++)
		if (r->levels[i].stand == XOS_STAND_UNKNOWN)
			xos_policy_eval_statement(&r->eval, r->levels[i].by);
	for (size_t i = 0; i < r->nforbids; i++)
		if (r->forbids[i].unknown)
			xos_policy_eval_statement(&r->eval, r->forbids[i].statement);
	for (size_t i = 0; i < r->nchecks; i++)
		if (r->checks[i].unknown)
			xos_policy_eval_statement(&r->eval, r->checks[i].statement);
	r->eval.missing = NULL;
}

static void publish(const struct run *r, struct xos_policy_answer *a, bool *failed)
{
	struct xos_policy_verdict *levels =
	    xos_policy_memory_take(r->memory, (r->nlevels + 1) * sizeof(*levels));
	struct xos_policy_limit *limits =
	    xos_policy_memory_take(r->memory, XOS_CAP_COUNT * sizeof(*limits));
	if (!levels || !limits) {
		*failed = true;
		return;
	}
	memcpy(levels, r->levels, r->nlevels * sizeof(*levels));
	a->levels = levels;
	a->nlevels = r->nlevels;
	for (size_t i = 0; i < XOS_CAP_COUNT; i++)
		if (r->limits[i].from)
			limits[a->nlimits++] = r->limits[i];
	a->limits = limits;
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

static void find_way_out(const struct run *first, struct xos_policy_answer *a, bool *failed)
{
	const struct xos_policy_subject *s = &first->eval.req->subject;
	const char **roles = NULL;
	for (size_t i = 0; i < s->nheld; i++) {
		struct run again = {
		    .policy = first->policy, .eval = first->eval, .memory = first->memory};
		again.eval.extra_role = s->held[i];
		if (run_all(&again) != XOS_POLICY_PERMITTED)
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

enum xos_status xos_policy_decide(
    const struct xos_policy *p, const struct xos_policy_request *req, struct xos_policy_answer *a)
{
	struct xos_policy_memory *memory = a->memory;
	bool failed = false;
	xos_policy_answer_init(a);
	a->memory = memory ? memory : xos_policy_memory_new();
	if (!a->memory)
		return XOS_INTERNAL;
	xos_policy_memory_reset(a->memory);
	struct run r = {.policy = p, .memory = a->memory};
	a->problem = xos_policy_eval_init(&r.eval, req);
	if (a->problem)
		return XOS_UNAVAILABLE;
	enum xos_policy_decision decision = run_all(&r);
	if (decision != XOS_POLICY_PERMITTED)
		find_unknown(&r);
	publish(&r, a, &failed);
	if (decision != XOS_POLICY_PERMITTED && !r.failed)
		find_way_out(&r, a, &failed);
	if (failed || r.failed)
		return XOS_INTERNAL; /* the decision stays undecided */
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
