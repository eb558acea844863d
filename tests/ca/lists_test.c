/*
 * The list of administrators says which roster and which locks are of this moment, so that an authority which asks for
 * all three knows when it was given older ones.
 */
#include <check.h>
#include <stdlib.h>

#include "api/signer.h"
#include "base/clock.h"
#include "bundle/administrators.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "lying.h"
#include "testsupport/must.h"

static struct xos_trust *trust;

static void setup(void)
{
	lying_setup();
	trust = xos_test_vo_trust(vo);
}

static void teardown(void)
{
	xos_trust_free(trust);
	lying_teardown();
}

static void get(uint16_t type, struct xos_buf *out)
{
	MUST(xos_bulk_call(key, type, XOS_BYTES_NONE, soon(), out, &err), &err);
}

struct serials {
	uint64_t roster, locks;
};

/* What the ca gives out now. */
static struct serials given(void)
{
	const struct xos_cert *cert[] = {vo->ca};
	const struct xos_bundle_certs certs = {cert, 1};
	const struct xos_bundle_trust bt = {.vo = vo->vo,
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = xos_clock_now(),
	    .skew = XOS_BUNDLE_SKEW};
	struct serials s;
	struct xos_roster *roster = NULL;
	struct xos_locks *locks = NULL;
	struct xos_buf out;

	get(CA_ROSTER, &out);
	MUST(xos_roster_verify(xos_buf_bytes(&out), &certs, &bt, &roster, &err), &err);
	s.roster = xos_roster_serial(roster);
	xos_roster_free(roster);
	xos_buf_free(&out);
	get(CA_LOCKS, &out);
	MUST(xos_locks_verify(xos_buf_bytes(&out), XOS_SIGNER_CA, &certs, &bt, &locks, &err), &err);
	s.locks = xos_locks_serial(locks);
	xos_locks_free(locks);
	xos_buf_free(&out);
	return s;
}

/* What its list of administrators says. */
static struct serials said(void)
{
	const struct xos_cert *cert[] = {vo->ca};
	const struct xos_bundle_certs certs = {cert, 1};
	const struct xos_bundle_trust bt = {.vo = vo->vo,
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = xos_clock_now(),
	    .skew = XOS_BUNDLE_SKEW};
	struct xos_administrators *a = NULL;
	struct xos_buf out;

	get(CA_ADMINISTRATORS, &out);
	MUST(xos_administrators_verify(xos_buf_bytes(&out), &certs, &bt, &a, &err), &err);
	struct serials s = {a->roster, a->locks};
	xos_administrators_free(a);
	xos_buf_free(&out);
	return s;
}

static void expect(struct serials want)
{
	struct serials now = said();

	ck_assert_uint_eq(now.roster, want.roster);
	ck_assert_uint_eq(now.locks, want.locks);
}

static void done(const struct xos_chain *by, const char *verb, struct xos_json *args)
{
	struct xos_json *result = NULL;

	ck_assert_msg(command_result(by, verb, args, &result) == XOS_OK, "%s", err.text);
	xos_json_free(result);
}

START_TEST(the_list_names_the_serials_that_are_up_to_date)
{
	struct xos_chain ada = {.n = 0};
	struct xos_json *args = xos_json_object();
	struct serials before, after;

	token_of("ada", 1, "/demo/Role=admin", &ada);
	/* Before the first of each was signed, it is the one that will be. */
	struct serials first = said();
	before = given();
	ck_assert(first.roster == before.roster && first.locks == before.locks);
	expect(before);
	xos_json_set_string(args, "kind", "member");
	xos_json_set_string(args, "name", "alice");
	done(&ada, "lock.add", args);
	/* Old ones are told apart before there are new ones. */
	expect((struct serials){before.roster, before.locks + 1});
	after = given();
	ck_assert(after.roster == before.roster && after.locks == before.locks + 1);
	expect(after);
	args = xos_json_object();
	xos_json_set_string(args, "name", "alice");
	done(&ada, "member.suspend", args);
	ck_assert_uint_eq(said().roster, after.roster + 1);
	after = given();
	expect(after);
	xos_chain_clear(&ada);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca lists");
	TCase *tc = tcase_create("serials");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_list_names_the_serials_that_are_up_to_date);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
