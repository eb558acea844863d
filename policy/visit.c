/* Which statements of a set may be about a request, and what each of them does to the answer. */
#include "policy/run.h"

void xos_run_refuse(struct xos_run *r, struct xos_level *l, bool unknown)
{
	l->verdict->refuses = true;
	if (unknown)
		r->maybe = true;
	else
		r->refused = true;
}

/* Kept so that a refusal can say what was missing. */
static void doubt(struct xos_run *r, const struct xos_level *l, const struct xos_rule *rule)
{
	struct xos_doubt *d = r->again ? NULL : xos_policy_memory_take(r->memory, sizeof(*d));
	if (!d) {
		r->failed |= !r->again;
		return;
	}
	*d = (struct xos_doubt){r->eval.set, r->eval.zones, rule, l, r->doubts, r->eval.any};
	r->doubts = d;
}

static void add_fired(struct xos_run *r, struct xos_policy_fired **list, size_t *n,
    const struct xos_level *l, const struct xos_policy_statement *s, bool unknown)
{
	struct xos_policy_fired *p = r->again ? NULL : xos_run_more(r, *list, *n, sizeof(*p));
	if (!p)
		return;
	*list = p;
	p[(*n)++] = (struct xos_policy_fired){l->verdict->level, s, unknown};
}

static void add_delegate(struct xos_run *r, const struct xos_policy_statement *s, bool unknown)
{
	struct xos_delegate *p = xos_run_more(r, r->delegates, r->ndelegates, sizeof(*p));
	if (!p)
		return;
	r->delegates = p;
	p[r->ndelegates++] = (struct xos_delegate){s, unknown};
}

static void refusing(struct xos_run *r, struct xos_level *l, const struct xos_rule *rule,
    const struct xos_policy_statement *s, bool unknown)
{
	if (rule->effect == XOS_POLICY_CHECK)
		add_fired(r, &r->checks, &r->nchecks, l, s, unknown);
	else
		add_fired(r, &r->forbids, &r->nforbids, l, s, unknown);
	if (rule->flags & XOS_RULE_CHANGE)
		xos_merge_change(&r->change, s);
	if (unknown)
		doubt(r, NULL, rule);
	xos_run_refuse(r, l, unknown);
}

static void permit(struct xos_run *r, struct xos_level *l, const struct xos_rule *rule,
    const struct xos_policy_statement *s, enum xos_tri t)
{
	if (t != XOS_TRUE && rule->flags & XOS_RULE_CHANGE)
		xos_merge_change(&l->lost, s);
	if (t == XOS_UNKNOWN)
		doubt(r, l, rule);
	if (t <= l->grant)
		return;
	l->grant = t;
	l->permit = s;
}

/* On trial: reported where it would have had an effect, and nothing else. */
static void on_trial(struct xos_run *r, const struct xos_level *l,
    const struct xos_policy_statement *s, enum xos_tri t)
{
	bool unknown = t == XOS_UNKNOWN;
	bool had = s->effect == XOS_POLICY_CHECK ? t != XOS_TRUE : t != XOS_FALSE;
	if (had &&
	    !(unknown && (s->effect == XOS_POLICY_PERMIT || s->effect == XOS_POLICY_DELEGATE)))
		add_fired(r, &r->shadows, &r->nshadows, l, s, unknown);
}

static void apply(struct xos_run *r, struct xos_level *l, const struct xos_rule *rule,
    const struct xos_policy_statement *s, enum xos_tri t)
{
	bool unknown = t == XOS_UNKNOWN;
	if (rule->flags & XOS_RULE_SHADOW) {
		on_trial(r, l, s, t);
		return;
	}
	switch ((enum xos_policy_effect)rule->effect) {
	case XOS_POLICY_PERMIT:
		permit(r, l, rule, s, t);
		return;
	case XOS_POLICY_CHECK:
		if (t != XOS_TRUE)
			refusing(r, l, rule, s, unknown);
		return;
	case XOS_POLICY_FORBID:
		if (t != XOS_FALSE)
			refusing(r, l, rule, s, unknown);
		return;
	case XOS_POLICY_LIMIT:
		if (t != XOS_FALSE)
			xos_merge_limit(r, l, rule, s, unknown);
		return;
	case XOS_POLICY_DUTY:
		if (t != XOS_FALSE)
			xos_merge_duties(r, s);
		return;
	case XOS_POLICY_DELEGATE:
		if (unknown)
			doubt(r, l, rule);
		if (t != XOS_FALSE)
			add_delegate(r, s, unknown);
		return;
	case XOS_POLICY_EFFECTS:
		return;
	}
}

/* Of permits one is enough. */
static inline bool is_wanted(const struct xos_level *l, const struct xos_rule *rule)
{
	return rule->effect != XOS_POLICY_PERMIT || l->grant != XOS_TRUE ||
	       rule->flags & XOS_RULE_SHADOW;
}

/* place: the alternative by which the rule was found. What matches in several ways is found in
 * several ways: the first of them counts. */
static void run_rule(
    struct xos_run *r, struct xos_level *l, const struct xos_rule *rule, uint16_t place)
{
	struct xos_policy_eval *e = &r->eval;
	size_t first = 0;
	if (rule->flags & XOS_RULE_HOMES && !e->any)
		return;
	e->statements++;
	const struct xos_fact *is = &e->is[rule->term_kind];
	if (is->hash && is->hash != rule->term && rule->effect != XOS_POLICY_CHECK)
		return;
	const struct xos_policy_statement *s = &e->set->set->statements[rule->statement];
	if (rule->who && xos_eval_whos(e, s, rule->who))
		return;
	enum xos_tri t = rule->nplaces ? xos_eval_places(e, rule, &first) : XOS_TRUE;
	if (place != XOS_ANY_PLACE && (t == XOS_FALSE || first != place))
		return;
	/* A check is the one thing that acts on false, a place included. */
	if (t == XOS_FALSE && rule->effect != XOS_POLICY_CHECK)
		return;
	if (t != XOS_FALSE && rule->code)
		t = xos_tri_and(t, xos_eval_cond(e, rule));
	apply(r, l, rule, s, t);
}

static void run_bucket(
    struct xos_run *r, struct xos_level *l, const struct xos_row *row, uint64_t term)
{
	const struct xos_policy_compiled *c = r->eval.set;
	for (unsigned i = 0; i < 1u + row->any_action; i++) {
		const struct xos_bucket *b = xos_compiled_bucket(
		    c, xos_bucket_key(row->hash, i ? XOS_ANY_ACTION : r->eval.code, term));
		for (uint32_t j = 0; b && j < b->n; j++) {
			const struct xos_entry *entry = &c->entries[b->first + j];
			/* Two rows, or two actions of a row, may share a key by chance. */
			const struct xos_rule *rule = &c->rules[entry->rule];
			if (entry->rule - row->first < row->n &&
			    c->actions[entry->rule] >> r->eval.code & 1 && is_wanted(l, rule))
				run_rule(r, l, rule, entry->place);
		}
	}
}

static void search_labels(struct xos_run *r, struct xos_level *l, const struct xos_row *row)
{
	const struct xos_compiled_node *node = r->eval.node;
	if (!r->eval.where->site)
		return;
	if (!node) {
		run_bucket(r, l, row, XOS_HASH_SOME_LABEL);
		return;
	}
	if (node->class_hash && row->kinds >> XOS_TERM_CLASS & 1)
		run_bucket(r, l, row, node->class_hash);
	for (size_t i = 0; row->kinds >> XOS_TERM_TAG & 1 && i < node->ntags; i++)
		run_bucket(r, l, row, r->eval.tags[i]);
}

static void search_folders(struct xos_run *r, struct xos_level *l, const struct xos_row *row)
{
	struct xos_resource_facts *w = r->eval.where;
	if (!xos_resource_folders_make(w, r->eval.resource, r->memory)) {
		r->failed = true;
		return;
	}
	/* "/" and then one for each component: no path of a statement is longer than depth. */
	for (size_t i = 0; i < w->nfolders && i <= r->eval.set->depth; i++)
		run_bucket(r, l, row, w->folders[i]);
}

/* A long row: what is about this action and this place, or might be. */
static void search_row(struct xos_run *r, struct xos_level *l, const struct xos_row *row)
{
	const struct xos_resource_facts *w = r->eval.where;
	if (row->kinds >> XOS_TERM_COUNT & 1)
		run_bucket(r, l, row, XOS_HASH_ANYWHERE);
	if (row->kinds >> XOS_TERM_KIND & 1)
		run_bucket(r, l, row, w->kind);
	if (row->kinds >> XOS_TERM_SITE & 1 && w->site)
		run_bucket(r, l, row, w->site);
	if (row->kinds >> XOS_TERM_NODE & 1 && w->site)
		run_bucket(r, l, row, w->node ? w->node : XOS_HASH_SOME_NODE);
	if (row->kinds & (1u << XOS_TERM_CLASS | 1u << XOS_TERM_TAG))
		search_labels(r, l, row);
	if (row->kinds & (1u << XOS_TERM_JOB | 1u << XOS_TERM_OBJECT))
		run_bucket(r, l, row, w->id ? w->id : XOS_HASH_SOME_ID);
	if (row->kinds >> XOS_TERM_FILE & 1 && w->is_file)
		search_folders(r, l, row);
	if (row->kinds >> XOS_TERM_SERVICE & 1)
		run_bucket(r, l, row, r->eval.service ? r->eval.service : XOS_HASH_SOME_SERVICE);
}

/* A short row: first which of its rules are about the action, without a branch for each. */
static void scan_row(struct xos_run *r, struct xos_level *l, const struct xos_row *row)
{
	const struct xos_rule *rules = &r->eval.set->rules[row->first];
	const uint64_t *actions = &r->eval.set->actions[row->first];
	unsigned about = 0;
	for (unsigned i = 0; i < row->n; i++)
		about |= (unsigned)(actions[i] >> r->eval.code & 1) << i;
	unsigned permits = about & row->permits;
	for (unsigned rest = about & ~permits; rest; rest &= rest - 1)
		run_rule(r, l, &rules[__builtin_ctz(rest)], XOS_ANY_PLACE);
	for (; permits && l->grant != XOS_TRUE; permits &= permits - 1)
		run_rule(r, l, &rules[__builtin_ctz(permits)], XOS_ANY_PLACE);
}

static void run_row(struct xos_run *r, struct xos_level *l, const struct xos_row *row)
{
	if (!(row->actions >> r->eval.code & 1))
		return;
	if (row->searched)
		search_row(r, l, row);
	else
		scan_row(r, l, row);
}

/* Memory that will be read soon, all of it on its way at the same time. */
static inline void expect(const void *p)
{
	__builtin_prefetch(p);
}

static void run_rows(
    struct xos_run *r, struct xos_level *l, const struct xos_row *const *rows, size_t n)
{
	const struct xos_policy_compiled *c = r->eval.set;
	for (size_t i = 0; i < n; i++) {
		expect(&c->actions[rows[i]->first]);
		expect(&c->rules[rows[i]->first]);
	}
	for (size_t i = 0; i < n; i++)
		run_row(r, l, rows[i]);
}

#define AT_ONCE 32u

static void run_named(struct xos_run *r, struct xos_level *l, const struct xos_fact *list, size_t n)
{
	const struct xos_policy_compiled *c = r->eval.set;
	const struct xos_row *rows[AT_ONCE];
	for (size_t now; n; list += now, n -= now) {
		size_t found = 0;
		now = n < AT_ONCE ? n : AT_ONCE;
		uint32_t maybe = 0; /* bit by fact */
		for (size_t i = 0; i < now; i++)
			maybe |= (uint32_t)xos_compiled_maybe(c, list[i].hash) << i;
		for (; maybe; maybe &= maybe - 1) {
			const struct xos_fact *f = &list[__builtin_ctz(maybe)];
			const struct xos_row *row =
			    xos_compiled_row(c, f->hash, f->kind, f->s, f->n);
			if (!row)
				continue;
			rows[found] = row;
			found += row->actions >> r->eval.code & 1;
		}
		run_rows(r, l, rows, found);
	}
}

static void run_names(struct xos_run *r, struct xos_level *l)
{
	const struct xos_policy_interned_subject *known = r->eval.known;
	if (known)
		run_named(r, l, known->named, known->nnamed);
	else
		run_named(r, l, r->eval.who->list, r->eval.who->n);
}

void xos_run_set(
    struct xos_run *r, struct xos_level *l, const struct xos_row *const *rows, size_t nrows)
{
	struct xos_policy_eval *e = &r->eval;
	const struct xos_policy_compiled *set = e->set;
	if (set->always)
		run_row(r, l, &set->rows[set->always - 1]);
	if (set->any && e->any)
		run_row(r, l, &set->rows[set->any - 1]);
	if (set->local && e->subject->kind == XOS_SUBJECT_LOCAL)
		run_row(r, l, &set->rows[set->local - 1]);
	if (rows)
		run_rows(r, l, rows, nrows);
	else if (set->who_kinds & ~(1u << XOS_WHO_ANY | 1u << XOS_WHO_LOCAL))
		run_names(r, l);
	if (!e->extra_role)
		return;
	const struct xos_row *row = xos_compiled_row(
	    set, e->extra_hash, XOS_WHO_ROLE, e->extra_role, strlen(e->extra_role));
	if (row)
		run_row(r, l, row);
}

void xos_run_delegation(struct xos_run *r, struct xos_level *l)
{
	const struct xos_policy_compiled *set = r->eval.set;
	for (size_t i = 0; i < set->nrules; i++)
		if (set->actions[i] >> r->eval.code & 1 && is_wanted(l, &set->rules[i]))
			run_rule(r, l, &set->rules[i], XOS_ANY_PLACE);
}
