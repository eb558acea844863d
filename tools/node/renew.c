/*
 * xos-node renew: the certificates of the node and of its job service, at once. The daemons do it by themselves when
 * half of the life is over; this is for a key that may be known to somebody else, and for nodes that were away for
 * long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "cli/daemons.h"
#include "node/verbs.h"
#include "service/keep.h"

static bool opt_force;

const struct xos_cli_option xos_node_renew_options[] = {
    XOS_NODE_DIR_OPTION,
    XOS_NODE_VO_OPTION,
    {"force", NULL, "also before half of its life is over", &opt_force, NULL, NULL},
    XOS_NODE_NO_OPTION,
};

static const struct xos_config_key joined_keys[] = {
    {"", "vo", XOS_CONFIG_STRING, offsetof(struct xos_node_joined, vo), true, NULL, 0, 0},
    {"", "rca", XOS_CONFIG_STRING, offsetof(struct xos_node_joined, rca), true, NULL, 0, 0},
};
#define NKEYS (sizeof(joined_keys) / sizeof(joined_keys[0]))

enum xos_status xos_node_joined_load(
    const struct xos_node *n, struct xos_node_joined *j, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_node_path(n, "vo.conf", path, err);

	return st == XOS_OK ? xos_config_load(path, joined_keys, NKEYS, j, err) : st;
}

void xos_node_joined_free(struct xos_node_joined *j)
{
	xos_config_free(joined_keys, NKEYS, j);
}

static const struct {
	const char *certificate, *key, *what;
	bool may_miss;
} pairs[] = {
    {"tls/jobs.pem", "tls/jobs.key", "job service", false},
    {"tls/data.pem", "tls/data.key", "data service", true},
    {"credd/node.pem", "credd/node.key", "node", false},
};
#define NPAIRS (sizeof(pairs) / sizeof(pairs[0]))

/* Due by the times in it: the daemons' chance is not ours, a person waits. */
static enum xos_status keep(const struct xos_keep_options *o, const struct xos_trust *trust,
    bool force, enum xos_kept *did, struct xos_err *err)
{
	struct xos_keep *k = NULL;
	enum xos_kept read;
	enum xos_status st = xos_keep_new(o, &k, err);

	if (st == XOS_OK)
		st = xos_keep_read(k, &read, err);
	if (st == XOS_OK) {
		const struct xos_keep_state *s = xos_keep_state(k);
		int64_t half = s->not_before + (s->not_after - s->not_before) / 2;

		if (force || xos_clock_now() >= half)
			st = xos_keep_round(k, trust, true, did, err);
	}
	xos_keep_free(k);
	return st;
}

static enum xos_status renew_pair(const struct xos_node *n, const char *certificate,
    const char *key, bool force, enum xos_kept *did, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_node_joined j = {.vo = NULL};
	struct xos_trust *trust = xos_trust_new();
	enum xos_status st = trust ? xos_node_path(n, "trust", path, err)
	                           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = xos_trust_load(trust, path, err);
	if (st == XOS_OK)
		st = xos_node_joined_load(n, &j, err);
	if (st == XOS_OK) {
		const struct xos_keep_options o = {
		    .certificate = certificate, .key = key, .url = j.rca, .vo = j.vo};

		st = keep(&o, trust, force, did, err);
		xos_node_joined_free(&j);
	}
	xos_trust_free(trust);
	return st;
}

/* With the rights of whom the key belongs to: after the first start of the node that is not root. */
enum xos_status xos_node_as_owner(const char *key, uid_t *owner, struct xos_err *err)
{
	struct stat sb;

	*owner = geteuid();
	if (stat(key, &sb) != 0)
		return xos_err_errno(err, errno, "renew-file", "cannot read %s", key);
	if (*owner != 0 || sb.st_uid == 0)
		return XOS_OK;
	if (setegid(sb.st_gid) != 0 || seteuid(sb.st_uid) != 0)
		return xos_err_errno(
		    err, errno, "privileges", "cannot act as the owner of %s", key);
	*owner = sb.st_uid;
	return XOS_OK;
}

void xos_node_as_ourselves(void)
{
	if (geteuid() != getuid() && (seteuid(getuid()) != 0 || setegid(getgid()) != 0))
		abort(); /* half a root must not go on */
}

static enum xos_status renew_one(
    const struct xos_node *n, size_t i, bool force, enum xos_kept *did, struct xos_err *err)
{
	char cert[PATH_MAX], key[PATH_MAX];
	uid_t owner = 0;
	enum xos_status st = xos_node_path(n, pairs[i].certificate, cert, err);

	*did = XOS_KEPT_NOTHING;
	if (st == XOS_OK && pairs[i].may_miss && access(cert, F_OK) != 0)
		return XOS_OK;
	if (st == XOS_OK)
		st = xos_node_path(n, pairs[i].key, key, err);
	if (st == XOS_OK)
		st = xos_node_as_owner(key, &owner, err);
	if (st == XOS_OK)
		st = renew_pair(n, cert, key, force, did, err);
	xos_node_as_ourselves();
	if (st != XOS_OK)
		xos_err_prefix(err, st, "certificate of the %s", pairs[i].what);
	return st;
}

enum xos_status xos_node_renew(
    const struct xos_node *n, bool force, bool *renewed, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*renewed = false;
	for (size_t i = 0; i < NPAIRS; i++) {
		enum xos_kept did;
		enum xos_status one = renew_one(n, i, force, &did, st == XOS_OK ? err : NULL);

		if (did == XOS_KEPT_RENEWED || did == XOS_KEPT_RESCUED)
			*renewed = true;
		if (st == XOS_OK)
			st = one;
	}
	return st;
}

/* A key of root's, from before xos-jobd renewed by itself, is read once: a new one needs a new start. */
static bool needs_restart(const struct xos_node *n)
{
	char key[PATH_MAX];
	struct stat sb;

	return n->uid_base && xos_node_path(n, "tls/jobs.key", key, NULL) == XOS_OK &&
	       stat(key, &sb) == 0 && sb.st_uid == 0;
}

/* Jobs go on meanwhile. */
static enum xos_status restart_jobd(
    const struct xos_node *n, const struct xos_node *top, struct xos_err *err)
{
	struct xos_proc_id id;

	if (!needs_restart(n) || !xos_cli_daemon_running(top->dir, "xos-jobd", &id))
		return XOS_OK;
	enum xos_status st = xos_cli_daemon_stop(top->dir, "xos-jobd", err);
	return st == XOS_OK ? xos_node_jobd_start(top, err) : st;
}

/* One VO whose servers are away keeps none of the others from being renewed. */
static enum xos_status renew_parts(const struct xos_node *top, const struct xos_node_parts *parts,
    bool *renewed, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; i < parts->n; i++) {
		struct xos_err why = XOS_ERR_INIT;
		bool did = false;
		enum xos_status one = xos_node_renew(&parts->part[i].n, opt_force, &did, &why);

		if (one == XOS_OK && did)
			one = restart_jobd(&parts->part[i].n, top, &why);
		*renewed |= did;
		if (one != XOS_OK && st == XOS_OK) {
			st = parts->n > 1 ? xos_err_prefix(&why, one, "VO %s", parts->part[i].vo)
			                  : one;
			*err = why;
		}
	}
	return st;
}

XOS_NODE_VERB(renew)
{
	struct xos_node n = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	bool renewed = false;
	enum xos_status st = xos_node_open(&n, err);

	(void)argc;
	(void)argv;
	if (st == XOS_OK)
		st = xos_node_parts_load(&n, &parts, err);
	if (st == XOS_OK)
		st = xos_node_parts_select(parts, &n, xos_node_opt_vo, err);
	if (st == XOS_OK)
		st = renew_parts(&n, parts, &renewed, err);
	if (st == XOS_OK && cli->json) {
		struct xos_json *doc = xos_json_object();

		xos_json_set_string(doc, "node", n.name);
		xos_json_set_bool(doc, "renewed", renewed);
		st = xos_cli_print_json(doc, err);
	} else if (st == XOS_OK) {
		printf("the certificates of node %s and its services %s\n", n.name,
		    renewed ? "are renewed" : "have more than half of their life left");
	}
	xos_node_parts_free(parts);
	xos_node_free(&n);
	return st;
}
