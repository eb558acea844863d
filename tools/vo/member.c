/* xos-vo member add|list|show|remove|join|leave, xos-vo password */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verifier.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/password.h"
#include "vo/verbs.h"

static const char *opt_password_fd, *opt_until, *opt_contact, *opt_owner, *opt_restriction;
static bool opt_password_stdin, opt_no_password, opt_robot;
static struct xos_cli_list opt_groups, opt_roles;

#define PASSWORD_OPTIONS                                                                           \
	{"password-stdin", NULL, "read the password from standard input", &opt_password_stdin,     \
	    NULL, NULL},                                                                           \
	{                                                                                          \
		"password-fd", "N", "read the password from descriptor N", NULL, &opt_password_fd, \
		    NULL                                                                           \
	}

const struct xos_cli_option vo_member_options[] = {
    {"group", "GROUP", "with add: a group to join, again for more", NULL, NULL, &opt_groups},
    {"role", "ROLE", "with add: a role to grant, again for more", NULL, NULL, &opt_roles},
    {"no-password", NULL, "with add: set one later, with xos-vo password", &opt_no_password, NULL,
        NULL},
    {"until", "DATE", "with add: when the membership ends, such as 2027-09-30 or 90d", NULL,
        &opt_until, NULL},
    {"robot", NULL, "with add: a member that is a program", &opt_robot, NULL, NULL},
    {"owner", "MEMBER", "with --robot: who answers for it; it stands and falls with its owner",
        NULL, &opt_owner, NULL},
    {"restriction", "FILE", "with --robot: what its tokens are restricted to, for good", NULL,
        &opt_restriction, NULL},
    {"contact", "TEXT", "with add: how to reach the member", NULL, &opt_contact, NULL},
    PASSWORD_OPTIONS,
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct xos_cli_option vo_password_options[] = {
    PASSWORD_OPTIONS,
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

enum xos_status vo_iterations(const struct xos_cli *cli, uint32_t *out, struct xos_err *err)
{
	struct xos_json *vo = NULL;
	uint64_t n = 0;
	enum xos_status st = xos_cli_command(cli, "ca", "vo.describe", xos_json_object(), &vo, err);
	if (!st)
		st = xos_json_get_uint64(vo, "iterations", XOS_SCRAM_ITERATIONS_MAX, &n, err);
	*out = (uint32_t)n;
	xos_json_free(vo);
	return st;
}

static enum xos_status add_verifier(
    const struct xos_cli *cli, struct xos_json *args, struct xos_err *err)
{
	const struct xos_cli_password how = {
	    .from_stdin = opt_password_stdin, .fd = opt_password_fd};
	struct xos_scram_verifier verifier;
	char text[XOS_SCRAM_VERIFIER_TEXT];
	uint32_t count = 0;
	enum xos_status st = xos_cli_password_check(&how, err);
	if (!st)
		st = vo_iterations(cli, &count, err);
	if (!st)
		st = vo_verifier_make(&how, count, &verifier, err);
	if (!st)
		st = xos_scram_verifier_format(&verifier, text);
	if (!st)
		xos_json_set_string(args, "verifier", text);
	xos_wipe(&verifier, sizeof(verifier));
	xos_wipe(text, sizeof(text));
	return st;
}

static enum xos_status add(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	if (opt_robot ? !opt_owner || !opt_restriction : opt_owner || opt_restriction)
		return xos_cli_usage(err,
		    "a robot has an owner and a restriction: --robot --owner MEMBER "
		    "--restriction FILE");
	struct xos_json *args = vo_args(argv[0], opt_owner ? "owner" : NULL, opt_owner);
	if (opt_groups.n)
		xos_json_set_strings(args, "groups", opt_groups.item, opt_groups.n);
	if (opt_roles.n)
		xos_json_set_strings(args, "roles", opt_roles.item, opt_roles.n);
	xos_json_set_string(args, "contact", opt_contact);
	enum xos_status st = opt_until ? vo_set_when(args, "until", opt_until, err) : XOS_OK;
	if (!st && opt_robot)
		st = vo_robot_restriction(opt_restriction, argv[0], args, err);
	if (!st && !opt_no_password)
		st = add_verifier(cli, args, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return xos_cli_command_do(cli, "ca", opt_robot ? "robot.add" : "member.add", args, err,
	    "%s is a %s", argv[0], opt_robot ? "robot" : "member");
}

static enum xos_status take_away(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "member.remove", vo_args(argv[0], NULL, NULL), err,
	    "%s is no member any more; name and number are never given again", argv[0]);
}

static enum xos_status join(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "group.join", vo_args(argv[0], "group", argv[1]), err,
	    "%s is in %s, from the next log-in on", argv[0], argv[1]);
}

static enum xos_status leave(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "group.leave", vo_args(argv[0], "group", argv[1]), err,
	    "%s left %s, from the next log-in on", argv[0], argv[1]);
}

/* The strings of a list, joined by spaces into out. */
static void joined(const struct xos_json *member, const char *key, char *out, size_t cap)
{
	const char **list = NULL;
	size_t n = 0, at = 0;
	out[0] = '\0';
	if (xos_json_opt_strings(member, key, 1024, 1024, &list, &n, NULL))
		return;
	for (size_t i = 0; i < n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s", i ? " " : "", list[i]);
	free(list);
}

static void add_row(struct xos_cli_table *t, const struct xos_json *m)
{
	const char *name = NULL, *state = NULL;
	int64_t number = 0, until = INT64_MAX;
	char text[32], groups[2048], roles[2048];
	if (xos_json_get_string(m, "name", 256, &name, NULL) ||
	    xos_json_get_string(m, "state", 64, &state, NULL) ||
	    xos_json_get_int64(m, "number", 0, INT64_MAX, &number, NULL))
		return;
	/* An end that has come stops a member as a suspension does, and the state does not say so. */
	if (!xos_json_opt_time(m, "until", INT64_MAX, &until, NULL) && until <= xos_clock_now() &&
	    strcmp(state, "active") == 0)
		state = "expired";
	snprintf(text, sizeof(text), "%lld", (long long)number);
	joined(m, "groups", groups, sizeof(groups));
	joined(m, "roles", roles, sizeof(roles));
	const char *cells[] = {name, text, state, groups, roles[0] ? roles : NULL};
	xos_cli_table_row(t, cells);
}

static enum xos_status list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"MEMBER", "NUMBER", "STATE", "GROUPS", "ROLES"};
	struct xos_json *members = xos_json_array();
	enum xos_status st = vo_pages(cli, "member.list", NULL, "members", "name", members, err);
	if (st) {
		xos_json_free(members);
		return st;
	}
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set(doc, "members", members);
		return xos_cli_print_json(doc, err);
	}
	struct xos_cli_table *t = xos_cli_table_new(heads, 5);
	for (size_t i = 0; i < xos_json_count(members); i++)
		add_row(t, xos_json_at(members, i));
	xos_json_free(members);
	return xos_cli_table_print(t, err);
}

/* By serial, which is what locks one of them. */
static void print_tokens(const struct xos_json *tokens)
{
	xos_cli_print_pair("tokens", "%zu unexpired", xos_json_count(tokens));
	for (size_t i = 0; i < xos_json_count(tokens); i++) {
		const struct xos_json *t = xos_json_at(tokens, i);
		const char *serial = NULL, *until = NULL;
		if (!xos_json_get_string(t, "serial", 128, &serial, NULL) &&
		    !xos_json_get_string(t, "not_after", 64, &until, NULL))
			xos_cli_print_pair("", "%s until %s%s%s", serial, until,
			    xos_json_has(t, "delegation") ? ", of a job" : "",
			    xos_json_has(t, "held") ? ", locked" : "");
	}
}

static enum xos_status show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *m = NULL;
	enum xos_status st =
	    xos_cli_command(cli, "ca", "member.show", vo_args(argv[0], NULL, NULL), &m, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(m, err);
	static const char *const more[] = {"until", "reason", "contact", "sponsor", "owner"};
	const char *state = "", *since = "";
	const struct xos_json *tokens = NULL;
	int64_t number = 0;
	char groups[2048], roles[2048];
	st = xos_json_get_string(m, "state", 64, &state, err);
	if (!st)
		st = xos_json_get_string(m, "since", 64, &since, err);
	if (!st)
		st = xos_json_get_int64(m, "number", 0, INT64_MAX, &number, err);
	if (!st)
		st = xos_json_opt_array(m, "tokens", 100000, &tokens, err);
	if (!st) {
		joined(m, "groups", groups, sizeof(groups));
		joined(m, "roles", roles, sizeof(roles));
		xos_cli_print_pair("member", "%s (number %lld)", argv[0], (long long)number);
		xos_cli_print_pair("state", "%s, a member since %s", state, since);
		for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
			const char *text = NULL;
			if (!xos_json_opt_string(m, more[i], 1024, &text, NULL) && text)
				xos_cli_print_pair(more[i], "%s", text);
		}
		xos_cli_print_pair("groups", "%s", groups);
		if (roles[0])
			xos_cli_print_pair("roles", "%s", roles);
		print_tokens(tokens);
	}
	xos_json_free(m);
	return st;
}

enum xos_status vo_member(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"add", 1, 1, add}, {"list", 0, 0, list},
	    {"show", 1, 1, show}, {"remove", 1, 1, take_away}, {"join", 2, 2, join},
	    {"leave", 2, 2, leave}, {"suspend", 1, 2, vo_member_suspend},
	    {"resume", 1, 1, vo_member_resume}, {"renew", 1, 1, vo_member_renew},
	    {"owner", 2, 2, vo_member_owner}, {"until", 2, 2, vo_member_until},
	    {"contact", 2, 2, vo_member_contact}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}

enum xos_status vo_password(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = vo_args(argv[0], NULL, NULL);
	enum xos_status st = add_verifier(cli, args, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return xos_cli_command_do(
	    cli, "ca", "password.reset", args, err, "%s has a new password", argv[0]);
}
