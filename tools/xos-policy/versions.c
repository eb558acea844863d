/* xos-policy list, show, sites, proposals: what the VO's policy service keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "policytool/verbs.h"
#include "policy/set.h"

/* A member of a row as text; numbers too. NULL: not there. */
static const char *cell(const struct xos_json *row, const char *key, char buf[32])
{
	const char *s = NULL;
	int64_t v = 0;

	if (xos_json_get_string(row, key, 4096, &s, NULL) == XOS_OK)
		return s;
	if (xos_json_get_int64(row, key, 0, INT64_MAX, &v, NULL) != XOS_OK)
		return NULL;
	xos_str_printf(buf, 32, "%lld", (long long)v);
	return buf;
}

#define COLUMNS_MAX 8

struct columns {
	const char *heads[COLUMNS_MAX], *keys[COLUMNS_MAX];
	size_t n;
};

/* Takes args. */
static enum xos_status print_rows(struct xos_cli *cli, const char *verb, struct xos_json *args,
    const char *list, const struct columns *c, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *rows = NULL;
	enum xos_status st = xos_cli_command(cli, "vops", verb, args, &doc, err);

	if (st == XOS_OK && cli->json)
		return xos_cli_print_json(doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, list, 100000, &rows, err);
	if (st == XOS_OK) {
		struct xos_cli_table *t = xos_cli_table_new(c->heads, c->n);

		for (size_t i = 0; i < xos_json_count(rows); i++) {
			const struct xos_json *row = xos_json_at(rows, i);
			char buf[COLUMNS_MAX][32];
			const char *cells[COLUMNS_MAX];

			for (size_t k = 0; k < c->n; k++)
				cells[k] = cell(row, c->keys[k], buf[k]);
			xos_cli_table_row(t, cells);
		}
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}

static const char *opt_proposal, *opt_group, *opt_owner;
static bool opt_sets;

const struct xos_cli_option xos_policytool_list_options[] = {
    {"sets", NULL, "the sets of groups, owners and nodes instead", &opt_sets, NULL, NULL},
    {"group", "GROUP", "the versions of this group's set instead", NULL, &opt_group, NULL},
    {"owner", "VO:MEMBER", "those of this member's own", NULL, &opt_owner, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct xos_cli_option xos_policytool_show_options[] = {
    {"proposal", "ID", "what this proposal would put into force", NULL, &opt_proposal, NULL},
    {"group", "GROUP", "the set of this group", NULL, &opt_group, NULL},
    {"owner", "VO:MEMBER", "the set of this member", NULL, &opt_owner, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* Whose set, if not the VO's. */
static struct xos_json *whose(void)
{
	struct xos_json *args = xos_json_object();

	if (opt_group || opt_owner) {
		xos_json_set_string(args, "level", opt_group ? "group" : "owner");
		xos_json_set_string(args, "name", opt_group ? opt_group : opt_owner);
	}
	return args;
}

enum xos_status xos_policytool_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct columns vo = {
	    {"SERIAL", "STATE", "BY", "APPROVED", "PUSHED", "FROM", "UNTIL", "COMMENT"},
	    {"serial", "state", "by", "approver", "pushed", "from", "until", "comment"}, 8};
	static const struct columns sets = {
	    {"LEVEL", "NAME", "SERIAL", "BY", "PUSHED", "EXPIRES", "WITHDRAWN", "BY"},
	    {"level", "name", "serial", "by", "pushed", "expires", "withdrawn", "withdrawn_by"}, 8};

	(void)argc;
	(void)argv;
	if (opt_sets || opt_group || opt_owner)
		return print_rows(cli, "set.list", whose(), "sets", &sets, err);
	return print_rows(cli, "policy.list", NULL, "sets", &vo, err);
}

enum xos_status xos_policytool_sites(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct columns c = {
	    {"SITE", "SERIAL", "EXPIRES", "KEY"}, {"site", "serial", "expires", "key"}, 4};

	(void)argc;
	(void)argv;
	return print_rows(cli, "site.list", NULL, "sites", &c, err);
}

enum xos_status xos_policytool_nodes(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct columns c = {
	    {"NODE", "SITE", "SERVICES", "TOLD"}, {"node", "site", "services", "told"}, 4};

	(void)argc;
	(void)argv;
	return print_rows(cli, "node.abilities", NULL, "nodes", &c, err);
}

enum xos_status xos_policytool_proposals(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct columns c = {
	    {"ID", "WHAT", "STATE", "BY", "MADE", "EXPIRES", "DECIDED", "BY"},
	    {"id", "what", "state", "by", "made", "expires", "decided", "decided_by"}, 8};

	(void)argc;
	(void)argv;
	return print_rows(cli, "proposal.list", NULL, "proposals", &c, err);
}

/* Comments and reasons may hold anything; what a terminal would obey is replaced, lines and tabs stay.
 * --json tells the text as it is. */
static enum xos_status print_text(const char *text, struct xos_err *err)
{
	char *copy = strdup(text);
	if (!copy)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (char *p = copy; *p;) {
		char *end = p + strcspn(p, "\n\t"), mark = *end;
		*end = 0;
		xos_text_clean(p);
		*end = mark;
		p = end + (mark != 0);
	}
	fputs(copy, stdout);
	free(copy);
	return XOS_OK;
}

/* What a proposal without a text would do. */
static void print_proposal(const struct xos_json *doc)
{
	static const char *const keys[] = {"what", "by", "made", "expires", "state", "base"};
	const struct xos_json *args = NULL;
	char buf[32];
	struct xos_buf text;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *s = cell(doc, keys[i], buf);

		xos_cli_say("# %s: %s", keys[i], s ? s : "-");
	}
	if (xos_json_has(doc, "text") || xos_json_get_object(doc, "args", &args, NULL) != XOS_OK)
		return;
	xos_buf_init(&text, 65536);
	if (xos_json_dump_line(args, &text, NULL) == XOS_OK && xos_buf_str(&text))
		xos_cli_say("%s", xos_buf_str(&text));
	xos_buf_free(&text);
}

static enum xos_status show_args(
    int argc, char **argv, const char **verb, struct xos_json **args, struct xos_err *err)
{
	const char *word = opt_proposal ? opt_proposal : argc > 0 ? argv[0] : NULL;
	uint64_t n = 0;

	if (opt_proposal && (argc > 0 || opt_group || opt_owner))
		return xos_cli_usage(err, "--proposal stands alone");
	if (word && (!xos_parse_u64(word, INT64_MAX, &n) || n == 0))
		return xos_cli_usage(
		    err, "'%s' is no %s", word, opt_proposal ? "proposal" : "serial");
	*args = whose();
	if (word)
		xos_json_set_int(*args, opt_proposal ? "id" : "serial", (int64_t)n);
	*verb = opt_proposal             ? "proposal.show"
	        : opt_group || opt_owner ? "set.show"
	                                 : "policy.show";
	return XOS_OK;
}

enum xos_status xos_policytool_show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *args = NULL, *doc = NULL;
	const char *text = NULL, *verb = NULL;
	enum xos_status st = show_args(argc, argv, &verb, &args, err);

	if (st != XOS_OK)
		return st;
	st = xos_cli_command(cli, "vops", verb, args, &doc, err);
	if (st == XOS_OK && cli->json)
		return xos_cli_print_json(doc, err);
	if (st == XOS_OK && opt_proposal)
		print_proposal(doc);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (st == XOS_OK && text)
		st = print_text(text, err);
	xos_json_free(doc);
	return st;
}
