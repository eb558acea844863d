/* The list of administrators: what the ca signs, and what is taken. */
#include <check.h>
#include <string.h>

#include "bundle/administrators.h"
#include "bundle/roster.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_buf out;
static struct xos_err err;

/* The trust of these tests: the two issuers, and no other certificate as anything. */
static enum xos_status signer(void *arg, enum xos_signer want, const char *name,
    const struct xos_cert *cert, int64_t now, struct xos_err *e)
{
	(void)arg;
	(void)now;
	if (strcmp(name, "demo") == 0 && ((want == XOS_SIGNER_CA && cert == vo->ca) ||
	                                     (want == XOS_SIGNER_RCA && cert == vo->rca)))
		return XOS_OK;
	return xos_err_set(e, XOS_DENIED, "test-signer", "not this one");
}

static struct xos_bundle_trust bt = {
    .vo = "demo", .signer = signer, .now = NOW, .skew = XOS_BUNDLE_SKEW};
static const struct xos_cert *cert[2];
static struct xos_bundle_certs certs = {cert, 2};

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	cert[0] = vo->ca;
	cert[1] = vo->rca;
	xos_buf_init(&out, XOS_ADMINISTRATORS_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_buf_free(&out);
	xos_test_vo_free(vo);
}

static enum xos_status take(void)
{
	struct xos_administrators *a = NULL;
	enum xos_status st = xos_administrators_verify(xos_buf_bytes(&out), &certs, &bt, &a, &err);

	ck_assert((st == XOS_OK) == (a != NULL));
	xos_administrators_free(a);
	return st;
}

/* A payload as it is, signed by a key that may sign: what only the parser can refuse. */
static void sign_raw(const struct xos_key *key, const char *typ, const char *payload)
{
	xos_buf_free(&out);
	xos_buf_init(&out, XOS_ADMINISTRATORS_MAX);
	MUST(xos_jws_sign(key, typ, xos_bytes_str(payload), &out, &err), &err);
}

START_TEST(what_is_signed_is_what_is_read)
{
	struct xos_administrator two[] = {
	    {.name = "ada", .number = 1}, {.name = "bob", .number = 7, .locked = "call us"}};
	char tokens[][XOS_SERIAL_TEXT] = {"4f01"};
	const struct xos_administrators a = {.act = 12,
	    .issued = NOW,
	    .expires = NOW + 300,
	    .list = two,
	    .n = 2,
	    .tokens = tokens,
	    .ntokens = 1};
	struct xos_administrators *b = NULL;

	MUST(xos_administrators_sign(vo->ca_key, "demo", &a, &out, &err), &err);
	MUST(xos_administrators_verify(xos_buf_bytes(&out), &certs, &bt, &b, &err), &err);
	ck_assert_uint_eq(b->act, 12);
	ck_assert_int_eq(b->issued, NOW);
	ck_assert_int_eq(b->expires, NOW + 300);
	ck_assert_uint_eq(b->n, 2);
	ck_assert_str_eq(xos_administrators_find(b, "ada", 1)->locked, "");
	ck_assert_str_eq(xos_administrators_find(b, "bob", 7)->locked, "call us");
	ck_assert_ptr_null(xos_administrators_find(b, "ada", 2)); /* the same name, somebody else */
	ck_assert_ptr_null(xos_administrators_find(b, "carol", 1));
	ck_assert(xos_administrators_token_locked(b, "4f01"));
	ck_assert(!xos_administrators_token_locked(b, "4f02"));
	xos_administrators_free(b);
}
END_TEST

#define A(list)                                                                                    \
	"{\"vo\":\"demo\",\"act\":1,\"issued\":\"2026-11-18T11:06:40Z\","                          \
	"\"expires\":\"2026-11-18T11:11:40Z\",\"administrators\":[" list "]}"
#define TOKENS(list)                                                                               \
	"{\"vo\":\"demo\",\"act\":1,\"issued\":\"2026-11-18T11:06:40Z\",\"tokens\":" list ","      \
	"\"expires\":\"2026-11-18T11:11:40Z\",\"administrators\":[]}"
#define ADA "{\"name\":\"ada\",\"number\":2}"

START_TEST(payloads)
{
	static const char *const bad[] = {
	    A(ADA "," ADA),
	    A(ADA ",{\"name\":\"bob\",\"number\":2}"),
	    A("{\"name\":\"ada\",\"number\":0}"),
	    A("{\"name\":\"ada\",\"number\":2147483648}"),
	    A("{\"name\":\"Ada\",\"number\":2}"),
	    A("{\"name\":\"ada\"}"),
	    A("{\"name\":\"ada\",\"number\":2,\"locked\":false}"),
	    A("{\"name\":\"ada\",\"number\":2,\"role\":\"x\"}"),
	    "{\"vo\":\"demo\",\"issued\":\"2026-11-18T11:06:40Z\","
	    "\"expires\":\"2026-11-18T11:11:40Z\",\"administrators\":[]}",
	    TOKENS("{}"),
	    TOKENS("[1]"),
	    TOKENS("[\"4F\"]"),
	    TOKENS("[\"\"]"),
	    TOKENS("[],\"roster\":-1"),
	    TOKENS("[],\"locks\":\"2\""),
	    "[]",
	    "",
	};
	struct xos_administrators *a = NULL;

	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, A(ADA));
	ck_assert_msg(take() == XOS_OK, "%s", err.text);
	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, TOKENS("[\"4f01\"]"));
	ck_assert_msg(take() == XOS_OK, "%s", err.text);
	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, A(""));
	ck_assert_msg(take() == XOS_OK, "%s", err.text);
	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, TOKENS("[],\"roster\":7,\"locks\":9"));
	MUST(xos_administrators_verify(xos_buf_bytes(&out), &certs, &bt, &a, &err), &err);
	ck_assert(a->roster == 7 && a->locks == 9);
	xos_administrators_free(a);
	a = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, bad[i]);
		ck_assert_msg(take() == XOS_MALFORMED, "payload %zu", i);
	}
	/* A lock without a reason is a lock. */
	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP,
	    A("{\"name\":\"ada\",\"number\":2,\"locked\":\"\"}"));
	MUST(xos_administrators_verify(xos_buf_bytes(&out), &certs, &bt, &a, &err), &err);
	ck_assert_str_ne(a->list[0].locked, "");
	xos_administrators_free(a);
}
END_TEST

START_TEST(signers_types_and_times)
{
	sign_raw(vo->rca_key, XOS_ADMINISTRATORS_TYP, A(ADA)); /* the rca is no ca */
	ck_assert_int_eq(take(), XOS_DENIED);
	sign_raw(vo->policy_key, XOS_ADMINISTRATORS_TYP, A(ADA));
	ck_assert_int_eq(take(), XOS_DENIED);
	ck_assert_str_eq(err.code, "foreign-signer");
	sign_raw(vo->ca_key, XOS_ROSTER_TYP, A(ADA)); /* signed for another purpose */
	ck_assert_int_ne(take(), XOS_OK);
	sign_raw(vo->ca_key, XOS_ADMINISTRATORS_TYP, A(ADA));
	bt.vo = "other";
	ck_assert_int_eq(take(), XOS_DENIED);
	bt.vo = "demo";
	bt.now = NOW + 300;
	ck_assert_int_eq(take(), XOS_EXPIRED);
	bt.now = NOW - 400;
	ck_assert_int_eq(take(), XOS_NOT_YET_VALID);
	bt.now = NOW;
}
END_TEST

START_TEST(what_a_signer_refuses)
{
	struct xos_administrator one = {.name = "Not a name", .number = 1};
	struct xos_administrators a = {
	    .act = 1, .issued = NOW, .expires = NOW + 60, .list = &one, .n = 1};

	ck_assert_int_eq(
	    xos_administrators_sign(vo->ca_key, "demo", &a, &out, &err), XOS_MALFORMED);
	strcpy(one.name, "ada");
	one.number = 0;
	ck_assert_int_eq(
	    xos_administrators_sign(vo->ca_key, "demo", &a, &out, &err), XOS_MALFORMED);
	one.number = 1;
	a.expires = NOW;
	ck_assert_int_eq(
	    xos_administrators_sign(vo->ca_key, "demo", &a, &out, &err), XOS_MALFORMED);
	a.expires = NOW + 60;
	a.n = XOS_ADMINISTRATORS_COUNT_MAX + 1;
	ck_assert_int_eq(xos_administrators_sign(vo->ca_key, "demo", &a, &out, &err), XOS_LIMIT);
	ck_assert_uint_eq(out.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("administrators");
	TCase *tc = tcase_create("administrators");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_signed_is_what_is_read);
	tcase_add_test(tc, payloads);
	tcase_add_test(tc, signers_types_and_times);
	tcase_add_test(tc, what_a_signer_refuses);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
