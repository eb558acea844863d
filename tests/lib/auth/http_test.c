#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/http.h"
#include "base/bytes.h"

static enum xos_status parse(const char *value, bool scheme, struct xos_scram_header *h)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_scram_header_parse(value, scheme, h, &err);

	if (st != XOS_OK)
		ck_assert_str_eq(err.code, "scram-header");
	return st;
}

/* The messages of RFC 7804 section 5.1, in our mechanism. */
START_TEST(takes_the_forms_of_the_standard)
{
	struct xos_scram_header h;

	ck_assert_int_eq(
	    parse("SCRAM-SHA-256 realm=\"demo\",data=biwsbj11c2VyLHI9YWJj", true, &h), XOS_OK);
	ck_assert_str_eq(h.realm, "demo");
	ck_assert_str_eq(h.sid, "");
	ck_assert_uint_eq(h.ndata, 15);
	ck_assert_mem_eq(h.data, "n,,n=user,r=abc", 15);
	ck_assert_int_eq(parse("scram-sha-256 sid=AAAA-bb, data=\"Yz1iaXdz\"", true, &h), XOS_OK);
	ck_assert_str_eq(h.sid, "AAAA-bb");
	ck_assert_mem_eq(h.data, "c=biws", h.ndata);
	ck_assert_int_eq(parse("SCRAM-SHA-256 realm=\"demo\"", true, &h), XOS_OK);
	ck_assert_uint_eq(h.ndata, 0);
	ck_assert_int_eq(parse("sid=1,data=dj0x", false, &h), XOS_OK);
	ck_assert_mem_eq(h.data, "v=1", 3);
	ck_assert_int_eq(parse("SCRAM-SHA-256 charset=\"x y\", sid=1", true, &h), XOS_OK);
	ck_assert_str_eq(h.sid, "1");
}
END_TEST

START_TEST(refuses_everything_else)
{
	static const char *const bad[] = {"", "SCRAM-SHA-256", "SCRAM-SHA-256 ", "Basic sid=1",
	    "SCRAM-SHA-2567 sid=1", "SCRAM-SHA-256 sid",
	    "SCRAM-SHA-256 sid=", "SCRAM-SHA-256 sid=\"", "SCRAM-SHA-256 sid=\"a",
	    "SCRAM-SHA-256 sid=\"\"", "SCRAM-SHA-256 sid=1,sid=2",
	    "SCRAM-SHA-256 data=YQ==,data=YQ==", "SCRAM-SHA-256 sid=1,", "SCRAM-SHA-256 ,sid=1",
	    "SCRAM-SHA-256 sid=1 data=YQ==", "SCRAM-SHA-256 data=YQ=", "SCRAM-SHA-256 data=YR==",
	    "SCRAM-SHA-256 data=a b", "SCRAM-SHA-256 data==", "SCRAM-SHA-256 sid=a\\\"b",
	    "SCRAM-SHA-256 sid=\"a\\\"b\"", "SCRAM-SHA-256 sid=1\r\nX: y",
	    "SCRAM-SHA-256 realm=\"a/b\"", "sid=1,data=YQ==", "SCRAM-SHA-256 sid=\xc3\xa9",
	    "SCRAM-SHA-256 sid=1;data=YQ=="};
	struct xos_scram_header h;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(parse(bad[i], true, &h) == XOS_MALFORMED, "taken: %s", bad[i]);
		ck_assert_uint_eq(h.ndata, 0);
		ck_assert_str_eq(h.sid, "");
	}
	ck_assert_int_eq(parse(NULL, true, &h), XOS_MALFORMED);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	char *value = malloc(XOS_SCRAM_HEADER_MAX + 200);
	struct xos_scram_header h;

	strcpy(value, "SCRAM-SHA-256 data=");
	memset(value + 19, 'A', XOS_SCRAM_HEADER_MAX + 100);
	value[19 + XOS_SCRAM_HEADER_MAX + 100] = 0;
	ck_assert_int_eq(parse(value, true, &h), XOS_MALFORMED);
	value[19 + 1368] = 0; /* 1026 bytes */
	ck_assert_int_eq(parse(value, true, &h), XOS_MALFORMED);
	value[19 + 1364] = 0; /* 1023 bytes */
	ck_assert_int_eq(parse(value, true, &h), XOS_OK);
	ck_assert_uint_eq(h.ndata, 1023);
	strcpy(value, "SCRAM-SHA-256 sid=");
	memset(value + 18, 'a', XOS_SCRAM_SID_MAX + 1);
	value[18 + XOS_SCRAM_SID_MAX + 1] = 0;
	ck_assert_int_eq(parse(value, true, &h), XOS_MALFORMED);
	value[18 + XOS_SCRAM_SID_MAX] = 0;
	ck_assert_int_eq(parse(value, true, &h), XOS_OK);
	free(value);
}
END_TEST

START_TEST(formats_what_it_parses)
{
	struct xos_scram_header h = {.realm = "demo", .sid = "ab12", .ndata = 5}, again;
	struct xos_buf b;

	memcpy(h.data, "n,,=\x7f", 5);
	for (int scheme = 0; scheme < 2; scheme++) {
		xos_buf_init(&b, XOS_SCRAM_HEADER_MAX);
		ck_assert_int_eq(xos_scram_header_format(&h, scheme, &b), XOS_OK);
		ck_assert_int_eq(parse(xos_buf_str(&b), scheme, &again), XOS_OK);
		ck_assert_str_eq(again.realm, "demo");
		ck_assert_str_eq(again.sid, "ab12");
		ck_assert_uint_eq(again.ndata, 5);
		ck_assert_mem_eq(again.data, h.data, 5);
		xos_buf_free(&b);
	}
	strcpy(h.sid, "a\"b");
	xos_buf_init(&b, XOS_SCRAM_HEADER_MAX);
	ck_assert_int_eq(xos_scram_header_format(&h, true, &b), XOS_INTERNAL);
	ck_assert_uint_eq(b.n, 0);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth-http");
	TCase *t = tcase_create("header");
	SRunner *r;
	int failed;

	tcase_add_test(t, takes_the_forms_of_the_standard);
	tcase_add_test(t, refuses_everything_else);
	tcase_add_test(t, refuses_what_is_too_long);
	tcase_add_test(t, formats_what_it_parses);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
