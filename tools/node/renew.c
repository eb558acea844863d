/*
 * xos-node renew: the certificate of the job service. As root its key belongs to root, so xos-credd, which
 * renews the node's own, cannot; without root xos-credd renews both and this finds nothing to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/rca.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "cli/daemons.h"
#include "node/verbs.h"
#include "service/client.h"

static bool opt_force;

const struct xos_cli_option xos_node_renew_options[] = {
    XOS_NODE_DIR_OPTION,
    {"force", NULL, "also before half of its life is over", &opt_force, NULL, NULL},
    XOS_NODE_NO_OPTION,
};

/* vo.conf, written by join. */
struct joined {
	char *vo, *rca;
};
static const struct xos_config_key joined_keys[] = {
    {"", "vo", XOS_CONFIG_STRING, offsetof(struct joined, vo), true, NULL, 0, 0},
    {"", "rca", XOS_CONFIG_STRING, offsetof(struct joined, rca), true, NULL, 0, 0},
};
#define NKEYS (sizeof(joined_keys) / sizeof(joined_keys[0]))

struct pair {
	char cert[PATH_MAX], key[PATH_MAX], next[PATH_MAX];
};

/*
 * The new key stands beside the old one until the certificate is there. Killed between the two last
 * steps, KEY.next is the certificate's: then only that is finished.
 */
static enum xos_status load(const struct pair *p, struct xos_chain *out, struct xos_err *err)
{
	enum xos_status st = xos_chain_load(p->cert, out, err);
	struct xos_key *next = NULL;

	if (st == XOS_OK && access(p->next, F_OK) == 0 &&
	    xos_key_load(p->next, NULL, NULL, &next, NULL) == XOS_OK &&
	    xos_key_same(next, xos_cert_key(out->cert[0])) && rename(p->next, p->key) != 0)
		st = xos_err_set(
		    err, XOS_UNAVAILABLE, "renew-file", "cannot rename %s to %s", p->next, p->key);
	xos_key_free(next);
	return st == XOS_OK ? xos_key_load(p->key, NULL, NULL, &out->key, err) : st;
}

static enum xos_status replace(const struct pair *p, const struct xos_key *key,
    const struct xos_chain *chain, struct xos_err *err)
{
	struct xos_buf pem;

	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &pem);
	enum xos_status st = xos_key_save(key, p->next, NULL, err);
	if (st == XOS_OK)
		st = xos_file_write(p->cert, 0644, xos_buf_bytes(&pem), err);
	if (st == XOS_OK && rename(p->next, p->key) != 0)
		st = xos_err_set(
		    err, XOS_UNAVAILABLE, "renew-file", "cannot rename %s to %s", p->next, p->key);
	xos_buf_free(&pem);
	return st;
}

static enum xos_status fetch(const struct xos_node *n, const struct joined *j, const struct pair *p,
    const struct xos_chain *old, struct xos_err *err)
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
	if (st == XOS_OK)
		st = replace(p, key, &fresh, err);
	xos_chain_clear(&fresh);
	xos_key_free(key);
	xos_service_client_free(client);
	xos_trust_free(trust);
	return st;
}

enum xos_status xos_node_renew(
    const struct xos_node *n, bool force, bool *renewed, struct xos_err *err)
{
	char path[PATH_MAX];
	struct joined j = {.vo = NULL};
	struct pair p;
	struct xos_chain old = {.n = 0};
	enum xos_status st = xos_node_path(n, "tls/jobs.pem", p.cert, err);

	*renewed = false;
	if (st == XOS_OK)
		st = xos_node_path(n, "tls/jobs.key", p.key, err);
	if (st == XOS_OK)
		st = xos_node_path(n, "tls/jobs.key.next", p.next, err);
	if (st == XOS_OK)
		st = xos_node_path(n, "vo.conf", path, err);
	if (st == XOS_OK)
		st = xos_config_load(path, joined_keys, NKEYS, &j, err);
	if (st != XOS_OK)
		return st;
	st = load(&p, &old, err);
	if (st == XOS_OK) {
		int64_t from = xos_cert_not_before(old.cert[0]);
		int64_t to = xos_cert_not_after(old.cert[0]);

		if (force || xos_clock_now() >= from + (to - from) / 2) {
			st = fetch(n, &j, &p, &old, err);
			*renewed = st == XOS_OK;
		}
	}
	xos_chain_clear(&old);
	xos_config_free(joined_keys, NKEYS, &j);
	return st;
}

/* As root xos-jobd reads its key before it gives root up: a new one needs a new start. Jobs go on. */
static enum xos_status restart_jobd(const struct xos_node *n, struct xos_err *err)
{
	struct xos_proc_id id;
	char conf[PATH_MAX];

	if (!n->uid_base || !xos_cli_daemon_running(n->dir, "xos-jobd", &id))
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
