/* Delegation extension: what decodes encodes to the same bytes, and never follows itself. */
#include <stdlib.h>

#include "token/delegation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_delegation *d = NULL;
	struct xos_buf again;

	if (xos_delegation_decode(in, &d, NULL) != XOS_OK) {
		if (d)
			abort();
		return 0;
	}
	xos_buf_init(&again, XOS_DELEGATION_DER_MAX);
	if (xos_delegation_encode(d, &again, NULL) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&again), in))
		abort();
	if (xos_delegation_follows(NULL, d, NULL) != XOS_OK ||
	    xos_delegation_follows(d, d, NULL) == XOS_OK)
		abort();
	char text[XOS_DELEGATION_TEXT];
	xos_delegation_text(d, text);
	if (!xos_delegation_reaches(d, d->node) || !text[0])
		abort();
	xos_buf_free(&again);
	xos_delegation_free(d);
	return 0;
}
