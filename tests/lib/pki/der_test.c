#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pki/der.h"

#define B(literal) XOS_OID(literal)

static struct xos_reader reader(struct xos_bytes in)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	return r;
}

START_TEST(strictness)
{
	static const struct {
		bool ok;
		const char *p;
		size_t n;
	} cases[] = {
#define CASE(ok, s) {ok, s, sizeof(s) - 1}
	    CASE(true, "\x30\x00"), CASE(true, "\x30\x03\x02\x01\x00"),
	    CASE(true, "\x02\x02\x00\x80"), CASE(true, "\x31\x06\x02\x01\x01\x02\x01\x02"),
	    CASE(false, ""), CASE(false, "\x30"), CASE(false, "\x30\x01"),
	    CASE(false, "\x30\x00\x00"),                 /* trailing byte */
	    CASE(false, "\x30\x81\x00"),                 /* long form for a short length */
	    CASE(false, "\x30\x82\x00\x81"),             /* leading zero in the length */
	    CASE(false, "\x30\x80\x00\x00"),             /* indefinite */
	    CASE(false, "\x30\x85\x01\x00\x00\x00\x00"), /* five bytes of length */
	    CASE(false, "\x02\x00"),                     /* empty integer */
	    CASE(false, "\x02\x02\x00\x7f"),             /* not minimal */
	    CASE(false, "\x02\x02\xff\x80"),
	    CASE(false, "\x01\x01\x01"),     /* boolean neither 00 nor ff */
	    CASE(false, "\x03\x01\x01"),     /* unused bits of nothing */
	    CASE(false, "\x03\x02\x01\x01"), /* unused bit set */
	    CASE(false, "\x03\x02\x08\x00"), CASE(false, "\x05\x01\x00"),
	    CASE(false, "\x06\x02\x80\x01"),                  /* padded sub-identifier */
	    CASE(false, "\x06\x01\x80"),                      /* unfinished one */
	    CASE(false, "\x06\x00"), CASE(false, "\x10\x00"), /* primitive SEQUENCE */
	    CASE(false, "\x24\x04\x04\x02\x61\x62"),          /* constructed OCTET STRING */
	    CASE(false, "\x1f\x01\x00"),                      /* long tag */
	    CASE(false, "\x31\x06\x02\x01\x02\x02\x01\x01"),  /* SET out of order */
	    CASE(false, "\x17\x0d"
	                "260230000000Z"),
	    CASE(true, "\x17\x0d"
	               "280229000000Z"),
	    CASE(false, "\x18\x0f"
	                "20260101000060Z"),
	    CASE(false, "\x0c\x01\xff"), /* not UTF-8 */
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(xos_der_is_strict((struct xos_bytes){
		                  (const uint8_t *)cases[i].p, cases[i].n}) == cases[i].ok,
		    "case %zu", i);
}
END_TEST

START_TEST(nesting_is_bounded)
{
	uint8_t deep[128];
	size_t n = 0;

	for (size_t i = 0; i < 31; i++) {
		deep[2 * i] = 0x30;
		deep[2 * i + 1] = (uint8_t)(2 * (30 - i));
		n += 2;
	}
	ck_assert(xos_der_is_strict((struct xos_bytes){deep, n}));
	n = 0;
	for (size_t i = 0; i < 60; i++) {
		deep[2 * i] = 0x30;
		deep[2 * i + 1] = (uint8_t)(2 * (59 - i));
		n += 2;
	}
	ck_assert(!xos_der_is_strict((struct xos_bytes){deep, n}));
}
END_TEST

START_TEST(failures_leave_everything_as_it_was)
{
	static const uint8_t in[] = {0x02, 0x02, 0x01, 0x00, 0x01, 0x01, 0x07};
	struct xos_reader r = reader((struct xos_bytes){in, sizeof(in)});
	uint64_t v = 77;
	bool b = true;

	ck_assert(!xos_der_u64(&r, XOS_DER_INTEGER, 255, &v)); /* 256 */
	ck_assert_uint_eq(v, 77);
	ck_assert_ptr_eq(r.p, in);
	ck_assert(r.failed);
	ck_assert(!xos_der_u64(&r, XOS_DER_INTEGER, 1000, &v)); /* failed once, failed for good */
	r = reader((struct xos_bytes){in, sizeof(in)});
	ck_assert(xos_der_u64(&r, XOS_DER_INTEGER, 256, &v));
	ck_assert_uint_eq(v, 256);
	ck_assert(!xos_der_bool(&r, &b));
	ck_assert(b);
	ck_assert_int_eq(xos_reader_end(&r), XOS_MALFORMED);
}
END_TEST

START_TEST(integers_both_ways)
{
	static const uint64_t values[] = {
	    0, 1, 127, 128, 255, 256, 65535, 1ull << 31, 1ull << 32, 1ull << 63, UINT64_MAX};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct xos_buf b;
		struct xos_der w;
		struct xos_reader r;
		uint64_t v = 1;

		xos_buf_init(&b, 64);
		xos_der_init(&w, &b);
		xos_der_put_u64(&w, XOS_DER_INTEGER, values[i]);
		ck_assert_int_eq(xos_der_finish(&w), XOS_OK);
		ck_assert(xos_der_is_strict(xos_buf_bytes(&b)));
		r = reader(xos_buf_bytes(&b));
		ck_assert(xos_der_u64(&r, XOS_DER_INTEGER, UINT64_MAX, &v));
		ck_assert_uint_eq(v, values[i]);
		ck_assert_int_eq(xos_reader_end(&r), XOS_OK);
		xos_buf_free(&b);
	}
	struct xos_reader r = reader(B("\x02\x01\xff"));
	uint64_t v;
	ck_assert(!xos_der_u64(&r, XOS_DER_INTEGER, UINT64_MAX, &v)); /* -1 */
	r = reader(B("\x02\x0a\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
	ck_assert(!xos_der_u64(&r, XOS_DER_INTEGER, UINT64_MAX, &v));
}
END_TEST

START_TEST(lengths_of_every_form)
{
	static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = calloc(1, sizes[i] + 1);
		struct xos_bytes got;
		struct xos_buf b;
		struct xos_der w;
		struct xos_reader r, in;

		memset(p, 'a', sizes[i]);
		xos_buf_init(&b, 1 << 20);
		xos_der_init(&w, &b);
		xos_der_begin(&w, XOS_DER_SEQUENCE);
		xos_der_put(&w, XOS_DER_OCTET_STRING, (struct xos_bytes){p, sizes[i]});
		xos_der_end(&w);
		ck_assert_int_eq(xos_der_finish(&w), XOS_OK);
		ck_assert(xos_der_is_strict(xos_buf_bytes(&b)));
		r = reader(xos_buf_bytes(&b));
		ck_assert(xos_der_enter(&r, XOS_DER_SEQUENCE, &in));
		ck_assert(xos_der_take(&in, XOS_DER_OCTET_STRING, &got));
		ck_assert_uint_eq(got.n, sizes[i]);
		ck_assert_int_eq(xos_reader_end(&in), XOS_OK);
		ck_assert_int_eq(xos_reader_end(&r), XOS_OK);
		xos_buf_free(&b);
		free(p);
	}
}
END_TEST

START_TEST(times_both_ways)
{
	static const int64_t times[] = {0, -1, -631152000, 951782400 /* 2000-02-29 */, 1800000000,
	    2524607999, 2524608000, 4107542400 /* 2100-03-01 */, 253402300799};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct xos_buf b;
		struct xos_der w;
		struct xos_reader r;
		int64_t a = 5, x = 5;

		xos_buf_init(&b, 64);
		xos_der_init(&w, &b);
		xos_der_put_time(&w, times[i]);
		xos_der_put_x509_time(&w, times[i]);
		ck_assert_int_eq(xos_der_finish(&w), XOS_OK);
		r = reader(xos_buf_bytes(&b));
		ck_assert(xos_der_time(&r, &a) && xos_der_time(&r, &x));
		ck_assert_int_eq(a, times[i]);
		ck_assert_int_eq(x, times[i]);
		xos_buf_free(&b);
	}
	struct xos_buf b;
	struct xos_der w;
	xos_buf_init(&b, 64);
	xos_der_init(&w, &b);
	xos_der_put_time(&w, 253402300800);
	ck_assert_int_ne(xos_der_finish(&w), XOS_OK);
	xos_buf_free(&b);
}
END_TEST

START_TEST(writer_says_what_went_wrong)
{
	struct xos_buf b;
	struct xos_der w;

	xos_buf_init(&b, 8);
	xos_der_init(&w, &b);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	ck_assert_int_eq(xos_der_finish(&w), XOS_INTERNAL); /* still open */
	xos_der_put_str(&w, XOS_DER_UTF8, "longer than eight");
	xos_der_end(&w);
	ck_assert_int_eq(xos_der_finish(&w), XOS_LIMIT);
	xos_buf_free(&b);
	xos_buf_init(&b, 1024);
	xos_der_init(&w, &b);
	for (size_t i = 0; i < XOS_DER_NEST + 1; i++)
		xos_der_begin(&w, XOS_DER_SEQUENCE);
	for (size_t i = 0; i < XOS_DER_NEST + 1; i++)
		xos_der_end(&w);
	ck_assert_int_eq(xos_der_finish(&w), XOS_INTERNAL);
	xos_buf_free(&b);
}
END_TEST

START_TEST(text_is_checked)
{
	char out[4] = "?";
	struct xos_reader r = reader(B("\x0c\x04"
	                               "abcd"));

	ck_assert(!xos_der_str(&r, XOS_DER_UTF8, out, sizeof(out)));
	r = reader(B("\x0c\x01\x0a"));
	ck_assert(!xos_der_str(&r, XOS_DER_UTF8, out, sizeof(out)));
	r = reader(B("\x0c\x02\x61\x00"));
	ck_assert(!xos_der_str(&r, XOS_DER_UTF8, out, sizeof(out)));
	r = reader(B("\x0c\x00"));
	ck_assert(!xos_der_str(&r, XOS_DER_UTF8, out, sizeof(out)));
	ck_assert_str_eq(out, "?");
	r = reader(B("\x0c\x03"
	             "abc"));
	ck_assert(xos_der_str(&r, XOS_DER_UTF8, out, sizeof(out)));
	ck_assert_str_eq(out, "abc");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki der");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, strictness);
	tcase_add_test(t, nesting_is_bounded);
	tcase_add_test(t, failures_leave_everything_as_it_was);
	tcase_add_test(t, integers_both_ways);
	tcase_add_test(t, lengths_of_every_form);
	tcase_add_test(t, times_both_ways);
	tcase_add_test(t, writer_says_what_went_wrong);
	tcase_add_test(t, text_is_checked);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
