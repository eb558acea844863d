/* Delegation from node to node: who may name another node, where a chain counts, and that a further step never
 * reaches more. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define N1 "n1.demo.example"
#define N2 "n2.demo.example"

static struct vo *demo;
static struct xos_err err;
static struct xos_chain alice;

static void setup(void)
{
	demo = vo_new("demo");
	user_chain(demo, "alice", &alice);
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	xos_chain_clear(&alice);
	vo_free(demo);
}

static struct xos_delegation step(const char *node, unsigned depth, int64_t end)
{
	struct xos_delegation d = job_delegation();

	strcpy(d.vo, "demo");
	strcpy(d.member, "alice");
	strcpy(d.node, node);
	d.depth = depth;
	d.not_after = end;
	return d;
}

START_TEST(a_job_delegates_to_another_node_within_its_depth)
{
	struct xos_delegation d = step(N1, 1, T0 + HOUR);
	const struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	struct xos_chain one = {0}, two = {0};
	struct xos_identity *id = NULL;
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;

	delegate_chain(&alice, &d, &one);
	d = step(N2, 0, T0 + 2 * HOUR);
	strcpy(d.id, "fedcba9876543210");
	delegate_chain(&one, &d, &two);
	must(xos_token_verify_chain(demo->trust, &two, &o, &id, &err), &err, "two nodes");
	ck_assert_uint_eq(id->nsteps, 2);
	ck_assert_str_eq(id->steps[0]->node, N1);
	ck_assert_str_eq(id->steps[1]->node, N2);
	ck_assert_str_eq(id->steps[0]->id, "0123456789abcdef");
	/* The second never outlives the first, whatever was asked for. */
	ck_assert_int_eq(id->steps[1]->not_after, T0 + HOUR);
	ck_assert_int_eq(id->not_after, T0 + HOUR);
	/* And no third. */
	ck_assert_int_eq(
	    xos_delegation_sign(&two, xos_key_spki(key), &d, T0, &c, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-depth");
	ck_assert_ptr_null(c);
	xos_identity_free(id);
	xos_key_free(key);
	xos_chain_clear(&one);
	xos_chain_clear(&two);
}
END_TEST

START_TEST(which_step_may_follow)
{
	const struct {
		struct xos_delegation prev, next;
		bool may;
	} cases[] = {
	    {step(N1, 1, 200), step(N2, 0, 200), true},
	    {step(N1, 1, 200), step(N1, 0, 200), true},
	    {step("", 1, 200), step(N2, 0, 200), true},
	    {step("", 1, 200), step("", 0, 200), true},
	    {step(N1, 2, 200), step("", 1, 200), false}, /* freed of its node */
	    {step(N1, 0, 200), step(N1, 0, 200), false}, /* no depth, not even here */
	    {step(N1, 0, 200), step(N2, 0, 200), false},
	    {step(N1, 1, 200), step(N2, 1, 200), false},
	    {step(N1, 1, 200), step(N2, 2, 200), false},
	    {step(N1, 1, 200), step(N2, 0, 201), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum xos_status st = xos_delegation_follows(&cases[i].prev, &cases[i].next, &err);
		ck_assert_msg(st == (cases[i].may ? XOS_OK : XOS_DENIED), "case %zu: %s", i,
		    xos_status_name(st));
		ck_assert(cases[i].may || strcmp(err.code, "delegation-widened") == 0);
	}
}
END_TEST

START_TEST(where_a_chain_counts)
{
	const struct xos_delegation bound = step(N1, 0, 200), deep = step(N1, 1, 200),
	                            any = step("", 0, 200);

	ck_assert(xos_delegation_reaches(&bound, N1));
	ck_assert(!xos_delegation_reaches(&bound, N2));
	ck_assert(!xos_delegation_reaches(&bound, NULL));
	ck_assert(!xos_delegation_reaches(&bound, ""));
	ck_assert(!xos_delegation_reaches(&bound, "n1"));
	ck_assert(xos_delegation_reaches(&deep, N1));
	ck_assert(xos_delegation_reaches(&deep, N2));
	ck_assert(xos_delegation_reaches(&deep, NULL));
	ck_assert(xos_delegation_reaches(&any, N2));
	ck_assert(xos_delegation_reaches(&any, NULL));
}
END_TEST

/* Of all pairs that may follow each other: what the longer chain reaches the shorter one did, and it lasts no longer. */
START_TEST(a_further_step_never_reaches_more)
{
	static const char *const nodes[] = {"", N1, N2, "n3"};
	static const int64_t ends[] = {100, 200, 300};
	size_t followed = 0;

	for (unsigned i = 0; i < 4 * 3 * 4 * 4 * 3 * 4; i++) {
		const struct xos_delegation prev = step(nodes[i % 4], i / 4 % 4, ends[i / 16 % 3]);
		const struct xos_delegation next =
		    step(nodes[i / 48 % 4], i / 192 % 4, ends[i / 768 % 3]);

		if (xos_delegation_follows(&prev, &next, NULL) != XOS_OK)
			continue;
		followed++;
		ck_assert_int_le(next.not_after, prev.not_after);
		ck_assert_uint_lt(next.depth, prev.depth);
		for (size_t k = 0; k < 4; k++) {
			const char *at = k ? nodes[k] : NULL;

			ck_assert(!xos_delegation_reaches(&next, at) ||
			          xos_delegation_reaches(&prev, at));
		}
	}
	ck_assert_uint_gt(followed, 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token nodes");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_job_delegates_to_another_node_within_its_depth);
	tcase_add_test(t, which_step_may_follow);
	tcase_add_test(t, where_a_chain_counts);
	tcase_add_test(t, a_further_step_never_reaches_more);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
