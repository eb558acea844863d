/* xos-policy proposals, approve, reject, review, rollback, cancel, withdraw: changes of what is in force that are no push. */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "policytool/kept.h"
#include "policytool/verbs.h"

static const char *opt_group, *opt_comment, *opt_until, *opt_owner;

const struct xos_cli_option xos_policytool_withdraw_options[] = {
    {"group", "GROUP", "the set of this group", NULL, &opt_group, NULL},
    {"owner", "VO:MEMBER", "the set of this member", NULL, &opt_owner, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct xos_cli_option xos_policytool_rollback_options[] = {
    {"until", "TIME", "goes back then to what is in force now", NULL, &opt_until, NULL},
    {"comment", "TEXT", "shown by list", NULL, &opt_comment, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static enum xos_status number(
    const char *word, const char *what, uint64_t *out, struct xos_err *err)
{
	if (!xos_parse_u64(word, INT64_MAX, out) || *out == 0)
		return xos_cli_usage(err, "'%s' is no %s", word, what);
	return XOS_OK;
}

enum xos_status xos_policytool_approve(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	uint64_t id = 0;
	enum xos_status st = number(argv[0], "proposal", &id, err);
	(void)argc;
	if (st)
		return st;
	struct xos_json *args = xos_json_object();
	xos_json_set_int(args, "id", (int64_t)id);
	st = xos_cli_command(cli, "vops", "proposal.approve", args, &doc, err);
	if (st)
		return st;
	if (cli->json || xos_json_has(doc, "state"))
		return xos_policytool_tell_change(cli, doc, err);
	xos_cli_say("proposal %llu is approved and done", (unsigned long long)id);
	xos_json_free(doc);
	return XOS_OK;
}

enum xos_status xos_policytool_reject(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	uint64_t id = 0;
	enum xos_status st = number(argv[0], "proposal", &id, err);
	(void)argc;
	if (st)
		return st;
	struct xos_json *args = xos_json_object();
	xos_json_set_int(args, "id", (int64_t)id);
	return xos_cli_command_do(cli, "vops", "proposal.reject", args, err,
	    "proposal %llu is rejected", (unsigned long long)id);
}

enum xos_status xos_policytool_review(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	bool on = strcmp(argv[0], "on") == 0;
	(void)argc;
	if (!on && strcmp(argv[0], "off") != 0)
		return xos_cli_usage(err, "'%s' is neither on nor off", argv[0]);
	struct xos_json *args = xos_json_object();
	xos_json_set_int(args, "needed", on);
	enum xos_status st = xos_cli_command(cli, "vops", "policy.review", args, &doc, err);
	if (st)
		return st;
	if (cli->json || xos_json_has(doc, "state"))
		return xos_policytool_tell_change(cli, doc, err);
	xos_cli_say(on ? "changes of the VO's policy need a second administrator from now on"
	               : "changes of the VO's policy need one administrator from now on");
	xos_json_free(doc);
	return XOS_OK;
}

static enum xos_status change(struct xos_cli *cli, const char *verb, const char *serial,
    struct xos_json *args, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	uint64_t n = 0;
	enum xos_status st = number(serial, "serial", &n, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	xos_json_set_int(args, "serial", (int64_t)n);
	st = xos_cli_command(cli, "vops", verb, args, &doc, err);
	return st ? st : xos_policytool_tell_change(cli, doc, err);
}

enum xos_status xos_policytool_rollback(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *args = xos_json_object();
	enum xos_status st = xos_policytool_times(args, NULL, opt_until, err);
	(void)argc;
	xos_json_set_string(args, "comment", opt_comment);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return change(cli, "policy.rollback", argv[0], args, err);
}

enum xos_status xos_policytool_cancel(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return change(cli, "policy.cancel", argv[0], xos_json_object(), err);
}

enum xos_status xos_policytool_withdraw(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	if (!opt_group == !opt_owner)
		return xos_cli_usage(err, "say whose set: --group GROUP or --owner VO:MEMBER");
	const char *name = opt_group ? opt_group : opt_owner;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "level", opt_group ? "group" : "owner");
	xos_json_set_string(args, "name", name);
	return xos_cli_command_do(cli, "vops", "set.withdraw", args, err,
	    "%s has no set any more; nodes hear of it within their refresh interval", name);
}
