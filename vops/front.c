/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "service/relay.h"
#include "vops/parts.h"
#include "vops/routes.h"

/* What the other authorities are asked for; object VOPS_OBJECTS: the list of administrators. */
static const struct {
	struct xos_fetch_source from;
	enum vops_object object;
} sources[] = {
    {{.service = "ca", .path = "administrators", .name = "list of administrators"}, VOPS_OBJECTS},
    {{.service = "ca", .path = "roster", .name = "roster"}, VOPS_ROSTER},
    {{.service = "ca", .path = "locks", .name = "locks of the ca"}, VOPS_LOCKS_CA},
    {{.service = "rca", .path = "locks", .name = "locks of the rca"}, VOPS_LOCKS_RCA},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

/* The last bundle that auth gave for a site, so that a thousand nodes that ask cost one transfer. */
struct cached {
	struct cached *next;
	char site[XOS_SITE_MAX + 1];
	char etag[XOS_VOPS_ETAG_MAX];
	struct xos_buf compact;
};

struct front_state {
	const struct vops_conf *conf;
	struct xos_relay relay;
	struct xos_fetch_source sources[SOURCES];
	pthread_mutex_t lock; /* of the cache */
	struct cached *cache;
};

static enum xos_status on_site_set(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf message, reply;
	enum xos_status st = xos_relay_check_vo(&f->relay, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_SITESET_MAX + 1024);
	xos_buf_lp_str(&message, xos_request_param(req, "site"));
	xos_buf_lp(&message, xos_request_body(req));
	st = xos_relay_ask(&f->relay, VOPS_SITE_SET, xos_buf_bytes(&message), &reply, err);
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
	enum xos_status st =
	    xos_relay_ask(&f->relay, VOPS_BUNDLE, xos_buf_bytes(&message), &reply, err);
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
	enum xos_status st = xos_relay_check_vo(&f->relay, req, err);

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
    {"PUT", "/v1/vo/{vo}/sites/{site}/set", on_site_set, 0, XOS_SITESET_MAX},
    {"GET", "/v1/vo/{vo}/bundle", on_bundle, XOS_ROUTE_CERT, 0},
};

/* What was fetched goes to auth, which verifies it. */
static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf message, reply;
	enum xos_status st;

	xos_buf_init(&message, XOS_BULK_MAX);
	if (sources[source].object != VOPS_OBJECTS)
		xos_buf_u8(&message, (uint8_t)sources[source].object);
	xos_buf_lp(&message, object);
	st = xos_relay_ask(&f->relay,
	    sources[source].object == VOPS_OBJECTS ? VOPS_ADMINISTRATORS : VOPS_OBJECT,
	    xos_buf_bytes(&message), &reply, err);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

enum xos_status vops_front_open(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = calloc(1, sizeof(*f));
	struct xos_fetch_options o = {.nsources = SOURCES, .take = take, .ctx = f};

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->conf = self->run->conf;
	pthread_mutex_init(&f->lock, NULL);
	self->state = f;
	for (size_t i = 0; i < SOURCES; i++) {
		f->sources[i] = sources[i].from;
		f->sources[i].url =
		    strcmp(f->sources[i].service, "ca") == 0 ? f->conf->ca_url : f->conf->rca_url;
	}
	o.sources = f->sources;
	o.refresh = f->conf->refresh;
	enum xos_status st = xos_relay_open(&f->relay, self, &f->conf->common, VOPS_COMMAND, err);
	if (st == XOS_OK)
		st = xos_front_routes(
		    f->relay.front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
	if (st == XOS_OK)
		st = vops_routes_sets(&f->relay, err);
	return st == XOS_OK ? xos_relay_fetch(&f->relay, &o, err) : st;
}

enum xos_status vops_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;

	return xos_relay_serve(&f->relay, self, err);
}

void vops_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	xos_relay_close(&f->relay);
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
