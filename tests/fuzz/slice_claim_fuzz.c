/* What another VO's xos-credd may have written about its numbers: lines "FIRST-LAST\n". */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credd/claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[XOS_CREDD_CLAIM_LINE + 1];
	struct xos_bytes rest = {data, size};
	uint32_t first, last;
	for (;;) {
		const uint8_t *at = rest.p;
		if (!xos_credd_claim_next(&rest, &first, &last))
			return 0;
		/* There is one way to write each. */
		int n = snprintf(again, sizeof(again), "%u-%u\n", first, last);
		if (first > last || n < 0 || rest.p - at != n || memcmp(again, at, (size_t)n) != 0)
			abort();
	}
}
