/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include "rca/parts.h"

#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/trustdoc.h"
#include "base/clock.h"
#include "service/bulk.h"
#include "service/front.h"
#include "service/verifier.h"

#define AUTH_MS 30000

struct front_state {
	const struct rca_conf *conf;
	struct xos_trust *trust;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	struct xos_bulk *auth;
};

static enum xos_status check_vo(
    const struct front_state *f, const struct xos_request *req, struct xos_err *err)
{
	const char *vo = xos_request_param(req, "vo");

	if (vo && strcmp(vo, f->conf->common.vo) == 0)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_NOT_FOUND, "no-vo", "this server serves the VO %s only", f->conf->common.vo);
}

/* Passes a body on to auth and its JSON answer back. */
static enum xos_status pass(struct front_state *f, const struct xos_request *req,
    enum rca_message type, struct xos_bytes payload, const char *content_type, int http_status,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_buf reply;

	xos_buf_init(&reply, XOS_BULK_MAX);
	enum xos_status st = check_vo(f, req, err);
	if (st == XOS_OK)
		st = xos_bulk_call(
		    f->auth, (uint16_t)type, payload, xos_clock_mono_ms() + AUTH_MS, &reply, err);
	if (st == XOS_OK) {
		xos_response_status(res, http_status);
		xos_response_body(res, content_type, xos_buf_bytes(&reply));
	}
	xos_buf_free(&reply);
	return st;
}

static enum xos_status on_trust(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	const struct xos_trust_doc doc = {.trust = f->trust, .vo = f->conf->common.vo};
	enum xos_status st = check_vo(f, req, err);

	if (st == XOS_OK)
		xos_response_json(res, 200, xos_trust_doc_encode(&doc));
	return st;
}

static enum xos_status on_apply(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass(ctx, req, RCA_APPLY, xos_request_body(req), "application/json", 202, res, err);
}

static enum xos_status on_application(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass(ctx, req, RCA_APPLICATION, xos_bytes_str(xos_request_param(req, "id")),
	    "application/json", 200, res, err);
}

static enum xos_status on_command(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass(
	    ctx, req, RCA_COMMAND, xos_request_body(req), "application/json", 200, res, err);
}

static enum xos_status on_nodes(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass(ctx, req, RCA_NODES, XOS_BYTES_NONE, "application/json", 200, res, err);
}

static enum xos_status on_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);

	if (!id || (id->claims->kind != XOS_KIND_NODE && id->claims->kind != XOS_KIND_SERVICE))
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "only nodes and services renew here, over TLS with their own certificate");
	return pass(ctx, req, RCA_RENEW, xos_request_body(req), "application/json", 200, res, err);
}

static enum xos_status on_locks(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);

	if (!id || id->claims->kind != XOS_KIND_SERVICE || strcmp(id->claims->service, "vops") != 0)
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "the lock list is given to the policy service only");
	return pass(ctx, req, RCA_LOCKS, XOS_BYTES_NONE, "application/jose", 200, res, err);
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/trust", on_trust, XOS_ROUTE_INLINE, 0},
    {"POST", "/v1/vo/{vo}/applications", on_apply, 0, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/applications/{id}", on_application, 0, 0},
    {"POST", "/v1/vo/{vo}/commands", on_command, 0, XOS_COMMAND_BODY_MAX},
    {"GET", "/v1/vo/{vo}/nodes", on_nodes, XOS_ROUTE_CERT, 0},
    {"POST", "/v1/vo/{vo}/renew", on_renew, XOS_ROUTE_CERT, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/locks", on_locks, XOS_ROUTE_CERT, 0},
};

static enum xos_status make_verifier(struct front_state *f, struct xos_err *err)
{
	const struct xos_service_verifier_options o = {
	    .vo = f->conf->common.vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE) |
	             XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .skew = 300,
	};
	enum xos_status st = XOS_OK;

	f->trust = xos_trust_new();
	if (!f->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_trust_load(f->trust, f->conf->common.trust, err);
	return st == XOS_OK ? xos_service_verifier_new(f->trust, &o, &f->verifier, err) : st;
}

enum xos_status rca_front_open(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = calloc(1, sizeof(*f));

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->conf = self->run->conf;
	self->state = f;
	enum xos_status st = make_verifier(f, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_AUTH], &f->auth, err);
	if (st == XOS_OK) {
		const struct xos_front_options o = {
		    .listen_fd = self->listen_fd,
		    .tls_certificate = f->conf->common.tls_certificate,
		    .tls_key = f->conf->common.tls_key,
		    .verifier = xos_service_verifier_get(f->verifier),
		};
		st = xos_front_new(&o, &f->front, err);
	}
	if (st == XOS_OK)
		st = xos_front_routes(f->front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
	return st;
}

enum xos_status rca_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;

	return xos_front_run(f->front, self->signal_fd, err);
}

void rca_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	xos_front_free(f->front);
	xos_service_verifier_free(f->verifier);
	xos_bulk_free(f->auth);
	xos_trust_free(f->trust);
	free(f);
	self->state = NULL;
}
