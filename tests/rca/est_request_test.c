/* What EST clients send over HTTP: base64 with or without white space, and names with passwords. */
#include <check.h>

#include "pki/csr.h"
#include "pki/der.h"
#include "rca/est.h"

static struct rca_est_request q;
static struct xos_err err;

static void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s: %s", xos_status_name(got), err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

static enum xos_status body(const char *type, const char *text)
{
	struct xos_buf der;

	xos_buf_init(&der, XOS_CSR_MAX);
	enum xos_status st = rca_est_body(type, xos_bytes_str(text), &der, &err);
	if (st == XOS_OK)
		ck_assert(xos_bytes_eq(xos_buf_bytes(&der), xos_bytes_str("secret")));
	xos_buf_free(&der);
	return st;
}

START_TEST(bodies_are_base64_with_or_without_white_space)
{
	expect(body("application/pkcs10", "c2VjcmV0"), XOS_OK, NULL);
	expect(body("Application/PKCS10; charset=x", "c2Vj\r\ncm V0\t\n"), XOS_OK, NULL);
	expect(body("application/pkcs7-mime", "c2VjcmV0"), XOS_MALFORMED, "media-type");
	expect(body(NULL, "c2VjcmV0"), XOS_MALFORMED, "media-type");
	expect(body("application/pkcs10", ""), XOS_MALFORMED, "csr-base64");
	expect(body("application/pkcs10", " \n"), XOS_MALFORMED, "csr-base64");
	expect(body("application/pkcs10", "c2VjcmV"), XOS_MALFORMED, "csr-base64");
	expect(body("application/pkcs10", "-----BEGIN X-----\nc2VjcmV0\n"), XOS_MALFORMED,
	    "csr-base64");
}
END_TEST

static enum xos_status basic(const char *value)
{
	rca_est_request_free(&q);
	rca_est_request_init(&q);
	return rca_est_basic(value, &q, &err);
}

START_TEST(names_and_passwords_are_read)
{
	expect(basic("Basic bjE6YTpi"), XOS_OK, NULL); /* n1:a:b */
	ck_assert(q.named);
	ck_assert_str_eq(q.user, "n1");
	ck_assert_str_eq(q.password, "a:b");
	expect(basic("basic bjE6"), XOS_OK, NULL); /* n1: */
	ck_assert_str_eq(q.password, "");
	expect(basic("Basic bjE="), XOS_MALFORMED, "basic-auth");     /* no colon */
	expect(basic("Basic OmE="), XOS_MALFORMED, "basic-auth");     /* no name */
	expect(basic("Basic bjE6YQpi"), XOS_MALFORMED, "basic-auth"); /* a line end */
	expect(basic("Basic n1:a"), XOS_MALFORMED, "basic-auth");
	expect(basic("Bearer bjE6YTpi"), XOS_MALFORMED, "basic-auth");
	expect(basic("Basic"), XOS_MALFORMED, "basic-auth");
	ck_assert(!q.named);
	rca_est_request_free(&q);
}
END_TEST

START_TEST(wishes_are_a_list_of_attributes)
{
	struct xos_buf der, small;

	xos_buf_init(&der, 256);
	xos_buf_init(&small, 8);
	ck_assert_int_eq(rca_est_wishes(&der, &err), XOS_OK);
	ck_assert(xos_der_is_strict(xos_buf_bytes(&der)));
	ck_assert_int_eq(rca_est_wishes(&small, &err), XOS_LIMIT);
	xos_buf_free(&small);
	xos_buf_free(&der);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("est-request");
	TCase *tc = tcase_create("http");

	tcase_add_test(tc, bodies_are_base64_with_or_without_white_space);
	tcase_add_test(tc, names_and_passwords_are_read);
	tcase_add_test(tc, wishes_are_a_list_of_attributes);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
