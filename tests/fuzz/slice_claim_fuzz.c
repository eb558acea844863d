/* What another VO's xos-credd may have written about its numbers: "FIRST-LAST\n" and nothing else. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credd/claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[XOS_CREDD_CLAIM_MAX + 1];
	uint32_t first, last;
	if (!xos_credd_claim_parse((struct xos_bytes){data, size}, &first, &last))
		return 0;
	/* There is one way to write each. */
	int n = first > last ? 0 : snprintf(again, sizeof(again), "%u-%u\n", first, last);
	if ((size_t)n != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
