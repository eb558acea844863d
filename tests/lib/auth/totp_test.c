#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/totp.h"
#include "base/random.h"

static struct xos_err err;
static const char sha1_seed[] = "12345678901234567890";

/* RFC 6238 appendix B, with the seeds of its erratum 2866 (as long as each digest). */
START_TEST(test_vectors_of_the_rfc)
{
	static const char *const seed[] = {sha1_seed, "12345678901234567890123456789012",
	    "1234567890123456789012345678901234567890123456789012345678901234"};
	static const struct {
		int64_t at;
		const char *code[3];
	} v[] = {{59, {"94287082", "46119246", "90693936"}},
	    {1111111109, {"07081804", "68084774", "25091201"}},
	    {1111111111, {"14050471", "67062674", "99943326"}},
	    {1234567890, {"89005924", "91819424", "93441116"}},
	    {2000000000, {"69279037", "90698825", "38618901"}},
	    {20000000000, {"65353130", "77737706", "47863826"}}};
	char out[XOS_TOTP_MAX + 1];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (int h = 0; h < 3; h++) {
			ck_assert_int_eq(xos_totp_code((enum xos_hmac_hash)h,
			                     xos_bytes_str(seed[h]), v[i].at / 30, 8, out),
			    XOS_OK);
			ck_assert_str_eq(out, v[i].code[h]);
		}
	/* six digits are the last six of eight */
	ck_assert_int_eq(xos_totp_code(XOS_HMAC_SHA1, xos_bytes_str(sha1_seed), 1, 6, out), XOS_OK);
	ck_assert_str_eq(out, "287082");
	ck_assert_int_eq(
	    xos_totp_code(XOS_HMAC_SHA1, xos_bytes_str(sha1_seed), 1, 9, out), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_totp_code(XOS_HMAC_SHA1, xos_bytes_str(sha1_seed), -1, 6, out), XOS_MALFORMED);
}
END_TEST

START_TEST(one_step_of_drift_and_each_step_once)
{
	const uint8_t *secret = (const uint8_t *)sha1_seed;
	int64_t now = 1111111111, here = now / 30, step = 0;
	char code[XOS_TOTP_MAX + 1];

	for (int64_t d = -3; d <= 3; d++) {
		ck_assert_int_eq(
		    xos_totp_code(XOS_HMAC_SHA1, xos_bytes_str(sha1_seed), here + d, 6, code),
		    XOS_OK);
		step = 0;
		if (d >= -1 && d <= 1) {
			ck_assert_int_eq(xos_totp_find(secret, code, now, 0, &step), XOS_OK);
			ck_assert_int_eq(step, here + d);
			/* used, or older than one that was used */
			ck_assert_int_eq(
			    xos_totp_find(secret, code, now, here + d, &step), XOS_NOT_FOUND);
			ck_assert_int_eq(
			    xos_totp_find(secret, code, now, here + 1, &step), XOS_NOT_FOUND);
		} else {
			ck_assert_int_eq(xos_totp_find(secret, code, now, 0, &step), XOS_NOT_FOUND);
		}
	}
}
END_TEST

START_TEST(what_is_no_code_is_none)
{
	static const char *const bad[] = {"", "12345", "1234567", "12345a", " 12345", "-12345"};
	int64_t step = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert(!xos_totp_is_code(bad[i]));
		ck_assert_int_eq(
		    xos_totp_find((const uint8_t *)sha1_seed, bad[i], 59, 0, &step), XOS_NOT_FOUND);
	}
}
END_TEST

START_TEST(both_sides_agree_and_nobody_between_them)
{
	struct xos_key *a = NULL, *b = NULL, *evil = NULL;
	uint8_t one[XOS_TOTP_SECRET_LEN], two[XOS_TOTP_SECRET_LEN], other[XOS_TOTP_SECRET_LEN];

	ck_assert_int_eq(xos_key_generate(&a, &err), XOS_OK);
	ck_assert_int_eq(xos_key_generate(&b, &err), XOS_OK);
	ck_assert_int_eq(xos_key_generate(&evil, &err), XOS_OK);
	ck_assert_int_eq(xos_totp_agree(a, b, true, "demo", "alice", one, &err), XOS_OK);
	ck_assert_int_eq(xos_totp_agree(b, a, false, "demo", "alice", two, &err), XOS_OK);
	ck_assert_mem_eq(one, two, sizeof(one));
	ck_assert_int_eq(xos_totp_agree(b, a, false, "demo", "bob", other, &err), XOS_OK);
	ck_assert_mem_ne(one, other, sizeof(one));
	ck_assert_int_eq(xos_totp_agree(b, a, true, "demo", "alice", other, &err), XOS_OK);
	ck_assert_mem_ne(one, other, sizeof(one));
	/* a swapped half gives two secrets */
	ck_assert_int_eq(xos_totp_agree(a, evil, true, "demo", "alice", other, &err), XOS_OK);
	ck_assert_mem_ne(other, two, sizeof(one));
	xos_key_free(a);
	xos_key_free(b);
	xos_key_free(evil);
}
END_TEST

START_TEST(the_uri_is_what_authenticators_read)
{
	char uri[XOS_TOTP_URI_MAX], text[XOS_TOTP_BASE32];

	xos_totp_base32((const uint8_t *)sha1_seed, text);
	ck_assert_str_eq(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	ck_assert_int_eq(xos_totp_uri((const uint8_t *)sha1_seed, "demo", "alice", uri), XOS_OK);
	ck_assert_str_eq(uri, "otpauth://totp/demo:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	                      "&issuer=demo&algorithm=SHA1&digits=6&period=30");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth-totp");
	TCase *t = tcase_create("totp");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_vectors_of_the_rfc);
	tcase_add_test(t, one_step_of_drift_and_each_step_once);
	tcase_add_test(t, what_is_no_code_is_none);
	tcase_add_test(t, both_sides_agree_and_nobody_between_them);
	tcase_add_test(t, the_uri_is_what_authenticators_read);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
