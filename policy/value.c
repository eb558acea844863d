#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/ast.h"

static const struct {
	const char *unit;
	int64_t bytes;
} sizes[] = {
    /* Ordered so that printing finds the largest unit that divides; binary before decimal. */
    {"TiB", 1LL << 40},
    {"TB", 1000000000000LL},
    {"GiB", 1LL << 30},
    {"GB", 1000000000LL},
    {"MiB", 1LL << 20},
    {"MB", 1000000LL},
    {"KiB", 1LL << 10},
    {"kB", 1000LL},
    {"B", 1},
};

bool xos_policy_size_parse(const char *s, int64_t *bytes)
{
	size_t digits = strspn(s, "0123456789");
	char number[24];
	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, s, digits);
	number[digits] = 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t v;
		if (strcmp(s + digits, sizes[i].unit) != 0)
			continue;
		if (!xos_parse_u64(number, (uint64_t)(INT64_MAX / sizes[i].bytes), &v))
			return false;
		*bytes = (int64_t)v * sizes[i].bytes;
		return true;
	}
	return false;
}

/* "2026-12-01T00:00Z" or with seconds. */
bool xos_policy_date_parse(const char *s, int64_t *t)
{
	char full[32];
	if (strlen(s) == 17 && s[16] == 'Z') {
		if (!xos_str_printf(full, sizeof(full), "%.16s:00Z", s))
			return false;
		return xos_time_parse(full, t);
	}
	return xos_time_parse(s, t);
}

/* What inet_pton(AF_INET) takes: four numbers up to 255 without leading zeros. Most requests carry
 * one. */
static bool parse_ipv4(const char *s, uint8_t addr[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = (unsigned char)*s - '0';
		if (v > 9)
			return false;
		for (s++; v && (unsigned char)*s - (unsigned)'0' <= 9; s++)
			if ((v = v * 10 + (unsigned char)*s - '0') > 255)
				return false;
		addr[i] = (uint8_t)v;
		if (*s++ != (i < 3 ? '.' : 0))
			return false;
	}
	return true;
}

bool xos_policy_ip_parse(const char *s, struct xos_policy_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct xos_policy_ip r = {.family = 4, .length = 32};
	if (parse_ipv4(s, r.addr)) {
		*ip = r;
		return true;
	}
	r.family = 6;
	r.length = 128;
	if (inet_pton(AF_INET6, s, r.addr) != 1)
		return false;
	/* A dual-stack socket shows IPv4 peers so; one address must not have two spellings. */
	if (memcmp(r.addr, mapped, sizeof(mapped)) == 0) {
		memmove(r.addr, r.addr + 12, 4);
		memset(r.addr + 4, 0, 12);
		r.family = 4;
		r.length = 32;
	}
	*ip = r;
	return true;
}

bool xos_policy_prefix_clean(const struct xos_policy_ip *ip)
{
	unsigned bits = ip->family == 4 ? 32 : 128;
	if ((ip->family != 4 && ip->family != 6) || ip->length > bits)
		return false;
	for (unsigned i = ip->length; i < 128; i++)
		if (ip->addr[i / 8] & (0x80u >> (i % 8)))
			return false;
	return true;
}

bool xos_policy_prefix_parse(const char *s, struct xos_policy_ip *ip)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	uint64_t length;
	if (n >= sizeof(addr))
		return false;
	memcpy(addr, s, n);
	addr[n] = 0;
	struct xos_policy_ip r;
	if (!xos_policy_ip_parse(addr, &r) || (r.family == 4 && strchr(addr, ':')))
		return false;
	if (slash) {
		if (!xos_parse_u64(slash + 1, r.length, &length))
			return false;
		r.length = (uint8_t)length;
	}
	if (!xos_policy_prefix_clean(&r))
		return false;
	*ip = r;
	return true;
}

bool xos_policy_prefix_has(const struct xos_policy_ip *prefix, const struct xos_policy_ip *ip)
{
	if (prefix->family != ip->family)
		return false;
	size_t whole = prefix->length / 8;
	if (memcmp(prefix->addr, ip->addr, whole) != 0)
		return false;
	unsigned rest = prefix->length % 8;
	return rest == 0 || ((prefix->addr[whole] ^ ip->addr[whole]) >> (8 - rest)) == 0;
}

int xos_policy_prefix_order(const void *a, const void *b)
{
	const struct xos_policy_ip *x = a, *y = b;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	int c = memcmp(x->addr, y->addr, sizeof(x->addr));
	return c ? c : (int)x->length - (int)y->length;
}

void xos_policy_ip_print(struct xos_buf *out, const struct xos_policy_ip *ip)
{
	char text[INET6_ADDRSTRLEN];
	if (!inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->addr, text, sizeof(text)))
		text[0] = 0;
	xos_buf_put_str(out, text);
	xos_buf_printf(out, "/%u", (unsigned)ip->length);
}

static void print_duration(struct xos_buf *out, int64_t v)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'w', 7 * 86400}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	size_t i = 0;
	while (i < 4 && (v == 0 || v % units[i].seconds != 0))
		i++;
	xos_buf_printf(out, "%lld%c", (long long)(v / units[i].seconds), units[i].unit);
}

static void print_size(struct xos_buf *out, int64_t v)
{
	size_t i = 0, last = sizeof(sizes) / sizeof(sizes[0]) - 1;
	while (i < last && (v == 0 || v % sizes[i].bytes != 0))
		i++;
	xos_buf_printf(out, "%lld%s", (long long)(v / sizes[i].bytes), sizes[i].unit);
}

void xos_policy_number_print(struct xos_buf *out, enum xos_policy_type type, int64_t v)
{
	char text[XOS_TIME_TEXT];
	switch (type) {
	case XOS_POLICY_BOOL:
		xos_buf_put_str(out, v ? "true" : "false");
		return;
	case XOS_POLICY_DURATION:
		print_duration(out, v);
		return;
	case XOS_POLICY_SIZE:
		print_size(out, v);
		return;
	case XOS_POLICY_TIME:
		xos_time_format(v, text);
		xos_buf_put_str(out, text);
		return;
	case XOS_POLICY_NUMBER:
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		break;
	}
	xos_buf_printf(out, "%lld", (long long)v);
}

bool xos_policy_path_ok(const char *s)
{
	size_t n = strlen(s);
	if (s[0] != '/' || n > 4096 || (n > 1 && s[n - 1] == '/'))
		return false;
	for (const char *p = s; *p && n > 1;) {
		size_t len = strcspn(++p, "/");
		if (len == 0 || (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
	}
	return true;
}

bool xos_policy_word_ok(const char *s)
{
	static const char ok[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(s);
	return n > 0 && n <= 63 && strspn(s, ok) == n && !strchr("._-", s[0]);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* 1970-01-01 was a Thursday; bit 0 is Monday. */
static bool has_day(uint8_t days, int64_t day)
{
	int64_t weekday = (day + 3) % 7;
	return days >> (weekday < 0 ? weekday + 7 : weekday) & 1;
}

bool xos_policy_window_has(const struct xos_policy_window *w, int64_t local)
{
	int64_t day = floor_div(local, 86400);
	int64_t minute = (local - day * 86400) / 60;
	if (w->start < w->end)
		return minute >= w->start && minute < w->end && has_day(w->days, day);
	/* Over midnight: what is after it belongs to the day before. */
	if (minute >= w->start)
		return has_day(w->days, day);
	return minute < w->end && has_day(w->days, day - 1);
}

bool xos_policy_dates_have(const struct xos_policy_dates *d, int64_t local)
{
	int64_t day = floor_div(local, 86400);
	return day >= d->first && day <= d->last;
}

/* One character of UTF-8: its first byte and those that continue it. */
static const char *next_char(const char *s)
{
	for (s++; ((unsigned char)*s & 0xc0) == 0x80; s++)
		;
	return s;
}

/*
 * '*' is any number of characters, '?' is one; the rest is itself, and the whole of s must match.
 * Only the last '*' is ever tried again, each time a character further on, and between two tries
 * the pattern only goes forward: the work is at most the product of the two lengths, each with its
 * end.
 */
bool xos_policy_like_steps(const char *pattern, const char *s, uint64_t *steps)
{
	const char *star = NULL, *again = NULL;
	for (; *s; ++*steps) {
		if (*pattern == '*') {
			star = ++pattern;
			again = s;
		} else if (*pattern == '?') {
			pattern++;
			s = next_char(s);
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = again = next_char(again);
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

bool xos_policy_like(const char *pattern, const char *s)
{
	uint64_t steps = 0;
	return xos_policy_like_steps(pattern, s, &steps);
}
