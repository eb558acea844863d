#include "pki/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "pki/internal.h"

struct xos_sha256 {
	EVP_MD_CTX *ctx;
	bool failed;
};

static EVP_MD *md256;
static EVP_MD *md384;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* An implicit fetch at each use costs more than hashing a certificate does: fetch once. */
static void fetch(void)
{
	md256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	md384 = EVP_MD_fetch(NULL, "SHA384", NULL);
}

const EVP_MD *pki_md_sha256(void)
{
	pthread_once(&once, fetch);
	return md256;
}

const EVP_MD *pki_md_sha384(void)
{
	pthread_once(&once, fetch);
	return md384;
}

enum xos_status xos_sha256(struct xos_bytes in, uint8_t out[XOS_SHA256_LEN])
{
	unsigned n = 0;

	if (EVP_Digest(in.n ? in.p : (const uint8_t *)"", in.n, out, &n, pki_md_sha256(), NULL) ==
	        1 &&
	    n == XOS_SHA256_LEN)
		return XOS_OK;
	memset(out, 0, XOS_SHA256_LEN);
	return XOS_INTERNAL;
}

enum xos_status xos_sha256_parts(const struct xos_bytes *in, size_t n, uint8_t out[XOS_SHA256_LEN])
{
	struct xos_sha256 *d = xos_sha256_new();
	enum xos_status st;

	for (size_t i = 0; d && i < n; i++)
		xos_sha256_update(d, in[i]);
	st = xos_sha256_final(d, out);
	xos_sha256_free(d);
	return st;
}

struct xos_sha256 *xos_sha256_new(void)
{
	struct xos_sha256 *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx) {
		free(d);
		return NULL;
	}
	xos_sha256_reset(d);
	return d;
}

void xos_sha256_free(struct xos_sha256 *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void xos_sha256_reset(struct xos_sha256 *d)
{
	d->failed = EVP_DigestInit_ex2(d->ctx, pki_md_sha256(), NULL) != 1;
}

void xos_sha256_update(struct xos_sha256 *d, struct xos_bytes in)
{
	if (!d->failed && in.n && EVP_DigestUpdate(d->ctx, in.p, in.n) != 1)
		d->failed = true;
}

enum xos_status xos_sha256_final(struct xos_sha256 *d, uint8_t out[XOS_SHA256_LEN])
{
	unsigned n = 0;

	if (d && !d->failed && EVP_DigestFinal_ex(d->ctx, out, &n) == 1 && n == XOS_SHA256_LEN) {
		d->failed = true; /* until reset */
		return XOS_OK;
	}
	memset(out, 0, XOS_SHA256_LEN);
	return XOS_INTERNAL;
}

void xos_fingerprint_text(const uint8_t digest[XOS_SHA256_LEN], char out[XOS_FINGERPRINT_TEXT])
{
	memcpy(out, "sha256:", 7);
	xos_hex_encode(out + 7, digest, XOS_SHA256_LEN);
}

enum xos_status xos_fingerprint_parse(
    const char *s, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	enum xos_status st = XOS_MALFORMED;
	char lower[2 * XOS_SHA256_LEN + 1];
	struct xos_buf b;

	xos_buf_init(&b, XOS_SHA256_LEN);
	if (s && strncmp(s, "sha256:", 7) == 0 && strlen(s) == 7 + 2 * XOS_SHA256_LEN) {
		for (size_t i = 0; i < sizeof(lower); i++)
			lower[i] =
			    s[7 + i] >= 'A' && s[7 + i] <= 'F' ? (char)(s[7 + i] + 32) : s[7 + i];
		st = xos_hex_decode(&b, lower, 2 * XOS_SHA256_LEN);
	}
	if (st == XOS_OK && b.n == XOS_SHA256_LEN)
		memcpy(digest, b.p, XOS_SHA256_LEN);
	else
		st = xos_err_set(err, XOS_MALFORMED, "fingerprint",
		    "not a fingerprint: it must be \"sha256:\" and 64 hexadecimal digits");
	xos_buf_free(&b);
	return st;
}
