#include "pki/csr.h"

#include <string.h>

#include "pki/der.h"
#include "pki/internal.h"

/* CertificationRequestInfo: version 0, empty subject, key, no attributes. */
static void put_info(struct xos_der *w, struct xos_bytes spki)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_u64(w, XOS_DER_INTEGER, 0);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_end(w);
	xos_der_put_raw(w, spki);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_end(w);
	xos_der_end(w);
}

enum xos_status xos_csr_make(const struct xos_key *key, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf info, sig;
	struct xos_der w;
	enum xos_status st;

	xos_buf_init(&info, XOS_CSR_MAX);
	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	xos_der_init(&w, &info);
	put_info(&w, xos_key_spki(key));
	st = xos_der_finish(&w);
	if (st == XOS_OK)
		st = xos_key_sign(key, xos_buf_bytes(&info), &sig, err);
	if (st == XOS_OK) {
		xos_der_init(&w, out);
		xos_der_begin(&w, XOS_DER_SEQUENCE);
		xos_der_put_raw(&w, xos_buf_bytes(&info));
		xos_der_put_raw(&w, pki_key_sigalg(xos_key_type(key)));
		xos_der_put_bits(&w, xos_buf_bytes(&sig));
		xos_der_end(&w);
		st = xos_der_finish(&w);
		if (st != XOS_OK)
			xos_err_set(err, st, "csr-size", "no room for a certification request");
	}
	xos_buf_free(&sig);
	xos_buf_free(&info);
	return st;
}

struct csr_parts {
	struct xos_bytes info, spki, sigalg, sig;
};

static bool split(struct xos_bytes der, struct csr_parts *p)
{
	struct xos_reader r, outer, info;
	uint64_t version;

	if (der.n > XOS_CSR_MAX || !xos_der_is_strict(der))
		return false;
	xos_reader_init(&r, der);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &outer) ||
	    !xos_der_any(&outer, NULL, NULL, &p->info) ||
	    !xos_der_any(&outer, NULL, NULL, &p->sigalg) || !xos_der_bits(&outer, &p->sig) ||
	    xos_reader_end(&outer) != XOS_OK)
		return false;
	xos_reader_init(&r, p->info);
	/* Subject and attributes are the authority's to choose: read over, never believed. */
	return xos_der_enter(&r, XOS_DER_SEQUENCE, &info) &&
	       xos_der_u64(&info, XOS_DER_INTEGER, 0, &version) &&
	       xos_der_take(&info, XOS_DER_SEQUENCE, &(struct xos_bytes){0}) &&
	       xos_der_any(&info, NULL, NULL, &p->spki) &&
	       xos_der_take(&info, XOS_DER_CONTEXT_CONSTRUCTED | 0, &(struct xos_bytes){0}) &&
	       xos_reader_end(&info) == XOS_OK;
}

/* Does the signature come from the key in the request? */
static enum xos_status check_possession(const struct csr_parts *p, struct xos_err *err)
{
	enum xos_key_type type;
	struct xos_bytes point;
	struct xos_key *key = NULL;
	enum xos_status st = pki_spki_classify(p->spki, &type, &point, err);
	bool ok;

	if (st != XOS_OK)
		return st;
	if (!xos_bytes_eq(p->sigalg, pki_key_sigalg(type)))
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "the request is signed with an algorithm that does not go with its key");
	if (type == XOS_KEY_P256) {
		ok = pki_p256_signed(p->spki, point, p->info, p->sig);
	} else {
		st = xos_key_from_spki(p->spki, &key, err);
		if (st != XOS_OK)
			return st;
		ok = xos_key_verify(key, p->info, p->sig, NULL) == XOS_OK;
		xos_key_free(key);
	}
	if (ok)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "csr-signature",
	    "the request's signature is wrong: the sender did not prove to hold the key");
}

enum xos_status xos_csr_parse(struct xos_bytes der, struct xos_csr *out, struct xos_err *err)
{
	struct csr_parts p;
	enum xos_status st;

	memset(out, 0, sizeof(*out));
	if (!split(der, &p))
		return xos_err_set(err, XOS_MALFORMED, "csr-malformed",
		    "malformed certification request (PKCS#10, strict DER, at most %d bytes)",
		    XOS_CSR_MAX);
	st = check_possession(&p, err);
	if (st == XOS_OK)
		st = xos_sha256(p.spki, out->spki_sha256);
	if (st == XOS_OK)
		out->spki = p.spki;
	return st;
}

enum xos_status xos_csr_from_pem(struct xos_bytes text, struct xos_buf *der, struct xos_err *err)
{
	struct pki_pem pem, extra;
	enum xos_status st = pki_pem_next(&text, &pem, err);

	if (st == XOS_NOT_FOUND ||
	    (st == XOS_OK && !pki_pem_is(&pem, "CERTIFICATE REQUEST") &&
	        !pki_pem_is(&pem, "NEW CERTIFICATE REQUEST")) ||
	    (st == XOS_OK && pki_pem_next(&text, &extra, NULL) != XOS_NOT_FOUND))
		return xos_err_set(err, XOS_MALFORMED, "csr-malformed",
		    "expected exactly one PEM block with a CERTIFICATE REQUEST");
	return st == XOS_OK ? pki_pem_decode(&pem, der, err) : st;
}

enum xos_status xos_csr_to_pem(struct xos_bytes der, struct xos_buf *pem)
{
	pki_pem_encode(pem, "CERTIFICATE REQUEST", der);
	return xos_buf_status(pem);
}
