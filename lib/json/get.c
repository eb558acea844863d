#include "json/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* Writes "args.list[3].name" from the root down; a text that does not fit is cut. */
static void path_write(const struct xos_json *v, char *out, size_t cap)
{
	if (!v || !v->parent) {
		out[0] = '\0';
		return;
	}
	path_write(v->parent, out, cap);
	size_t n = strlen(out);
	if (v->key)
		snprintf(out + n, cap - n, "%s%s", n ? "." : "", v->key);
	else
		snprintf(out + n, cap - n, "[%zu]", v->index);
}

enum xos_status xos_json_refuse(const struct xos_json *v, struct xos_err *err, const char *fmt, ...)
{
	char path[160], text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	path_write(v, path, sizeof(path));
	return xos_err_set(
	    err, XOS_MALFORMED, "json-field", "%s: %s", path[0] ? path : "the document", text);
}

static enum xos_status missing(const struct xos_json *obj, const char *key, struct xos_err *err)
{
	if (!obj || !json_is_object(obj->v))
		return xos_json_refuse(obj, err, "expected an object");
	return xos_json_refuse(&(struct xos_json){.parent = obj, .key = key}, err, "missing");
}

/* The member, or a refusal that names it. A member that exists but cannot be boxed is memory. */
static enum xos_status need(
    const struct xos_json *obj, const char *key, const struct xos_json **out, struct xos_err *err)
{
	if (!xos_json_has(obj, key))
		return missing(obj, key, err);
	*out = xos_json_member(obj, key);
	return *out ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* For opt getters: is the key absent from what is an object? A non-object is left to `need`. */
static bool absent_key(const struct xos_json *obj, const char *key)
{
	return obj && json_is_object(obj->v) && !xos_json_has(obj, key);
}

enum xos_status xos_json_only(
    const struct xos_json *obj, const char *const *keys, struct xos_err *err)
{
	void *it = NULL;
	const char *key = NULL;
	const struct xos_json *value = NULL;
	enum xos_status st = xos_json_as_object(obj, err);
	while (st == XOS_OK && xos_json_next(obj, &it, &key, &value)) {
		const char *const *k = keys;
		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			st = xos_json_refuse(value, err, "unknown key");
	}
	if (st == XOS_OK && !it && xos_json_count(obj) > 0)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	return st;
}

enum xos_status xos_json_as_object(const struct xos_json *v, struct xos_err *err)
{
	return v && json_is_object(v->v) ? XOS_OK : xos_json_refuse(v, err, "expected an object");
}

enum xos_status xos_json_as_array(const struct xos_json *v, size_t max, struct xos_err *err)
{
	if (!v || !json_is_array(v->v))
		return xos_json_refuse(v, err, "expected an array");
	if (json_array_size(v->v) > max)
		return xos_json_refuse(
		    v, err, "%zu elements where at most %zu are taken", json_array_size(v->v), max);
	return XOS_OK;
}

enum xos_status xos_json_as_string(
    const struct xos_json *v, size_t max, const char **out, struct xos_err *err)
{
	if (!v || !json_is_string(v->v))
		return xos_json_refuse(v, err, "expected a string");
	if (json_string_length(v->v) > max)
		return xos_json_refuse(
		    v, err, "%zu bytes where at most %zu are taken", json_string_length(v->v), max);
	*out = json_string_value(v->v);
	return XOS_OK;
}

enum xos_status xos_json_as_int64(
    const struct xos_json *v, int64_t min, int64_t max, int64_t *out, struct xos_err *err)
{
	if (!v || !json_is_integer(v->v))
		return xos_json_refuse(v, err, "expected a whole number");
	int64_t n = json_integer_value(v->v);
	if (n < min || n > max)
		return xos_json_refuse(v, err, "%lld is not between %lld and %lld", (long long)n,
		    (long long)min, (long long)max);
	*out = n;
	return XOS_OK;
}

enum xos_status xos_json_as_bool(const struct xos_json *v, bool *out, struct xos_err *err)
{
	if (!v || !json_is_boolean(v->v))
		return xos_json_refuse(v, err, "expected true or false");
	*out = json_is_true(v->v);
	return XOS_OK;
}

enum xos_status xos_json_get_string(
    const struct xos_json *obj, const char *key, size_t max, const char **out, struct xos_err *err)
{
	const struct xos_json *v = NULL;
	enum xos_status st = need(obj, key, &v, err);
	return st == XOS_OK ? xos_json_as_string(v, max, out, err) : st;
}

enum xos_status xos_json_opt_string(
    const struct xos_json *obj, const char *key, size_t max, const char **out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_string(obj, key, max, out, err);
	*out = NULL;
	return XOS_OK;
}

enum xos_status xos_json_copy_string(
    const struct xos_json *obj, const char *key, char *buf, size_t cap, struct xos_err *err)
{
	const char *s = NULL;
	enum xos_status st = xos_json_get_string(obj, key, cap ? cap - 1 : 0, &s, err);
	if (st == XOS_OK && s)
		memcpy(buf, s, strlen(s) + 1);
	return st;
}

enum xos_status xos_json_get_int64(const struct xos_json *obj, const char *key, int64_t min,
    int64_t max, int64_t *out, struct xos_err *err)
{
	const struct xos_json *v = NULL;
	enum xos_status st = need(obj, key, &v, err);
	return st == XOS_OK ? xos_json_as_int64(v, min, max, out, err) : st;
}

enum xos_status xos_json_opt_int64(const struct xos_json *obj, const char *key, int64_t min,
    int64_t max, int64_t absent, int64_t *out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_int64(obj, key, min, max, out, err);
	*out = absent;
	return XOS_OK;
}

enum xos_status xos_json_get_uint64(
    const struct xos_json *obj, const char *key, uint64_t max, uint64_t *out, struct xos_err *err)
{
	int64_t v = 0;
	int64_t top = max > INT64_MAX ? INT64_MAX : (int64_t)max;
	enum xos_status st = xos_json_get_int64(obj, key, 0, top, &v, err);
	if (st == XOS_OK)
		*out = (uint64_t)v;
	return st;
}

enum xos_status xos_json_opt_uint64(const struct xos_json *obj, const char *key, uint64_t max,
    uint64_t absent, uint64_t *out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_uint64(obj, key, max, out, err);
	*out = absent;
	return XOS_OK;
}

enum xos_status xos_json_get_bool(
    const struct xos_json *obj, const char *key, bool *out, struct xos_err *err)
{
	const struct xos_json *v = NULL;
	enum xos_status st = need(obj, key, &v, err);
	return st == XOS_OK ? xos_json_as_bool(v, out, err) : st;
}

enum xos_status xos_json_opt_bool(
    const struct xos_json *obj, const char *key, bool absent, bool *out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_bool(obj, key, out, err);
	*out = absent;
	return XOS_OK;
}

enum xos_status xos_json_get_object(
    const struct xos_json *obj, const char *key, const struct xos_json **out, struct xos_err *err)
{
	const struct xos_json *v = NULL;
	enum xos_status st = need(obj, key, &v, err);
	if (st == XOS_OK)
		st = xos_json_as_object(v, err);
	if (st == XOS_OK)
		*out = v;
	return st;
}

enum xos_status xos_json_opt_object(
    const struct xos_json *obj, const char *key, const struct xos_json **out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_object(obj, key, out, err);
	*out = NULL;
	return XOS_OK;
}

enum xos_status xos_json_get_array(const struct xos_json *obj, const char *key, size_t max,
    const struct xos_json **out, struct xos_err *err)
{
	const struct xos_json *v = NULL;
	enum xos_status st = need(obj, key, &v, err);
	if (st == XOS_OK)
		st = xos_json_as_array(v, max, err);
	if (st == XOS_OK)
		*out = v;
	return st;
}

enum xos_status xos_json_opt_array(const struct xos_json *obj, const char *key, size_t max,
    const struct xos_json **out, struct xos_err *err)
{
	if (!absent_key(obj, key))
		return xos_json_get_array(obj, key, max, out, err);
	*out = NULL;
	return XOS_OK;
}
