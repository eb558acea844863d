#include "bundle/peek.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/bundle.h"
#include "json/json.h"

/* The middle part of a compact JWS. */
static enum xos_status payload_of(
    struct xos_bytes compact, struct xos_json **out, struct xos_err *err)
{
	const uint8_t *first = compact.n ? memchr(compact.p, '.', compact.n) : NULL;
	size_t rest = first ? compact.n - (size_t)(first + 1 - compact.p) : 0;
	const uint8_t *second = rest ? memchr(first + 1, '.', rest) : NULL;
	struct xos_buf text;
	enum xos_status st = XOS_MALFORMED;

	xos_buf_init(&text, XOS_BUNDLE_MAX);
	if (second)
		st = xos_base64url_decode(
		    &text, (const char *)first + 1, (size_t)(second - first - 1));
	st = st == XOS_OK ? xos_json_parse(xos_buf_bytes(&text), XOS_BUNDLE_MAX, out, err)
	                  : xos_err_set(err, st, "bundle-form", "no compact JWS");
	xos_buf_free(&text);
	return st;
}

static enum xos_status add_locks(
    const struct xos_json *list, struct xos_bundle_sight *out, struct xos_err *err)
{
	size_t n = xos_json_count(list);
	char(*grown)[XOS_LOCK_ID_MAX + 1] =
	    realloc(out->lock, (out->nlocks + n + 1) * sizeof(*grown));
	enum xos_status st = XOS_OK;

	if (!grown)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	out->lock = grown;
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = xos_json_copy_string(
		    xos_json_at(list, i), "id", out->lock[out->nlocks++], sizeof(*grown), err);
	return st;
}

static enum xos_status one_list(const struct xos_archive *a, const struct xos_json *digest,
    struct xos_bundle_sight *out, struct xos_err *err)
{
	const struct xos_archive_part *part = NULL;
	const struct xos_json *list = NULL;
	struct xos_json *doc = NULL;
	const char *hex = NULL;
	struct xos_buf bytes;
	enum xos_status st = xos_json_as_string(digest, 2 * XOS_SHA256_LEN, &hex, err);

	xos_buf_init(&bytes, XOS_SHA256_LEN);
	if (st == XOS_OK)
		st = xos_hex_decode(&bytes, hex, strlen(hex));
	if (st == XOS_OK && bytes.n == XOS_SHA256_LEN)
		part = xos_archive_find(a, bytes.p);
	if (st == XOS_OK && !part)
		st = xos_err_set(err, XOS_NOT_FOUND, "bundle-part", "a list of locks is missing");
	if (st == XOS_OK)
		st = payload_of(part->bytes, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "locks", XOS_LOCKS_COUNT_MAX, &list, err);
	if (st == XOS_OK)
		st = add_locks(list, out, err);
	xos_json_free(doc);
	xos_buf_free(&bytes);
	return st;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum xos_status look(const struct xos_archive *a, const struct xos_json *doc,
    struct xos_bundle_sight *out, struct xos_err *err)
{
	const struct xos_json *vo_set = NULL, *locks = NULL;
	enum xos_status st = xos_json_get_uint64(doc, "serial", INT64_MAX, &out->serial, err);

	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &out->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &out->expires, err);
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "vo_set", &vo_set, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(vo_set, "serial", INT64_MAX, &out->vo_set, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "locks", 2, &locks, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(locks); i++)
		st = one_list(a, xos_json_at(locks, i), out, err);
	if (st == XOS_OK && out->nlocks)
		qsort(out->lock, out->nlocks, sizeof(*out->lock), by_id);
	return st;
}

enum xos_status xos_bundle_peek(
    const struct xos_archive *a, struct xos_bundle_sight *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = payload_of(a->manifest, &doc, err);

	if (st == XOS_OK)
		st = look(a, doc, out, err);
	xos_json_free(doc);
	if (st != XOS_OK)
		xos_bundle_sight_clear(out);
	return st;
}

void xos_bundle_sight_clear(struct xos_bundle_sight *s)
{
	free(s->lock);
	*s = (struct xos_bundle_sight){.serial = 0};
}

bool xos_bundle_sight_lock(const struct xos_bundle_sight *s, const char *id)
{
	return s->nlocks && bsearch(id, s->lock, s->nlocks, sizeof(*s->lock), by_id);
}
