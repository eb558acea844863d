/* The header codec of RFC 7804: what is taken must be formatted and taken again unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_scram_header h, again;
	struct xos_buf b;
	char *value;
	bool scheme;

	if (!size)
		return 0;
	scheme = data[0] & 1;
	value = malloc(size);
	if (!value)
		return 0;
	memcpy(value, data + 1, size - 1);
	value[size - 1] = '\0';
	if (xos_scram_header_parse(value, scheme, &h, NULL) == XOS_OK &&
	    (h.realm[0] || h.sid[0] || h.ndata)) {
		xos_buf_init(&b, 2 * XOS_SCRAM_HEADER_MAX);
		if (xos_scram_header_format(&h, scheme, &b) != XOS_OK ||
		    xos_scram_header_parse(xos_buf_str(&b), scheme, &again, NULL) != XOS_OK ||
		    memcmp(&h, &again, sizeof(h)) != 0)
			abort();
		xos_buf_free(&b);
	}
	free(value);
	return 0;
}
