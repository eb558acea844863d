#include "json/scan.h"

#include <string.h>

#include "base/text.h"

void xos_scan_init(struct xos_scan *s, struct xos_bytes in, char *room)
{
	*s = (struct xos_scan){.p = in.p, .end = in.p + in.n, .room = room, .left = in.n + 1};
	s->failed = in.n == 0 || !xos_utf8_valid(in);
}

static bool fail(struct xos_scan *s)
{
	s->failed = true;
	return false;
}

static void space(struct xos_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool at(struct xos_scan *s, uint8_t c)
{
	if (s->failed)
		return false;
	space(s);
	return s->p < s->end && *s->p == c;
}

static bool take(struct xos_scan *s, uint8_t c)
{
	if (!at(s, c))
		return fail(s);
	s->p++;
	return true;
}

bool xos_scan_open(struct xos_scan *s)
{
	s->first = true;
	return take(s, '{');
}

/* A string without escapes; one with them is left to the parser. */
bool xos_scan_string(struct xos_scan *s, size_t max, const char **out)
{
	if (!take(s, '"'))
		return false;
	const uint8_t *start = s->p;
	while (s->p < s->end && *s->p != '"') {
		if (*s->p < 0x20 || *s->p == '\\')
			return fail(s);
		s->p++;
	}
	size_t n = (size_t)(s->p - start);
	if (s->p == s->end || n > max || n >= s->left)
		return fail(s);
	s->p++;
	memcpy(s->room, start, n);
	s->room[n] = '\0';
	*out = s->room;
	s->room += n + 1;
	s->left -= n + 1;
	return true;
}

bool xos_scan_key(struct xos_scan *s, const char **key)
{
	if (s->failed)
		return false;
	if (at(s, '}')) {
		s->p++;
		s->first = false; /* of the object around it, this was a value */
		return false;
	}
	if (!s->first && !take(s, ','))
		return false;
	s->first = false;
	return xos_scan_string(s, 255, key) && take(s, ':');
}

/* No fraction, no exponent, no leading zero. */
bool xos_scan_int(struct xos_scan *s, int64_t min, int64_t max, int64_t *out)
{
	uint64_t v = 0;
	bool minus = at(s, '-');
	if (s->failed)
		return false;
	if (minus)
		s->p++;
	const uint8_t *start = s->p;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		if (v > (uint64_t)INT64_MAX / 10)
			return fail(s);
		v = v * 10 + (uint64_t)(*s->p - '0');
	}
	if (s->p == start || (*start == '0' && s->p - start > 1) || v > (uint64_t)INT64_MAX)
		return fail(s);
	if (s->p < s->end && (*s->p == '.' || *s->p == 'e' || *s->p == 'E'))
		return fail(s);
	int64_t r = minus ? -(int64_t)v : (int64_t)v;
	if (r < min || r > max)
		return fail(s);
	*out = r;
	return true;
}

bool xos_scan_bool(struct xos_scan *s, bool *out)
{
	bool yes = at(s, 't');
	const char *word = yes ? "true" : "false";
	size_t n = strlen(word);
	if (s->failed || (size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return fail(s);
	s->p += n;
	*out = yes;
	return true;
}

bool xos_scan_at_string(struct xos_scan *s)
{
	return at(s, '"');
}

bool xos_scan_at_digit(struct xos_scan *s)
{
	if (s->failed)
		return false;
	space(s);
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

bool xos_scan_end(struct xos_scan *s)
{
	space(s);
	return !s->failed && s->p == s->end;
}
