#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void xos_hex_encode(char *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_digits[p[i] >> 4];
		out[2 * i + 1] = hex_digits[p[i] & 15];
	}
	out[2 * n] = 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum xos_status xos_hex_decode(struct xos_buf *out, const char *s, size_t n)
{
	if (n % 2)
		return XOS_MALFORMED;
	for (size_t i = 0; i < n; i++)
		if (hex_value(s[i]) < 0)
			return XOS_MALFORMED;
	for (size_t i = 0; i < n; i += 2)
		xos_buf_u8(out, (uint8_t)(hex_value(s[i]) << 4 | hex_value(s[i + 1])));
	return xos_buf_status(out);
}

static void encode64(struct xos_buf *out, struct xos_bytes in, const char *alphabet, bool pad)
{
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)in.p[i] << 16;
		if (left > 1)
			v |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= in.p[i + 2];
		char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], '=', '='};
		size_t n = 2;
		if (left > 1)
			quad[n++] = alphabet[v >> 6 & 63];
		if (left > 2)
			quad[n++] = alphabet[v & 63];
		xos_buf_put(out, quad, pad ? 4 : n);
	}
}

void xos_base64_encode(struct xos_buf *out, struct xos_bytes in)
{
	encode64(out, in, alphabet_std, true);
}

void xos_base64url_encode(struct xos_buf *out, struct xos_bytes in)
{
	encode64(out, in, alphabet_url, false);
}

static int value64(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

/* n characters without padding; everything is checked before the first byte is written. */
static enum xos_status decode64(struct xos_buf *out, const char *s, size_t n, bool url)
{
	if (n % 4 == 1)
		return XOS_MALFORMED;
	for (size_t i = 0; i < n; i++)
		if (value64(s[i], url) < 0)
			return XOS_MALFORMED;
	if ((n % 4 == 2 && value64(s[n - 1], url) & 15) ||
	    (n % 4 == 3 && value64(s[n - 1], url) & 3))
		return XOS_MALFORMED; /* stray bits: a second spelling of the same bytes */
	for (size_t i = 0; i < n; i += 4) {
		size_t left = n - i < 4 ? n - i : 4;
		uint32_t v = 0;
		for (size_t j = 0; j < 4; j++)
			v = v << 6 | (j < left ? (uint32_t)value64(s[i + j], url) : 0);
		uint8_t raw[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
		xos_buf_put(out, raw, left - 1);
	}
	return xos_buf_status(out);
}

enum xos_status xos_base64_decode(struct xos_buf *out, const char *s, size_t n)
{
	if (n % 4)
		return XOS_MALFORMED;
	if (n && s[n - 1] == '=')
		n -= s[n - 2] == '=' ? 2 : 1;
	return decode64(out, s, n, false);
}

enum xos_status xos_base64url_decode(struct xos_buf *out, const char *s, size_t n)
{
	return decode64(out, s, n, true);
}

bool xos_str_copy(char *out, size_t cap, const char *src)
{
	size_t n = strlen(src);
	if (n >= cap) {
		if (cap)
			out[0] = 0;
		return false;
	}
	memcpy(out, src, n + 1);
	return true;
}

bool xos_str_printf(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(out, cap, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < cap)
		return true;
	if (cap)
		out[0] = 0;
	return false;
}

/* RFC 3629 section 4, table of well-formed sequences: no overlong form, surrogate or value above
 * U+10FFFF. */
size_t xos_utf8_length(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	uint8_t lead = p[0], low = 0x80, high = 0xbf;
	size_t len;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		len = 2;
	else if (lead >= 0xe0 && lead <= 0xef)
		len = 3;
	else if (lead >= 0xf0 && lead <= 0xf4)
		len = 4;
	else
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if (len > n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

bool xos_utf8_valid(struct xos_bytes s)
{
	for (size_t i = 0; i < s.n;) {
		size_t len = xos_utf8_length(s.p + i, s.n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

/* Sorted. */
static const struct {
	uint32_t first, last;
} controls[] = {
    {0x00, 0x1f}, {0x7f, 0x9f},         /* C0, DEL, C1 */
    {0x061c, 0x061c},                   /* Arabic letter mark */
    {0x200b, 0x200b}, {0x200e, 0x200f}, /* zero width space, direction marks */
    {0x2028, 0x202e},                   /* separators; embeddings, overrides */
    {0x2060, 0x206f},                   /* invisible operators, isolates */
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, /* byte order mark, annotations */
    {0xe0000, 0xe007f},                 /* tags */
};

static uint32_t code_point(const uint8_t *p, size_t len)
{
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = p[0] & mask[len];
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

bool xos_utf8_is_control(const uint8_t *p, size_t len)
{
	if (len == 0 || len > 4)
		return false;
	uint32_t c = code_point(p, len);
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (c <= controls[i].last)
			return c >= controls[i].first;
	return false;
}

void xos_text_clean(char *s)
{
	uint8_t *p = (uint8_t *)s;
	for (size_t n = strlen(s); n > 0;) {
		size_t len = xos_utf8_length(p, n);
		bool bad = len == 0 || xos_utf8_is_control(p, len);
		if (len == 0)
			len = 1;
		if (bad)
			memset(p, '?', len);
		p += len;
		n -= len;
	}
}

bool xos_parse_u64(const char *s, uint64_t max, uint64_t *v)
{
	if (!s || s[0] == 0 || (s[0] == '0' && s[1] != 0))
		return false;
	uint64_t sum = 0;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		uint64_t digit = (uint64_t)(*s - '0');
		if (sum > max / 10 || sum * 10 > max - digit || digit > max)
			return false;
		sum = sum * 10 + digit;
	}
	*v = sum;
	return true;
}
