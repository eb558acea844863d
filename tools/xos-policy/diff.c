/* xos-policy diff: what a change of policy changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policytool/change.h"
#include "policytool/kept.h"
#include "policytool/madeup.h"
#include "policytool/replay.h"
#include "policytool/verbs.h"
#include "policytool/zones.h"

static struct xos_cli_list with, people, logs;
static const char *requests, *now_text;
static bool only_requests;

const struct xos_cli_option xos_policytool_diff_options[] = {
    {"with", "FILE|DIR", "sets that stand beside both; again for more", NULL, NULL, &with},
    {"requests", "FILE", "ask both also about these, one JSON object a line", NULL, &requests,
        NULL},
    {"log", "FILE|DIR",
        "ask both about decisions that a node recorded, and nothing else; again for more", NULL,
        NULL, &logs},
    {"only-requests", NULL, "ask about nothing else", &only_requests, NULL, NULL},
    {"principals", "FILE", "subjects described as in files of cases: asked about, too", NULL, NULL,
        &people},
    {"now", "TIME", "around which time windows are looked for", NULL, &now_text, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

struct loaded {
	struct xos_policytool_sets sets;
	struct xos_policytool_zones *zones;
	struct xos_policytool_side side;
};

static enum xos_status load(
    const struct xos_cli *cli, struct loaded *l, const char *path, struct xos_err *err)
{
	enum xos_status st = xos_policytool_kept_is(path)
	                         ? xos_policytool_kept_load(cli, path, &l->sets, err)
	                         : xos_policytool_sets_load(&l->sets, path, err);
	for (size_t i = 0; !st && i < with.n; i++)
		st = xos_policytool_sets_load(&l->sets, with.item[i], err);
	return st;
}

static enum xos_status compile(struct loaded *l, struct xos_err *err)
{
	enum xos_status st = xos_policytool_sets_policy(&l->sets, &l->side.policy, err);
	if (!st)
		st = xos_policytool_zones_load(&l->sets, &l->zones, err);
	l->side.sets = &l->sets;
	l->side.zones = xos_policytool_zones_options(l->zones);
	return st;
}

static void unload(struct loaded *l)
{
	xos_policy_unref(l->side.policy);
	xos_policytool_zones_free(l->zones);
	xos_policytool_sets_free(&l->sets);
}

static enum xos_status generate(
    const struct loaded *sides, struct xos_policytool_changes *c, int64_t now, struct xos_err *err)
{
	struct xos_policytool_world *world = NULL;
	enum xos_status st = xos_policytool_world_new(&world, err);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; !st && i < sides[k].sets.n; i++)
			st = xos_policytool_world_add(world, sides[k].sets.list[i].set, err);
	if (!st)
		st = xos_policytool_world_finish(world, err);
	for (size_t i = 0; !st && i < people.n; i++)
		st = xos_policytool_world_people(world, people.item[i], err);
	if (!st)
		st = xos_policytool_changes_generate(c, world, now, err);
	xos_policytool_world_free(world);
	return st;
}

static void put(const char *before, const char *text)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put_str(&b, text ? text : "?");
	char *copy = xos_buf_steal(&b, NULL);
	if (copy)
		xos_text_clean(copy);
	printf("%s%s\n", before, copy ? copy : "?");
	free(copy);
}

static void tell_statement(void *arg, char mark, const struct xos_policy_statement *s)
{
	struct xos_json *list = arg;
	struct xos_buf label, text;
	xos_buf_init(&label, 4096);
	xos_buf_init(&text, 1 << 20);
	xos_policy_statement_label(s, &label);
	xos_policy_statement_text(s, &text);
	const char *name = xos_buf_str(&label), *body = xos_buf_str(&text);
	if (list) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "change", mark == '+' ? "added" : "removed");
		xos_json_set_text(o, "statement", name);
		xos_json_set_text(o, "text", body);
		xos_json_add(list, o);
	} else {
		printf("%c %s: ", mark, name ? name : "?");
		put("", body);
	}
	xos_buf_free(&label);
	xos_buf_free(&text);
}

static void tell_class(const struct xos_policytool_change *c)
{
	printf("\n%s: ", c->action);
	put("", c->what);
	put("  example: ", c->example);
	put("  before:  ", c->before);
	put("  after:   ", c->after);
	if (c->count > 1)
		printf("  %zu requests of those asked change so\n", c->count);
}

static void count_statement(void *arg, char mark, const struct xos_policy_statement *s)
{
	(void)mark;
	(void)s;
	(*(size_t *)arg)++;
}

/* Statements that differ and nothing that could be asked about them, or not all that could be asked, and
 * nothing found: whether anything changes is not known. */
static int exit_of(const struct xos_policytool_changes *c, const struct xos_policytool_replay *r)
{
	bool sampled;
	size_t statements = 0, n, asked = xos_policytool_changes_asked(c, &sampled);
	xos_policytool_changes_statements(c, count_statement, &statements);
	xos_policytool_changes_list(c, &n);
	if (r->bad || (!asked && statements) || (sampled && !n))
		return 3;
	return n ? 1 : 0;
}

static void tell_records(const struct xos_policytool_replay *r)
{
	if (!r->records)
		return;
	printf("%zu recorded decisions, which stand for %llu", r->records,
	    (unsigned long long)r->stands_for);
	if (r->closed)
		printf("; %zu of them were answered without sets (locks, roster, old bundles)",
		    r->closed);
	if (r->other)
		printf("; %zu were decided otherwise than by the first policy: it was another one "
		       "then",
		    r->other);
	printf("\n");
}

static void tell(struct xos_cli *cli, const struct xos_policytool_changes *c,
    const struct xos_policytool_replay *r)
{
	bool sampled;
	size_t n, asked = xos_policytool_changes_asked(c, &sampled);
	const struct xos_policytool_change *list = xos_policytool_changes_list(c, &n);
	cli->exit_status = exit_of(c, r);
	xos_policytool_changes_statements(c, tell_statement, NULL);
	for (size_t i = 0; i < n; i++)
		tell_class(&list[i]);
	printf("%s%zu kinds of change in %zu requests asked%s\n", n ? "\n" : "", n, asked,
	    !sampled ? ""
	    : n      ? "; there are more than could be asked"
	        : "; there are more than could be asked, so there may be changes all the same");
	tell_records(r);
}

static enum xos_status tell_json(struct xos_cli *cli, const struct xos_policytool_changes *c,
    const struct xos_policytool_replay *r, struct xos_err *err)
{
	bool sampled;
	size_t n, asked = xos_policytool_changes_asked(c, &sampled);
	const struct xos_policytool_change *list = xos_policytool_changes_list(c, &n);
	struct xos_json *doc = xos_json_object(), *changes = xos_json_array();
	struct xos_json *statements = xos_json_array();
	cli->exit_status = exit_of(c, r);
	xos_policytool_changes_statements(c, tell_statement, statements);
	for (size_t i = 0; i < n; i++) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "action", list[i].action);
		xos_json_set_text(o, "change", list[i].what);
		xos_json_set_text(o, "example", list[i].example);
		xos_json_set_text(o, "before", list[i].before);
		xos_json_set_text(o, "after", list[i].after);
		xos_json_set_int(o, "requests", (int64_t)list[i].count);
		xos_json_add(changes, o);
	}
	xos_json_set(doc, "statements", statements);
	xos_json_set(doc, "changes", changes);
	xos_json_set_int(doc, "asked", (int64_t)asked);
	xos_json_set_bool(doc, "complete", !sampled);
	xos_json_set_int(doc, "lines_refused", (int64_t)r->bad);
	if (logs.n) {
		xos_json_set_int(doc, "records", (int64_t)r->records);
		xos_json_set_int(doc, "stand_for", (int64_t)r->stands_for);
		xos_json_set_int(doc, "decided_otherwise", (int64_t)r->other);
		xos_json_set_int(doc, "without_sets", (int64_t)r->closed);
	}
	return xos_cli_print_json(doc, err);
}

enum xos_status xos_policytool_diff(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct loaded sides[2] = {{.zones = NULL}, {.zones = NULL}};
	struct xos_policytool_changes *c = NULL;
	struct xos_policytool_replay r = {.now = xos_clock_now(), .quiet = cli->json};
	bool made = false;
	enum xos_status st = XOS_OK;
	(void)argc;
	if (now_text && !xos_time_parse(now_text, &r.now))
		return xos_cli_usage(err, "--now is a time in UTC, as 2026-12-01T00:00:00Z");
	if (only_requests && !requests && !logs.n)
		return xos_cli_usage(err, "--only-requests needs --requests or --log");
	only_requests |= logs.n > 0;
	for (size_t k = 0; !st && k < 2; k++)
		st = load(cli, &sides[k], argv[k], err);
	/* Requests of a log are about sites that exist. */
	if (!st && !only_requests)
		st = xos_policytool_madeup_sites(&sides[0].sets, &sides[1].sets, &made, err);
	for (size_t k = 0; !st && k < 2; k++)
		st = compile(&sides[k], err);
	if (!st)
		st = xos_policytool_changes_new(&sides[0].side, &sides[1].side, &c, err);
	if (!st && !only_requests)
		st = generate(sides, c, r.now, err);
	r.changes = c;
	r.before = sides[0].side.policy;
	r.after = sides[1].side.policy;
	if (!st && requests)
		st = xos_policytool_replay(&r, requests, err);
	for (size_t i = 0; !st && i < logs.n; i++)
		st = xos_policytool_replay(&r, logs.item[i], err);
	if (!st && cli->json)
		st = tell_json(cli, c, &r, err);
	else if (!st)
		tell(cli, c, &r);
	if (!st && made && !cli->json)
		printf("no site's set was given: asked with sites that permit everything\n");
	xos_policytool_changes_free(c);
	unload(&sides[0]);
	unload(&sides[1]);
	return st;
}
