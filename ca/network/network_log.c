/* GET /v1/vo/{vo}/log/head, /log/proof, /log/consistency: nothing about anybody, for everybody. */
#include "base/clock.h"
#include "ca/messages.h"
#include "ca/network/network.h"

static enum xos_status pass_on(struct ca_network *n, uint16_t type, const uint64_t *numbers,
    size_t count, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf ask, answer;
	enum xos_status st;

	xos_buf_init(&ask, 64);
	xos_buf_init(&answer, 0);
	for (size_t i = 0; i < count; i++)
		xos_buf_u64(&ask, numbers[i]);
	st = xos_bulk_ask(
	    n->key, type, xos_buf_bytes(&ask), xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

enum xos_status ca_route_log_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {NULL};
	struct ca_network *n = ctx;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK)
		st = xos_request_query_only(req, names, err);
	return st == XOS_OK ? pass_on(n, CA_LOG_HEAD, NULL, 0, res, err) : st;
}

/* The first number is needed; the second is that of the newest head if it is left out. */
static enum xos_status two_numbers(struct ca_network *n, const struct xos_request *req,
    const char *const names[3], uint64_t numbers[2], struct xos_err *err)
{
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK)
		st = xos_request_query_only(req, names, err);
	if (st == XOS_OK && !xos_request_query(req, names[0]))
		st = xos_err_set(
		    err, XOS_MALFORMED, "query", "the parameter %s is missing", names[0]);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, names[0], 0, INT64_MAX, &numbers[0], err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, names[1], 0, INT64_MAX, &numbers[1], err);
	return st;
}

enum xos_status ca_route_log_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {"sequence", "size", NULL};
	uint64_t numbers[2];
	enum xos_status st = two_numbers(ctx, req, names, numbers, err);

	return st == XOS_OK ? pass_on(ctx, CA_LOG_PROOF, numbers, 2, res, err) : st;
}

enum xos_status ca_route_log_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {"from", "to", NULL};
	uint64_t numbers[2];
	enum xos_status st = two_numbers(ctx, req, names, numbers, err);

	return st == XOS_OK ? pass_on(ctx, CA_LOG_GROWTH, numbers, 2, res, err) : st;
}
