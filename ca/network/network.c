#include "ca/network/network.h"
#include "api/cad_renew.h"

#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/cad.h"
#include "api/command.h"
#include "api/rules.h"
#include "api/trustdoc.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/network/hub.h"
#include "ca/messages.h"
#include "ca/reload.h"

#define SKEW 300
#define TICK_MS 10000

enum xos_status ca_load_trust(
    const struct ca_conf *conf, struct xos_trust **out, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	struct xos_chain own = {.n = 0};
	struct ca_paths p;
	enum xos_status st;

	*out = NULL;
	if (!t)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = ca_paths_fill(conf->common.state, &p, err);
	if (st == XOS_OK)
		st = xos_trust_load(t, conf->common.trust, err);
	if (st == XOS_OK && !xos_trust_root(t, conf->common.vo))
		st = xos_err_set(err, XOS_NOT_FOUND, "no-root", "%s has no root of VO %s",
		    conf->common.trust, conf->common.vo);
	if (st == XOS_OK)
		st = xos_chain_load(p.cert, &own, err);
	if (st == XOS_OK)
		st = xos_trust_add_issuer(t, own.cert[0], err);
	xos_chain_clear(&own);
	if (st != XOS_OK) {
		xos_trust_free(t);
		return st;
	}
	*out = t;
	return XOS_OK;
}

void ca_peer_address(const struct xos_request *req, char *out, size_t cap)
{
	const char *peer = xos_request_peer(req), *colon = strrchr(peer, ':');
	size_t n = colon ? (size_t)(colon - peer) : strlen(peer);

	if (n >= cap)
		n = cap - 1;
	memcpy(out, peer, n);
	out[n] = '\0';
}

enum xos_status ca_check_vo(
    const struct ca_network *n, const struct xos_request *req, struct xos_err *err)
{
	const char *vo = xos_request_param(req, "vo");
	const struct xos_identity *id = xos_request_identity(req);

	if (!vo || strcmp(vo, n->conf->common.vo) != 0)
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-vo", "there is no VO \"%s\" here", vo ? vo : "");
	/* The server believes the roots of all its VOs; each VO only its own. */
	if (id && strcmp(id->claims->vo, vo) != 0)
		return xos_err_set(err, XOS_DENIED, "other-vo",
		    "your certificate is of VO %s, and this is VO %s", id->claims->vo, vo);
	return XOS_OK;
}

struct xos_trust *ca_network_trust(struct ca_network *n)
{
	pthread_mutex_lock(&n->lock);
	struct xos_trust *trust = xos_trust_ref(n->trust);
	pthread_mutex_unlock(&n->lock);
	return trust;
}

void ca_network_trust_set(struct ca_network *n, struct xos_trust *trust)
{
	pthread_mutex_lock(&n->lock);
	struct xos_trust *old = n->trust;
	n->trust = trust;
	pthread_mutex_unlock(&n->lock);
	xos_trust_free(old);
}

/* --- routes --- */

static enum xos_status route_trust(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	struct xos_trust *trust = ca_network_trust(n);
	struct xos_trust_doc d = {trust, n->conf->common.vo};
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK)
		xos_response_json(res, 200, xos_trust_doc_encode(&d));
	xos_trust_free(trust);
	return st;
}

/* Which VOs are served here; proves nothing, and saves whoever joins from typing the name. */
static enum xos_status route_vos(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	struct xos_json *doc = xos_json_object(), *vos = xos_json_array();

	(void)req;
	(void)err;
	for (size_t i = 0; i < ca_hub_count(n->hub); i++)
		xos_json_add_string(vos, ca_hub_name(n->hub, i));
	xos_json_set(doc, "vos", vos);
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static enum xos_status route_directory(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const struct ca_conf *c = n->conf;
	struct xos_cad_directory d = {c->dir_ca, c->dir_rca, c->dir_vops, c->dir_accounting};
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK)
		xos_response_json(res, 200, xos_cad_directory_encode(&d));
	return st;
}

static enum xos_status route_commands(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	char address[CA_PEER_MAX + 1];
	struct xos_buf ask, answer;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	ca_peer_address(req, address, sizeof(address));
	xos_buf_init(&ask, XOS_COMMAND_BODY_MAX + 1024);
	xos_buf_init(&answer, 0);
	xos_buf_lp_str(&ask, address);
	xos_buf_lp(&ask, xos_request_body(req));
	st = xos_bulk_call(n->auth, CA_COMMAND, xos_buf_bytes(&ask),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK) {
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
		ca_network_status_changed(n->status);
	}
	xos_metric_add_by(n->commands, st == XOS_OK ? "done" : err->code, 1);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

/* Lists are for services of the VO alone: they name members. */
static enum xos_status give_list(struct ca_network *n, const struct xos_request *req,
    struct xos_response *res, uint16_t type, struct xos_err *err)
{
	struct xos_buf answer;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&answer, 0);
	st = xos_bulk_call(
	    n->key, type, XOS_BYTES_NONE, xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/jose", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	return st;
}

static bool is_service(const struct xos_request *req, const char *kind)
{
	const struct xos_identity *id = xos_request_identity(req);

	return id && id->claims->kind == XOS_KIND_SERVICE && id->nsteps == 0 &&
	       strcmp(id->claims->service, kind) == 0;
}

/* Who may not act is for whoever refuses them: nodes read it in bundles, xos-acctd has none; the resource authority
 * asks about who approves nodes. */
static enum xos_status demand_reader_of_locks(const struct xos_request *req, struct xos_err *err)
{
	if (is_service(req, "vops") || is_service(req, "rca") || is_service(req, "accounting"))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "service-only",
	    "this is for the VO's own services; policy bundles carry it to the nodes");
}

/* The policy service carries it to the nodes; the resource authority asks about who approves nodes. */
static enum xos_status demand_authority(const struct xos_request *req, struct xos_err *err)
{
	if (is_service(req, "vops") || is_service(req, "rca"))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "service-only",
	    "this is for the VO's own authorities; policy bundles carry it to the nodes");
}

static enum xos_status route_roster(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	enum xos_status st = ca_check_vo(ctx, req, err);

	if (st == XOS_OK)
		st = demand_authority(req, err);
	return st == XOS_OK ? give_list(ctx, req, res, CA_ROSTER, err) : st;
}

static enum xos_status route_locks(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	enum xos_status st = ca_check_vo(ctx, req, err);

	if (st == XOS_OK)
		st = demand_reader_of_locks(req, err);
	return st == XOS_OK ? give_list(ctx, req, res, CA_LOCKS, err) : st;
}

static enum xos_status route_administrators(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	if (!is_service(req, "rca") && !is_service(req, "vops") && !is_service(req, "accounting"))
		return xos_err_set(err, XOS_DENIED, "service-only",
		    "this is for the VO's services that obey administrators");
	return give_list(ctx, req, res, CA_ADMINISTRATORS, err);
}

static enum xos_status route_membership(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	enum xos_status st = ca_check_vo(ctx, req, err);

	if (st == XOS_OK)
		st = is_service(req, "vops") ? XOS_OK
		                             : xos_err_set(err, XOS_DENIED, "service-only",
		                                   "this is for the VO's policy service");
	return st == XOS_OK ? ca_network_give_members(ctx, req, res, err) : st;
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo", route_vos, 0, 0},
    {"GET", "/v1/vo/{vo}/trust", route_trust, 0, 0},
    {"GET", "/v1/vo/{vo}/directory", route_directory, 0, 0},
    {"POST", "/v1/vo/{vo}/token", ca_route_token, 0, XOS_CAD_REQUEST_MAX},
    {"POST", "/v1/vo/{vo}/renew", ca_route_renew, 0, XOS_CAD_RENEWAL_MAX},
    {"POST", "/v1/vo/{vo}/commands", route_commands, 0, XOS_COMMAND_BODY_MAX},
    {"POST", "/v1/vo/{vo}/grants", ca_route_grants, 0, XOS_GRANT_BODY_MAX},
    {"POST", "/v1/vo/{vo}/grants/{id}/renew", ca_route_grant_renew, 0, XOS_GRANT_BODY_MAX},
    {"GET", "/v1/vo/{vo}/about", ca_route_about, 0, 0},
    {"POST", "/v1/vo/{vo}/applications", ca_route_apply, 0, XOS_APPLY_MAX},
    {"POST", "/v1/vo/{vo}/applications/{id}", ca_route_application, 0, XOS_APPLY_MAX},
    {"GET", "/v1/vo/{vo}/rules", ca_route_rules, 0, 0},
    {"POST", "/v1/vo/{vo}/rules/acceptance", ca_route_accept, 0, XOS_RULES_ACCEPT_MAX},
    {"GET", "/v1/vo/{vo}/roster", route_roster, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/membership", route_membership, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/locks", route_locks, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/administrators", route_administrators, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log/head", ca_route_log_head, 0, 0},
    {"GET", "/v1/vo/{vo}/log/proof", ca_route_log_proof, 0, 0},
    {"GET", "/v1/vo/{vo}/log/consistency", ca_route_log_consistency, 0, 0},
};

/* --- the part --- */

static void on_tick(void *ctx)
{
	struct ca_network *n = ctx;

	ca_network_status_tick(n->status);
}

static struct xos_trust *watched_trust(void *network)
{
	return ca_network_trust(network);
}

static enum xos_status open_front(struct ca_network *n, int listen_fd, struct xos_err *err)
{
	const struct xos_service_conf *c = &n->conf->common;
	struct xos_front_options o = {.listen_fd = listen_fd,
	    .plain_listen = n->conf->listen_http,
	    .on_tick = n->conf->listen_http ? on_tick : NULL,
	    .tick_ms = TICK_MS,
	    .tls_certificate = c->tls_certificate,
	    .tls_key = c->tls_key,
	    .limits = c->limits,
	    /* They wait for the key process, which groups what waits. */
	    .workers = 32,
	    .verifier = xos_service_verifier_get(n->verifier),
	    .on_hup = ca_network_hup,
	    .pick = ca_hub_pick,
	    .ctx = n};
	enum xos_status st = xos_front_new(&o, &n->front, err);

	if (st == XOS_OK)
		st = xos_front_routes(n->front, routes, sizeof(routes) / sizeof(routes[0]), n, err);
	if (st == XOS_OK && n->conf->listen_http)
		st = ca_network_status_serve(n->status, n->front, err);
	if (st == XOS_OK) {
		struct xos_health *h = xos_front_health(n->front);

		n->logins = xos_metric_counter_by(h, "xos_cad_logins_total",
		    "Log-ins and renewals, by result: token, renewed, or the code of the refusal.",
		    "result");
		n->commands = xos_metric_counter_by(h, "xos_cad_commands_total",
		    "Commands, by result: done, or the code of the refusal.", "result");
		n->trust_watch = (struct xos_trust_watch){
		    .of = watched_trust, .ctx = n, .vo = n->conf->common.vo};
		st = xos_trust_watch(h, &n->trust_watch, err);
		if (st == XOS_OK)
			st = xos_monitor_new(&n->monitor, err);
		if (st == XOS_OK)
			st = xos_monitor_watch(n->monitor, h, "auth", n->auth, CA_REPORT, err);
		if (st == XOS_OK)
			st = xos_monitor_watch(n->monitor, h, "key", n->key, CA_REPORT, err);
		if (st == XOS_OK)
			st = ca_hub_join(n->hub, err);
	}
	return st;
}

static enum xos_status make_verifier(
    struct ca_network *n, const struct xos_service_verifier_options *v, struct xos_err *err)
{
	struct xos_trust *all = ca_hub_trust(n->hub);
	enum xos_status st = all ? xos_service_verifier_new(all, v, &n->verifier, err)
	                         : xos_err_set(err, XOS_INTERNAL, "trust",
	                               "the roots of the VOs cannot be put together");

	xos_trust_free(all);
	return st;
}

enum xos_status ca_network_open(struct xos_part_self *self, struct xos_err *err)
{
	struct ca_network *n = calloc(1, sizeof(*n));
	struct xos_service_verifier_options v = {.kinds = XOS_KIND_BIT(XOS_KIND_USER) |
	                                                  XOS_KIND_BIT(XOS_KIND_NODE) |
	                                                  XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .skew = SKEW};
	enum xos_status st;

	if (!n)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	self->state = n;
	pthread_mutex_init(&n->lock, NULL);
	n->run = self->run;
	n->conf = self->run->conf;
	v.vo = n->conf->common.vo;
	st = ca_load_trust(n->conf, &n->trust, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_AUTH], &n->auth, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_KEY], &n->key, err);
	if (st == XOS_OK)
		st = ca_network_status_new(n->conf, n->trust, n->key, &n->status, err);
	if (st == XOS_OK)
		st = ca_hub_new(n, self, &n->hub, err);
	if (st == XOS_OK && ca_hub_count(n->hub) > 1)
		v.vo = NULL; /* any that is trusted; ca_check_vo compares */
	if (st == XOS_OK)
		st = make_verifier(n, &v, err);
	return st == XOS_OK ? open_front(n, self->listen_fd, err) : st;
}

enum xos_status ca_network_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct ca_network *n = self->state;
	enum xos_status st = ca_hub_start(n->hub, err);

	if (st == XOS_OK)
		st = xos_monitor_start(n->monitor, err);

	return st == XOS_OK ? xos_front_run(n->front, self->signal_fd, err) : st;
}

void ca_network_close(struct xos_part_self *self)
{
	struct ca_network *n = self->state;

	if (!n)
		return;
	xos_monitor_free(n->monitor);
	ca_hub_stop(n->hub);
	xos_front_free(n->front);
	ca_network_status_free(n->status);
	ca_hub_free(n->hub);
	xos_service_verifier_free(n->verifier);
	xos_trust_free(n->trust);
	xos_bulk_free(n->auth);
	xos_bulk_free(n->key);
	pthread_mutex_destroy(&n->lock);
	free(n);
	self->state = NULL;
}
