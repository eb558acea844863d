#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verifier.h"
#include "base/text.h"

static struct xos_secret *secret(const char *s)
{
	return xos_secret_from(s, strlen(s));
}

static enum xos_status make(
    const char *pw, uint32_t iterations, struct xos_scram_verifier *v, struct xos_err *err)
{
	struct xos_secret *s = secret(pw);
	enum xos_status st = xos_scram_verifier_make(s, iterations, v, err);

	xos_secret_free(s);
	return st;
}

START_TEST(makes_and_keeps)
{
	struct xos_scram_verifier a, b;
	struct xos_err err = XOS_ERR_INIT;
	char text[XOS_SCRAM_VERIFIER_TEXT];

	ck_assert_int_eq(make("long enough", 4096, &a, &err), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_format(&a, text), XOS_OK);
	ck_assert_int_eq(strncmp(text, "SCRAM-SHA-256$4096:", 19), 0);
	ck_assert_int_eq(xos_scram_verifier_parse(text, &b, &err), XOS_OK);
	ck_assert_uint_eq(b.iterations, 4096);
	ck_assert_mem_eq(a.salt, b.salt, sizeof(a.salt));
	ck_assert_mem_eq(a.stored_key, b.stored_key, 32);
	ck_assert_mem_eq(a.server_key, b.server_key, 32);
	/* another salt each time */
	ck_assert_int_eq(make("long enough", 4096, &b, &err), XOS_OK);
	ck_assert_mem_ne(a.salt, b.salt, sizeof(a.salt));
	ck_assert_mem_ne(a.stored_key, b.stored_key, 32);
}
END_TEST

START_TEST(longest_text_fits)
{
	struct xos_scram_verifier v;
	char text[XOS_SCRAM_VERIFIER_TEXT];
	struct xos_err err = XOS_ERR_INIT;

	memset(&v, 0xff, sizeof(v));
	v.iterations = XOS_SCRAM_ITERATIONS_MAX;
	ck_assert_int_eq(xos_scram_verifier_format(&v, text), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_parse(text, &v, &err), XOS_OK);
}
END_TEST

START_TEST(refuses_passwords)
{
	static const struct {
		const char *pw, *code;
	} bad[] = {{"", "password-length"}, {"short77", "password-length"},
	    {"with\ttab here", "password-characters"},
	    {"caf\xc3\xa9 au lait", "password-characters"},
	    {"new\nline here", "password-characters"},
	    {"del\x7f"
	     "ete here",
	        "password-characters"}};
	struct xos_scram_verifier v;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_err err = XOS_ERR_INIT;

		ck_assert_int_eq(make(bad[i].pw, 4096, &v, &err), XOS_MALFORMED);
		ck_assert_str_eq(err.code, bad[i].code);
	}
	char *big = malloc(XOS_PASSWORD_MAX + 2);
	struct xos_err err = XOS_ERR_INIT;
	memset(big, 'x', XOS_PASSWORD_MAX + 1);
	big[XOS_PASSWORD_MAX + 1] = 0;
	ck_assert_int_eq(make(big, 4096, &v, &err), XOS_MALFORMED);
	big[XOS_PASSWORD_MAX] = 0;
	ck_assert_int_eq(make(big, 4096, &v, &err), XOS_OK);
	free(big);
	ck_assert_int_eq(make("long enough", 4095, &v, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    make("long enough", XOS_SCRAM_ITERATIONS_MAX + 1, &v, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_password_check(NULL, &err), XOS_MALFORMED);
}
END_TEST

START_TEST(refuses_texts)
{
	static const char *const bad[] = {"", "SCRAM-SHA-256$", "SCRAM-SHA-1$4096:QQ==$QQ==:QQ==",
	    "SCRAM-SHA-256$4095:AAAAAAAAAAAAAAAAAAAAAA==$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	    ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    "SCRAM-SHA-256$04096:AAAAAAAAAAAAAAAAAAAAAA==$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ",
	    "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	struct xos_scram_verifier v;
	struct xos_err err = XOS_ERR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(xos_scram_verifier_parse(bad[i], &v, &err) == XOS_MALFORMED,
		    "taken: %s", bad[i]);
}
END_TEST

START_TEST(fakes_are_stable_and_different)
{
	struct xos_bytes secret1 = xos_bytes_str("0123456789abcdef");
	struct xos_bytes secret2 = xos_bytes_str("0123456789abcdeg");
	struct xos_scram_verifier a, b, c, d;

	ck_assert_int_eq(xos_scram_verifier_fake(secret1, "mallory", 65536, &a), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_fake(secret1, "mallory", 65536, &b), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_fake(secret1, "mallorz", 65536, &c), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_fake(secret2, "mallory", 65536, &d), XOS_OK);
	ck_assert_mem_eq(a.salt, b.salt, sizeof(a.salt));
	ck_assert_mem_ne(a.salt, c.salt, sizeof(a.salt));
	ck_assert_mem_ne(a.salt, d.salt, sizeof(a.salt));
	ck_assert_mem_ne(a.stored_key, b.stored_key, 32);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth-verifier");
	TCase *t = tcase_create("verifier");
	SRunner *r;
	int failed;

	tcase_add_test(t, makes_and_keeps);
	tcase_add_test(t, longest_text_fits);
	tcase_add_test(t, refuses_passwords);
	tcase_add_test(t, refuses_texts);
	tcase_add_test(t, fakes_are_stable_and_different);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
