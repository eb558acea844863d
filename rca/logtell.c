/* Heads and proofs of the log, on their way from the process that has it: nothing about anybody, for everybody. */
#include "rca/logtell.h"

#include "api/logserve.h"
#include "base/clock.h"
#include "rca/auth.h"
#include "rca/issue.h"
#include "service/relay.h"

#define KEY_MS 20000

/* --- key --- */

static enum xos_status tell(void *ctx, enum xos_log_question q, struct xos_bytes payload,
    struct xos_buf *reply, struct xos_err *err)
{
	return rca_issuer_tell(rca_key_issuer(ctx), q, payload, reply, err);
}

enum xos_status rca_key_log_head(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return tell(ctx, XOS_LOG_HEAD, payload, reply, err);
}

enum xos_status rca_key_log_proof(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return tell(ctx, XOS_LOG_PROOF, payload, reply, err);
}

enum xos_status rca_key_log_growth(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return tell(ctx, XOS_LOG_GROWTH, payload, reply, err);
}

/* --- auth: key hears nobody else --- */

static enum xos_status pass_on(struct rca_auth *a, uint16_t type, struct xos_bytes payload,
    struct xos_buf *reply, struct xos_err *err)
{
	struct xos_buf answer;

	xos_buf_init(&answer, 0);
	enum xos_status st =
	    xos_bulk_call(a->key, type, payload, xos_clock_mono_ms() + KEY_MS, &answer, err);
	if (st == XOS_OK)
		xos_buf_put(reply, answer.p, answer.n);
	xos_buf_free(&answer);
	return st;
}

enum xos_status rca_auth_log_head(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return pass_on(ctx, RCA_LOG_HEAD, payload, reply, err);
}

enum xos_status rca_auth_log_proof(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return pass_on(ctx, RCA_LOG_PROOF, payload, reply, err);
}

enum xos_status rca_auth_log_growth(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return pass_on(ctx, RCA_LOG_GROWTH, payload, reply, err);
}

/* --- network --- */

static enum xos_status ask(struct xos_relay *r, enum xos_log_question q, uint16_t type,
    const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_LOG_ASK_MAX);
	enum xos_status st = xos_logserve_query(req, q, &payload, err);
	if (st == XOS_OK)
		st = xos_relay_pass(
		    r, req, type, xos_buf_bytes(&payload), "application/json", res, err);
	xos_buf_free(&payload);
	return st;
}

enum xos_status rca_route_log_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return ask(ctx, XOS_LOG_HEAD, RCA_LOG_HEAD, req, res, err);
}

enum xos_status rca_route_log_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return ask(ctx, XOS_LOG_PROOF, RCA_LOG_PROOF, req, res, err);
}

enum xos_status rca_route_log_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return ask(ctx, XOS_LOG_GROWTH, RCA_LOG_GROWTH, req, res, err);
}
