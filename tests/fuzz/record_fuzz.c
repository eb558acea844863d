/* Accounting records: what is accepted is written back as a record that is accepted and the same. */
#include <stdint.h>
#include <stdlib.h>

#include "api/accounting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dump(const struct xos_record *r, struct xos_buf *out)
{
	struct xos_json *doc = xos_record_to_json(r);

	xos_buf_init(out, 4 * XOS_RECORD_MAX);
	if (xos_json_dump(doc, out, NULL) != XOS_OK)
		abort();
	xos_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_json *doc = NULL, *again = NULL;
	struct xos_record r, back;
	struct xos_buf a, b;

	if (xos_json_parse((struct xos_bytes){data, size}, XOS_RECORD_MAX, &doc, NULL) != XOS_OK)
		return 0;
	if (xos_record_from_json(doc, &r, NULL) == XOS_OK) {
		dump(&r, &a);
		if (xos_json_parse(xos_buf_bytes(&a), 4 * XOS_RECORD_MAX, &again, NULL) != XOS_OK ||
		    xos_record_from_json(again, &back, NULL) != XOS_OK)
			abort();
		dump(&back, &b);
		if (!xos_bytes_eq(xos_buf_bytes(&a), xos_buf_bytes(&b)))
			abort();
		xos_buf_free(&a);
		xos_buf_free(&b);
		xos_json_free(again);
	}
	xos_json_free(doc);
	return 0;
}
