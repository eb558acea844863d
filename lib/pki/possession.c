/*
 * One signature by a P-256 key that was never seen before and never will be again: what proof of
 * possession in a request is. Building an EVP_PKEY from a point costs 23 us, a third of verifying with it;
 * putting another point into a key that exists costs one. So each thread keeps one key and one context.
 */
#include <pthread.h>

#include "pki/internal.h"

struct scratch {
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx; /* verifies with whatever point the key holds */
};

static pthread_key_t slot;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_slot;

static void scratch_free(void *p)
{
	struct scratch *s = p;

	EVP_PKEY_CTX_free(s->ctx);
	EVP_PKEY_free(s->key);
	free(s);
}

static void make_slot(void)
{
	have_slot = pthread_key_create(&slot, scratch_free) == 0;
}

static struct scratch *scratch_new(struct xos_bytes spki, struct xos_bytes point)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->key = pki_spki_decode(spki, XOS_KEY_P256, point);
	if (s->key)
		s->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->key, NULL);
	if (!s->ctx || EVP_PKEY_verify_init(s->ctx) != 1 || pthread_setspecific(slot, s) != 0) {
		scratch_free(s);
		return NULL;
	}
	return s;
}

bool pki_p256_signed(struct xos_bytes spki, struct xos_bytes point, struct xos_bytes data,
    struct xos_bytes signature)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct scratch *s = NULL;
	bool ok = false;

	pthread_once(&once, make_slot);
	if (have_slot)
		s = pthread_getspecific(slot);
	/* The point is checked to be on the curve when it is set, here as there. */
	if (s)
		ok = EVP_PKEY_set1_encoded_public_key(s->key, point.p, point.n) == 1;
	else if (have_slot)
		ok = (s = scratch_new(spki, point)) != NULL;
	ok = ok && xos_sha256(data, digest) == XOS_OK &&
	     EVP_PKEY_verify(s->ctx, signature.p, signature.n, digest, sizeof(digest)) == 1;
	pki_ossl_clear();
	return ok;
}
