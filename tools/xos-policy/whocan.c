/* xos-policy who-can, what-can: the policies asked about everybody, and about everything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policytool/verbs.h"
#include "policytool/world.h"
#include "policytool/zones.h"

static struct xos_cli_list sets, people, groups, roles;
static const char *at, *owner, *of_vo, *now_text;
static bool all;

const struct xos_cli_option xos_policytool_whocan_options[] = {
    {"set", "FILE|DIR", "a policy set, or all of a folder; again for more", NULL, NULL, &sets},
    {"principals", "FILE", "subjects described as in files of cases: asked about, too", NULL, NULL,
        &people},
    {"at", "SITE/NODE", "where the job or file is", NULL, &at, NULL},
    {"owner", "VO:MEMBER", "who owns the resource; 'own': whoever asks", NULL, &owner, NULL},
    {"of", "VO", "whose the resource is, if it has no owner", NULL, &of_vo, NULL},
    {"now", "TIME", "at that time; without it, times are conditions", NULL, &now_text, NULL},
    {"all", NULL, "list also who can not", &all, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL, NULL}};

const struct xos_cli_option xos_policytool_whatcan_options[] = {
    {"set", "FILE|DIR", "a policy set, or all of a folder; again for more", NULL, NULL, &sets},
    {"principals", "FILE", "subjects described as in files of cases", NULL, NULL, &people},
    {"group", "GROUP", "a group of the principal; again for more", NULL, NULL, &groups},
    {"role", "ROLE", "an active role", NULL, NULL, &roles},
    {"now", "TIME", "at that time; without it, times are conditions", NULL, &now_text, NULL},
    {"all", NULL, "list also what is not permitted", &all, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

/* An answer, until it is printed. */
struct row {
	const char *name, *what; /* principal; or action and thing */
	struct xos_buf where;    /* of a thing: the places that have the same answer */
	const char *answer;
	char *condition;
};

struct asking {
	struct xos_cli *cli;
	struct xos_policytool_sets sets;
	struct xos_policy *policy;
	struct xos_policytool_zones *zones;
	struct xos_policytool_world *world;
	int64_t now;
	struct row *rows;
	size_t n;
	size_t found; /* permitted at least on a condition */
};

static enum xos_status enter(struct asking *q, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	q->now = xos_clock_now();
	if (!sets.n)
		return xos_cli_usage(err, "say --set");
	if (now_text && !xos_time_parse(now_text, &q->now))
		return xos_cli_usage(err, "--now is a time in UTC, as 2026-12-01T00:00:00Z");
	for (size_t i = 0; !st && i < sets.n; i++)
		st = xos_policytool_sets_load(&q->sets, sets.item[i], err);
	if (!st)
		st = xos_policytool_sets_policy(&q->sets, &q->policy, err);
	if (!st)
		st = xos_policytool_zones_load(&q->sets, &q->zones, err);
	if (!st)
		st = xos_policytool_world_new(&q->world, err);
	for (size_t i = 0; !st && i < q->sets.n; i++)
		st = xos_policytool_world_add(q->world, q->sets.list[i].set, err);
	if (!st)
		st = xos_policytool_world_finish(q->world, err);
	for (size_t i = 0; !st && i < people.n; i++)
		st = xos_policytool_world_people(q->world, people.item[i], err);
	return st;
}

static void leave(struct asking *q)
{
	for (size_t i = 0; i < q->n; i++) {
		xos_buf_free(&q->rows[i].where);
		free(q->rows[i].condition);
	}
	free(q->rows);
	xos_policytool_world_free(q->world);
	xos_policytool_zones_free(q->zones);
	xos_policy_unref(q->policy);
	xos_policytool_sets_free(&q->sets);
}

static enum xos_status add_row(struct asking *q, const char *name, const char *what,
    const char *where, const struct xos_formula *f, struct xos_err *err)
{
	struct xos_buf b;
	const char *answer = f->kind == XOS_FORMULA_TRUE    ? "yes"
	                     : f->kind == XOS_FORMULA_FALSE ? "no"
	                                                    : "if";
	if (f->kind == XOS_FORMULA_FALSE && !all)
		return XOS_OK;
	q->found += f->kind != XOS_FORMULA_FALSE;
	xos_buf_init(&b, 1 << 20);
	if (answer[0] == 'i')
		xos_formula_text(f, &b);
	char *condition = xos_buf_steal(&b, NULL);
	/* What differs in nothing but the place is one row for people. */
	for (size_t i = q->n; condition && where && !q->cli->json && i-- > 0;) {
		struct row *r = &q->rows[i];
		if (strcmp(r->name, name) != 0)
			break;
		if (strcmp(r->what, what) != 0 || strcmp(r->answer, answer) != 0 ||
		    strcmp(r->condition, condition) != 0)
			continue;
		free(condition);
		xos_buf_printf(&r->where, " %s", where);
		return XOS_OK;
	}
	struct row *rows = condition ? reallocarray(q->rows, q->n + 1, sizeof(*rows)) : NULL;
	if (!rows) {
		free(condition);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	q->rows = rows;
	rows[q->n] =
	    (struct row){.name = name, .what = what, .answer = answer, .condition = condition};
	xos_buf_init(&rows[q->n].where, 1 << 20);
	xos_buf_put_str(&rows[q->n++].where, where ? where : "");
	return XOS_OK;
}

/* Under which condition may the principal do it? Taken: ask; NULL is passed over. */
static enum xos_status consider(struct asking *q, const struct xos_policytool_principal *p,
    struct xos_cases_ask *ask, const char *name, const struct xos_policytool_thing *t,
    struct xos_err *err)
{
	struct xos_policy_memory *m = ask ? xos_policy_memory_new() : NULL;
	const struct xos_policytool_open open = {.attributes = true,
	    .time = !now_text,
	    .home = p->any_home,
	    .roles = p->roles,
	    .nroles = p->nroles};
	struct xos_policy_request req;
	enum xos_status st = XOS_OK;
	if (!ask)
		return XOS_OK;
	st = xos_cases_ask_request(ask, q->policy, q->now, &req, err);
	const struct xos_formula *f = !st && m
	                                  ? xos_policytool_permitted(m, q->policy,
	                                        xos_policytool_zones_options(q->zones), &req, &open)
	                                  : NULL;
	if (!st && !f)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = add_row(q, name, t ? t->what : NULL, t ? t->where : NULL, f, err);
	xos_policy_memory_free(m);
	xos_cases_ask_free(ask);
	return st;
}

static enum xos_status print_json(const struct asking *q, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	for (size_t i = 0; i < q->n; i++) {
		struct row *r = &q->rows[i];
		struct xos_json *o = xos_json_object();
		xos_json_set_text(o, r->what ? "action" : "principal", r->name);
		xos_json_set_text(o, "resource", r->what);
		if (r->what && r->where.n)
			xos_json_set_text(o, "at", xos_buf_str(&r->where));
		xos_json_set_string(o, "answer", r->answer);
		xos_json_set_text(o, "if", r->condition[0] ? r->condition : NULL);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "answers", list);
	xos_json_set_int(doc, "permitted", (int64_t)q->found);
	return xos_cli_print_json(doc, err);
}

static enum xos_status print(struct asking *q, const char *none, struct xos_err *err)
{
	static const char *const who[] = {"PRINCIPAL", "ANSWER", "IF"};
	static const char *const what[] = {"ACTION", "RESOURCE", "AT", "ANSWER", "IF"};
	/* "Nobody" and "nothing" are negative answers. */
	q->cli->exit_status = q->found ? 0 : 1;
	if (q->cli->json)
		return print_json(q, err);
	if (!q->n) {
		printf("%s\n", none);
		return XOS_OK;
	}
	bool things = q->rows[0].what;
	struct xos_cli_table *t = xos_cli_table_new(things ? what : who, things ? 5 : 3);
	for (size_t i = 0; i < q->n; i++) {
		struct row *r = &q->rows[i];
		const char *where = xos_buf_str(&r->where);
		if (things)
			xos_cli_table_row(t, (const char *const[]){
			                         r->name, r->what, where, r->answer, r->condition});
		else
			xos_cli_table_row(
			    t, (const char *const[]){r->name, r->answer, r->condition});
	}
	return xos_cli_table_print(t, err);
}

enum xos_status xos_policytool_whocan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct asking q = {.cli = cli};
	const bool own = owner && strcmp(owner, "own") == 0;
	const struct xos_policytool_thing t = {
	    .on = argv[1], .at = at, .vo = of_vo, .owner = own ? NULL : owner, .own = own};
	size_t n = 0;
	(void)argc;
	enum xos_status st = enter(&q, err);
	/* What is wrong with the question is told once, not for everybody. */
	struct xos_cases_ask *probe = xos_cases_ask_new();
	const char *const fields[][2] = {{"action", argv[0]}, {"on", argv[1]}, {"at", at},
	    {"vo", of_vo}, {"owner", own ? NULL : owner}};
	for (size_t i = 0; !st && i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct xos_err why = XOS_ERR_INIT;
		if (fields[i][1] && xos_cases_ask_set(probe, fields[i][0], fields[i][1], &why))
			st = xos_cli_usage(err, "%s", why.text);
	}
	xos_cases_ask_free(probe);
	if (!st && !xos_policytool_world_knows(q.world, argv[0]))
		st = xos_cli_usage(err, "no action '%s'; `xos-policy schema` lists them", argv[0]);
	const struct xos_policytool_principal *p =
	    st ? NULL : xos_policytool_world_principals(q.world, &n);
	for (size_t i = 0; !st && i < n; i++)
		st = consider(
		    &q, &p[i], xos_policytool_world_ask(&p[i], argv[0], &t), p[i].title, NULL, err);
	if (!st)
		st = print(&q, "nobody", err);
	leave(&q);
	return st;
}

/* Groups and roles of the command line go to a principal of its own. */
static enum xos_status pick(struct asking *q, const char *word,
    const struct xos_policytool_principal **out, struct xos_err *err)
{
	enum xos_status st = xos_policytool_world_principal(q->world, word, out, err);
	for (size_t i = 0; !st && i < groups.n; i++)
		st = xos_cases_ask_add((*out)->ask, "groups", groups.item[i], err);
	for (size_t i = 0; !st && i < roles.n; i++)
		st = xos_cases_ask_add((*out)->ask, "roles", roles.item[i], err);
	return st == XOS_MALFORMED ? xos_cli_usage(err, "%s", err->text) : st;
}

enum xos_status xos_policytool_whatcan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct asking q = {.cli = cli};
	const struct xos_policytool_principal *p = NULL;
	size_t nactions = 0, n = 0;
	(void)argc;
	enum xos_status st = enter(&q, err);
	if (!st)
		st = pick(&q, argv[0], &p, err);
	const char *const *actions = st ? NULL : xos_policytool_world_actions(q.world, &nactions);
	for (size_t i = 0; !st && i < nactions; i++) {
		const struct xos_policytool_thing *t = NULL;
		st = xos_policytool_world_things(q.world, actions[i], &t, &n, err);
		for (size_t j = 0; !st && j < n; j++)
			st = consider(&q, p, xos_policytool_world_ask(p, actions[i], &t[j]),
			    actions[i], &t[j], err);
	}
	if (!st)
		st = print(&q, "nothing", err);
	leave(&q);
	return st;
}
