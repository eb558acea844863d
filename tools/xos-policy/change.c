#include "policytool/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policytool/match.h"
#include "policytool/vary.h"

#define CLASSES_MAX 1000u
#define CELL_MAX 2000u /* requests of one principal, action and thing */

struct text {
	char *s;
	const struct xos_policy_statement *statement;
};

struct difference { /* statements of one side that the other has not */
	struct text *list;
	size_t n;
};

struct xos_policytool_changes {
	struct xos_policytool_side side[2];
	struct difference only[2];
	/* Of both sides: either may name zones that the other does not. */
	struct xos_policy_zone_data *zone_list;
	struct xos_policy_options zones;
	bool whole;                       /* nodes or the presence of sets differ: anything may */
	struct xos_policy_memory *memory; /* of the classes */
	struct xos_policy_memory *scratch;
	struct xos_policytool_variety *variety;
	struct xos_policytool_change *list;
	size_t n, asked;
	struct xos_policy_answer answer[2];
	bool sampled;
};

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* ---- what statements differ ---- */

static int text_order(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->s, ((const struct text *)b)->s);
}

/* Position and label do not matter to a decision. */
static char *statement_text(const struct xos_policy_statement *s)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_printf(
	    &b, "%s %s %u ", xos_policy_level_name(s->set->level), s->set->name, s->set->schema);
	xos_policy_statement_text(s, &b);
	return xos_buf_steal(&b, NULL);
}

static enum xos_status all_texts(
    const struct xos_policytool_sets *sets, struct difference *out, struct xos_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < sets->n; i++)
		n += sets->list[i].set->n;
	out->list = calloc(n + 1, sizeof(*out->list));
	for (size_t i = 0; out->list && i < sets->n; i++)
		for (size_t j = 0; j < sets->list[i].set->n; j++) {
			const struct xos_policy_statement *s = &sets->list[i].set->statements[j];
			out->list[out->n].s = statement_text(s);
			if (!out->list[out->n].s)
				return no_memory(err);
			out->list[out->n++].statement = s;
		}
	if (!out->list)
		return no_memory(err);
	if (out->n > 1)
		qsort(out->list, out->n, sizeof(*out->list), text_order);
	return XOS_OK;
}

/* A list that is at its end comes after everything. */
static int compare_heads(const struct difference *a, size_t i, const struct difference *b, size_t j)
{
	const char *x = i < a->n ? a->list[i].s : NULL, *y = j < b->n ? b->list[j].s : NULL;
	return x && y ? strcmp(x, y) : x ? -1 : 1;
}

/* Takes out of both what is in both, as often as it is. */
static void cancel(struct difference *a, struct difference *b)
{
	size_t i = 0, j = 0, n = 0, m = 0;
	while (i < a->n || j < b->n) {
		int c = compare_heads(a, i, b, j);
		if (c < 0) {
			a->list[n++] = a->list[i++];
		} else if (c > 0) {
			b->list[m++] = b->list[j++];
		} else {
			free(a->list[i++].s);
			free(b->list[j++].s);
		}
	}
	a->n = n;
	b->n = m;
}

static bool same_nodes(const struct xos_policy_set *a, const struct xos_policy_set *b)
{
	if (a->nnodes != b->nnodes)
		return false;
	for (size_t i = 0; i < a->nnodes; i++) {
		const struct xos_policy_node *x = &a->nodes[i], *y = &b->nodes[i];
		if (strcmp(x->name, y->name) != 0 || !x->class_name != !y->class_name ||
		    (x->class_name && strcmp(x->class_name, y->class_name) != 0) ||
		    x->ntags != y->ntags)
			return false;
		for (size_t j = 0; j < x->ntags; j++)
			if (strcmp(x->tags[j], y->tags[j]) != 0)
				return false;
	}
	return true;
}

/* Has other every set of sides[of], with the same nodes? */
static bool has_sets(const struct xos_policytool_side *of, const struct xos_policytool_side *other)
{
	for (size_t i = 0; i < of->sets->n; i++) {
		const struct xos_policy_set *a = of->sets->list[i].set;
		const struct xos_policy_set *b =
		    xos_policytool_is_part(a)
		        ? xos_policy_find_set(other->policy, a->level, a->name)
		        : a;
		if (!b || !same_nodes(a, b))
			return false;
	}
	return true;
}

static enum xos_status join_zones(struct xos_policytool_changes *c, struct xos_err *err)
{
	size_t n = 0;
	for (size_t k = 0; k < 2; k++)
		n += c->side[k].zones ? c->side[k].zones->nzones : 0;
	c->zone_list = calloc(n + 1, sizeof(*c->zone_list));
	if (!c->zone_list)
		return no_memory(err);
	n = 0;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; c->side[k].zones && i < c->side[k].zones->nzones; i++)
			c->zone_list[n++] = c->side[k].zones->zones[i];
	c->zones = (struct xos_policy_options){.zones = c->zone_list, .nzones = n};
	return XOS_OK;
}

enum xos_status xos_policytool_changes_new(const struct xos_policytool_side *before,
    const struct xos_policytool_side *after, struct xos_policytool_changes **out,
    struct xos_err *err)
{
	struct xos_policytool_changes *c = calloc(1, sizeof(*c));
	*out = c;
	if (!c)
		return no_memory(err);
	c->side[0] = *before;
	c->side[1] = *after;
	xos_policy_answer_init(&c->answer[0]);
	xos_policy_answer_init(&c->answer[1]);
	c->memory = xos_policy_memory_new();
	c->scratch = xos_policy_memory_new();
	if (!c->memory || !c->scratch)
		return no_memory(err);
	enum xos_status st = join_zones(c, err);
	if (!st)
		st = all_texts(before->sets, &c->only[0], err);
	if (!st)
		st = all_texts(after->sets, &c->only[1], err);
	if (!st)
		cancel(&c->only[0], &c->only[1]);
	c->whole = !has_sets(before, after) || !has_sets(after, before);
	return st;
}

void xos_policytool_changes_free(struct xos_policytool_changes *c)
{
	if (!c)
		return;
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < c->only[k].n; i++)
			free(c->only[k].list[i].s);
		free(c->only[k].list);
		xos_policy_answer_free(&c->answer[k]);
	}
	xos_policytool_variety_free(c->variety);
	free(c->zone_list);
	xos_policy_memory_free(c->memory);
	xos_policy_memory_free(c->scratch);
	free(c);
}

void xos_policytool_changes_statements(const struct xos_policytool_changes *c,
    void (*told)(void *arg, char mark, const struct xos_policy_statement *s), void *arg)
{
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < c->only[k].n; i++)
			told(arg, k ? '+' : '-', c->only[k].list[i].statement);
}

/* ---- one request ---- */

static void put_limit(struct xos_buf *b, const struct xos_policy_limit *l)
{
	const struct xos_policy_cap_info *info = xos_policy_cap_info(l->cap);
	if (!xos_policy_cap_is_set(l->cap))
		xos_policy_number_print(b, info->type, l->number);
	for (size_t i = 0; xos_policy_cap_is_set(l->cap) && i < l->nnames; i++)
		xos_buf_printf(b, "%s%s", i ? "|" : "", l->names[i]);
}

/* "1d", "none"; false: out of memory. */
static bool limit_text(
    const struct xos_policy_answer *a, enum xos_policy_cap cap, char *out, size_t size)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 16);
	for (size_t i = 0; i < a->nlimits; i++)
		if (a->limits[i].cap == cap)
			put_limit(&b, &a->limits[i]);
	const char *text = xos_buf_str(&b);
	bool ok = text && xos_str_printf(out, size, "%.1000s", text[0] ? text : "none");
	xos_buf_free(&b);
	return ok;
}

static bool has_duty(const struct xos_policy_answer *a, const struct xos_policy_duty *d)
{
	for (size_t i = 0; i < a->nduties; i++) {
		const struct xos_policy_duty *o = &a->duties[i];
		if (strcmp(o->name, d->name) == 0 && !o->arg == !d->arg &&
		    (!d->arg || strcmp(o->arg, d->arg) == 0))
			return true;
	}
	return false;
}

static void put_duties(struct xos_buf *b, const char *word, const struct xos_policy_answer *a,
    const struct xos_policy_answer *other)
{
	for (size_t i = 0; i < a->nduties; i++)
		if (!has_duty(other, &a->duties[i]))
			xos_buf_printf(b, "%s%s %s%s%s", b->n ? ", " : "", word, a->duties[i].name,
			    a->duties[i].arg ? " " : "", a->duties[i].arg ? a->duties[i].arg : "");
}

/* What binds whoever is permitted, as far as it is not the same. */
static bool put_bounds(
    struct xos_buf *b, const struct xos_policy_answer *a, const struct xos_policy_answer *z)
{
	char before[1024], after[1024];
	for (unsigned cap = 0; cap < XOS_CAP_COUNT; cap++) {
		if (!limit_text(a, (enum xos_policy_cap)cap, before, sizeof(before)) ||
		    !limit_text(z, (enum xos_policy_cap)cap, after, sizeof(after)))
			return false;
		if (strcmp(before, after) != 0)
			xos_buf_printf(b, "%slimit %s %s -> %s", b->n ? ", " : "",
			    xos_policy_cap_info((enum xos_policy_cap)cap)->name, before, after);
	}
	put_duties(b, "no more duty", a, z);
	put_duties(b, "new duty", z, a);
	return true;
}

static const char *keep(struct xos_policytool_changes *c, struct xos_buf *b)
{
	const char *text = xos_buf_str(b);
	const char *copy = text ? xos_policy_memory_string(c->memory, text, strlen(text)) : NULL;
	xos_buf_free(b);
	return copy;
}

/* "deny -> permit", "limit wall 1d -> 12h"; NULL: out of memory, "" if nothing changed. */
static const char *difference(struct xos_policytool_changes *c)
{
	const struct xos_policy_answer *a = &c->answer[0], *z = &c->answer[1];
	struct xos_buf b;
	bool ok = true;
	xos_buf_init(&b, 1 << 18);
	if (a->decision != z->decision)
		xos_buf_printf(&b, "%s -> %s", xos_policy_decision_name(a->decision),
		    xos_policy_decision_name(z->decision));
	else if (a->decision == XOS_POLICY_PERMITTED)
		ok = put_bounds(&b, a, z);
	if (ok && b.n)
		return keep(c, &b);
	xos_buf_free(&b);
	return ok ? "" : NULL;
}

static const char *explanation(struct xos_policytool_changes *c, const struct xos_policy_answer *a)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 18);
	xos_policy_answer_explain(a, &b);
	return keep(c, &b);
}

static enum xos_status add_class(struct xos_policytool_changes *c, const char *action,
    const char *what, const char *example, struct xos_err *err)
{
	struct xos_policytool_change one = {.what = what, .count = 1};
	one.action = xos_policy_memory_string(c->memory, action, strlen(action));
	one.example = xos_policy_memory_string(c->memory, example, strlen(example));
	one.before = explanation(c, &c->answer[0]);
	one.after = explanation(c, &c->answer[1]);
	if (!one.action || !one.example || !one.before || !one.after)
		return no_memory(err);
	/* The same change for the same reasons is one class. */
	for (size_t i = 0; i < c->n; i++) {
		struct xos_policytool_change *o = &c->list[i];
		if (strcmp(o->action, one.action) == 0 && strcmp(o->what, what) == 0 &&
		    strcmp(o->before, one.before) == 0 && strcmp(o->after, one.after) == 0) {
			o->count++;
			return XOS_OK;
		}
	}
	if (c->n == CLASSES_MAX) {
		c->sampled = true;
		return XOS_OK;
	}
	struct xos_policytool_change *list =
	    xos_policy_memory_grow(c->memory, c->list, c->n, sizeof(*list));
	if (!list)
		return no_memory(err);
	c->list = list;
	list[c->n++] = one;
	return XOS_OK;
}

enum xos_status xos_policytool_changes_try(struct xos_policytool_changes *c,
    const struct xos_policy_request *req, const char *example, struct xos_err *err)
{
	c->asked++;
	for (size_t k = 0; k < 2; k++)
		(void)!xos_policy_decide(c->side[k].policy, req, &c->answer[k]);
	const char *what = difference(c);
	if (!what)
		return no_memory(err);
	return what[0] ? add_class(c, req->action, what, example, err) : XOS_OK;
}

/* ---- all requests ---- */

static struct xos_policytool_open everything(const struct xos_policytool_principal *p)
{
	return (struct xos_policytool_open){.attributes = true,
	    .time = true,
	    .home = p->any_home,
	    .roles = p->roles,
	    .nroles = p->nroles};
}

/* Can a statement that differs matter to this request at all? */
static bool touched(const struct xos_policytool_changes *c, const struct xos_policy_request *req,
    const struct xos_policytool_open *open)
{
	if (c->whole)
		return true;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < c->only[k].n; i++) {
			const struct xos_policytool_side *side = &c->side[k];
			if (xos_policytool_may_apply(c->scratch, side->policy, side->zones, req,
			        open, c->only[k].list[i].statement))
				return true;
		}
	return false;
}

/* Do the two say different things about it? The tests of both go into the variety. */
static enum xos_status compare(struct xos_policytool_changes *c,
    const struct xos_policy_request *req, const struct xos_policytool_open *open, bool *differ,
    struct xos_err *err)
{
	struct xos_buf text[2];
	const struct xos_formula *f[2];
	enum xos_status st = XOS_OK;
	for (size_t k = 0; k < 2; k++) {
		const struct xos_policytool_side *s = &c->side[k];
		xos_buf_init(&text[k], 1 << 24);
		f[k] = xos_policytool_permitted(c->scratch, s->policy, s->zones, req, open);
		if (!f[k]) {
			st = no_memory(err);
			continue;
		}
		xos_formula_tests(f[k], xos_policytool_variety_test, c->variety);
		if (f[k]->kind != XOS_FORMULA_FALSE)
			xos_policytool_bounds(c->scratch, s->policy, s->zones, req, open, &text[k],
			    xos_policytool_variety_test, c->variety);
		xos_buf_put_str(&text[k], "if ");
		xos_formula_text(f[k], &text[k]);
	}
	const char *a = xos_buf_str(&text[0]), *b = xos_buf_str(&text[1]);
	*differ = !a || !b || strcmp(a, b) != 0;
	xos_buf_free(&text[0]);
	xos_buf_free(&text[1]);
	return st;
}

static enum xos_status try_one(struct xos_policytool_changes *c, struct xos_cases_ask *base,
    uint64_t i, int64_t now, struct xos_err *err)
{
	struct xos_cases_ask *ask = xos_cases_ask_copy(base);
	struct xos_policy_request req;
	struct xos_buf text;
	xos_buf_init(&text, 1 << 17);
	enum xos_status st =
	    ask ? xos_policytool_variety_apply(c->variety, i, ask, err) : no_memory(err);
	if (!st)
		st = xos_cases_ask_request(ask, c->side[1].policy, now, &req, err);
	if (!st)
		xos_cases_ask_text(ask, &text);
	const char *example = st ? NULL : xos_buf_str(&text);
	if (!st)
		st = xos_policytool_changes_try(c, &req, example ? example : "", err);
	xos_buf_free(&text);
	xos_cases_ask_free(ask);
	return st;
}

static enum xos_status try_cell(struct xos_policytool_changes *c,
    const struct xos_policytool_principal *p, const char *action,
    const struct xos_policytool_thing *t, int64_t now, struct xos_err *err)
{
	struct xos_cases_ask *ask = xos_policytool_world_ask(p, action, t);
	const struct xos_policytool_open open = everything(p);
	struct xos_policy_request req;
	bool differ = false;
	if (!ask)
		return XOS_OK;
	xos_policy_memory_reset(c->scratch);
	enum xos_status st = xos_cases_ask_request(ask, c->side[1].policy, now, &req, err);
	if (!st && !c->variety)
		c->variety = xos_policytool_variety_new(c->side[1].policy, &c->zones, &req);
	if (!st && !c->variety)
		st = no_memory(err);
	if (!st && touched(c, &req, &open)) {
		xos_policytool_variety_reset(c->variety, &req);
		st = compare(c, &req, &open, &differ, err);
	}
	if (!st && differ) {
		uint64_t all = xos_policytool_variety_count(c->variety);
		uint64_t n = all < CELL_MAX ? all : CELL_MAX, at = 0;
		c->sampled |= all > CELL_MAX;
		for (uint64_t i = 0; !st && i < n; i++) {
			st = try_one(c, ask, at, now, err);
			/* All in turn, or a spread over all of them that is the same every time. */
			at = all <= CELL_MAX ? at + 1
			                     : (at * UINT64_C(6364136223846793005) +
			                           UINT64_C(1442695040888963407)) %
			                           all;
		}
	}
	if (!st && xos_policytool_variety_failed(c->variety))
		st = no_memory(err);
	xos_cases_ask_free(ask);
	return st;
}

enum xos_status xos_policytool_changes_generate(struct xos_policytool_changes *c,
    struct xos_policytool_world *world, int64_t now, struct xos_err *err)
{
	size_t nactions, np, n;
	const char *const *actions = xos_policytool_world_actions(world, &nactions);
	const struct xos_policytool_principal *p = xos_policytool_world_principals(world, &np);
	enum xos_status st = XOS_OK;
	if (!c->whole && !c->only[0].n && !c->only[1].n)
		return XOS_OK;
	for (size_t a = 0; !st && a < nactions; a++) {
		const struct xos_policytool_thing *t = NULL;
		st = xos_policytool_world_things(world, actions[a], &t, &n, err);
		for (size_t i = 0; !st && i < n; i++)
			for (size_t j = 0; !st && j < np; j++)
				st = try_cell(c, &p[j], actions[a], &t[i], now, err);
	}
	return st;
}

const struct xos_policytool_change *xos_policytool_changes_list(
    const struct xos_policytool_changes *c, size_t *n)
{
	*n = c->n;
	return c->list;
}

size_t xos_policytool_changes_asked(const struct xos_policytool_changes *c, bool *sampled)
{
	*sampled = c->sampled;
	return c->asked;
}
