#include "service/client.h"

#include <stdlib.h>

#include "service/verifier.h"

struct xos_service_client {
	struct xos_service_verifier *verifier;
	struct xos_client *client;
};

enum xos_status xos_service_client_new(const struct xos_service_client_options *o,
    struct xos_service_client **out, struct xos_err *err)
{
	struct xos_service_verifier_options vo = {.vo = o->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = o->service,
	    .skew = o->skew,
	    .list_url = o->list_url ? o->list_url : o->url,
	    .peer_is_server = true};
	struct xos_service_client *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_service_verifier_new(o->trust, &vo, &c->verifier, err);
	if (st == XOS_OK) {
		struct xos_client_options co = {.base = o->url,
		    .own = o->own,
		    .root = xos_trust_root(o->trust, o->vo),
		    .verifier = xos_service_verifier_get(c->verifier),
		    .total_ms = o->total_ms,
		    .body_max = o->body_max,
		    .hint = o->hint};
		st = xos_client_new(&co, &c->client, err);
	}
	if (st != XOS_OK) {
		xos_service_client_free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

void xos_service_client_free(struct xos_service_client *c)
{
	if (!c)
		return;
	xos_client_free(c->client);
	xos_service_verifier_free(c->verifier);
	free(c);
}

struct xos_client *xos_service_client(struct xos_service_client *c)
{
	return c->client;
}

const struct xos_identity *xos_service_client_peer(const struct xos_service_client *c)
{
	return xos_client_identity(c->client);
}
