/* SHA256_Transform is what makes the difference of docs/decisions/scram-client.md. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pki/kdf.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#define HMAC_PIECES_MAX 8
#define HMAC_INPUT_MAX 65536
#define BLOCK SHA256_CBLOCK

enum xos_status xos_hmac_sha256(
    struct xos_bytes key, const struct xos_bytes *in, size_t n, uint8_t out[XOS_SHA256_LEN])
{
	enum xos_status st = XOS_INTERNAL;
	struct xos_buf all;
	unsigned len = 0;

	memset(out, 0, XOS_SHA256_LEN);
	if (n > HMAC_PIECES_MAX || key.n > HMAC_INPUT_MAX)
		return XOS_MALFORMED;
	xos_buf_init(&all, HMAC_INPUT_MAX);
	for (size_t i = 0; i < n; i++)
		xos_buf_put(&all, in[i].p, in[i].n);
	st = xos_buf_status(&all);
	if (st == XOS_OK && (!HMAC(EVP_sha256(), key.n ? key.p : (const uint8_t *)"", (int)key.n,
	                         all.n ? all.p : (const uint8_t *)"", all.n, out, &len) ||
	                        len != XOS_SHA256_LEN))
		st = XOS_INTERNAL;
	if (st != XOS_OK)
		memset(out, 0, XOS_SHA256_LEN);
	if (all.p)
		xos_wipe(all.p, all.n);
	xos_buf_free(&all);
	return st;
}

enum xos_status xos_hmac(enum xos_hmac_hash hash, struct xos_bytes key, struct xos_bytes in,
    uint8_t out[XOS_HMAC_MAX], size_t *n)
{
	const EVP_MD *md = hash == XOS_HMAC_SHA1     ? EVP_sha1()
	                   : hash == XOS_HMAC_SHA256 ? EVP_sha256()
	                                             : EVP_sha512();
	unsigned len = 0;

	memset(out, 0, XOS_HMAC_MAX);
	if (!key.n || key.n > HMAC_INPUT_MAX || !in.n || in.n > HMAC_INPUT_MAX)
		return XOS_MALFORMED;
	if (!HMAC(md, key.p, (int)key.n, in.p, in.n, out, &len) || len > XOS_HMAC_MAX || len < 20)
		return XOS_INTERNAL;
	*n = len;
	return XOS_OK;
}

/* The states of SHA-256 after the first, padded key block of HMAC's inner and outer hash. */
struct hmac_states {
	SHA256_CTX inner, outer;
};

static enum xos_status states_init(struct hmac_states *s, struct xos_bytes key)
{
	uint8_t k[BLOCK] = {0}, pad[BLOCK];
	enum xos_status st = XOS_OK;

	if (key.n > BLOCK)
		st = xos_sha256(key, k);
	else if (key.n)
		memcpy(k, key.p, key.n);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = k[i] ^ 0x36;
	SHA256_Init(&s->inner);
	SHA256_Transform(&s->inner, pad);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = k[i] ^ 0x5c;
	SHA256_Init(&s->outer);
	SHA256_Transform(&s->outer, pad);
	xos_wipe(k, sizeof(k));
	xos_wipe(pad, sizeof(pad));
	return st;
}

static void put_state(uint8_t *out, const SHA256_CTX *c)
{
	for (size_t i = 0; i < 8; i++) {
		SHA_LONG v = c->h[i];

		out[4 * i] = (uint8_t)(v >> 24);
		out[4 * i + 1] = (uint8_t)(v >> 16);
		out[4 * i + 2] = (uint8_t)(v >> 8);
		out[4 * i + 3] = (uint8_t)v;
	}
}

/*
 * Every message after the first is one digest: 32 bytes behind one key block, so the last block of
 * both hashes is the digest, the bit 1, zeros and the length 768 (FIPS 180-4 5.1.1), and one
 * compression each is the whole HMAC.
 */
static void iterate(
    struct hmac_states *s, uint8_t u[XOS_SHA256_LEN], uint32_t more, uint8_t out[XOS_SHA256_LEN])
{
	uint8_t block[BLOCK] = {0};
	SHA256_CTX c;

	memcpy(block, u, XOS_SHA256_LEN);
	block[XOS_SHA256_LEN] = 0x80;
	block[BLOCK - 2] = 768 >> 8;
	while (more--) {
		c = s->inner;
		SHA256_Transform(&c, block);
		put_state(block, &c);
		c = s->outer;
		SHA256_Transform(&c, block);
		put_state(block, &c);
		for (size_t i = 0; i < XOS_SHA256_LEN; i++)
			out[i] ^= block[i];
	}
	xos_wipe(block, sizeof(block));
	xos_wipe(&c, sizeof(c));
}

enum xos_status xos_pbkdf2_sha256(struct xos_bytes password, struct xos_bytes salt,
    uint32_t iterations, uint8_t out[XOS_SHA256_LEN])
{
	static const uint8_t one[4] = {0, 0, 0, 1};
	struct xos_bytes first[2] = {salt, {one, sizeof(one)}};
	struct hmac_states s;
	uint8_t u[XOS_SHA256_LEN];
	enum xos_status st = XOS_MALFORMED;

	memset(out, 0, XOS_SHA256_LEN);
	if (password.n > XOS_PBKDF2_PASSWORD_MAX || salt.n > XOS_PBKDF2_SALT_MAX || !iterations)
		return st;
	st = xos_hmac_sha256(password, first, 2, u);
	if (st == XOS_OK)
		st = states_init(&s, password);
	if (st == XOS_OK) {
		memcpy(out, u, XOS_SHA256_LEN);
		iterate(&s, u, iterations - 1, out);
	}
	xos_wipe(&s, sizeof(s));
	xos_wipe(u, sizeof(u));
	return st;
}
