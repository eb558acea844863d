/* The network process: TLS and HTTP. It passes bodies on and decides nothing of weight. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/lockout.h"
#include "service/relay.h"
#include "api/logheads.h"
#include "vops/authzen.h"
#include "vops/bundles.h"
#include "vops/parts.h"
#include "vops/proofs.h"
#include "vops/routes.h"

/* What the other authorities are asked for, and which message takes it to auth, with which number before it (NONE: without). */
#define NONE 0xff
static const struct {
	struct xos_fetch_source from;
	enum vops_message message;
	uint8_t which;
} sources[] = {
    {{.service = "ca", .path = "administrators", .name = "list of administrators"},
        VOPS_ADMINISTRATORS, NONE},
    {{.service = "ca", .path = "roster", .name = "roster"}, VOPS_OBJECT, VOPS_ROSTER},
    {{.service = "ca", .path = "locks", .name = "locks of the ca"}, VOPS_OBJECT, VOPS_LOCKS_CA},
    {{.service = "ca", .path = "membership", .name = "membership"}, VOPS_MEMBERSHIP, NONE},
    {{.service = "ca", .path = "log/head", .name = "head of the log of the ca", .spare = true},
        VOPS_HEAD, XOS_VO_LOG_CA},
    {{.service = "rca", .path = "locks", .name = "locks of the rca"}, VOPS_OBJECT, VOPS_LOCKS_RCA},
    {{.service = "rca", .path = "log/head", .name = "head of the log of the rca", .spare = true},
        VOPS_HEAD, XOS_VO_LOG_RCA},
    /* The last one, left out without an address. */
    {{.service = "accounting",
         .path = "log/head",
         .name = "head of the log of the accounting",
         .spare = true},
        VOPS_HEAD, XOS_VO_LOG_ACCOUNTING},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

#define DEFAULT_CONNECTIONS 1000 /* as the front's */

struct front_state {
	const struct vops_conf *conf;
	struct xos_relay relay;
	struct xos_fetch_source sources[SOURCES];
	struct xos_lockout *lockout;
	struct vops_bundles *bundles;
	struct vops_authzen *authzen;
	struct vops_proofs *proofs;
};

/* Something that auth holds may be another thing now. */
static void on_change(void *ctx)
{
	struct front_state *f = ctx;

	vops_bundles_poke(f->bundles);
	vops_authzen_poke(f->authzen);
}

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
	if (st == XOS_OK) {
		xos_response_status(res, 204);
		on_change(f);
	}
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static const struct xos_route routes[] = {
    {"PUT", "/v1/vo/{vo}/sites/{site}/set", on_site_set, 0, XOS_SITESET_MAX},
};

/* Who is banned is refused here as well; auth and the nodes judge by themselves. */
static enum xos_status heed(
    struct front_state *f, size_t source, struct xos_bytes object, struct xos_err *err)
{
	static const struct {
		enum vops_object object;
		enum xos_lockout_list list;
	} lists[] = {
	    {VOPS_LOCKS_CA, XOS_LOCKOUT_LOCKS_CA}, {VOPS_LOCKS_RCA, XOS_LOCKOUT_LOCKS_RCA}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (sources[source].message == VOPS_OBJECT &&
		    sources[source].which == lists[i].object)
			return xos_lockout_take(
			    f->lockout, lists[i].list, object, xos_clock_now(), err);
	return XOS_OK;
}

/* What was fetched goes to auth, which verifies it. */
static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_buf message, reply;
	enum xos_status st = heed(f, source, object, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_BULK_MAX);
	if (sources[source].which != NONE)
		xos_buf_u8(&message, sources[source].which);
	xos_buf_lp(&message, object);
	st =
	    xos_relay_ask(&f->relay, sources[source].message, xos_buf_bytes(&message), &reply, err);
	/* Heads come along with the next bundle; administrators are in none. */
	if (st == XOS_OK &&
	    (sources[source].message == VOPS_OBJECT || sources[source].message == VOPS_MEMBERSHIP))
		on_change(f);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static void on_drain(void *ctx)
{
	struct front_state *f = ctx;

	vops_bundles_stop(f->bundles);
}

static enum xos_status open_bundles(struct front_state *f, struct xos_err *err)
{
	enum xos_status st = xos_lockout_new(f->conf->common.vo, f->relay.trust, &f->lockout, err);

	if (st == XOS_OK)
		st =
		    vops_bundles_new(&f->relay, f->lockout, f->conf->bundle_life, &f->bundles, err);
	f->relay.changed = on_change;
	f->relay.changed_ctx = f;
	xos_front_on_drain(f->relay.front, on_drain, f);
	return st;
}

enum xos_status vops_front_open(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = calloc(1, sizeof(*f));
	struct xos_fetch_options o = {.take = take, .ctx = f};

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->conf = self->run->conf;
	self->state = f;
	for (size_t i = 0; i < SOURCES; i++) {
		const char *service = sources[i].from.service;

		f->sources[i] = sources[i].from;
		f->sources[i].url = strcmp(service, "ca") == 0    ? f->conf->ca_url
		                    : strcmp(service, "rca") == 0 ? f->conf->rca_url
		                                                  : f->conf->accounting_url;
	}
	o.sources = f->sources;
	o.nsources = f->conf->accounting_url ? SOURCES : SOURCES - 1;
	o.refresh = f->conf->refresh;
	/* All nodes that waited ask again at the same moment when there is something new. */
	f->relay.queue_max = f->conf->common.limits.connections
	                         ? (size_t)f->conf->common.limits.connections
	                         : DEFAULT_CONNECTIONS;
	enum xos_status st = xos_relay_open(&f->relay, self, &f->conf->common, VOPS_COMMAND, err);
	if (st == XOS_OK)
		st = xos_front_routes(
		    f->relay.front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
	if (st == XOS_OK)
		st = vops_routes_sets(&f->relay, err);
	if (st == XOS_OK)
		st = open_bundles(f, err);
	if (st == XOS_OK)
		st = vops_authzen_open(&f->relay, f->conf, &f->authzen, err);
	if (st == XOS_OK)
		st = vops_proofs_new(&f->relay, f->conf, &f->proofs, err);
	return st == XOS_OK ? xos_relay_fetch(&f->relay, &o, err) : st;
}

enum xos_status vops_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;
	enum xos_status st = vops_bundles_start(f->bundles, err);

	if (st == XOS_OK)
		st = vops_authzen_start(f->authzen, err);
	return st == XOS_OK ? xos_relay_serve(&f->relay, self, err) : st;
}

void vops_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	/* Who waits is answered before the server goes, and nothing is fetched or asked after that. */
	if (f->bundles)
		vops_bundles_stop(f->bundles);
	vops_authzen_stop(f->authzen);
	xos_relay_end(&f->relay);
	vops_bundles_free(f->bundles);
	xos_relay_close(&f->relay);
	vops_authzen_free(f->authzen);
	vops_proofs_free(f->proofs);
	xos_lockout_free(f->lockout);
	free(f);
	self->state = NULL;
}
