#include "service/relay.h"

#include <string.h>

#include "api/command.h"
#include "api/trustdoc.h"
#include "base/clock.h"
#include "base/event.h"

#define AUTH_MS 60000
#define SKEW 300

enum xos_status xos_relay_check_vo(
    const struct xos_relay *r, const struct xos_request *req, struct xos_err *err)
{
	const char *vo = xos_request_param(req, "vo");

	if (vo && strcmp(vo, r->conf->vo) == 0)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_NOT_FOUND, "no-vo", "this server serves the VO %s only", r->conf->vo);
}

enum xos_status xos_relay_ask(struct xos_relay *r, uint16_t type, struct xos_bytes payload,
    struct xos_buf *reply, struct xos_err *err)
{
	xos_buf_init(reply, XOS_BULK_MAX);
	return xos_bulk_call(r->auth, type, payload, xos_clock_mono_ms() + AUTH_MS, reply, err);
}

enum xos_status xos_relay_pass(struct xos_relay *r, const struct xos_request *req, uint16_t type,
    struct xos_bytes payload, const char *content_type, struct xos_response *res,
    struct xos_err *err)
{
	struct xos_buf reply;
	enum xos_status st = xos_relay_check_vo(r, req, err);

	if (st != XOS_OK)
		return st;
	st = xos_relay_ask(r, type, payload, &reply, err);
	if (st == XOS_OK)
		xos_response_body(res, content_type, xos_buf_bytes(&reply));
	xos_buf_free(&reply);
	return st;
}

static enum xos_status on_trust(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *r = ctx;
	const struct xos_trust_doc doc = {.trust = r->trust, .vo = r->conf->vo};
	enum xos_status st = xos_relay_check_vo(r, req, err);

	if (st == XOS_OK)
		xos_response_json(res, 200, xos_trust_doc_encode(&doc));
	return st;
}

static enum xos_status on_command(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *r = ctx;
	enum xos_status st =
	    xos_relay_pass(r, req, r->command, xos_request_body(req), "application/json", res, err);

	if (st != XOS_OK)
		return st;
	xos_fetch_poke(r->fetch);
	if (r->changed)
		r->changed(r->changed_ctx);
	return st;
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/trust", on_trust, XOS_ROUTE_INLINE, 0},
    {"POST", "/v1/vo/{vo}/commands", on_command, 0, XOS_COMMAND_BODY_MAX},
};

static enum xos_status make_verifier(struct xos_relay *r, struct xos_err *err)
{
	const struct xos_service_verifier_options o = {
	    .vo = r->conf->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE) |
	             XOS_KIND_BIT(XOS_KIND_SERVICE),
	    /* A robot's token is restricted, and it too wants to know the nodes. Commands carry a proof of
	     * their own, which takes no delegation; all else here is for nodes and services. */
	    .allow_delegation = true,
	    .skew = SKEW,
	};
	enum xos_status st;

	r->trust = xos_trust_new();
	if (!r->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_trust_load(r->trust, r->conf->trust, err);
	return st == XOS_OK ? xos_service_verifier_new(r->trust, &o, &r->verifier, err) : st;
}

enum xos_status xos_relay_open(struct xos_relay *r, struct xos_part_self *self,
    const struct xos_service_conf *conf, uint16_t command, struct xos_err *err)
{
	enum xos_status st;

	r->conf = conf;
	r->command = command;
	st = make_verifier(r, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_AUTH], &r->auth, err);
	if (st == XOS_OK) {
		const struct xos_front_options o = {
		    .listen_fd = self->listen_fd,
		    .tls_certificate = conf->tls_certificate,
		    .tls_key = conf->tls_key,
		    .limits = conf->limits,
		    .verifier = xos_service_verifier_get(r->verifier),
		    .queue_max = r->queue_max,
		};
		st = xos_front_new(&o, &r->front, err);
	}
	if (st == XOS_OK) {
		r->watch = (struct xos_trust_watch){.trust = r->trust, .vo = conf->vo};
		st = xos_trust_watch(xos_front_health(r->front), &r->watch, err);
	}
	if (st == XOS_OK)
		st = xos_monitor_new(&r->monitor, err);
	if (st == XOS_OK)
		st = xos_monitor_watch(
		    r->monitor, xos_front_health(r->front), "auth", r->auth, XOS_BULK_REPORT, err);
	if (st == XOS_OK)
		st = xos_front_routes(r->front, routes, sizeof(routes) / sizeof(routes[0]), r, err);
	return st;
}

/* The root's signature is on it, so each process takes it by itself; auth keeps it as well. */
static enum xos_status take_trust(struct xos_relay *r, struct xos_bytes doc, struct xos_err *err)
{
	bool news = false;
	struct xos_buf reply;
	enum xos_status st = xos_trust_doc_take(r->trust, doc, &news, err);
	struct xos_bytes compact = xos_trust_list_compact(r->trust, r->conf->vo);

	/* Older than what the folder had: the ca will find out as well. */
	if (st == XOS_CONFLICT)
		return XOS_OK;
	if (st != XOS_OK || !compact.n)
		return st;
	if (news)
		XOS_EVENT(XOS_INFO, "trust.taken", "vo", r->conf->vo);
	st = xos_relay_ask(r, XOS_RELAY_TRUST, compact, &reply, err);
	xos_buf_free(&reply);
	return st;
}

static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct xos_relay *r = ctx;

	return source == 0 ? take_trust(r, object, err)
	                   : r->asked.take(r->asked.ctx, source - 1, object, err);
}

enum xos_status xos_relay_fetch(
    struct xos_relay *r, const struct xos_fetch_options *o, struct xos_err *err)
{
	struct xos_fetch_options full = *o;
	enum xos_status st;

	if (o->nsources + 1 > XOS_FETCH_SOURCES_MAX)
		return xos_err_set(err, XOS_INTERNAL, "fetch", "too many sources");
	r->asked = *o;
	r->sources[0] = o->sources[0];
	r->sources[0].path = "trust";
	r->sources[0].name = "trust list";
	memcpy(&r->sources[1], o->sources, o->nsources * sizeof(r->sources[0]));
	full.sources = r->sources;
	full.nsources = o->nsources + 1;
	full.take = take;
	full.ctx = r;
	full.vo = r->conf->vo;
	full.trust = r->trust;
	full.cert = xos_front_cert(r->front);
	st = xos_fetch_new(&full, &r->fetch, err);
	if (st == XOS_OK)
		st = xos_health_check(
		    xos_front_health(r->front), "sources", xos_fetch_health, r->fetch, err);
	return st == XOS_OK ? xos_health_warning(xos_front_health(r->front), "spare-sources",
	                          xos_fetch_warning, r->fetch, err)
	                    : st;
}

enum xos_status xos_relay_serve(
    struct xos_relay *r, struct xos_part_self *self, struct xos_err *err)
{
	enum xos_status st = xos_monitor_start(r->monitor, err);

	if (st == XOS_OK && r->fetch)
		st = xos_fetch_start(r->fetch, err);

	return st == XOS_OK ? xos_front_run(r->front, self->signal_fd, err) : st;
}

void xos_relay_end(struct xos_relay *r)
{
	xos_monitor_free(r->monitor);
	xos_fetch_free(r->fetch);
	r->monitor = NULL;
	r->fetch = NULL;
}

void xos_relay_close(struct xos_relay *r)
{
	xos_relay_end(r);
	xos_front_free(r->front);
	xos_service_verifier_free(r->verifier);
	xos_bulk_free(r->auth);
	xos_trust_free(r->trust);
	memset(r, 0, sizeof(*r));
}
