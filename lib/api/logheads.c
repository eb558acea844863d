#include "api/logheads.h"

#include <string.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "api/logproof.h"
#include "api/signer.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"
#include "token/verify.h"

static const struct {
	const char *service, *suffix;
	enum xos_kind kind;
} logs[XOS_VO_LOGS] = {
    [XOS_VO_LOG_CA] = {"ca", "ca", XOS_KIND_USER},
    [XOS_VO_LOG_RCA] = {"rca", "nodes", XOS_KIND_NODE},
    [XOS_VO_LOG_ACCOUNTING] = {"accounting", "accounting", XOS_KIND_ACCOUNTING},
};

const char *xos_vo_log_service(enum xos_vo_log l)
{
	return logs[l].service;
}

enum xos_kind xos_vo_log_kind(enum xos_vo_log l)
{
	return logs[l].kind;
}

void xos_vo_log_name(enum xos_vo_log l, const char *vo, char out[XOS_LOG_NAME_MAX + 1])
{
	/* A name that does not fit was never given to a log: the empty one matches none. */
	if (!xos_str_printf(out, XOS_LOG_NAME_MAX + 1, "%s/%s", vo, logs[l].suffix))
		out[0] = '\0';
}

bool xos_vo_log_of_service(const char *service, enum xos_vo_log *out)
{
	for (unsigned i = 0; i < XOS_VO_LOGS; i++)
		if (strcmp(logs[i].service, service) == 0) {
			*out = (enum xos_vo_log)i;
			return true;
		}
	return false;
}

/* Certificate i of the list has the key that kid names. */
static const struct xos_cert *by_kid(
    const struct xos_cert *const *cert, size_t n, const char kid[XOS_JWS_KID_TEXT])
{
	char own[XOS_JWS_KID_TEXT];

	for (size_t i = 0; i < n; i++) {
		xos_jws_kid(xos_cert_key(cert[i]), own);
		if (strcmp(own, kid) == 0)
			return cert[i];
	}
	return NULL;
}

static enum xos_status malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "log-head", "no signed head of a log: %s", what);
}

/* --- sending --- */

static enum xos_status put_certificate(const struct xos_chain *chain, const char *kid,
    const struct xos_cert *const *known, size_t nknown, struct xos_buf *out, struct xos_err *err)
{
	const struct xos_cert *c;

	if (by_kid(known, nknown, kid))
		return XOS_OK;
	c = by_kid((const struct xos_cert *const *)chain->cert, chain->n, kid);
	if (!c)
		return malformed(err, "its signer's certificate is missing");
	xos_buf_put_str(out, "~");
	xos_base64url_encode(out, xos_cert_der(c));
	return XOS_OK;
}

enum xos_status xos_loghead_carry(const struct xos_json *doc, const struct xos_cert *const *known,
    size_t nknown, struct xos_buf *out, struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_chain chain = {.n = 0};
	struct xos_log_head head;
	struct xos_buf encoded;

	xos_buf_init(&encoded, XOS_LOGPROOF_HEAD_MAX);
	enum xos_status st = xos_json_get_bytes(doc, "head", XOS_LOGPROOF_HEAD_MAX, &encoded, err);
	if (st == XOS_OK)
		st = xos_log_head_decode(xos_buf_bytes(&encoded), &head, &compact, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_jws_peek_kid(XOS_LOGHEAD_TYP, compact, kid, err);
	if (st == XOS_OK) {
		xos_buf_put(out, compact.p, compact.n);
		st = put_certificate(&chain, kid, known, nknown, out, err);
	}
	if (st == XOS_OK && xos_buf_status(out) != XOS_OK)
		st = xos_err_set(err, XOS_LIMIT, "log-head", "the head does not fit");
	xos_chain_clear(&chain);
	xos_buf_free(&encoded);
	return st;
}

/* --- arriving --- */

void xos_carried_head_clear(struct xos_carried_head *h)
{
	xos_buf_free(&h->encoded);
	xos_cert_free(h->signer);
	*h = (struct xos_carried_head){.signer = NULL};
}

static enum xos_status split(struct xos_bytes carried, struct xos_bytes *compact,
    struct xos_cert **cert, struct xos_err *err)
{
	const uint8_t *mark = carried.n ? memchr(carried.p, '~', carried.n) : NULL;
	struct xos_buf der;

	*compact = carried;
	if (!mark)
		return XOS_OK;
	compact->n = (size_t)(mark - carried.p);
	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st =
	    xos_base64url_decode(&der, (const char *)mark + 1, carried.n - compact->n - 1);
	if (st != XOS_OK)
		st = malformed(err, "the certificate beside it is none");
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), cert, err);
	xos_buf_free(&der);
	return st;
}

/* A reference to the certificate whose key the signature names. */
static enum xos_status find_signer(struct xos_bytes compact, struct xos_cert *beside,
    const struct xos_carried_want *want, struct xos_cert **out, struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	const struct xos_cert *list[1] = {beside}, *found;
	enum xos_status st = xos_jws_peek_kid(XOS_LOGHEAD_TYP, compact, kid, err);

	if (st != XOS_OK)
		return st;
	found = beside ? by_kid(list, 1, kid) : by_kid(want->known, want->nknown, kid);
	for (size_t i = 0; !beside && !found && i < xos_trust_issuer_count(want->trust); i++) {
		list[0] = xos_trust_issuer(want->trust, i);
		found = by_kid(list, 1, kid);
	}
	if (!found)
		return xos_err_set(err, XOS_DENIED, "foreign-signer",
		    "a head of a log is signed by a key that nobody here knows");
	*out = xos_cert_ref((struct xos_cert *)(uintptr_t)found);
	return XOS_OK;
}

/* Is it the accounting key of this VO? An issuer signs no heads of that log, nor the reverse. */
static enum xos_status check_accounting(
    const struct xos_cert *signer, const struct xos_carried_want *want, struct xos_err *err)
{
	struct xos_verify_opts opts = {.now = want->now,
	    .skew = want->skew,
	    .kinds = XOS_KIND_BIT(XOS_KIND_ACCOUNTING),
	    .vo = want->vo};
	struct xos_identity *who = NULL;
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_chain_add(&chain, signer);

	if (st == XOS_OK)
		st = xos_token_verify_chain(want->trust, &chain, &opts, &who, err);
	xos_identity_free(who);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status check_signer(enum xos_vo_log log, const struct xos_cert *signer,
    const struct xos_carried_want *want, struct xos_err *err)
{
	if (log == XOS_VO_LOG_ACCOUNTING)
		return check_accounting(signer, want, err);
	/* The certificate is only read there. */
	return xos_api_signer((void *)(uintptr_t)want->trust,
	    log == XOS_VO_LOG_CA ? XOS_SIGNER_CA : XOS_SIGNER_RCA, want->vo, signer, want->now,
	    err);
}

static enum xos_status judge(
    const struct xos_carried_want *want, struct xos_carried_head *h, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1], time[XOS_TIME_TEXT];
	unsigned i = 0;

	for (; i < XOS_VO_LOGS; i++) {
		xos_vo_log_name((enum xos_vo_log)i, want->vo, name);
		if (strcmp(name, h->head.name) == 0)
			break;
	}
	if (i == XOS_VO_LOGS)
		return xos_err_set(err, XOS_DENIED, "log-name",
		    "a signed head of %s, which is no log of the VO %s", h->head.name, want->vo);
	h->log = (enum xos_vo_log)i;
	xos_time_format(h->head.time, time);
	if (h->head.time > want->now + want->skew)
		return xos_err_set(err, XOS_NOT_YET_VALID, "log-head-time",
		    "the head of %s is signed at %s, which is not yet: a clock is wrong",
		    h->head.name, time);
	enum xos_status st = check_signer(h->log, h->signer, want, err);
	/* By a key that was tainted meanwhile only what it signed before counts. */
	return st == XOS_OK
	           ? xos_trust_judge(want->trust, want->vo, xos_cert_fingerprint(h->signer),
	                 xos_cert_subject_text(h->signer), h->head.time, err)
	           : st;
}

static enum xos_status arrive(struct xos_bytes compact, const struct xos_carried_want *want,
    struct xos_carried_head *h, struct xos_err *err)
{
	struct xos_loghead signer = {.key = xos_cert_key(h->signer)};
	struct xos_log_crypto crypto = xos_loghead_crypto(&signer);
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_LOGHEAD_PAYLOAD_MAX);
	enum xos_status st =
	    xos_jws_verify(xos_cert_key(h->signer), XOS_LOGHEAD_TYP, compact, &payload, err);
	if (st == XOS_OK)
		st = xos_loghead_payload(xos_buf_bytes(&payload), &h->head, err);
	if (st == XOS_OK)
		st = judge(want, h, err);
	/* The form in which it is kept must say what was signed, to the byte. */
	if (st == XOS_OK)
		st = crypto.verify_head(crypto.ctx, &h->head, compact, err);
	if (st == XOS_OK) {
		xos_log_head_encode(&h->encoded, &h->head, compact);
		st = xos_buf_status(&h->encoded);
	}
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_loghead_arrive(struct xos_bytes carried, const struct xos_carried_want *want,
    struct xos_carried_head *out, struct xos_err *err)
{
	struct xos_carried_head h = {.signer = NULL};
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_cert *beside = NULL;

	xos_buf_init(&h.encoded, XOS_LOGPROOF_HEAD_MAX);
	enum xos_status st = split(carried, &compact, &beside, err);
	if (st == XOS_OK)
		st = find_signer(compact, beside, want, &h.signer, err);
	if (st == XOS_OK)
		st = arrive(compact, want, &h, err);
	if (st == XOS_OK) {
		*out = h;
		h = (struct xos_carried_head){.signer = NULL};
	}
	xos_cert_free(beside);
	xos_carried_head_clear(&h);
	return st;
}

struct xos_json *xos_loghead_doc(const struct xos_carried_head *h)
{
	struct xos_json *doc = xos_json_object();
	struct xos_chain chain = {.n = 0};

	xos_json_set_string(doc, "log", h->head.name);
	xos_json_set_bytes(doc, "head", xos_buf_bytes(&h->encoded));
	if (xos_chain_add(&chain, h->signer) == XOS_OK)
		xos_chain_to_json(doc, "chain", &chain);
	xos_chain_clear(&chain);
	return doc;
}
