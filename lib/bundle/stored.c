#include "bundle/stored.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "json/json.h"

#define SEEN_MAX 4096

static enum xos_status join(
    char *out, size_t cap, const char *dir, const char *name, struct xos_err *err)
{
	if (!xos_path_join(out, cap, dir, name))
		return xos_err_set(
		    err, XOS_LIMIT, "path-too-long", "%s/%s: the path is too long", dir, name);
	return XOS_OK;
}

static const char *const by_names[XOS_BUNDLE_BY_N] = {"policy", "roster", "locks_ca", "locks_rca"};

/* Files from before it was written down whose serials they are do not have it. */
static enum xos_status by_parse(
    const struct xos_json *doc, struct xos_bundle_seen *s, struct xos_err *err)
{
	const struct xos_json *by = NULL;
	const char *hex = NULL;
	struct xos_buf bytes;
	enum xos_status st = xos_json_opt_object(doc, "by", &by, err);

	if (st == XOS_OK && by)
		st = XOS_JSON_ONLY(by, err, "policy", "roster", "locks_ca", "locks_rca");
	for (size_t i = 0; st == XOS_OK && by && i < XOS_BUNDLE_BY_N; i++) {
		if (!xos_json_has(by, by_names[i]))
			continue;
		xos_buf_init(&bytes, XOS_SHA256_LEN);
		st = xos_json_get_string(by, by_names[i], 2 * XOS_SHA256_LEN, &hex, err);
		if (st == XOS_OK && (xos_hex_decode(&bytes, hex, strlen(hex)) != XOS_OK ||
		                        bytes.n != XOS_SHA256_LEN))
			st = xos_json_refuse(by, err, "%s: no fingerprint", by_names[i]);
		if (st == XOS_OK)
			memcpy(s->by[i], bytes.p, XOS_SHA256_LEN);
		xos_buf_free(&bytes);
	}
	return st;
}

static void by_dump(struct xos_json *doc, const struct xos_bundle_seen *s)
{
	static const uint8_t nobody[XOS_SHA256_LEN];
	struct xos_json *by = xos_json_object();
	char hex[2 * XOS_SHA256_LEN + 1];

	for (size_t i = 0; i < XOS_BUNDLE_BY_N; i++) {
		if (memcmp(s->by[i], nobody, sizeof(nobody)) == 0)
			continue;
		xos_hex_encode(hex, s->by[i], XOS_SHA256_LEN);
		xos_json_set_string(by, by_names[i], hex);
	}
	xos_json_set(doc, "by", by);
}

static enum xos_status seen_parse(
    struct xos_bytes in, struct xos_bundle_seen *seen, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_bundle_seen s = {0};
	enum xos_status st = xos_json_parse(in, SEEN_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "bundle", "vo_set", "site_set", "node_set", "roster",
		    "locks_ca", "locks_rca", "newest", "by");
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "bundle", INT64_MAX, &s.bundle, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "vo_set", INT64_MAX, &s.vo_set, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "site_set", INT64_MAX, &s.site_set, err);
	/* Files from before nodes had sets do not have it. */
	if (st == XOS_OK)
		st = xos_json_opt_uint64(doc, "node_set", INT64_MAX, 0, &s.node_set, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "roster", INT64_MAX, &s.roster, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "locks_ca", INT64_MAX, &s.locks_ca, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "locks_rca", INT64_MAX, &s.locks_rca, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "newest", &s.newest, err);
	if (st == XOS_OK)
		st = by_parse(doc, &s, err);
	if (st == XOS_OK)
		*seen = s;
	xos_json_free(doc);
	return st;
}

enum xos_status xos_bundle_seen_load(
    const char *dir, struct xos_bundle_seen *seen, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf in;

	xos_buf_init(&in, SEEN_MAX);
	enum xos_status st = join(path, sizeof(path), dir, "bundle.seen", err);
	if (st == XOS_OK)
		st = xos_file_read(path, SEEN_MAX, &in, err);
	if (st == XOS_NOT_FOUND) {
		*seen = (struct xos_bundle_seen){0};
		st = XOS_OK;
		goto out;
	}
	if (st == XOS_OK) {
		st = seen_parse(xos_buf_bytes(&in), seen, err);
		if (st != XOS_OK)
			st = xos_err_prefix(err, st,
			    "%s is damaged; it keeps old policy out, so only remove it if this "
			    "machine is "
			    "joined anew",
			    path);
	}
out:
	xos_buf_free(&in);
	return st;
}

enum xos_status xos_bundle_load(const char *dir, const struct xos_bundle_want *want,
    struct xos_bundle **out, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf in;

	xos_buf_init(&in, XOS_BUNDLE_MAX);
	enum xos_status st = join(path, sizeof(path), dir, "bundle", err);
	if (st == XOS_OK)
		st = xos_file_read(path, XOS_BUNDLE_MAX, &in, err);
	if (st == XOS_OK)
		st = xos_bundle_verify(xos_buf_bytes(&in), want, out, err);
	xos_buf_free(&in);
	return st;
}

enum xos_status xos_bundle_store(const char *dir, struct xos_bytes archive,
    const struct xos_bundle *b, struct xos_bundle_seen *seen, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_json *doc = NULL;
	struct xos_buf text;

	xos_buf_init(&text, SEEN_MAX);
	/* If we stop between the two writes, the stored bundle raises seen again when it is read. */
	enum xos_status st = join(path, sizeof(path), dir, "bundle", err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, archive, err);
	if (st != XOS_OK)
		goto out;
	xos_bundle_seen_raise(seen, b);
	doc = xos_json_object();
	xos_json_set_int(doc, "bundle", (int64_t)seen->bundle);
	xos_json_set_int(doc, "vo_set", (int64_t)seen->vo_set);
	xos_json_set_int(doc, "site_set", (int64_t)seen->site_set);
	xos_json_set_int(doc, "node_set", (int64_t)seen->node_set);
	xos_json_set_int(doc, "roster", (int64_t)seen->roster);
	xos_json_set_int(doc, "locks_ca", (int64_t)seen->locks_ca);
	xos_json_set_int(doc, "locks_rca", (int64_t)seen->locks_rca);
	xos_json_set_time(doc, "newest", seen->newest);
	by_dump(doc, seen);
	st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = join(path, sizeof(path), dir, "bundle.seen", err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&text), err);
out:
	xos_json_free(doc);
	xos_buf_free(&text);
	return st;
}
