/* OCSP requests, and the names of an issuer in them. */
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/ocsp.h"

#define OID_SHA1 XOS_OID("\x2b\x0e\x03\x02\x1a")
#define OID_SHA256 XOS_OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define OID_NONCE XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x02")
#define SHA1_LEN 20

/* AlgorithmIdentifier of the hash; parameters NULL or absent. */
static bool read_hash(struct xos_reader *r, bool *sha256)
{
	struct xos_reader in;
	struct xos_bytes oid, none;

	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &in) || !xos_der_take(&in, XOS_DER_OID, &oid))
		return false;
	if (in.left && (!xos_der_take(&in, XOS_DER_NULL, &none) || none.n))
		return false;
	*sha256 = xos_bytes_eq(oid, OID_SHA256);
	return (*sha256 || xos_bytes_eq(oid, OID_SHA1)) && xos_reader_end(&in) == XOS_OK;
}

/* A serial number that some certificate may have; RFC 5280 4.1.2.2. */
static bool read_serial(struct xos_reader *r, struct xos_bytes *serial)
{
	struct xos_bytes v;

	if (!xos_der_take(r, XOS_DER_INTEGER, &v) || v.n == 0 || (v.p[0] & 0x80))
		return false;
	if (v.p[0] == 0 && v.n > 1) {
		if (!(v.p[1] & 0x80))
			return false;
		v.p++;
		v.n--;
	}
	*serial = v;
	return v.n <= XOS_SERIAL_MAX;
}

static bool read_id(struct xos_reader *r, struct xos_ocsp_id *id)
{
	struct xos_reader in, whole;
	uint8_t tag = 0;
	size_t len;

	if (!xos_der_any(r, &tag, NULL, &id->der) || tag != XOS_DER_SEQUENCE)
		return false;
	xos_reader_init(&whole, id->der);
	if (!xos_der_enter(&whole, XOS_DER_SEQUENCE, &in) || !read_hash(&in, &id->sha256) ||
	    !xos_der_take(&in, XOS_DER_OCTET_STRING, &id->name_hash) ||
	    !xos_der_take(&in, XOS_DER_OCTET_STRING, &id->key_hash) ||
	    !read_serial(&in, &id->serial) || xos_reader_end(&in) != XOS_OK)
		return false;
	len = id->sha256 ? XOS_SHA256_LEN : SHA1_LEN;
	return id->name_hash.n == len && id->key_hash.n == len;
}

/* nonce: NULL where none belongs. An extension that is critical wants something of us that we do not do. */
static bool read_exts(struct xos_reader *r, struct xos_bytes *nonce)
{
	struct xos_reader list, in, value;
	struct xos_bytes oid, v;
	bool critical;

	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &list) || list.left == 0)
		return false;
	while (list.left) {
		critical = false;
		if (!xos_der_enter(&list, XOS_DER_SEQUENCE, &in) ||
		    !xos_der_take(&in, XOS_DER_OID, &oid))
			return false;
		if (xos_der_next_is(&in, XOS_DER_BOOLEAN) &&
		    (!xos_der_bool(&in, &critical) || !critical))
			return false;
		if (!xos_der_enter(&in, XOS_DER_OCTET_STRING, &value) ||
		    xos_reader_end(&in) != XOS_OK)
			return false;
		if (nonce && xos_bytes_eq(oid, OID_NONCE)) {
			if (nonce->n || !xos_der_take(&value, XOS_DER_OCTET_STRING, &v) ||
			    xos_reader_end(&value) != XOS_OK || v.n == 0 ||
			    v.n > XOS_OCSP_NONCE_MAX)
				return false;
			*nonce = v;
		} else if (critical) {
			return false;
		}
	}
	return xos_reader_end(r) == XOS_OK;
}

/* Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL } */
static bool read_single(struct xos_reader *list, struct xos_ocsp_id *id)
{
	struct xos_reader in, exts;

	if (!xos_der_enter(list, XOS_DER_SEQUENCE, &in) || !read_id(&in, id))
		return false;
	if (in.left && (!xos_der_enter(&in, XOS_DER_CONTEXT_CONSTRUCTED | 0, &exts) ||
	                   !read_exts(&exts, NULL)))
		return false;
	return xos_reader_end(&in) == XOS_OK;
}

static bool read_version(struct xos_reader *tbs)
{
	struct xos_reader in;
	uint64_t version = 0;

	/* v1 is the default, which DER leaves out; it is accepted stated, as RFC 6960 B.1 writes it. */
	return xos_der_enter(tbs, XOS_DER_CONTEXT_CONSTRUCTED | 0, &in) &&
	       xos_der_u64(&in, XOS_DER_INTEGER, 0, &version) && xos_reader_end(&in) == XOS_OK;
}

static bool read_tbs(struct xos_reader *r, struct xos_ocsp_request *q, bool *many)
{
	struct xos_reader tbs, list, in;
	struct xos_bytes ignored;

	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &tbs))
		return false;
	if (xos_der_next_is(&tbs, XOS_DER_CONTEXT_CONSTRUCTED | 0) && !read_version(&tbs))
		return false;
	if (xos_der_next_is(&tbs, XOS_DER_CONTEXT_CONSTRUCTED | 1) &&
	    !xos_der_take(&tbs, XOS_DER_CONTEXT_CONSTRUCTED | 1, &ignored))
		return false;
	if (!xos_der_enter(&tbs, XOS_DER_SEQUENCE, &list) || list.left == 0)
		return false;
	while (list.left) {
		if (q->n == XOS_OCSP_IDS_MAX) {
			*many = true;
			return false;
		}
		if (!read_single(&list, &q->id[q->n++]))
			return false;
	}
	if (tbs.left && (!xos_der_enter(&tbs, XOS_DER_CONTEXT_CONSTRUCTED | 2, &in) ||
	                    !read_exts(&in, &q->nonce)))
		return false;
	return xos_reader_end(&tbs) == XOS_OK;
}

enum xos_status xos_ocsp_request_parse(
    struct xos_bytes der, struct xos_ocsp_request *out, struct xos_err *err)
{
	struct xos_ocsp_request q = {.n = 0};
	struct xos_reader outer, r;
	struct xos_bytes signature;
	bool many = false, ok;

	memset(out, 0, sizeof(*out));
	if (der.n > XOS_OCSP_REQUEST_MAX)
		return xos_err_set(err, XOS_LIMIT, "ocsp-request",
		    "an OCSP request of %zu bytes; at most %d are read", der.n,
		    XOS_OCSP_REQUEST_MAX);
	if (!xos_der_is_strict(der))
		return xos_err_set(
		    err, XOS_MALFORMED, "ocsp-request", "the OCSP request is not strict DER");
	xos_reader_init(&outer, der);
	ok = xos_der_enter(&outer, XOS_DER_SEQUENCE, &r) && read_tbs(&r, &q, &many);
	if (ok && r.left)
		ok = xos_der_take(&r, XOS_DER_CONTEXT_CONSTRUCTED | 0, &signature);
	if (many)
		return xos_err_set(err, XOS_LIMIT, "ocsp-request",
		    "an OCSP request for more than %d certificates", XOS_OCSP_IDS_MAX);
	if (!ok || xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "ocsp-request",
		    "no OCSP request of version 1 with hashes by SHA-1 or SHA-256, a nonce of at "
		    "most %d bytes and no critical extension",
		    XOS_OCSP_NONCE_MAX);
	*out = q;
	return XOS_OK;
}

enum xos_status xos_ocsp_request_from_base64(
    const char *text, struct xos_buf *buf, struct xos_ocsp_request *out, struct xos_err *err)
{
	size_t n = strlen(text);

	memset(out, 0, sizeof(*out));
	if (n > 4 * ((XOS_OCSP_REQUEST_MAX + 2) / 3))
		return xos_err_set(err, XOS_LIMIT, "ocsp-request",
		    "an OCSP request of %zu characters is too long", n);
	if (xos_base64_decode(buf, text, n) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "ocsp-request",
		    "the OCSP request is not base64 (escaped as a part of a URL)");
	return xos_ocsp_request_parse(xos_buf_bytes(buf), out, err);
}

/* --- the issuer --- */

/* The bits of the key, which is what requests hash (RFC 6960 4.1.1). */
static bool key_bits(const struct xos_cert *c, struct xos_bytes *bits)
{
	struct xos_reader r, in;
	struct xos_bytes alg;

	xos_reader_init(&r, xos_key_spki(xos_cert_key(c)));
	return xos_der_enter(&r, XOS_DER_SEQUENCE, &in) &&
	       xos_der_take(&in, XOS_DER_SEQUENCE, &alg) && xos_der_bits(&in, bits);
}

/* SHA-1 here names keys and does not protect anything. */
static bool sha1(struct xos_bytes in, uint8_t out[SHA1_LEN])
{
	unsigned n = 0;

	return EVP_Digest(in.p, in.n, out, &n, EVP_sha1(), NULL) == 1 && n == SHA1_LEN;
}

enum xos_status xos_ocsp_issuer_init(
    const struct xos_cert *issuer, struct xos_ocsp_issuer *out, struct xos_err *err)
{
	struct xos_bytes name = xos_cert_subject_der(issuer), bits = XOS_BYTES_NONE;

	if (!key_bits(issuer, &bits) || !sha1(name, out->sha1_name) || !sha1(bits, out->sha1_key) ||
	    xos_sha256(name, out->sha256_name) != XOS_OK ||
	    xos_sha256(bits, out->sha256_key) != XOS_OK)
		return pki_ossl_err(err, "hashing the name of an issuer");
	return XOS_OK;
}

static bool same(struct xos_bytes a, const uint8_t *b, size_t n)
{
	return xos_bytes_eq(a, (struct xos_bytes){b, n});
}

bool xos_ocsp_id_is_of(const struct xos_ocsp_id *id, const struct xos_ocsp_issuer *i)
{
	if (id->sha256)
		return same(id->name_hash, i->sha256_name, XOS_SHA256_LEN) &&
		       same(id->key_hash, i->sha256_key, XOS_SHA256_LEN);
	return same(id->name_hash, i->sha1_name, SHA1_LEN) &&
	       same(id->key_hash, i->sha1_key, SHA1_LEN);
}
