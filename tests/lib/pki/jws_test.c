#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/jws.h"

static struct xos_err err;
static struct xos_key *key, *other;
static struct xos_buf text, payload;

#define TYP "xos-policy-set+jws"

static void setup(void)
{
	ck_assert_int_eq(xos_key_generate(&key, &err), XOS_OK);
	ck_assert_int_eq(xos_key_generate(&other, &err), XOS_OK);
	xos_buf_init(&text, XOS_JWS_MAX);
	xos_buf_init(&payload, XOS_JWS_MAX);
	ck_assert_int_eq(
	    xos_jws_sign(key, TYP, xos_bytes_str("{\"serial\":1}"), &text, &err), XOS_OK);
}

static void teardown(void)
{
	xos_buf_free(&text);
	xos_buf_free(&payload);
	xos_key_free(key);
	xos_key_free(other);
}

static enum xos_status verify(const struct xos_key *k, const char *typ)
{
	payload.n = 0;
	return xos_jws_verify(k, typ, xos_buf_bytes(&text), &payload, &err);
}

START_TEST(signed_and_verified)
{
	char kid[XOS_JWS_KID_TEXT], want[XOS_JWS_KID_TEXT];

	ck_assert_int_eq(verify(key, TYP), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&payload), xos_bytes_str("{\"serial\":1}")));
	xos_jws_kid(key, want);
	ck_assert_int_eq(xos_jws_peek_kid(TYP, xos_buf_bytes(&text), kid, &err), XOS_OK);
	ck_assert_str_eq(kid, want);
	ck_assert_uint_eq(strlen(kid), XOS_JWS_KID_TEXT - 1);
}
END_TEST

START_TEST(header_is_the_documented_one)
{
	char want[256], kid[XOS_JWS_KID_TEXT];
	const char *dot = strchr(xos_buf_str(&text), '.');
	struct xos_buf header;

	xos_buf_init(&header, 512);
	xos_jws_kid(key, kid);
	ck_assert(xos_str_printf(
	    want, sizeof(want), "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}", kid));
	ck_assert_int_eq(xos_base64url_decode(
	                     &header, (const char *)text.p, (size_t)(dot - (const char *)text.p)),
	    XOS_OK);
	ck_assert_str_eq(xos_buf_str(&header), want);
	xos_buf_free(&header);
}
END_TEST

START_TEST(another_key_or_purpose)
{
	char kid[XOS_JWS_KID_TEXT] = "";

	ck_assert_int_eq(verify(other, TYP), XOS_DENIED);
	ck_assert_str_eq(err.code, "jws-header");
	ck_assert_int_eq(verify(key, "xos-command+jws"), XOS_DENIED);
	ck_assert_str_eq(err.code, "jws-header");
	ck_assert_int_eq(
	    xos_jws_peek_kid("xos-command+jws", xos_buf_bytes(&text), kid, &err), XOS_MALFORMED);
	ck_assert_str_eq(kid, "");
	ck_assert_uint_eq(payload.n, 0);
}
END_TEST

START_TEST(every_changed_byte_and_length)
{
	size_t n = text.n;

	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			text.p[i] ^= (uint8_t)(1u << bit);
			ck_assert_msg(verify(key, TYP) != XOS_OK, "byte %zu bit %u", i, bit);
			ck_assert_uint_eq(payload.n, 0);
			text.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	for (size_t i = 0; i < n; i++) {
		text.n = i;
		ck_assert_msg(verify(key, TYP) != XOS_OK, "cut to %zu", i);
	}
	text.n = n;
	xos_buf_u8(&text, 'A');
	ck_assert_int_ne(verify(key, TYP), XOS_OK);
}
END_TEST

static void put_header(const char *json)
{
	text.n = 0;
	xos_base64url_encode(&text, xos_bytes_str(json));
	xos_buf_put_str(&text, ".e30.");
}

/* Headers that a lax verifier would fall for. */
START_TEST(algorithm_confusion)
{
	char json[256], kid[XOS_JWS_KID_TEXT];
	static const char *const forms[] = {
	    "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}",
	    "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" TYP "\",\"b64\":false}",
	    "{ \"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}",
	    "{\"kid\":\"%s\",\"alg\":\"ES256\",\"typ\":\"" TYP "\"}",
	};

	xos_jws_kid(key, kid);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *at = strstr(forms[i], "%s");

		ck_assert(xos_str_printf(
		    json, sizeof(json), "%.*s%s%s", (int)(at - forms[i]), forms[i], kid, at + 2));
		put_header(json);
		ck_assert_int_eq(verify(key, TYP), XOS_MALFORMED); /* no signature at all */
		for (size_t k = 0; k < 86; k++)
			xos_buf_u8(&text, 'A');
		ck_assert_int_eq(verify(key, TYP), XOS_DENIED);
		ck_assert_str_eq(err.code, "jws-header");
		ck_assert_int_eq(
		    xos_jws_peek_kid(TYP, xos_buf_bytes(&text), kid, &err), XOS_MALFORMED);
	}
	/* The right header with r = s = 0. */
	ck_assert(xos_str_printf(
	    json, sizeof(json), "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}", kid));
	put_header(json);
	for (size_t k = 0; k < 86; k++)
		xos_buf_u8(&text, 'A');
	ck_assert_int_eq(verify(key, TYP), XOS_DENIED);
	ck_assert_str_eq(err.code, "signature");
}
END_TEST

START_TEST(empty_and_large_payloads)
{
	size_t n = 1 << 20;
	uint8_t *big = calloc(1, n);

	ck_assert_ptr_nonnull(big);
	text.n = 0;
	ck_assert_int_eq(xos_jws_sign(key, TYP, XOS_BYTES_NONE, &text, &err), XOS_OK);
	ck_assert_int_eq(verify(key, TYP), XOS_OK);
	ck_assert_uint_eq(payload.n, 0);
	text.n = 0;
	ck_assert_int_eq(xos_jws_sign(key, TYP, (struct xos_bytes){big, n}, &text, &err), XOS_OK);
	ck_assert_int_eq(verify(key, TYP), XOS_OK);
	ck_assert_uint_eq(payload.n, n);
	free(big);
}
END_TEST

START_TEST(types_are_plain)
{
	static const char *const bad[] = {"", "a\"b", "a b", "A", "a\\", NULL};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text.n = 0;
		ck_assert_int_ne(
		    xos_jws_sign(key, bad[i], xos_bytes_str("x"), &text, &err), XOS_OK);
		ck_assert_uint_eq(text.n, 0);
	}
}
END_TEST

/* r or s begins with a zero byte once in 128 signatures: a thousand rounds meet both forms. */
START_TEST(short_coordinates)
{
	for (unsigned i = 0; i < 1000; i++) {
		text.n = 0;
		ck_assert_int_eq(xos_jws_sign(key, TYP,
		                     (struct xos_bytes){(uint8_t *)&i, sizeof(i)}, &text, &err),
		    XOS_OK);
		ck_assert_int_eq(verify(key, TYP), XOS_OK);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki jws");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, signed_and_verified);
	tcase_add_test(t, header_is_the_documented_one);
	tcase_add_test(t, another_key_or_purpose);
	tcase_add_test(t, every_changed_byte_and_length);
	tcase_add_test(t, algorithm_confusion);
	tcase_add_test(t, empty_and_large_payloads);
	tcase_add_test(t, types_are_plain);
	tcase_add_test(t, short_coordinates);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
