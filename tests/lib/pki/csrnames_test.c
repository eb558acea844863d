/* What a request asks for, as OpenSSL writes it; and certificates as OpenSSL reads them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "pki/certsonly.h"
#include "pki/csr.h"
#include "pki/csrnames.h"
#include "testsupport/csr.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_key *key;
static struct xos_buf der;
static struct xos_csr_names names;
static struct xos_err err;

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	MUST(xos_key_generate(&key, &err), &err);
	xos_buf_init(&der, XOS_CSR_MAX);
}

static void teardown(void)
{
	xos_buf_free(&der);
	xos_key_free(key);
}

static enum xos_status read_csr(struct xos_test_csr what)
{
	struct xos_csr csr;

	xos_buf_free(&der);
	xos_buf_init(&der, XOS_CSR_MAX);
	xos_test_csr(key, &what, &der);
	MUST(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), &err);
	return xos_csr_names_read(xos_buf_bytes(&der), &names, &err);
}

#define READ(...) read_csr((struct xos_test_csr){__VA_ARGS__})

static void expect_nothing(const char *code)
{
	ck_assert_str_eq(err.code, code);
	ck_assert(!names.o[0] && !names.ou[0] && !names.cn[0] && !names.uri[0]);
	ck_assert(names.nhosts == 0 && !names.challenged && !names.challenge[0]);
}

START_TEST(names_are_read)
{
	ck_assert_int_eq(
	    READ(.o = "demo", .ou = "node", .cn = "n1", .challenge = "c2VjcmV0",
	        .san = "DNS:N1.example.ORG,IP:192.0.2.1,IP:2001:db8::1,URI:spiffe://demo/"
	               "node/n1"),
	    XOS_OK);
	ck_assert_str_eq(names.o, "demo");
	ck_assert_str_eq(names.ou, "node");
	ck_assert_str_eq(names.cn, "n1");
	ck_assert_uint_eq(names.nhosts, 3);
	ck_assert_str_eq(names.host[0], "n1.example.org");
	ck_assert_str_eq(names.host[1], "192.0.2.1");
	ck_assert_str_eq(names.host[2], "2001:db8::1");
	ck_assert_str_eq(names.uri, "spiffe://demo/node/n1");
	ck_assert(names.challenged);
	ck_assert_str_eq(names.challenge, "c2VjcmV0");
}
END_TEST

START_TEST(a_request_may_name_nobody)
{
	ck_assert_int_eq(READ(NULL), XOS_OK);
	ck_assert_str_eq(names.cn, "");
	ck_assert_uint_eq(names.nhosts, 0);
	ck_assert(!names.challenged);
	xos_buf_free(&der);
	xos_buf_init(&der, XOS_CSR_MAX);
	MUST(xos_csr_make(key, &der, &err), &err);
	ck_assert_int_eq(xos_csr_names_read(xos_buf_bytes(&der), &names, &err), XOS_OK);
}
END_TEST

START_TEST(what_cannot_be_had_is_refused)
{
	ck_assert_int_eq(READ(.cn = "n1", .twice = true), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(READ(.cn = "n1", .san = "email:root@n1.example"), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(READ(.cn = "n1", .san = "DNS:n1,DNS:N1"), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(READ(.cn = "n1", .san = "URI:a:b,URI:a:c"), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(READ(.cn = "n 1"), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(READ(.cn = "n1\x1b[2J"), XOS_MALFORMED);
	expect_nothing("csr-names");
	ck_assert_int_eq(
	    READ(.san = "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h,DNS:i,DNS:j,DNS:k,DNS:l,"
	                "DNS:m,DNS:n,DNS:o,DNS:p,DNS:q"),
	    XOS_MALFORMED);
	expect_nothing("csr-names");
}
END_TEST

START_TEST(other_wishes_are_read_over)
{
	ck_assert_int_eq(READ(.cn = "n1", .ca = true), XOS_OK);
	ck_assert_str_eq(names.cn, "n1");
}
END_TEST

START_TEST(truncated_or_longer_is_refused)
{
	ck_assert_int_eq(READ(.cn = "n1", .san = "DNS:n1", .challenge = "x"), XOS_OK);
	for (size_t n = 0; n < der.n; n++) {
		ck_assert_int_eq(
		    xos_csr_names_read((struct xos_bytes){der.p, n}, &names, &err), XOS_MALFORMED);
		expect_nothing("csr-malformed");
	}
	xos_buf_u8(&der, 0);
	ck_assert_int_eq(xos_csr_names_read(xos_buf_bytes(&der), &names, &err), XOS_MALFORMED);
	expect_nothing("csr-malformed");
}
END_TEST

START_TEST(certificates_go_out_in_order)
{
	struct xos_test_vo *vo = xos_test_vo_new("demo", "lab", INT64_C(1795000000));
	const struct xos_cert *list[] = {vo->root, vo->ca, vo->rca};
	struct xos_buf out, small;

	xos_buf_init(&out, XOS_CERT_MAX);
	MUST(xos_certs_only(list, 3, &out, &err), &err);
	const unsigned char *p = out.p;
	PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)out.n);
	ck_assert_ptr_nonnull(p7);
	ck_assert_ptr_eq(p, out.p + out.n);
	ck_assert(PKCS7_type_is_signed(p7));
	ck_assert_int_eq(sk_X509_num(p7->d.sign->cert), 3);
	for (int i = 0; i < 3; i++) {
		unsigned char *one = NULL;
		int n = i2d_X509(sk_X509_value(p7->d.sign->cert, i), &one);

		ck_assert(xos_bytes_eq((struct xos_bytes){one, (size_t)n}, xos_cert_der(list[i])));
		OPENSSL_free(one);
	}
	ck_assert_int_le(sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info), 0);
	PKCS7_free(p7);
	xos_buf_init(&small, 64);
	ck_assert_int_eq(xos_certs_only(list, 3, &small, &err), XOS_LIMIT);
	xos_buf_free(&small);
	xos_buf_free(&out);
	xos_test_vo_free(vo);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("csrnames");
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names_are_read);
	tcase_add_test(tc, a_request_may_name_nobody);
	tcase_add_test(tc, what_cannot_be_had_is_refused);
	tcase_add_test(tc, other_wishes_are_read_over);
	tcase_add_test(tc, truncated_or_longer_is_refused);
	tcase_add_test(tc, certificates_go_out_in_order);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
