/* An answer that is no success: never OK, always a code and a text that may be shown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT, back = XOS_ERR_INIT;
	struct xos_buf b;
	if (size < 2)
		return 0;
	int http = 300 + (data[0] << 8 | data[1]) % 300;
	enum xos_status st = xos_problem_decode(
	    http, (struct xos_bytes){data + 2, size - 2}, "https://127.0.0.1:1", &err);
	if (st == XOS_OK || err.status != st || !err.code[0])
		abort();
	for (const char *c = err.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	/* What was understood goes out and comes back as the same class and code. */
	struct xos_json *doc = xos_problem_encode(&err, "id");
	xos_buf_init(&b, 65536);
	if (xos_json_dump(doc, &b, NULL) != XOS_OK)
		abort();
	if (xos_problem_decode(xos_problem_http_status(&err), xos_buf_bytes(&b), "x", &back) !=
	        st ||
	    strcmp(err.code, back.code) != 0)
		abort();
	xos_buf_free(&b);
	xos_json_free(doc);
	return 0;
}
