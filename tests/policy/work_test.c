/* The work of a decision is bounded by what concerns the request. */
#include "policy_test.h"

/* A decision visits only what its index finds: 2000 strangers' statements cost nothing. */
START_TEST(work_is_bounded)
{
	struct xos_buf text;
	struct xos_policy_answer a;
	xos_buf_init(&text, 1 << 20);
	xos_buf_put_str(
	    &text, "vo \"demo\" serial 1 { permit group /demo/physics action job.submit;");
	for (int i = 0; i < 2000; i++)
		xos_buf_printf(
		    &text, " forbid group /demo/g%d action any when auth.mfa or user bob;", i);
	xos_buf_put_str(&text, " }");
	struct xos_policy *p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	struct xos_policy_request req = alice();
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2);
	ck_assert_uint_eq(a.nodes, 0);
	xos_policy_unref(p);
	/* And where all concern the request, each is visited once, each node at most once. */
	text.n = 0;
	xos_buf_put_str(&text, "vo \"demo\" serial 1 {");
	for (int i = 0; i < 2000; i++)
		xos_buf_put_str(
		    &text, " forbid group /demo/physics action any when auth.mfa and user bob;");
	xos_buf_put_str(&text, " permit any action any; }");
	p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2002);
	ck_assert_uint_le(a.nodes, 3 * 2000);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy work");
	TCase *tc = tcase_create("bounds");
	tcase_add_test(tc, work_is_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
