/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include "rca/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/admission.h"
#include "rca/pace.h"
#include "rca/est.h"
#include "rca/from.h"
#include "rca/logtell.h"
#include "service/relay.h"

/* What xos-cad is asked for, and what carries it to auth. The list of administrators comes last: it says which serials
 * of the others are of this moment. */
static const struct {
	const char *path, *name;
	enum rca_message message;
} sources[] = {
    {"roster", "roster", RCA_ROSTER},
    {"locks", "locks of the ca", RCA_CA_LOCKS},
    {"administrators", "list of administrators", RCA_ADMINISTRATORS},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct front_state {
	struct xos_relay relay;
	struct xos_fetch_source sources[SOURCES];
	struct rca_pace *pace;
	struct rca_est_front est;
};

static enum xos_status on_apply(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	enum xos_status st =
	    rca_pace_take(f->pace, xos_request_peer(req), xos_clock_mono_ms() / 1000, err);

	if (st == XOS_OK)
		st = xos_relay_pass(
		    &f->relay, req, RCA_APPLY, xos_request_body(req), "application/json", res, err);
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
	const struct xos_identity *id = xos_request_identity(req);
	struct xos_buf who;

	xos_buf_init(&who, RCA_WHO_MAX);
	if (id && (id->claims->kind == XOS_KIND_NODE || id->claims->kind == XOS_KIND_SERVICE))
		xos_buf_lp_str(&who, id->claims->name);
	enum xos_status st =
	    xos_relay_pass(ctx, req, RCA_NODES, xos_buf_bytes(&who), "application/json", res, err);
	xos_buf_free(&who);
	return st;
}

/* The body with the address that it came from. */
static enum xos_status pass_from(void *ctx, const struct xos_request *req, uint16_t type,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_buf payload;

	xos_buf_init(&payload, RCA_FROM_BODY_MAX);
	rca_from_join(&payload, xos_request_peer(req), xos_request_body(req));
	enum xos_status st = xos_buf_status(&payload);
	if (st == XOS_OK)
		st = xos_relay_pass(
		    ctx, req, type, xos_buf_bytes(&payload), "application/json", res, err);
	else
		xos_err_set(err, st, "memory", "out of memory");
	xos_buf_free(&payload);
	return st;
}

static enum xos_status on_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);

	if (!id || (id->claims->kind != XOS_KIND_NODE && id->claims->kind != XOS_KIND_SERVICE))
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "only nodes and services renew here, over TLS with their own certificate");
	return pass_from(ctx, req, RCA_RENEW, res, err);
}

static enum xos_status on_confirm(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_from(ctx, req, RCA_CONFIRM, res, err);
}

/* Over TLS without a certificate: the one that it is about has ended. */
static enum xos_status on_rescue(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_from(ctx, req, RCA_RESCUE, res, err);
}

static enum xos_status on_ssh_host(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_from(ctx, req, RCA_SSH_HOST, res, err);
}

/* Signed by itself, and public: whoever meets a node for the first time needs it. */
static enum xos_status on_ssh_authority(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return xos_relay_pass(
	    ctx, req, RCA_SSH_AUTHORITY, XOS_BYTES_NONE, "application/jose", res, err);
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

static enum xos_status on_terms(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *r = ctx;
	struct xos_buf message, reply;
	enum xos_status st = xos_relay_check_vo(r, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_ADMISSION_MAX + 256);
	xos_buf_lp_str(&message, xos_request_param(req, "site"));
	xos_buf_lp(&message, xos_request_body(req));
	st = xos_relay_ask(r, RCA_TERMS, xos_buf_bytes(&message), &reply, err);
	if (st == XOS_OK)
		xos_response_status(res, 204);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static enum xos_status on_join(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf message;

	xos_buf_init(&message, XOS_RCA_BODY_MAX + 256);
	xos_buf_lp_str(&message, xos_request_peer(req));
	xos_buf_lp(&message, xos_request_body(req));
	enum xos_status st = xos_relay_pass(
	    ctx, req, RCA_JOIN, xos_buf_bytes(&message), "application/json", res, err);
	if (st == XOS_OK)
		xos_response_status(res, 202);
	xos_buf_free(&message);
	return st;
}

static enum xos_status on_leave(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *r = ctx;
	struct xos_buf reply;
	enum xos_status st = xos_relay_check_vo(r, req, err);

	if (st != XOS_OK)
		return st;
	st = xos_relay_ask(r, RCA_LEAVE, xos_request_body(req), &reply, err);
	if (st == XOS_OK)
		xos_response_status(res, 204);
	xos_buf_free(&reply);
	return st;
}

/* The one that needs more than the relay. */
static const struct xos_route paced[] = {
    {"POST", "/v1/vo/{vo}/applications", on_apply, 0, XOS_RCA_BODY_MAX}};

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/applications/{id}", on_application, 0, 0},
    {"GET", "/v1/vo/{vo}/nodes", on_nodes, XOS_ROUTE_CERT, 0},
    {"POST", "/v1/vo/{vo}/renew", on_renew, XOS_ROUTE_CERT, XOS_RCA_BODY_MAX},
    {"POST", "/v1/vo/{vo}/confirm", on_confirm, XOS_ROUTE_CERT, XOS_RCA_BODY_MAX},
    {"POST", "/v1/vo/{vo}/rescue", on_rescue, 0, XOS_RCA_BODY_MAX},
    {"POST", "/v1/vo/{vo}/ssh-host", on_ssh_host, XOS_ROUTE_CERT, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/ssh-authority", on_ssh_authority, 0, 0},
    {"GET", "/v1/vo/{vo}/locks", on_locks, XOS_ROUTE_CERT, 0},
    {"PUT", "/v1/vo/{vo}/sites/{site}/admission", on_terms, 0, XOS_ADMISSION_MAX},
    {"POST", "/v1/vo/{vo}/joins", on_join, 0, XOS_RCA_BODY_MAX},
    {"POST", "/v1/vo/{vo}/leave", on_leave, 0, XOS_RCA_BODY_MAX},
    {"GET", "/v1/vo/{vo}/log/head", rca_route_log_head, 0, 0},
    {"GET", "/v1/vo/{vo}/log/proof", rca_route_log_proof, 0, 0},
    {"GET", "/v1/vo/{vo}/log/consistency", rca_route_log_consistency, 0, 0},
};

/* What was fetched goes to auth, which verifies it. */
static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf reply;
	enum xos_status st = xos_relay_ask(&f->relay, sources[source].message, object, &reply, err);

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
	f->pace = rca_pace_new();
	if (!f->pace)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < SOURCES; i++)
		f->sources[i] = (struct xos_fetch_source){.service = "ca",
		    .url = conf->ca_url,
		    .path = sources[i].path,
		    .name = sources[i].name};
	const struct xos_fetch_options o = {.sources = f->sources,
	    .nsources = SOURCES,
	    .refresh = conf->refresh,
	    .take = take,
	    .ctx = f};
	enum xos_status st = xos_relay_open(&f->relay, self, &conf->common, RCA_COMMAND, err);
	if (st == XOS_OK)
		st = xos_front_routes(
		    f->relay.front, routes, sizeof(routes) / sizeof(routes[0]), &f->relay, err);
	if (st == XOS_OK)
		st = xos_front_routes(f->relay.front, paced, 1, f, err);
	if (st == XOS_OK)
		st = rca_est_front_open(&f->est, &f->relay, conf, err);
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
	rca_pace_free(f->pace);
	free(f);
	self->state = NULL;
}
