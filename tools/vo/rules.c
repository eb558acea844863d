/* xos-vo rules set|show */
#include <stdio.h>
#include <string.h>

#include "api/rules.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/vo.h"
#include "vo/verbs.h"

static enum xos_status set(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object(), *result = NULL;
	int64_t version = 0;
	struct xos_buf b;
	enum xos_status st = xos_file_read(argv[0], XOS_RULES_TEXT_MAX, &b, err);
	if (!st && b.n && memchr(b.p, 0, b.n))
		st = xos_err_set(err, XOS_MALFORMED, "rules-text", "%s is no text", argv[0]);
	if (!st)
		xos_json_set_string(args, "text", xos_buf_str(&b));
	xos_buf_free(&b);
	if (!st) {
		st = xos_cli_command(cli, "ca", "rules.set", args, &result, err);
		args = NULL;
	}
	xos_json_free(args);
	if (!st && cli->json)
		return xos_cli_print_json(result, err);
	if (!st)
		st = xos_json_get_int64(result, "version", 1, INT64_MAX, &version, err);
	if (!st)
		xos_cli_say("version %lld of the rules is in force: everybody accepts it at the "
		            "next log-in, you too",
		    (long long)version);
	xos_json_free(result);
	return st;
}

/* Needs no token: whoever thinks of applying may read them. */
static enum xos_status show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_rules r = {.text = NULL};
	char since[XOS_TIME_TEXT];
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = xos_rules_fetch(xos_cli_client(client), vo->name, &r, err);
	if (!st && cli->json) {
		st = xos_cli_print_json(xos_rules_encode(&r), err);
	} else if (!st) {
		xos_time_format(r.since, since);
		xos_cli_say("Rules of VO %s, version %llu since %s:", vo->name,
		    (unsigned long long)r.version, since);
		xos_cli_print_text(stdout, r.text);
	}
	xos_rules_clear(&r);
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}

enum xos_status vo_rules(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"set", 1, 1, set}, {"show", 0, 0, show}};
	return vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err);
}
