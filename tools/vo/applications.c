/* xos-vo applications, approve, deny */
#include <stdio.h>

#include "vo/verbs.h"

static const char *opt_until;
static struct xos_cli_list opt_groups, opt_roles;

const struct xos_cli_option vo_approve_options[] = {
    {"group", "GROUP", "a group to join, again for more", NULL, NULL, &opt_groups},
    {"role", "ROLE", "a role to grant, again for more", NULL, NULL, &opt_roles},
    {"until", "DATE", "when the membership ends, such as 2027-09-30 or 90d", NULL, &opt_until,
        NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static void add_row(struct xos_cli_table *t, const struct xos_json *a)
{
	static const char *const keys[] = {"id", "at", "name", "contact", "address", "text"};
	const char *cells[7] = {NULL};
	bool taken = false;
	for (size_t i = 0; i < 6; i++)
		if (xos_json_get_string(a, keys[i], 1024, &cells[i + (i > 2)], NULL))
			return;
	if (xos_json_get_bool(a, "taken", &taken, NULL))
		return;
	cells[3] = taken ? "name taken" : "";
	xos_cli_table_row(t, cells);
}

enum xos_status vo_applications(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {
	    "ID", "SINCE", "NAME", "NOTE", "CONTACT", "FROM", "TEXT"};
	struct xos_json *all = xos_json_array();
	enum xos_status st =
	    vo_pages(cli, "application.list", NULL, "applications", "id", all, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set(doc, "applications", all);
		return xos_cli_print_json(doc, err);
	}
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 7);
		for (size_t i = 0; i < xos_json_count(all); i++)
			add_row(t, xos_json_at(all, i));
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(all);
	return st;
}

/* {"id", "name"}: the name stands in the command so that the record has it. */
static enum xos_status decide_args(const struct xos_cli *cli, const char *id, char *name,
    size_t cap, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *args = xos_json_object(), *doc = NULL;
	xos_json_set_string(args, "id", id);
	enum xos_status st =
	    xos_cli_command(cli, "ca", "application.show", xos_json_copy(args), &doc, err);
	if (!st)
		st = xos_json_copy_string(doc, "name", name, cap, err);
	xos_json_free(doc);
	if (st) {
		xos_json_free(args);
		return st;
	}
	xos_json_set_string(args, "name", name);
	*out = args;
	return XOS_OK;
}

enum xos_status vo_approve(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = NULL;
	char name[64];
	enum xos_status st = decide_args(cli, argv[0], name, sizeof(name), &args, err);
	if (st)
		return st;
	if (opt_groups.n)
		xos_json_set_strings(args, "groups", opt_groups.item, opt_groups.n);
	if (opt_roles.n)
		xos_json_set_strings(args, "roles", opt_roles.item, opt_roles.n);
	if (opt_until)
		st = vo_set_when(args, "until", opt_until, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return xos_cli_command_do(
	    cli, "ca", "application.approve", args, err, "%s is a member", name);
}

enum xos_status vo_deny(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = NULL;
	char name[64];
	enum xos_status st = decide_args(cli, argv[0], name, sizeof(name), &args, err);
	if (st)
		return st;
	xos_json_set_string(args, "reason", argv[1]);
	return xos_cli_command_do(cli, "ca", "application.deny", args, err,
	    "the application of %s is denied; the name may be applied for again", name);
}
