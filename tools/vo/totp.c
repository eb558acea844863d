/* xos-vo totp: second factors of others, and who must have one */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/vo.h"
#include "vo/verbs.h"

static const char *opt_in;

const struct xos_cli_option vo_totp_options[] = {
    {"in", "DURATION", "with require: not now, but after that time, so that members can enrol",
        NULL, &opt_in, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* "vo" is the VO's own group, which everybody is in. */
static enum xos_status group_args(
    struct xos_cli *cli, const char *group, struct xos_json **out, struct xos_err *err)
{
	char own[XOS_FQAN_MAX + 1];
	struct xos_cli_vo *vo = NULL;
	if (strcmp(group, "vo") == 0) {
		enum xos_status st = xos_cli_vo_load(cli, &vo, err);
		if (st)
			return st;
		xos_str_printf(own, sizeof(own), "/%s", vo->name);
		group = own;
		xos_cli_vo_free(vo);
	}
	*out = xos_json_object();
	xos_json_set_string(*out, "group", group);
	return XOS_OK;
}

static enum xos_status require(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = NULL;
	int64_t seconds = 0;
	if (opt_in && (!xos_duration_parse(opt_in, &seconds) || seconds < 0))
		return xos_cli_usage(err, "--in takes a duration with its unit, such as 14d");
	enum xos_status st = group_args(cli, argv[0], &args, err);
	if (st)
		return st;
	if (opt_in)
		xos_json_set_time(args, "from", xos_clock_now() + seconds);
	return xos_cli_command_do(cli, "ca", "totp.require", args, err,
	    "who is in %s logs in with a second factor from %s on; who has none then needs a "
	    "one-time "
	    "code (xos-vo code)",
	    argv[0], opt_in ? "then" : "now");
}

static enum xos_status release(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = NULL;
	enum xos_status st = group_args(cli, argv[0], &args, err);
	return st ? st
	          : xos_cli_command_do(cli, "ca", "totp.release", args, err,
	                "no second factor is demanded for being in %s; who has one is asked for it",
	                argv[0]);
}

static enum xos_status take_away(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "totp.remove", vo_args(argv[0], NULL, NULL), err,
	    "%s has no second factor any more", argv[0]);
}

static enum xos_status show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *doc = NULL;
	bool enrolled = false;
	enum xos_status st =
	    xos_cli_command(cli, "ca", "totp.status", vo_args(argv[0], NULL, NULL), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_bool(doc, "enrolled", &enrolled, err);
	if (!st)
		xos_cli_print_pair(argv[0], "%s second factor", enrolled ? "has a" : "has no");
	xos_json_free(doc);
	return st;
}

enum xos_status vo_totp(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"require", 1, 1, require},
	    {"release", 1, 1, release}, {"remove", 1, 1, take_away}, {"show", 1, 1, show}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}
