/* xos-node list: the nodes of a VO, for whoever is in it. */
#include <stdio.h>
#include <string.h>

#include "api/rca.h"
#include "base/clock.h"
#include "cli/vo.h"
#include "node/verbs.h"

static const char *opt_site, *opt_state;

const struct xos_cli_option xos_node_list_options[] = {
    {"site", "NAME", "only nodes of this site", NULL, &opt_site, NULL},
    {"state", "STATE", "only those that are active, banned or left", NULL, &opt_state, NULL},
    XOS_NODE_NO_OPTION,
};

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

static bool wanted(const struct xos_rca_node *n)
{
	return (!opt_site || strcmp(opt_site, n->site) == 0) &&
	       (!opt_state || strcmp(opt_state, n->state) == 0);
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
	static const char *const heads[] = {"NODE", "SITE", "STATE", "JOBS", "DATA", "NOTE"};
	if (cli->json) {
		struct xos_json *doc = xos_json_object(), *list = xos_json_array();
		for (size_t i = 0; i < l->n; i++)
			if (wanted(&l->node[i]))
				xos_json_add(list, node_json(&l->node[i]));
		xos_json_set(doc, "nodes", list);
		return xos_cli_print_json(doc, err);
	}
	struct xos_cli_table *t = xos_cli_table_new(heads, 6);
	for (size_t i = 0; i < l->n; i++) {
		const struct xos_rca_node *n = &l->node[i];
		char note[sizeof(n->message) + 64];
		const char *cells[] = {n->node, n->site, n->state, xos_rca_node_url(n, "jobs"),
		    xos_rca_node_url(n, "data"), note};
		note_of(n, note, sizeof(note));
		if (wanted(n))
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
	if (opt_state && strcmp(opt_state, "active") != 0 && strcmp(opt_state, "banned") != 0 &&
	    strcmp(opt_state, "left") != 0)
		return xos_cli_usage(err, "--state takes active, banned or left");
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
