/* xos-vo member suspend|resume|until|contact */
#include <string.h>

#include "vo/verbs.h"

enum xos_status vo_member_suspend(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	return xos_cli_command_do(cli, "ca", "member.suspend",
	    vo_args(argv[0], argc > 1 ? "reason" : NULL, argc > 1 ? argv[1] : NULL), err,
	    "%s is suspended: no token until resumed; nodes learn within seconds", argv[0]);
}

enum xos_status vo_member_resume(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "member.resume", vo_args(argv[0], NULL, NULL), err,
	    "%s is active again", argv[0]);
}

enum xos_status vo_member_until(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = vo_args(argv[0], NULL, NULL);
	enum xos_status st = vo_set_when(args, "until", argv[1], err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	if (strcmp(argv[1], "never") == 0)
		return xos_cli_command_do(cli, "ca", "member.until", args, err,
		    "the membership of %s has no end", argv[0]);
	return xos_cli_command_do(cli, "ca", "member.until", args, err,
	    "the membership of %s ends %s%s", argv[0], strchr(argv[1], '-') ? "on " : "in ",
	    argv[1]);
}

enum xos_status vo_member_renew(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "member.renew", vo_args(argv[0], NULL, NULL), err,
	    "the membership of %s is renewed; xos-vo member show says until when", argv[0]);
}

enum xos_status vo_member_contact(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "member.contact", vo_args(argv[0], "contact", argv[1]),
	    err, "%s can be reached by %s", argv[0], argv[1]);
}
