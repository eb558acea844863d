#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xos_bytes xos_bytes_str(const char *s)
{
	if (!s)
		return XOS_BYTES_NONE;
	return (struct xos_bytes){(const uint8_t *)s, strlen(s)};
}

bool xos_bytes_eq(struct xos_bytes a, struct xos_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

void xos_buf_init(struct xos_buf *b, size_t max)
{
	/* One byte stays free for the NUL of xos_buf_str. */
	*b = (struct xos_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void xos_buf_free(struct xos_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct xos_buf){0};
}

static bool reserve(struct xos_buf *b, size_t extra)
{
	if (b->status != XOS_OK)
		return false;
	if (extra > b->max - b->n) {
		b->status = XOS_LIMIT;
		return false;
	}
	size_t need = b->n + extra + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap > SIZE_MAX / 2 ? SIZE_MAX : b->cap * 2;
	if (cap < 64)
		cap = 64;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap < need)
		cap = need;
	uint8_t *p = realloc(b->p, cap);
	if (!p) {
		b->status = XOS_INTERNAL;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void xos_buf_put(struct xos_buf *b, const void *p, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void xos_buf_put_str(struct xos_buf *b, const char *s)
{
	xos_buf_put(b, s, s ? strlen(s) : 0);
}

void xos_buf_printf(struct xos_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		if (b->status == XOS_OK)
			b->status = XOS_INTERNAL;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	int m = vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (m != n)
		b->status = XOS_INTERNAL;
	else
		b->n += (size_t)n;
}

static void put_be(struct xos_buf *b, uint64_t v, size_t width)
{
	uint8_t raw[8];
	for (size_t i = 0; i < width; i++)
		raw[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
	xos_buf_put(b, raw, width);
}

void xos_buf_u8(struct xos_buf *b, uint8_t v)
{
	put_be(b, v, 1);
}

void xos_buf_u16(struct xos_buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void xos_buf_u32(struct xos_buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void xos_buf_u64(struct xos_buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void xos_buf_lp(struct xos_buf *b, struct xos_bytes v)
{
	if (v.n > UINT32_MAX) {
		if (b->status == XOS_OK)
			b->status = XOS_LIMIT;
		return;
	}
	xos_buf_u32(b, (uint32_t)v.n);
	xos_buf_put(b, v.p, v.n);
}

void xos_buf_lp_str(struct xos_buf *b, const char *s)
{
	xos_buf_lp(b, xos_bytes_str(s));
}

enum xos_status xos_buf_status(const struct xos_buf *b)
{
	return b->status;
}

struct xos_bytes xos_buf_bytes(const struct xos_buf *b)
{
	return (struct xos_bytes){b->p, b->n};
}

const char *xos_buf_str(struct xos_buf *b)
{
	if (!reserve(b, 0))
		return NULL;
	b->p[b->n] = 0;
	return (const char *)b->p;
}

char *xos_buf_steal(struct xos_buf *b, size_t *n)
{
	if (!xos_buf_str(b))
		return NULL;
	char *p = (char *)b->p;
	if (n)
		*n = b->n;
	*b = (struct xos_buf){.max = b->max};
	return p;
}

void xos_reader_init(struct xos_reader *r, struct xos_bytes in)
{
	*r = (struct xos_reader){.p = in.p, .left = in.n};
}

bool xos_reader_take(struct xos_reader *r, size_t n, struct xos_bytes *v)
{
	if (r->failed || n > r->left) {
		r->failed = true;
		return false;
	}
	*v = (struct xos_bytes){r->p, n};
	if (n)
		r->p += n;
	r->left -= n;
	return true;
}

static bool take_be(struct xos_reader *r, size_t width, uint64_t *v)
{
	struct xos_bytes raw;
	if (!xos_reader_take(r, width, &raw))
		return false;
	*v = 0;
	for (size_t i = 0; i < width; i++)
		*v = *v << 8 | raw.p[i];
	return true;
}

bool xos_reader_u8(struct xos_reader *r, uint8_t *v)
{
	uint64_t wide;
	if (!take_be(r, 1, &wide))
		return false;
	*v = (uint8_t)wide;
	return true;
}

bool xos_reader_u16(struct xos_reader *r, uint16_t *v)
{
	uint64_t wide;
	if (!take_be(r, 2, &wide))
		return false;
	*v = (uint16_t)wide;
	return true;
}

bool xos_reader_u32(struct xos_reader *r, uint32_t *v)
{
	uint64_t wide;
	if (!take_be(r, 4, &wide))
		return false;
	*v = (uint32_t)wide;
	return true;
}

bool xos_reader_u64(struct xos_reader *r, uint64_t *v)
{
	uint64_t wide;
	if (!take_be(r, 8, &wide))
		return false;
	*v = wide;
	return true;
}

bool xos_reader_i64(struct xos_reader *r, int64_t *v)
{
	uint64_t wide;
	if (!take_be(r, 8, &wide))
		return false;
	if (wide > INT64_MAX) {
		r->failed = true;
		return false;
	}
	*v = (int64_t)wide;
	return true;
}

bool xos_reader_lp(struct xos_reader *r, size_t max, struct xos_bytes *v)
{
	struct xos_reader probe = *r;
	uint32_t n;
	if (!xos_reader_u32(&probe, &n) || n > max || !xos_reader_take(&probe, n, v)) {
		r->failed = true;
		return false;
	}
	*r = probe;
	return true;
}

bool xos_reader_lp_str(struct xos_reader *r, char *out, size_t cap)
{
	struct xos_reader probe = *r;
	struct xos_bytes v;
	if (cap == 0 || !xos_reader_lp(&probe, cap - 1, &v) || (v.n && memchr(v.p, 0, v.n))) {
		r->failed = true;
		return false;
	}
	if (v.n)
		memcpy(out, v.p, v.n);
	out[v.n] = 0;
	*r = probe;
	return true;
}

enum xos_status xos_reader_end(const struct xos_reader *r)
{
	return !r->failed && r->left == 0 ? XOS_OK : XOS_MALFORMED;
}
