/* xos-vo group add|list|show|remove|describe, xos-vo role grant|revoke|list */
#include <stdio.h>

#include "vo/verbs.h"

static enum xos_status add(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "group", argv[0]);
	return xos_cli_command_do(cli, "ca", "group.add", args, err, "group %s exists", argv[0]);
}

static void add_row(struct xos_cli_table *t, const struct xos_json *g)
{
	const char *name = NULL, *about = NULL;
	int64_t members = 0;
	char text[32];
	if (xos_json_get_string(g, "group", 256, &name, NULL) ||
	    xos_json_opt_string(g, "about", 1024, &about, NULL) ||
	    xos_json_get_int64(g, "members", 0, INT64_MAX, &members, NULL))
		return;
	snprintf(text, sizeof(text), "%lld", (long long)members);
	const char *cells[] = {name, text, about};
	xos_cli_table_row(t, cells);
}

/* {key: list} as JSON, or a table with a row for each element. Takes list. */
static enum xos_status print_list(const struct xos_cli *cli, const char *key, struct xos_json *list,
    const char *const *heads, size_t nheads,
    void (*row)(struct xos_cli_table *t, const struct xos_json *item), struct xos_err *err)
{
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set(doc, key, list);
		return xos_cli_print_json(doc, err);
	}
	struct xos_cli_table *t = xos_cli_table_new(heads, nheads);
	for (size_t i = 0; i < xos_json_count(list); i++)
		row(t, xos_json_at(list, i));
	xos_json_free(list);
	return xos_cli_table_print(t, err);
}

static enum xos_status list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"GROUP", "MEMBERS", "ABOUT"};
	struct xos_json *groups = xos_json_array();
	enum xos_status st = vo_pages(cli, "group.list", NULL, "groups", "group", groups, err);
	if (!st)
		return print_list(cli, "groups", groups, heads, 3, add_row, err);
	xos_json_free(groups);
	return st;
}

static void add_member(struct xos_cli_table *t, const struct xos_json *m)
{
	const char *name = NULL;
	if (!xos_json_as_string(m, 256, &name, NULL))
		xos_cli_table_row(t, &name);
}

static enum xos_status show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	static const char *const heads[] = {"MEMBER"};
	struct xos_json *members = xos_json_array(), *args = xos_json_object();
	xos_json_set_string(args, "group", argv[0]);
	enum xos_status st = vo_pages(cli, "group.show", args, "members", NULL, members, err);
	xos_json_free(args);
	if (!st)
		return print_list(cli, "members", members, heads, 1, add_member, err);
	xos_json_free(members);
	return st;
}

static enum xos_status take_away(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "group", argv[0]);
	return xos_cli_command_do(cli, "ca", "group.remove", args, err,
	    "group %s is gone; policy that names it holds for whoever joins a group of that name "
	    "later",
	    argv[0]);
}

static enum xos_status describe(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "group", argv[0]);
	xos_json_set_string(args, "about", argv[1]);
	return xos_cli_command_do(
	    cli, "ca", "group.describe", args, err, "group %s is described", argv[0]);
}

static enum xos_status grant(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "role.grant", vo_args(argv[0], "role", argv[1]), err,
	    "%s holds %s and gets it by: xos-login --role %s", argv[0], argv[1], argv[1]);
}

static enum xos_status revoke(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "role.revoke", vo_args(argv[0], "role", argv[1]), err,
	    "%s holds %s no longer, from the next log-in on", argv[0], argv[1]);
}

static void add_role(struct xos_cli_table *t, const struct xos_json *r)
{
	const char *cells[2] = {NULL, NULL};
	if (!xos_json_get_string(r, "role", 256, &cells[0], NULL) &&
	    !xos_json_get_string(r, "member", 64, &cells[1], NULL))
		xos_cli_table_row(t, cells);
}

/* Pages of pairs: the next one begins after the last role and member. */
static enum xos_status all_roles(
    const struct xos_cli *cli, const char *group, struct xos_json *into, struct xos_err *err)
{
	bool more = true;
	while (more) {
		size_t n = xos_json_count(into);
		const struct xos_json *last = n ? xos_json_at(into, n - 1) : NULL, *roles = NULL;
		struct xos_json *args = xos_json_object(), *page = NULL;
		const char *role = NULL, *member = NULL;
		xos_json_set_string(args, "group", group);
		if (last && !xos_json_get_string(last, "role", 256, &role, NULL) &&
		    !xos_json_get_string(last, "member", 64, &member, NULL)) {
			xos_json_set_string(args, "after_role", role);
			xos_json_set_string(args, "after_member", member);
		}
		enum xos_status st = xos_cli_command(cli, "ca", "role.list", args, &page, err);
		if (!st)
			st = xos_json_get_array(page, "roles", 10000, &roles, err);
		if (!st)
			st = xos_json_get_bool(page, "more", &more, err);
		for (size_t i = 0; !st && i < xos_json_count(roles); i++)
			xos_json_add(into, xos_json_copy(xos_json_at(roles, i)));
		more = more && xos_json_count(roles) > 0;
		xos_json_free(page);
		if (st)
			return st;
	}
	return XOS_OK;
}

static enum xos_status list_roles(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {"ROLE", "MEMBER"};
	struct xos_json *roles = xos_json_array();
	enum xos_status st = all_roles(cli, argc > 0 ? argv[0] : NULL, roles, err);
	if (!st)
		return print_list(cli, "roles", roles, heads, 2, add_role, err);
	xos_json_free(roles);
	return st;
}

enum xos_status vo_group(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"add", 1, 1, add}, {"list", 0, 0, list},
	    {"show", 1, 1, show}, {"remove", 1, 1, take_away}, {"describe", 2, 2, describe}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}

enum xos_status vo_role(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {
	    {"grant", 2, 2, grant}, {"revoke", 2, 2, revoke}, {"list", 0, 1, list_roles}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}
