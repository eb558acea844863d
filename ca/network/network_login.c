/* POST /v1/vo/{vo}/token: SCRAM in HTTP headers (RFC 7804), the request in the body; and /renew. */
#include <stdlib.h>
#include <string.h>

#include "api/cad_renew.h"
#include "auth/http.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/messages.h"
#include "ca/network/network.h"

void ca_challenge(struct ca_network *n, struct xos_response *res, const struct xos_err *err,
    const char *sid, struct xos_bytes message)
{
	struct xos_scram_header *h = calloc(1, sizeof(*h));
	struct xos_buf value;

	xos_buf_init(&value, XOS_SCRAM_HEADER_MAX);
	xos_response_problem(res, err);
	xos_response_status(res, 401);
	if (h && message.n <= sizeof(h->data) &&
	    xos_str_copy(h->realm, sizeof(h->realm), n->conf->common.vo) &&
	    xos_str_copy(h->sid, sizeof(h->sid), sid)) {
		memcpy(h->data, message.p ? message.p : (const uint8_t *)"", message.n);
		h->ndata = message.n;
		if (xos_scram_header_format(h, true, &value) == XOS_OK)
			xos_response_header(res, "WWW-Authenticate", xos_buf_str(&value));
	}
	xos_buf_free(&value);
	free(h);
}

enum xos_status ca_ask_for_login(struct ca_network *n, struct xos_response *res)
{
	struct xos_err err = XOS_ERR_INIT;

	(void)xos_err_set(&err, XOS_DENIED, "login-needed",
	    "log in by " XOS_SCRAM_SCHEME " (RFC 7804), for example with xos-login");
	ca_challenge(n, res, &err, "", XOS_BYTES_NONE);
	return XOS_OK;
}

enum xos_status ca_begin_proof(struct ca_network *n, const struct xos_request *req,
    struct ca_login_begin *m, const char *unfinished, struct xos_response *res, struct xos_err *err)
{
	struct ca_login_challenge c;
	struct xos_err more = XOS_ERR_INIT;
	struct xos_buf ask, answer;
	enum xos_status st;

	ca_peer_address(req, m->address, sizeof(m->address));
	xos_buf_init(&ask, 8192);
	xos_buf_init(&answer, 0);
	ca_login_begin_put(&ask, m);
	st = xos_bulk_ask(n->auth, CA_LOGIN_BEGIN, xos_buf_bytes(&ask),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		st = ca_login_challenge_get(xos_buf_bytes(&answer), &c, err);
	if (st == XOS_OK) {
		(void)xos_err_set(&more, XOS_DENIED, "login-continues", "%s", unfinished);
		ca_challenge(n, res, &more, c.sid, c.message);
	}
	xos_buf_free(&ask);
	xos_buf_free(&answer);
	return st;
}

static enum xos_status begin(struct ca_network *n, const struct xos_request *req,
    const struct xos_scram_header *h, const struct xos_cad_request *request,
    struct xos_response *res, struct xos_err *err)
{
	struct ca_login_begin m = {.message = {h->data, h->ndata}};
	struct xos_cad_request bare = *request; /* borrowed: only hashed */
	struct xos_csr csr;
	enum xos_status st;

	/* Auth adds the code of a second factor to the digest itself. */
	memcpy(m.totp, bare.totp, sizeof(m.totp));
	bare.totp[0] = '\0';
	st = xos_cad_request_digest(n->conf->common.vo, &bare, &csr, m.digest, err);
	return st == XOS_OK ? ca_begin_proof(n, req, &m, "the log-in is not finished", res, err)
	                    : st;
}

/* Auth's half: proof in, grant and the server's own proof out. */
static enum xos_status prove(struct ca_network *n, const struct xos_request *req,
    const struct xos_scram_header *h, char grant[CA_GRANT_LEN + 1], struct xos_scram_header *info,
    struct xos_err *err)
{
	struct ca_login_finish m = {.message = {h->data, h->ndata}};
	struct ca_login_done done;
	struct xos_buf ask, answer;
	enum xos_status st = XOS_MALFORMED;

	xos_buf_init(&ask, 8192);
	xos_buf_init(&answer, 0);
	ca_peer_address(req, m.address, sizeof(m.address));
	if (!xos_str_copy(m.sid, sizeof(m.sid), h->sid))
		return xos_err_set(
		    err, XOS_DENIED, "login-unknown", "this log-in was not begun here");
	ca_login_finish_put(&ask, &m);
	st = xos_bulk_ask(n->auth, CA_LOGIN_FINISH, xos_buf_bytes(&ask),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		st = ca_login_done_get(xos_buf_bytes(&answer), &done, err);
	if (st == XOS_OK) {
		memcpy(grant, done.grant, CA_GRANT_LEN + 1);
		memcpy(info->data, done.message.p, done.message.n);
		info->ndata = done.message.n;
		memcpy(info->sid, m.sid, sizeof(m.sid));
	}
	xos_buf_free(&ask);
	xos_buf_free(&answer);
	return st;
}

static enum xos_status read_chain(struct xos_bytes in, struct xos_chain *chain, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_reader r;
	size_t n = 0;

	xos_reader_init(&r, in);
	while (r.left && n < XOS_CHAIN_MAX && xos_reader_lp(&r, XOS_CERT_MAX, &der[n]))
		n++;
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "message", "the answer of key is malformed");
	return xos_chain_from_der(der, n, chain, err);
}

/* Key's half: grant and request in, certificate out. */
static enum xos_status issue(struct ca_network *n, const char *grant,
    struct xos_cad_request *request, struct xos_response *res, struct xos_err *err)
{
	struct ca_issue m = {.grant = ""};
	struct xos_chain chain = {.n = 0};
	struct xos_buf ask, answer;
	enum xos_status st;

	xos_buf_init(&ask, 64 * 1024);
	xos_buf_init(&answer, 0);
	memcpy(m.grant, grant, sizeof(m.grant));
	m.request = *request; /* borrowed: only encoded */
	ca_issue_put(&ask, &m);
	st = xos_bulk_ask(
	    n->key, CA_ISSUE, xos_buf_bytes(&ask), xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		st = read_chain(xos_buf_bytes(&answer), &chain, err);
	if (st == XOS_OK)
		xos_response_json(res, 200, xos_cad_token_encode(&chain, xos_clock_now()));
	xos_chain_clear(&chain);
	xos_buf_free(&ask);
	xos_buf_free(&answer);
	return st;
}

static enum xos_status finish(struct ca_network *n, const struct xos_request *req,
    const struct xos_scram_header *h, struct xos_cad_request *request, struct xos_response *res,
    struct xos_err *err)
{
	struct xos_scram_header *info = calloc(1, sizeof(*info));
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf value;
	enum xos_status st;

	if (!info)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&value, XOS_SCRAM_HEADER_MAX);
	st = prove(n, req, h, grant, info, err);
	if (st == XOS_OK)
		st = issue(n, grant, request, res, err);
	if (st == XOS_OK)
		st = xos_scram_header_format(info, false, &value);
	if (st == XOS_OK)
		xos_response_header(res, "Authentication-Info", xos_buf_str(&value));
	xos_metric_add_by(n->logins, st == XOS_OK ? "token" : err->code, 1);
	xos_buf_free(&value);
	free(info);
	return st;
}

static enum xos_status read_request(
    const struct xos_request *req, struct xos_cad_request *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_request_json(req, &doc, err);

	if (st == XOS_OK)
		st = xos_cad_request_decode(doc, out, err);
	xos_json_free(doc);
	return st;
}

enum xos_status ca_route_token(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const char *value = xos_request_header(req, "Authorization");
	struct xos_scram_header *h = NULL;
	struct xos_cad_request request;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	if (!value)
		return ca_ask_for_login(n, res);
	xos_cad_request_init(&request);
	h = calloc(1, sizeof(*h));
	st = h ? xos_scram_header_parse(value, true, h, err)
	       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK && !h->ndata)
		st = xos_err_set(
		    err, XOS_MALFORMED, "scram-header", "the Authorization header has no data");
	if (st == XOS_OK)
		st = read_request(req, &request, err);
	if (st == XOS_OK)
		st = h->sid[0] ? finish(n, req, h, &request, res, err)
		               : begin(n, req, h, &request, res, err);
	xos_cad_request_clear(&request);
	free(h);
	return st;
}

/* --- renewal: {"request", "proof", "chain"} --- */

/* What auth sees: proof and chain alone. */
static enum xos_status prove_renewal(struct ca_network *n, const struct xos_request *req,
    const struct xos_json *doc, char grant[CA_GRANT_LEN + 1], struct xos_err *err)
{
	const struct xos_json *chain = NULL;
	struct xos_json *what = xos_json_object();
	const char *proof = NULL;
	char address[CA_PEER_MAX + 1];
	struct ca_login_done done;
	struct xos_buf body, ask, answer;
	enum xos_status st;

	xos_buf_init(&body, XOS_CAD_RENEWAL_MAX);
	xos_buf_init(&ask, XOS_CAD_RENEWAL_MAX + 128);
	xos_buf_init(&answer, 0);
	ca_peer_address(req, address, sizeof(address));
	st = xos_json_get_string(doc, "proof", XOS_CAD_RENEWAL_MAX, &proof, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "chain", XOS_CHAIN_MAX, &chain, err);
	if (st == XOS_OK) {
		xos_json_set_string(what, "proof", proof);
		xos_json_set(what, "chain", xos_json_copy(chain));
		st = xos_json_dump(what, &body, err);
	}
	if (st == XOS_OK) {
		xos_buf_lp_str(&ask, address);
		xos_buf_lp(&ask, xos_buf_bytes(&body));
		st = xos_bulk_call(n->auth, CA_RENEW, xos_buf_bytes(&ask),
		    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	}
	if (st == XOS_OK)
		st = ca_login_done_get(xos_buf_bytes(&answer), &done, err);
	if (st == XOS_OK)
		memcpy(grant, done.grant, CA_GRANT_LEN + 1);
	xos_json_free(what);
	xos_buf_free(&body);
	xos_buf_free(&ask);
	xos_buf_free(&answer);
	return st;
}

enum xos_status ca_route_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const struct xos_json *asked = NULL;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_cad_request request;
	struct xos_json *doc = NULL;
	enum xos_status st = ca_check_vo(n, req, err);

	xos_cad_request_init(&request);
	if (st == XOS_OK)
		st = xos_request_json(req, &doc, err);
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "request", "proof", "chain");
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "request", &asked, err);
	if (st == XOS_OK)
		st = xos_cad_request_decode(asked, &request, err);
	if (st == XOS_OK)
		st = prove_renewal(n, req, doc, grant, err);
	if (st == XOS_OK)
		st = issue(n, grant, &request, res, err);
	xos_metric_add_by(n->logins, st == XOS_OK ? "renewed" : err->code, 1);
	xos_cad_request_clear(&request);
	xos_json_free(doc);
	return st;
}
