/* TZif data: the offsets that it means, and bytes that are none. */
#include "policy/zone.h"

#include <time.h>
#include <unistd.h>

#include "policy/ast.h"
#include "policy_test.h"

/* A file of version 2 with an empty first block. */
static void put_header(struct xos_buf *b, char version, uint32_t times, uint32_t types)
{
	xos_buf_put(b, "TZif", 4);
	xos_buf_u8(b, (uint8_t)version);
	for (int i = 0; i < 15; i++)
		xos_buf_u8(b, 0);
	xos_buf_u32(b, 0); /* isut */
	xos_buf_u32(b, 0); /* isstd */
	xos_buf_u32(b, 0); /* leap seconds */
	xos_buf_u32(b, times);
	xos_buf_u32(b, types);
	xos_buf_u32(b, types ? 4 : 0); /* characters */
}

static void put_type(struct xos_buf *b, int32_t offset, bool dst)
{
	xos_buf_u32(b, (uint32_t)offset);
	xos_buf_u8(b, dst);
	xos_buf_u8(b, 0);
}

static struct xos_buf make_zone(
    int32_t first, const int64_t *at, const int32_t *to, uint32_t n, const char *footer)
{
	struct xos_buf b;
	xos_buf_init(&b, 100000);
	put_header(&b, '2', 0, 0);
	put_header(&b, '2', n, n + 1);
	for (uint32_t i = 0; i < n; i++)
		xos_buf_u64(&b, (uint64_t)at[i]);
	for (uint32_t i = 0; i < n; i++)
		xos_buf_u8(&b, (uint8_t)(i + 1));
	put_type(&b, first, false);
	for (uint32_t i = 0; i < n; i++)
		put_type(&b, to[i], i % 2 == 0);
	xos_buf_put(&b, "ABC", 4);
	xos_buf_put_str(&b, "\n");
	xos_buf_put_str(&b, footer);
	xos_buf_put_str(&b, "\n");
	return b;
}

static struct xos_policy_zone *parse_zone(struct xos_buf *b)
{
	struct xos_policy_zone *z;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_msg(xos_policy_zone_parse(xos_buf_bytes(b), &z, &err) == XOS_OK, "%s", err.text);
	xos_buf_free(b);
	return z;
}

static struct xos_policy_zone *footer_zone(const char *footer)
{
	struct xos_buf b = make_zone(0, NULL, NULL, 0, footer);
	return parse_zone(&b);
}

static int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = year - 1900,
	    .tm_mon = month - 1,
	    .tm_mday = day,
	    .tm_hour = hour,
	    .tm_min = minute,
	    .tm_sec = second};
	return timegm(&tm);
}

START_TEST(transitions)
{
	static const int64_t at[] = {-1000, 0, 1000};
	static const int32_t to[] = {7200, 3600, 1800};
	struct xos_buf b = make_zone(561, at, to, 3, "");
	struct xos_policy_zone *z = parse_zone(&b);
	ck_assert_int_eq(xos_policy_zone_offset(z, INT64_MIN), 561);
	ck_assert_int_eq(xos_policy_zone_offset(z, -1001), 561);
	ck_assert_int_eq(xos_policy_zone_offset(z, -1000), 7200);
	ck_assert_int_eq(xos_policy_zone_offset(z, -1), 7200);
	ck_assert_int_eq(xos_policy_zone_offset(z, 0), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, 999), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, 1000), 1800);
	ck_assert_int_eq(xos_policy_zone_offset(z, 2000000000), 1800);
	xos_policy_zone_free(z);
	xos_policy_zone_free(NULL);
}
END_TEST

START_TEST(footers)
{
	/* Paris: the last Sunday of March and of October at 01:00 UTC. */
	struct xos_policy_zone *z = footer_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 3, 29, 0, 59, 59)), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 3, 29, 1, 0, 0)), 7200);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 10, 25, 0, 59, 59)), 7200);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 10, 25, 1, 0, 0)), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 12, 31, 23, 59, 59)), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2027, 1, 1, 0, 0, 0)), 3600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(9998, 7, 1, 0, 0, 0)), 7200);
	xos_policy_zone_free(z);
	/* The southern hemisphere: summer goes over the end of the year. */
	z = footer_zone("AEST-10AEDT,M10.1.0,M4.1.0/3");
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 1, 1, 0, 0, 0)), 39600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 7, 1, 0, 0, 0)), 36000);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 12, 31, 0, 0, 0)), 39600);
	xos_policy_zone_free(z);
	/* Names in <>, minutes, an own offset in summer, days by number. */
	z = footer_zone("<+1030>-10:30<+11>-11,J60/0,300/-1:30:15");
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 1, 10, 0, 0, 0)), 37800);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 2, 28, 13, 29, 59)), 37800);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 2, 28, 13, 30, 0)), 39600);
	/* J60 is 1 March in a leap year as well. */
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2028, 2, 29, 13, 29, 59)), 37800);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2028, 2, 29, 13, 30, 0)), 39600);
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 12, 1, 0, 0, 0)), 37800);
	xos_policy_zone_free(z);
	/* Summer all the year (RFC 9636, 3.3.1). */
	z = footer_zone("EST5EDT,0/0,J365/25");
	for (int day = 1; day <= 31; day++) {
		ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 12, day, 23, 30, 0)), -14400);
		ck_assert_int_eq(xos_policy_zone_offset(z, utc(2027, 1, day, 4, 59, 59)), -14400);
		ck_assert_int_eq(xos_policy_zone_offset(z, utc(2027, 1, day, 5, 0, 0)), -14400);
	}
	xos_policy_zone_free(z);
	z = footer_zone("<-03>3");
	ck_assert_int_eq(xos_policy_zone_offset(z, utc(2026, 7, 1, 0, 0, 0)), -10800);
	ck_assert_int_eq(xos_policy_zone_offset(z, INT64_MAX), -10800);
	xos_policy_zone_free(z);
}
END_TEST

static enum xos_status parse_bytes(const struct xos_buf *b, size_t n)
{
	struct xos_policy_zone *z;
	struct xos_err err = XOS_ERR_INIT;
	uint8_t *copy = malloc(n ? n : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, b->p, n);
	enum xos_status status = xos_policy_zone_parse((struct xos_bytes){copy, n}, &z, &err);
	ck_assert_int_eq(status == XOS_OK, z != NULL);
	ck_assert_int_eq(status == XOS_OK, err.text[0] == 0);
	xos_policy_zone_free(z);
	free(copy);
	return status;
}

START_TEST(malformed_footers)
{
	static const char *const texts[] = {"C", "CET", "CE-1", "CET-25", "CET-1:60", "CET-1:0:60",
	    "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "CET-1CEST,M0.5.0,M1.1.0",
	    "CET-1CEST,M13.5.0,M1.1.0", "CET-1CEST,M3.6.0,M1.1.0", "CET-1CEST,M3.5.7,M1.1.0",
	    "CET-1CEST,M3-5.0,M1.1.0", "CET-1CEST,M3.5-0,M1.1.0", "CET-1CEST,J0,J1",
	    "CET-1CEST,J366,J1", "CET-1CEST,366,1", "CET-1CEST,J1/168,J2", "CET-1CEST,J1/,J2",
	    "CET-1CES-,J1,J2", "CET-1CE,J1,J2", "CET-1CEST-99,J1,J2", "<+03-3", "<+\xc3>3",
	    "CET-1CEST;J1,J2", "CET-1 ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct xos_buf b = make_zone(0, NULL, NULL, 0, texts[i]);
		ck_assert_msg(parse_bytes(&b, b.n) == XOS_MALFORMED, "'%s'", texts[i]);
		xos_buf_free(&b);
	}
}
END_TEST

static void refuse_change(size_t at, uint8_t value)
{
	static const int64_t moments[] = {0, 10};
	static const int32_t to[] = {3600, 7200};
	struct xos_buf b = make_zone(0, moments, to, 2, "CET-1");
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_OK);
	b.p[at] = value;
	ck_assert_msg(parse_bytes(&b, b.n) == XOS_MALFORMED, "byte %zu", at);
	xos_buf_free(&b);
}

START_TEST(malformed_data)
{
	enum { HEADER = 44, TIMES = 2 * HEADER, WHICH = TIMES + 16, TYPES = WHICH + 2 };
	static const int64_t moments[] = {0, 10};
	static const int32_t to[] = {3600, 7200};
	struct xos_buf b = make_zone(0, moments, to, 2, "CET-1");
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(parse_bytes(&b, n), XOS_MALFORMED);
	xos_buf_u8(&b, '\n');
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_MALFORMED); /* trailing byte */
	xos_buf_free(&b);
	refuse_change(0, 'X');
	refuse_change(4, '5'); /* version */
	refuse_change(4, 1);
	refuse_change(HEADER + 4, '3');   /* the second says another */
	refuse_change(HEADER + 20, 1);    /* isut */
	refuse_change(HEADER + 27, 1);    /* isstd */
	refuse_change(HEADER + 31, 1);    /* leap seconds */
	refuse_change(HEADER + 32, 0xff); /* transitions */
	refuse_change(HEADER + 39, 0);    /* types */
	refuse_change(HEADER + 38, 2);
	refuse_change(HEADER + 43, 0); /* characters */
	refuse_change(HEADER + 41, 1);
	refuse_change(TIMES + 15, 0); /* the second moment is the first */
	refuse_change(WHICH, 3);      /* no such type */
	refuse_change(TYPES, 1);      /* an offset of years */
	refuse_change(TYPES, 0x80);
	refuse_change(TYPES + 4, 2);        /* neither summer nor winter */
	refuse_change(TYPES + 5, 4);        /* a name that is not there */
	refuse_change(TYPES + 18 + 3, 'x'); /* a name without end */
	refuse_change(TYPES + 18 + 4, 'x'); /* no footer */
	xos_buf_init(&b, 2 * XOS_POLICY_TZIF_MAX);
	for (size_t i = 0; i <= XOS_POLICY_TZIF_MAX; i++)
		xos_buf_u8(&b, 'T');
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

/* Version 1: moments of 32 bits, no footer; indicators are read. */
START_TEST(version_1)
{
	struct xos_buf b;
	xos_buf_init(&b, 1000);
	put_header(&b, 0, 1, 2);
	b.p[23] = 2; /* isut */
	b.p[27] = 2; /* isstd */
	xos_buf_u32(&b, (uint32_t)-5);
	xos_buf_u8(&b, 1);
	put_type(&b, 60, false);
	put_type(&b, 120, true);
	xos_buf_put(&b, "ABC", 4);
	for (int i = 0; i < 4; i++)
		xos_buf_u8(&b, 0);
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_OK);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(parse_bytes(&b, n), XOS_MALFORMED);
	b.p[b.n - 1] = 2;
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_MALFORMED);
	b.p[b.n - 1] = 0;
	b.p[b.n - 3] = 2;
	ck_assert_int_eq(parse_bytes(&b, b.n), XOS_MALFORMED);
	b.p[b.n - 3] = 1;
	struct xos_policy_zone *z = parse_zone(&b);
	ck_assert_int_eq(xos_policy_zone_offset(z, -6), 60);
	ck_assert_int_eq(xos_policy_zone_offset(z, -5), 120);
	ck_assert_int_eq(xos_policy_zone_offset(z, INT32_MAX), 120);
	xos_policy_zone_free(z);
}
END_TEST

START_TEST(names)
{
	static const char *const good[] = {
	    "UTC", "Europe/Paris", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST5EDT"};
	static const char *const bad[] = {"", "/", "Europe/", "/Europe", "a//b", "a/../b", "..",
	    "a.b", "1a", "a/1", "a b", "a\n", "\xc3\xa9",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert(xos_policy_zone_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!xos_policy_zone_name_ok(bad[i]));
}
END_TEST

/* Where the system has zones, the C library must agree. */
START_TEST(the_c_library_agrees)
{
	static const char *const zones[] = {"Europe/Paris", "America/New_York",
	    "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia",
	    "America/Nuuk", "Europe/Dublin"};
	unsigned seed = 7;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		char path[128];
		struct xos_buf b;
		snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zones[i]);
		FILE *f = fopen(path, "rb");
		if (!f)
			continue;
		xos_buf_init(&b, XOS_POLICY_TZIF_MAX);
		for (int c; (c = fgetc(f)) != EOF;)
			xos_buf_u8(&b, (uint8_t)c);
		fclose(f);
		struct xos_policy_zone *z = parse_zone(&b);
		ck_assert_int_eq(setenv("TZ", zones[i], 1), 0);
		tzset();
		for (int n = 0; n < 20000; n++) {
			/* 1900 to 2100, to the half hour: where changes are. */
			seed = seed * 1103515245u + 12345u;
			time_t t = ((int64_t)(seed >> 8) % 3506328 - 1227168) * 1800 - n % 2;
			struct tm tm;
			ck_assert_ptr_nonnull(localtime_r(&t, &tm));
			ck_assert_msg(xos_policy_zone_offset(z, t) == tm.tm_gmtoff,
			    "%s at %lld: %d, not %ld", zones[i], (long long)t,
			    xos_policy_zone_offset(z, t), tm.tm_gmtoff);
		}
		xos_policy_zone_free(z);
	}
}
END_TEST

START_TEST(windows)
{
	/* 2026-11-23 was a Monday. */
	int64_t monday = utc(2026, 11, 23, 0, 0, 0);
	struct xos_policy_window day = {.start = 480, .end = 1200, .days = 0x1f};
	ck_assert(!xos_policy_window_has(&day, monday + 8 * 3600 - 1));
	ck_assert(xos_policy_window_has(&day, monday + 8 * 3600));
	ck_assert(xos_policy_window_has(&day, monday + 20 * 3600 - 1));
	ck_assert(!xos_policy_window_has(&day, monday + 20 * 3600));
	ck_assert(xos_policy_window_has(&day, monday + 4 * 86400 + 9 * 3600));
	ck_assert(!xos_policy_window_has(&day, monday + 5 * 86400 + 9 * 3600));
	ck_assert(!xos_policy_window_has(&day, monday - 86400 + 9 * 3600));
	/* Over midnight: Friday's window ends on Saturday. */
	struct xos_policy_window night = {.start = 1320, .end = 360, .days = 1u << 4};
	ck_assert(xos_policy_window_has(&night, monday + 4 * 86400 + 22 * 3600));
	ck_assert(xos_policy_window_has(&night, monday + 5 * 86400 + 6 * 3600 - 1));
	ck_assert(!xos_policy_window_has(&night, monday + 5 * 86400 + 6 * 3600));
	ck_assert(!xos_policy_window_has(&night, monday + 4 * 86400 + 3600));
	ck_assert(!xos_policy_window_has(&night, monday + 5 * 86400 + 22 * 3600));
	/* Before 1970, and a whole day. */
	struct xos_policy_window thursday = {.start = 0, .end = 1440, .days = 1u << 3};
	ck_assert(xos_policy_window_has(&thursday, 0));
	ck_assert(!xos_policy_window_has(&thursday, -1));
	ck_assert(xos_policy_window_has(&thursday, -6 * 86400 - 1));
	struct xos_policy_dates dates = {.first = 0, .last = 1};
	ck_assert(!xos_policy_dates_have(&dates, -1));
	ck_assert(xos_policy_dates_have(&dates, 0));
	ck_assert(xos_policy_dates_have(&dates, 2 * 86400 - 1));
	ck_assert(!xos_policy_dates_have(&dates, 2 * 86400));
}
END_TEST

START_TEST(patterns)
{
	static const struct {
		const char *pattern, *text;
		bool like;
	} cases[] = {{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true},
	    {"?", "", false}, {"?", "a", true}, {"?", "ab", false}, {"a*", "abc", true},
	    {"a*", "bc", false}, {"*c", "abc", true}, {"*c", "abcd", false},
	    {"a*b*c", "aXbYc", true}, {"a*b*c", "aXbY", false},
	    {"/data/*.txt", "/data/x/y.txt", true}, {"a?c", "abc", true}, {"a?c", "ac", false},
	    {"?", "\xc3\xa9", true}, {"??", "\xc3\xa9", false}, {"*?", "\xc3\xa9", true},
	    {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true}, {"*\xa9", "\xc3\xa9", false},
	    {"a**b", "ab", true}, {"**", "x", true}, {"*ab", "aab", true}, {"*a?b", "aaXb", true},
	    {"A", "a", false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(xos_policy_like(cases[i].pattern, cases[i].text) == cases[i].like,
		    "'%s' and '%s'", cases[i].pattern, cases[i].text);
	/* What makes other matchers explode: 120 stars, 4000 bytes. */
	static char pattern[256], text[4001];
	for (size_t i = 0; i < 240; i += 2)
		memcpy(pattern + i, "a*", 2);
	pattern[240] = 'b';
	memset(text, 'a', sizeof(text) - 1);
	ck_assert(!xos_policy_like(pattern, text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy zone");
	TCase *tc = tcase_create("time");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, transitions);
	tcase_add_test(tc, footers);
	tcase_add_test(tc, malformed_footers);
	tcase_add_test(tc, malformed_data);
	tcase_add_test(tc, version_1);
	tcase_add_test(tc, names);
	tcase_add_test(tc, the_c_library_agrees);
	tcase_add_test(tc, windows);
	tcase_add_test(tc, patterns);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
