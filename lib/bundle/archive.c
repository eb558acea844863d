#include "bundle/archive.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "XOSBNDL1"
#define MAGIC_LEN 8u

static int by_digest(const void *a, const void *b)
{
	const struct xos_archive_part *x = a, *y = b;

	return memcmp(x->digest, y->digest, sizeof(x->digest));
}

static enum xos_status malformed(struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "archive", "this is no bundle: it is cut short or damaged");
}

static enum xos_status read_parts(
    struct xos_reader *r, struct xos_archive *out, struct xos_err *err)
{
	uint32_t n = 0;

	if (!xos_reader_u32(r, &n) || n > XOS_ARCHIVE_PARTS_MAX ||
	    n > r->left / XOS_ARCHIVE_PART_MIN)
		return malformed(err);
	out->part = calloc(n + 1u, sizeof(*out->part));
	if (!out->part)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; out->n < n; out->n++) {
		struct xos_archive_part *p = &out->part[out->n];

		if (!xos_reader_lp(r, UINT32_MAX, &p->bytes))
			return malformed(err);
		if (xos_sha256(p->bytes, p->digest) != XOS_OK)
			return xos_err_set(err, XOS_INTERNAL, "digest", "SHA-256 failed");
	}
	qsort(out->part, out->n, sizeof(*out->part), by_digest);
	for (size_t i = 1; i < out->n; i++)
		if (by_digest(&out->part[i - 1], &out->part[i]) == 0)
			return malformed(err);
	return XOS_OK;
}

enum xos_status xos_archive_read(struct xos_bytes in, struct xos_archive *out, struct xos_err *err)
{
	struct xos_bytes magic = XOS_BYTES_NONE;
	struct xos_reader r;
	enum xos_status st;

	xos_reader_init(&r, in);
	if (!xos_reader_take(&r, MAGIC_LEN, &magic) || memcmp(magic.p, MAGIC, MAGIC_LEN) != 0 ||
	    !xos_reader_lp(&r, UINT32_MAX, &out->manifest))
		return malformed(err);
	st = read_parts(&r, out, err);
	if (st == XOS_OK && xos_reader_end(&r) != XOS_OK)
		st = malformed(err);
	if (st != XOS_OK)
		xos_archive_clear(out);
	return st;
}

void xos_archive_clear(struct xos_archive *a)
{
	free(a->part);
	*a = (struct xos_archive){.n = 0};
}

const struct xos_archive_part *xos_archive_find(
    const struct xos_archive *a, const uint8_t digest[XOS_SHA256_LEN])
{
	struct xos_archive_part key = {.bytes = XOS_BYTES_NONE};

	if (!a->n)
		return NULL;
	memcpy(key.digest, digest, sizeof(key.digest));
	return bsearch(&key, a->part, a->n, sizeof(*a->part), by_digest);
}

static void begin(struct xos_buf *out, struct xos_bytes manifest, size_t n)
{
	xos_buf_put(out, MAGIC, MAGIC_LEN);
	xos_buf_lp(out, manifest);
	xos_buf_u32(out, (uint32_t)n);
}

void xos_archive_write(
    struct xos_buf *out, struct xos_bytes manifest, const struct xos_bytes *parts, size_t n)
{
	begin(out, manifest, n);
	for (size_t i = 0; i < n; i++)
		xos_buf_lp(out, parts[i]);
}

/* Parts of a that are not in b. */
static size_t lacking(const struct xos_archive *a, const struct xos_archive *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += !xos_archive_find(b, a->part[i].digest);
	return n;
}

static void put_lacking(
    struct xos_buf *out, const struct xos_archive *a, const struct xos_archive *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!xos_archive_find(b, a->part[i].digest))
			xos_buf_lp(out, a->part[i].bytes);
}

void xos_archive_delta(
    struct xos_buf *out, const struct xos_archive *full, const struct xos_archive *old)
{
	begin(out, full->manifest, lacking(full, old));
	put_lacking(out, full, old);
}

void xos_archive_merge(
    struct xos_buf *out, const struct xos_archive *delta, const struct xos_archive *old)
{
	begin(out, delta->manifest, delta->n + lacking(old, delta));
	for (size_t i = 0; i < delta->n; i++)
		xos_buf_lp(out, delta->part[i].bytes);
	put_lacking(out, old, delta);
}
