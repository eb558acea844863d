/* OCSP answers. */
#include "pki/ocsp.h"

#include "pki/der.h"
#include "pki/internal.h"

#define OID_BASIC_RESPONSE XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01")
#define OID_NONCE XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x02")

/* ResponderID byKey [2]: SHA-1 of the bits of the responder's key. */
static void put_responder(struct xos_der *w, const struct xos_cert *responder)
{
	struct xos_ocsp_issuer hashes;

	if (xos_ocsp_issuer_init(responder, &hashes, NULL) != XOS_OK) {
		w->failed = true;
		return;
	}
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 2);
	xos_der_put(
	    w, XOS_DER_OCTET_STRING, (struct xos_bytes){hashes.sha1_key, sizeof(hashes.sha1_key)});
	xos_der_end(w);
}

static void put_state(struct xos_der *w, const struct xos_ocsp_single *s)
{
	switch (s->state) {
	case XOS_OCSP_GOOD:
		xos_der_put(w, XOS_DER_CONTEXT | 0, XOS_BYTES_NONE);
		return;
	case XOS_OCSP_REVOKED:
		xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 1);
		xos_der_put_time(w, s->since);
		if (s->reason != XOS_CRL_UNSPECIFIED) {
			xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
			xos_der_put_u64(w, XOS_DER_ENUMERATED, (uint64_t)s->reason);
			xos_der_end(w);
		}
		xos_der_end(w);
		return;
	case XOS_OCSP_UNKNOWN:
		break;
	}
	xos_der_put(w, XOS_DER_CONTEXT | 2, XOS_BYTES_NONE);
}

static void put_single(struct xos_der *w, const struct xos_ocsp_answer *a, size_t i)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_raw(w, a->request->id[i].der);
	put_state(w, &a->single[i]);
	xos_der_put_time(w, a->this_update);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_put_time(w, a->next_update);
	xos_der_end(w);
	xos_der_end(w);
}

static void put_nonce(struct xos_der *w, struct xos_bytes nonce)
{
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 1);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, OID_NONCE);
	xos_der_begin(w, XOS_DER_OCTET_STRING);
	xos_der_put(w, XOS_DER_OCTET_STRING, nonce);
	for (unsigned k = 0; k < 4; k++)
		xos_der_end(w);
}

static enum xos_status put_data(const struct xos_cert *responder, const struct xos_ocsp_answer *a,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_der w;
	enum xos_status st;

	xos_der_init(&w, out);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	put_responder(&w, responder);
	xos_der_put_time(&w, a->this_update);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	for (size_t i = 0; i < a->request->n; i++)
		put_single(&w, a, i);
	xos_der_end(&w);
	if (a->request->nonce.n)
		put_nonce(&w, a->request->nonce);
	xos_der_end(&w);
	st = xos_der_finish(&w);
	return st == XOS_OK ? st
	                    : xos_err_set(err, st, "ocsp-answer", "the answer cannot be encoded");
}

static void put_response(struct xos_der *w, struct xos_bytes data, struct xos_bytes sig,
    const struct xos_cert *responder, const struct xos_key *key)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_u64(w, XOS_DER_ENUMERATED, 0);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, OID_BASIC_RESPONSE);
	xos_der_begin(w, XOS_DER_OCTET_STRING);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_raw(w, data);
	xos_der_put_raw(w, pki_key_sigalg(xos_key_type(key)));
	xos_der_put_bits(w, sig);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_raw(w, xos_cert_der(responder));
	for (unsigned k = 0; k < 7; k++)
		xos_der_end(w);
}

enum xos_status xos_ocsp_answer_sign(const struct xos_cert *responder, const struct xos_key *key,
    const struct xos_ocsp_answer *a, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf data, sig;
	size_t before = out->n;
	struct xos_der w;
	enum xos_status st;

	if (!xos_key_same(xos_cert_key(responder), key) || a->next_update <= a->this_update)
		return xos_err_set(err, XOS_MALFORMED, "ocsp-answer",
		    "no answer by this key, or with these times");
	xos_buf_init(&data, XOS_OCSP_RESPONSE_MAX);
	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	st = put_data(responder, a, &data, err);
	if (st == XOS_OK)
		st = xos_key_sign(key, xos_buf_bytes(&data), &sig, err);
	if (st == XOS_OK) {
		xos_der_init(&w, out);
		put_response(&w, xos_buf_bytes(&data), xos_buf_bytes(&sig), responder, key);
		st = xos_der_finish(&w);
		if (st != XOS_OK) {
			out->n = before;
			st = xos_err_set(err, st, "ocsp-answer", "no room for the answer");
		}
	}
	xos_buf_free(&sig);
	xos_buf_free(&data);
	return st;
}

void xos_ocsp_failure_put(struct xos_buf *out, enum xos_ocsp_failure why)
{
	const uint8_t der[] = {XOS_DER_SEQUENCE, 3, XOS_DER_ENUMERATED, 1, (uint8_t)why};

	xos_buf_put(out, der, sizeof(der));
}
