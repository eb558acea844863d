#include "pki/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "pki/issue_internal.h"

#define OID_SKI XOS_OID("\x55\x1d\x0e")

struct xos_issuer {
	struct xos_cert *cert;
	struct xos_key *key;
	EVP_PKEY_CTX *sign;   /* initialised once: setting it up costs a third of a signature */
	struct xos_bytes ski; /* in cert */
	struct xos_buf tbs;   /* kept between certificates */
};

static enum xos_status prepare(struct xos_issuer *i, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes v;

	if (xos_cert_ext(i->cert, OID_SKI, &v, NULL) != XOS_OK)
		goto no_ski;
	xos_reader_init(&r, v);
	if (!xos_der_take(&r, XOS_DER_OCTET_STRING, &i->ski) || xos_reader_end(&r) != XOS_OK ||
	    i->ski.n == 0 || i->ski.n > 64)
		goto no_ski;
	i->sign = EVP_PKEY_CTX_new_from_pkey(NULL, i->key->pkey, NULL);
	if (!i->sign || EVP_PKEY_sign_init(i->sign) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(i->sign, pki_key_md(i->key)) != 1)
		return pki_ossl_err(err, "preparing to sign");
	return XOS_OK;
no_ski:
	return xos_err_set(err, XOS_MALFORMED, "issuer",
	    "the issuer's certificate (%s) has no usable key identifier",
	    xos_cert_subject_text(i->cert));
}

enum xos_status xos_issuer_new(const struct xos_cert *cert, const struct xos_key *key,
    struct xos_issuer **out, struct xos_err *err)
{
	struct xos_issuer *i = NULL;
	enum xos_status st;

	*out = NULL;
	if (!xos_key_is_private(key) || !xos_key_same(xos_cert_key(cert), key))
		return xos_err_set(err, XOS_MALFORMED, "key-mismatch",
		    "the private key does not belong to the certificate of %s",
		    xos_cert_subject_text(cert));
	i = calloc(1, sizeof(*i));
	if (!i)
		return pki_no_memory(err);
	xos_buf_init(&i->tbs, XOS_CERT_MAX - 2048);
	i->cert = xos_cert_ref(cert);
	i->key = xos_key_ref(key);
	st = prepare(i, err);
	if (st == XOS_OK) {
		*out = i;
		i = NULL;
	}
	xos_issuer_free(i);
	return st;
}

void xos_issuer_free(struct xos_issuer *i)
{
	if (!i)
		return;
	EVP_PKEY_CTX_free(i->sign);
	xos_buf_free(&i->tbs);
	xos_key_free(i->key);
	xos_cert_free(i->cert);
	free(i);
}

const struct xos_cert *xos_issuer_cert(const struct xos_issuer *i)
{
	return i->cert;
}

/* Version, serial, algorithm: how every certificate begins. */
static void put_head(struct xos_der *w, struct xos_bytes serial, enum xos_key_type signer)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_put_u64(w, XOS_DER_INTEGER, 2);
	xos_der_end(w);
	xos_der_put_unsigned(w, serial);
	xos_der_put_raw(w, pki_key_sigalg(signer));
}

/* Signature over tbs through a prepared context. */
static enum xos_status sign_tbs(EVP_PKEY_CTX *ctx, const EVP_MD *md, struct xos_bytes tbs,
    uint8_t sig[XOS_SIGNATURE_MAX], size_t *n, struct xos_err *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	*n = XOS_SIGNATURE_MAX;
	if (EVP_Digest(tbs.p, tbs.n, digest, &len, md, NULL) != 1 ||
	    EVP_PKEY_sign(ctx, sig, n, digest, len) != 1)
		return pki_ossl_err(err, "signing a certificate");
	return XOS_OK;
}

/* Certificate ::= SEQUENCE { tbs, algorithm, signature }, appended; out as it was on failure. */
static enum xos_status put_signed(struct xos_bytes tbs, struct xos_bytes alg, struct xos_bytes sig,
    struct xos_buf *out, struct xos_err *err)
{
	size_t before = out->n;
	struct xos_der w;
	enum xos_status st;

	xos_der_init(&w, out);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put_raw(&w, tbs);
	xos_der_put_raw(&w, alg);
	xos_der_put_bits(&w, sig);
	xos_der_end(&w);
	st = xos_der_finish(&w);
	if (st != XOS_OK) {
		out->n = before;
		return xos_err_set(err, st, "cert-size", "no room for the certificate");
	}
	return XOS_OK;
}

static enum xos_status finish(
    struct xos_issuer *i, struct xos_der *w, struct xos_buf *out, struct xos_err *err)
{
	uint8_t sig[XOS_SIGNATURE_MAX];
	enum xos_status st = xos_der_finish(w);
	size_t n;

	if (st != XOS_OK)
		return xos_err_set(
		    err, st, "cert-size", "the certificate is too long, or a time is out of range");
	st = sign_tbs(i->sign, pki_key_md(i->key), xos_buf_bytes(&i->tbs), sig, &n, err);
	if (st != XOS_OK)
		return st;
	return put_signed(xos_buf_bytes(&i->tbs), pki_key_sigalg(i->key->type),
	    (struct xos_bytes){sig, n}, out, err);
}

static void restart(struct xos_issuer *i, struct xos_der *w)
{
	if (i->tbs.status != XOS_OK) {
		xos_buf_free(&i->tbs);
		xos_buf_init(&i->tbs, XOS_CERT_MAX - 2048);
	}
	i->tbs.n = 0;
	xos_der_init(w, &i->tbs);
}

static enum xos_status check_lifetime(
    const struct xos_cert *issuer, int64_t not_before, int64_t not_after, struct xos_err *err)
{
	char end[XOS_TIME_TEXT], mine[XOS_TIME_TEXT];

	if (not_before >= xos_cert_not_before(issuer) && not_after <= xos_cert_not_after(issuer))
		return XOS_OK;
	xos_time_format(xos_cert_not_after(issuer), mine);
	xos_time_format(not_after, end);
	return xos_err_set(err, XOS_DENIED, "issuer-lifetime",
	    "a certificate until %s would outlive its issuer %s (until %s), or begin before it",
	    end, xos_cert_subject_text(issuer), mine);
}

/* 128 random bits, positive, and never shorter: the second bit is set. */
static void new_serial(uint8_t serial[XOS_ISSUE_SERIAL_LEN])
{
	xos_random(serial, XOS_ISSUE_SERIAL_LEN);
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
}

enum xos_status xos_issue_cert(struct xos_issuer *i, const struct xos_issue *what,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err)
{
	uint8_t ski[SKI_LEN];
	struct xos_der w;
	enum xos_status st;

	if (!xos_cert_is_ca(i->cert))
		return xos_err_set(err, XOS_DENIED, "issuer", "%s is no authority and cannot issue",
		    xos_cert_subject_text(i->cert));
	st = issue_check(what, err);
	if (st == XOS_OK)
		st = check_lifetime(i->cert, what->not_before, what->not_after, err);
	if (st != XOS_OK)
		return st;
	if (!issue_ski(what->spki, ski))
		return xos_err_set(err, XOS_MALFORMED, "key", "the public key is malformed");
	new_serial(serial);
	restart(i, &w);
	put_head(&w, (struct xos_bytes){serial, XOS_ISSUE_SERIAL_LEN}, i->key->type);
	xos_der_put_raw(&w, xos_cert_subject_der(i->cert));
	issue_put_validity(&w, what->not_before, what->not_after);
	issue_put_name(&w, what->subject, what->nsubject);
	xos_der_put_raw(&w, what->spki);
	issue_put_exts(&w, what, (struct xos_bytes){serial, XOS_ISSUE_SERIAL_LEN}, ski, i->ski);
	xos_der_end(&w);
	return finish(i, &w, out, err);
}

enum xos_status xos_issue_root(const struct xos_key *key, const struct xos_issue *what,
    struct xos_buf *out, struct xos_err *err)
{
	uint8_t serial[XOS_ISSUE_SERIAL_LEN], ski[SKI_LEN];
	struct xos_issue root = *what;
	struct xos_buf tbs, sig;
	struct xos_der w;
	enum xos_status st = issue_check(what, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&tbs, XOS_CERT_MAX - 2048);
	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	root.ca = true;
	root.key_usage |= XOS_KU_CERT_SIGN | XOS_KU_CRL_SIGN;
	new_serial(serial);
	xos_der_init(&w, &tbs);
	put_head(&w, (struct xos_bytes){serial, sizeof(serial)}, xos_key_type(key));
	issue_put_name(&w, root.subject, root.nsubject);
	issue_put_validity(&w, root.not_before, root.not_after);
	issue_put_name(&w, root.subject, root.nsubject);
	xos_der_put_raw(&w, xos_key_spki(key));
	if (issue_ski(xos_key_spki(key), ski))
		issue_put_exts(
		    &w, &root, (struct xos_bytes){serial, sizeof(serial)}, ski, XOS_BYTES_NONE);
	else
		w.failed = true;
	xos_der_end(&w);
	st = xos_der_finish(&w);
	if (st != XOS_OK)
		xos_err_set(err, st, "cert-size", "the root certificate cannot be encoded");
	else
		st = xos_key_sign(key, xos_buf_bytes(&tbs), &sig, err);
	if (st == XOS_OK)
		st = put_signed(xos_buf_bytes(&tbs), pki_key_sigalg(xos_key_type(key)),
		    xos_buf_bytes(&sig), out, err);
	xos_buf_free(&sig);
	xos_buf_free(&tbs);
	return st;
}

/* The issuer's subject with one CN more. */
static void put_proxy_subject(struct xos_der *w, struct xos_bytes issuer, const char *cn)
{
	struct xos_bytes rdns = XOS_BYTES_NONE;
	struct xos_reader r;

	xos_reader_init(&r, issuer);
	if (!xos_der_take(&r, XOS_DER_SEQUENCE, &rdns))
		w->failed = true;
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_raw(w, rdns);
	issue_put_rdn(w, &(struct xos_rdn){XOS_RDN_CN, cn});
	xos_der_end(w);
}

static enum xos_status check_proxy(
    const struct xos_cert *signer, const struct xos_issue_proxy *what, struct xos_err *err)
{
	if (xos_cert_is_ca(signer))
		return xos_err_set(err, XOS_DENIED, "proxy-signer",
		    "%s is an authority: only a person's or service's own key delegates",
		    xos_cert_subject_text(signer));
	if (xos_cert_is_proxy(signer) && xos_cert_path_len(signer) >= 0 &&
	    (long)what->path_len >= xos_cert_path_len(signer))
		return xos_err_set(err, XOS_DENIED, "proxy-depth", "%s may not be delegated %s",
		    xos_cert_subject_text(signer),
		    xos_cert_path_len(signer) ? "that deep" : "any further");
	if (what->nexts > XOS_ISSUE_LIST_MAX || what->path_len > 255 || what->language.n == 0)
		return xos_err_set(
		    err, XOS_MALFORMED, "issue", "no proxy certificate of this form");
	return check_lifetime(signer, what->not_before, what->not_after, err);
}

enum xos_status xos_issue_proxy(struct xos_issuer *i, const struct xos_issue_proxy *what,
    struct xos_buf *out, struct xos_err *err)
{
	uint8_t serial[8], ski[SKI_LEN];
	uint64_t number = 0;
	struct xos_der w;
	char cn[24];
	enum xos_status st = check_proxy(i->cert, what, err);

	if (st != XOS_OK)
		return st;
	if (!issue_ski(what->spki, ski))
		return xos_err_set(err, XOS_MALFORMED, "key", "the public key is malformed");
	xos_random(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	for (size_t k = 0; k < sizeof(serial); k++)
		number = number << 8 | serial[k];
	snprintf(cn, sizeof(cn), "%" PRIu64, number);
	restart(i, &w);
	put_head(&w, (struct xos_bytes){serial, sizeof(serial)}, i->key->type);
	xos_der_put_raw(&w, xos_cert_subject_der(i->cert));
	issue_put_validity(&w, what->not_before, what->not_after);
	put_proxy_subject(&w, xos_cert_subject_der(i->cert), cn);
	xos_der_put_raw(&w, what->spki);
	issue_put_proxy_exts(&w, what, ski, i->ski);
	xos_der_end(&w);
	return finish(i, &w, out, err);
}
