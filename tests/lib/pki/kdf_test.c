#include <check.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "pki/kdf.h"

static void hex(const uint8_t *p, char out[65])
{
	xos_hex_encode(out, p, 32);
}

/* RFC 4231 test cases 1, 2 and 6 */
START_TEST(hmac_vectors)
{
	uint8_t k1[20], k6[131], out[32];
	char text[65];
	struct xos_bytes in = xos_bytes_str("Hi There");

	memset(k1, 0x0b, sizeof(k1));
	memset(k6, 0xaa, sizeof(k6));
	ck_assert_int_eq(xos_hmac_sha256((struct xos_bytes){k1, 20}, &in, 1, out), XOS_OK);
	hex(out, text);
	ck_assert_str_eq(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	struct xos_bytes parts[2] = {
	    xos_bytes_str("what do ya want "), xos_bytes_str("for nothing?")};
	ck_assert_int_eq(xos_hmac_sha256(xos_bytes_str("Jefe"), parts, 2, out), XOS_OK);
	hex(out, text);
	ck_assert_str_eq(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	in = xos_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First");
	ck_assert_int_eq(xos_hmac_sha256((struct xos_bytes){k6, 131}, &in, 1, out), XOS_OK);
	hex(out, text);
	ck_assert_str_eq(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(hmac_bounds)
{
	struct xos_bytes many[9] = {{NULL, 0}};
	uint8_t out[32], zero[32] = {0};

	memset(out, 1, sizeof(out));
	ck_assert_int_eq(xos_hmac_sha256(XOS_BYTES_NONE, many, 9, out), XOS_MALFORMED);
	ck_assert_mem_eq(out, zero, 32);
	ck_assert_int_eq(xos_hmac_sha256(XOS_BYTES_NONE, NULL, 0, out), XOS_OK);
}
END_TEST

/* RFC 7914 section 11 (first 32 of 64 bytes) and a well-known one of 4096 rounds */
START_TEST(pbkdf2_vectors)
{
	uint8_t out[32];
	char text[65];

	ck_assert_int_eq(
	    xos_pbkdf2_sha256(xos_bytes_str("passwd"), xos_bytes_str("salt"), 1, out), XOS_OK);
	hex(out, text);
	ck_assert_str_eq(text, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	ck_assert_int_eq(
	    xos_pbkdf2_sha256(xos_bytes_str("Password"), xos_bytes_str("NaCl"), 80000, out),
	    XOS_OK);
	hex(out, text);
	ck_assert_str_eq(text, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}
END_TEST

/* Every length around the block size gives what OpenSSL's own function gives. */
START_TEST(pbkdf2_agrees_with_openssl)
{
	uint8_t password[200], salt[64], ours[32], theirs[32];

	for (size_t n = 0; n <= 130; n += (n > 56 && n < 70) ? 1 : 7) {
		uint32_t rounds = 1 + (uint32_t)(n % 5);

		xos_random(password, sizeof(password));
		xos_random(salt, sizeof(salt));
		ck_assert_int_eq(xos_pbkdf2_sha256((struct xos_bytes){password, n},
		                     (struct xos_bytes){salt, n / 3}, rounds, ours),
		    XOS_OK);
		ck_assert_int_eq(PKCS5_PBKDF2_HMAC((const char *)password, (int)n, salt,
		                     (int)(n / 3), (int)rounds, EVP_sha256(), 32, theirs),
		    1);
		ck_assert_mem_eq(ours, theirs, 32);
	}
}
END_TEST

START_TEST(pbkdf2_bounds)
{
	static uint8_t big[XOS_PBKDF2_PASSWORD_MAX + 1];
	uint8_t out[32], zero[32] = {0};
	struct xos_bytes ok = xos_bytes_str("x");

	memset(out, 1, 32);
	ck_assert_int_eq(xos_pbkdf2_sha256(ok, ok, 0, out), XOS_MALFORMED);
	ck_assert_mem_eq(out, zero, 32);
	ck_assert_int_eq(
	    xos_pbkdf2_sha256((struct xos_bytes){big, sizeof(big)}, ok, 1, out), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_pbkdf2_sha256(ok, (struct xos_bytes){big, 257}, 1, out), XOS_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki-kdf");
	TCase *t = tcase_create("kdf");
	SRunner *r;
	int failed;

	tcase_add_test(t, hmac_vectors);
	tcase_add_test(t, hmac_bounds);
	tcase_add_test(t, pbkdf2_vectors);
	tcase_add_test(t, pbkdf2_agrees_with_openssl);
	tcase_add_test(t, pbkdf2_bounds);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
