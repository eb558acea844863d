/* Keys in files and PEM. */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "pki/internal.h"

#define KEY_FILE_MAX 16384

struct ask {
	xos_passphrase_fn fn;
	void *arg;
	const char *path;
	bool asked, given;
};

/* OpenSSL's callback: the phrase, copied into its buffer, or -1. */
static int give_passphrase(char *buf, int size, int writing, void *arg)
{
	struct ask *a = arg;
	struct xos_secret *s;
	char prompt[PATH_MAX + 32];
	int n = -1;

	(void)writing;
	a->asked = true;
	if (!a->fn)
		return -1;
	snprintf(prompt, sizeof(prompt), "Pass phrase of %s: ", a->path);
	s = a->fn(a->arg, prompt);
	if (s && xos_secret_len(s) <= (size_t)size) {
		n = (int)xos_secret_len(s);
		memcpy(buf, xos_secret_data(s), (size_t)n);
		a->given = true;
	}
	xos_secret_free(s);
	return n;
}

static bool is_private_label(const struct pki_pem *pem)
{
	return pki_pem_is(pem, "PRIVATE KEY") || pki_pem_is(pem, "ENCRYPTED PRIVATE KEY") ||
	       pki_pem_is(pem, "EC PRIVATE KEY") || pki_pem_is(pem, "RSA PRIVATE KEY");
}

/* Decodes one PEM block that was found to be a private key. */
static enum xos_status decode(
    const struct pki_pem *pem, struct ask *ask, struct xos_key **out, struct xos_err *err)
{
	BIO *bio = BIO_new_mem_buf(pem->whole.p, (int)pem->whole.n);
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	enum xos_status st = XOS_MALFORMED;

	if (!bio)
		return pki_no_memory(err);
	/* "Proc-Type: 4,ENCRYPTED" derives its key with one round of MD5. */
	if (memmem(pem->body.p, pem->body.n, "Proc-Type", 9)) {
		st = xos_err_set(err, XOS_DENIED, "key-encryption",
		    "%s: old PEM encryption; convert it with `openssl pkcs8 -topk8`", ask->path);
		goto out;
	}
	pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, ask);
	pki_ossl_clear();
	if (!pkey && ask->asked && !ask->given) {
		st = xos_err_set(
		    err, XOS_DENIED, "key-encrypted", "%s needs a pass phrase", ask->path);
		goto out;
	}
	if (!pkey && ask->asked) {
		st = xos_err_set(err, XOS_DENIED, "passphrase", "%s: wrong pass phrase", ask->path);
		goto out;
	}
	ctx = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	if (!ctx || EVP_PKEY_pairwise_check(ctx) != 1) {
		pki_ossl_clear();
		st = xos_err_set(
		    err, XOS_MALFORMED, "key", "%s: the private key is damaged", ask->path);
		goto out;
	}
	st = pki_key_wrap(pkey, true, out, err);
	pkey = NULL;
	if (st != XOS_OK)
		xos_err_prefix(err, st, "%s", ask->path);
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return st;
}

/* The one private key in text. "EC PARAMETERS", which openssl ecparam writes first, is passed over.
 */
static enum xos_status from_text(
    struct xos_bytes text, struct ask *ask, struct xos_key **out, struct xos_err *err)
{
	struct pki_pem pem, found = {0};
	enum xos_status st;

	while ((st = pki_pem_next(&text, &pem, err)) == XOS_OK) {
		if (pki_pem_is(&pem, "EC PARAMETERS"))
			continue;
		if (!is_private_label(&pem) || found.whole.n)
			return xos_err_set(err, XOS_MALFORMED, "key-file",
			    "%s must hold exactly one private key and nothing else", ask->path);
		found = pem;
	}
	if (st != XOS_NOT_FOUND)
		return xos_err_prefix(err, st, "%s", ask->path);
	if (!found.whole.n)
		return xos_err_set(err, XOS_MALFORMED, "key-file",
		    "%s holds no private key in PEM form", ask->path);
	return decode(&found, ask, out, err);
}

enum xos_status xos_key_load(
    const char *path, xos_passphrase_fn fn, void *arg, struct xos_key **out, struct xos_err *err)
{
	struct ask ask = {.fn = fn, .arg = arg, .path = path};
	struct xos_secret *text = NULL;
	enum xos_status st;

	*out = NULL;
	st = xos_file_read_secret(path, KEY_FILE_MAX, &text, err);
	if (st == XOS_OK)
		st = from_text((struct xos_bytes){xos_secret_data(text), xos_secret_len(text)},
		    &ask, out, err);
	xos_secret_free(text);
	return st;
}

enum xos_status xos_key_from_pem(struct xos_bytes pem, struct xos_key **out, struct xos_err *err)
{
	struct ask ask = {.path = "the key"};

	*out = NULL;
	if (pem.n > KEY_FILE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "key-file", "the key is too long");
	return from_text(pem, &ask, out, err);
}

static enum xos_status bio_to_secret(BIO *bio, struct xos_secret **out, struct xos_err *err)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	*out = n > 0 ? xos_secret_from(p, (size_t)n) : NULL;
	if (n > 0)
		xos_wipe(p, (size_t)n);
	return *out ? XOS_OK : pki_no_memory(err);
}

enum xos_status xos_key_to_pem(
    const struct xos_key *k, struct xos_secret **out, struct xos_err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	enum xos_status st = XOS_INTERNAL;

	*out = NULL;
	if (!k->private_half)
		st = xos_err_set(
		    err, XOS_INTERNAL, "key-public", "there is no private half to write");
	else if (!bio ||
	         PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		st = pki_ossl_err(err, "encoding a key");
	else
		st = bio_to_secret(bio, out, err);
	BIO_free(bio);
	return st;
}

/*
 * PBES2 with scrypt (RFC 7914): N 2^14, r 8, p 1 take 16 MiB and some 50 ms. OpenSSL's own default
 * is PBKDF2 with 2048 rounds, which a stolen file would not withstand for long.
 */
static enum xos_status encrypt(const struct xos_key *k, struct xos_secret *passphrase,
    struct xos_secret **out, struct xos_err *err)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
	BIO *bio = BIO_new(BIO_s_mem());
	X509_ALGOR *alg = NULL;
	X509_SIG *sealed = NULL;
	uint8_t salt[16];
	enum xos_status st = XOS_INTERNAL;

	if (info && bio && RAND_bytes(salt, sizeof(salt)) == 1)
		alg = PKCS5_pbe2_set_scrypt(
		    EVP_aes_256_cbc(), salt, sizeof(salt), NULL, 1 << 14, 8, 1);
	if (alg)
		sealed = PKCS8_set0_pbe((const char *)xos_secret_data(passphrase),
		    (int)xos_secret_len(passphrase), info, alg);
	if (sealed)
		alg = NULL; /* owned by sealed now */
	if (!sealed || PEM_write_bio_PKCS8(bio, sealed) != 1)
		st = pki_ossl_err(err, "encrypting a key");
	else
		st = bio_to_secret(bio, out, err);
	X509_SIG_free(sealed);
	X509_ALGOR_free(alg);
	BIO_free(bio);
	PKCS8_PRIV_KEY_INFO_free(info);
	return st;
}

enum xos_status xos_key_save(
    const struct xos_key *k, const char *path, struct xos_secret *passphrase, struct xos_err *err)
{
	struct xos_secret *text = NULL;
	enum xos_status st;

	if (passphrase && xos_secret_len(passphrase) == 0)
		return xos_err_set(err, XOS_MALFORMED, "passphrase", "the pass phrase is empty");
	if (passphrase && k->private_half)
		st = encrypt(k, passphrase, &text, err);
	else
		st = xos_key_to_pem(k, &text, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600,
		    (struct xos_bytes){xos_secret_data(text), xos_secret_len(text)}, err);
	xos_secret_free(text);
	return st;
}

enum xos_status xos_key_public_from_pem(
    struct xos_bytes text, struct xos_key **out, struct xos_err *err)
{
	struct pki_pem pem, extra;
	struct xos_buf der;
	enum xos_status st;

	*out = NULL;
	xos_buf_init(&der, XOS_SPKI_MAX);
	st = pki_pem_next(&text, &pem, err);
	if (st == XOS_NOT_FOUND || (st == XOS_OK && !pki_pem_is(&pem, "PUBLIC KEY")) ||
	    (st == XOS_OK && pki_pem_next(&text, &extra, NULL) != XOS_NOT_FOUND))
		st = xos_err_set(err, XOS_MALFORMED, "key-file",
		    "expected exactly one PEM block with a PUBLIC KEY");
	if (st == XOS_OK)
		st = pki_pem_decode(&pem, &der, err);
	if (st == XOS_OK)
		st = xos_key_from_spki(xos_buf_bytes(&der), out, err);
	xos_buf_free(&der);
	return st;
}

enum xos_status xos_key_public_load(const char *path, struct xos_key **out, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st;

	*out = NULL;
	st = xos_file_read(path, KEY_FILE_MAX, &text, err);
	if (st != XOS_OK)
		return st;
	st = xos_key_public_from_pem(xos_buf_bytes(&text), out, err);
	if (st != XOS_OK)
		xos_err_prefix(err, st, "%s", path);
	xos_buf_free(&text);
	return st;
}

enum xos_status xos_key_public_to_pem(
    const struct xos_key *k, struct xos_buf *out, struct xos_err *err)
{
	enum xos_status st;

	pki_pem_encode(out, "PUBLIC KEY", xos_key_spki(k));
	st = xos_buf_status(out);
	return st == XOS_OK ? st : xos_err_set(err, st, "size", "no room for a public key");
}
