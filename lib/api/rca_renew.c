/* Renewal of a node's or service's certificate: both halves. */
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/rca.h"
#include "base/clock.h"
#include "base/random.h"
#include "pki/csr.h"
#include "pki/jws.h"

#define SKEW 300

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status xos_rca_renewal_sign(const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err)
{
	struct xos_json *p = xos_json_object(), *doc = NULL;
	struct xos_buf csr, payload, compact;
	char jti[33];

	xos_buf_init(&csr, XOS_CSR_MAX);
	xos_buf_init(&payload, XOS_RCA_BODY_MAX);
	xos_buf_init(&compact, XOS_RCA_BODY_MAX);
	xos_random_id(jti, 16);
	enum xos_status st = XOS_OK;
	if (!old->n || !old->key)
		st =
		    xos_err_set(err, XOS_INTERNAL, "renewal-key", "the old key is needed to renew");
	if (st == XOS_OK)
		st = xos_csr_make(fresh, &csr, err);
	if (st == XOS_OK) {
		xos_json_set_string(p, "vo", vo);
		xos_json_set_string(p, "aud", XOS_RCA_AUD);
		xos_json_set_bytes(p, "csr", xos_buf_bytes(&csr));
		xos_json_set_time(p, "iat", now);
		xos_json_set_time(p, "exp", now + XOS_RCA_RENEWAL_LIFE);
		xos_json_set_string(p, "jti", jti);
		st = xos_json_dump(p, &payload, err);
	}
	if (st == XOS_OK)
		st = xos_jws_sign(
		    old->key, XOS_RCA_RENEWAL_TYP, xos_buf_bytes(&payload), &compact, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_string(doc, "proof", xos_buf_str(&compact));
		xos_chain_to_json(doc, "chain", old);
		*body = doc;
		st = doc ? XOS_OK : no_memory(err);
	}
	xos_buf_free(&compact);
	xos_buf_free(&payload);
	xos_buf_free(&csr);
	xos_json_free(p);
	return st;
}

enum xos_status xos_rca_renew(struct xos_client *c, const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, struct xos_chain *out, struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_buf path;

	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/renew");
	const char *p = xos_buf_str(&path);
	enum xos_status st =
	    p ? xos_rca_renewal_sign(vo, old, fresh, xos_clock_now(), &body, err) : no_memory(err);
	if (st == XOS_OK)
		st = xos_client_json(c, "POST", p, body, &answer, err);
	if (st == XOS_OK && !answer)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	if (st == XOS_OK)
		st = xos_chain_from_json(answer, "chain", out, err);
	if (st == XOS_OK && !xos_key_same(xos_cert_key(out->cert[0]), fresh)) {
		xos_chain_clear(out);
		st = xos_err_set(err, XOS_DENIED, "renewal-key",
		    "the server answered with a certificate for another key");
	}
	xos_json_free(answer);
	xos_json_free(body);
	xos_buf_free(&path);
	return st;
}

void xos_rca_renewal_free(struct xos_rca_renewal *r)
{
	if (!r)
		return;
	xos_identity_free(r->who);
	xos_chain_clear(&r->chain);
	xos_buf_free(&r->csr);
	free(r);
}

static enum xos_status read_payload(struct xos_bytes payload, const char *vo, int64_t now,
    struct xos_rca_renewal *r, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const char *got_vo = NULL, *aud = NULL;
	int64_t iat = 0;
	enum xos_status st = xos_json_parse(payload, XOS_RCA_BODY_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "aud", "csr", "iat", "exp", "jti");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &got_vo, err);
	if (st == XOS_OK)
		st = xos_json_get_string(p, "aud", 16, &aud, err);
	if (st == XOS_OK && (strcmp(got_vo, vo) != 0 || strcmp(aud, XOS_RCA_AUD) != 0))
		st = xos_err_set(err, XOS_DENIED, "renewal-audience",
		    "the renewal is for %s of the VO %s, not for the %s of %s", aud, got_vo,
		    XOS_RCA_AUD, vo);
	if (st == XOS_OK)
		st = xos_json_get_bytes(p, "csr", XOS_CSR_MAX, &r->csr, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "iat", &iat, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "exp", &r->exp, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", r->jti, sizeof(r->jti), err);
	if (st == XOS_OK && (strlen(r->jti) != 32 || strspn(r->jti, "0123456789abcdef") != 32))
		st = xos_json_refuse(p, err, "jti must be 32 hexadecimal digits");
	if (st == XOS_OK && (r->exp <= iat || r->exp - iat > XOS_RCA_RENEWAL_LIFE))
		st = xos_json_refuse(
		    p, err, "the life of a renewal is 1 to %d seconds", XOS_RCA_RENEWAL_LIFE);
	if (st == XOS_OK && iat - SKEW > now)
		st = xos_err_set(err, XOS_NOT_YET_VALID, "renewal-time",
		    "the renewal was signed in the future: compare the clocks");
	if (st == XOS_OK && now >= r->exp + SKEW)
		st = xos_err_set(err, XOS_EXPIRED, "renewal-time",
		    "the renewal was signed too long ago: compare the clocks");
	xos_json_free(p);
	return st;
}

static enum xos_status open_renewal(const struct xos_json *doc, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal *r, struct xos_err *err)
{
	const struct xos_verify_opts opts = {
	    .now = now,
	    .skew = SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .vo = vo,
	    .purpose = XOS_PURPOSE_ANY,
	};
	const char *proof = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_RCA_BODY_MAX);
	enum xos_status st = XOS_JSON_ONLY(doc, err, "proof", "chain");
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "proof", XOS_RCA_BODY_MAX, &proof, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &r->chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, &r->chain, &opts, &r->who, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(r->chain.cert[0]), XOS_RCA_RENEWAL_TYP,
		    xos_bytes_str(proof), &payload, err);
	if (st == XOS_OK)
		st = read_payload(xos_buf_bytes(&payload), vo, now, r, err);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_rca_renewal_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err)
{
	struct xos_rca_renewal *r = calloc(1, sizeof(*r));
	struct xos_json *doc = NULL;
	enum xos_status st = XOS_INTERNAL;

	if (!r)
		return no_memory(err);
	xos_buf_init(&r->csr, XOS_CSR_MAX);
	st = xos_json_parse(body, XOS_RCA_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = open_renewal(doc, trust, vo, now, r, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}
