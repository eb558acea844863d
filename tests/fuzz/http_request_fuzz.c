/* A request head, its target and a chunked body, as the server reads them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(const char *text)
{
	struct http_target t = {.text = NULL};
	struct xos_err err = XOS_ERR_INIT;
	if (http_target_parse(text, &t, &err) == XOS_OK) {
		for (size_t i = 0; i < t.nsegments; i++)
			if (!*t.segment[i] || strcmp(t.segment[i], "..") == 0 ||
			    !xos_utf8_valid(xos_bytes_str(t.segment[i])))
				abort();
		for (size_t i = 0; i < t.nquery; i++)
			for (size_t k = 0; k < i; k++)
				if (strcmp(t.query[i].name, t.query[k].name) == 0)
					abort();
	} else if (err.status == XOS_OK) {
		abort();
	}
	http_target_clear(&t);
}

/* Fed at once and byte by byte, a body must come out the same. */
static void check_chunks(struct xos_bytes in)
{
	struct http_chunks whole = {.left = 0}, bits = {.left = 0};
	struct xos_buf a, b;
	struct xos_bytes rest = in;
	enum xos_status sa, sb = XOS_OK;
	size_t used = 0;
	xos_buf_init(&a, 4096);
	xos_buf_init(&b, 4096);
	sa = http_chunks_feed(&whole, &rest, &a, NULL);
	for (; used < in.n && sb == XOS_OK && bits.state != CHUNK_DONE; used++) {
		struct xos_bytes one = {in.p + used, 1};
		sb = http_chunks_feed(&bits, &one, &b, NULL);
	}
	if (sa != sb || (sa == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&a), xos_buf_bytes(&b))))
		abort();
	if (sa == XOS_OK && whole.state == CHUNK_DONE && rest.n != in.n - used)
		abort();
	xos_buf_free(&a);
	xos_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct http_head h = {.text = NULL};
	struct xos_err err = XOS_ERR_INIT;
	size_t n = http_head_length(in, 0);
	if (n > size)
		abort();
	if (n == 0)
		return 0;
	if (http_head_parse((struct xos_bytes){data, n}, &h, &err) == XOS_OK) {
		if (h.chunked && h.length)
			abort();
		for (size_t i = 0; i < h.nfields; i++)
			if (!*h.field[i].name || strpbrk(h.field[i].value, "\r\n"))
				abort();
		check_target(h.target);
		if (h.chunked)
			check_chunks((struct xos_bytes){data + n, size - n});
	}
	http_head_clear(&h);
	return 0;
}
