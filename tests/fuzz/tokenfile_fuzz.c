/* A token file: what is read has a chain whose key is the leaf's, and describes itself or says why not. */
#include <stdlib.h>

#include "pki/cert.h"
#include "token/tokenfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_token_info *info = NULL;
	struct xos_chain ch = {0};

	if (xos_chain_from_pem((struct xos_bytes){data, size}, &ch, &err) != XOS_OK) {
		if (ch.n || ch.key || !err.text[0])
			abort();
		return 0;
	}
	if (ch.n == 0 || ch.n > XOS_CHAIN_MAX)
		abort();
	if (ch.key && !xos_key_same(ch.key, xos_cert_key(ch.cert[0])))
		abort();
	if (xos_token_describe(&ch, 1800000000, &info, &err) == XOS_OK) {
		if (!info->claims || info->seconds_left < 0)
			abort();
		(void)xos_token_needs_renewal(info, 1800000000);
	} else if (info) {
		abort();
	}
	xos_token_info_free(info);
	xos_chain_clear(&ch);
	return 0;
}
