#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/code.h"
#include "auth/verifier.h"

static struct xos_err err;

static enum xos_status take(const char *typed, struct xos_secret **out)
{
	struct xos_secret *s = xos_secret_from(typed, strlen(typed));
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	st = xos_code_read(s, out, &err);
	xos_secret_free(s);
	return st;
}

START_TEST(a_code_is_read_as_it_is_shown)
{
	for (int i = 0; i < 50; i++) {
		struct xos_secret *code = xos_code_make(), *got = NULL;
		char text[XOS_CODE_TEXT];

		ck_assert_ptr_nonnull(code);
		ck_assert_uint_eq(xos_secret_len(code), XOS_CODE_LEN);
		xos_code_format(code, text);
		ck_assert_uint_eq(strlen(text), XOS_CODE_TEXT - 1);
		ck_assert_msg(take(text, &got) == XOS_OK, "%s: %s", text, err.text);
		ck_assert_mem_eq(xos_secret_data(code), xos_secret_data(got), XOS_CODE_LEN);
		xos_secret_free(got);
		/* loudly, without hyphens, with what is taken for 0 and 1 */
		for (char *p = text; *p; p++) {
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
			else if (*p == '0')
				*p = i % 2 ? 'O' : 'o';
			else if (*p == '1')
				*p = i % 2 ? 'I' : 'l';
			else if (*p == '-')
				*p = ' ';
		}
		ck_assert_msg(take(text, &got) == XOS_OK, "%s: %s", text, err.text);
		ck_assert_mem_eq(xos_secret_data(code), xos_secret_data(got), XOS_CODE_LEN);
		xos_secret_free(got);
		xos_secret_free(code);
	}
}
END_TEST

START_TEST(typing_errors_are_found)
{
	size_t missed = 0, tried = 0;
	struct xos_secret *got = NULL;

	for (int i = 0; i < 100; i++) {
		struct xos_secret *code = xos_code_make();
		char text[XOS_CODE_TEXT];

		for (size_t at = 0; at < XOS_CODE_TEXT - 1; at++) {
			xos_code_format(code, text);
			if (text[at] == '-')
				continue;
			text[at] = text[at] == 'x' ? 'y' : 'x';
			tried++;
			if (take(text, &got) == XOS_OK)
				missed++;
			else
				ck_assert_str_eq(err.code, "code-mistyped");
			xos_secret_free(got);
			got = NULL;
		}
		xos_secret_free(code);
	}
	/* one of 1024 would be expected */
	ck_assert_uint_eq(tried, 2000);
	ck_assert_uint_lt(missed, 20);
}
END_TEST

START_TEST(other_forms_are_refused)
{
	static const char *const bad[] = {"4h7k", "4h7k-zq2m-9d3f-x8vt-rw6",
	    "4h7k-zq2m-9d3f-x8vt-rw6pp", "4h7k_zq2m_9d3f_x8vt_rw6p", "4u7k-zq2m-9d3f-x8vt-rw6p",
	    "\303\2447k-zq2m-9d3f-x8vt-rw6p", "- - - - -",
	    "4h7k-zq2m-9d3f-x8vt-rw6p                                                  "};
	struct xos_secret *got = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(take(bad[i], &got), XOS_MALFORMED);
		ck_assert_ptr_null(got);
		ck_assert_msg(strcmp(err.code, "code-form") == 0, "%s: %s", bad[i], err.code);
	}
	ck_assert_int_eq(xos_code_read(NULL, &got, &err), XOS_MALFORMED);
}
END_TEST

/* Who looks at salts learns neither that somebody exists nor that somebody has a code. */
START_TEST(all_codes_of_a_member_have_one_salt)
{
	struct xos_secret *a = xos_code_make(), *b = xos_code_make();
	struct xos_scram_verifier va, vb, fake, other;

	ck_assert_int_eq(xos_scram_verifier_make_code(a, "alice", 4096, &va, &err), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_make_code(b, "alice", 4096, &vb, &err), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_fake_code("alice", 4096, &fake), XOS_OK);
	ck_assert_int_eq(xos_scram_verifier_fake_code("alicf", 4096, &other), XOS_OK);
	ck_assert_mem_eq(va.salt, vb.salt, sizeof(va.salt));
	ck_assert_mem_eq(va.salt, fake.salt, sizeof(va.salt));
	ck_assert_mem_ne(va.salt, other.salt, sizeof(va.salt));
	ck_assert_mem_ne(va.stored_key, vb.stored_key, sizeof(va.stored_key));
	xos_secret_free(a);
	xos_secret_free(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth-code");
	TCase *t = tcase_create("code");
	SRunner *r;
	int failed;

	tcase_add_test(t, a_code_is_read_as_it_is_shown);
	tcase_add_test(t, typing_errors_are_found);
	tcase_add_test(t, other_forms_are_refused);
	tcase_add_test(t, all_codes_of_a_member_have_one_salt);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
