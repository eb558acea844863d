/* A revocation list: what parses is sorted, without duplicates, and survives being asked. */
#include <stdlib.h>
#include <string.h>

#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_crl *c = NULL;

	if (xos_crl_parse((struct xos_bytes){data, size}, &c, &err) != XOS_OK) {
		if (c || !err.code[0] || !err.text[0])
			abort();
		return 0;
	}
	if (!xos_bytes_eq(xos_crl_der(c), (struct xos_bytes){data, size}) ||
	    xos_crl_next_update(c) <= xos_crl_this_update(c) ||
	    (xos_crl_uri(c) && !xos_crl_uri(c)[0]) || (xos_crl_only_users(c) && !xos_crl_uri(c)))
		abort();
	for (size_t i = 0; i < xos_crl_count(c); i++) {
		const struct xos_crl_entry *e = xos_crl_at(c, i);

		if (xos_crl_find(c, e->serial) != e || e->serial.n > XOS_SERIAL_MAX)
			abort();
	}
	if (xos_crl_at(c, xos_crl_count(c)))
		abort();
	xos_crl_free(c);
	return 0;
}
