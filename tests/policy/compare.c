/* The engine beside the slow evaluator. */
#include "compare.h"

#include "zonedata.h"

/* Middle Europe by its rule alone, the east of the United States by transitions and then the rule. */
static const struct xos_policy_options *options(void)
{
	static struct xos_policy_zone_data zones[2];
	static struct xos_policy_options made;
	static struct xos_buf paris, york;
	if (made.zones)
		return &made;
	static struct zone_maker z = {
	    .offsets = {3600, 7200}, .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
	xos_buf_init(&paris, 1 << 16);
	zone_write(&paris, &z);
	z = (struct zone_maker){.offsets = {-18000, -14400}, .footer = "EST5EDT,M3.2.0,M11.1.0"};
	for (int year = 1980; year < 2030; year++) {
		z.transitions[z.n].at = ref_sunday(year, 3, 2, 7);
		z.transitions[z.n++].type = 1;
		z.transitions[z.n].at = ref_sunday(year, 11, 1, 6);
		z.transitions[z.n++].type = 0;
	}
	xos_buf_init(&york, 1 << 16);
	zone_write(&york, &z);
	zones[0] = (struct xos_policy_zone_data){"Europe/Paris", xos_buf_bytes(&paris)};
	zones[1] = (struct xos_policy_zone_data){"America/New_York", xos_buf_bytes(&york)};
	made = (struct xos_policy_options){.zones = zones, .nzones = 2};
	return &made;
}

/* ---- building ---- */

static void drop(struct m_set *set, unsigned i)
{
	memmove(&set->list[i], &set->list[i + 1], (set->n - i - 1) * sizeof(set->list[0]));
	set->n--;
}

struct xos_policy_set *build_set(struct m_set *set, unsigned *dropped)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *result = NULL;
	struct xos_buf text;
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	for (;;) {
		text.n = 0;
		write_set(&text, set);
		if (xos_policy_set_parse(xos_buf_str(&text), text.n, "set", &result, &errs) ==
		    XOS_OK)
			break;
		bool wrong[M_STATEMENTS] = {false};
		unsigned before = set->n;
		for (size_t i = 0; i < errs.n; i++)
			if (errs.list[i].line >= 2 && errs.list[i].line - 2 < set->n)
				wrong[errs.list[i].line - 2] = true;
		for (unsigned i = set->n; i-- > 0;)
			if (wrong[i])
				drop(set, i);
		*dropped += before - set->n;
		if (before == set->n) {
			fprintf(stderr, "%s:%u: %s\n%s", errs.filename, errs.list[0].line,
			    errs.list[0].text, xos_buf_str(&text));
			abort();
		}
	}
	xos_buf_free(&text);
	return result;
}

static void make_engine(const struct m_policy *p, struct built *b)
{
	struct xos_policy_part parts[M_SETS];
	struct xos_err err = XOS_ERR_INIT;
	for (unsigned i = 0; i < p->n; i++)
		parts[i] = (struct xos_policy_part){
		    b->sets[i], p->sets[i].not_before, p->sets[i].not_after};
	if (xos_policy_new(parts, p->n, options(), &b->policy, &err) != XOS_OK ||
	    xos_policy_new(NULL, 0, NULL, &b->empty, &err) != XOS_OK) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

/* Restrictions travel encoded: what arrives must decide alike. */
static struct xos_policy_set *through_wire(struct xos_policy_set *set)
{
	struct xos_policy_set *arrived = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf wire;
	xos_buf_init(&wire, XOS_RESTRICTION_MAX);
	if (xos_restriction_encode(set, &wire, &err) != XOS_OK ||
	    xos_restriction_decode(xos_buf_bytes(&wire), &arrived, &err) != XOS_OK) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	xos_policy_set_unref(set);
	xos_buf_free(&wire);
	return arrived;
}

void build(struct m_policy *p, struct built *b)
{
	*b = (struct built){.nchain = p->nchain};
	for (unsigned i = 0; i < p->n; i++)
		b->sets[i] = build_set(&p->sets[i], &b->dropped);
	for (unsigned i = 0; i < p->nchain; i++)
		b->chain[i] = through_wire(build_set(&p->chain[i], &b->dropped));
	make_engine(p, b);
}

void build_from(const struct m_policy *p, const struct built *from, struct built *b,
    struct xos_policy_set *(*change)(const struct m_set *model, const struct xos_policy_set *set))
{
	*b = (struct built){.nchain = from->nchain};
	for (unsigned i = 0; i < p->n; i++)
		b->sets[i] = change(&p->sets[i], from->sets[i]);
	for (unsigned i = 0; i < from->nchain; i++)
		b->chain[i] = change(&p->chain[i], from->chain[i]);
	make_engine(p, b);
}

void built_free(struct built *b)
{
	xos_policy_unref(b->policy);
	xos_policy_unref(b->empty);
	for (unsigned i = 0; i < M_SETS; i++)
		xos_policy_set_unref(b->sets[i]);
	for (unsigned i = 0; i < M_CHAIN; i++)
		xos_policy_set_unref(b->chain[i]);
}

/* ---- reading the engine's answer ---- */

static unsigned slot_of_set(const struct built *b, const struct xos_policy_set *set)
{
	for (unsigned i = 0; i < M_SETS; i++)
		if (b->sets[i] == set)
			return i;
	for (unsigned i = 0; i < M_CHAIN; i++)
		if (b->chain[i] == set)
			return SLOT_CHAIN + i;
	abort();
}

static bool is_own(const struct xos_policy_request *req)
{
	const struct xos_policy_subject *s = &req->subject;
	const struct xos_policy_resource *r = &req->resource;
	return s->vo && r->vo && r->owner && strcmp(s->vo, r->vo) == 0 &&
	       strcmp(s->member, r->owner) == 0;
}

static unsigned slot_of_level(const struct m_policy *p, const struct xos_policy_request *req,
    const struct xos_policy_verdict *v)
{
	static const enum m_level levels[] = {[XOS_POLICY_VO] = L_VO,
	    [XOS_POLICY_GROUP] = L_GROUP,
	    [XOS_POLICY_SITE] = L_SITE,
	    [XOS_POLICY_NODE] = L_NODE,
	    [XOS_POLICY_OWNER] = L_OWNER,
	    [XOS_POLICY_DELEGATION] = L_DELEGATION};
	char name[128];
	snprintf(name, sizeof(name), "%s", v->name);
	if (v->level == XOS_POLICY_DELEGATION)
		return SLOT_CHAIN + (strcmp(name, p->chain[0].name) != 0);
	if (v->level == XOS_POLICY_OWNER && is_own(req))
		return SLOT_OWNER;
	if (v->level == XOS_POLICY_OWNER)
		snprintf(name, sizeof(name), "%s:%s", req->resource.vo, req->resource.owner);
	const struct m_set *set = ref_find(p, levels[v->level], name);
	if (set)
		return (unsigned)(set - p->sets);
	if (v->level == XOS_POLICY_OWNER)
		return SLOT_OWNER;
	if (v->level == XOS_POLICY_SITE)
		return SLOT_SITE;
	bool subjects = req->subject.vo && strcmp(name, req->subject.vo) == 0;
	return subjects ? SLOT_VO : SLOT_OBJECT_VO;
}

/* False if one stands in the list twice. */
static bool read_fired(const struct built *b, const struct xos_policy_fired *list, size_t n,
    uint32_t *fired, uint32_t *perhaps)
{
	bool once = true;
	for (size_t i = 0; i < n; i++) {
		const struct xos_policy_statement *s = list[i].statement;
		unsigned slot = slot_of_set(b, xos_policy_statement_set(s));
		uint32_t bit = 1u << (xos_policy_statement_number(s) - 1);
		once &= !(fired[slot] & bit);
		fired[slot] |= bit;
		if (list[i].unknown && perhaps)
			perhaps[slot] |= bit;
	}
	return once;
}

static void read_limits(const struct xos_policy_answer *a, struct outcome *o)
{
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		if (l->cap == XOS_CAP_WALL)
			o->wall = (unsigned)(l->number / 3600);
		else if (l->cap == XOS_CAP_CPU)
			o->cpu = (unsigned)l->number;
		if (l->cap != XOS_CAP_ACCOUNT_CLASS)
			continue;
		o->classes = 0;
		for (size_t j = 0; j < l->nnames; j++)
			o->classes |= 1u << (l->names[j][0] - 'p');
	}
	for (size_t i = 0; i < a->nduties; i++) {
		const char *arg = a->duties[i].arg;
		unsigned bit = !arg ? 1u : arg[0] == 'x' ? 2u : 4u;
		o->twice |= o->duties & bit;
		o->duties |= bit;
	}
}

struct outcome ask_engine(const struct m_policy *p, const struct built *b,
    const struct xos_policy_request *req, struct xos_policy_answer *a)
{
	static const enum m_change changes[] = {M_UNSAID, M_CONTINUE, M_DRAIN, M_STOP};
	struct outcome o = {.classes = CLASSES_ALL};
	enum xos_status status = xos_policy_decide(b->policy, req, a);
	o.decision = a->decision;
	o.malformed = a->problem != NULL;
	/* The status says the same as the answer. */
	if ((status == XOS_OK) != (a->decision == XOS_POLICY_PERMITTED) ||
	    (status == XOS_DENIED) != (a->decision == XOS_POLICY_DENIED))
		abort();
	for (size_t i = 0; i < a->nlevels; i++)
		o.levels[slot_of_level(p, req, &a->levels[i])] =
		    (struct ref_level){true, a->levels[i].refuses, a->levels[i].stand};
	bool once = read_fired(b, a->forbids, a->nforbids, o.fired, o.perhaps);
	once &= read_fired(b, a->checks, a->nchecks, o.fired, o.perhaps);
	once &= read_fired(b, a->shadows, a->nshadows, o.shadows, NULL);
	o.twice = !once;
	read_limits(a, &o);
	o.change = (struct change){changes[a->change.change], (unsigned)(a->change.after / 60)};
	return o;
}

const char *what_differs(const struct outcome *x, const struct outcome *y)
{
	if (x->malformed != y->malformed)
		return "whether the request is well formed";
	if (x->twice != y->twice)
		return "what stands there twice";
	if (x->decision != y->decision)
		return "the decision";
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct ref_level *a = &x->levels[i], *b = &y->levels[i];
		if (a->there != b->there)
			return "which levels there are";
		if (a->there && a->stand != b->stand)
			return "how a level stands";
		/* Where a meet is empty, the level of one of those that narrowed it refuses. */
		bool met = !y->classes && a->refuses;
		if (a->refuses != b->refuses && !met)
			return "which levels refuse";
		if (x->fired[i] != y->fired[i])
			return "which forbids and checks fired";
		if (x->perhaps[i] != y->perhaps[i])
			return "which of them are unknown";
		if (x->shadows[i] != y->shadows[i])
			return "what is on trial";
	}
	if (x->wall != y->wall || x->cpu != y->cpu || x->classes != y->classes)
		return "the limits";
	if (x->duties != y->duties)
		return "the duties";
	if (x->change.what != y->change.what || x->change.after != y->change.after)
		return "what happens to running work";
	return NULL;
}

/* Is it one of the attributes that the request lacks? */
static bool really_missing(
    const struct m_policy *p, const struct xos_policy_request *req, const char *name)
{
	const struct where w = {p, req, NULL};
	for (unsigned i = 0; i < A_COUNT; i++)
		if (strcmp(attr_names[i], name) == 0)
			return !ref_has(&w, (enum m_attr)i);
	return true; /* the node and the zones have names of their own */
}

/* The words for a person begin with what was decided, and whoever decided is named. */
static bool words_fit(const struct xos_policy_answer *a)
{
	bool permitted = a->decision == XOS_POLICY_PERMITTED;
	struct xos_buf text, by;
	xos_buf_init(&text, 1 << 20);
	xos_buf_init(&by, 1 << 20);
	xos_policy_answer_explain(a, &text);
	xos_policy_answer_deciders(a, &by);
	bool fit = (strncmp(xos_buf_str(&text), "Permitted", 9) == 0) == permitted &&
	           (by.n != 0 || !permitted);
	xos_buf_free(&text);
	xos_buf_free(&by);
	return fit;
}

static const char *compare_rest(const struct m_policy *p, const struct xos_policy_request *req,
    const struct xos_policy_answer *a)
{
	struct outcome with;
	size_t found = 0;
	for (size_t i = 0; i < a->nunknown; i++)
		if (!really_missing(p, req, a->unknown[i]))
			return "an attribute is said to be missing";
	static unsigned turn;
	if (turn++ % 8 == 0 && !words_fit(a))
		return "the words";
	bool wanted = a->decision != XOS_POLICY_PERMITTED;
	for (size_t i = 0; wanted && i < req->subject.nheld; i++) {
		bool there = false;
		ref_decide(p, req, req->subject.held[i], &with);
		for (size_t j = 0; j < a->nway_out; j++)
			there |= strcmp(a->way_out[j], req->subject.held[i]) == 0;
		if (there != (with.decision == XOS_POLICY_PERMITTED))
			return "the way out";
		found += there;
	}
	return found == a->nway_out ? NULL : "the way out";
}

/* The same request, with subject or resource (or both) found out beforehand: nothing else may come of it. */
static const char *compare_interned(const struct m_policy *p, const struct built *b,
    const struct xos_policy_request *plain, const struct outcome *expected,
    struct xos_policy_answer *a)
{
	struct xos_policy_request req = *plain;
	struct xos_policy_interned_subject *subject = NULL;
	struct xos_policy_interned_resource *resource = NULL;
	const char *what = NULL;
	/* One in two, by what it is: a difference stays one while the policy is made smaller. */
	unsigned which =
	    (unsigned)(plain->nvalues + plain->subject.ngroups + plain->now / 1800) % 12;
	if (which >= 6)
		return NULL;
	/* Also in a policy that is not this one any more. */
	struct xos_policy *in = which % 6 ? b->policy : b->empty;
	/* The other one does not know the kinds that sets add. */
	struct xos_policy *knows = strchr(plain->resource.kind, '.') ? b->policy : in;
	if (xos_policy_intern_subject(in, &plain->subject, &subject, NULL) != XOS_OK ||
	    xos_policy_intern_resource(knows, &plain->resource, &resource, NULL) != XOS_OK)
		abort();
	if (which % 3 != 1)
		req.interned_subject = subject;
	if (which % 3 != 2)
		req.interned_resource = resource;
	struct outcome o = ask_engine(p, b, &req, a);
	if (what_differs(&o, expected) || compare_rest(p, plain, a))
		what = "what comes of interned names";
	xos_policy_interned_subject_free(subject);
	xos_policy_interned_resource_free(resource);
	return what;
}

const char *compare_one(const struct m_policy *p, const struct built *b, struct m_request *r,
    struct xos_policy_answer *a, enum xos_policy_decision *decision)
{
	const struct xos_policy_set *chain[M_CHAIN];
	struct outcome slow, engine;
	for (unsigned i = 0; i < b->nchain; i++)
		chain[i] = b->chain[i];
	r->req.chain = chain;
	r->req.nchain = r->req.subject.kind == XOS_SUBJECT_MEMBER ? b->nchain : 0;
	ref_decide(p, &r->req, NULL, &slow);
	engine = ask_engine(p, b, &r->req, a);
	*decision = slow.decision;
	const char *what = what_differs(&engine, &slow);
	if (!what)
		what = compare_rest(p, &r->req, a);
	if (!what)
		what = compare_interned(p, b, &r->req, &slow, a);
	r->req.chain = NULL;
	return what;
}
