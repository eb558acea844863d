#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pki/der.h"

void xos_der_init(struct xos_der *w, struct xos_buf *buf)
{
	memset(w, 0, sizeof(*w));
	w->buf = buf;
}

static size_t length_bytes(size_t n)
{
	size_t bytes = 0;

	if (n < 0x80)
		return 0;
	while (n) {
		bytes++;
		n >>= 8;
	}
	return bytes;
}

static void put_length(uint8_t *p, size_t n, size_t bytes)
{
	if (bytes == 0) {
		*p = (uint8_t)n;
		return;
	}
	*p = (uint8_t)(0x80 | bytes);
	for (size_t i = bytes; i > 0; i--) {
		p[i] = (uint8_t)n;
		n >>= 8;
	}
}

void xos_der_begin(struct xos_der *w, uint8_t tag)
{
	const uint8_t head[2] = {tag, 0};

	if (w->depth >= XOS_DER_NEST) {
		w->failed = true;
		return;
	}
	w->start[w->depth++] = w->buf->n;
	xos_buf_put(w->buf, head, sizeof(head));
}

/* The length is known only now: where it needs more than the one byte kept for it, the contents
 * move. */
void xos_der_end(struct xos_der *w)
{
	static const uint8_t room[8];
	size_t start, len, bytes;

	if (w->failed || w->depth == 0 || xos_buf_status(w->buf) != XOS_OK) {
		w->failed = true;
		return;
	}
	start = w->start[--w->depth];
	len = w->buf->n - start - 2;
	bytes = length_bytes(len);
	if (bytes) {
		xos_buf_put(w->buf, room, bytes);
		if (xos_buf_status(w->buf) != XOS_OK)
			return;
		memmove(w->buf->p + start + 2 + bytes, w->buf->p + start + 2, len);
	}
	put_length(w->buf->p + start + 1, len, bytes);
}

void xos_der_put(struct xos_der *w, uint8_t tag, struct xos_bytes c)
{
	uint8_t head[10] = {tag};
	size_t bytes = length_bytes(c.n);

	put_length(head + 1, c.n, bytes);
	xos_buf_put(w->buf, head, 2 + bytes);
	xos_buf_put(w->buf, c.p, c.n);
}

void xos_der_put_raw(struct xos_der *w, struct xos_bytes element)
{
	xos_buf_put(w->buf, element.p, element.n);
}

void xos_der_put_u64(struct xos_der *w, uint8_t tag, uint64_t v)
{
	uint8_t b[9];
	size_t at = sizeof(b);

	do {
		b[--at] = (uint8_t)v;
		v >>= 8;
	} while (v);
	if (b[at] & 0x80)
		b[--at] = 0;
	xos_der_put(w, tag, (struct xos_bytes){b + at, sizeof(b) - at});
}

void xos_der_put_unsigned(struct xos_der *w, struct xos_bytes v)
{
	static const uint8_t zero[1];

	while (v.n && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	if (v.n == 0)
		v = (struct xos_bytes){zero, 1};
	if (!(v.p[0] & 0x80)) {
		xos_der_put(w, XOS_DER_INTEGER, v);
		return;
	}
	xos_der_begin(w, XOS_DER_INTEGER);
	xos_buf_put(w->buf, zero, 1);
	xos_buf_put(w->buf, v.p, v.n);
	xos_der_end(w);
}

void xos_der_put_bool(struct xos_der *w, bool v)
{
	const uint8_t b = v ? 0xff : 0x00;

	xos_der_put(w, XOS_DER_BOOLEAN, (struct xos_bytes){&b, 1});
}

void xos_der_put_str(struct xos_der *w, uint8_t tag, const char *s)
{
	xos_der_put(w, tag, xos_bytes_str(s));
}

void xos_der_put_bits(struct xos_der *w, struct xos_bytes v)
{
	static const uint8_t unused[1];

	xos_der_begin(w, XOS_DER_BIT_STRING);
	xos_buf_put(w->buf, unused, 1);
	xos_buf_put(w->buf, v.p, v.n);
	xos_der_end(w);
}

/* Four-digit years only: what lies outside fails the writer instead of writing another form. */
static void put_time(struct xos_der *w, int64_t t, bool utc_time)
{
	static const int64_t first = -62167219200, last = 253402300799; /* years 0000 and 9999 */
	time_t tt = (time_t)t;
	char s[40];
	struct tm tm;
	int n;

	if (t < first || t > last || !gmtime_r(&tt, &tm)) {
		w->failed = true;
		return;
	}
	n = snprintf(s, sizeof(s), "%04d%02d%02d%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (n != 15) {
		w->failed = true;
		return;
	}
	if (utc_time)
		xos_der_put_str(w, XOS_DER_UTC_TIME, s + 2);
	else
		xos_der_put_str(w, XOS_DER_TIME, s);
}

void xos_der_put_time(struct xos_der *w, int64_t t)
{
	put_time(w, t, false);
}

void xos_der_put_x509_time(struct xos_der *w, int64_t t)
{
	put_time(w, t, t >= -631152000 && t < 2524608000); /* 1950 to 2049 */
}

enum xos_status xos_der_finish(const struct xos_der *w)
{
	enum xos_status st = xos_buf_status(w->buf);

	if (st != XOS_OK)
		return st;
	return w->failed || w->depth ? XOS_INTERNAL : XOS_OK;
}
