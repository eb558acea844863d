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

struct asking {
	struct xos_cli *cli;
	struct xos_policytool_sets sets;
	struct xos_policy *policy;
	struct xos_policytool_zones *zones;
	struct xos_policytool_world *world;
	int64_t now;
	struct xos_cli_table *table; /* made with its first row */
	struct xos_json *list;
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
	xos_policytool_world_free(q->world);
	xos_policytool_zones_free(q->zones);
	xos_policy_unref(q->policy);
	xos_policytool_sets_free(&q->sets);
}

static void add_row(struct asking *q, const char *const *names, const char *const *cells,
    const struct xos_formula *f)
{
	struct xos_buf b;
	const char *answer = f->kind == XOS_FORMULA_TRUE    ? "yes"
	                     : f->kind == XOS_FORMULA_FALSE ? "no"
	                                                    : "if";
	bool conditional = answer[0] == 'i';
	if (f->kind != XOS_FORMULA_FALSE)
		q->found++;
	else if (!all)
		return;
	xos_buf_init(&b, 1 << 20);
	xos_formula_text(f, &b);
	const char *text = conditional ? xos_buf_str(&b) : NULL;
	if (q->cli->json) {
		struct xos_json *o = xos_json_object();
		for (size_t i = 0; names[i]; i++)
			xos_json_set_text(o, names[i], cells[i]);
		xos_json_set_string(o, "answer", answer);
		xos_json_set_text(o, "if", text);
		xos_json_add(q->list, o);
	} else if (names[1]) {
		static const char *const heads[] = {"ACTION", "RESOURCE", "ANSWER", "IF"};
		if (!q->table)
			q->table = xos_cli_table_new(heads, 4);
		xos_cli_table_row(
		    q->table, (const char *const[]){cells[0], cells[1], answer, text ? text : ""});
	} else {
		static const char *const heads[] = {"PRINCIPAL", "ANSWER", "IF"};
		if (!q->table)
			q->table = xos_cli_table_new(heads, 3);
		xos_cli_table_row(
		    q->table, (const char *const[]){cells[0], answer, text ? text : ""});
	}
	xos_buf_free(&b);
}

/* Under which condition may the principal do it? Taken: ask; NULL is passed over. */
static enum xos_status consider(struct asking *q, const struct xos_policytool_principal *p,
    struct xos_policytool_ask *ask, const char *const *names, const char *const *cells,
    struct xos_err *err)
{
	struct xos_policy_memory *m = ask ? xos_policy_memory_new() : NULL;
	const struct xos_policytool_open open = {true, !now_text, p->roles, p->nroles};
	struct xos_policy_request req;
	enum xos_status st = XOS_OK;
	if (!ask)
		return XOS_OK;
	st = xos_policytool_ask_request(ask, q->policy, q->now, &req, err);
	const struct xos_formula *f = !st && m
	                                  ? xos_policytool_permitted(m, q->policy,
	                                        xos_policytool_zones_options(q->zones), &req, &open)
	                                  : NULL;
	if (!st && !f)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		add_row(q, names, cells, f);
	xos_policy_memory_free(m);
	xos_policytool_ask_free(ask);
	return st;
}

static enum xos_status print(struct asking *q, const char *what, struct xos_err *err)
{
	/* "Nobody" and "nothing" are negative answers. */
	q->cli->exit_status = q->found ? 0 : 1;
	if (!q->cli->json) {
		if (q->table)
			return xos_cli_table_print(q->table, err);
		printf("%s\n", what);
		return XOS_OK;
	}
	struct xos_json *doc = xos_json_object();
	xos_json_set(doc, "answers", q->list);
	xos_json_set_int(doc, "permitted", (int64_t)q->found);
	return xos_cli_print_json(doc, err);
}

enum xos_status xos_policytool_whocan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const names[] = {"principal", NULL};
	struct asking q = {.cli = cli};
	const bool own = owner && strcmp(owner, "own") == 0;
	const struct xos_policytool_thing t = {
	    .on = argv[1], .at = at, .vo = of_vo, .owner = own ? NULL : owner, .own = own};
	size_t n = 0;
	(void)argc;
	enum xos_status st = enter(&q, err);
	/* What is wrong with the question is told once, not for everybody. */
	struct xos_policytool_ask *probe = xos_policytool_ask_new();
	const char *const fields[][2] = {{"action", argv[0]}, {"on", argv[1]}, {"at", at},
	    {"vo", of_vo}, {"owner", own ? NULL : owner}};
	for (size_t i = 0; !st && i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct xos_err why = XOS_ERR_INIT;
		if (fields[i][1] && xos_policytool_ask_set(probe, fields[i][0], fields[i][1], &why))
			st = xos_cli_usage(err, "%s", why.text);
	}
	xos_policytool_ask_free(probe);
	if (!st && !xos_policytool_world_knows(q.world, argv[0]))
		st = xos_cli_usage(err, "no action '%s'; `xos-policy schema` lists them", argv[0]);
	if (!st && cli->json)
		q.list = xos_json_array();
	const struct xos_policytool_principal *p =
	    st ? NULL : xos_policytool_world_principals(q.world, &n);
	for (size_t i = 0; !st && i < n; i++)
		st = consider(&q, &p[i], xos_policytool_world_ask(&p[i], argv[0], &t), names,
		    &p[i].title, err);
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
		st = xos_policytool_ask_add((*out)->ask, "groups", groups.item[i], err);
	for (size_t i = 0; !st && i < roles.n; i++)
		st = xos_policytool_ask_add((*out)->ask, "roles", roles.item[i], err);
	return st == XOS_MALFORMED ? xos_cli_usage(err, "%s", err->text) : st;
}

enum xos_status xos_policytool_whatcan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const names[] = {"action", "resource", NULL};
	struct asking q = {.cli = cli};
	const struct xos_policytool_principal *p = NULL;
	size_t nactions = 0, n = 0;
	(void)argc;
	enum xos_status st = enter(&q, err);
	if (!st)
		st = pick(&q, argv[0], &p, err);
	if (!st && cli->json)
		q.list = xos_json_array();
	const char *const *actions = st ? NULL : xos_policytool_world_actions(q.world, &nactions);
	for (size_t i = 0; !st && i < nactions; i++) {
		const struct xos_policytool_thing *t = NULL;
		st = xos_policytool_world_things(q.world, actions[i], &t, &n, err);
		for (size_t j = 0; !st && j < n; j++)
			st = consider(&q, p, xos_policytool_world_ask(p, actions[i], &t[j]), names,
			    (const char *const[]){actions[i], t[j].title}, err);
	}
	if (!st)
		st = print(&q, "nothing", err);
	leave(&q);
	return st;
}
