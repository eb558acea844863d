/* xos-policy stats: how large policies are, how their statements are found, what a decision costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/compiled.h"
#include "policytool/verbs.h"
#include "policytool/world.h"

struct shape { /* of one set */
	const struct xos_policy_set *set;
	size_t effects[XOS_POLICY_EFFECTS], shadows, conditions;
	size_t rows, searched, longest_row, longest_bucket, bytes;
};

struct worst { /* of the requests asked */
	size_t asked;
	uint32_t statements, nodes;
	char *example;
};

static size_t cond_size(const struct xos_policy_cond *c)
{
	size_t n = 1;
	if (c && c->op <= XOS_COND_NOT)
		for (size_t i = 0; i < c->n; i++)
			n += cond_size(c->u.kids[i]);
	return c ? n : 0;
}

static bool measure(const struct xos_policy_set *set, struct shape *out)
{
	const struct xos_policy_compiled *c = xos_policy_set_compiled(set);
	*out = (struct shape){.set = set};
	if (!c)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		out->effects[set->statements[i].effect]++;
		out->shadows += set->statements[i].shadow;
		out->conditions += cond_size(set->statements[i].cond);
	}
	out->rows = 0;
	out->bytes = c->bytes;
	for (uint32_t i = 0; i < c->nrows; i++) {
		out->rows += c->rows[i].n > 0; /* the others are free places */
		out->searched += c->rows[i].searched;
		if (c->rows[i].n > out->longest_row)
			out->longest_row = c->rows[i].n;
	}
	for (uint32_t i = 0; c->buckets && i <= c->bucket_mask; i++)
		if (c->buckets[i].n > out->longest_bucket)
			out->longest_bucket = c->buckets[i].n;
	return true;
}

static enum xos_status ask_one(struct worst *w, const struct xos_policy *policy,
    struct xos_cases_ask *ask, int64_t now, struct xos_policy_answer *a, struct xos_err *err)
{
	struct xos_policy_request req;
	struct xos_buf b;
	enum xos_status st = xos_cases_ask_request(ask, policy, now, &req, err);
	if (st)
		return st;
	(void)!xos_policy_decide(policy, &req, a);
	w->asked++;
	if (a->statements < w->statements || (a->statements == w->statements && w->example))
		return XOS_OK;
	w->statements = a->statements;
	w->nodes = a->nodes;
	xos_buf_init(&b, 1 << 17);
	xos_cases_ask_text(ask, &b);
	free(w->example);
	w->example = xos_buf_steal(&b, NULL);
	return w->example ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* The requests that the policies tell apart, as who-can and what-can ask them. */
static enum xos_status ask_all(const struct xos_policytool_sets *sets,
    const struct xos_policy *policy, struct worst *w, struct xos_err *err)
{
	struct xos_policytool_world *world = NULL;
	struct xos_policy_answer a;
	int64_t now = xos_clock_now();
	size_t np = 0, na = 0, nt = 0;
	enum xos_status st = xos_policytool_world_new(&world, err);
	xos_policy_answer_init(&a);
	for (size_t i = 0; !st && i < sets->n; i++)
		st = xos_policytool_world_add(world, sets->list[i].set, err);
	if (!st)
		st = xos_policytool_world_finish(world, err);
	const struct xos_policytool_principal *p =
	    st ? NULL : xos_policytool_world_principals(world, &np);
	const char *const *actions = st ? NULL : xos_policytool_world_actions(world, &na);
	for (size_t i = 0; !st && i < na; i++) {
		const struct xos_policytool_thing *t = NULL;
		st = xos_policytool_world_things(world, actions[i], &t, &nt, err);
		for (size_t j = 0; !st && j < nt * np; j++) {
			struct xos_cases_ask *ask =
			    xos_policytool_world_ask(&p[j % np], actions[i], &t[j / np]);
			if (ask)
				st = ask_one(w, policy, ask, now, &a, err);
			xos_cases_ask_free(ask);
		}
	}
	xos_policy_answer_free(&a);
	xos_policytool_world_free(world);
	return st;
}

static void tell_set(struct xos_cli_table *t, const struct shape *s)
{
	char cell[9][32];
	const char *cells[10];
	size_t n = s->set->n;
	const size_t numbers[] = {n, s->effects[XOS_POLICY_PERMIT], s->effects[XOS_POLICY_FORBID],
	    s->effects[XOS_POLICY_LIMIT] + s->effects[XOS_POLICY_DUTY], s->conditions, s->rows,
	    s->longest_row, s->bytes, n ? s->bytes / n : 0};
	char name[300];
	snprintf(name, sizeof(name), "%s %s", xos_policy_level_name(s->set->level), s->set->name);
	cells[0] = name;
	for (size_t i = 0; i < 9; i++) {
		snprintf(cell[i], sizeof(cell[i]), "%zu", numbers[i]);
		cells[i + 1] = cell[i];
	}
	xos_cli_table_row(t, cells);
}

static void tell_set_json(struct xos_json *list, const struct shape *s)
{
	struct xos_json *o = xos_json_object(), *effects = xos_json_object();
	xos_json_set_string(o, "level", xos_policy_level_name(s->set->level));
	xos_json_set_text(o, "name", s->set->name);
	xos_json_set_int(o, "serial", (int64_t)s->set->serial);
	xos_json_set_int(o, "schema", s->set->schema);
	xos_json_set_int(o, "statements", (int64_t)s->set->n);
	for (unsigned e = 0; e < XOS_POLICY_EFFECTS; e++)
		xos_json_set_int(effects, xos_policy_effect_name((enum xos_policy_effect)e),
		    (int64_t)s->effects[e]);
	xos_json_set(o, "effects", effects);
	xos_json_set_int(o, "shadow", (int64_t)s->shadows);
	xos_json_set_int(o, "condition_parts", (int64_t)s->conditions);
	xos_json_set_int(o, "rows", (int64_t)s->rows);
	xos_json_set_int(o, "rows_searched", (int64_t)s->searched);
	xos_json_set_int(o, "longest_row", (int64_t)s->longest_row);
	xos_json_set_int(o, "longest_bucket", (int64_t)s->longest_bucket);
	xos_json_set_int(o, "bytes", (int64_t)s->bytes);
	xos_json_add(list, o);
}

static enum xos_status tell(struct xos_cli *cli, const struct xos_policytool_sets *sets,
    const struct worst *w, struct xos_err *err)
{
	static const char *const heads[] = {"SET", "STATEMENTS", "PERMIT", "FORBID", "LIMIT+DUTY",
	    "CONDITION PARTS", "ROWS", "LONGEST ROW", "BYTES", "BYTES/STATEMENT"};
	struct xos_json *doc = cli->json ? xos_json_object() : NULL, *list = NULL;
	struct xos_cli_table *t = cli->json ? NULL : xos_cli_table_new(heads, 10);
	size_t statements = 0, bytes = 0;
	bool ok = true;
	if (cli->json)
		list = xos_json_array();
	for (size_t i = 0; i < sets->n; i++) {
		struct shape s;
		ok &= measure(sets->list[i].set, &s);
		statements += s.set->n;
		bytes += s.bytes;
		if (cli->json)
			tell_set_json(list, &s);
		else
			tell_set(t, &s);
	}
	if (cli->json) {
		xos_json_set(doc, "sets", list);
		xos_json_set_int(doc, "statements", (int64_t)statements);
		xos_json_set_int(doc, "bytes", (int64_t)bytes);
		xos_json_set_int(doc, "asked", (int64_t)w->asked);
		xos_json_set_int(doc, "worst_statements", w->statements);
		xos_json_set_int(doc, "worst_nodes", w->nodes);
		xos_json_set_text(doc, "worst_request", w->example);
		return xos_cli_print_json(doc, err);
	}
	enum xos_status st = xos_cli_table_print(t, err);
	if (!st && !ok)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st)
		return st;
	printf("\n");
	xos_cli_print_pair("statements", "%zu in %zu sets", statements, sets->n);
	xos_cli_print_pair("compiled", "%zu bytes", bytes);
	xos_cli_print_pair("worst decision",
	    "%u statements and %u parts of conditions looked at, of %zu requests asked",
	    (unsigned)w->statements, (unsigned)w->nodes, w->asked);
	xos_cli_print_pair("", "%s", w->example ? w->example : "none was asked");
	return XOS_OK;
}

enum xos_status xos_policytool_stats(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_policytool_sets sets = {NULL, 0, 0};
	struct xos_policy *policy = NULL;
	struct worst w = {0};
	enum xos_status st = XOS_OK;
	for (int i = 0; !st && i < argc; i++)
		st = xos_policytool_sets_load(&sets, argv[i], err);
	if (!st)
		st = xos_policytool_sets_policy(&sets, &policy, err);
	if (!st)
		st = ask_all(&sets, policy, &w, err);
	if (!st)
		st = tell(cli, &sets, &w, err);
	free(w.example);
	xos_policy_unref(policy);
	xos_policytool_sets_free(&sets);
	return st;
}
