/* A line of the journal of leases: what is taken is written in one way only. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credd/leases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_credd_lease_line line;
	struct xos_buf b;
	if (!xos_credd_lease_line_read((struct xos_bytes){data, size}, &line))
		return 0;
	xos_buf_init(&b, 4096);
	xos_credd_lease_line_write(&b, &line);
	if (xos_buf_status(&b) != XOS_OK || b.n != size + 1 || memcmp(b.p, data, size) != 0)
		abort();
	xos_buf_free(&b);
	return 0;
}
