/*
 * Which process may do what. This file is the sandbox of each: read it together with ca/README.md.
 */
#include "ca/parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/auth/auth.h"
#include "ca/key/key.h"
#include "ca/network/network.h"
#include "ca/reload.h"
#include "ca/vos.h"
#include "proc/supervisor.h"
#include "service/own.h"
#include "service/rollover.h"

/* --- auth --- */

static enum xos_status auth_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct ca_conf *conf = self->run->conf;
	struct xos_trust *trust = NULL;
	struct ca_auth *a = NULL;
	struct ca_paths p;
	enum xos_status st = ca_paths_fill(conf->common.state, &p, err);

	/*
	 * Before the databases are open: whoever closes any descriptor of a file gives up all locks that the
	 * process has on it (fcntl(2)), and the next opener would cut the shared memory that we have mapped.
	 * What SQLite makes later belongs to the owner of the database.
	 */
	if (st == XOS_OK)
		st = xos_service_own(p.auth_dir, conf->common.user_auth, err);
	if (st == XOS_OK)
		st = ca_load_trust(conf, &trust, err);
	if (st == XOS_OK) {
		struct ca_auth_opts o = {.vo = conf->common.vo,
		    .membership = p.membership,
		    .verifiers = p.verifiers,
		    .trust = trust,
		    .iterations = conf->iterations,
		    .renew_max = conf->renew_max,
		    .grant_max = conf->grant_max,
		    .delegations = access(p.delegation_cert, F_OK) == 0,
		    .key = self->to[XOS_PART_KEY]};

		st = ca_auth_new(&o, &a, err);
	}
	xos_trust_free(trust);
	if (a)
		a->watch.run = self->run;
	self->state = a;
	return st;
}

static enum xos_status auth_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct xos_channel *list[XOS_PARTS];
	struct xos_channel_server server = {
	    .on_tick = ca_auth_tick, .tick_ms = 1000, .on_hup = ca_auth_hup};
	struct xos_bulk_server *bulk = NULL;
	struct ca_auth *a = self->state;
	enum xos_status st = xos_bulk_server_new(ca_auth_table, ca_auth_ntable, a, &bulk, err);

	if (st != XOS_OK)
		return st;
	/* Only the network process asks here; the channel to key is for asking key. */
	list[0] = self->to[XOS_PART_NETWORK];
	server.channels = list;
	server.nchannels = 1;
	server.signal_fd = self->signal_fd;
	xos_child_ready();
	st = xos_bulk_serve(bulk, &server, err);
	xos_bulk_server_free(bulk);
	return st;
}

static void auth_close(struct xos_part_self *self)
{
	ca_auth_free(self->state);
	self->state = NULL;
}

/* --- key --- */

static enum xos_status key_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct ca_conf *conf = self->run->conf;
	struct ca_key *k = NULL;
	struct ca_paths p;
	enum xos_status st = ca_paths_fill(conf->common.state, &p, err);

	if (st == XOS_OK)
		st = xos_service_own(p.key_dir, conf->common.user_key, err);
	if (st == XOS_OK) {
		struct ca_key_opts o = {.vo = conf->common.vo,
		    .state = conf->common.state,
		    .key = p.key,
		    .cert = p.cert,
		    .membership = p.membership,
		    .log = p.log,
		    .delegation_key = p.delegation_key,
		    .delegation_cert = p.delegation_cert,
		    .lifetime = conf->lifetime,
		    .lifetime_max = conf->lifetime_max,
		    .http_url = conf->http_url};

		st = ca_key_new(&o, &k, err);
	}
	if (k)
		k->watch.run = self->run;
	/* Again, for the files that were made just now. */
	if (st == XOS_OK)
		st = xos_service_own(p.key_dir, conf->common.user_key, err);
	self->state = k;
	return st;
}

static enum xos_status key_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct xos_channel *list[XOS_PARTS];
	struct xos_channel_server server = {.signal_fd = -1,
	    .on_tick = ca_key_tick,
	    .tick_ms = 1000,
	    .on_hup = ca_key_hup,
	    .commit = ca_key_group_commit,
	    .staged = ca_key_group_staged,
	    .committed = ca_key_group_committed};
	struct xos_bulk_server *bulk = NULL;
	enum xos_status st =
	    xos_bulk_server_new(ca_key_table, ca_key_ntable, self->state, &bulk, err);

	if (st != XOS_OK)
		return st;
	xos_part_channels(self, list, &server);
	ca_key_group(self->state);
	xos_child_ready();
	st = xos_bulk_serve(bulk, &server, err);
	xos_bulk_server_free(bulk);
	return st;
}

static void key_close(struct xos_part_self *self)
{
	ca_key_free(self->state);
	self->state = NULL;
}

/* What the network process reads again after a SIGHUP, of one VO and then of the next. */
struct reads {
	const char *list[5 * (1 + XOS_PAIRS_MAX) + 1]; /* ends with NULL */
	char folder[1 + XOS_PAIRS_MAX][PATH_MAX];
	char cert[1 + XOS_PAIRS_MAX][PATH_MAX];
	size_t n, vos;
};

static void add_reads(struct reads *r, const struct ca_conf *conf)
{
	const struct xos_service_conf *c = &conf->common;

	r->list[r->n++] = c->tls_certificate;
	r->list[r->n++] = c->tls_key;
	r->list[r->n++] = c->trust;
	if (xos_path_join(r->cert[r->vos], PATH_MAX, c->state, "ca.pem"))
		r->list[r->n++] = r->cert[r->vos];
	if (xos_service_tls_folder(c, r->folder[r->vos]))
		r->list[r->n++] = r->folder[r->vos];
	r->vos++;
}

/* Before the parts start: the key process reads the membership as it is, at the same time as auth would be
 * bringing a database of an older version up to date. */
static enum xos_status bring_up_to_date(const struct xos_service_run *run,
    const struct ca_conf *conf, const struct ca_paths *p, struct xos_err *err)
{
	struct ca_membership *m = NULL;
	enum xos_status st;

	if (run->role && strcmp(run->role, XOS_PAIR_ROLE) != 0)
		return XOS_OK;
	st = xos_rollover_heal(conf->common.state, "ca", err);
	if (st == XOS_OK)
		st = ca_membership_open(p->membership, conf->common.vo, false, false, &m, err);
	ca_membership_close(m);
	return st == XOS_OK ? xos_service_own(p->auth_dir, conf->common.user_auth, err) : st;
}

enum xos_status ca_parts_run(const struct xos_service_run *run, struct xos_err *err)
{
	const struct ca_conf *conf = run->conf;
	const struct xos_service_conf *c = &conf->common;
	struct ca_paths p;
	enum xos_status st = ca_paths_fill(c->state, &p, err);
	struct reads network_reads = {.n = 0};
	struct ca_vos *vos = NULL;
	const char *auth_reads[] = {c->trust, p.cert, NULL};
	/* SQLite makes and removes its journal beside the databases. */
	const char *auth_writes[] = {p.auth_dir, NULL};
	const char *key_reads[] = {NULL};
	/* The membership is read through SQLite's shared memory, which even a reader writes. */
	const char *key_writes[] = {p.key_dir, p.auth_dir, NULL};
	struct xos_authority a = {.name = "cad",
	    .listen = c->listen,
	    .network_auth = true,
	    .network_key = true,
	    .auth_key = true,
	    .parts = {[XOS_PART_NETWORK] = {.present = true,
	                  .user = c->user_network,
	                  .open = ca_network_open,
	                  .serve = ca_network_serve,
	                  .close = ca_network_close,
	                  .sandbox = {.name = "cad/network",
	                      .allow = XOS_ALLOW_NET_SERVER,
	                      .read_only = network_reads.list}},
	        [XOS_PART_AUTH] = {.present = true,
	            .user = c->user_auth,
	            .open = auth_open,
	            .serve = auth_serve,
	            .close = auth_close,
	            .sandbox = {.name = "cad/auth",
	                .allow = XOS_ALLOW_FILE_WRITE,
	                .read_only = auth_reads,
	                .read_write = auth_writes}},
	        [XOS_PART_KEY] = {.present = true,
	            .user = c->user_key,
	            .open = key_open,
	            .serve = key_serve,
	            .close = key_close,
	            .sandbox = {.name = "cad/key",
	                .allow = XOS_ALLOW_FILE_WRITE,
	                .read_only = key_reads,
	                .read_write = key_writes}}}};

	if (st == XOS_OK)
		st = ca_vos_load(conf, &vos, err);
	add_reads(&network_reads, conf);
	for (size_t i = 0; vos && i < vos->n; i++)
		add_reads(&network_reads, &vos->conf[i]);
	if (vos) {
		a.pairs = vos->pair;
		a.npairs = vos->n;
	}
	if (st == XOS_OK)
		st = bring_up_to_date(run, conf, &p, err);
	if (st == XOS_OK)
		st = xos_authority_run(&a, run, err);
	ca_vos_free(vos);
	return st;
}
