#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "credential/pem.h"

static struct xos_buf memory;
static struct xos_bytes cert[XOS_PEM_CERTS_MAX];
static size_t n;

static enum xos_status read_pem(const char *text)
{
	struct xos_err err = XOS_ERR_INIT;
	xos_buf_free(&memory);
	xos_buf_init(&memory, 65536);
	n = 0;
	enum xos_status st = xos_pem_read(xos_bytes_str(text), &memory, cert, &n, &err);
	if (st)
		ck_assert_str_eq(err.code, "pem");
	return st;
}

START_TEST(what_is_written_is_read)
{
	struct xos_buf text;
	uint8_t der[500];
	for (size_t len = 1; len <= sizeof(der); len += 7) {
		for (size_t i = 0; i < len; i++)
			der[i] = (uint8_t)(i * 37 + len);
		xos_buf_init(&text, 65536);
		xos_buf_put_str(&text, "Subject: somebody\n");
		xos_pem_write(&text, (struct xos_bytes){der, len});
		xos_pem_write(&text, xos_bytes_str("second"));
		ck_assert_int_eq(read_pem(xos_buf_str(&text)), XOS_OK);
		ck_assert_uint_eq(n, 2);
		ck_assert(xos_bytes_eq(cert[0], (struct xos_bytes){der, len}));
		ck_assert(xos_bytes_eq(cert[1], xos_bytes_str("second")));
		for (char *line = strtok((char *)text.p, "\n"); line; line = strtok(NULL, "\n"))
			ck_assert_uint_le(strlen(line), 64);
		xos_buf_free(&text);
	}
}
END_TEST

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"

START_TEST(what_is_no_certificate_is_refused)
{
	static const char *const bad[] = {"", "text", BEGIN, BEGIN "QUJD\n", BEGIN END,
	    BEGIN "QU JD\n" END, BEGIN "QUJ\n" END, BEGIN "!!!!\n" END,
	    "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n",
	    BEGIN "QUJD\n" END "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n",
	    BEGIN BEGIN "QUJD\n" END, "-----BEGIN "};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(read_pem(bad[i]) == XOS_MALFORMED, "\"%s\"", bad[i]);
	ck_assert_int_eq(read_pem(BEGIN "QUJD\r\n" END), XOS_OK);
	ck_assert(xos_bytes_eq(cert[0], xos_bytes_str("ABC")));
}
END_TEST

START_TEST(sixteen_and_no_more)
{
	struct xos_buf text;
	xos_buf_init(&text, 65536);
	for (int i = 0; i < XOS_PEM_CERTS_MAX; i++)
		xos_pem_write(&text, xos_bytes_str("c"));
	ck_assert_int_eq(read_pem(xos_buf_str(&text)), XOS_OK);
	ck_assert_uint_eq(n, XOS_PEM_CERTS_MAX);
	xos_pem_write(&text, xos_bytes_str("c"));
	ck_assert_int_eq(read_pem(xos_buf_str(&text)), XOS_MALFORMED);
	xos_buf_free(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credential-pem");
	TCase *t = tcase_create("pem");
	tcase_add_test(t, what_is_written_is_read);
	tcase_add_test(t, what_is_no_certificate_is_refused);
	tcase_add_test(t, sixteen_and_no_more);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
