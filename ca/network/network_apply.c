/* GET .../about, POST .../applications, POST .../applications/{id}: for people without a token. */
#include "api/apply.h"
#include "base/clock.h"
#include "ca/messages.h"
#include "ca/network/network.h"

/* lp(first) lp(body) to auth; its JSON back. */
static enum xos_status ask(struct ca_network *n, uint16_t type, const char *first,
    struct xos_bytes body, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf question, answer;
	enum xos_status st;

	xos_buf_init(&question, XOS_APPLY_MAX + 1024);
	xos_buf_init(&answer, 0);
	if (first) {
		xos_buf_lp_str(&question, first);
		xos_buf_lp(&question, body);
	}
	st = xos_bulk_call(n->auth, type, xos_buf_bytes(&question),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	xos_buf_free(&question);
	return st;
}

enum xos_status ca_route_about(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	enum xos_status st = ca_check_vo(n, req, err);

	return st == XOS_OK ? ask(n, CA_ABOUT, NULL, XOS_BYTES_NONE, res, err) : st;
}

enum xos_status ca_route_apply(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	char address[CA_PEER_MAX + 1];
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	ca_peer_address(req, address, sizeof(address));
	st = ask(n, CA_APPLY, address, xos_request_body(req), res, err);
	if (st == XOS_OK)
		xos_response_status(res, 202);
	return st;
}

enum xos_status ca_route_application(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const char *id = xos_request_param(req, "id");
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK && (!id || !xos_application_is_id(id)))
		st = xos_err_set(err, XOS_NOT_FOUND, "no-application",
		    "there is no such application for VO %s", n->conf->common.vo);
	return st == XOS_OK ? ask(n, CA_APPLICATION, id, xos_request_body(req), res, err) : st;
}
