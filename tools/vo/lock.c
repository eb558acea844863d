/* xos-vo lock, unlock, locks */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/receipt.h"
#include "vo/verbs.h"

static const char *opt_for, *opt_message, *opt_wait;

const struct xos_cli_option vo_lock_options[] = {
    {"for", "DURATION", "how long, for example 7d; without it until unlocked", NULL, &opt_for,
        NULL},
    {"message", "TEXT", "what the locked person is told", NULL, &opt_message, NULL},
    {"wait", "DURATION", "for the nodes to carry it out; 15s, 0 not at all", NULL, &opt_wait, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct xos_cli_option vo_unlock_options[] = {
    {"wait", "DURATION", "for the nodes to carry it out; 15s, 0 not at all", NULL, &opt_wait, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* What the lock stops besides what is asked for from now on. */
static void say_locked(char **argv, const struct xos_json *result)
{
	int64_t held = -1;
	char tokens[64] = "";
	if (!xos_json_opt_int64(result, "held", 0, INT64_MAX, -1, &held, NULL) && held >= 0)
		snprintf(tokens, sizeof(tokens), "; %lld unexpired token%s", (long long)held,
		    held == 1 ? " is held" : "s are held");
	xos_cli_say("%s %s is locked%s%s%s", argv[0], argv[1], opt_for ? " for " : "",
	    opt_for ? opt_for : "", strcmp(argv[0], "token") == 0 ? " until it ends" : tokens);
}

static enum xos_status check_kind(const char *kind, struct xos_err *err)
{
	static const char *const kinds[] = {
	    "member", "group", "role", "token", "node", "job", "grant"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return XOS_OK;
	return xos_cli_usage(
	    err, "'%s' is none of: member, group, role, token, node, job, grant", kind);
}

/* Nodes are the resource authority's, which calls it a ban. */
static bool is_node(const char *kind)
{
	return strcmp(kind, "node") == 0;
}

static struct xos_json *lock_args(char **argv)
{
	if (!is_node(argv[0]))
		return vo_args(argv[1], "kind", argv[0]);
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "node", argv[1]);
	return args;
}

enum xos_status vo_lock(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	enum xos_status st = check_kind(argv[0], err);
	if (st)
		return st;
	struct xos_json *args = lock_args(argv);
	int64_t seconds = 0, wait = 0;
	st = xos_cli_receipt_wait(opt_wait, &wait, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	if (opt_for && (!xos_duration_parse(opt_for, &seconds) || seconds <= 0)) {
		xos_json_free(args);
		return xos_cli_usage(
		    err, "--for takes a duration with its unit: 90s, 15m, 12h, 7d");
	}
	if (opt_for && strcmp(argv[0], "token") == 0) {
		xos_json_free(args);
		return xos_cli_usage(err, "a token is locked until it ends: leave --for out");
	}
	if (opt_for)
		xos_json_set_time(args, "until", xos_clock_now() + seconds);
	xos_json_set_string(args, "message", opt_message);
	struct xos_json *result = NULL;
	st = xos_cli_command(cli, is_node(argv[0]) ? "rca" : "ca",
	    is_node(argv[0]) ? "node.ban" : "lock.add", args, &result, err);
	if (st)
		return st;
	if (!cli->json)
		say_locked(argv, result);
	xos_cli_receipt_of_lock(cli, result, false, wait);
	if (cli->json)
		return xos_cli_print_json(result, err);
	xos_json_free(result);
	return XOS_OK;
}

enum xos_status vo_unlock(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	enum xos_status st = check_kind(argv[0], err);
	if (st)
		return st;
	struct xos_json *result = NULL;
	int64_t wait = 0;
	st = xos_cli_receipt_wait(opt_wait, &wait, err);
	if (!st)
		st = xos_cli_command(cli, is_node(argv[0]) ? "rca" : "ca",
		    is_node(argv[0]) ? "node.unban" : "lock.remove", lock_args(argv), &result, err);
	if (st)
		return st;
	const char *still = NULL;
	if (!xos_json_opt_string(result, "still", 16, &still, NULL) && still && !cli->json)
		xos_cli_say("your side's ban of node %s is lifted; %s still bans it", argv[1],
		    strcmp(still, "vo") == 0 ? "the VO" : "the owner of its site");
	else if (!cli->json)
		xos_cli_say("%s %s is not locked any more", argv[0], argv[1]);
	xos_cli_receipt_of_lock(cli, result, true, wait);
	if (cli->json)
		return xos_cli_print_json(result, err);
	xos_json_free(result);
	return XOS_OK;
}

static void add_row(struct xos_cli_table *t, const struct xos_json *l)
{
	const char *kind = NULL, *name = NULL, *since = NULL, *until = NULL, *message = NULL;
	if (xos_json_get_string(l, "kind", 32, &kind, NULL) ||
	    xos_json_get_string(l, "name", 512, &name, NULL) ||
	    xos_json_opt_string(l, "since", 64, &since, NULL) ||
	    xos_json_opt_string(l, "until", 64, &until, NULL) ||
	    xos_json_opt_string(l, "message", 1024, &message, NULL))
		return;
	const char *cells[] = {kind, name, since, until, message};
	xos_cli_table_row(t, cells);
}

enum xos_status vo_locks(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"KIND", "NAME", "SINCE", "UNTIL", "MESSAGE"};
	struct xos_json *doc = NULL;
	const struct xos_json *locks = NULL;
	enum xos_status st = xos_cli_command(cli, "ca", "lock.list", xos_json_object(), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_array(doc, "locks", 100000, &locks, err);
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 5);
		for (size_t i = 0; i < xos_json_count(locks); i++)
			add_row(t, xos_json_at(locks, i));
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}
