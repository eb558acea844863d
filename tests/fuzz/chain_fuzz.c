/*
 * Path validation over parsed certificates: a PEM file whose last certificate is the root that is trusted. What
 * the fuzzer changes cannot be signed again, so that an accepted path must be made of seeds.
 */
#include <stdlib.h>

#include "token/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xos_verify_opts opts = {
	    .now = 1800000000, .skew = 60, .kinds = XOS_KINDS_ALL, .allow_delegation = true};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_trust *trust = xos_trust_new();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	if (!trust)
		abort();
	if (xos_chain_from_pem((struct xos_bytes){data, size}, &ch, &err) != XOS_OK)
		goto out;
	if (xos_trust_add_root(trust, ch.cert[ch.n - 1], &err) != XOS_OK)
		goto out;
	if (xos_token_verify_chain(trust, &ch, &opts, &id, &err) == XOS_OK) {
		if (!id->claims || id->not_after < opts.now - opts.skew)
			abort();
	} else if (id || !err.text[0]) {
		abort();
	}
out:
	xos_identity_free(id);
	xos_chain_clear(&ch);
	xos_trust_free(trust);
	return 0;
}
