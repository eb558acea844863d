/*
 * xos-node renew: the certificate of the job service, at once. xos-jobd does it by itself when half of its life is
 * over; this is for a key that may be known to somebody else, and for nodes that were away for long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/rca.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/daemons.h"
#include "net/pair.h"
#include "node/verbs.h"
#include "service/client.h"

static bool opt_force;

const struct xos_cli_option xos_node_renew_options[] = {
    XOS_NODE_DIR_OPTION,
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

static enum xos_status fetch(const struct xos_node *n, const struct xos_node_joined *j,
    const struct xos_tls_pair *p, const struct xos_chain *old, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_trust *trust = xos_trust_new();
	struct xos_service_client *client = NULL;
	struct xos_key *key = NULL;
	struct xos_chain fresh = {.n = 0};
	enum xos_status st = trust ? xos_node_path(n, "trust", path, err)
	                           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = xos_trust_load(trust, path, err);
	const struct xos_service_client_options o = {
	    .url = j->rca, .vo = j->vo, .service = "rca", .trust = trust, .own = old, .skew = 300};
	if (st == XOS_OK)
		st = xos_service_client_new(&o, &client, err);
	if (st == XOS_OK)
		st = xos_key_generate(&key, err);
	if (st == XOS_OK)
		st = xos_rca_renew(xos_service_client(client), j->vo, old, key, &fresh, err);
	if (st == XOS_OK) {
		fresh.key = xos_key_ref(key);
		st = xos_tls_pair_save(p, &fresh, err);
	}
	xos_chain_clear(&fresh);
	xos_key_free(key);
	xos_service_client_free(client);
	xos_trust_free(trust);
	return st;
}

static enum xos_status renew_pair(const struct xos_node *n, struct xos_tls_pair *p, bool force,
    bool *renewed, struct xos_err *err)
{
	struct xos_node_joined j = {.vo = NULL};
	struct xos_chain old = {.n = 0};
	enum xos_status st = xos_node_joined_load(n, &j, err);

	if (st != XOS_OK)
		return st;
	st = xos_tls_pair_load(p, &old, err);
	if (st == XOS_OK &&
	    (force || xos_clock_now() >= p->not_before + (p->not_after - p->not_before) / 2)) {
		st = fetch(n, &j, p, &old, err);
		*renewed = st == XOS_OK;
	}
	xos_chain_clear(&old);
	xos_node_joined_free(&j);
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

static enum xos_status renew_service(
    const struct xos_node *n, const char *kind, bool force, bool *renewed, struct xos_err *err)
{
	char cert[PATH_MAX], key[PATH_MAX], file[64];
	struct xos_tls_pair p = {.certificate = NULL};
	uid_t owner = 0;

	*renewed = false;
	xos_str_printf(file, sizeof(file), "tls/%s.pem", kind);
	enum xos_status st = xos_node_path(n, file, cert, err);
	xos_str_printf(file, sizeof(file), "tls/%s.key", kind);
	if (st == XOS_OK)
		st = xos_node_path(n, file, key, err);
	if (st == XOS_OK)
		st = xos_tls_pair_init(&p, cert, key, err);
	if (st == XOS_OK)
		st = xos_node_as_owner(key, &owner, err);
	if (st == XOS_OK)
		st = renew_pair(n, &p, force, renewed, err);
	xos_node_as_ourselves();
	xos_tls_pair_clear(&p);
	return st;
}

enum xos_status xos_node_renew(
    const struct xos_node *n, bool force, bool *renewed, struct xos_err *err)
{
	char path[PATH_MAX];
	bool data = false;
	enum xos_status st = renew_service(n, "jobs", force, renewed, err);

	if (st == XOS_OK && xos_node_path(n, "tls/data.pem", path, err) == XOS_OK &&
	    access(path, F_OK) == 0)
		st = renew_service(n, "data", force, &data, err);
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
static enum xos_status restart_jobd(const struct xos_node *n, struct xos_err *err)
{
	struct xos_proc_id id;
	char conf[PATH_MAX];

	if (!needs_restart(n) || !xos_cli_daemon_running(n->dir, "xos-jobd", &id))
		return XOS_OK;
	enum xos_status st = xos_node_path(n, "jobd.conf", conf, err);
	if (st == XOS_OK)
		st = xos_cli_daemon_stop(n->dir, "xos-jobd", err);
	return st == XOS_OK ? xos_cli_daemon_start(n->dir, "xos-jobd", conf, err) : st;
}

XOS_NODE_VERB(renew)
{
	struct xos_node n;
	bool renewed = false;
	enum xos_status st = xos_node_open(&n, err);

	(void)argc;
	(void)argv;
	if (st != XOS_OK)
		return st;
	st = xos_node_renew(&n, opt_force, &renewed, err);
	if (st == XOS_OK && renewed)
		st = restart_jobd(&n, err);
	if (st == XOS_OK && !cli->json)
		printf("the certificate of node %s's job service %s\n", n.name,
		    renewed ? "is renewed" : "has more than half of its life left");
	xos_node_free(&n);
	return st;
}
