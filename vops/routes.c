#include "vops/routes.h"

#include <string.h>

#include "api/abilities.h"
#include "vops/parts.h"

static enum xos_status on_node_set(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *relay = ctx;
	struct xos_buf message, reply;
	enum xos_status st = xos_relay_check_vo(relay, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_SITESET_MAX + 1024);
	xos_buf_lp_str(&message, xos_request_param(req, "site"));
	xos_buf_lp_str(&message, xos_request_param(req, "node"));
	xos_buf_lp(&message, xos_request_body(req));
	st = xos_relay_ask(relay, VOPS_NODE_SET, xos_buf_bytes(&message), &reply, err);
	if (st == XOS_OK)
		xos_response_status(res, 204);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

/* A node speaks for itself. */
static enum xos_status on_abilities(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_relay *relay = ctx;
	const struct xos_identity *id = xos_request_identity(req);
	struct xos_buf message, reply;
	enum xos_status st = xos_relay_check_vo(relay, req, err);

	if (st == XOS_OK && (!id || id->claims->kind != XOS_KIND_NODE ||
	                        strcmp(id->claims->name, xos_request_param(req, "node")) != 0))
		st = xos_err_set(
		    err, XOS_DENIED, "token-name", "only the node itself says what it can do");
	if (st != XOS_OK)
		return st;
	xos_buf_init(&message, XOS_ABILITIES_MAX + 1024);
	xos_buf_lp_str(&message, id->claims->name);
	xos_buf_lp(&message, xos_request_body(req));
	st = xos_relay_ask(relay, VOPS_ABILITIES, xos_buf_bytes(&message), &reply, err);
	if (st == XOS_OK)
		xos_response_status(res, 204);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static const struct xos_route routes[] = {
    {"PUT", "/v1/vo/{vo}/nodes/{node}/abilities", on_abilities, XOS_ROUTE_CERT, XOS_ABILITIES_MAX},
    {"PUT", "/v1/vo/{vo}/sites/{site}/nodes/{node}/set", on_node_set, 0, XOS_SITESET_MAX},
};

enum xos_status vops_routes_sets(struct xos_relay *relay, struct xos_err *err)
{
	return xos_front_routes(
	    relay->front, routes, sizeof(routes) / sizeof(routes[0]), relay, err);
}
