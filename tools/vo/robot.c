/* xos-vo robot add|owner */
#include <string.h>

#include "base/file.h"
#include "policy/restriction.h"
#include "policy/set.h"
#include "vo/verbs.h"

#define FILE_MAX (256 * 1024)

static const char *opt_owner, *opt_restriction, *opt_until, *opt_contact, *opt_password_fd;
static bool opt_password_stdin, opt_no_password;
static struct xos_cli_list opt_groups, opt_roles;

const struct xos_cli_option vo_robot_options[] = {
    {"owner", "MEMBER", "with add: who answers for it; it stands and falls with its owner", NULL,
        &opt_owner, NULL},
    {"restriction", "FILE", "with add: what its tokens are restricted to, for good", NULL,
        &opt_restriction, NULL},
    {"group", "GROUP", "with add: a group to join, again for more", NULL, NULL, &opt_groups},
    {"role", "ROLE", "with add: a role to grant, again for more", NULL, NULL, &opt_roles},
    {"until", "DATE", "with add: when the membership ends", NULL, &opt_until, NULL},
    {"contact", "TEXT", "with add: how to reach who runs it", NULL, &opt_contact, NULL},
    {"no-password", NULL, "with add: set one later, with xos-vo password", &opt_no_password, NULL,
        NULL},
    {"password-stdin", NULL, "read the password from standard input", &opt_password_stdin, NULL,
        NULL},
    {"password-fd", "N", "read the password from descriptor N", NULL, &opt_password_fd, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* The text of a restriction as tokens carry it. */
static enum xos_status read_restriction(
    const char *path, const char *robot, struct xos_json *args, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text, out;
	enum xos_status st = xos_file_read(path, FILE_MAX, &text, err);
	xos_buf_init(&out, XOS_RESTRICTION_MAX);
	if (!st)
		st = xos_policy_set_load((const char *)text.p, text.n, path, &set, err);
	if (!st && xos_policy_set_level(set) != XOS_POLICY_DELEGATION)
		st = xos_err_set(err, XOS_MALFORMED, "restriction",
		    "%s: a restriction is written as: delegation by user \"%s\" { check ...; }",
		    path, robot);
	if (!st)
		st = xos_restriction_encode(set, &out, err);
	if (!st)
		xos_json_set_bytes(args, "restriction", xos_buf_bytes(&out));
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	xos_buf_free(&out);
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
	if (!opt_owner || !opt_restriction)
		return xos_cli_usage(err,
		    "a robot has an owner and a restriction: --owner MEMBER --restriction FILE");
	struct xos_json *args = vo_args(argv[0], "owner", opt_owner);
	xos_json_set_string(args, "contact", opt_contact);
	if (opt_groups.n)
		xos_json_set_strings(args, "groups", opt_groups.item, opt_groups.n);
	if (opt_roles.n)
		xos_json_set_strings(args, "roles", opt_roles.item, opt_roles.n);
	enum xos_status st = read_restriction(opt_restriction, argv[0], args, err);
	if (!st && opt_until)
		st = vo_set_when(args, "until", opt_until, err);
	if (!st && !opt_no_password)
		st = add_verifier(cli, args, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return xos_cli_command_do(
	    cli, "ca", "robot.add", args, err, "%s is a robot of %s", argv[0], opt_owner);
}

static enum xos_status owner(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "robot.owner", vo_args(argv[0], "owner", argv[1]), err,
	    "%s is a robot of %s from now on", argv[0], argv[1]);
}

enum xos_status vo_robot(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"add", 1, 1, add}, {"owner", 2, 2, owner}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}
