/* Time zone data: whatever is accepted has an offset of at most a day for every moment, the same each time, and
 * is not accepted with a byte less or more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool accepted(const uint8_t *data, size_t size)
{
	struct xos_policy_zone *zone = NULL;
	enum xos_status status = xos_policy_zone_parse((struct xos_bytes){data, size}, &zone, NULL);
	if ((status == XOS_OK) != (zone != NULL))
		abort();
	xos_policy_zone_free(zone);
	return status == XOS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t moments[] = {INT64_MIN, INT64_MIN / 2, -(INT64_C(1) << 40),
	    -2208988800, -1, 0, 1774746000, 1795348800, 2147483647, 2147483648, 4102444800,
	    INT64_C(253402300799), INT64_C(1) << 40, INT64_MAX / 2, INT64_MAX};
	struct xos_policy_zone *zone = NULL, *again = NULL;
	struct xos_bytes in = {data, size};
	if (xos_policy_zone_parse(in, &zone, NULL) != XOS_OK)
		return 0;
	if (xos_policy_zone_parse(in, &again, NULL) != XOS_OK)
		abort();
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		int32_t offset = xos_policy_zone_offset(zone, moments[i]);
		if (offset < -26 * 3600 || offset > 26 * 3600 ||
		    offset != xos_policy_zone_offset(again, moments[i]))
			abort();
	}
	xos_policy_zone_free(zone);
	xos_policy_zone_free(again);
	uint8_t *longer = malloc(size + 1);
	if (!longer)
		return 0;
	memcpy(longer, data, size);
	longer[size] = '\n';
	if (accepted(longer, size + 1) || accepted(longer, size - 1))
		abort();
	free(longer);
	return 0;
}
