/* Grants on their way through the network process: it looks only whether they are of the form, and keeps what the member
 * signed so that the member can sign it again for longer. */
#include <string.h>

#include "api/chainjson.h"
#include "api/grant.h"
#include "jobs/front.h"

static bool is_behind(const struct xos_chain *delegation, const struct xos_chain *signer)
{
	if (delegation->n != signer->n + 1)
		return false;
	for (size_t i = 0; i < signer->n; i++)
		if (!xos_bytes_eq(
		        xos_cert_der(delegation->cert[i + 1]), xos_cert_der(signer->cert[i])))
			return false;
	return true;
}

static enum xos_status read_grant(const struct xos_json *doc, struct xos_chain *chain,
    struct xos_bytes *grant, struct xos_err *err)
{
	const char *jws = NULL;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "chain", "grant");

	if (st == XOS_OK)
		st = xos_json_get_string(doc, "grant", XOS_ORDER_GRANT_MAX, &jws, err);
	if (st == XOS_OK && !jws[0])
		st = xos_json_refuse(doc, err, "grant: empty");
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", chain, err);
	if (st == XOS_OK)
		*grant = xos_bytes_str(jws);
	return st;
}

static enum xos_status keep(
    struct xos_job_front *f, const char *id, const struct xos_json *doc, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_JOB_BODY_MAX);
	st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = xos_table_grant_put(f->table, id, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_job_front_grant(struct xos_job_front *f, const char *id,
    const struct xos_json *doc, const struct xos_chain *delegation, struct xos_bytes *grant,
    struct xos_err *err)
{
	const struct xos_json *g = NULL;
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_json_opt_object(doc, "grant", &g, err);

	if (st != XOS_OK || !g)
		return st;
	st = read_grant(g, &chain, grant, err);
	if (st == XOS_OK && !is_behind(delegation, &chain))
		st = xos_err_set(err, XOS_MALFORMED, "grant-chain",
		    "the grant for job %s is not signed by what signed its delegation", id);
	if (st == XOS_OK)
		st = keep(f, id, g, err);
	xos_chain_clear(&chain);
	return st;
}

/* --- for the member who extends it --- */

enum xos_status xos_job_route_grant(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_json *doc = NULL;
	struct xos_entry e;
	struct xos_buf b;
	enum xos_status st = xos_job_front_find(f, req, false, &e, err);

	xos_buf_init(&b, XOS_JOB_BODY_MAX);
	if (st == XOS_OK && xos_table_grant_get(f->table, e.id, &b, NULL) != XOS_OK)
		st = xos_err_set(err, XOS_NOT_FOUND, "grant-none",
		    "job %s was submitted without a grant: its credential is not renewed", e.id);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), XOS_JOB_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		xos_response_json(res, 200, doc);
	xos_buf_free(&b);
	return st;
}

static enum xos_status order_grant(struct xos_job_front *f, const char *id,
    const struct xos_chain *chain, struct xos_bytes grant, int64_t *ends, struct xos_err *err)
{
	struct xos_order_grant g = {.n = chain->n, .grant = grant};
	struct xos_buf payload, reply;
	struct xos_reader r;
	uint64_t until = 0;
	enum xos_status st;

	memcpy(g.id, id, XOS_JOB_ID_TEXT);
	for (size_t i = 0; i < chain->n; i++)
		g.chain[i] = xos_cert_der(chain->cert[i]);
	xos_buf_init(&payload, XOS_ORDER_MAX);
	st = xos_order_grant_encode(&g, &payload, err);
	if (st == XOS_OK) {
		st = xos_job_front_order(f, XOS_ORDER_GRANT, xos_buf_bytes(&payload), &reply, err);
		xos_reader_init(&r, xos_buf_bytes(&reply));
		xos_reader_u64(&r, &until);
		if (st == XOS_OK)
			st = xos_reader_end(&r);
		xos_buf_free(&reply);
	}
	xos_buf_free(&payload);
	*ends = (int64_t)until;
	return st;
}

enum xos_status xos_job_route_extend(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_chain chain = {.n = 0};
	struct xos_bytes grant = XOS_BYTES_NONE;
	struct xos_json *doc = NULL, *answer;
	int64_t ends = 0;
	struct xos_entry e;
	enum xos_status st = xos_job_front_find(f, req, false, &e, err);

	if (st == XOS_OK && (e.phase != XOS_PHASE_STARTED || xos_table_ended(f->table, &e)))
		st = xos_err_set(err, XOS_CONFLICT, "job-over", "job %s does not run", e.id);
	if (st == XOS_OK)
		st = xos_request_json(req, &doc, err);
	if (st == XOS_OK)
		st = read_grant(doc, &chain, &grant, err);
	if (st == XOS_OK)
		st = order_grant(f, e.id, &chain, grant, &ends, err);
	if (st == XOS_OK)
		st = keep(f, e.id, doc, err);
	if (st == XOS_OK) {
		answer = xos_json_object();
		xos_json_set_time(answer, "ends", ends);
		xos_response_json(res, 200, answer);
	}
	xos_chain_clear(&chain);
	xos_json_free(doc);
	return st;
}
