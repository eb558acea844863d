#include "pki/cert.h"

#include <string.h>

#include "base/text.h"
#include "pki/cert_internal.h"
#include "pki/der.h"
#include "pki/ossl.h"

#define OID_O XOS_OID("\x55\x04\x0a")
#define OID_OU XOS_OID("\x55\x04\x0b")
#define OID_CN XOS_OID("\x55\x04\x03")

static enum xos_status malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "cert-malformed", "malformed certificate: %s", what);
}

static const char *rdn_type(struct xos_bytes oid)
{
	if (xos_bytes_eq(oid, OID_O))
		return "O";
	if (xos_bytes_eq(oid, OID_OU))
		return "OU";
	if (xos_bytes_eq(oid, OID_CN))
		return "CN";
	return "?";
}

/* One RelativeDistinguishedName with exactly one attribute. */
static bool read_rdn(struct xos_reader *name, struct cert_rdn *out)
{
	struct xos_reader set, attr;
	struct xos_bytes oid;
	char value[CERT_VALUE_MAX];
	uint8_t tag;

	if (!xos_der_enter(name, XOS_DER_SET, &set) ||
	    !xos_der_enter(&set, XOS_DER_SEQUENCE, &attr) || xos_reader_end(&set) != XOS_OK ||
	    !xos_der_take(&attr, XOS_DER_OID, &oid) || attr.left == 0)
		return false;
	tag = attr.p[0];
	if (tag != XOS_DER_UTF8 && tag != XOS_DER_PRINTABLE && tag != XOS_DER_IA5)
		return false;
	if (!xos_der_str(&attr, tag, value, sizeof(value)) || xos_reader_end(&attr) != XOS_OK)
		return false;
	out->type = rdn_type(oid);
	out->value = strdup(value);
	return out->value != NULL;
}

static bool read_subject(struct xos_cert *c, struct xos_bytes name)
{
	struct xos_reader r, in;
	struct xos_buf text;

	xos_reader_init(&r, name);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in))
		return false;
	xos_buf_init(&text, CERT_RDN_MAX * (CERT_VALUE_MAX + 8));
	while (in.left && c->nrdn < CERT_RDN_MAX && read_rdn(&in, &c->rdn[c->nrdn])) {
		xos_buf_printf(&text, "%s%s=%s", c->nrdn ? ", " : "", c->rdn[c->nrdn].type,
		    c->rdn[c->nrdn].value);
		c->nrdn++;
	}
	c->subject_text = xos_buf_steal(&text, NULL);
	if (!c->subject_text && c->nrdn == 0)
		c->subject_text = strdup("");
	xos_buf_free(&text);
	return c->subject_text && xos_reader_end(&in) == XOS_OK;
}

static bool read_serial(struct xos_cert *c, struct xos_reader *tbs)
{
	struct xos_bytes v;

	if (!xos_der_take(tbs, XOS_DER_INTEGER, &v) || v.n == 0 || (v.p[0] & 0x80))
		return false;
	if (v.n > 1 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	if (v.n > XOS_SERIAL_MAX || (v.n == 1 && v.p[0] == 0))
		return false;
	c->serial = v;
	xos_hex_encode(c->serial_text, v.p, v.n);
	return true;
}

static bool read_validity(struct xos_cert *c, struct xos_reader *tbs)
{
	struct xos_reader in;

	return xos_der_enter(tbs, XOS_DER_SEQUENCE, &in) && xos_der_time(&in, &c->not_before) &&
	       xos_der_time(&in, &c->not_after) && xos_reader_end(&in) == XOS_OK &&
	       c->not_before <= c->not_after;
}

/* TBSCertificate (RFC 5280 4.1): version 3, no unique identifiers, extensions present. */
static enum xos_status read_tbs(struct xos_cert *c, struct xos_reader *tbs, struct xos_err *err)
{
	struct xos_bytes alg;
	struct xos_reader wrap, seq;
	uint64_t version = 0;

	if (!xos_der_enter(tbs, XOS_DER_CONTEXT_CONSTRUCTED | 0, &wrap) ||
	    !xos_der_u64(&wrap, XOS_DER_INTEGER, 2, &version) || xos_reader_end(&wrap) != XOS_OK ||
	    version != 2)
		return malformed(err, "not of version 3");
	if (!read_serial(c, tbs))
		return malformed(err, "serial number");
	if (!xos_der_any(tbs, NULL, NULL, &alg) || !xos_bytes_eq(alg, c->sigalg))
		return malformed(err, "two different signature algorithms");
	if (!xos_der_any(tbs, NULL, NULL, &c->issuer_der) || c->issuer_der.p[0] != XOS_DER_SEQUENCE)
		return malformed(err, "issuer name");
	if (!read_validity(c, tbs))
		return malformed(err, "validity");
	if (!xos_der_any(tbs, NULL, NULL, &c->subject_der) || !read_subject(c, c->subject_der))
		return malformed(err, "subject name");
	if (!xos_der_any(tbs, NULL, NULL, &c->spki))
		return malformed(err, "public key");
	if (!xos_der_enter(tbs, XOS_DER_CONTEXT_CONSTRUCTED | 3, &wrap) ||
	    !xos_der_enter(&wrap, XOS_DER_SEQUENCE, &seq) || xos_reader_end(&wrap) != XOS_OK ||
	    xos_reader_end(tbs) != XOS_OK ||
	    !pki_cert_list_exts(c, (struct xos_bytes){seq.p, seq.left}))
		return malformed(err, "extensions");
	return XOS_OK;
}

static enum xos_status read_cert(struct xos_cert *c, struct xos_err *err)
{
	struct xos_bytes der = {c->der, c->der_len}, sig;
	struct xos_reader r, outer, tbs;
	enum xos_status st;

	if (!xos_der_is_strict(der))
		return malformed(err, "not strict DER, or bytes after its end");
	xos_reader_init(&r, der);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &outer) ||
	    !xos_der_enter(&outer, XOS_DER_SEQUENCE, &tbs) ||
	    !xos_der_any(&outer, NULL, NULL, &c->sigalg) || !xos_der_bits(&outer, &sig) ||
	    xos_reader_end(&outer) != XOS_OK)
		return malformed(err, "no certificate");
	st = read_tbs(c, &tbs, err);
	if (st == XOS_OK)
		st = pki_cert_read_exts(c, err);
	if (st == XOS_OK)
		st = xos_key_from_spki(c->spki, &c->key, err);
	return st;
}

enum xos_status xos_cert_parse(struct xos_bytes der, struct xos_cert **out, struct xos_err *err)
{
	struct xos_cert *c = NULL;
	enum xos_status st = XOS_INTERNAL;
	const uint8_t *p;

	*out = NULL;
	if (der.n == 0 || der.n > XOS_CERT_MAX)
		return malformed(err, der.n ? "too long" : "empty");
	c = calloc(1, sizeof(*c));
	if (!c)
		return pki_no_memory(err);
	atomic_init(&c->refs, 1);
	c->path_len = -1;
	c->der = malloc(der.n);
	if (!c->der) {
		st = pki_no_memory(err);
		goto out;
	}
	memcpy(c->der, der.p, der.n);
	c->der_len = der.n;
	st = read_cert(c, err);
	if (st != XOS_OK)
		goto out;
	p = c->der;
	c->x509 = d2i_X509(NULL, &p, (long)c->der_len);
	if (!c->x509 || p != c->der + c->der_len) {
		pki_ossl_clear();
		st = malformed(err, "OpenSSL does not read it");
		goto out;
	}
	st = xos_sha256(der, c->fingerprint);
	if (st != XOS_OK) {
		pki_ossl_err(err, "hashing a certificate");
		goto out;
	}
	*out = c;
	c = NULL;
out:
	xos_cert_free(c);
	return st;
}

struct xos_cert *xos_cert_ref(const struct xos_cert *c)
{
	/* Only the counter changes. */
	struct xos_cert *m = (struct xos_cert *)(uintptr_t)c;

	if (m)
		atomic_fetch_add(&m->refs, 1);
	return m;
}

void xos_cert_free(struct xos_cert *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	X509_free(c->x509);
	xos_key_free(c->key);
	for (size_t i = 0; i < c->nrdn; i++)
		free(c->rdn[i].value);
	free(c->subject_text);
	free(c->uri);
	free(c->der);
	free(c);
}

struct xos_bytes xos_cert_der(const struct xos_cert *c)
{
	return (struct xos_bytes){c->der, c->der_len};
}

const uint8_t *xos_cert_fingerprint(const struct xos_cert *c)
{
	return c->fingerprint;
}

struct xos_bytes xos_cert_serial(const struct xos_cert *c)
{
	return c->serial;
}

const char *xos_cert_serial_text(const struct xos_cert *c)
{
	return c->serial_text;
}

int64_t xos_cert_not_before(const struct xos_cert *c)
{
	return c->not_before;
}

int64_t xos_cert_not_after(const struct xos_cert *c)
{
	return c->not_after;
}

const struct xos_key *xos_cert_key(const struct xos_cert *c)
{
	return c->key;
}

struct xos_bytes xos_cert_subject_der(const struct xos_cert *c)
{
	return c->subject_der;
}

struct xos_bytes xos_cert_issuer_der(const struct xos_cert *c)
{
	return c->issuer_der;
}

const char *xos_cert_subject_text(const struct xos_cert *c)
{
	return c->subject_text;
}

bool xos_cert_is_self_issued(const struct xos_cert *c)
{
	return xos_bytes_eq(c->subject_der, c->issuer_der);
}

size_t xos_cert_subject_len(const struct xos_cert *c)
{
	return c->nrdn;
}

const char *xos_cert_subject_type(const struct xos_cert *c, size_t i)
{
	return i < c->nrdn ? c->rdn[i].type : NULL;
}

const char *xos_cert_subject_value(const struct xos_cert *c, size_t i)
{
	return i < c->nrdn ? c->rdn[i].value : NULL;
}

struct x509_st *xos_cert_ossl(const struct xos_cert *c)
{
	return c->x509;
}

/* sha384WithRSAEncryption: accepted beside what we would make ourselves. */
static const uint8_t sig_rsa384[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00};

bool pki_cert_algorithm_ok(const struct xos_cert *c, const struct xos_key *key)
{
	return xos_bytes_eq(c->sigalg, pki_key_sigalg(key->type)) ||
	       (key->type == XOS_KEY_RSA &&
	           xos_bytes_eq(c->sigalg, (struct xos_bytes){sig_rsa384, sizeof(sig_rsa384)}));
}

enum xos_status xos_cert_signed_by(
    const struct xos_cert *c, const struct xos_key *key, struct xos_err *err)
{
	enum xos_status st = XOS_DENIED;

	if (!pki_cert_algorithm_ok(c, key))
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "the certificate of %s is signed with an algorithm that is not accepted",
		    c->subject_text);
	if (X509_verify(c->x509, key->pkey) == 1)
		st = XOS_OK;
	else
		xos_err_set(err, XOS_DENIED, "cert-signature",
		    "the signature on the certificate of %s is wrong", c->subject_text);
	pki_ossl_clear();
	return st;
}
