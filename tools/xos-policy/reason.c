/* Policies read for what they ask. */
#include "policytool/reason.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policytool/match.h"

struct reasoner {
	struct xos_policy_memory *memory;
	const struct xos_policy *policy;
	struct xos_policytool_matcher match;
	bool failed;
};

typedef const struct xos_formula *formula;

static formula truth(bool b)
{
	return b ? &xos_formula_true : &xos_formula_false;
}

static char *keep(struct reasoner *r, struct xos_buf *b)
{
	const char *text = xos_buf_str(b);
	char *copy = text ? xos_policy_memory_string(r->memory, text, strlen(text)) : NULL;
	xos_buf_free(b);
	if (!copy)
		r->failed = true;
	return copy;
}

/* A condition as the language writes it: a check is nothing but its condition. */
static char *text_of(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, const char *before)
{
	struct xos_policy_cond copy = *c;
	struct xos_policy_statement s = {.set = set, .effect = XOS_POLICY_CHECK, .cond = &copy};
	struct xos_buf b, head;
	xos_buf_init(&head, 1 << 20);
	xos_policy_statement_head(&s, &head);
	const char *text = xos_buf_str(&head);
	xos_buf_init(&b, 1 << 20);
	xos_buf_printf(&b, "%s%s", before, text && strlen(text) > 6 ? text + 6 : "?");
	xos_buf_free(&head);
	return keep(r, &b);
}

static char *opposite_of(
    struct reasoner *r, const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	static const enum xos_policy_cmp flipped[] = {[XOS_CMP_EQ] = XOS_CMP_NE,
	    [XOS_CMP_NE] = XOS_CMP_EQ,
	    [XOS_CMP_LT] = XOS_CMP_GE,
	    [XOS_CMP_LE] = XOS_CMP_GT,
	    [XOS_CMP_GT] = XOS_CMP_LE,
	    [XOS_CMP_GE] = XOS_CMP_LT};
	struct xos_policy_cond copy = *c;
	if (c->op != XOS_COND_COMPARE && c->op != XOS_COND_NOW)
		return text_of(r, set, c, "not ");
	copy.cmp = flipped[c->cmp];
	return text_of(r, set, &copy, "");
}

static struct xos_formula *new_test(struct reasoner *r)
{
	struct xos_formula *f = xos_policy_memory_take(r->memory, sizeof(*f));
	if (!f)
		r->failed = true;
	else
		f->kind = XOS_FORMULA_TEST;
	return f;
}

static formula finish_test(struct reasoner *r, struct xos_formula *f, bool positive)
{
	if (!f || !f->text || !f->opposite) {
		r->failed = true;
		return NULL;
	}
	if (!positive) {
		const char *text = f->text;
		f->text = f->opposite;
		f->opposite = text;
		f->negated = true;
	}
	return f;
}

static formula open_test(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, bool positive)
{
	struct xos_formula *f = new_test(r);
	if (!f)
		return NULL;
	f->cond = c;
	f->set = set;
	f->text = text_of(r, set, c, "");
	f->opposite = opposite_of(r, set, c);
	f->total = c->op == XOS_COND_NOW || c->op == XOS_COND_TIME || c->op == XOS_COND_DATE ||
	           c->op == XOS_COND_HAS;
	return finish_test(r, f, positive);
}

/* A role, a home or a service, which no condition stands for where it is part of a head. */
static formula named_test(struct reasoner *r, const char *word, const char *name, bool positive)
{
	const char *quote = word[0] == 'h' ? "\"" : "";
	struct xos_formula *f = new_test(r);
	struct xos_buf b;
	if (!f)
		return NULL;
	xos_buf_init(&b, 4096);
	xos_buf_printf(&b, "%s%s%s%s", word, quote, name, quote);
	f->text = keep(r, &b);
	xos_buf_init(&b, 4096);
	xos_buf_printf(&b, "not %s%s%s%s", word, quote, name, quote);
	f->opposite = keep(r, &b);
	f->total = word[0] != 'o';
	f->role = word[0] == 'r' ? name : NULL;
	f->home = word[0] == 'h' ? name : NULL;
	f->service = word[0] == 'o' ? name : NULL;
	return finish_test(r, f, positive);
}

static formula who_formula(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_who *who, bool positive)
{
	if (who->kind == XOS_WHO_ROLE && xos_policytool_role_open(&r->match, who->name))
		return named_test(r, "role ", who->name, positive);
	if (who->kind == XOS_WHO_HOME && r->match.open->home)
		return named_test(r, "home ", who->name, positive);
	return truth(xos_policytool_who(&r->match, set, who) == positive);
}

/* What is not known is neither true nor false. */
static formula tri(enum xos_policytool_tri t, bool positive)
{
	return truth(t == (positive ? XOS_KNOWN_TRUE : XOS_KNOWN_FALSE));
}

static formula place_formula(
    struct reasoner *r, const struct xos_policy_place *place, bool positive)
{
	struct xos_formula_list l = {.memory = r->memory};
	for (size_t i = 0; i < place->n; i++) {
		const struct xos_policy_term *t = &place->terms[i];
		enum xos_policytool_tri v = xos_policytool_term(&r->match, t);
		xos_formula_add(&l, v == XOS_LEFT_OPEN
		                        ? named_test(r, "on service:", t->name, positive)
		                        : tri(v, positive));
	}
	formula f = xos_formula_join(positive ? XOS_FORMULA_ALL : XOS_FORMULA_ANY, &l);
	r->failed |= !f;
	return f;
}

static formula cond_formula(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, bool positive);

static formula tree_formula(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, bool positive)
{
	struct xos_formula_list l = {.memory = r->memory};
	if (c->op == XOS_COND_NOT)
		return cond_formula(r, set, c->u.kids[0], !positive);
	for (size_t i = 0; i < c->n; i++)
		xos_formula_add(&l, cond_formula(r, set, c->u.kids[i], positive));
	formula f = xos_formula_join(
	    (c->op == XOS_COND_AND) == positive ? XOS_FORMULA_ALL : XOS_FORMULA_ANY, &l);
	r->failed |= !f;
	return f;
}

static formula cond_formula(struct reasoner *r, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, bool positive)
{
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		return tree_formula(r, set, c, positive);
	case XOS_COND_WHO:
		return who_formula(r, set, &c->u.who, positive);
	case XOS_COND_ON:
		return place_formula(r, &c->u.place, positive);
	case XOS_COND_ACTION:
		return truth(xos_policytool_action(&r->match, set, c->u.actions) == positive);
	case XOS_COND_HAS:
	case XOS_COND_BOOL:
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_NOW:
	case XOS_COND_TIME:
	case XOS_COND_LIKE:
	case XOS_COND_DATE:
		break;
	case XOS_COND_OPS:
		return &xos_formula_false;
	}
	enum xos_policytool_tri v = xos_policytool_test_value(&r->match, set, c);
	return v == XOS_LEFT_OPEN ? open_test(r, set, c, positive) : tri(v, positive);
}

/* Most statements are about somebody else: that must be quick to see. */
static bool concerns(const struct reasoner *r, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nwhos; i++) {
		const struct xos_policy_who *w = &s->whos[i];
		if (xos_policytool_foreign_home(&r->match, s, w))
			continue;
		if ((w->kind == XOS_WHO_ROLE && xos_policytool_role_open(&r->match, w->name)) ||
		    (w->kind == XOS_WHO_HOME && r->match.open->home) ||
		    xos_policytool_who(&r->match, s->set, w))
			return true;
	}
	return !s->nwhos;
}

/* When does the statement apply (positive), or certainly not? */
static formula statement_formula(
    struct reasoner *r, const struct xos_policy_statement *s, bool positive)
{
	struct xos_formula_list all = {.memory = r->memory};
	enum xos_formula_kind outer = positive ? XOS_FORMULA_ALL : XOS_FORMULA_ANY;
	enum xos_formula_kind inner = positive ? XOS_FORMULA_ANY : XOS_FORMULA_ALL;
	if (!xos_policytool_action(&r->match, s->set, s->actions) || !concerns(r, s))
		return truth(!positive);
	if (s->nwhos) {
		struct xos_formula_list l = {.memory = r->memory};
		for (size_t i = 0; i < s->nwhos; i++)
			xos_formula_add(&l, xos_policytool_foreign_home(&r->match, s, &s->whos[i])
			                        ? truth(!positive)
			                        : who_formula(r, s->set, &s->whos[i], positive));
		xos_formula_add(&all, xos_formula_join(inner, &l));
	}
	if (s->nplaces) {
		struct xos_formula_list l = {.memory = r->memory};
		for (size_t i = 0; i < s->nplaces; i++)
			xos_formula_add(&l, place_formula(r, &s->places[i], positive));
		xos_formula_add(&all, xos_formula_join(inner, &l));
	}
	if (s->cond)
		xos_formula_add(&all, cond_formula(r, s->set, s->cond, positive));
	formula f = xos_formula_join(outer, &all);
	r->failed |= !f;
	return f;
}

static void bring_permits(
    struct reasoner *r, const struct xos_policy_set *set, struct xos_formula_list *any)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->statements[i].effect == XOS_POLICY_PERMIT && !set->statements[i].shadow)
			xos_formula_add(any, statement_formula(r, &set->statements[i], true));
}

/* Where do permits of the set below count as those of the set above? */
static formula delegated(
    struct reasoner *r, const struct xos_policy_set *above, const struct xos_policy_set *below)
{
	struct xos_formula_list any = {.memory = r->memory};
	for (size_t i = 0; i < above->n; i++) {
		const struct xos_policy_statement *s = &above->statements[i];
		if (s->effect != XOS_POLICY_DELEGATE || s->shadow ||
		    !xos_policytool_covers(s, below))
			continue;
		/* Its who names the group whose set it is, not who asks. */
		struct xos_policy_statement plain = *s;
		plain.nwhos = 0;
		xos_formula_add(&any, statement_formula(r, &plain, true));
	}
	formula f = xos_formula_join(XOS_FORMULA_ANY, &any);
	r->failed |= !f;
	return f;
}

static void bring_delegated(struct reasoner *r, const struct xos_policy_set *above,
    const struct xos_policy_set *below, struct xos_formula_list *any)
{
	struct xos_formula_list own = {.memory = r->memory};
	formula where = delegated(r, above, below);
	if (!where || where->kind == XOS_FORMULA_FALSE)
		return;
	bring_permits(r, below, &own);
	formula grant = xos_formula_join(XOS_FORMULA_ANY, &own);
	xos_formula_add(any, xos_formula_pair(r->memory, XOS_FORMULA_ALL, where, grant));
}

/* The requester's groups and those above them, each once: their sets. */
static void bring_groups(
    struct reasoner *r, const struct xos_policy_set *vo, struct xos_formula_list *any)
{
	const struct xos_policy_set *sets[XOS_POLICYTOOL_SETS_MAX];
	size_t n = xos_policytool_group_sets(&r->match, r->policy, sets);
	for (size_t i = 0; i < n; i++)
		bring_delegated(r, vo, sets[i], any);
}

static void ask_vo(
    struct reasoner *r, const char *name, bool requester, struct xos_formula_list *all)
{
	const struct xos_policy_set *set = xos_policy_find_set(r->policy, XOS_POLICY_VO, name);
	struct xos_formula_list any = {.memory = r->memory};
	if (!set) {
		xos_formula_add(all, &xos_formula_false);
		return;
	}
	bring_permits(r, set, &any);
	if (requester)
		bring_groups(r, set, &any);
	xos_formula_add(all, xos_formula_join(XOS_FORMULA_ANY, &any));
}

static void ask_site(struct reasoner *r, struct xos_formula_list *all)
{
	const struct xos_policy_resource *res = &r->match.req->resource;
	const struct xos_policy_set *site =
	    res->site ? xos_policy_find_set(r->policy, XOS_POLICY_SITE, res->site) : NULL;
	struct xos_formula_list any = {.memory = r->memory};
	char name[XOS_SITE_MAX + XOS_NODE_MAX + 2];
	if (!res->site)
		return;
	if (!site) {
		xos_formula_add(all, &xos_formula_false);
		return;
	}
	bring_permits(r, site, &any);
	if (res->node) {
		xos_policytool_node_name(name, sizeof(name), res);
		const struct xos_policy_set *node =
		    xos_policy_find_set(r->policy, XOS_POLICY_NODE, name);
		if (node)
			bring_delegated(r, site, node, &any);
	}
	xos_formula_add(all, xos_formula_join(XOS_FORMULA_ANY, &any));
}

static void ask_owner(struct reasoner *r, struct xos_formula_list *all)
{
	const struct xos_policy_resource *res = &r->match.req->resource;
	char name[XOS_VO_MAX + XOS_MEMBER_MAX + 2];
	struct xos_formula_list any = {.memory = r->memory};
	if (!res->owner || xos_policytool_is_owner(&r->match))
		return;
	xos_policytool_owner_name(name, sizeof(name), res);
	const struct xos_policy_set *set = xos_policy_find_set(r->policy, XOS_POLICY_OWNER, name);
	if (set)
		bring_permits(r, set, &any);
	xos_formula_add(all, xos_formula_join(XOS_FORMULA_ANY, &any));
}

/* No forbid may fire, and a forbid fires on what is not known; every check must pass. */
static void ask_all(struct reasoner *r, struct xos_formula_list *all)
{
	const struct xos_policy_set *sets[XOS_POLICYTOOL_SETS_MAX];
	size_t n = xos_policytool_concerned(&r->match, r->policy, sets);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sets[i]->n; j++) {
			const struct xos_policy_statement *s = &sets[i]->statements[j];
			if (s->effect == XOS_POLICY_FORBID && !s->shadow)
				xos_formula_add(all, statement_formula(r, s, false));
			if (s->effect == XOS_POLICY_CHECK)
				xos_formula_add(all, statement_formula(r, s, true));
		}
}

#define CLASSES_MAX 12u /* limits on the class of account that one request can meet */

static uint64_t classes_of(const struct xos_policy_statement *s, const char **names, size_t *n)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < s->ncaps; i++)
		for (size_t j = 0; s->caps[i].cap == XOS_CAP_ACCOUNT_CLASS && j < s->caps[i].n;
		     j++) {
			size_t k = 0;
			while (k < *n && strcmp(names[k], s->caps[i].names[j]) != 0)
				k++;
			if (k == *n && *n < 64)
				names[(*n)++] = s->caps[i].names[j];
			if (k < 64)
				mask |= UINT64_C(1) << k;
		}
	return mask;
}

static bool limits_class(const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->ncaps; i++)
		if (s->caps[i].cap == XOS_CAP_ACCOUNT_CLASS)
			return !s->shadow && s->effect == XOS_POLICY_LIMIT;
	return false;
}

/* Limits on the class of account that leave nothing together refuse: one of them must not apply. */
static void ask_classes(struct reasoner *r, struct xos_formula_list *all)
{
	const struct xos_policy_set *sets[XOS_POLICYTOOL_SETS_MAX];
	size_t nsets = xos_policytool_concerned(&r->match, r->policy, sets), n = 0, nnames = 0;
	formula off[CLASSES_MAX];
	uint64_t classes[CLASSES_MAX];
	const char *names[64];
	for (size_t i = 0; i < nsets; i++)
		for (size_t j = 0; j < sets[i]->n && n < CLASSES_MAX; j++) {
			const struct xos_policy_statement *s = &sets[i]->statements[j];
			formula f = limits_class(s) ? statement_formula(r, s, false) : NULL;
			if (!f || f->kind == XOS_FORMULA_TRUE)
				continue;
			classes[n] = classes_of(s, names, &nnames);
			off[n++] = f;
		}
	for (unsigned subset = 1; subset < 1u << n; subset++) {
		struct xos_formula_list any = {.memory = r->memory};
		uint64_t left = UINT64_MAX;
		for (size_t i = 0; i < n; i++)
			if (subset >> i & 1) {
				left &= classes[i];
				xos_formula_add(&any, off[i]);
			}
		if (!left)
			xos_formula_add(all, xos_formula_join(XOS_FORMULA_ANY, &any));
	}
}

static bool asked(struct reasoner *r, const struct xos_policy_options *zones,
    const struct xos_policy_request *req, const struct xos_policytool_open *open)
{
	return xos_policytool_matcher_init(&r->match, r->policy, zones, req, open);
}

formula xos_policytool_permitted(struct xos_policy_memory *memory, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open)
{
	struct reasoner r = {.memory = memory, .policy = policy};
	struct xos_formula_list all = {.memory = memory};
	if (!asked(&r, zones, req, open))
		return &xos_formula_false;
	const struct xos_policy_subject *s = &req->subject;
	if (s->kind != XOS_SUBJECT_LOCAL)
		ask_vo(&r, s->vo, true, &all);
	if (req->resource.vo && (!s->vo || strcmp(s->vo, req->resource.vo) != 0))
		ask_vo(&r, req->resource.vo, false, &all);
	ask_site(&r, &all);
	ask_owner(&r, &all);
	ask_all(&r, &all);
	ask_classes(&r, &all);
	/* Nobody was asked: nobody grants. */
	if (s->kind == XOS_SUBJECT_LOCAL && !req->resource.site)
		xos_formula_add(&all, &xos_formula_false);
	formula f = xos_formula_join(XOS_FORMULA_ALL, &all);
	return r.failed ? NULL : f;
}

bool xos_policytool_may_apply(struct xos_policy_memory *memory, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open, const struct xos_policy_statement *s)
{
	struct reasoner r = {.memory = memory, .policy = policy};
	struct xos_policy_statement plain = *s;
	if (!asked(&r, zones, req, open))
		return false;
	if (s->effect == XOS_POLICY_DELEGATE)
		plain.nwhos = 0;
	formula f = statement_formula(&r, &plain, false);
	return r.failed || !f || f->kind != XOS_FORMULA_TRUE;
}

static bool holds(const struct xos_formula *f, const struct xos_policytool_matcher *m)
{
	size_t i = 0;
	switch (f->kind) {
	case XOS_FORMULA_FALSE:
		return false;
	case XOS_FORMULA_TRUE:
		return true;
	case XOS_FORMULA_ALL:
		while (i < f->n && holds(f->kids[i], m))
			i++;
		return i == f->n;
	case XOS_FORMULA_ANY:
		while (i < f->n && !holds(f->kids[i], m))
			i++;
		return i < f->n;
	case XOS_FORMULA_TEST:
		break;
	}
	enum xos_policytool_tri wanted = f->negated ? XOS_KNOWN_FALSE : XOS_KNOWN_TRUE;
	if (f->cond)
		return xos_policytool_test_value(m, f->set, f->cond) == wanted;
	if (f->service) {
		const struct xos_policy_term t = {XOS_TERM_SERVICE, f->service};
		return xos_policytool_term(m, &t) == wanted;
	}
	const struct xos_policy_who who = {
	    f->role ? XOS_WHO_ROLE : XOS_WHO_HOME, f->role ? f->role : f->home};
	return xos_policytool_who(m, f->set, &who) != f->negated;
}

bool xos_policytool_holds(const struct xos_formula *f, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req)
{
	static const struct xos_policytool_open closed;
	struct xos_policytool_matcher m;
	return xos_policytool_matcher_init(&m, policy, zones, req, &closed) && holds(f, &m);
}

static formula lacking(
    struct xos_policy_memory *memory, formula f, const struct xos_policytool_matcher *m)
{
	struct xos_formula_list rest = {.memory = memory};
	if (holds(f, m))
		return &xos_formula_true;
	for (size_t i = 0; i < f->n; i++)
		if (f->kind == XOS_FORMULA_ANY || !holds(f->kids[i], m))
			xos_formula_add(&rest, lacking(memory, f->kids[i], m));
	return f->n ? xos_formula_join(f->kind, &rest) : f;
}

formula xos_policytool_lacking(struct xos_policy_memory *memory, const struct xos_formula *f,
    const struct xos_policy *policy, const struct xos_policy_options *zones,
    const struct xos_policy_request *req)
{
	static const struct xos_policytool_open closed;
	struct xos_policytool_matcher m;
	if (!xos_policytool_matcher_init(&m, policy, zones, req, &closed))
		return f;
	return lacking(memory, f, &m);
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "wall 1d if auth.mfa" for each cap and duty of a statement that can apply. */
static void add_bounds(
    struct reasoner *r, const struct xos_policy_statement *s, formula off, struct xos_buf *line)
{
	struct xos_policy_statement bare = {.set = s->set,
	    .effect = s->effect,
	    .caps = s->caps,
	    .ncaps = s->ncaps,
	    .duties = s->duties,
	    .nduties = s->nduties,
	    .actions = UINT64_MAX};
	struct xos_buf text;
	xos_buf_init(&text, 1 << 20);
	xos_policy_statement_text(&bare, &text);
	const char *body = xos_buf_str(&text), *brace = body ? strchr(body, '{') : NULL;
	xos_buf_put_str(line, brace ? brace : "?");
	if (off->kind != XOS_FORMULA_FALSE) {
		xos_buf_put_str(line, " unless ");
		xos_formula_text(off, line);
	}
	xos_buf_free(&text);
	r->failed |= xos_buf_status(line) != XOS_OK;
}

void xos_policytool_bounds(struct xos_policy_memory *memory, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open, struct xos_buf *out,
    void (*told)(void *arg, const struct xos_formula *test), void *arg)
{
	struct reasoner r = {.memory = memory, .policy = policy};
	const struct xos_policy_set *sets[XOS_POLICYTOOL_SETS_MAX];
	const char **lines = NULL;
	size_t n = 0;
	if (!asked(&r, zones, req, open))
		return;
	size_t nsets = xos_policytool_concerned(&r.match, r.policy, sets);
	for (size_t i = 0; i < nsets; i++)
		for (size_t j = 0; j < sets[i]->n; j++) {
			const struct xos_policy_statement *s = &sets[i]->statements[j];
			struct xos_buf line;
			if (s->shadow ||
			    (s->effect != XOS_POLICY_LIMIT && s->effect != XOS_POLICY_DUTY))
				continue;
			formula off = statement_formula(&r, s, false);
			if (!off || off->kind == XOS_FORMULA_TRUE)
				continue;
			if (told)
				xos_formula_tests(off, told, arg);
			xos_buf_init(&line, 1 << 20);
			add_bounds(&r, s, off, &line);
			const char **more = xos_policy_memory_grow(memory, lines, n, sizeof(*more));
			char *text = keep(&r, &line);
			if (!more || !text)
				return;
			lines = more;
			lines[n++] = text;
		}
	if (n > 1)
		qsort(lines, n, sizeof(*lines), text_order);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(lines[i - 1], lines[i]) != 0)
			xos_buf_printf(out, "%s\n", lines[i]);
}
