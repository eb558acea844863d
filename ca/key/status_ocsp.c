/* OCSP answers, and the responder's certificate. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/key/status_internal.h"
#include "token/profile.h"
#include "token/responder.h"

/* --- the responder --- */

struct fresh {
	struct xos_key *key;
	struct xos_cert *cert;
};

static enum xos_status issue_responder(
    struct ca_key *k, int64_t now, struct fresh *f, struct xos_err *err)
{
	const struct xos_cert *issuer = xos_issuer_cert(k->issuer);
	int64_t from = now - XOS_TOKEN_BACKDATE, to = now + CA_RESPONDER_LIFE;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	enum xos_status st = xos_key_generate(&f->key, err);

	if (from < xos_cert_not_before(issuer))
		from = xos_cert_not_before(issuer);
	if (to > xos_cert_not_after(issuer))
		to = xos_cert_not_after(issuer);
	xos_buf_init(&der, XOS_CERT_MAX);
	if (st == XOS_OK)
		st = xos_responder_issue(
		    k->issuer, k->vo, xos_key_spki(f->key), from, to, serial, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), &f->cert, err);
	xos_buf_free(&der);
	return st;
}

/* No certificate exists that the log lacks. */
static enum xos_status record(struct ca_key *k, const struct xos_cert *c, struct xos_err *err)
{
	const struct ca_responder_record r = {.serial = xos_cert_serial_text(c),
	    .not_before = xos_cert_not_before(c),
	    .not_after = xos_cert_not_after(c),
	    .spki_sha256 = xos_key_spki_sha256(xos_cert_key(c))};
	struct xos_buf b;
	enum xos_status st, done;

	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_responder(&r, &b, err);
	if (st == XOS_OK)
		st = xos_log_stage(k->log, CA_RECORD_RESPONDER, xos_buf_bytes(&b), NULL, err);
	xos_buf_free(&b);
	done = ca_key_commit(k, k->acts, st == XOS_OK ? err : NULL);
	return st == XOS_OK ? done : st;
}

static enum xos_status demand_responder(struct ca_key *k, int64_t now, struct xos_err *err)
{
	struct ca_status *s = k->status;
	struct fresh f = {NULL, NULL};
	enum xos_status st;

	if (s->responder && now >= s->responder_since &&
	    now - s->responder_since < CA_RESPONDER_LIFE / 2)
		return XOS_OK;
	st = issue_responder(k, now, &f, err);
	if (st == XOS_OK)
		st = record(k, f.cert, err);
	if (st != XOS_OK) {
		xos_key_free(f.key);
		xos_cert_free(f.cert);
		return st;
	}
	xos_key_free(s->responder_key);
	xos_cert_free(s->responder);
	s->responder_key = f.key;
	s->responder = f.cert;
	s->responder_since = now;
	XOS_EVENT(XOS_INFO, "responder.issued", "serial", xos_cert_serial_text(s->responder));
	return XOS_OK;
}

/* --- answers --- */

/* A serial that we never gave out, or whose token expired for good, is unknown: RFC 6960 2.2 allows "good" for
 * it, and we do not say more than we know. */
static struct xos_ocsp_single look_up(struct ca_key *k, const struct xos_ocsp_id *id, int64_t now)
{
	struct xos_ocsp_single s = {.state = XOS_OCSP_UNKNOWN};
	const struct ca_token *t = NULL;
	const struct ca_cause *cause;

	if (xos_ocsp_id_is_of(id, &k->status->issuer))
		t = ca_tokens_find(k->tokens, id->serial);
	if (!t || t->delegation || t->not_after + CA_TOKENS_KEEP <= now)
		return s;
	s.state = XOS_OCSP_GOOD;
	cause = ca_held_cause(k->status->held, t);
	if (cause)
		s = (struct xos_ocsp_single){XOS_OCSP_REVOKED, cause->since, cause->reason};
	return s;
}

static enum xos_status answer(struct ca_key *k, const struct xos_ocsp_request *q, int64_t now,
    struct ca_status_answer *m, struct xos_buf *der, struct xos_err *err)
{
	struct xos_ocsp_single single[XOS_OCSP_IDS_MAX];
	struct xos_ocsp_answer a = {.request = q, .single = single, .this_update = now};
	bool known = true;
	enum xos_status st = ca_status_refresh(k, now, err);

	if (st == XOS_OK)
		st = demand_responder(k, now, err);
	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < q->n; i++) {
		single[i] = look_up(k, &q->id[i], now);
		known = known && single[i].state != XOS_OCSP_UNKNOWN;
	}
	a.next_update = now + CA_STATUS_LIFE;
	if (a.next_update > xos_cert_not_after(k->status->responder))
		a.next_update = xos_cert_not_after(k->status->responder);
	st = xos_ocsp_answer_sign(k->status->responder, k->status->responder_key, &a, der, err);
	/* An unknown one may be issued in a moment. */
	if (st == XOS_OK && known && !q->nonce.n) {
		m->this_update = now;
		m->next_update = a.next_update;
	}
	return st;
}

static bool any_is_ours(const struct ca_key *k, const struct xos_ocsp_request *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (xos_ocsp_id_is_of(&q->id[i], &k->status->issuer))
			return true;
	return false;
}

enum xos_status ca_handle_ocsp(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_status_answer m = {.this_update = 0};
	struct xos_ocsp_request q;
	struct xos_buf der;
	enum xos_status st = xos_ocsp_request_parse(payload, &q, err);

	(void)from;
	if (st != XOS_OK)
		return st;
	xos_buf_init(&der, XOS_OCSP_RESPONSE_MAX);
	if (any_is_ours(k, &q))
		st = answer(k, &q, xos_clock_now(), &m, &der, err);
	else
		xos_ocsp_failure_put(&der, XOS_OCSP_UNAUTHORIZED);
	if (st == XOS_OK) {
		m.version = ca_held_version(k->status->held);
		m.der = xos_buf_bytes(&der);
		ca_status_answer_put(reply, &m);
	} else {
		xos_event_err(XOS_ERROR, "ocsp.unsigned", err, (const char *)NULL);
	}
	xos_buf_free(&der);
	return st;
}
