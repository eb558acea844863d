/* xos-node leave: the node takes its leave of the VO, and is removed from this machine. */
#include <stdio.h>
#include <unistd.h>

#include "api/rca_admission.h"
#include "cli/remove.h"
#include "net/pair.h"
#include "node/verbs.h"
#include "service/client.h"

static bool opt_yes, opt_offline;

const struct xos_cli_option xos_node_leave_options[] = {
    XOS_NODE_DIR_OPTION,
    {"yes", NULL, "I know that this cannot be undone", &opt_yes, NULL, NULL},
    {"offline", NULL, "without telling the VO, whose servers may be away", &opt_offline, NULL,
        NULL},
    XOS_NODE_NO_OPTION,
};

static enum xos_status send(const struct xos_node *n, const struct xos_node_joined *j,
    const struct xos_chain *own, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_trust *trust = xos_trust_new();
	struct xos_service_client *client = NULL;
	enum xos_status st = trust ? xos_node_path(n, "trust", path, err)
	                           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = xos_trust_load(trust, path, err);
	const struct xos_service_client_options o = {
	    .url = j->rca, .vo = j->vo, .service = "rca", .trust = trust, .skew = 300};
	if (st == XOS_OK)
		st = xos_service_client_new(&o, &client, err);
	if (st == XOS_OK)
		st = xos_rca_leave(xos_service_client(client), j->vo, own, err);
	xos_service_client_free(client);
	xos_trust_free(trust);
	return st;
}

/* The node's own key signs it: with the rights of whom it belongs to. */
static enum xos_status read_own(
    const struct xos_node *n, struct xos_chain *own, struct xos_err *err)
{
	char cert[PATH_MAX], key[PATH_MAX];
	struct xos_tls_pair p = {.certificate = NULL};
	uid_t owner = 0;
	enum xos_status st = xos_node_path(n, "credd/node.pem", cert, err);

	if (st == XOS_OK)
		st = xos_node_path(n, "credd/node.key", key, err);
	if (st == XOS_OK)
		st = xos_tls_pair_init(&p, cert, key, err);
	if (st == XOS_OK)
		st = xos_node_as_owner(key, &owner, err);
	if (st == XOS_OK)
		st = xos_tls_pair_load(&p, own, err);
	xos_node_as_ourselves();
	xos_tls_pair_clear(&p);
	return st;
}

/* j->vo stays NULL if the node never joined a VO. */
static enum xos_status farewell(
    const struct xos_node *n, struct xos_node_joined *j, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_node_path(n, "vo.conf", path, err);

	if (st != XOS_OK || access(path, F_OK) != 0)
		return st;
	st = xos_node_joined_load(n, j, err);
	if (st != XOS_OK || opt_offline)
		return st;
	st = read_own(n, &own, err);
	if (st == XOS_OK)
		st = send(n, j, &own, err);
	xos_chain_clear(&own);
	if (st != XOS_OK)
		st = xos_err_prefix(err, st,
		    "node %s is still a node of VO %s, and nothing was removed; to remove it from "
		    "this machine all the same, add --offline, and have it removed there with "
		    "`xos-node remove %s`",
		    n->name, j->vo, n->name);
	return st;
}

static void say(const struct xos_node *n, const struct xos_node_joined *j)
{
	if (!j->vo)
		xos_cli_say("node %s is gone from this machine; it belonged to no VO", n->name);
	else if (opt_offline)
		xos_cli_say("node %s is gone from this machine, but VO %s does not know: its "
		            "certificates are good until they end, unless an administrator or an "
		            "approver of its site says: xos-node remove %s",
		    n->name, j->vo, n->name);
	else
		xos_cli_say(
		    "node %s has left VO %s and is gone from this machine; its certificates "
		    "are refused within the refresh interval",
		    n->name, j->vo);
}

XOS_NODE_VERB(leave)
{
	(void)argc;
	(void)argv;
	struct xos_node n = {.name = NULL};
	struct xos_node_joined j = {.vo = NULL};
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	if (!opt_yes)
		st = xos_cli_usage(err,
		    "this stops node %s and removes its keys, jobs and logs in %s for ever; if "
		    "that is "
		    "meant: --yes",
		    n.name, n.dir);
	if (!st)
		st = farewell(&n, &j, err);
	if (!st)
		st = xos_node_stop_all(&n, err);
	if (!st)
		st = xos_cli_remove_tree(n.dir, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "node", n.name);
		xos_json_set_bool(doc, "told", j.vo && !opt_offline);
		st = xos_cli_print_json(doc, err);
	} else if (!st) {
		say(&n, &j);
	}
	xos_node_joined_free(&j);
	xos_node_free(&n);
	return st;
}
