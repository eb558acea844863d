/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include "rca/parts.h"

#include <stdlib.h>
#include <string.h>

#include "rca/logtell.h"
#include "service/relay.h"

struct front_state {
	struct xos_relay relay;
	struct xos_fetch_source source;
};

static enum xos_status on_apply(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	enum xos_status st = xos_relay_pass(
	    ctx, req, RCA_APPLY, xos_request_body(req), "application/json", res, err);

	if (st == XOS_OK)
		xos_response_status(res, 202);
	return st;
}

static enum xos_status on_application(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return xos_relay_pass(ctx, req, RCA_APPLICATION,
	    xos_bytes_str(xos_request_param(req, "id")), "application/json", res, err);
}

static enum xos_status on_nodes(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return xos_relay_pass(ctx, req, RCA_NODES, XOS_BYTES_NONE, "application/json", res, err);
}

static enum xos_status on_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);

	if (!id || (id->claims->kind != XOS_KIND_NODE && id->claims->kind != XOS_KIND_SERVICE))
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "only nodes and services renew here, over TLS with their own certificate");
	return xos_relay_pass(
	    ctx, req, RCA_RENEW, xos_request_body(req), "application/json", res, err);
}

static enum xos_status on_locks(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);

	if (!id || id->claims->kind != XOS_KIND_SERVICE ||
	    (strcmp(id->claims->service, "vops") != 0 &&
	        strcmp(id->claims->service, "accounting") != 0))
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "the lock list is given to the VO's policy service and its accounting only");
	return xos_relay_pass(ctx, req, RCA_LOCKS, XOS_BYTES_NONE, "application/jose", res, err);
}

static const struct xos_route routes[] = {
    {"POST", "/v1/vo/{vo}/applications", on_apply, 0, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/applications/{id}", on_application, 0, 0},
    {"GET", "/v1/vo/{vo}/nodes", on_nodes, XOS_ROUTE_CERT, 0},
    {"POST", "/v1/vo/{vo}/renew", on_renew, XOS_ROUTE_CERT, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/locks", on_locks, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log/head", rca_route_log_head, 0, 0},
    {"GET", "/v1/vo/{vo}/log/proof", rca_route_log_proof, 0, 0},
    {"GET", "/v1/vo/{vo}/log/consistency", rca_route_log_consistency, 0, 0},
};

/* What was fetched goes to auth, which verifies it. */
static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf reply;
	enum xos_status st = xos_relay_ask(&f->relay, RCA_ADMINISTRATORS, object, &reply, err);

	(void)source;
	xos_buf_free(&reply);
	return st;
}

/* For /health/ready of an authority that was set up before rcad.conf had this key. */
static enum xos_status nobody_to_ask(void *ctx, struct xos_err *err)
{
	(void)ctx;
	return xos_err_set(err, XOS_UNAVAILABLE, "no-ca",
	    "rcad.conf has no ca_url, so nobody says who administers the VO and no commands are "
	    "taken: add ca_url = https://ADDRESS:PORT of xos-cad");
}

enum xos_status rca_front_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct rca_conf *conf = self->run->conf;
	struct front_state *f = calloc(1, sizeof(*f));

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	self->state = f;
	f->source = (struct xos_fetch_source){.service = "ca",
	    .url = conf->ca_url,
	    .path = "administrators",
	    .name = "list of administrators"};
	const struct xos_fetch_options o = {
	    .sources = &f->source, .nsources = 1, .refresh = conf->refresh, .take = take, .ctx = f};
	enum xos_status st = xos_relay_open(&f->relay, self, &conf->common, RCA_COMMAND, err);
	if (st == XOS_OK)
		st = xos_front_routes(
		    f->relay.front, routes, sizeof(routes) / sizeof(routes[0]), &f->relay, err);
	if (st != XOS_OK)
		return st;
	return conf->ca_url ? xos_relay_fetch(&f->relay, &o, err)
	                    : xos_health_check(xos_front_health(f->relay.front), "sources",
	                          nobody_to_ask, NULL, err);
}

enum xos_status rca_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;

	return xos_relay_serve(&f->relay, self, err);
}

void rca_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	xos_relay_close(&f->relay);
	free(f);
	self->state = NULL;
}
