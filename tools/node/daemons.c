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

#define CREDD "xos-credd"
#define JOBD "xos-jobd"
#define SERVED "run/xos-jobd.vos" /* the VOs that xos-jobd was started for */

const char *xos_node_opt_dir, *xos_node_opt_vo;
const struct xos_cli_option xos_node_dir_options[] = {
    XOS_NODE_DIR_OPTION, XOS_NODE_VO_OPTION, XOS_NODE_NO_OPTION};

enum xos_status xos_node_open(struct xos_node *n, struct xos_err *err)
{
	if (!xos_node_opt_dir)
		return xos_cli_usage(err, "say which node: --dir DIR");
	enum xos_status st = xos_node_load(n, xos_node_opt_dir, err);
	if (!st && n->top) {
		st = xos_cli_usage(err,
		    "%s is a node's part for one of its VOs: say --dir %s --vo NAME", n->dir,
		    n->top);
		xos_node_free(n);
	}
	return st;
}

enum xos_status xos_node_open_parts(
    struct xos_node *top, struct xos_node_parts **parts, struct xos_err *err)
{
	enum xos_status st = xos_node_open(top, err);
	if (!st)
		st = xos_node_parts_load(top, parts, err);
	return st ? st : xos_node_parts_select(*parts, top, xos_node_opt_vo, err);
}

enum xos_status xos_node_open_part(struct xos_node *n, struct xos_err *err)
{
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_open_parts(&top, &parts, err);
	if (!st && parts->n > 1)
		st = xos_cli_usage(
		    err, "node %s belongs to several VOs: say which with --vo", top.name);
	if (!st) {
		*n = parts->part[0].n;
		parts->part[0].n = (struct xos_node){.name = NULL};
	}
	xos_node_parts_free(parts);
	xos_node_free(&top);
	return st;
}

static enum xos_status start_credd(const struct xos_node *n, struct xos_err *err)
{
	char conf[PATH_MAX];
	enum xos_status st = xos_cli_daemon_folders(n->dir, err);
	if (!st)
		st = xos_node_list_place(n, XOS_BYTES_NONE, err);
	/* The servers may be away: what is still valid is used. */
	struct xos_err renewal = XOS_ERR_INIT;
	bool renewed = false;
	if (!st && xos_node_renew(n, false, &renewed, &renewal))
		fprintf(stderr, "xos-node: not renewed: %s\n", renewal.text);
	if (!st)
		st = xos_node_path(n, "credd.conf", conf, err);
	return st ? st : xos_cli_daemon_start(n->dir, CREDD, conf, err);
}

/* The names of the VOs that xos-jobd serves when it starts now, a line each. */
static enum xos_status served_now(
    const struct xos_node *top, struct xos_buf *out, struct xos_err *err)
{
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_parts_load(top, &parts, err);
	if (!st)
		st = xos_node_parts_select(parts, top, NULL, err);
	xos_buf_init(out, 1024);
	for (size_t i = 0; !st && i < parts->n; i++)
		xos_buf_printf(out, "%s\n", parts->part[i].vo);
	xos_node_parts_free(parts);
	return st;
}

static bool serves_these(const struct xos_node *top, const struct xos_buf *names)
{
	char path[PATH_MAX];
	struct xos_buf b;
	xos_buf_init(&b, 0);
	bool same = xos_node_path(top, SERVED, path, NULL) == XOS_OK &&
	            xos_file_read(path, 1024, &b, NULL) == XOS_OK && b.n == names->n &&
	            memcmp(b.p, names->p, b.n) == 0;
	/* One that an earlier version started serves the one VO that there was. */
	if (!b.n && memchr(names->p, '\n', names->n) == names->p + names->n - 1)
		same = true;
	xos_buf_free(&b);
	return same;
}

enum xos_status xos_node_jobd_start(const struct xos_node *top, struct xos_err *err)
{
	struct xos_proc_id id;
	char conf[PATH_MAX];
	struct xos_buf names;
	enum xos_status st = served_now(top, &names, err);
	if (!st)
		st = xos_node_jobd_conf(top, conf, err);
	if (!st)
		st = xos_cli_daemon_folders(top->dir, err);
	if (!st && xos_cli_daemon_running(top->dir, JOBD, &id) && !serves_these(top, &names))
		st = xos_cli_daemon_stop(top->dir, JOBD, err); /* jobs go on meanwhile */
	if (!st)
		st = xos_node_write(top, SERVED, 0644, xos_buf_bytes(&names), err);
	if (!st)
		st = xos_cli_daemon_start(top->dir, JOBD, conf, err);
	xos_buf_free(&names);
	return st;
}

XOS_NODE_VERB(start)
{
	(void)argc;
	(void)argv;
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_open_parts(&top, &parts, err), bad = XOS_OK;
	struct xos_err why = XOS_ERR_INIT;
	/* One VO's trouble is not the others'. */
	for (size_t i = 0; !st && i < parts->n; i++) {
		struct xos_err one = XOS_ERR_INIT;
		enum xos_status failed = start_credd(&parts->part[i].n, &one);
		if (failed && !bad) {
			bad = xos_err_prefix(&one, failed, "VO %s", parts->part[i].vo);
			why = one;
		}
	}
	if (!st)
		st = xos_node_jobd_start(&top, err);
	if (!st && bad) {
		*err = why;
		st = bad;
	}
	if (!st && !cli->json)
		printf("node %s runs\n", top.name);
	xos_node_parts_free(parts);
	xos_node_free(&top);
	return st;
}

static void stop_one(const char *dir, const char *program, enum xos_status *st, struct xos_err *err)
{
	enum xos_status one = xos_cli_daemon_stop(dir, program, *st ? NULL : err);
	if (!*st)
		*st = one;
}

enum xos_status xos_node_stop_all(const struct xos_node *top, struct xos_err *err)
{
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_parts_load(top, &parts, err);
	stop_one(top->dir, JOBD, &st, err);
	for (size_t i = parts ? parts->n : 0; i-- > 0;)
		stop_one(parts->part[i].n.dir, CREDD, &st, err);
	xos_node_parts_free(parts);
	return st;
}

/* xos-jobd goes on for the others; for this one it refuses. */
static enum xos_status stop_part(const struct xos_node *top, struct xos_err *err)
{
	struct xos_node_parts *parts = NULL;
	enum xos_status st = xos_node_parts_load(top, &parts, err);
	if (!st)
		st = xos_node_parts_select(parts, top, xos_node_opt_vo, err);
	if (!st)
		st = xos_cli_daemon_stop(parts->part[0].n.dir, CREDD, err);
	xos_node_parts_free(parts);
	return st;
}

XOS_NODE_VERB(stop)
{
	(void)argc;
	(void)argv;
	struct xos_node top = {.name = NULL};
	enum xos_status st = xos_node_open(&top, err);
	if (st)
		return st;
	st = xos_node_opt_vo ? stop_part(&top, err) : xos_node_stop_all(&top, err);
	if (!st && !cli->json && xos_node_opt_vo)
		printf("node %s starts nothing for VO %s until: xos-node start --dir %s\n",
		    top.name, xos_node_opt_vo, top.dir);
	else if (!st && !cli->json)
		printf("node %s is stopped\n", top.name);
	xos_node_free(&top);
	return st;
}

enum xos_status xos_node_credd(
    const struct xos_node *n, struct xos_local **out, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_node_path(n, "run/credd.sock", path, err);
	const struct xos_local_options opts = {
	    .path = path, .other_user = n->uid_base != 0, .user = (uid_t)n->uid_base};
	return st ? st : xos_local_new(&opts, out, err);
}

static enum xos_status ask_credd(
    const struct xos_node *n, struct xos_json **out, struct xos_err *err)
{
	char *text = NULL;
	struct xos_local *credd = NULL;
	enum xos_status st = xos_node_credd(n, &credd, err);
	if (!st)
		st = xos_local_status(credd, &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), 65536, out, err);
	free(text);
	xos_local_free(credd);
	return st;
}

static void print_log(const struct xos_json *log)
{
	const char *name = NULL, *signed_at = NULL, *trouble = NULL;
	uint64_t records = 0;
	bool contradicted = false;
	if (xos_json_get_string(log, "log", 64, &name, NULL) ||
	    xos_json_get_uint64(log, "records", INT64_MAX, &records, NULL) ||
	    xos_json_get_bool(log, "contradicted", &contradicted, NULL))
		return;
	if (xos_json_opt_string(log, "signed", 64, &signed_at, NULL))
		signed_at = NULL;
	if (xos_json_opt_string(log, "trouble", 1024, &trouble, NULL))
		trouble = NULL;
	xos_cli_print_pair("log", "%s: %llu records%s%s%s%s%s", name, (unsigned long long)records,
	    signed_at ? ", signed at " : "", signed_at ? signed_at : "",
	    contradicted ? "; CONTRADICTED" : "", trouble ? ": " : "", trouble ? trouble : "");
}

static void print_renewals(const struct xos_json *doc)
{
	const struct xos_json *o = NULL;
	const char *since = NULL, *why = NULL;
	uint64_t renewing = 0, failing = 0, refused = 0;
	if (xos_json_opt_object(doc, "renewals", &o, NULL) || !o ||
	    xos_json_get_uint64(o, "renewing", INT64_MAX, &renewing, NULL) ||
	    xos_json_get_uint64(o, "failing", INT64_MAX, &failing, NULL) ||
	    xos_json_get_uint64(o, "refused", INT64_MAX, &refused, NULL))
		return;
	xos_cli_print_pair("job credentials",
	    "%llu renewing, %llu failing, %llu not renewed any more", (unsigned long long)renewing,
	    (unsigned long long)failing, (unsigned long long)refused);
	if (!xos_json_get_string(o, "failing_since", 64, &since, NULL) &&
	    !xos_json_get_string(o, "last_error", 600, &why, NULL))
		xos_cli_print_pair("", "failing since %s: %s", since, why);
}

static void print_status(const struct xos_node *n, const struct xos_json *doc)
{
	const char *text = NULL;
	const struct xos_json *part = NULL;
	int64_t serial = 0;
	xos_cli_print_pair("node", "%s of site %s", n->name, n->site);
	if (!xos_json_opt_string(doc, "vo", 64, &text, NULL) && text)
		xos_cli_print_pair("vo", "%s", text);
	if (!xos_json_opt_string(doc, "state", 64, &text, NULL) && text)
		xos_cli_print_pair("state", "%s", text);
	if (!xos_json_opt_string(doc, "message", 1024, &text, NULL) && text)
		xos_cli_print_pair("says", "%s", text);
	if (!xos_json_opt_string(doc, "decides_until", 64, &text, NULL) && text)
		xos_cli_print_pair("decides until", "%s, also without any server", text);
	if (!xos_json_opt_object(doc, "trust_list", &part, NULL) && part &&
	    !xos_json_get_int64(part, "serial", 1, INT64_MAX, &serial, NULL))
		xos_cli_print_pair("trust list", "%lld", (long long)serial);
	part = NULL;
	if (!xos_json_opt_object(doc, "certificate", &part, NULL) && part &&
	    !xos_json_opt_string(part, "not_after", 64, &text, NULL) && text)
		xos_cli_print_pair("certificate ends", "%s", text);
	if (part && !xos_json_opt_string(part, "key", 80, &text, NULL) && text)
		xos_cli_print_pair("key", "%s", text);
	if (part && !xos_json_opt_string(part, "last_error", 600, &text, NULL) && text)
		xos_cli_print_pair("certificate", "%s", text);
	print_renewals(doc);
	if (!xos_json_opt_array(doc, "logs", 16, &part, NULL) && part)
		for (size_t i = 0; i < xos_json_count(part); i++)
			print_log(xos_json_at(part, i));
	part = NULL;
	if (n->uid_base && !xos_json_opt_object(doc, "accounts", &part, NULL) && part &&
	    !xos_json_opt_string(part, "refused", 512, &text, NULL) && text)
		xos_cli_print_pair("accounts", "none: %s", text);
	xos_cli_print_pair(CREDD, "%s", "running");
}

/* What xos-credd says of one VO; if it does not run or answer, that. */
static enum xos_status part_status(
    const struct xos_node_part *p, struct xos_json **out, struct xos_err *err)
{
	struct xos_proc_id id;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_UNAVAILABLE;
	if (xos_cli_daemon_running(p->n.dir, CREDD, &id))
		st = ask_credd(&p->n, out, &why);
	else
		xos_err_set(&why, st, "node-stopped",
		    "node %s does not run for VO %s; start it with: xos-node start --dir %s",
		    p->n.name, p->vo, xos_node_top(&p->n));
	if (st) {
		*out = xos_json_object();
		xos_json_set_string(*out, "vo", p->vo);
		xos_json_set_string(*out, "state", "stopped");
		xos_json_set_text(*out, "message", why.text);
		*err = why;
	}
	return st;
}

static void print_stopped(const struct xos_node_part *p, const struct xos_err *why)
{
	xos_cli_print_pair("node", "%s of site %s", p->n.name, p->n.site);
	xos_cli_print_pair("vo", "%s", p->vo);
	xos_cli_print_pair("says", "%s", why->text);
	xos_cli_print_pair(CREDD, "%s", "stopped");
}

/* Of the only VO, or of each in `vos`, which is there in any case. */
static struct xos_json *status_doc(
    const struct xos_node *top, struct xos_json *const *doc, size_t n, bool jobd)
{
	struct xos_json *all = n == 1 ? xos_json_copy(doc[0]) : xos_json_object(),
	                *list = xos_json_array();
	if (n != 1) {
		xos_json_set_string(all, "node", top->name);
		xos_json_set_string(all, "site", top->site);
	}
	for (size_t i = 0; i < n; i++)
		xos_json_add(list, xos_json_copy(doc[i]));
	xos_json_set(all, "vos", list);
	xos_json_set_bool(all, "jobd", jobd);
	return all;
}

XOS_NODE_VERB(status)
{
	(void)argc;
	(void)argv;
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	struct xos_json *doc[XOS_NODE_VOS_MAX] = {NULL};
	struct xos_err why = XOS_ERR_INIT;
	struct xos_proc_id id;
	enum xos_status st = xos_node_open_parts(&top, &parts, err), stopped = XOS_OK;
	bool jobd = !st && xos_cli_daemon_running(top.dir, JOBD, &id);
	size_t n = st ? 0 : parts->n;
	for (size_t i = 0; i < n; i++) {
		struct xos_err one = XOS_ERR_INIT;
		enum xos_status its = part_status(&parts->part[i], &doc[i], &one);
		if (!cli->json && !its)
			print_status(&parts->part[i].n, doc[i]);
		else if (!cli->json && n > 1)
			print_stopped(&parts->part[i], &one);
		if (!cli->json && n > 1)
			putchar('\n');
		if (its && !stopped) {
			stopped = its;
			why = one;
		}
	}
	if (!st && !cli->json && (n > 1 || !stopped))
		xos_cli_print_pair(JOBD, "%s", jobd ? "running" : "stopped");
	/* Of several, one that runs is told of; the error would stand in its place. */
	if (!st && cli->json && (n > 1 || !stopped)) {
		st = xos_cli_print_json(status_doc(&top, doc, n, jobd), err);
		cli->exit_status = stopped ? 3 : 0;
	} else if (!st && stopped) {
		*err = why;
		st = stopped;
	}
	for (size_t i = 0; i < n; i++)
		xos_json_free(doc[i]);
	xos_node_parts_free(parts);
	xos_node_free(&top);
	return st;
}
