/* Renewal of a node's or service's certificate, also after its end, and the word that it is in use: both halves. */
#include <string.h>

#include "api/chainjson.h"
#include "api/keep.h"
#include "api/rca_proof.h"
#include "base/clock.h"
#include "pki/csr.h"

static enum xos_status sign_request(const char *typ, const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err)
{
	struct xos_json *p = NULL;
	struct xos_buf csr;

	xos_buf_init(&csr, XOS_CSR_MAX);
	enum xos_status st = xos_csr_make(fresh, &csr, err);
	if (st == XOS_OK) {
		p = xos_json_object();
		xos_json_set_bytes(p, "csr", xos_buf_bytes(&csr));
		st = xos_rca_proof_sign(typ, vo, old, p, now, body, err);
	}
	xos_buf_free(&csr);
	return st;
}

static enum xos_status open_request(struct xos_bytes body, const char *typ, bool ended,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err)
{
	struct xos_rca_renewal *r = NULL;
	enum xos_status st = xos_rca_proof_open(body, typ, ended, trust, vo, now, &r, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(r->payload, err, "vo", "aud", "csr", "iat", "exp", "jti");
	if (st == XOS_OK)
		st = xos_json_get_bytes(r->payload, "csr", XOS_CSR_MAX, &r->csr, err);
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}

static enum xos_status send_request(struct xos_client *c, const char *vo, const char *what,
    struct xos_json *body, const struct xos_key *fresh, struct xos_chain *out, struct xos_err *err)
{
	struct xos_json *answer = NULL;
	enum xos_status st = xos_rca_proof_send(c, vo, what, body, &answer, err);

	if (st == XOS_OK)
		st = xos_chain_from_json(answer, "chain", out, err);
	if (st == XOS_OK && !xos_key_same(xos_cert_key(out->cert[0]), fresh)) {
		xos_chain_clear(out);
		st = xos_err_set(err, XOS_DENIED, "renewal-key",
		    "the server answered with a certificate for another key");
	}
	xos_json_free(answer);
	return st;
}

enum xos_status xos_rca_renewal_sign(const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err)
{
	return sign_request(XOS_RCA_RENEWAL_TYP, vo, old, fresh, now, body, err);
}

enum xos_status xos_rca_renew(struct xos_client *c, const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, struct xos_chain *out, struct xos_err *err)
{
	struct xos_json *body = NULL;
	enum xos_status st = xos_rca_renewal_sign(vo, old, fresh, xos_clock_now(), &body, err);

	return st == XOS_OK ? send_request(c, vo, "renew", body, fresh, out, err) : st;
}

enum xos_status xos_rca_renewal_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err)
{
	return open_request(body, XOS_RCA_RENEWAL_TYP, false, trust, vo, now, out, err);
}

enum xos_status xos_rca_rescue_sign(const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err)
{
	return sign_request(XOS_RCA_RESCUE_TYP, vo, old, fresh, now, body, err);
}

enum xos_status xos_rca_rescue(struct xos_client *c, const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, struct xos_chain *out, struct xos_err *err)
{
	struct xos_json *body = NULL;
	enum xos_status st = xos_rca_rescue_sign(vo, old, fresh, xos_clock_now(), &body, err);

	return st == XOS_OK ? send_request(c, vo, "rescue", body, fresh, out, err) : st;
}

enum xos_status xos_rca_rescue_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err)
{
	return open_request(body, XOS_RCA_RESCUE_TYP, true, trust, vo, now, out, err);
}

enum xos_status xos_rca_confirm_sign(const char *vo, const struct xos_chain *own, int64_t now,
    struct xos_json **body, struct xos_err *err)
{
	return xos_rca_proof_sign(XOS_RCA_CONFIRM_TYP, vo, own, xos_json_object(), now, body, err);
}

enum xos_status xos_rca_confirm(
    struct xos_client *c, const char *vo, const struct xos_chain *own, struct xos_err *err)
{
	struct xos_json *body = NULL;
	enum xos_status st = xos_rca_confirm_sign(vo, own, xos_clock_now(), &body, err);

	return st == XOS_OK ? xos_rca_proof_send(c, vo, "confirm", body, NULL, err) : st;
}

enum xos_status xos_rca_confirm_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err)
{
	struct xos_rca_renewal *r = NULL;
	enum xos_status st =
	    xos_rca_proof_open(body, XOS_RCA_CONFIRM_TYP, false, trust, vo, now, &r, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(r->payload, err, "vo", "aud", "iat", "exp", "jti");
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}
