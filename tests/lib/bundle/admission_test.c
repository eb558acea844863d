/* Admission terms: what a site's key signs, and what is taken. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/admission.h"
#include "pki/jws.h"
#include "testsupport/must.h"

#define NOW INT64_C(1795000000)

static struct xos_key *site, *other;
static struct xos_buf out;
static struct xos_err err;

static void setup(void)
{
	MUST(xos_key_generate(&site, &err), &err);
	MUST(xos_key_generate(&other, &err), &err);
	xos_buf_init(&out, XOS_ADMISSION_MAX + 1024);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_key_free(site);
	xos_key_free(other);
	xos_buf_free(&out);
}

static struct xos_admission terms(void)
{
	return (struct xos_admission){.vo = "demo",
	    .site = "lab",
	    .serial = 3,
	    .issued = NOW - 60,
	    .expires = NOW + 3600,
	    .approvers = {"bob", "carol"},
	    .napprovers = 2,
	    .rescue = 7200};
}

static enum xos_status take(
    const struct xos_key *key, const char *vo, const char *name, int64_t now)
{
	struct xos_admission a = {.serial = 99};
	enum xos_status st = xos_admission_verify(
	    key, vo, name, xos_buf_bytes(&out), now, XOS_BUNDLE_SKEW, &a, &err);

	/* A refusal leaves the output alone. */
	ck_assert(st == XOS_OK || a.serial == 99);
	return st;
}

static void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s: %s", err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

START_TEST(what_was_signed_is_what_is_taken)
{
	struct xos_admission a = terms(), b;

	MUST(xos_admission_sign(site, &a, &out, &err), &err);
	MUST(xos_admission_verify(site, "demo", "lab", xos_buf_bytes(&out), NOW, 300, &b, &err),
	    &err);
	ck_assert_uint_eq(b.serial, 3);
	ck_assert_int_eq(b.rescue, 7200);
	ck_assert(xos_admission_names(&b, "bob") && xos_admission_names(&b, "carol"));
	ck_assert(!xos_admission_names(&b, "bo") && !xos_admission_names(&b, ""));
}
END_TEST

START_TEST(another_signer_purpose_vo_site_or_time_is_refused)
{
	struct xos_admission a = terms();
	struct xos_buf payload;

	MUST(xos_admission_sign(site, &a, &out, &err), &err);
	expect(take(other, "demo", "lab", NOW), XOS_DENIED, "foreign-signer");
	expect(take(site, "bio", "lab", NOW), XOS_DENIED, "wrong-vo");
	expect(take(site, "demo", "farm", NOW), XOS_DENIED, "wrong-site");
	expect(take(site, "demo", "lab", NOW + 3600), XOS_EXPIRED, "object-expired");
	expect(take(site, "demo", "lab", NOW - 3600), XOS_NOT_YET_VALID, "object-not-yet-valid");
	/* The site's own key, for something else. */
	xos_buf_init(&payload, XOS_ADMISSION_MAX);
	MUST(xos_jws_verify(site, XOS_ADMISSION_TYP, xos_buf_bytes(&out), &payload, &err), &err);
	xos_buf_free(&out);
	xos_buf_init(&out, XOS_ADMISSION_MAX);
	MUST(xos_jws_sign(site, "xos-site-set+jws", xos_buf_bytes(&payload), &out, &err), &err);
	expect(take(site, "demo", "lab", NOW), XOS_DENIED, "foreign-signer");
	xos_buf_free(&payload);
}
END_TEST

START_TEST(truncated_and_longer_objects_are_refused)
{
	struct xos_admission a = terms();

	MUST(xos_admission_sign(site, &a, &out, &err), &err);
	size_t whole = out.n;
	for (out.n = 0; out.n < whole; out.n++)
		ck_assert_int_ne(take(site, "demo", "lab", NOW), XOS_OK);
	xos_buf_put_str(&out, "A");
	ck_assert_int_ne(take(site, "demo", "lab", NOW), XOS_OK);
	while (out.n <= XOS_ADMISSION_MAX)
		xos_buf_put_str(&out, "AAAAAAAA");
	expect(take(site, "demo", "lab", NOW), XOS_LIMIT, "object-too-long");
}
END_TEST

/* Payloads that only the parser can refuse. */
START_TEST(what_the_sites_key_signs_must_still_make_sense)
{
	static const char *const bad[] = {
	    "{}",
	    "{\"approvers\":[],\"expires\":\"2026-12-01T00:00:00Z\",\"issued\":\"2026-11-01T00:00:"
	    "00Z\","
	    "\"rescue\":0,\"serial\":0,\"site\":\"lab\",\"vo\":\"demo\"}",
	    "{\"approvers\":[\"bob\",\"bob\"],\"expires\":\"2026-12-01T00:00:00Z\","
	    "\"issued\":\"2026-11-01T00:00:00Z\",\"rescue\":0,\"serial\":1,\"site\":\"lab\",\"vo\":"
	    "\"demo\"}",
	    "{\"approvers\":[\"Bob\"],\"expires\":\"2026-12-01T00:00:00Z\","
	    "\"issued\":\"2026-11-01T00:00:00Z\",\"rescue\":0,\"serial\":1,\"site\":\"lab\",\"vo\":"
	    "\"demo\"}",
	    "{\"approvers\":[],\"expires\":\"2026-12-01T00:00:00Z\",\"issued\":\"2026-11-01T00:00:"
	    "00Z\","
	    "\"rescue\":-1,\"serial\":1,\"site\":\"lab\",\"vo\":\"demo\"}",
	    "{\"approvers\":[],\"expires\":\"2026-12-01T00:00:00Z\",\"issued\":\"2026-11-01T00:00:"
	    "00Z\","
	    "\"rescue\":99999999,\"serial\":1,\"site\":\"lab\",\"vo\":\"demo\"}",
	    "{\"approvers\":[],\"expires\":\"2026-12-01T00:00:00Z\",\"issued\":\"2026-11-01T00:00:"
	    "00Z\","
	    "\"more\":1,\"rescue\":0,\"serial\":1,\"site\":\"lab\",\"vo\":\"demo\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		xos_buf_free(&out);
		xos_buf_init(&out, XOS_ADMISSION_MAX);
		MUST(
		    xos_jws_sign(site, XOS_ADMISSION_TYP, xos_bytes_str(bad[i]), &out, &err), &err);
		ck_assert_msg(take(site, "demo", "lab", NOW) == XOS_MALFORMED, "%zu", i);
	}
	/* Without rescue there is none; without approvers nobody approves. */
	xos_buf_free(&out);
	xos_buf_init(&out, XOS_ADMISSION_MAX);
	MUST(xos_jws_sign(site, XOS_ADMISSION_TYP,
	         xos_bytes_str("{\"approvers\":[],\"expires\":\"2026-12-01T00:00:00Z\","
	                       "\"issued\":\"2026-11-01T00:00:00Z\",\"serial\":1,\"site\":\"lab\","
	                       "\"vo\":\"demo\"}"),
	         &out, &err),
	    &err);
	expect(take(site, "demo", "lab", NOW), XOS_OK, NULL);
}
END_TEST

START_TEST(nothing_is_signed_that_would_not_be_taken)
{
	struct xos_admission a = terms();

	a.serial = 0;
	expect(xos_admission_sign(site, &a, &out, &err), XOS_MALFORMED, "admission");
	a = terms();
	a.expires = a.issued;
	expect(xos_admission_sign(site, &a, &out, &err), XOS_MALFORMED, "object-times");
	a = terms();
	memcpy(a.approvers[1], "bob", 4);
	expect(xos_admission_sign(site, &a, &out, &err), XOS_MALFORMED, "admission");
	a = terms();
	a.rescue = XOS_ADMISSION_RESCUE_MAX + 1;
	expect(xos_admission_sign(site, &a, &out, &err), XOS_MALFORMED, "admission");
	ck_assert_uint_eq(out.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("admission terms");
	TCase *tc = tcase_create("terms");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_signed_is_what_is_taken);
	tcase_add_test(tc, another_signer_purpose_vo_site_or_time_is_refused);
	tcase_add_test(tc, truncated_and_longer_objects_are_refused);
	tcase_add_test(tc, what_the_sites_key_signs_must_still_make_sense);
	tcase_add_test(tc, nothing_is_signed_that_would_not_be_taken);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
