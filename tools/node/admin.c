/* xos-node applications, approve, deny, list, ban, unban: for the VO's administrators */
#include <stdio.h>
#include <string.h>

#include "api/rca.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/vo.h"
#include "node/verbs.h"

static const char *opt_message, *opt_for, *opt_accept;

const struct xos_cli_option xos_node_deny_options[] = {
    {"message", "TEXT", "the reason, for the node's owner", NULL, &opt_message, NULL},
    XOS_NODE_NO_OPTION,
};

const struct xos_cli_option xos_node_ban_options[] = {
    {"message", "TEXT", "the reason, for the node's owner and its users", NULL, &opt_message, NULL},
    {"for", "DURATION", "how long, for example 7d; without it until unban", NULL, &opt_for, NULL},
    XOS_NODE_NO_OPTION,
};

const struct xos_cli_option xos_node_unban_options[] = {
    {"accept", "sha256:HEX",
        "after a second use of a key: the one that the machine has now, by xos-node status there", NULL,
        &opt_accept, NULL},
    XOS_NODE_NO_OPTION,
};

static void print_about(const struct xos_json *about)
{
	void *it = NULL;
	const char *key = NULL, *text = NULL;
	const struct xos_json *value = NULL;
	while (xos_json_next(about, &it, &key, &value)) {
		if (!xos_json_as_string(value, 512, &text, NULL))
			xos_cli_print_pair(key, "%s (says the node)", text);
	}
}

static void print_application(const struct xos_json *a)
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
			const char *url = "";
			if (!xos_json_get_string(
			        xos_json_at(services, i), "kind", 64, &text, NULL) &&
			    !xos_json_get_string(xos_json_at(services, i), "url", 512, &url, NULL))
				xos_cli_print_pair("service", "%s at %s", text, url);
		}
	}
	if (!xos_json_opt_object(a, "about", &about, NULL) && about)
		print_about(about);
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
		print_application(xos_json_at(list, i));
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
	return xos_cli_command_do(cli, XOS_RCA_AUD, "node.approve", id_args(id), err,
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
	int64_t seconds = 0;
	if (opt_for && (!xos_duration_parse(opt_for, &seconds) || seconds <= 0))
		return xos_cli_usage(err, "--for takes a duration with its unit: 12h, 7d");
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "node", argv[0]);
	if (opt_for)
		xos_json_set_time(args, "until", xos_clock_now() + seconds);
	xos_json_set_string(args, "message", opt_message);
	return xos_cli_command_do(
	    cli, XOS_RCA_AUD, "node.ban", args, err, "node %s is banned", argv[0]);
}

XOS_NODE_VERB(unban)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "node", argv[0]);
	if (opt_accept)
		xos_json_set_string(args, "accept", opt_accept);
	return xos_cli_command_do(
	    cli, XOS_RCA_AUD, "node.unban", args, err, "node %s is not banned any more", argv[0]);
}

static struct xos_json *node_json(const struct xos_rca_node *n)
{
	struct xos_json *o = xos_json_object(), *services = xos_json_array();
	xos_json_set_string(o, "node", n->node);
	xos_json_set_string(o, "site", n->site);
	xos_json_set_string(o, "state", n->state);
	if (n->message[0])
		xos_json_set_string(o, "message", n->message);
	if (n->rescued)
		xos_json_set_time(o, "rescued", n->rescued);
	for (size_t i = 0; i < n->nservices; i++) {
		struct xos_json *s = xos_json_object();
		xos_json_set_string(s, "kind", n->services[i].kind);
		xos_json_set_string(s, "url", n->services[i].url);
		xos_json_add(services, s);
	}
	xos_json_set(o, "services", services);
	return o;
}

/* Why it is banned, and that a certificate was renewed after its end. */
static void note_of(const struct xos_rca_node *n, char *out, size_t cap)
{
	char at[XOS_TIME_TEXT] = "";
	if (n->rescued)
		xos_time_format(n->rescued, at);
	snprintf(out, cap, "%s%s%s%s", n->message, n->message[0] && at[0] ? "; " : "",
	    at[0] ? "rescued at " : "", at);
}

static enum xos_status print_nodes(
    const struct xos_cli *cli, const struct xos_rca_nodes *l, struct xos_err *err)
{
	static const char *const heads[] = {"NODE", "SITE", "STATE", "JOBS", "NOTE"};
	if (cli->json) {
		struct xos_json *doc = xos_json_object(), *list = xos_json_array();
		for (size_t i = 0; i < l->n; i++)
			xos_json_add(list, node_json(&l->node[i]));
		xos_json_set(doc, "nodes", list);
		return xos_cli_print_json(doc, err);
	}
	struct xos_cli_table *t = xos_cli_table_new(heads, 5);
	for (size_t i = 0; i < l->n; i++) {
		const struct xos_rca_node *n = &l->node[i];
		char note[sizeof(n->message) + 64];
		const char *cells[] = {
		    n->node, n->site, n->state, xos_rca_node_url(n, "jobs"), note};

		note_of(n, note, sizeof(note));
		xos_cli_table_row(t, cells);
	}
	return xos_cli_table_print(t, err);
}

XOS_NODE_VERB(list)
{
	(void)argc;
	(void)argv;
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_rca_nodes *nodes = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "rca", NULL, true, &client, err);
	if (!st)
		st = xos_rca_nodes_get(xos_cli_client(client), vo->name, &nodes, err);
	if (!st)
		st = print_nodes(cli, nodes, err);
	xos_rca_nodes_free(nodes);
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}
