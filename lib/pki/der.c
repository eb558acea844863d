#include "pki/der.h"

#include <string.h>

#include "base/text.h"

/* Looks at the next element without moving: false unless it is strict DER and complete. */
static bool peek(const struct xos_reader *r, uint8_t *tag, size_t *header, size_t *len)
{
	size_t n, bytes;

	if (r->failed || r->left < 2)
		return false;
	if ((r->p[0] & 0x1f) == 0x1f) /* tags of several bytes: nothing we read has one */
		return false;
	n = r->p[1];
	bytes = 0;
	if (n & 0x80) {
		bytes = n & 0x7f;
		if (bytes == 0 || bytes > 4 || r->left < 2 + bytes)
			return false;
		n = 0;
		for (size_t i = 0; i < bytes; i++)
			n = n << 8 | r->p[2 + i];
		/* Minimal: no leading zero byte, no long form for what fits the short one. */
		if (r->p[2] == 0 || n < 0x80)
			return false;
	}
	if (n > r->left - 2 - bytes)
		return false;
	*tag = r->p[0];
	*header = 2 + bytes;
	*len = n;
	return true;
}

bool xos_der_next_is(const struct xos_reader *r, uint8_t tag)
{
	return !r->failed && r->left && r->p[0] == tag;
}

bool xos_der_any(
    struct xos_reader *r, uint8_t *tag, struct xos_bytes *contents, struct xos_bytes *whole)
{
	struct xos_bytes all;
	size_t header, len;
	uint8_t t;

	if (!peek(r, &t, &header, &len)) {
		r->failed = true;
		return false;
	}
	if (!xos_reader_take(r, header + len, &all))
		return false;
	if (tag)
		*tag = t;
	if (contents)
		*contents = (struct xos_bytes){all.p + header, len};
	if (whole)
		*whole = all;
	return true;
}

bool xos_der_take(struct xos_reader *r, uint8_t tag, struct xos_bytes *contents)
{
	if (!xos_der_next_is(r, tag)) {
		r->failed = true;
		return false;
	}
	return xos_der_any(r, NULL, contents, NULL);
}

bool xos_der_enter(struct xos_reader *r, uint8_t tag, struct xos_reader *inner)
{
	struct xos_bytes contents;

	if (!xos_der_take(r, tag, &contents))
		return false;
	xos_reader_init(inner, contents);
	return true;
}

/* Undoes a step whose contents turned out wrong: outputs and cursor stay as they were. */
static bool fail_at(struct xos_reader *r, const struct xos_reader *before)
{
	*r = *before;
	r->failed = true;
	return false;
}

static bool integer_minimal(struct xos_bytes v)
{
	if (v.n == 0)
		return false;
	if (v.n == 1)
		return true;
	return !(v.p[0] == 0x00 && v.p[1] < 0x80) && !(v.p[0] == 0xff && v.p[1] >= 0x80);
}

bool xos_der_u64(struct xos_reader *r, uint8_t tag, uint64_t max, uint64_t *v)
{
	struct xos_reader before = *r;
	struct xos_bytes c;
	uint64_t n = 0;

	if (!xos_der_take(r, tag, &c))
		return false;
	if (!integer_minimal(c) || (c.p[0] & 0x80) || c.n > 9 || (c.n == 9 && c.p[0] != 0))
		return fail_at(r, &before);
	for (size_t i = 0; i < c.n; i++)
		n = n << 8 | c.p[i];
	if (n > max)
		return fail_at(r, &before);
	*v = n;
	return true;
}

bool xos_der_bool(struct xos_reader *r, bool *v)
{
	struct xos_reader before = *r;
	struct xos_bytes c;

	if (!xos_der_take(r, XOS_DER_BOOLEAN, &c))
		return false;
	if (c.n != 1 || (c.p[0] != 0x00 && c.p[0] != 0xff))
		return fail_at(r, &before);
	*v = c.p[0] == 0xff;
	return true;
}

bool xos_der_str(struct xos_reader *r, uint8_t tag, char *out, size_t cap)
{
	struct xos_reader before = *r;
	struct xos_bytes c;

	if (!xos_der_take(r, tag, &c))
		return false;
	if (c.n == 0 || c.n >= cap || !xos_utf8_valid(c))
		return fail_at(r, &before);
	for (size_t i = 0; i < c.n; i++)
		if (c.p[i] < 0x20 || c.p[i] == 0x7f)
			return fail_at(r, &before);
	memcpy(out, c.p, c.n);
	out[c.n] = 0;
	return true;
}

static bool two_digits(const uint8_t *p, unsigned *v)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*v = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
	return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar, years from 0 on. */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m > 2 ? (int64_t)m - 3 : (int64_t)m + 9) + 2) / 5 + (int64_t)d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static bool time_parse(struct xos_bytes c, unsigned century_digits, int64_t *t)
{
	static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const uint8_t *p = c.p;
	unsigned f[6], century = 0, year, days;

	if (c.n != 13 + century_digits || p[c.n - 1] != 'Z')
		return false;
	if (century_digits) {
		if (!two_digits(p, &century))
			return false;
		p += 2;
	}
	for (size_t i = 0; i < 6; i++)
		if (!two_digits(p + 2 * i, &f[i]))
			return false;
	if (century_digits)
		year = century * 100 + f[0];
	else
		year = f[0] < 50 ? 2000 + f[0] : 1900 + f[0];
	if (f[1] < 1 || f[1] > 12)
		return false;
	days = month_days[f[1] - 1];
	if (f[1] == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		days = 29;
	if (f[2] < 1 || f[2] > days || f[3] > 23 || f[4] > 59 || f[5] > 59)
		return false;
	*t = days_from_civil(year, f[1], f[2]) * 86400 + (int64_t)f[3] * 3600 + (int64_t)f[4] * 60 +
	     (int64_t)f[5];
	return true;
}

bool xos_der_time(struct xos_reader *r, int64_t *t)
{
	struct xos_reader before = *r;
	struct xos_bytes c;
	uint8_t tag;

	if (!xos_der_any(r, &tag, &c, NULL))
		return false;
	if ((tag == XOS_DER_TIME && time_parse(c, 2, t)) ||
	    (tag == XOS_DER_UTC_TIME && time_parse(c, 0, t)))
		return true;
	return fail_at(r, &before);
}

bool xos_der_bits(struct xos_reader *r, struct xos_bytes *v)
{
	struct xos_reader before = *r;
	struct xos_bytes c;

	if (!xos_der_take(r, XOS_DER_BIT_STRING, &c))
		return false;
	if (c.n < 1 || c.p[0] != 0)
		return fail_at(r, &before);
	*v = (struct xos_bytes){c.p + 1, c.n - 1};
	return true;
}

bool xos_der_oid_is(struct xos_reader *r, struct xos_bytes oid)
{
	struct xos_reader before = *r;
	struct xos_bytes c;

	if (!xos_der_take(r, XOS_DER_OID, &c))
		return false;
	return xos_bytes_eq(c, oid) || fail_at(r, &before);
}

/* Sub-identifiers in base 128: no leading 0x80, the last byte of each without the top bit. */
static bool oid_strict(struct xos_bytes c)
{
	bool start = true;

	if (c.n == 0 || (c.p[c.n - 1] & 0x80))
		return false;
	for (size_t i = 0; i < c.n; i++) {
		if (start && c.p[i] == 0x80)
			return false;
		start = !(c.p[i] & 0x80);
	}
	return true;
}

static bool bits_strict(struct xos_bytes c)
{
	if (c.n < 1 || c.p[0] > 7 || (c.n == 1 && c.p[0] != 0))
		return false;
	return c.n == 1 || (c.p[c.n - 1] & ((1u << c.p[0]) - 1)) == 0;
}

static bool primitive_strict(uint8_t tag, struct xos_bytes c)
{
	int64_t t;

	switch (tag) {
	case XOS_DER_BOOLEAN:
		return c.n == 1 && (c.p[0] == 0x00 || c.p[0] == 0xff);
	case XOS_DER_INTEGER:
	case XOS_DER_ENUMERATED:
		return integer_minimal(c);
	case XOS_DER_NULL:
		return c.n == 0;
	case XOS_DER_OID:
		return oid_strict(c);
	case XOS_DER_BIT_STRING:
		return bits_strict(c);
	case XOS_DER_UTC_TIME:
		return time_parse(c, 0, &t);
	case XOS_DER_TIME:
		return time_parse(c, 2, &t);
	case XOS_DER_UTF8:
		return xos_utf8_valid(c);
	default:
		/* A universal SEQUENCE or SET is constructed; end-of-contents belongs to BER. */
		return tag != 0x00 && tag != 0x10 && tag != 0x11;
	}
}

/* Elements of a SET OF stand in ascending order of their encoding (X.690 11.6). */
static bool set_ordered(struct xos_bytes prev, struct xos_bytes next)
{
	size_t n = prev.n < next.n ? prev.n : next.n;
	int c = n ? memcmp(prev.p, next.p, n) : 0;

	return c < 0 || (c == 0 && prev.n <= next.n);
}

static bool elements_strict(struct xos_bytes in, bool set, unsigned depth)
{
	struct xos_bytes prev = XOS_BYTES_NONE, whole, c;
	struct xos_reader r;
	uint8_t tag;

	xos_reader_init(&r, in);
	while (r.left) {
		if (!xos_der_any(&r, &tag, &c, &whole))
			return false;
		if (set && prev.p && !set_ordered(prev, whole))
			return false;
		prev = whole;
		if (tag & 0x20) {
			/* Of the universal types only SEQUENCE and SET may be constructed. */
			if ((tag & 0xc0) == 0 && tag != XOS_DER_SEQUENCE && tag != XOS_DER_SET)
				return false;
			if (depth == 0 || !elements_strict(c, tag == XOS_DER_SET, depth - 1))
				return false;
		} else if ((tag & 0xc0) == 0 && !primitive_strict(tag, c)) {
			return false;
		}
	}
	return true;
}

bool xos_der_is_strict(struct xos_bytes in)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	return xos_der_any(&r, NULL, NULL, NULL) && r.left == 0 && elements_strict(in, false, 32);
}
