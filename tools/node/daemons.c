/* xos-node start, stop, status */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/daemons.h"
#include "json/json.h"
#include "local/client.h"
#include "node/verbs.h"

static const struct {
	const char *program, *conf;
} daemons[] = {{"xos-credd", "credd.conf"}, {"xos-jobd", "jobd.conf"}};
#define NDAEMONS (sizeof(daemons) / sizeof(daemons[0]))

const char *xos_node_opt_dir;
const struct xos_cli_option xos_node_dir_options[] = {XOS_NODE_DIR_OPTION, XOS_NODE_NO_OPTION};
enum xos_status xos_node_open(struct xos_node *n, struct xos_err *err)
{
	if (!xos_node_opt_dir)
		return xos_cli_usage(err, "say which node: --dir DIR");
	return xos_node_load(n, xos_node_opt_dir, err);
}

XOS_NODE_VERB(start)
{
	(void)argc;
	(void)argv;
	struct xos_node n = {.name = NULL};
	char conf[PATH_MAX];
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	if (!(st = xos_node_path(&n, "credd.conf", conf, err)) && access(conf, F_OK) != 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "node-unjoined",
		    "node %s belongs to no VO yet; join one with: xos-node join URL --fingerprint "
		    "sha256:... --dir %s",
		    n.name, n.dir);
	if (!st)
		st = xos_cli_daemon_folders(n.dir, err);
	/* The servers may be away: what is still valid is used. */
	struct xos_err renewal = XOS_ERR_INIT;
	bool renewed = false;
	if (!st && xos_node_renew(&n, false, &renewed, &renewal))
		fprintf(stderr, "xos-node: not renewed: %s\n", renewal.text);
	for (size_t i = 0; !st && i < NDAEMONS; i++) {
		if (!(st = xos_node_path(&n, daemons[i].conf, conf, err)))
			st = xos_cli_daemon_start(n.dir, daemons[i].program, conf, err);
	}
	if (!st && !cli->json)
		printf("node %s runs\n", n.name);
	xos_node_free(&n);
	return st;
}

enum xos_status xos_node_stop_all(const struct xos_node *n, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t i = NDAEMONS; i-- > 0;) {
		enum xos_status one =
		    xos_cli_daemon_stop(n->dir, daemons[i].program, st ? NULL : err);
		if (!st)
			st = one;
	}
	return st;
}

XOS_NODE_VERB(stop)
{
	(void)argc;
	(void)argv;
	struct xos_node n = {.name = NULL};
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	st = xos_node_stop_all(&n, err);
	if (!st && !cli->json)
		printf("node %s is stopped\n", n.name);
	xos_node_free(&n);
	return st;
}

static enum xos_status ask_credd(
    const struct xos_node *n, struct xos_json **out, struct xos_err *err)
{
	char path[PATH_MAX], *text = NULL;
	struct xos_local *credd = NULL;
	enum xos_status st = xos_node_path(n, "run/credd.sock", path, err);
	if (st)
		return st;
	const struct xos_local_options opts = {
	    .path = path, .other_user = n->uid_base != 0, .user = (uid_t)n->uid_base};
	st = xos_local_new(&opts, &credd, err);
	if (!st)
		st = xos_local_status(credd, &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), 65536, out, err);
	free(text);
	xos_local_free(credd);
	return st;
}

static void print_status(const struct xos_node *n, const struct xos_json *doc)
{
	const char *text = NULL;
	const struct xos_json *part = NULL;
	xos_cli_print_pair("node", "%s of site %s", n->name, n->site);
	if (!xos_json_opt_string(doc, "vo", 64, &text, NULL) && text)
		xos_cli_print_pair("vo", "%s", text);
	if (!xos_json_opt_string(doc, "state", 64, &text, NULL) && text)
		xos_cli_print_pair("state", "%s", text);
	if (!xos_json_opt_string(doc, "message", 1024, &text, NULL) && text)
		xos_cli_print_pair("says", "%s", text);
	if (!xos_json_opt_string(doc, "decides_until", 64, &text, NULL) && text)
		xos_cli_print_pair("decides until", "%s, also without any server", text);
	if (!xos_json_opt_object(doc, "certificate", &part, NULL) && part &&
	    !xos_json_opt_string(part, "not_after", 64, &text, NULL) && text)
		xos_cli_print_pair("certificate ends", "%s", text);
	if (part && !xos_json_opt_string(part, "key", 80, &text, NULL) && text)
		xos_cli_print_pair("key", "%s", text);
	if (part && !xos_json_opt_string(part, "last_error", 600, &text, NULL) && text)
		xos_cli_print_pair("certificate", "%s", text);
	for (size_t i = 0; i < NDAEMONS; i++) {
		struct xos_proc_id id;
		bool up = xos_cli_daemon_running(n->dir, daemons[i].program, &id);
		xos_cli_print_pair(daemons[i].program, "%s", up ? "running" : "stopped");
	}
}

XOS_NODE_VERB(status)
{
	(void)argc;
	(void)argv;
	struct xos_node n = {.name = NULL};
	struct xos_json *doc = NULL;
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	struct xos_proc_id id;
	if (!xos_cli_daemon_running(n.dir, daemons[0].program, &id))
		st = xos_err_set(err, XOS_UNAVAILABLE, "node-stopped",
		    "node %s does not run; start it with: xos-node start --dir %s", n.name, n.dir);
	else
		st = ask_credd(&n, &doc, err);
	if (!st && cli->json) {
		st = xos_cli_print_json(doc, err);
		doc = NULL;
	} else if (!st) {
		print_status(&n, doc);
	}
	xos_json_free(doc);
	xos_node_free(&n);
	return st;
}
