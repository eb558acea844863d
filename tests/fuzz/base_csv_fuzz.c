/* Tables that an administrator got from somewhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record that was read is written and read again as the same fields. */
static void again(const struct xos_csv_record *r)
{
	struct xos_csv_record back;
	struct xos_csv c;
	struct xos_buf text;
	bool more = false;

	xos_buf_init(&text, 4 * XOS_CSV_RECORD_MAX);
	xos_csv_put(&text, r->field, r->n);
	xos_csv_init(&c, xos_buf_bytes(&text));
	if (xos_csv_next(&c, &back, &more, NULL) != XOS_OK || !more || back.n != r->n)
		abort();
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(back.field[i], r->field[i]) != 0)
			abort();
	if (xos_csv_next(&c, &back, &more, NULL) != XOS_OK || more)
		abort();
	xos_csv_free(&c);
	xos_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_csv_record r;
	struct xos_csv c;
	bool more = true;

	xos_csv_init(&c, (struct xos_bytes){data, size});
	while (more && xos_csv_next(&c, &r, &more, NULL) == XOS_OK)
		if (more)
			again(&r);
	xos_csv_free(&c);
	return 0;
}
