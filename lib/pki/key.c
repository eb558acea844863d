#include "pki/key.h"

#include <string.h>

#include <openssl/rsa.h>

#include "pki/internal.h"
#include "pki/ossl.h"

static enum xos_status key_new(EVP_PKEY *pkey, bool private_half, enum xos_key_type type,
    struct xos_bytes spki, struct xos_key **out, struct xos_err *err)
{
	struct xos_key *k = calloc(1, sizeof(*k));

	if (!k) {
		EVP_PKEY_free(pkey);
		return pki_no_memory(err);
	}
	atomic_init(&k->refs, 1);
	k->pkey = pkey;
	k->private_half = private_half;
	k->type = type;
	k->spki_len = spki.n;
	k->spki = malloc(spki.n);
	if (!k->spki) {
		xos_key_free(k);
		return pki_no_memory(err);
	}
	memcpy(k->spki, spki.p, spki.n);
	if (xos_sha256(spki, k->spki_sha256) != XOS_OK) {
		xos_key_free(k);
		return pki_ossl_err(err, "hashing a key");
	}
	*out = k;
	return XOS_OK;
}

enum xos_status pki_key_wrap(
    EVP_PKEY *pkey, bool private_half, struct xos_key **out, struct xos_err *err)
{
	enum xos_key_type type;
	struct xos_bytes point;
	uint8_t *spki = NULL;
	enum xos_status st;
	int n = i2d_PUBKEY(pkey, &spki);

	if (n <= 0) {
		EVP_PKEY_free(pkey);
		return pki_ossl_err(err, "encoding a public key");
	}
	st = pki_spki_classify((struct xos_bytes){spki, (size_t)n}, &type, &point, err);
	if (st == XOS_OK)
		st = key_new(
		    pkey, private_half, type, (struct xos_bytes){spki, (size_t)n}, out, err);
	else
		EVP_PKEY_free(pkey);
	OPENSSL_free(spki);
	return st;
}

enum xos_status xos_key_generate(struct xos_key **out, struct xos_err *err)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	*out = NULL;
	if (!pkey)
		return pki_ossl_err(err, "generating a key");
	return pki_key_wrap(pkey, true, out, err);
}

enum xos_status xos_key_from_spki(struct xos_bytes der, struct xos_key **out, struct xos_err *err)
{
	enum xos_key_type type;
	struct xos_bytes point;
	EVP_PKEY *pkey;
	enum xos_status st;

	*out = NULL;
	st = pki_spki_classify(der, &type, &point, err);
	if (st != XOS_OK)
		return st;
	pkey = pki_spki_decode(der, type, point);
	if (!pkey)
		return xos_err_set(err, XOS_MALFORMED, "key",
		    "the public key is malformed: no point on its curve, or no RSA key");
	return key_new(pkey, false, type, der, out, err);
}

struct xos_key *xos_key_ref(const struct xos_key *k)
{
	/* Only the counter changes: a const key stays the same key. */
	struct xos_key *m = (struct xos_key *)(uintptr_t)k;

	if (m)
		atomic_fetch_add(&m->refs, 1);
	return m;
}

void xos_key_free(struct xos_key *k)
{
	if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	EVP_PKEY_free(k->pkey); /* clears private parts */
	free(k->spki);
	free(k);
}

enum xos_key_type xos_key_type(const struct xos_key *k)
{
	return k->type;
}

bool xos_key_is_private(const struct xos_key *k)
{
	return k->private_half;
}

struct xos_bytes xos_key_spki(const struct xos_key *k)
{
	return (struct xos_bytes){k->spki, k->spki_len};
}

const uint8_t *xos_key_spki_sha256(const struct xos_key *k)
{
	return k->spki_sha256;
}

bool xos_key_same(const struct xos_key *a, const struct xos_key *b)
{
	return a && b && xos_bytes_eq(xos_key_spki(a), xos_key_spki(b));
}

struct evp_pkey_st *xos_key_ossl(const struct xos_key *k)
{
	return k->pkey;
}

const EVP_MD *pki_key_md(const struct xos_key *k)
{
	return k->type == XOS_KEY_P384 ? pki_md_sha384() : pki_md_sha256();
}

enum xos_status xos_key_sign(
    const struct xos_key *k, struct xos_bytes data, struct xos_buf *out, struct xos_err *err)
{
	EVP_MD_CTX *ctx = NULL;
	uint8_t sig[XOS_SIGNATURE_MAX];
	size_t n = sizeof(sig);
	enum xos_status st = XOS_INTERNAL;

	if (!k->private_half)
		return xos_err_set(err, XOS_INTERNAL, "key-public", "a public key cannot sign");
	ctx = EVP_MD_CTX_new();
	/* By object, not by name: the digest is fetched already. */
	if (!ctx || EVP_DigestSignInit(ctx, NULL, pki_key_md(k), NULL, k->pkey) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, data.p, data.n) != 1) {
		st = pki_ossl_err(err, "signing");
		goto out;
	}
	xos_buf_put(out, sig, n);
	st = xos_buf_status(out);
	if (st != XOS_OK)
		xos_err_set(err, st, "signature-size", "no room for a signature");
out:
	EVP_MD_CTX_free(ctx);
	return st;
}

enum xos_status xos_key_verify(
    const struct xos_key *k, struct xos_bytes data, struct xos_bytes signature, struct xos_err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum xos_status st = XOS_DENIED;
	int ok = -1;

	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, pki_key_md(k), NULL, k->pkey) != 1) {
		st = pki_ossl_err(err, "preparing to verify a signature");
		goto out;
	}
	if (signature.n && signature.n <= XOS_SIGNATURE_MAX)
		ok = EVP_DigestVerify(
		    ctx, signature.p, signature.n, data.n ? data.p : (const uint8_t *)"", data.n);
	if (ok == 1)
		st = XOS_OK;
	else
		xos_err_set(err, XOS_DENIED, "signature", "the signature is wrong");
	pki_ossl_clear();
out:
	EVP_MD_CTX_free(ctx);
	return st;
}
