/* What nodes and services prove to xos-rcad by a signature: the form that all such proofs share. */
#include "api/rca_proof.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/random.h"
#include "pki/csr.h"
#include "pki/jws.h"

#define SKEW 300

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static void fill(struct xos_json *p, const char *vo, int64_t now)
{
	char jti[33];

	xos_random_id(jti, 16);
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "aud", XOS_RCA_AUD);
	xos_json_set_time(p, "iat", now);
	xos_json_set_time(p, "exp", now + XOS_RCA_RENEWAL_LIFE);
	xos_json_set_string(p, "jti", jti);
}

enum xos_status xos_rca_proof_sign(const char *typ, const char *vo, const struct xos_chain *chain,
    struct xos_json *p, int64_t now, struct xos_json **body, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf payload, compact;
	enum xos_status st = XOS_OK;

	xos_buf_init(&payload, XOS_RCA_BODY_MAX);
	xos_buf_init(&compact, XOS_RCA_BODY_MAX);
	if (!chain->n || !chain->key)
		st = xos_err_set(err, XOS_INTERNAL, "renewal-key",
		    "the certificate's key is needed to prove anything by it");
	if (st == XOS_OK) {
		fill(p, vo, now);
		st = xos_json_dump(p, &payload, err);
	}
	if (st == XOS_OK)
		st = xos_jws_sign(chain->key, typ, xos_buf_bytes(&payload), &compact, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_string(doc, "proof", xos_buf_str(&compact));
		xos_chain_to_json(doc, "chain", chain);
		*body = doc;
		st = doc ? XOS_OK : no_memory(err);
	}
	xos_buf_free(&compact);
	xos_buf_free(&payload);
	xos_json_free(p);
	return st;
}

enum xos_status xos_rca_proof_send(struct xos_client *c, const char *vo, const char *what,
    struct xos_json *body, struct xos_json **answer, struct xos_err *err)
{
	struct xos_buf path;

	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/");
	xos_buf_put_str(&path, what);
	const char *p = xos_buf_str(&path);
	enum xos_status st = p ? xos_client_json(c, "POST", p, body, answer, err) : no_memory(err);
	if (st == XOS_OK && answer && !*answer)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	xos_buf_free(&path);
	xos_json_free(body);
	return st;
}

void xos_rca_renewal_free(struct xos_rca_renewal *r)
{
	if (!r)
		return;
	xos_identity_free(r->who);
	xos_chain_clear(&r->chain);
	xos_buf_free(&r->csr);
	xos_json_free(r->payload);
	free(r);
}

static enum xos_status check_times(
    const struct xos_json *p, const struct xos_rca_renewal *r, int64_t now, struct xos_err *err)
{
	if (r->exp <= r->iat || r->exp - r->iat > XOS_RCA_RENEWAL_LIFE)
		return xos_json_refuse(
		    p, err, "the life of a renewal is 1 to %d seconds", XOS_RCA_RENEWAL_LIFE);
	if (r->iat - SKEW > now)
		return xos_err_set(err, XOS_NOT_YET_VALID, "renewal-time",
		    "the renewal was signed in the future: compare the clocks");
	if (now >= r->exp + SKEW)
		return xos_err_set(err, XOS_EXPIRED, "renewal-time",
		    "the renewal was signed too long ago: compare the clocks");
	return XOS_OK;
}

static enum xos_status read_payload(
    struct xos_rca_renewal *r, const char *vo, int64_t now, struct xos_err *err)
{
	const struct xos_json *p = r->payload;
	const char *got_vo = NULL, *aud = NULL;
	enum xos_status st = xos_json_get_string(p, "vo", XOS_VO_MAX, &got_vo, err);

	if (st == XOS_OK)
		st = xos_json_get_string(p, "aud", 16, &aud, err);
	if (st == XOS_OK && (strcmp(got_vo, vo) != 0 || strcmp(aud, XOS_RCA_AUD) != 0))
		st = xos_err_set(err, XOS_DENIED, "renewal-audience",
		    "the renewal is for %s of the VO %s, not for the %s of %s", aud, got_vo,
		    XOS_RCA_AUD, vo);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "iat", &r->iat, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "exp", &r->exp, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", r->jti, sizeof(r->jti), err);
	if (st == XOS_OK && (strlen(r->jti) != 32 || strspn(r->jti, "0123456789abcdef") != 32))
		st = xos_json_refuse(p, err, "jti must be 32 hexadecimal digits");
	return st == XOS_OK ? check_times(p, r, now, err) : st;
}

/* When the chain is judged: now, or for a certificate that is over, its last second. */
static enum xos_status judged_at(
    const struct xos_chain *chain, bool ended, int64_t now, int64_t *at, struct xos_err *err)
{
	*at = now;
	if (!ended || !chain->n)
		return XOS_OK;
	*at = xos_cert_not_after(chain->cert[0]) - 1;
	if (now > *at)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "rescue-early",
	    "the certificate has not ended by this server's clock: renew it in the usual way, and "
	    "compare the clocks");
}

static enum xos_status open_proof(const struct xos_json *doc, const char *typ, bool ended,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal *r,
    struct xos_err *err)
{
	struct xos_verify_opts opts = {
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
		st = judged_at(&r->chain, ended, now, &opts.now, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, &r->chain, &opts, &r->who, err);
	if (st == XOS_OK)
		st = xos_jws_verify(
		    xos_cert_key(r->chain.cert[0]), typ, xos_bytes_str(proof), &payload, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&payload), XOS_RCA_BODY_MAX, &r->payload, err);
	if (st == XOS_OK)
		st = read_payload(r, vo, now, err);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_rca_proof_open(struct xos_bytes body, const char *typ, bool ended,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err)
{
	struct xos_rca_renewal *r = calloc(1, sizeof(*r));
	struct xos_json *doc = NULL;

	if (!r)
		return no_memory(err);
	xos_buf_init(&r->csr, XOS_CSR_MAX);
	enum xos_status st = xos_json_parse(body, XOS_RCA_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = open_proof(doc, typ, ended, trust, vo, now, r, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}
