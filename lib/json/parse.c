#include "json/value.h"

#include <string.h>

#include "base/text.h"

/*
 * Nesting is measured before jansson sees the text: its own bound is 2 048 levels, and recursion on
 * a peer's word is a stack that the peer sizes. Brackets inside strings do not count; a malformed
 * string only ends the scan early or late, and the parser then refuses the text anyway.
 */
static bool depth_ok(struct xos_bytes in, size_t *where)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			*where = i;
			if (++depth > XOS_JSON_DEPTH)
				return false;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

static void place(struct xos_bytes in, size_t at, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (in.p[i] == '\n') {
			(*line)++;
			*column = 0;
		}
		(*column)++;
	}
}

static enum xos_status refuse(struct xos_err *err, int line, int column, const char *what)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "json-syntax", "JSON line %d, column %d: %s", line, column, what);
}

enum xos_status xos_json_parse(
    struct xos_bytes in, size_t max, struct xos_json **out, struct xos_err *err)
{
	json_error_t je = {.line = 0};
	size_t at = 0;
	int line, column;
	if (in.n > max)
		return xos_err_set(err, XOS_LIMIT, "json-too-long",
		    "JSON of %zu bytes where at most %zu are taken", in.n, max);
	if (in.n == 0)
		return refuse(err, 1, 1, "empty, an object was expected");
	if (!depth_ok(in, &at)) {
		place(in, at, &line, &column);
		return refuse(err, line, column, "nested more than 32 deep");
	}
	if (!xos_utf8_valid(in))
		return xos_err_set(err, XOS_MALFORMED, "json-syntax", "JSON that is not UTF-8");
	xos_json_seed_once();
	json_t *v = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, &je);
	if (!v && json_error_code(&je) == json_error_out_of_memory)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!v)
		return refuse(err, je.line, je.column, je.text);
	*out = xos_json_wrap(v);
	return *out ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}
