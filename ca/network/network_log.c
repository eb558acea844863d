/* GET /v1/vo/{vo}/log/head, /log/proof, /log/consistency: nothing about anybody, for everybody. */
#include "api/logserve.h"
#include "base/clock.h"
#include "ca/messages.h"
#include "ca/network/network.h"

static enum xos_status pass_on(struct ca_network *n, enum xos_log_question q, uint16_t type,
    const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf ask, answer;
	enum xos_status st = ca_check_vo(n, req, err);

	xos_buf_init(&ask, XOS_LOG_ASK_MAX);
	xos_buf_init(&answer, 0);
	if (st == XOS_OK)
		st = xos_logserve_query(req, q, &ask, err);
	if (st == XOS_OK)
		st = xos_bulk_ask(n->key, type, xos_buf_bytes(&ask),
		    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

enum xos_status ca_route_log_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_on(ctx, XOS_LOG_HEAD, CA_LOG_HEAD, req, res, err);
}

enum xos_status ca_route_log_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_on(ctx, XOS_LOG_PROOF, CA_LOG_PROOF, req, res, err);
}

enum xos_status ca_route_log_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return pass_on(ctx, XOS_LOG_GROWTH, CA_LOG_GROWTH, req, res, err);
}
