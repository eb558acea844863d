/* Terms, joining by a code, leaving: both halves. */
#include "api/rca_admission.h"

#include <string.h>

#include "api/chainjson.h"
#include "api/rca_proof.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"

#define SKEW 300

static const char *path_of(
    struct xos_buf *path, const char *vo, const char *what, const char *site, const char *rest)
{
	xos_buf_init(path, 1024);
	xos_buf_put_str(path, "/v1/vo/");
	xos_path_encode(path, vo);
	xos_buf_put_str(path, what);
	if (site) {
		xos_path_encode(path, site);
		xos_buf_put_str(path, rest);
	}
	return xos_buf_str(path);
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status xos_rca_terms_put(struct xos_client *c, const char *vo, const char *site,
    struct xos_bytes compact, struct xos_err *err)
{
	struct xos_answer *answer = NULL;
	struct xos_buf path;
	const char *p = path_of(&path, vo, "/sites/", site, "/admission");
	const struct xos_client_request req = {
	    .method = "PUT", .path = p, .content_type = "application/jose", .body = compact};
	enum xos_status st = p ? xos_client_call(c, &req, &answer, err) : no_memory(err);

	if (st == XOS_OK)
		st = xos_answer_check(c, answer, err);
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}

/* --- joining by a code --- */

enum xos_status xos_rca_join(struct xos_client *c, const char *vo,
    const struct xos_rca_application *a, struct xos_secret *code, char id[XOS_RCA_ID_LEN + 1],
    struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *answer = NULL;
	char text[XOS_RCA_CODE_MAX + 1] = "";
	struct xos_buf path;
	const char *p = path_of(&path, vo, "/joins", NULL, NULL);
	enum xos_status st = p ? XOS_OK : no_memory(err);

	if (st == XOS_OK && xos_secret_len(code) > XOS_RCA_CODE_MAX)
		st =
		    xos_err_set(err, XOS_MALFORMED, "code-form", "this is no code: it is too long");
	if (st == XOS_OK) {
		memcpy(text, xos_secret_data(code), xos_secret_len(code));
		xos_json_set(doc, "application", xos_rca_application_encode(a));
		xos_json_set_string(doc, "code", text);
		st = xos_client_json(c, "POST", p, doc, &answer, err);
	}
	if (st == XOS_OK && !answer)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	if (st == XOS_OK)
		st = xos_json_copy_string(answer, "id", id, XOS_RCA_ID_LEN + 1, err);
	xos_wipe(text, sizeof(text));
	xos_json_free(answer);
	xos_json_free(doc);
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_rca_join_decode(struct xos_bytes body, struct xos_rca_application **a,
    char code[XOS_RCA_CODE_MAX + 1], struct xos_err *err)
{
	struct xos_json *doc = NULL, *copy = NULL;
	const struct xos_json *app = NULL;
	enum xos_status st = xos_json_parse(body, XOS_RCA_BODY_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "application", "code");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "code", code, XOS_RCA_CODE_MAX + 1, err);
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "application", &app, err);
	if (st == XOS_OK) {
		copy = xos_json_copy(app);
		st = copy ? xos_rca_application_decode(copy, a, err) : no_memory(err);
	}
	xos_json_free(copy);
	xos_json_free(doc);
	return st;
}

/* --- leaving --- */

enum xos_status xos_rca_leave_sign(const char *vo, const struct xos_chain *own, int64_t now,
    struct xos_json **body, struct xos_err *err)
{
	return xos_rca_proof_sign(XOS_RCA_LEAVE_TYP, vo, own, xos_json_object(), now, body, err);
}

enum xos_status xos_rca_leave(
    struct xos_client *c, const char *vo, const struct xos_chain *own, struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_buf path;
	const char *p = path_of(&path, vo, "/leave", NULL, NULL);
	enum xos_status st =
	    p ? xos_rca_leave_sign(vo, own, xos_clock_now(), &body, err) : no_memory(err);

	if (st == XOS_OK)
		st = xos_client_json(c, "POST", p, body, &answer, err);
	xos_json_free(answer);
	xos_json_free(body);
	xos_buf_free(&path);
	return st;
}

static enum xos_status read_payload(struct xos_bytes payload, const char *vo, int64_t now,
    struct xos_rca_leave *l, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const char *got_vo = NULL, *aud = NULL;
	int64_t iat = 0;
	enum xos_status st = xos_json_parse(payload, XOS_RCA_BODY_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "aud", "iat", "exp", "jti");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &got_vo, err);
	if (st == XOS_OK)
		st = xos_json_get_string(p, "aud", 16, &aud, err);
	if (st == XOS_OK && (strcmp(got_vo, vo) != 0 || strcmp(aud, XOS_RCA_AUD) != 0))
		st = xos_err_set(err, XOS_DENIED, "leave-audience",
		    "the node leaves the VO %s at %s, not %s at %s", got_vo, aud, vo, XOS_RCA_AUD);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "iat", &iat, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "exp", &l->exp, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", l->jti, sizeof(l->jti), err);
	if (st == XOS_OK && (strlen(l->jti) != 32 || strspn(l->jti, "0123456789abcdef") != 32))
		st = xos_json_refuse(p, err, "jti must be 32 hexadecimal digits");
	if (st == XOS_OK && (l->exp <= iat || l->exp - iat > XOS_RCA_LEAVE_LIFE))
		st = xos_json_refuse(
		    p, err, "the life of this is 1 to %d seconds", XOS_RCA_LEAVE_LIFE);
	if (st == XOS_OK && iat - SKEW > now)
		st = xos_err_set(err, XOS_NOT_YET_VALID, "leave-time",
		    "this was signed in the future: compare the clocks");
	if (st == XOS_OK && now >= l->exp + SKEW)
		st = xos_err_set(err, XOS_EXPIRED, "leave-time",
		    "this was signed too long ago: compare the clocks");
	xos_json_free(p);
	return st;
}

static enum xos_status open_leave(const struct xos_json *doc, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_leave *l, struct xos_err *err)
{
	const struct xos_verify_opts opts = {.now = now,
	    .skew = SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_NODE),
	    .vo = vo,
	    .purpose = XOS_PURPOSE_ANY};
	const char *proof = NULL;
	struct xos_chain chain = {.n = 0};
	struct xos_identity *who = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_RCA_BODY_MAX);
	enum xos_status st = XOS_JSON_ONLY(doc, err, "proof", "chain");
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "proof", XOS_RCA_BODY_MAX, &proof, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, &chain, &opts, &who, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(chain.cert[0]), XOS_RCA_LEAVE_TYP,
		    xos_bytes_str(proof), &payload, err);
	if (st == XOS_OK)
		st = read_payload(xos_buf_bytes(&payload), vo, now, l, err);
	if (st == XOS_OK &&
	    (!xos_str_copy(l->node, sizeof(l->node), who->claims->name) ||
	        !xos_str_copy(l->serial, sizeof(l->serial), xos_cert_serial_text(chain.cert[0]))))
		st = xos_err_set(err, XOS_INTERNAL, "leave", "a name does not fit");
	xos_identity_free(who);
	xos_chain_clear(&chain);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_rca_leave_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_leave *out, struct xos_err *err)
{
	struct xos_rca_leave l = {.exp = 0};
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(body, XOS_RCA_BODY_MAX, &doc, err);

	if (st == XOS_OK)
		st = open_leave(doc, trust, vo, now, &l, err);
	xos_json_free(doc);
	if (st == XOS_OK)
		*out = l;
	return st;
}
