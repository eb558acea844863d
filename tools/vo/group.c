/* xos-vo group add|list, xos-vo role grant|revoke */
#include <stdio.h>

#include "vo/verbs.h"

static enum xos_status add(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "group", argv[0]);
	return xos_cli_command_do(cli, "ca", "group.add", args, err, "group %s exists", argv[0]);
}

static enum xos_status list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"GROUP", "MEMBERS"};
	struct xos_json *doc = NULL;
	const struct xos_json *groups = NULL;
	enum xos_status st = xos_cli_command(cli, "ca", "group.list", xos_json_object(), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_array(doc, "groups", 100000, &groups, err);
	struct xos_cli_table *t = st ? NULL : xos_cli_table_new(heads, 2);
	for (size_t i = 0; !st && i < xos_json_count(groups); i++) {
		const char *name = NULL;
		int64_t members = 0;
		char text[32];
		st = xos_json_get_string(xos_json_at(groups, i), "group", 256, &name, err);
		if (!st)
			st = xos_json_get_int64(
			    xos_json_at(groups, i), "members", 0, INT64_MAX, &members, err);
		snprintf(text, sizeof(text), "%lld", (long long)members);
		const char *cells[] = {name, text};
		if (!st)
			xos_cli_table_row(t, cells);
	}
	enum xos_status printed = t ? xos_cli_table_print(t, st ? NULL : err) : XOS_OK;
	xos_json_free(doc);
	return st ? st : printed;
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

enum xos_status vo_group(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"add", 1, 1, add}, {"list", 0, 0, list}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}

enum xos_status vo_role(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"grant", 2, 2, grant}, {"revoke", 2, 2, revoke}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}
