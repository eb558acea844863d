/* GET .../rules, POST .../rules/acceptance: SCRAM in HTTP headers as for a log-in, bound to the rules. */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "auth/http.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/messages.h"
#include "ca/network/network.h"

enum xos_status ca_route_rules(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	struct xos_buf ask, answer;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&ask, 8);
	xos_buf_init(&answer, 0);
	xos_buf_u64(&ask, 0);
	st = xos_bulk_call(
	    n->auth, CA_RULES, xos_buf_bytes(&ask), xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

static enum xos_status begin(struct ca_network *n, const struct xos_request *req,
    const struct xos_scram_header *h, const struct ca_accept *a, struct xos_response *res,
    struct xos_err *err)
{
	struct ca_login_begin m = {.message = {h->data, h->ndata}};
	enum xos_status st =
	    xos_rules_binding(n->conf->common.vo, a->version, a->digest, m.digest, err);

	return st == XOS_OK ? ca_begin_proof(n, req, &m, "the acceptance is not finished", res, err)
	                    : st;
}

/* 200 with the server's own proof. */
static enum xos_status answer_proof(
    const char *sid, struct xos_bytes final, struct xos_response *res, struct xos_err *err)
{
	struct xos_scram_header *info = calloc(1, sizeof(*info));
	struct xos_buf value;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&value, XOS_SCRAM_HEADER_MAX);
	if (info && final.n <= sizeof(info->data) &&
	    xos_str_copy(info->sid, sizeof(info->sid), sid)) {
		memcpy(info->data, final.p, final.n);
		info->ndata = final.n;
		st = xos_scram_header_format(info, false, &value);
	}
	if (st == XOS_OK) {
		xos_response_header(res, "Authentication-Info", xos_buf_str(&value));
		xos_response_json(res, 200, xos_json_object());
	} else {
		st = xos_err_set(err, st, "internal", "cannot encode the answer");
	}
	xos_buf_free(&value);
	free(info);
	return st;
}

static enum xos_status finish(struct ca_network *n, const struct xos_request *req,
    const struct xos_scram_header *h, struct ca_accept *a, struct xos_response *res,
    struct xos_err *err)
{
	struct xos_buf ask, answer;
	enum xos_status st;

	a->proof.message = (struct xos_bytes){h->data, h->ndata};
	ca_peer_address(req, a->proof.address, sizeof(a->proof.address));
	if (!xos_str_copy(a->proof.sid, sizeof(a->proof.sid), h->sid))
		return xos_err_set(
		    err, XOS_DENIED, "login-unknown", "this acceptance was not begun here");
	xos_buf_init(&ask, 8192);
	xos_buf_init(&answer, 0);
	ca_accept_put(&ask, a);
	st = xos_bulk_call(n->auth, CA_ACCEPT, xos_buf_bytes(&ask),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		st = answer_proof(a->proof.sid, xos_buf_bytes(&answer), res, err);
	xos_buf_free(&ask);
	xos_buf_free(&answer);
	return st;
}

enum xos_status ca_route_accept(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const char *value = xos_request_header(req, "Authorization");
	struct xos_scram_header *h = NULL;
	struct ca_accept a = {.version = 0};
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	if (!value)
		return ca_ask_for_login(n, res);
	h = calloc(1, sizeof(*h));
	st = h ? xos_scram_header_parse(value, true, h, err)
	       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK && !h->ndata)
		st = xos_err_set(
		    err, XOS_MALFORMED, "scram-header", "the Authorization header has no data");
	if (st == XOS_OK)
		st = xos_rules_accept_decode(xos_request_body(req), &a.version, a.digest, err);
	if (st == XOS_OK)
		st = h->sid[0] ? finish(n, req, h, &a, res, err) : begin(n, req, h, &a, res, err);
	free(h);
	return st;
}
