/* Getters for what JSON has no type for: bytes, times, lists of strings. */
#include "json/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum xos_status xos_json_get_bytes(const struct xos_json *obj, const char *key, size_t max,
    struct xos_buf *out, struct xos_err *err)
{
	const char *s = NULL;
	struct xos_buf decoded;
	enum xos_status st = xos_json_get_string(obj, key, max / 3 * 4 + 4, &s, err);
	if (st != XOS_OK)
		return st;
	const struct xos_json *v = xos_json_member(obj, key);
	xos_buf_init(&decoded, max);
	st = xos_base64_decode(&decoded, s, strlen(s));
	if (st == XOS_INTERNAL)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	else if (st == XOS_LIMIT)
		st = xos_json_refuse(v, err, "more than %zu bytes", max);
	else if (st != XOS_OK)
		st = xos_json_refuse(v, err, "expected base64 with padding");
	if (st == XOS_OK) {
		xos_buf_put(out, decoded.p, decoded.n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			st = xos_err_set(
			    err, st, "json-bytes", "no room for the bytes of \"%s\"", key);
	}
	xos_buf_free(&decoded);
	return st;
}

enum xos_status xos_json_opt_bytes(const struct xos_json *obj, const char *key, size_t max,
    struct xos_buf *out, struct xos_err *err)
{
	if (xos_json_type(obj) == XOS_JSON_OBJECT && !xos_json_has(obj, key))
		return XOS_OK;
	return xos_json_get_bytes(obj, key, max, out, err);
}

enum xos_status xos_json_get_time(
    const struct xos_json *obj, const char *key, int64_t *out, struct xos_err *err)
{
	const char *s = NULL;
	int64_t t = 0;
	enum xos_status st = xos_json_get_string(obj, key, XOS_TIME_TEXT, &s, err);
	if (st != XOS_OK)
		return st;
	if (!xos_time_parse(s, &t))
		return xos_json_refuse(
		    xos_json_member(obj, key), err, "expected a time such as 2026-11-22T18:10:09Z");
	*out = t;
	return XOS_OK;
}

enum xos_status xos_json_opt_time(
    const struct xos_json *obj, const char *key, int64_t absent, int64_t *out, struct xos_err *err)
{
	if (xos_json_type(obj) != XOS_JSON_OBJECT || xos_json_has(obj, key))
		return xos_json_get_time(obj, key, out, err);
	*out = absent;
	return XOS_OK;
}

enum xos_status xos_json_get_strings(const struct xos_json *obj, const char *key, size_t max_count,
    size_t max_len, const char ***out, size_t *count, struct xos_err *err)
{
	const struct xos_json *arr = NULL;
	enum xos_status st = xos_json_get_array(obj, key, max_count, &arr, err);
	if (st != XOS_OK)
		return st;
	size_t n = xos_json_count(arr);
	const char **list = calloc(n + 1, sizeof(*list));
	if (!list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < n && st == XOS_OK; i++)
		st = xos_json_as_string(xos_json_at(arr, i), max_len, &list[i], err);
	if (st != XOS_OK) {
		free(list);
		return st;
	}
	*out = list;
	*count = n;
	return XOS_OK;
}

enum xos_status xos_json_opt_strings(const struct xos_json *obj, const char *key, size_t max_count,
    size_t max_len, const char ***out, size_t *count, struct xos_err *err)
{
	if (xos_json_type(obj) != XOS_JSON_OBJECT || xos_json_has(obj, key))
		return xos_json_get_strings(obj, key, max_count, max_len, out, count, err);
	*out = NULL;
	*count = 0;
	return XOS_OK;
}
