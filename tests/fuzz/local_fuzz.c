#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "local/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever decodes must encode to the same bytes: there is one form of each message. */
static void request(enum xos_local_op op, struct xos_bytes body)
{
	struct xos_local_request req;
	struct xos_buf b;
	if (xos_local_request_decode(op, body, &req, NULL))
		return;
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	if (xos_local_request_encode(&req, &b, NULL) || !xos_bytes_eq(xos_buf_bytes(&b), body))
		abort();
	xos_buf_free(&b);
}

static void answer(enum xos_local_op op, struct xos_bytes body)
{
	struct xos_local_answer a;
	struct xos_local_entry e;
	if (xos_local_answer_decode(op, body, &a, NULL))
		return;
	if (op != XOS_LOCAL_LIST || a.status) {
		size_t n = xos_local_answer_size(&a);
		uint8_t *out = malloc(n);
		if (!out || xos_local_answer_encode(&a, out, n, NULL) || n != body.n ||
		    memcmp(out, body.p, n) != 0)
			abort();
		free(out);
		return;
	}
	size_t said = a.nentries, read = 0;
	while (xos_local_entry_next(&a, &e))
		read++;
	if (read != said)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_local_header h;
	if (size < XOS_LOCAL_HEADER || xos_local_header_read(data, &h, NULL))
		return 0;
	struct xos_bytes body = {data + XOS_LOCAL_HEADER, size - XOS_LOCAL_HEADER};
	if (h.kind == XOS_LOCAL_REQUEST)
		request(h.op, body);
	else
		answer(h.op, body);
	return 0;
}
