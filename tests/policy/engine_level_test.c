/* Sets of groups, nodes and owners, what others lend them, and principals of other VOs. */
#include "engine.h"

#define S2(level, name, body) level " \"" name "\" serial 1 schema 2 { " body " }"
#define LAB                                                                                        \
	S2("site", "lab",                                                                          \
	    "node n1 { class batch; tag gpu; } node n2; permit vo demo, vo bio action any;")
#define PHYSICS(body) S2("group", "/demo/physics", body)

START_TEST(a_group_permits_what_the_vo_delegates)
{
	struct xos_policy_request req = alice();
	static const char grants[] = PHYSICS("permit @p group /demo/physics action job.submit;");
	struct xos_policy *p = BUILD(LAB, grants,
	    S2("vo", "demo", "delegate @d group /demo/physics action job.* on class:batch;"));
	struct xos_policy_answer a;
	struct xos_buf by;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	xos_buf_init(&by, 1000);
	xos_policy_answer_deciders(&a, &by);
	ck_assert_str_eq(xos_buf_str(&by), "vo demo@d, group /demo/physics@p, site lab:1");
	xos_buf_free(&by);
	xos_policy_answer_free(&a);
	/* Elsewhere, another action, another group: nothing was delegated. */
	req.resource.node = "n2";
	ck_both(p, &req, DENY);
	req.resource.node = "n1";
	req.action = "session.open";
	ck_both(p, &req, DENY);
	req.action = "job.submit";
	req.subject.ngroups = 1;
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	req.subject.ngroups = 2;
	/* A delegation above the group holds; one beside it or below it does not. */
	p = BUILD(LAB, grants, S2("vo", "demo", "delegate group /demo action any;"));
	ck_both(p, &req, PERMIT);
	xos_policy_unref(p);
	p = BUILD(LAB, grants, S2("vo", "demo", "delegate group /demo/physics/x action any;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	p = BUILD(LAB, grants, S2("vo", "demo", "delegate group /demo/chemistry action any;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	/* By itself a delegation permits nothing, and a permit without one does not either. */
	p = BUILD(LAB, S2("vo", "demo", "delegate group /demo/physics action any;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	p = BUILD(LAB, grants, S2("vo", "demo", ""));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

START_TEST(what_is_unknown_is_not_lent)
{
	struct xos_policy_request req = alice();
	/* Of schema 1: version 2 wants the test guarded. */
	static const char open[] = "group \"/demo/physics\" serial 1 { permit group /demo/physics "
	                           "action any when auth.mfa; }";
	static const char sure[] = PHYSICS("permit group /demo/physics action any;");
	struct xos_policy *p =
	    BUILD(LAB, open, S2("vo", "demo", "delegate group /demo action any;"));
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(both_ways(p, &req, &a), UNDECIDED);
	ck_assert_uint_eq(a.nunknown, 1);
	ck_assert_str_eq(a.unknown[0], "auth.mfa");
	req.subject.auth_mfa = 0;
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	req.subject.auth_mfa = 1;
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	xos_policy_unref(p);
	req.subject.auth_mfa = -1;
	p = BUILD(
	    LAB, sure, "vo \"demo\" serial 1 { delegate group /demo action any when auth.mfa; }");
	ck_assert_int_eq(both_ways(p, &req, &a), UNDECIDED);
	ck_assert_str_eq(a.unknown[0], "auth.mfa");
	xos_policy_unref(p);
	/* Where the VO permits by itself, what is open does not matter. */
	p = BUILD(
	    LAB, open, S2("vo", "demo", "permit any action any; delegate group /demo action any;"));
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(a_group_narrows_for_its_members_only)
{
	struct xos_policy_request req = alice();
	struct xos_policy *p = BUILD(LAB, S2("vo", "demo", "permit any action any;"),
	    PHYSICS("forbid user alice action session.open; limit group /demo/physics action "
	            "job.submit { wall <= 1h; } duty any action job.submit { record; }"));
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nlimits, 1);
	ck_assert_int_eq(a.limits[0].level, XOS_POLICY_GROUP);
	ck_assert_uint_eq(a.nduties, 1);
	req.subject.ngroups = 1;
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nlimits, 0);
	req.action = "session.open";
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	req.subject.ngroups = 2;
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	ck_assert_int_eq(a.forbids[0].level, XOS_POLICY_GROUP);
	/* The set of a group below is asked about members of that one alone. */
	static const char *const deeper[] = {"/demo/physics/lasers"};
	req.subject.groups = deeper;
	req.subject.ngroups = 1;
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(an_old_set_of_a_group_decides_nothing)
{
	struct xos_policy_request req = alice();
	struct xos_policy_part parts[3] = {{must_parse(LAB), 0, 0},
	    {must_parse(S2("vo", "demo", "permit any action any;")), 0, 0},
	    {must_parse(PHYSICS("forbid user bob action any;")), 0, NOON}};
	struct xos_policy *p;
	ck_assert_int_eq(xos_policy_new(parts, 3, NULL, &p, NULL), XOS_OK);
	ck_both(p, &req, UNDECIDED);
	req.now = NOON - 1;
	ck_both(p, &req, PERMIT);
	xos_policy_unref(p);
	for (int i = 0; i < 3; i++)
		xos_policy_set_unref(parts[i].set);
}
END_TEST

START_TEST(a_node_permits_what_the_site_delegates)
{
	struct xos_policy_request req = alice();
	static const char vo[] = S2("vo", "demo", "permit any action any;");
	static const char n1[] =
	    S2("node", "lab/n1", "permit vo demo action job.submit, job.show;");
	struct xos_policy *p = BUILD(
	    vo, n1, S2("site", "lab", "node n1; node n2; delegate node n1 action job.submit;"));
	ck_both(p, &req, PERMIT);
	req.action = "job.show";
	ck_both(p, &req, DENY);
	req.action = "job.submit";
	req.resource.node = "n2";
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	req.resource.node = "n1";
	p = BUILD(vo, n1, S2("site", "lab", "node n1; node n2; delegate node n2 action any;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	p = BUILD(vo, n1, S2("site", "lab", "node n1;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

static struct xos_policy_request reads(const char *vo, const char *member, const char *owner)
{
	struct xos_policy_request req = alice();
	req.subject.vo = vo;
	req.subject.member = member;
	req.subject.ngroups = 0;
	req.action = "file.read";
	req.resource = (struct xos_policy_resource){.kind = "file",
	    .id = "/data/lasers/a",
	    .site = "lab",
	    .node = "n1",
	    .vo = "demo",
	    .owner = owner};
	return req;
}

START_TEST(owners_permit_others)
{
	static const char vo[] = S2("vo", "demo", "permit any action any;");
	struct xos_policy *p = BUILD(LAB, vo,
	    S2("owner", "demo:alice",
	        "permit user demo:bob action file.read on file:/data/lasers;"
	        "forbid any action file.read on file:/data/lasers/secret;"
	        "limit user demo:bob action file.read { file_size <= 1GiB; }"));
	struct xos_policy_request req = reads("demo", "bob", "alice");
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nlimits, 1);
	ck_assert_int_eq(a.limits[0].level, XOS_POLICY_OWNER);
	req.resource.id = "/data/lasers2";
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	req.resource.id = "/data/lasers/secret/x";
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	req.subject.member = "carol";
	req.resource.id = "/data/lasers/a";
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	/* The owner is neither helped nor bound. */
	req.subject.member = "alice";
	req.resource.id = "/data/lasers/secret/x";
	ck_assert_int_eq(both_ways(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nlimits, 0);
	/* Somebody else's files, whose owner wrote nothing. */
	req = reads("demo", "bob", "dave");
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	/* An alice of another VO is another person, as owner and as subject. */
	req = reads("demo", "bob", "alice");
	req.resource.vo = "bio";
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	req = reads("bio", "alice", "alice");
	ck_assert_int_eq(both_ways(p, &req, &a), DENY);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(both_vos_grant_across_vos)
{
	static const char *const lab_group[] = {"/bio/lab"};
	static const char bio[] = S2("vo", "bio", "permit group /bio/lab action file.read;");
	static const char demo[] = S2("vo", "demo",
	    "permit any action any; permit group /bio/lab action file.read on file:/data/lasers;");
	static const char owner[] =
	    S2("owner", "demo:alice", "permit group /bio/lab action file.read;");
	struct xos_policy_request req = reads("bio", "carol", NULL);
	struct xos_policy *p = BUILD(LAB, bio, demo, owner);
	req.subject.groups = lab_group;
	req.subject.ngroups = 1;
	ck_both(p, &req, PERMIT);
	req.resource.owner = "alice";
	ck_both(p, &req, PERMIT);
	req.resource.owner = "bob";
	ck_both(p, &req, DENY);
	req.resource.owner = NULL;
	req.resource.id = "/data/other"; /* "any" of demo's set is no member of bio */
	ck_both(p, &req, DENY);
	req.resource.id = "/data/lasers/a";
	req.subject.ngroups = 0;
	ck_both(p, &req, DENY);
	req.subject.ngroups = 1;
	xos_policy_unref(p);
	/* Neither VO alone is enough; a VO without a set decides nothing. */
	p = BUILD(LAB, S2("vo", "bio", ""), demo);
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	p = BUILD(LAB, bio, S2("vo", "demo", "permit any action any;"));
	ck_both(p, &req, DENY);
	xos_policy_unref(p);
	p = BUILD(LAB, bio);
	ck_both(p, &req, UNDECIDED);
	xos_policy_unref(p);
}
END_TEST

/* Facts of a subject of many groups stand in a table: each of them counts, the last and deepest too. */
START_TEST(each_of_many_groups_counts)
{
	enum { MANY_GROUPS = 1000 };
	static char names[MANY_GROUPS][32];
	static const char *groups[MANY_GROUPS];
	struct xos_policy *p = BUILD("vo \"demo\" serial 1 { permit any action any;"
	                             " forbid group /demo/g999/x action job.submit;"
	                             " forbid any action job.show when group /demo/g12; }",
	    "site \"lab\" serial 1 { permit vo demo action any; }");
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	for (size_t i = 0; i < MANY_GROUPS; i++) {
		snprintf(names[i], sizeof(names[i]), "/demo/g%zu/x/y", i);
		groups[i] = names[i];
	}
	req.subject.groups = groups;
	/* one fewer than is forbidden, and then all; few and many are decided alike */
	for (size_t n = 10; n <= MANY_GROUPS; n = n < 13 ? n + 1 : n == 13 ? 999 : n + 1) {
		req.subject.ngroups = n;
		req.action = "job.submit";
		ck_assert_int_eq(both_ways(p, &req, &a), n < MANY_GROUPS ? PERMIT : DENY);
		req.action = "job.show";
		ck_assert_int_eq(both_ways(p, &req, &a), n < 13 ? PERMIT : DENY);
	}
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy engine levels");
	TCase *tc = tcase_create("levels");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_group_permits_what_the_vo_delegates);
	tcase_add_test(tc, what_is_unknown_is_not_lent);
	tcase_add_test(tc, a_group_narrows_for_its_members_only);
	tcase_add_test(tc, an_old_set_of_a_group_decides_nothing);
	tcase_add_test(tc, a_node_permits_what_the_site_delegates);
	tcase_add_test(tc, owners_permit_others);
	tcase_add_test(tc, both_vos_grant_across_vos);
	tcase_add_test(tc, each_of_many_groups_counts);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
