/* status, bytes, text, name, clock, random */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/random.h"
#include "base/text.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

START_TEST(errors)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(
	    xos_err_set(&err, XOS_DENIED, "no", "a\nb\x1b[31m\xc2\x85\xff é"), XOS_DENIED);
	ck_assert_str_eq(err.text, "a?b?[31m??? é");
	ck_assert_int_eq(xos_err_prefix(&err, XOS_INTERNAL, "file %d", 7), XOS_DENIED);
	ck_assert_str_eq(err.text, "file 7: a?b?[31m??? é");
	ck_assert_str_eq(err.code, "no");
	/* An error may be built from its own text. */
	(void)xos_err_set(&err, XOS_DENIED, "no", "again %s", err.text);
	ck_assert_str_eq(err.text, "again file 7: a?b?[31m??? é");
	for (int i = 0; i < 200; i++)
		(void)xos_err_prefix(&err, XOS_DENIED, "longer and longer");
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
	ck_assert_int_eq(xos_err_set(NULL, XOS_LIMIT, "x", "y"), XOS_LIMIT);
	ck_assert_int_eq(xos_err_prefix(NULL, XOS_LIMIT, "y"), XOS_LIMIT);
}
END_TEST

START_TEST(errnos)
{
	struct xos_err err = XOS_ERR_INIT;
	char path[2000];
	ck_assert_int_eq(
	    xos_err_errno(&err, EACCES, "open", "cannot open %s", "/x"), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.text, "cannot open /x: Permission denied");
	ck_assert_int_eq(xos_err_errno(&err, ENOENT, "open", "x"), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_err_errno(&err, EEXIST, "open", "x"), XOS_CONFLICT);
	ck_assert_int_eq(xos_err_errno(NULL, ENOMEM, "open", "x"), XOS_INTERNAL);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	(void)xos_err_errno(&err, EACCES, "open", "cannot open %s", path);
	ck_assert_ptr_nonnull(strstr(err.text, ": Permission denied")); /* the reason survives */
}
END_TEST

START_TEST(exit_statuses)
{
	ck_assert_int_eq(xos_status_exit(XOS_OK), 0);
	for (int s = XOS_MALFORMED; s <= XOS_CONFLICT; s++)
		ck_assert_int_eq(xos_status_exit((enum xos_status)s), 1);
	for (int s = XOS_UNAVAILABLE; s <= XOS_INTERNAL; s++)
		ck_assert_int_eq(xos_status_exit((enum xos_status)s), 3);
	ck_assert_str_eq(xos_status_name(XOS_NOT_YET_VALID), "not-yet-valid");
	ck_assert_str_eq(xos_status_name((enum xos_status)99), "internal");
}
END_TEST

START_TEST(buffers_stop_at_their_maximum)
{
	struct xos_buf b;
	xos_buf_init(&b, 10);
	xos_buf_put_str(&b, "12345678");
	xos_buf_u16(&b, 0x3930);
	ck_assert_str_eq(xos_buf_str(&b), "1234567890");
	xos_buf_u8(&b, 1);
	ck_assert_int_eq(xos_buf_status(&b), XOS_LIMIT);
	ck_assert_ptr_null(xos_buf_str(&b));
	ck_assert_uint_eq(b.n, 10);
	xos_buf_free(&b);
	xos_buf_init(&b, 4);
	xos_buf_printf(&b, "%d", 12345);
	ck_assert_int_eq(xos_buf_status(&b), XOS_LIMIT);
	ck_assert_ptr_null(xos_buf_steal(&b, NULL));
	xos_buf_free(&b);
	xos_buf_free(NULL);
}
END_TEST

START_TEST(buffers_can_be_given_away)
{
	struct xos_buf b;
	size_t n = 99;
	xos_buf_init(&b, SIZE_MAX);
	char *empty = xos_buf_steal(&b, &n);
	ck_assert_str_eq(empty, "");
	ck_assert_uint_eq(n, 0);
	for (int i = 0; i < 1000; i++)
		xos_buf_printf(&b, "%d,", i);
	char *text = xos_buf_steal(&b, &n);
	ck_assert_uint_eq(strlen(text), n);
	ck_assert_uint_eq(b.n, 0);
	free(text);
	free(empty);
}
END_TEST

START_TEST(reader_takes_what_the_writer_put)
{
	struct xos_buf b;
	struct xos_reader r;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	struct xos_bytes v;
	char s[8];
	xos_buf_init(&b, 1000);
	xos_buf_u8(&b, 1);
	xos_buf_u16(&b, 0x0203);
	xos_buf_u32(&b, 0x04050607);
	xos_buf_u64(&b, 0x08090a0b0c0d0e0f);
	xos_buf_lp_str(&b, "seven77");
	xos_buf_lp(&b, XOS_BYTES_NONE);
	ck_assert_uint_eq(b.p[1], 2); /* big-endian */
	xos_reader_init(&r, xos_buf_bytes(&b));
	ck_assert(xos_reader_u8(&r, &u8) && xos_reader_u16(&r, &u16) && xos_reader_u32(&r, &u32));
	ck_assert(xos_reader_u64(&r, &u64) && xos_reader_lp_str(&r, s, sizeof(s)));
	ck_assert_int_eq(xos_reader_end(&r), XOS_MALFORMED); /* not yet */
	ck_assert(xos_reader_lp(&r, 0, &v));
	ck_assert_int_eq(xos_reader_end(&r), XOS_OK);
	ck_assert(u8 == 1 && u16 == 0x0203 && u32 == 0x04050607 && u64 == 0x08090a0b0c0d0e0f);
	ck_assert_str_eq(s, "seven77");
	xos_buf_free(&b);
}
END_TEST

START_TEST(a_failed_read_changes_nothing)
{
	static const uint8_t in[] = {0, 0, 0, 5, 'a', 'b', 'c', 'd'};
	struct xos_reader r;
	struct xos_bytes v = {in, 3};
	char s[4] = "old";
	uint64_t u64 = 42;
	xos_reader_init(&r, (struct xos_bytes){in, sizeof(in)});
	ck_assert(!xos_reader_lp(&r, 100, &v)); /* longer than what is there */
	ck_assert(v.p == in && v.n == 3 && r.p == in && r.left == sizeof(in));
	ck_assert(!xos_reader_u64(&r, &u64)); /* failed for good */
	ck_assert_uint_eq(u64, 42);
	ck_assert_int_eq(xos_reader_end(&r), XOS_MALFORMED);
	xos_reader_init(&r, (struct xos_bytes){(const uint8_t *)"\0\0\0\4abcd", 8});
	ck_assert(!xos_reader_lp_str(&r, s, sizeof(s))); /* no room for the NUL */
	ck_assert_str_eq(s, "old");
	xos_reader_init(&r, (struct xos_bytes){(const uint8_t *)"\0\0\0\2a\0", 6});
	ck_assert(!xos_reader_lp_str(&r, s, sizeof(s))); /* NUL inside */
	xos_reader_init(&r, (struct xos_bytes){(const uint8_t *)"\0\0\0\3abc", 7});
	ck_assert(!xos_reader_lp(&r, 2, &v)); /* above the caller's maximum */
	xos_reader_init(&r, (struct xos_bytes){(const uint8_t *)"\377\377\377\377abc", 7});
	ck_assert(!xos_reader_lp(&r, SIZE_MAX, &v));
	xos_reader_init(&r, XOS_BYTES_NONE);
	ck_assert(!xos_reader_take(&r, SIZE_MAX, &v));
	xos_reader_init(&r, XOS_BYTES_NONE);
	ck_assert(xos_reader_take(&r, 0, &v));
	ck_assert_int_eq(xos_reader_end(&r), XOS_OK);
}
END_TEST

/* RFC 4648 section 10 */
static const struct {
	const char *raw, *std, *url, *hex;
} vectors[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
};

START_TEST(encodings)
{
	struct xos_bytes raw = xos_bytes_str(vectors[_i].raw);
	struct xos_buf b;
	char hex[64];
	xos_buf_init(&b, 100);
	xos_base64_encode(&b, raw);
	ck_assert_str_eq(xos_buf_str(&b), vectors[_i].std);
	b.n = 0;
	xos_base64url_encode(&b, raw);
	ck_assert_str_eq(xos_buf_str(&b), vectors[_i].url);
	xos_hex_encode(hex, raw.p, raw.n);
	ck_assert_str_eq(hex, vectors[_i].hex);
	b.n = 0;
	ck_assert_int_eq(xos_base64_decode(&b, vectors[_i].std, strlen(vectors[_i].std)), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&b), raw));
	b.n = 0;
	ck_assert_int_eq(
	    xos_base64url_decode(&b, vectors[_i].url, strlen(vectors[_i].url)), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&b), raw));
	b.n = 0;
	ck_assert_int_eq(xos_hex_decode(&b, hex, strlen(hex)), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&b), raw));
	xos_buf_free(&b);
}
END_TEST

START_TEST(encodings_are_strict)
{
	static const char *const std[] = {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", " Zm9",
	    "====", "=", "Z===", "Zm=v", "Zg==Zg==", "-__-", "Zm9vYg"};
	static const char *const url[] = {"Z", "Zg==", "Zh", "Zm9", "+//+", "Zm9v ", "Zm9vY"};
	static const char *const hex[] = {"0", "0g", "0x00", " 00", "zz"};
	struct xos_buf b;
	xos_buf_init(&b, 100);
	for (size_t i = 0; i < LEN(std); i++)
		ck_assert_msg(
		    xos_base64_decode(&b, std[i], strlen(std[i])) == XOS_MALFORMED, "%s", std[i]);
	for (size_t i = 0; i < LEN(url); i++)
		ck_assert_msg(xos_base64url_decode(&b, url[i], strlen(url[i])) == XOS_MALFORMED,
		    "%s", url[i]);
	for (size_t i = 0; i < LEN(hex); i++)
		ck_assert_msg(
		    xos_hex_decode(&b, hex[i], strlen(hex[i])) == XOS_MALFORMED, "%s", hex[i]);
	ck_assert_int_eq(xos_base64_decode(&b, "Z\0==", 4), XOS_MALFORMED);
	ck_assert_uint_eq(b.n, 0);
	b.max = 2;
	ck_assert_int_eq(xos_base64_decode(&b, "Zm9v", 4), XOS_LIMIT);
	xos_buf_free(&b);
}
END_TEST

START_TEST(strings)
{
	char out[4] = "xyz";
	ck_assert(xos_str_copy(out, sizeof(out), "abc"));
	ck_assert(!xos_str_copy(out, sizeof(out), "abcd"));
	ck_assert_str_eq(out, "");
	ck_assert(!xos_str_printf(out, sizeof(out), "%d", 12345));
	ck_assert_str_eq(out, "");
	ck_assert(xos_str_printf(out, sizeof(out), "%d", 123));
}
END_TEST

START_TEST(utf8)
{
	static const char *const good[] = {
	    "", "a", "é", "€", "😀", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
	    "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\xc3", "\xe2\x82",
	    "\xff", "a\xc3z"};
	for (size_t i = 0; i < LEN(good); i++)
		ck_assert(xos_utf8_valid(xos_bytes_str(good[i])));
	for (size_t i = 0; i < LEN(bad); i++)
		ck_assert_msg(!xos_utf8_valid(xos_bytes_str(bad[i])), "%zu", i);
}
END_TEST

/* What a peer says must not move the cursor, colour the screen or turn a line round. */
START_TEST(control_characters)
{
	static const char *const bad[] = {"\001", "\033", "\x7f", "\xc2\x80", "\xc2\x9b",
	    "\xc2\x9f", "\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a",
	    "\u202e", "\u2066", "\u2069", "\u206f", "\ufeff", "\ufff9", "\U000e0001", "\U000e007f"};
	static const char *const good[] = {" ", "~", "\u00a0", "\u061b", "\u061d", "\u200a",
	    "\u200c", "\u200d", "\u2010", "\u2027", "\u202f", "\u205f", "\u2070", "\ufefe",
	    "\ufffd", "\U0001f600", "\U000dffff", "\U000e0080", "\u05d0", "\u0627"};
	for (size_t i = 0; i < LEN(bad); i++) {
		size_t n = strlen(bad[i]);
		char text[16];
		ck_assert_msg(xos_utf8_is_control((const uint8_t *)bad[i], n), "%zu", i);
		snprintf(text, sizeof(text), "a%sb", bad[i]);
		xos_text_clean(text);
		ck_assert_uint_eq(strlen(text), n + 2);
		ck_assert(text[0] == 'a' && strspn(text + 1, "?") == n && text[n + 1] == 'b');
	}
	for (size_t i = 0; i < LEN(good); i++) {
		char text[16];
		ck_assert_msg(
		    !xos_utf8_is_control((const uint8_t *)good[i], strlen(good[i])), "%zu", i);
		snprintf(text, sizeof(text), "%s", good[i]);
		xos_text_clean(text);
		ck_assert_str_eq(text, good[i]);
	}
	struct xos_err err = XOS_ERR_INIT;
	(void)xos_err_set(&err, XOS_DENIED, "test", "ask %s", "\u202egnp.exe\033[31m");
	ck_assert_str_eq(err.text, "ask ???gnp.exe?[31m");
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = {"", "-1", "+1", "01", "00", " 1", "1 ", "1x", "0x1",
	    "18446744073709551616", "99999999999999999999"};
	uint64_t v = 7;
	for (size_t i = 0; i < LEN(bad); i++)
		ck_assert_msg(!xos_parse_u64(bad[i], UINT64_MAX, &v), "%s", bad[i]);
	ck_assert(!xos_parse_u64(NULL, 9, &v));
	ck_assert_uint_eq(v, 7);
	ck_assert(xos_parse_u64("18446744073709551615", UINT64_MAX, &v) && v == UINT64_MAX);
	ck_assert(xos_parse_u64("0", 0, &v) && v == 0);
	ck_assert(!xos_parse_u64("1", 0, &v));
	ck_assert(xos_parse_u64("255", 255, &v) && !xos_parse_u64("256", 255, &v));
	ck_assert(!xos_parse_u64("260", 255, &v));
}
END_TEST

START_TEST(names)
{
	ck_assert(
	    xos_name_is_vo("demo") && xos_name_is_vo("a-1") && xos_name_is_vo("abcdefghijklmno"));
	ck_assert(
	    !xos_name_is_vo("abcdefghijklmnop") && !xos_name_is_vo("") && !xos_name_is_vo("1a"));
	ck_assert(!xos_name_is_vo("a.b") && !xos_name_is_vo("Demo") && !xos_name_is_vo("a/b"));
	ck_assert(!xos_name_is_vo(NULL) && !xos_name_is_vo("demo\n"));
	ck_assert(xos_name_is_member("demo", "alice") && xos_name_is_member("demo", "a.b_c-1"));
	ck_assert(!xos_name_is_member("demo", "Alice") && !xos_name_is_member("demo", "../x"));
	ck_assert(!xos_name_is_member("demo", "") && !xos_name_is_member("de.mo", "alice"));
	/* <vo>.<member> fits a Linux account name. */
	ck_assert(xos_name_is_member("demo", "abcdefghijklmnopqrstuvwxyz"));
	ck_assert(!xos_name_is_member("demo", "abcdefghijklmnopqrstuvwxyza"));
	ck_assert(xos_name_is_member("a", "abcdefghijklmnopqrstuvwxyzabc"));
	ck_assert(xos_name_is_node("n1") && xos_name_is_node("n1.irisa.fr") &&
	          xos_name_is_node("127.0.0.1"));
	ck_assert(
	    !xos_name_is_node("-n1") && !xos_name_is_node("n1-") && !xos_name_is_node("a..b"));
	ck_assert(!xos_name_is_node("a.") && !xos_name_is_node(".a") && !xos_name_is_node("N1"));
	ck_assert(xos_name_is_service("data/n1") && xos_name_is_service("a-1/127.0.0.1") &&
	          xos_name_is_service_kind("data"));
	ck_assert(!xos_name_is_service("data") && !xos_name_is_service("data/") &&
	          !xos_name_is_service("/n1") && !xos_name_is_service("data/n1/x") &&
	          !xos_name_is_service("Data/n1") && !xos_name_is_service("data/N1") &&
	          !xos_name_is_service(NULL));
	ck_assert(!xos_name_is_service("a23456789012345678901234567890123/n1") &&
	          !xos_name_is_service_kind("data/n1") && !xos_name_is_service_kind("") &&
	          !xos_name_is_service_kind(NULL));
	ck_assert(!xos_name_is_node("a_b") && !xos_name_is_node("a-.b") && !xos_name_is_node(""));
	ck_assert(xos_name_is_site("irisa") && !xos_name_is_site("irisa/n1"));
}
END_TEST

START_TEST(groups_and_roles)
{
	size_t n;
	const char *role;
	ck_assert(xos_name_is_group("/demo") && xos_name_is_group("/demo/Physics/a.b_c-1"));
	ck_assert(
	    !xos_name_is_group("demo") && !xos_name_is_group("/") && !xos_name_is_group("/demo/"));
	ck_assert(!xos_name_is_group("//demo") && !xos_name_is_group("/demo//a"));
	ck_assert(!xos_name_is_group("/demo/..") && !xos_name_is_group("/demo/a b"));
	ck_assert(!xos_name_is_group("/demo/Role=x") && !xos_name_is_group("/De/a"));
	ck_assert(xos_name_is_group("/v/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f"));
	ck_assert(!xos_name_is_group("/v/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g"));
	ck_assert(xos_name_is_role("/demo/Role=admin") && xos_name_is_role("/demo/a/Role=x"));
	ck_assert(!xos_name_is_role("/demo/Role=") && !xos_name_is_role("/Role=x"));
	ck_assert(!xos_name_is_role("/demo/Role=a/b") && !xos_name_is_role("/demo/role=a"));
	ck_assert(!xos_name_is_role("/demo/Role=a/Role=b") && !xos_name_is_role("/demo"));
	ck_assert(xos_role_split("/demo/a/Role=x", &n, &role) && n == 7);
	ck_assert_str_eq(role, "x");
	ck_assert(xos_fqan_in_vo("/demo/a", "demo") && xos_fqan_in_vo("/demo", "demo"));
	ck_assert(!xos_fqan_in_vo("/demo2/a", "demo") && !xos_fqan_in_vo("demo/a", "demo"));
	ck_assert(!xos_fqan_in_vo("/demo/a", "") && !xos_fqan_in_vo(NULL, "demo"));
	ck_assert(
	    xos_group_within("/demo/a/b", "/demo/a") && xos_group_within("/demo/a", "/demo/a"));
	ck_assert(
	    !xos_group_within("/demo/ab", "/demo/a") && !xos_group_within("/demo", "/demo/a"));
	ck_assert(!xos_group_within("/demo", "") && !xos_group_within("/demo", "/"));
}
END_TEST

START_TEST(times)
{
	static const struct {
		int64_t t;
		const char *s;
	} good[] = {{0, "1970-01-01T00:00:00Z"}, {951782400, "2000-02-29T00:00:00Z"},
	    {1709164800, "2024-02-29T00:00:00Z"}, {4102444799, "2099-12-31T23:59:59Z"},
	    {4107542400, "2100-03-01T00:00:00Z"}, {253402300799, "9999-12-31T23:59:59Z"}};
	static const char *const bad[] = {"", "1969-12-31T23:59:59Z", "2023-02-29T00:00:00Z",
	    "2100-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
	    "2024-01-00T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-01T24:00:00Z",
	    "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z",
	    "2024-01-01T00:00:00", "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.0Z",
	    "2024-1-1T00:00:00Z", "2024-01-01T00:00:00z", "2024-01-01T00:00:00Z ",
	    "+024-01-01T00:00:00Z"};
	char out[XOS_TIME_TEXT];
	int64_t t = 5;
	for (size_t i = 0; i < LEN(good); i++) {
		xos_time_format(good[i].t, out);
		ck_assert_str_eq(out, good[i].s);
		ck_assert(xos_time_parse(good[i].s, &t));
		ck_assert_int_eq(t, good[i].t);
	}
	for (size_t i = 0; i < LEN(bad); i++)
		ck_assert_msg(!xos_time_parse(bad[i], &t), "%s", bad[i]);
	for (int64_t i = 0; i < 40000; i++) {
		int64_t when = i * 6333019 % 253402300800;
		xos_time_format(when, out);
		ck_assert(xos_time_parse(out, &t));
		ck_assert_int_eq(t, when);
	}
	xos_time_format(-1, out);
	ck_assert_str_eq(out, "1970-01-01T00:00:00Z");
	xos_time_format(INT64_MAX, out);
	ck_assert_str_eq(out, "9999-12-31T23:59:59Z");
}
END_TEST

START_TEST(durations)
{
	static const struct {
		int64_t d;
		const char *s;
	} shown[] = {{0, "0s"}, {59, "59s"}, {245, "4m05s"}, {41460, "11h31m"}, {266400, "3d2h"},
	    {90 * 86400, "90d"}, {86400 + 3599, "1d"}, {-90, "-1m30s"},
	    {INT64_MIN, "-106751991167300d15h"}};
	static const char *const bad[] = {"", "s", "10", "1.5h", "-1h", "1H", "1hh", "01h", "1 h",
	    "h1", "9223372036854775807w", "99999999999999999999999s"};
	char out[XOS_TIME_TEXT];
	int64_t d = 0;
	for (size_t i = 0; i < LEN(shown); i++) {
		xos_duration_format(shown[i].d, out);
		ck_assert_str_eq(out, shown[i].s);
	}
	for (size_t i = 0; i < LEN(bad); i++)
		ck_assert_msg(!xos_duration_parse(bad[i], &d), "%s", bad[i]);
	ck_assert(!xos_duration_parse(NULL, &d));
	ck_assert(xos_duration_parse("90s", &d) && d == 90);
	ck_assert(xos_duration_parse("15m", &d) && d == 900);
	ck_assert(xos_duration_parse("12h", &d) && d == 43200);
	ck_assert(xos_duration_parse("7d", &d) && d == 604800);
	ck_assert(xos_duration_parse("2w", &d) && d == 1209600);
	ck_assert(xos_duration_parse("0s", &d) && d == 0);
}
END_TEST

START_TEST(randomness)
{
	char a[65], b[65];
	bool seen[7] = {false};
	xos_random_id(a, 32);
	xos_random_id(b, 32);
	ck_assert_uint_eq(strlen(a), 64);
	ck_assert_uint_eq(strspn(a, "0123456789abcdef"), 64);
	ck_assert_str_ne(a, b);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = xos_random_below(7);
		ck_assert_uint_lt(v, 7);
		seen[v] = true;
	}
	for (int i = 0; i < 7; i++)
		ck_assert(seen[i]);
	ck_assert_uint_eq(xos_random_below(1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base-text");
	TCase *tc = tcase_create("text");
	tcase_add_test(tc, errors);
	tcase_add_test(tc, errnos);
	tcase_add_test(tc, exit_statuses);
	tcase_add_test(tc, buffers_stop_at_their_maximum);
	tcase_add_test(tc, buffers_can_be_given_away);
	tcase_add_test(tc, reader_takes_what_the_writer_put);
	tcase_add_test(tc, a_failed_read_changes_nothing);
	tcase_add_loop_test(tc, encodings, 0, (int)LEN(vectors));
	tcase_add_test(tc, encodings_are_strict);
	tcase_add_test(tc, strings);
	tcase_add_test(tc, utf8);
	tcase_add_test(tc, control_characters);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, names);
	tcase_add_test(tc, groups_and_roles);
	tcase_add_test(tc, times);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, randomness);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
