/* JSON: parse, walk everything through the getters, dump, parse the dump again: it must be equal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct xos_json *v)
{
	struct xos_err err = XOS_ERR_INIT;
	const char *s = NULL, *key = NULL, **list = NULL;
	const struct xos_json *kid = NULL;
	struct xos_buf b;
	int64_t n = 0;
	size_t count = 0;
	bool flag = false;
	void *it = NULL;
	if (xos_json_as_string(v, 64, &s, &err) == XOS_OK && strlen(s) > 64)
		abort();
	if (xos_json_as_int64(v, -10, 10, &n, &err) == XOS_OK && (n < -10 || n > 10))
		abort();
	if (xos_json_as_bool(v, &flag, &err) != XOS_OK && err.text[0] == '\0')
		abort();
	for (size_t i = 0; i < xos_json_count(v) && (kid = xos_json_at(v, i)); i++)
		walk(kid);
	xos_buf_init(&b, 256);
	while (xos_json_next(v, &it, &key, &kid)) {
		if (xos_json_get_strings(v, key, 8, 16, &list, &count, &err) == XOS_OK)
			free(list);
		if (xos_json_get_bytes(v, key, 64, &b, &err) == XOS_OK && b.n > 256)
			abort();
		if (xos_json_get_time(v, key, &n, &err) == XOS_OK)
			n = 0;
		if (xos_json_opt_int64(v, key, 0, 5, 0, &n, &err) == XOS_OK && n > 5)
			abort();
		walk(kid);
	}
	xos_buf_free(&b);
	if (XOS_JSON_ONLY(v, &err, "a", "b") == XOS_OK && xos_json_count(v) > 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_json *v = NULL, *again = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf first, second;
	if (xos_json_parse((struct xos_bytes){data, size}, 65536, &v, &err) != XOS_OK)
		return 0;
	walk(v);
	xos_buf_init(&first, 1 << 20);
	xos_buf_init(&second, 1 << 20);
	if (xos_json_dump(v, &first, &err) != XOS_OK ||
	    xos_json_parse(xos_buf_bytes(&first), 1 << 20, &again, &err) != XOS_OK ||
	    xos_json_dump(again, &second, &err) != XOS_OK ||
	    !xos_bytes_eq(xos_buf_bytes(&first), xos_buf_bytes(&second)))
		abort();
	xos_buf_free(&first);
	xos_buf_free(&second);
	xos_json_free(v);
	xos_json_free(again);
	return 0;
}
