/* Signatures over digests that were made elsewhere: for agents. */

#include "pki/internal.h"

static const char *digest_name(size_t n)
{
	return n == 32 ? "SHA256" : n == 48 ? "SHA384" : n == 64 ? "SHA512" : NULL;
}

/* ECDSA takes the digest as it is; PKCS#1 v1.5 puts its name before it. */
static bool sign(const struct xos_key *k, struct xos_bytes digest, uint8_t *sig, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1;

	if (ok && k->type == XOS_KEY_RSA) {
		EVP_MD *md = EVP_MD_fetch(NULL, digest_name(digest.n), NULL);
		ok = md && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
		EVP_MD_free(md);
	}
	ok = ok && EVP_PKEY_sign(ctx, sig, n, digest.p, digest.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

enum xos_status xos_key_sign_digest(
    const struct xos_key *k, struct xos_bytes digest, struct xos_buf *out, struct xos_err *err)
{
	uint8_t sig[XOS_SIGNATURE_MAX];
	size_t n = sizeof(sig);

	if (!k->private_half)
		return xos_err_set(err, XOS_INTERNAL, "key-public", "a public key cannot sign");
	if (!digest_name(digest.n))
		return xos_err_set(err, XOS_MALFORMED, "digest",
		    "a digest of %zu bytes; SHA-256, SHA-384 and SHA-512 have 32, 48 and 64",
		    digest.n);
	if (!sign(k, digest, sig, &n))
		return pki_ossl_err(err, "signing");
	xos_buf_put(out, sig, n);
	enum xos_status st = xos_buf_status(out);
	return st ? xos_err_set(err, st, "signature-size", "no room for a signature") : XOS_OK;
}
