/*
 * The order in which a chain is presented. X.509 verifiers take any: they build the path themselves.
 * Here it must be the path's own, from the leaf to the end entity, because whoever passes "the signer's
 * chain" on (all but the first certificate) must pass on what was verified.
 */

#include <check.h>
#include <string.h>

#include "fixture.h"

static struct vo *demo;
static struct xos_err err;
static struct xos_chain alice, one, two;

static void setup(void)
{
	struct xos_delegation d = job_delegation();

	demo = vo_new("demo");
	user_chain(demo, "alice", &alice);
	delegate_chain(&alice, &d, &one);
	d.depth = 0;
	delegate_chain(&one, &d, &two); /* proxy, proxy, token, authority */
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	xos_chain_clear(&two);
	xos_chain_clear(&one);
	xos_chain_clear(&alice);
	vo_free(demo);
}

static enum xos_status verify(const struct xos_cert *const *cert, size_t n, size_t *steps)
{
	const struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_identity *id = NULL;
	enum xos_status st;

	for (size_t i = 0; i < n; i++)
		der[i] = xos_cert_der(cert[i]);
	st = xos_token_verify(demo->trust, der, n, &o, &id, &err);
	*steps = id ? id->nsteps : 0;
	xos_identity_free(id);
	return st;
}

static void refuse(const struct xos_cert *const *cert, size_t n)
{
	size_t steps;

	ck_assert_int_eq(verify(cert, n, &steps), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "chain-order");
}

START_TEST(in_order)
{
	const struct xos_cert *c[] = {
	    two.cert[0], two.cert[1], two.cert[2], two.cert[3], demo->root};
	size_t steps;

	ck_assert_int_eq(verify(c, 5, &steps), XOS_OK);
	ck_assert_uint_eq(steps, 2);
	/* In which order the issuers come is all one, and whether the root comes along. */
	ck_assert_int_eq(verify(c, 4, &steps), XOS_OK);
	c[3] = demo->root;
	c[4] = two.cert[3];
	ck_assert_int_eq(verify(c, 5, &steps), XOS_OK);
	ck_assert_uint_eq(steps, 2);
}
END_TEST

/*
 * What a job would do that may submit further jobs, but within limits: behind its own delegation it puts
 * the member's token before the restricted step. As a whole the chain is good; cut after the first
 * certificate it would be the member, unrestricted.
 */
START_TEST(the_signer_is_hidden)
{
	const struct xos_cert *c[] = {two.cert[0], two.cert[2], two.cert[1], two.cert[3]};
	size_t steps;

	refuse(c, 4);
	/* It is what makes this dangerous: */
	ck_assert_int_eq(verify(c + 1, 3, &steps), XOS_OK);
	ck_assert_uint_eq(steps, 0);
}
END_TEST

/* Another token of the same member, with other roles, say, slipped in before the real one. */
START_TEST(another_token_is_slipped_in)
{
	struct xos_chain again = {.n = 0};

	user_chain(demo, "alice", &again);
	const struct xos_cert *c[] = {
	    two.cert[0], again.cert[0], two.cert[1], two.cert[2], two.cert[3]};
	refuse(c, 5);
	const struct xos_cert *d[] = {one.cert[0], again.cert[0], alice.cert[0], alice.cert[1]};
	refuse(d, 4);
	xos_chain_clear(&again);
}
END_TEST

START_TEST(issuers_and_doubles_in_between)
{
	const struct xos_cert *a[] = {one.cert[0], alice.cert[1], alice.cert[0]};
	const struct xos_cert *b[] = {one.cert[0], one.cert[0], alice.cert[0], alice.cert[1]};

	refuse(a, 3);
	refuse(b, 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token order");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_order);
	tcase_add_test(t, the_signer_is_hidden);
	tcase_add_test(t, another_token_is_slipped_in);
	tcase_add_test(t, issuers_and_doubles_in_between);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
