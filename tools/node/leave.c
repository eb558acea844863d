/* xos-node leave: the node takes its leave of its VOs and is removed from this machine, or of one of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/rca_admission.h"
#include "cli/daemons.h"
#include "cli/remove.h"
#include "cli/run.h"
#include "net/pair.h"
#include "node/verbs.h"
#include "service/client.h"

static bool opt_yes, opt_offline;

const struct xos_cli_option xos_node_leave_options[] = {
    XOS_NODE_DIR_OPTION,
    XOS_NODE_VO_OPTION,
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

/* For one that has joined. */
static enum xos_status farewell(
    const struct xos_node *n, struct xos_node_joined *j, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_node_joined_load(n, j, err);
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

/* What became of one VO of the node. */
struct left {
	bool told;
	int64_t ended, unsent;
};

/* xos-jobd end: with the configuration in n's folder. */
static enum xos_status end_jobs(
    const struct xos_node *n, const char *conf, struct left *l, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf out;
	struct xos_json *doc = NULL;
	int64_t ended = 0, unsent = 0;
	enum xos_status st = xos_node_path(n, conf, path, err);
	xos_buf_init(&out, 8192);
	if (st == XOS_OK && access(path, F_OK) != 0)
		return XOS_OK;
	const char *const argv[] = {"xos-jobd", "end", "--config", path, "--json", NULL};
	if (st == XOS_OK)
		st = xos_cli_run(argv, NULL, &out, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&out), 8192, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "ended", 0, INT32_MAX, &ended, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "unsent", 0, INT32_MAX, &unsent, err);
	l->ended += ended;
	l->unsent = unsent;
	xos_json_free(doc);
	xos_buf_free(&out);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "the node's jobs");
}

/* From here on xos-jobd, which runs for the other VOs, is not told of this one. */
static enum xos_status withdraw(
    const struct xos_node *top, const struct xos_node *n, struct xos_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct xos_proc_id id;
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_path(n, "jobd.conf", from, err);
	if (st == XOS_OK)
		st = xos_node_path(n, XOS_NODE_LEFT_CONF, to, err);
	if (st == XOS_OK && rename(from, to) != 0 && errno != ENOENT)
		st = xos_err_errno(err, errno, "leave", "cannot rename %s", from);
	if (st == XOS_OK)
		st = xos_node_path(n, "credd.conf", from, err);
	if (st == XOS_OK && unlink(from) != 0 && errno != ENOENT)
		st = xos_err_errno(err, errno, "leave", "cannot remove %s", from);
	if (st != XOS_OK || !xos_cli_daemon_running(top->dir, "xos-jobd", &id))
		return st;
	st = xos_node_parts_load(top, &parts, err);
	if (st == XOS_OK)
		st = xos_node_parts_select(parts, top, NULL, NULL) == XOS_OK
		         ? xos_node_jobd_start(top, err)
		         : xos_cli_daemon_stop(top->dir, "xos-jobd", err);
	xos_node_parts_free(parts);
	return st;
}

/*
 * Its jobs are ended while accounting still believes the node; what was started in the last moment is ended when
 * xos-jobd does not know the VO any more.
 */
static enum xos_status leave_vo(
    const struct xos_node *top, const struct xos_node_part *p, struct left *l, struct xos_err *err)
{
	struct xos_node_joined j = {.vo = NULL};
	enum xos_status st = XOS_OK;
	*l = (struct left){.told = false};
	if (p->joined) {
		st = end_jobs(&p->n, "jobd.conf", l, err);
		if (st == XOS_OK)
			st = farewell(&p->n, &j, err);
		l->told = st == XOS_OK && !opt_offline;
		xos_node_joined_free(&j);
	}
	if (st == XOS_OK)
		st = withdraw(top, &p->n, err);
	if (st == XOS_OK)
		st = end_jobs(&p->n, XOS_NODE_LEFT_CONF, l, err);
	if (st == XOS_OK)
		st = xos_cli_daemon_stop(p->n.dir, "xos-credd", err);
	return st == XOS_OK ? xos_node_part_remove(top, p, err) : st;
}

static void say_left(const struct xos_node *top, const struct xos_node_part *p,
    const struct left *l, const char *gone)
{
	if (!p->joined)
		xos_cli_say("node %s waits for VO %s no more%s", top->name, p->vo, gone);
	else if (opt_offline)
		xos_cli_say("node %s%s, but VO %s does not know: its certificates are good until "
		            "they end, unless an administrator or an approver of its site says: "
		            "xos-node remove %s",
		    top->name, gone[0] ? " is gone from this machine" : " has left", p->vo,
		    top->name);
	else
		xos_cli_say("node %s has left VO %s%s; its certificates are refused within the "
		            "refresh interval",
		    top->name, p->vo, gone);
	if (l->ended)
		xos_cli_say("%lld running jobs of VO %s were ended", (long long)l->ended, p->vo);
	if (l->unsent)
		xos_cli_say("%lld accounting records of VO %s could not be sent and are lost",
		    (long long)l->unsent, p->vo);
}

static struct xos_json *left_json(const struct xos_node *top, const char *vo, const struct left *l)
{
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "node", top->name);
	if (vo)
		xos_json_set_string(doc, "vo", vo);
	xos_json_set_bool(doc, "told", l->told);
	xos_json_set_int(doc, "jobs_ended", l->ended);
	xos_json_set_int(doc, "records_lost", l->unsent);
	return doc;
}

static enum xos_status leave_one(
    struct xos_cli *cli, const struct xos_node *top, struct xos_err *err)
{
	struct xos_node_parts *parts = NULL;
	const struct xos_node_part *p = NULL;
	struct left l;
	enum xos_status st = xos_node_parts_load(top, &parts, err);
	for (size_t i = 0; st == XOS_OK && i < parts->n; i++)
		if (strcmp(parts->part[i].vo, xos_node_opt_vo) == 0)
			p = &parts->part[i];
	if (st == XOS_OK && !p)
		st = xos_err_set(err, XOS_NOT_FOUND, "vo-not-joined",
		    "node %s does not belong to VO %s", top->name, xos_node_opt_vo);
	if (st == XOS_OK)
		st = leave_vo(top, p, &l, err);
	if (st == XOS_OK && cli->json)
		st = xos_cli_print_json(left_json(top, p->vo, &l), err);
	else if (st == XOS_OK)
		say_left(top, p, &l, "");
	xos_node_parts_free(parts);
	return st;
}

/* One after the other: a VO that cannot be told keeps the rest, and none is left twice. */
static enum xos_status leave_all(
    struct xos_cli *cli, const struct xos_node *top, struct xos_err *err)
{
	struct xos_node_parts *parts = NULL;
	struct left sum = {.told = true};
	bool joined = false;
	enum xos_status st = xos_node_parts_load(top, &parts, err);
	for (size_t i = st ? 0 : parts->n; st == XOS_OK && i-- > 0;) {
		const struct xos_node_part *p = &parts->part[i];
		struct left l;
		st = leave_vo(top, p, &l, err);
		if (st == XOS_OK && !cli->json)
			say_left(top, p, &l, " and is gone from this machine");
		joined |= p->joined;
		sum.told &= l.told;
		sum.ended += l.ended;
		sum.unsent += l.unsent;
	}
	sum.told &= joined;
	if (st == XOS_OK)
		st = xos_node_stop_all(top, err);
	if (st == XOS_OK)
		st = xos_cli_remove_tree(top->dir, err);
	if (st == XOS_OK && cli->json)
		st = xos_cli_print_json(left_json(top, NULL, &sum), err);
	else if (st == XOS_OK && parts->n == 0)
		xos_cli_say("node %s is gone from this machine; it belonged to no VO", top->name);
	xos_node_parts_free(parts);
	return st;
}

XOS_NODE_VERB(leave)
{
	(void)argc;
	(void)argv;
	struct xos_node n = {.name = NULL};
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	if (!opt_yes && xos_node_opt_vo)
		st = xos_cli_usage(err,
		    "this ends the jobs of VO %s on node %s and removes what the node has of that "
		    "VO, its keys, jobs and logs, for ever; if that is meant: --yes",
		    xos_node_opt_vo, n.name);
	else if (!opt_yes)
		st = xos_cli_usage(err,
		    "this ends the jobs of node %s, stops it and removes its keys, jobs and logs "
		    "in %s for ever; if that is meant: --yes",
		    n.name, n.dir);
	if (!st)
		st = xos_node_opt_vo ? leave_one(cli, &n, err) : leave_all(cli, &n, err);
	xos_node_free(&n);
	return st;
}
