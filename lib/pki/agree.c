#include "pki/agree.h"

#include <string.h>

#include "base/secret.h"
#include "pki/internal.h"

#define POINT_LEN 32

static bool derive(const struct xos_key *own, const struct xos_key *peer, uint8_t x[POINT_LEN])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own->pkey, NULL);
	size_t n = POINT_LEN;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	          EVP_PKEY_derive_set_peer(ctx, peer->pkey) == 1 &&
	          EVP_PKEY_derive(ctx, x, &n) == 1 && n == POINT_LEN;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

enum xos_status xos_key_agree(const struct xos_key *own, const struct xos_key *peer,
    uint8_t out[XOS_SHA256_LEN], struct xos_err *err)
{
	uint8_t x[POINT_LEN];
	enum xos_status st = XOS_MALFORMED;

	memset(out, 0, XOS_SHA256_LEN);
	if (xos_key_is_private(own) && xos_key_type(own) == XOS_KEY_P256 &&
	    xos_key_type(peer) == XOS_KEY_P256 && derive(own, peer, x))
		st = xos_sha256((struct xos_bytes){x, sizeof(x)}, out);
	xos_wipe(x, sizeof(x));
	if (st != XOS_OK)
		st = xos_err_set(
		    err, st, "key-agreement", "the two keys agree on nothing: both must be P-256");
	return st;
}
