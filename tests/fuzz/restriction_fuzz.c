/* Encoded restrictions: what decodes encodes to the same bytes, and prints to a text that parses. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/restriction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_policy_set *set, *again;
	struct xos_buf wire, text;

	if (xos_restriction_decode(in, &set, NULL) != XOS_OK)
		return 0;
	xos_buf_init(&wire, XOS_RESTRICTION_MAX);
	xos_buf_init(&text, 4u << 20);
	if (xos_restriction_encode(set, &wire, NULL) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&wire), in))
		abort();
	xos_policy_set_text(set, &text);
	if (xos_policy_set_parse((const char *)text.p, text.n, "fuzz", &again, NULL) != XOS_OK)
		abort();
	wire.n = 0;
	if (xos_restriction_encode(again, &wire, NULL) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&wire), in))
		abort();
	xos_policy_set_unref(again);
	xos_policy_set_unref(set);
	xos_buf_free(&wire);
	xos_buf_free(&text);
	return 0;
}
