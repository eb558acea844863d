/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/trustdoc.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/bulk.h"
#include "service/front.h"
#include "service/verifier.h"
#include "vops/fetch.h"
#include "vops/parts.h"

#define AUTH_MS 60000

/* The last bundle that auth gave for a site, so that a thousand nodes that ask cost one transfer. */
struct cached {
	struct cached *next;
	char site[XOS_SITE_MAX + 1];
	char etag[XOS_VOPS_ETAG_MAX];
	struct xos_buf compact;
};

struct front_state {
	const struct vops_conf *conf;
	struct xos_trust *trust;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	struct xos_bulk *auth;
	struct vops_fetch *fetch;
	pthread_mutex_t lock; /* of the cache */
	struct cached *cache;
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

static enum xos_status ask(struct front_state *f, enum vops_message type, struct xos_bytes payload,
    struct xos_buf *reply, struct xos_err *err)
{
	return xos_bulk_call(
	    f->auth, (uint16_t)type, payload, xos_clock_mono_ms() + AUTH_MS, reply, err);
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

static enum xos_status on_command(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf reply;
	enum xos_status st = check_vo(f, req, err);

	if (st != XOS_OK)
		return st;
	st = ask(f, VOPS_COMMAND, xos_request_body(req), &reply, err);
	if (st == XOS_OK) {
		xos_response_body(res, "application/json", xos_buf_bytes(&reply));
		vops_fetch_poke(f->fetch);
	}
	xos_buf_free(&reply);
	return st;
}

static enum xos_status on_site_set(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf message, reply;
	enum xos_status st = check_vo(f, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_SITESET_MAX + 1024);
	xos_buf_lp_str(&message, xos_request_param(req, "site"));
	xos_buf_lp(&message, xos_request_body(req));
	st = ask(f, VOPS_SITE_SET, xos_buf_bytes(&message), &reply, err);
	if (st == XOS_OK)
		xos_response_status(res, 204);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

/* Under the lock. NULL if out of memory, which costs speed only. */
static struct cached *cached_of(struct front_state *f, const char *site)
{
	struct cached *c = f->cache;

	while (c && strcmp(c->site, site) != 0)
		c = c->next;
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c || !xos_str_copy(c->site, sizeof(c->site), site)) {
		free(c);
		return NULL;
	}
	xos_buf_init(&c->compact, XOS_BUNDLE_MAX);
	c->next = f->cache;
	f->cache = c;
	return c;
}

/* Brings the cache up to date by what auth says. Under the lock: the others wait for one transfer. */
static enum xos_status refresh(
    struct front_state *f, const char *site, struct cached **out, struct xos_err *err)
{
	struct cached *c = NULL;
	struct xos_buf message, reply;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint8_t changed = 0;

	for (c = f->cache; c && strcmp(c->site, site) != 0; c = c->next)
		;
	xos_buf_init(&message, 1024);
	xos_buf_lp_str(&message, site);
	xos_buf_lp_str(&message, c ? c->etag : "");
	enum xos_status st = ask(f, VOPS_BUNDLE, xos_buf_bytes(&message), &reply, err);
	if (st != XOS_OK)
		goto out;
	xos_reader_init(&r, xos_buf_bytes(&reply));
	xos_reader_u8(&r, &changed);
	xos_reader_lp_str(&r, etag, sizeof(etag));
	xos_reader_lp(&r, XOS_BUNDLE_MAX, &compact);
	st = xos_reader_end(&r);
	if (st == XOS_OK && !c)
		c = cached_of(f, site); /* only what auth knows as a site gets a place */
	if (st != XOS_OK || !c) {
		st = xos_err_set(err, XOS_INTERNAL, "bundle", "bad answer of the auth process");
		goto out;
	}
	if (changed) {
		xos_buf_free(&c->compact);
		xos_buf_init(&c->compact, XOS_BUNDLE_MAX);
		xos_buf_put(&c->compact, compact.p, compact.n);
		memcpy(c->etag, etag, sizeof(etag));
	}
	*out = c;
out:
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static enum xos_status on_bundle(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	const struct xos_identity *id = xos_request_identity(req);
	static const char *const allowed[] = {"site", NULL};
	const char *site = xos_request_query(req, "site");
	const char *match = xos_request_header(req, "If-None-Match");
	struct cached *c = NULL;
	enum xos_status st = check_vo(f, req, err);

	if (st == XOS_OK)
		st = xos_request_query_only(req, allowed, err);
	if (st == XOS_OK && (!id || id->claims->kind != XOS_KIND_NODE))
		st = xos_err_set(err, XOS_DENIED, "token-kind", "bundles are given to nodes");
	if (st == XOS_OK && (!site || !xos_name_is_site(site)))
		st = xos_err_set(err, XOS_MALFORMED, "site-name", "say which site: ?site=NAME");
	if (st != XOS_OK)
		return st;
	pthread_mutex_lock(&f->lock);
	st = refresh(f, site, &c, err);
	if (st == XOS_OK) {
		xos_response_header(res, "ETag", c->etag);
		if (match && strcmp(match, c->etag) == 0)
			xos_response_status(res, 304);
		else
			xos_response_body(res, "application/jose", xos_buf_bytes(&c->compact));
	}
	pthread_mutex_unlock(&f->lock);
	return st;
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/trust", on_trust, XOS_ROUTE_INLINE, 0},
    {"POST", "/v1/vo/{vo}/commands", on_command, 0, XOS_COMMAND_BODY_MAX},
    {"PUT", "/v1/vo/{vo}/sites/{site}/set", on_site_set, 0, XOS_SITESET_MAX},
    {"GET", "/v1/vo/{vo}/bundle", on_bundle, XOS_ROUTE_CERT, 0},
};

static enum xos_status make_verifier(struct front_state *f, struct xos_err *err)
{
	const struct xos_service_verifier_options o = {
	    .vo = f->conf->common.vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE) |
	             XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .skew = 300,
	};

	f->trust = xos_trust_new();
	if (!f->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_trust_load(f->trust, f->conf->common.trust, err);
	return st == XOS_OK ? xos_service_verifier_new(f->trust, &o, &f->verifier, err) : st;
}

static enum xos_status make_front(
    struct front_state *f, struct xos_part_self *self, struct xos_err *err)
{
	const struct xos_front_options o = {
	    .listen_fd = self->listen_fd,
	    .tls_certificate = f->conf->common.tls_certificate,
	    .tls_key = f->conf->common.tls_key,
	    .verifier = xos_service_verifier_get(f->verifier),
	};
	enum xos_status st = xos_front_new(&o, &f->front, err);

	if (st == XOS_OK)
		st = xos_front_routes(f->front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
	if (st == XOS_OK) {
		const struct vops_fetch_options fo = {.conf = f->conf,
		    .trust = f->trust,
		    .cert = xos_front_cert(f->front),
		    .auth = f->auth};
		st = vops_fetch_new(&fo, &f->fetch, err);
	}
	if (st == XOS_OK)
		st = xos_health_check(
		    xos_front_health(f->front), "sources", vops_fetch_health, f->fetch, err);
	return st;
}

enum xos_status vops_front_open(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = calloc(1, sizeof(*f));

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->conf = self->run->conf;
	pthread_mutex_init(&f->lock, NULL);
	self->state = f;
	enum xos_status st = make_verifier(f, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_AUTH], &f->auth, err);
	return st == XOS_OK ? make_front(f, self, err) : st;
}

enum xos_status vops_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;
	enum xos_status st = vops_fetch_start(f->fetch, err);

	return st == XOS_OK ? xos_front_run(f->front, self->signal_fd, err) : st;
}

void vops_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	vops_fetch_free(f->fetch);
	xos_front_free(f->front);
	xos_service_verifier_free(f->verifier);
	xos_bulk_free(f->auth);
	xos_trust_free(f->trust);
	while (f->cache) {
		struct cached *c = f->cache;

		f->cache = c->next;
		xos_buf_free(&c->compact);
		free(c);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
	self->state = NULL;
}
