/* A certification request: only one with a valid signature gives a key, and that key is in it. */
#include <stdlib.h>
#include <string.h>

#include "pki/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = NULL;
	struct xos_csr csr;

	if (xos_csr_parse((struct xos_bytes){data, size}, &csr, &err) != XOS_OK) {
		if (csr.spki.p || !err.code[0])
			abort();
		return 0;
	}
	if (csr.spki.p < data || csr.spki.p + csr.spki.n > data + size)
		abort();
	if (xos_key_from_spki(csr.spki, &key, &err) != XOS_OK ||
	    memcmp(xos_key_spki_sha256(key), csr.spki_sha256, XOS_SHA256_LEN) != 0)
		abort();
	xos_key_free(key);
	return 0;
}
