/* A roster that comes again: what is the same is not parsed again, but judged again. */
#include <check.h>
#include <stdlib.h>

#include "api/signer.h"
#include "bundle/roster.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)
#define HOUR 3600

static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct xos_bundle_trust bt;
static struct xos_err err;

static const struct xos_roster_member members[] = {
    {"zoe", 7, XOS_MEMBER_ACTIVE},
    {"alice", 2, XOS_MEMBER_ACTIVE},
    {"bob", 3, XOS_MEMBER_SUSPENDED},
    {"old", 1, XOS_MEMBER_REMOVED},
};

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	twin = xos_test_vo_new("demo", "lab", NOW);
	trust = xos_test_vo_trust(vo);
	bt = (struct xos_bundle_trust){.vo = "demo",
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = NOW,
	    .skew = XOS_BUNDLE_SKEW};
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_trust_free(trust);
	xos_test_vo_free(twin);
	xos_test_vo_free(vo);
}

START_TEST(the_same_roster_signed_by_another)
{
	const struct xos_bundle_certs certs = {.cert = (const struct xos_cert *[]){vo->ca}, .n = 1};
	const struct xos_roster_fields f = {.vo = "demo",
	    .serial = 4,
	    .issued = NOW,
	    .expires = NOW + HOUR,
	    .members = members,
	    .n = 4};
	struct xos_roster *first = NULL, *again = NULL;
	struct xos_buf by_ca, by_twin;
	xos_buf_init(&by_ca, XOS_ROSTER_MAX);
	xos_buf_init(&by_twin, XOS_ROSTER_MAX);
	MUST(xos_roster_sign(vo->ca_key, &f, &by_ca, &err), &err);
	MUST(xos_roster_sign(twin->ca_key, &f, &by_twin, &err), &err);
	MUST(xos_roster_verify(xos_buf_bytes(&by_ca), &certs, &bt, &first, &err), &err);
	MUST(
	    xos_roster_verify_again(xos_buf_bytes(&by_ca), &certs, &bt, first, &again, &err), &err);
	ck_assert_ptr_eq(first, again);
	xos_roster_free(again);
	again = NULL;
	ck_assert_int_eq(
	    xos_roster_verify_again(xos_buf_bytes(&by_twin), &certs, &bt, first, &again, &err),
	    XOS_DENIED);
	ck_assert_ptr_null(again);
	by_ca.p[by_ca.n - 2] = by_ca.p[by_ca.n - 2] == 'A' ? 'B' : 'A';
	ck_assert_int_eq(
	    xos_roster_verify_again(xos_buf_bytes(&by_ca), &certs, &bt, first, &again, &err),
	    XOS_DENIED);
	ck_assert_ptr_null(again);
	xos_roster_free(first);
	xos_buf_free(&by_ca);
	xos_buf_free(&by_twin);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("roster");
	TCase *tc = tcase_create("roster");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_same_roster_signed_by_another);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
