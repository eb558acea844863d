/* xos-node applications, approve, deny, ban, unban, remove: for whoever may say who comes in */
#include <stdio.h>
#include <string.h>

#include "api/rca.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/receipt.h"
#include "node/verbs.h"

static const char *opt_message, *opt_for, *opt_until, *opt_fingerprint, *opt_accept, *opt_wait;
static bool opt_again;

const struct xos_cli_option xos_node_approve_options[] = {
    {"fingerprint", "sha256:...", "approve only if this is the node's key, as its owner read it",
        NULL, &opt_fingerprint, NULL},
    {"again", NULL, "a node of that name left, and its old keys are destroyed", &opt_again, NULL,
        NULL},
    XOS_NODE_NO_OPTION,
};

const struct xos_cli_option xos_node_deny_options[] = {
    {"message", "TEXT", "the reason, for the node's owner", NULL, &opt_message, NULL},
    XOS_NODE_NO_OPTION,
};

const struct xos_cli_option xos_node_ban_options[] = {
    {"message", "TEXT", "the reason, for the node's owner and its users", NULL, &opt_message, NULL},
    {"for", "DURATION", "how long, for example 7d; without an end until unban", NULL, &opt_for,
        NULL},
    {"until", "TIME", "the end, for example 2026-12-24T00:00:00Z", NULL, &opt_until, NULL},
    {"wait", "DURATION", "for the nodes to carry it out; 15s, 0 not at all", NULL, &opt_wait, NULL},
    XOS_NODE_NO_OPTION,
};

const struct xos_cli_option xos_node_unban_options[] = {
    {"wait", "DURATION", "for the nodes to carry it out; 15s, 0 not at all", NULL, &opt_wait, NULL},
    {"accept", "sha256:HEX",
        "after a second use of a key: the one that the machine has now, by xos-node status there",
        NULL, &opt_accept, NULL},
    XOS_NODE_NO_OPTION,
};

void xos_node_print_about(const struct xos_json *about)
{
	void *it = NULL;
	const char *key = NULL, *text = NULL;
	const struct xos_json *value = NULL;
	while (xos_json_next(about, &it, &key, &value)) {
		if (!xos_json_as_string(value, 512, &text, NULL))
			xos_cli_print_pair(key, "%s (says the node)", text);
	}
}

void xos_node_print_application(const struct xos_json *a)
{
	static const char *const shown[] = {"id", "node", "site", "created", "fingerprint"};
	const struct xos_json *about = NULL, *services = NULL;
	const char *text = NULL;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (!xos_json_opt_string(a, shown[i], 512, &text, NULL) && text)
			xos_cli_print_pair(shown[i], "%s", text);
	}
	if (!xos_json_opt_array(a, "services", 64, &services, NULL)) {
		for (size_t i = 0; i < xos_json_count(services); i++) {
			const char *url = "", *key = "";
			const struct xos_json *s = xos_json_at(services, i);
			if (!xos_json_get_string(s, "kind", 64, &text, NULL) &&
			    !xos_json_get_string(s, "url", 512, &url, NULL) &&
			    !xos_json_get_string(s, "fingerprint", 128, &key, NULL))
				xos_cli_print_pair(
				    "service", "%s at %s, key %s", text, url[0] ? url : "-", key);
		}
	}
	if (!xos_json_opt_object(a, "about", &about, NULL) && about)
		xos_node_print_about(about);
	putchar('\n');
}

/* The list in doc stays doc's. */
static enum xos_status pending(
    struct xos_cli *cli, struct xos_json **doc, const struct xos_json **list, struct xos_err *err)
{
	enum xos_status st =
	    xos_cli_command(cli, XOS_RCA_AUD, "node.applications", xos_json_object(), doc, err);
	return st ? st : xos_json_get_array(*doc, "applications", 100000, list, err);
}

XOS_NODE_VERB(applications)
{
	(void)argc;
	(void)argv;
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st = pending(cli, &doc, &list, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	for (size_t i = 0; !st && i < xos_json_count(list); i++)
		xos_node_print_application(xos_json_at(list, i));
	if (!st && xos_json_count(list) == 0)
		printf("no node waits for approval\n");
	xos_json_free(doc);
	return st;
}

/* An id stays as it is; a node's name finds its application, if there is just one. */
static enum xos_status find_id(
    struct xos_cli *cli, const char *what, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	size_t found = 0;
	enum xos_status st = pending(cli, &doc, &list, err);
	for (size_t i = 0; !st && i < xos_json_count(list); i++) {
		const char *node = NULL, *its = NULL;
		st = xos_json_get_string(xos_json_at(list, i), "node", XOS_NODE_MAX, &node, err);
		if (!st)
			st = xos_json_get_string(
			    xos_json_at(list, i), "id", XOS_RCA_ID_LEN, &its, err);
		if (!st && (strcmp(node, what) == 0 || strcmp(its, what) == 0)) {
			found++;
			snprintf(id, XOS_RCA_ID_LEN + 1, "%s", its);
		}
	}
	xos_json_free(doc);
	if (!st && found == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "application-unknown",
		    "no application of a node or with an id '%s' waits; see xos-node applications",
		    what);
	if (!st && found > 1)
		st = xos_err_set(err, XOS_CONFLICT, "application-ambiguous",
		    "%zu applications name node %s: approve one by its id, after comparing the "
		    "key's "
		    "fingerprint with the node's owner (xos-node applications)",
		    found, what);
	return st;
}

static struct xos_json *id_args(const char *id)
{
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "id", id);
	return args;
}

XOS_NODE_VERB(approve)
{
	(void)argc;
	char id[XOS_RCA_ID_LEN + 1] = "";
	enum xos_status st = find_id(cli, argv[0], id, err);
	if (st)
		return st;
	struct xos_json *args = id_args(id);
	xos_json_set_string(args, "fingerprint", opt_fingerprint);
	if (opt_again)
		xos_json_set_bool(args, "again", true);
	return xos_cli_command_do(cli, XOS_RCA_AUD, "node.approve", args, err,
	    "%s is approved; it fetches its certificates with: xos-node join", argv[0]);
}

XOS_NODE_VERB(deny)
{
	(void)argc;
	char id[XOS_RCA_ID_LEN + 1] = "";
	enum xos_status st = find_id(cli, argv[0], id, err);
	if (st)
		return st;
	struct xos_json *args = id_args(id);
	xos_json_set_string(args, "message", opt_message);
	return xos_cli_command_do(
	    cli, XOS_RCA_AUD, "node.deny", args, err, "%s is denied", argv[0]);
}

XOS_NODE_VERB(ban)
{
	(void)argc;
	int64_t seconds = 0, until = 0, wait = 0;
	enum xos_status st = xos_cli_receipt_wait(opt_wait, &wait, err);
	if (st)
		return st;
	if (opt_for && opt_until)
		return xos_cli_usage(err, "--for and --until exclude each other");
	if (opt_for && (!xos_duration_parse(opt_for, &seconds) || seconds <= 0))
		return xos_cli_usage(err, "--for takes a duration with its unit: 12h, 7d");
	if (opt_until && !xos_time_parse(opt_until, &until))
		return xos_cli_usage(err, "--until takes a time in UTC: 2026-12-24T00:00:00Z");
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "node", argv[0]);
	if (opt_for)
		until = xos_clock_now() + seconds;
	if (until)
		xos_json_set_time(args, "until", until);
	xos_json_set_string(args, "message", opt_message);
	struct xos_json *result = NULL;
	st = xos_cli_command(cli, XOS_RCA_AUD, "node.ban", args, &result, err);
	if (st)
		return st;
	if (!cli->json)
		xos_cli_say(
		    "node %s is banned; credentials of its jobs are renewed until their grants "
		    "end: xos-grant revoke --node %s",
		    argv[0], argv[0]);
	xos_cli_receipt_of_lock(cli, result, false, wait);
	if (cli->json)
		return xos_cli_print_json(result, err);
	xos_json_free(result);
	return XOS_OK;
}

XOS_NODE_VERB(unban)
{
	(void)argc;
	struct xos_json *args = xos_json_object(), *result = NULL;
	const char *still = NULL;
	int64_t wait = 0;
	enum xos_status st = xos_cli_receipt_wait(opt_wait, &wait, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	xos_json_set_string(args, "node", argv[0]);
	if (opt_accept)
		xos_json_set_string(args, "accept", opt_accept);
	st = xos_cli_command(cli, XOS_RCA_AUD, "node.unban", args, &result, err);
	if (!st && cli->json) {
		xos_cli_receipt_of_lock(cli, result, true, wait);
		return xos_cli_print_json(result, err);
	}
	if (!st)
		st = xos_json_opt_string(result, "still", 16, &still, err);
	if (!st && still)
		xos_cli_say("your side's ban of node %s is lifted; %s still bans it", argv[0],
		    strcmp(still, "vo") == 0 ? "the VO" : "the owner of its site");
	else if (!st)
		xos_cli_say("node %s is not banned any more", argv[0]);
	if (!st)
		xos_cli_receipt_of_lock(cli, result, true, wait);
	xos_json_free(result);
	return st;
}

XOS_NODE_VERB(remove)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "node", argv[0]);
	return xos_cli_command_do(cli, XOS_RCA_AUD, "node.remove", args, err,
	    "node %s is no node of the VO any more: its certificates are refused within the "
	    "refresh "
	    "interval and not renewed",
	    argv[0]);
}
