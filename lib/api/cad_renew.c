/* Renewal of a member's token: both halves. */
#include "api/cad_renew.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "pki/jws.h"

/* --- client half --- */

static enum xos_status dump_payload(const char *vo, const struct xos_cad_request *request,
    int64_t now, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *p = xos_json_object();
	char jti[33];
	enum xos_status st;

	xos_random_id(jti, 16);
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "aud", XOS_CAD_RENEWAL_AUD);
	xos_json_set(p, "request", xos_cad_request_encode(request));
	xos_json_set_time(p, "iat", now);
	xos_json_set_time(p, "exp", now + XOS_CAD_RENEWAL_LIFE);
	xos_json_set_string(p, "jti", jti);
	st = xos_json_dump(p, out, err);
	xos_json_free(p);
	return st;
}

enum xos_status xos_cad_renewal_sign(const char *vo, const struct xos_chain *old,
    const struct xos_cad_request *request, int64_t now, struct xos_json **body, struct xos_err *err)
{
	struct xos_buf payload, compact;
	struct xos_json *doc;
	enum xos_status st;

	*body = NULL;
	if (!old->n || !old->key)
		return xos_err_set(
		    err, XOS_INTERNAL, "token-key", "a token without its key cannot be renewed");
	xos_buf_init(&payload, XOS_CAD_RENEWAL_MAX);
	xos_buf_init(&compact, XOS_CAD_RENEWAL_MAX);
	st = dump_payload(vo, request, now, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(
		    old->key, XOS_CAD_RENEWAL_TYP, xos_buf_bytes(&payload), &compact, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set(doc, "request", xos_cad_request_encode(request));
		xos_json_set_string(doc, "proof", xos_buf_str(&compact));
		xos_chain_to_json(doc, "chain", old);
		*body = doc;
	}
	xos_buf_free(&payload);
	xos_buf_free(&compact);
	return st;
}

static enum xos_status make_body(const struct xos_cad_login *login, const struct xos_chain *old,
    const struct xos_key *key, struct xos_json **body, struct xos_err *err)
{
	struct xos_cad_request r;
	enum xos_status st = XOS_OK;

	xos_cad_request_init(&r);
	r.lifetime = login->lifetime;
	for (size_t i = 0; st == XOS_OK && i < login->nroles; i++)
		st = xos_cad_request_add_role(&r, login->roles[i], err);
	if (st == XOS_OK)
		st = xos_csr_make(key, &r.csr, err);
	if (st == XOS_OK)
		st = xos_cad_renewal_sign(login->vo, old, &r, xos_clock_now(), body, err);
	xos_cad_request_clear(&r);
	return st;
}

enum xos_status xos_cad_renew(struct xos_client *client, const struct xos_cad_login *login,
    const struct xos_chain *old, struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_key *key = NULL;
	struct xos_buf path;
	enum xos_status st;

	memset(out, 0, sizeof(*out));
	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, login->vo);
	xos_buf_put_str(&path, "/renew");
	st = xos_key_generate(&key, err);
	if (st == XOS_OK)
		st = make_body(login, old, key, &body, err);
	if (st == XOS_OK)
		st = xos_client_json(client, "POST", xos_buf_str(&path), body, &answer, err);
	out->local_time = xos_clock_now();
	if (st == XOS_OK)
		st = xos_cad_token_decode(answer, login, key, out, err);
	if (st == XOS_OK) {
		out->chain.key = key;
		key = NULL;
	} else {
		xos_cad_login_clear(out);
	}
	xos_json_free(answer);
	xos_json_free(body);
	xos_key_free(key);
	xos_buf_free(&path);
	return st;
}

/* --- server half --- */

void xos_cad_renewal_free(struct xos_cad_renewal *r)
{
	if (!r)
		return;
	xos_identity_free(r->who);
	xos_cad_request_clear(&r->request);
	free(r);
}

static enum xos_status check_time(
    int64_t iat, const struct xos_cad_renewal *r, int64_t now, struct xos_err *err)
{
	char by[XOS_TIME_TEXT];

	if (r->exp <= iat || r->exp - iat > XOS_CAD_RENEWAL_LIFE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "renewal-time",
		    "the life of a renewal is 1 to %d seconds", XOS_CAD_RENEWAL_LIFE_MAX);
	if (iat > now + XOS_CAD_RENEWAL_SKEW) {
		xos_duration_format(iat - now, by);
		return xos_err_set(err, XOS_NOT_YET_VALID, "renewal-time",
		    "the renewal was signed %s in the future: set the clock of your machine", by);
	}
	if (now >= r->exp + XOS_CAD_RENEWAL_SKEW) {
		xos_duration_format(now - r->exp, by);
		return xos_err_set(err, XOS_EXPIRED, "renewal-time",
		    "the renewal expired %s ago; if you sent it just now, set your clock", by);
	}
	return XOS_OK;
}

static enum xos_status read_request(
    const struct xos_json *p, const char *vo, struct xos_cad_renewal *r, struct xos_err *err)
{
	const struct xos_json *request = NULL;
	struct xos_csr csr;
	enum xos_status st = xos_json_get_object(p, "request", &request, err);

	if (st == XOS_OK)
		st = xos_cad_request_decode(request, &r->request, err);
	if (st == XOS_OK && r->request.totp[0])
		st = xos_json_refuse(request, err, "a renewal has no totp");
	if (st == XOS_OK)
		st = xos_cad_request_digest(vo, &r->request, &csr, r->digest, err);
	if (st == XOS_OK &&
	    memcmp(csr.spki_sha256, r->who->spki_sha256, sizeof(csr.spki_sha256)) == 0)
		st = xos_err_set(err, XOS_DENIED, "renewal-key",
		    "a renewed token has a new key: the request is for the old one's");
	return st;
}

static enum xos_status read_payload(struct xos_bytes payload, const char *vo, int64_t now,
    struct xos_cad_renewal *r, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const char *got_vo = NULL, *aud = NULL;
	int64_t iat = 0;
	enum xos_status st = xos_json_parse(payload, XOS_CAD_RENEWAL_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "aud", "request", "iat", "exp", "jti");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &got_vo, err);
	if (st == XOS_OK)
		st = xos_json_get_string(p, "aud", 16, &aud, err);
	if (st == XOS_OK && (strcmp(got_vo, vo) != 0 || strcmp(aud, XOS_CAD_RENEWAL_AUD) != 0))
		st = xos_err_set(err, XOS_DENIED, "renewal-audience",
		    "the renewal is for %s of VO %s, not for %s of VO %s", aud, got_vo,
		    XOS_CAD_RENEWAL_AUD, vo);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "iat", &iat, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "exp", &r->exp, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", r->jti, sizeof(r->jti), err);
	if (st == XOS_OK && (strlen(r->jti) != 32 || strspn(r->jti, "0123456789abcdef") != 32))
		st = xos_json_refuse(p, err, "jti must be 32 hexadecimal digits");
	if (st == XOS_OK)
		st = check_time(iat, r, now, err);
	if (st == XOS_OK)
		st = read_request(p, vo, r, err);
	xos_json_free(p);
	return st;
}

static enum xos_status open_renewal(const struct xos_json *doc, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_cad_renewal *r, struct xos_err *err)
{
	/* No tolerance: the end was set by the same clock as it is compared with. */
	const struct xos_verify_opts opts = {
	    .now = now, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .vo = vo, .purpose = XOS_PURPOSE_ANY};
	struct xos_chain chain = {.n = 0};
	const char *proof = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "proof", "chain");

	xos_buf_init(&payload, XOS_CAD_RENEWAL_MAX);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "proof", XOS_CAD_RENEWAL_MAX, &proof, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, &chain, &opts, &r->who, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(chain.cert[0]), XOS_CAD_RENEWAL_TYP,
		    xos_bytes_str(proof), &payload, err);
	if (st == XOS_OK)
		st = read_payload(xos_buf_bytes(&payload), vo, now, r, err);
	xos_buf_free(&payload);
	xos_chain_clear(&chain);
	return st;
}

enum xos_status xos_cad_renewal_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_cad_renewal **out, struct xos_err *err)
{
	struct xos_cad_renewal *r = calloc(1, sizeof(*r));
	struct xos_json *doc = NULL;
	enum xos_status st;

	*out = NULL;
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_cad_request_init(&r->request);
	st = xos_json_parse(body, XOS_CAD_RENEWAL_MAX, &doc, err);
	if (st == XOS_OK)
		st = open_renewal(doc, trust, vo, now, r, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_cad_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}
