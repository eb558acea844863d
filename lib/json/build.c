#include "json/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

struct xos_json *xos_json_object(void)
{
	xos_json_seed_once();
	return xos_json_wrap(json_object());
}

struct xos_json *xos_json_array(void)
{
	return xos_json_wrap(json_array());
}

static void fail(struct xos_json *v, enum xos_status why)
{
	if (v->failed == XOS_OK)
		v->failed = why;
}

/* Why a jansson call on this text gave nothing. */
static enum xos_status why_not(const char *s)
{
	return xos_utf8_valid(xos_bytes_str(s)) ? XOS_INTERNAL : XOS_MALFORMED;
}

/* Takes value. What getters gave out below obj ends here: they may point at what is replaced. */
static void put(struct xos_json *obj, const char *key, json_t *value, enum xos_status why)
{
	if (!obj || obj->failed != XOS_OK) {
		json_decref(value);
		return;
	}
	xos_json_drop_kids(obj->box);
	if (!value)
		fail(obj, why);
	else if (json_object_set_new(obj->v, key, value) != 0)
		fail(obj, why_not(key));
}

static void append(struct xos_json *arr, json_t *value, enum xos_status why)
{
	if (!arr || arr->failed != XOS_OK) {
		json_decref(value);
		return;
	}
	xos_json_drop_kids(arr->box);
	if (!value)
		fail(arr, why);
	else if (json_array_append_new(arr->v, value) != 0)
		fail(arr, XOS_INTERNAL);
}

/* The tree of a child that is given away; NULL and the reason if it failed. */
static json_t *child_take(struct xos_json *child, enum xos_status *why)
{
	json_t *v = NULL;
	*why = child ? child->failed : XOS_INTERNAL;
	if (child && *why == XOS_OK)
		v = json_incref(child->v);
	xos_json_free(child);
	return v;
}

void xos_json_set(struct xos_json *obj, const char *key, struct xos_json *child)
{
	enum xos_status why;
	json_t *v = child_take(child, &why);
	put(obj, key, v, why);
}

void xos_json_set_string(struct xos_json *obj, const char *key, const char *s)
{
	if (s)
		put(obj, key, json_string(s), why_not(s));
}

void xos_json_set_text(struct xos_json *obj, const char *key, const char *s)
{
	if (!s || xos_utf8_valid(xos_bytes_str(s))) {
		xos_json_set_string(obj, key, s);
		return;
	}
	char *clean = strdup(s);
	for (char *c = clean; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	put(obj, key, clean ? json_string(clean) : NULL, XOS_INTERNAL);
	free(clean);
}

void xos_json_set_int(struct xos_json *obj, const char *key, int64_t v)
{
	put(obj, key, json_integer(v), XOS_INTERNAL);
}

void xos_json_set_bool(struct xos_json *obj, const char *key, bool v)
{
	put(obj, key, json_boolean(v), XOS_INTERNAL);
}

void xos_json_set_null(struct xos_json *obj, const char *key)
{
	put(obj, key, json_null(), XOS_INTERNAL);
}

void xos_json_set_bytes(struct xos_json *obj, const char *key, struct xos_bytes v)
{
	struct xos_buf b;
	if (!obj)
		return;
	xos_buf_init(&b, v.n / 3 * 4 + 8);
	xos_base64_encode(&b, v);
	const char *s = xos_buf_str(&b);
	put(obj, key, s ? json_string(s) : NULL, XOS_INTERNAL);
	xos_buf_free(&b);
}

void xos_json_set_time(struct xos_json *obj, const char *key, int64_t t)
{
	char text[XOS_TIME_TEXT];
	xos_time_format(t, text);
	xos_json_set_string(obj, key, text);
}

void xos_json_set_strings(
    struct xos_json *obj, const char *key, const char *const *list, size_t count)
{
	struct xos_json *arr = xos_json_array();
	for (size_t i = 0; i < count; i++)
		xos_json_add_string(arr, list[i]);
	xos_json_set(obj, key, arr);
}

void xos_json_add(struct xos_json *arr, struct xos_json *child)
{
	enum xos_status why;
	json_t *v = child_take(child, &why);
	append(arr, v, why);
}

void xos_json_add_string(struct xos_json *arr, const char *s)
{
	append(arr, s ? json_string(s) : NULL, s ? why_not(s) : XOS_INTERNAL);
}

void xos_json_add_int(struct xos_json *arr, int64_t v)
{
	append(arr, json_integer(v), XOS_INTERNAL);
}

static int to_buf(const char *p, size_t n, void *ctx)
{
	struct xos_buf *b = ctx;
	xos_buf_put(b, p, n);
	return xos_buf_status(b) == XOS_OK ? 0 : -1;
}

static enum xos_status dump(
    const struct xos_json *v, size_t flags, struct xos_buf *out, struct xos_err *err)
{
	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (v->failed == XOS_MALFORMED)
		return xos_err_set(err, XOS_MALFORMED, "json-text",
		    "a text that is not UTF-8 cannot be written as JSON");
	if (v->failed != XOS_OK)
		return xos_err_set(err, v->failed, "memory", "out of memory");
	if (json_dump_callback(v->v, to_buf, out, flags | JSON_SORT_KEYS | JSON_ENCODE_ANY) == 0)
		return XOS_OK;
	if (xos_buf_status(out) == XOS_LIMIT)
		return xos_err_set(
		    err, XOS_LIMIT, "json-too-long", "JSON of more than %zu bytes", out->max);
	return xos_err_set(err, XOS_INTERNAL, "json-dump", "the JSON could not be written");
}

enum xos_status xos_json_dump(const struct xos_json *v, struct xos_buf *out, struct xos_err *err)
{
	return dump(v, JSON_COMPACT, out, err);
}

enum xos_status xos_json_dump_line(
    const struct xos_json *v, struct xos_buf *out, struct xos_err *err)
{
	return dump(v, JSON_COMPACT | JSON_ENSURE_ASCII, out, err);
}

enum xos_status xos_json_dump_pretty(
    const struct xos_json *v, struct xos_buf *out, struct xos_err *err)
{
	enum xos_status st = dump(v, JSON_INDENT(2) | JSON_ENSURE_ASCII, out, err);
	if (st == XOS_OK) {
		xos_buf_put_str(out, "\n");
		st = xos_buf_status(out);
	}
	return st;
}
