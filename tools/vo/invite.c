/* xos-vo invite, invitations, withdraw */
#include <stdio.h>

#include "auth/code.h"
#include "base/clock.h"
#include "vo/verbs.h"

static const char *opt_for, *opt_contact, *opt_ends;
static struct xos_cli_list opt_groups;

const struct xos_cli_option vo_invite_options[] = {
    {"group", "GROUP", "a group to join, again for more", NULL, NULL, &opt_groups},
    {"ends", "DATE", "when the membership ends, such as 2027-09-30 or 90d", NULL, &opt_ends, NULL},
    {"contact", "TEXT", "how to reach who is invited", NULL, &opt_contact, NULL},
    {"for", "DURATION", "how long the code is good, at most 7d (default 24h)", NULL, &opt_for,
        NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static enum xos_status show(struct xos_cli *cli, const char *name, struct xos_secret *code,
    const struct xos_json *result, struct xos_err *err)
{
	char text[XOS_CODE_TEXT];
	const char *until = NULL;
	enum xos_status st = xos_json_get_string(result, "until", 64, &until, err);
	if (st)
		return st;
	xos_code_format(code, text);
	if (cli->json) {
		struct xos_json *doc = xos_json_copy(result);
		xos_json_set_string(doc, "code", text);
		st = xos_cli_print_json(doc, err);
	} else {
		xos_cli_print_pair("invited", "%s", name);
		xos_cli_print_pair("code", "%s", text);
		xos_cli_print_pair("good", "once, until %s", until);
		xos_cli_print_pair("used with", "xos-login --code %s", name);
	}
	xos_wipe(text, sizeof(text));
	return st;
}

enum xos_status vo_invite(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = vo_args(argv[0], "contact", opt_contact), *result = NULL;
	struct xos_secret *code = NULL;
	enum xos_status st = vo_code_life(opt_for, args, err);
	if (!st && opt_groups.n)
		xos_json_set_strings(args, "groups", opt_groups.item, opt_groups.n);
	if (!st && opt_ends)
		st = vo_set_when(args, "ends", opt_ends, err);
	if (!st)
		st = vo_add_code(cli, args, argv[0], &code, err);
	if (!st) {
		st = xos_cli_command(cli, "ca", "member.invite", args, &result, err);
		args = NULL;
	}
	if (!st)
		st = show(cli, argv[0], code, result, err);
	xos_secret_free(code);
	xos_json_free(result);
	xos_json_free(args);
	return st;
}

static void add_row(struct xos_cli_table *t, const struct xos_json *i)
{
	static const char *const keys[] = {"name", "sponsor", "until", "groups", "ends", "contact"};
	const char *cells[6] = {NULL};
	for (size_t k = 0; k < 6; k++)
		if (xos_json_opt_string(i, keys[k], 16384, &cells[k], NULL))
			return;
	xos_cli_table_row(t, cells);
}

enum xos_status vo_invitations(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {
	    "NAME", "SPONSOR", "CODE UNTIL", "GROUPS", "ENDS", "CONTACT"};
	struct xos_json *all = xos_json_array();
	enum xos_status st =
	    vo_pages(cli, "invitation.list", NULL, "invitations", "name", all, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set(doc, "invitations", all);
		return xos_cli_print_json(doc, err);
	}
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 6);
		for (size_t i = 0; i < xos_json_count(all); i++)
			add_row(t, xos_json_at(all, i));
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(all);
	return st;
}

enum xos_status vo_withdraw(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "invitation.withdraw", vo_args(argv[0], NULL, NULL),
	    err, "%s is not invited any more; the name is free", argv[0]);
}
