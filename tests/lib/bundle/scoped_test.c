/* Sets of groups, owners and nodes in a bundle: whose they may be, and what comes of those that are not. */
#include <check.h>
#include <stdlib.h>

#include "taking.h"
#include "testsupport/must.h"

#define GROUP "group \"/demo/physics\" serial 1 { permit any action job.submit on any; }"
#define OWNER "owner \"demo:alice\" serial 1 { permit user demo:bob action job.show on any; }"
#define NODE "node \"lab/n1\" serial 3 { forbid any action job.submit on node:lab/n1; }"

static void refuse_parts(struct xos_test_bundle g, enum xos_status status, const char *code)
{
	make(vo, &g);
	refuse(status, code);
}

START_TEST(sets_of_groups_owners_and_the_node)
{
	struct xos_test_bundle g = good();

	g.group_text = GROUP;
	g.owner_text = OWNER;
	g.node_text = NODE;
	g.head = xos_bytes_str("a.b.c");
	g.trust = xos_bytes_str("d.e.f");
	make(vo, &g);
	struct xos_bundle *b = take();
	ck_assert_uint_eq(xos_bundle_scoped_count(b), 2);
	ck_assert_str_eq(xos_policy_set_name(xos_bundle_scoped(b, 0)), "/demo/physics");
	ck_assert_str_eq(xos_policy_set_name(xos_bundle_scoped(b, 1)), "demo:alice");
	ck_assert_ptr_null(xos_bundle_scoped(b, 2));
	ck_assert_str_eq(xos_policy_set_name(xos_bundle_node_set(b)), "lab/n1");
	ck_assert_int_gt(xos_bundle_node_expires(b), NOW);
	ck_assert_uint_eq(xos_bundle_head_count(b), 1);
	ck_assert(xos_bytes_eq(xos_bundle_head(b, 0), g.head));
	ck_assert(xos_bytes_eq(xos_bundle_trust_list(b), g.trust));
	xos_bundle_seen_raise(&seen, b);
	ck_assert_uint_eq(seen.node_set, 3);
	xos_bundle_unref(b);
	/* What the node's owner said once is not left out, nor taken back to an older one. */
	g.serial = 11;
	g.node_text = NULL;
	refuse_parts(g, XOS_DENIED, "lower-serial");
	g.node_text = "node \"lab/n1\" serial 2 { }";
	refuse_parts(g, XOS_DENIED, "lower-serial");
	g.node_text = "node \"lab/n1\" serial 4 { }";
	g.group_text = g.owner_text = NULL; /* those the VO may take back */
	make(vo, &g);
	xos_bundle_unref(take());
}
END_TEST

START_TEST(node_sets_are_the_owners)
{
	struct xos_test_bundle g = good();

	g.site_text = NULL;
	g.node_text = NODE;
	g.site_key = vo->policy_key;
	refuse_parts(g, XOS_DENIED, "foreign-signer");
	g.site_key = NULL;
	g.node_text = "node \"lab/n2\" serial 3 { }"; /* for another node, under this one's name */
	refuse_parts(g, XOS_DENIED, "wrong-site");
	g.node_text = "node \"other/n1\" serial 3 { }";
	refuse_parts(g, XOS_DENIED, "wrong-site");
	/* A site's set where a node's must be: another type. */
	g.node_text = "site \"lab\" serial 3 { }";
	refuse_parts(g, XOS_DENIED, "foreign-signer");
	/* Another node's is not looked at. */
	g.node = "n2";
	make(vo, &g);
	struct xos_bundle *b = take();
	ck_assert_ptr_null(xos_bundle_node_set(b));
	xos_bundle_unref(b);
}
END_TEST

START_TEST(sets_of_others_in_their_names)
{
	struct xos_test_bundle g = good();
	struct xos_policy_set *set;

	/* What cannot be read, or is another's, closes; it keeps no lock from arriving. */
	static const char *const bad[] = {"group \"/demo/physics\" serial 1 { nonsense }",
	    "group \"/demo/other\" serial 1 { }", "group \"/demo/physics\" serial 2 { }",
	    "vo \"demo\" serial 1 { }", "group \"/other/physics\" serial 1 { }", ""};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		g.group_text = bad[i];
		make(vo, &g);
		struct xos_bundle *b = take();
		set = xos_bundle_scoped(b, 0);
		ck_assert_str_eq(xos_policy_set_name(set), "/demo/physics");
		ck_assert_uint_eq(xos_policy_set_count(set), 1);
		ck_assert_int_eq(xos_policy_statement_effect(xos_policy_set_statement(set, 0)),
		    XOS_POLICY_FORBID);
		xos_bundle_unref(b);
	}
	g.group_text = NULL;
	g.owner_text = "owner \"demo:bob\" serial 1 { permit any action job.show on any; }";
	make(vo, &g);
	struct xos_bundle *b = take();
	ck_assert_str_eq(xos_policy_set_name(xos_bundle_scoped(b, 0)), "demo:alice");
	ck_assert_uint_eq(xos_policy_set_count(xos_bundle_scoped(b, 0)), 0);
	xos_bundle_unref(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle-scoped");
	TCase *tc = tcase_create("scoped");

	tcase_add_checked_fixture(tc, taking_setup, taking_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, sets_of_groups_owners_and_the_node);
	tcase_add_test(tc, node_sets_are_the_owners);
	tcase_add_test(tc, sets_of_others_in_their_names);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
