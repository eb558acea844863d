/* What auth hands to the key process of xos-vopsd: parts that decode encode to the same bytes. */
#include <stdlib.h>

#include "vops/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xos_bytes in = {data, size};
	struct vops_parts p = {.vo_text = XOS_BYTES_NONE};
	struct xos_buf out;

	xos_buf_init(&out, size + 1);
	if (vops_parts_decode(in, &p, NULL) == XOS_OK) {
		vops_parts_encode(&out, &p);
		if (!xos_bytes_eq(xos_buf_bytes(&out), in))
			abort();
	}
	vops_parts_free(&p);
	xos_buf_free(&out);
	return 0;
}
