/* Token extension and issuer marker: what decodes encodes to the same bytes. */
#include <stdlib.h>

#include "token/claims.h"
#include "token/issuerext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void marker(struct xos_bytes in)
{
	struct xos_issuer_marker m;
	struct xos_buf again;

	if (xos_issuer_marker_decode(in, &m, NULL) != XOS_OK)
		return;
	xos_buf_init(&again, 256);
	if (xos_issuer_marker_encode(&m, &again, NULL) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&again), in))
		abort();
	xos_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_claims *c = NULL;
	struct xos_buf again;
	char uri[XOS_URI_MAX];

	marker(in);
	if (xos_claims_decode(in, &c, NULL) != XOS_OK) {
		if (c)
			abort();
		return 0;
	}
	xos_buf_init(&again, XOS_CLAIMS_DER_MAX);
	if (xos_claims_encode(c, &again, NULL) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&again), in) ||
	    (xos_claims_uri(c, uri, NULL) == XOS_OK) == (c->kind == XOS_KIND_DELEGATION))
		abort();
	xos_buf_free(&again);
	xos_claims_free(c);
	return 0;
}
