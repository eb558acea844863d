/* The semantics, rule by rule: each with the case that must come out the other way. */
#include "one.h"

START_TEST(default_is_deny)
{
	one(VO(""), SITE, NULL, DENY);
	one(VO_ALL, LAB(""), NULL, DENY);
	one(VO_ALL, SITE, NULL, PERMIT);
}
END_TEST

START_TEST(every_level_must_be_there)
{
	one(NULL, SITE, NULL, UNDECIDED);
	one(VO_ALL, NULL, NULL, UNDECIDED);
	one(NULL, NULL, NULL, UNDECIDED);
	one("vo \"other\" serial 1 { permit any action any on any; }", SITE, NULL, UNDECIDED);
	one(VO_ALL, "site \"lab2\" serial 1 { permit any action any on any; }", NULL, UNDECIDED);
}
END_TEST

START_TEST(who_matches)
{
	one(VO("permit group /demo/physics action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit group /demo action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit group exactly /demo/physics action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit exactly /demo action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit user alice action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit user demo:alice action job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit group /demo/phys action job.submit;"), SITE, NULL, DENY);
	one(VO("permit group /demo/physics/hep action job.submit;"), SITE, NULL, DENY);
	one(VO("permit user alic action job.submit;"), SITE, NULL, DENY);
	one(VO("permit user bob action job.submit;"), SITE, NULL, DENY);
	one(VO("permit role /demo/Role=editor action job.submit;"), SITE, NULL, DENY);
	one(VO("permit home \"uni.example\" action job.submit;"), SITE, NULL, DENY);
}
END_TEST

START_TEST(exactly_excludes_subgroups)
{
	static const char *const deep[] = {"/demo/physics/hep"};
	struct xos_policy *p =
	    must_build(VO("permit exactly /demo/physics action job.submit;"), SITE, NULL);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, PERMIT);
	req.subject.groups = deep;
	req.subject.ngroups = 1;
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
	p = must_build(VO("permit group /demo/physics action job.submit;"), SITE, NULL);
	ck_decision(p, &req, PERMIT);
	xos_policy_unref(p);
}
END_TEST

START_TEST(roles_count_only_when_active)
{
	static const char *const roles[] = {"/demo/Role=editor"};
	struct xos_policy *p =
	    must_build(VO("permit role /demo/Role=editor action job.submit;"), SITE, NULL);
	struct xos_policy_request req = alice();
	req.subject.held = roles;
	req.subject.nheld = 1;
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_DENIED);
	ck_assert_uint_eq(a.nway_out, 1);
	ck_assert_str_eq(a.way_out[0], "/demo/Role=editor");
	req.subject.roles = roles;
	req.subject.nroles = 1;
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nway_out, 0);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(no_way_out_where_a_role_does_not_help)
{
	static const char *const roles[] = {"/demo/Role=editor"};
	struct xos_policy *p = must_build(VO("permit role /demo/Role=editor action job.submit;"
	                                     "forbid group /demo action job.submit;"),
	    SITE, NULL);
	struct xos_policy_request req = alice();
	req.subject.held = roles;
	req.subject.nheld = 1;
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_DENIED);
	ck_assert_uint_eq(a.nway_out, 0);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(actions_match)
{
	one(VO("permit any action job.show;"), SITE, NULL, DENY);
	one(VO("permit any action job.show, job.submit;"), SITE, NULL, PERMIT);
	one(VO("permit any action job.*;"), SITE, NULL, PERMIT);
	one(VO("permit any action file.*;"), SITE, NULL, DENY);
	one(VO("permit any action any; forbid any action file.*;"), SITE, NULL, PERMIT);
	one(VO("permit any action any; forbid any action any;"), SITE, NULL, DENY);
}
END_TEST

START_TEST(places_match)
{
	one(VO("permit any action any on site:lab;"), SITE, NULL, PERMIT);
	one(VO("permit any action any on site:lab2;"), SITE, NULL, DENY);
	one(VO("permit any action any on node:lab/n1;"), SITE, NULL, PERMIT);
	one(VO("permit any action any on node:lab/n2;"), SITE, NULL, DENY);
	one(VO("permit any action any on node:la/n1;"), SITE, NULL, DENY);
	one(VO("permit any action any on class:compute;"), SITE, NULL, PERMIT);
	one(VO("permit any action any on class:login;"), SITE, NULL, DENY);
	one(VO("permit any action any on tag:gpu;"), SITE, NULL, PERMIT);
	one(VO("permit any action any on tag:gp;"), SITE, NULL, DENY);
	one(VO("permit any action any on site:lab & tag:gpu & class:compute;"), SITE, NULL, PERMIT);
	one(VO("permit any action any on site:lab & tag:fast;"), SITE, NULL, DENY);
	one(VO_ALL, LAB("permit any action any on node:lab/n1 & tag:gpu;"), NULL, PERMIT);
	one(VO_ALL, LAB("permit any action any on tag:fast;"), NULL, DENY);
}
END_TEST

START_TEST(an_undeclared_node_could_be_anything)
{
	struct xos_policy *p =
	    must_build(VO_ALL, LAB("permit any action any on class:compute;"), NULL);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, PERMIT);
	req.resource.node = "n9";
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
	p = must_build(
	    VO_ALL, LAB("permit any action any; forbid any action any on tag:slow;"), NULL);
	ck_decision(p, &req, UNDECIDED);
	req.resource.node = "n1";
	ck_decision(p, &req, PERMIT);
	req.resource.node = NULL;
	req.resource.kind = "site";
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
	p = must_build(
	    VO_ALL, LAB("permit any action any; forbid any action any on node:lab/n7;"), NULL);
	ck_decision(p, &req, UNDECIDED);
	req.resource.node = "n9"; /* declared or not, it is not n7 */
	ck_decision(p, &req, PERMIT);
	xos_policy_unref(p);
}
END_TEST

START_TEST(files_match_by_whole_components)
{
	static const struct {
		const char *path;
		enum xos_policy_decision expected;
	} cases[] = {{"/data", PERMIT}, {"/data/x/y", PERMIT}, {"/data2", DENY}, {"/", DENY},
	    {"/dat", DENY}, {"/data/../etc", UNDECIDED}, {"/data//x", UNDECIDED},
	    {"data", UNDECIDED}, {"/data/", UNDECIDED}};
	for (int at_site = 0; at_site < 2; at_site++) {
		struct xos_policy *p =
		    at_site
		        ? must_build(
		              VO_ALL, LAB("permit any action file.read on file:/data;"), NULL)
		        : must_build(VO("permit any action file.read on file:/data;"), SITE, NULL);
		struct xos_policy_request req = alice();
		req.action = "file.read";
		req.resource.kind = "file";
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			req.resource.id = cases[i].path;
			ck_decision(p, &req, cases[i].expected);
		}
		xos_policy_unref(p);
	}
}
END_TEST

START_TEST(forbid_wins_at_every_level)
{
	one(VO("permit any action any; forbid group /demo/physics action job.submit;"), SITE, NULL,
	    DENY);
	one(VO("permit any action any; forbid group /demo/students action job.submit;"), SITE, NULL,
	    PERMIT);
	one(VO_ALL, LAB("permit any action any; forbid vo demo action job.submit on node:lab/n1;"),
	    NULL, DENY);
	one(VO_ALL, LAB("permit any action any; forbid vo biomed action job.submit;"), NULL,
	    PERMIT);
	one(VO_ALL, SITE, "node \"lab/n1\" serial 1 { forbid user demo:alice action any; }", DENY);
	one(VO_ALL, SITE, "node \"lab/n1\" serial 1 { forbid user demo:bob action any; }", PERMIT);
	one(VO_ALL, SITE, "node \"lab/n2\" serial 1 { forbid any action any; }", PERMIT);
}
END_TEST

START_TEST(owners)
{
	struct xos_policy *p =
	    must_build(VO("permit any action job.show on job:*; "
	                  "permit any action job.cancel on any when subject.is_owner;"),
	        SITE, NULL);
	struct xos_policy_request req = alice();
	req.action = "job.show";
	req.resource = (struct xos_policy_resource){
	    .kind = "job", .id = "42", .site = "lab", .node = "n1", .vo = "demo", .owner = "alice"};
	ck_decision(p, &req, PERMIT);
	req.resource.owner = "bob"; /* the VO and the site grant, the owner has not */
	ck_decision(p, &req, DENY);
	req.action = "job.cancel";
	ck_decision(p, &req, DENY);
	req.resource.owner = "alice";
	ck_decision(p, &req, PERMIT);
	req.resource.vo = "biomed"; /* another alice */
	ck_decision(p, &req, DENY);
	req.resource.vo = NULL;
	ck_decision(p, &req, UNDECIDED);
	req.resource.owner = NULL; /* nobody's: is_owner is unknown */
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
}
END_TEST

START_TEST(vos_do_not_mix)
{
	static const char *const other[] = {"/biomed/physics"};
	struct xos_policy *p = must_build(VO_ALL, LAB("permit vo demo action any;"), NULL);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, PERMIT);
	req.subject.groups = other; /* one VO's token with another VO's group */
	req.subject.ngroups = 1;
	ck_decision(p, &req, UNDECIDED);
	req.subject.vo = "biomed";
	ck_decision(p, &req, DENY); /* no set of that VO, and the site has no permit */
	xos_policy_unref(p);
	/* The object's VO must grant as well. */
	struct xos_policy_part parts[3] = {{must_parse(VO_ALL), 0, 0},
	    {must_parse("vo \"biomed\" serial 1 { permit any action any; }"), 0, 0},
	    {must_parse(LAB("permit any action any;")), 0, 0}};
	ck_assert_int_eq(xos_policy_new(parts, 3, NULL, &p, NULL), XOS_OK);
	ck_decision(p, &req, PERMIT);
	req.resource.vo = "biomed";
	ck_decision(p, &req, PERMIT);
	req.resource.vo = "demo";
	ck_decision(p, &req, DENY); /* any of demo's set is demo's members */
	for (size_t i = 0; i < 3; i++)
		xos_policy_set_unref(parts[i].set);
	xos_policy_unref(p);
}
END_TEST

START_TEST(local_principals)
{
	struct xos_policy *p = must_build(
	    VO_ALL, LAB("permit any action any; permit local action session.open;"), NULL);
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_LOCAL, .member = "root"},
	    .action = "session.open",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .now = NOON};
	ck_decision(p, &req, PERMIT);
	req.action = "job.submit"; /* any is anybody of a VO */
	ck_decision(p, &req, DENY);
	req.action = "token.issue";
	req.resource = (struct xos_policy_resource){.kind = "vo"};
	ck_decision(p, &req, UNDECIDED);
	req.action = "session.open";
	req.resource = (struct xos_policy_resource){.kind = "node", .site = "lab", .node = "n1"};
	req.subject.vo = "demo"; /* a local principal is of no VO */
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
}
END_TEST

START_TEST(actions_without_a_site)
{
	struct xos_policy *p = must_build(
	    VO("permit any action token.issue; limit any action token.* { lifetime <= 12h; }"),
	    NULL, NULL);
	struct xos_policy_request req = alice();
	req.action = "token.issue";
	req.resource = (struct xos_policy_resource){.kind = "vo"};
	ck_decision(p, &req, PERMIT);
	req.action = "token.renew";
	ck_decision(p, &req, DENY);
	req.action = "job.submit"; /* the site level is not skipped by leaving the site out */
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
}
END_TEST

START_TEST(validity)
{
	struct xos_policy_part parts[2] = {
	    {must_parse(VO_ALL), NOON - 10, NOON + 10}, {must_parse(SITE), 0, 0}};
	struct xos_policy *p;
	struct xos_policy_request req = alice();
	ck_assert_int_eq(xos_policy_new(parts, 2, NULL, &p, NULL), XOS_OK);
	ck_decision(p, &req, PERMIT);
	req.now = NOON + 10;
	ck_decision(p, &req, UNDECIDED);
	req.now = NOON + 9;
	ck_decision(p, &req, PERMIT);
	req.now = NOON - 11;
	ck_decision(p, &req, UNDECIDED);
	req.now = -1;
	ck_decision(p, &req, UNDECIDED);
	for (size_t i = 0; i < 2; i++)
		xos_policy_set_unref(parts[i].set);
	xos_policy_unref(p);
}
END_TEST

START_TEST(malformed_requests_are_undecided)
{
	struct xos_policy *p = must_build(VO_ALL, SITE, NULL);
	struct xos_policy_value v[] = {
	    {"ctx.src", XOS_POLICY_IP, 0, "10.0.0.1"}, {"ctx.src", XOS_POLICY_IP, 0, "10.0.0.1"}};
	static const char *const bad[] = {"physics"};
	struct xos_policy_set *vo = must_parse(VO_ALL);
	const struct xos_policy_set *chain[] = {vo};
	struct xos_policy_request good = alice(), req = good;
	ck_decision(p, &good, PERMIT);
#define TWIST(...)                                                                                 \
	req = good;                                                                                \
	__VA_ARGS__;                                                                               \
	ck_decision(p, &req, UNDECIDED)
	TWIST(req.action = "job.fly");
	TWIST(req.action = NULL);
	TWIST(req.subject.kind = 0);
	TWIST(req.subject.vo = NULL);
	TWIST(req.subject.vo = "Demo");
	TWIST(req.subject.member = NULL);
	TWIST(req.subject.member = "alice!");
	TWIST(req.subject.groups = bad; req.subject.ngroups = 1);
	TWIST(req.subject.roles = bad; req.subject.nroles = 1);
	TWIST(req.subject.held = bad; req.subject.nheld = 1);
	TWIST(req.resource.kind = NULL);
	TWIST(req.resource.kind = "planet");
	TWIST(req.resource.kind = "job");
	TWIST(req.resource.site = NULL);
	TWIST(req.resource.node = "N1");
	TWIST(req.resource.node = NULL);
	TWIST(req.resource.owner = "alice");
	TWIST(req.values = v; req.nvalues = 2);
	TWIST(req.values = v; req.nvalues = 1; v[0].type = XOS_POLICY_STRING);
	TWIST(req.values = v; req.nvalues = 1;
	      v[0] = (struct xos_policy_value){"auth.mfa", XOS_POLICY_BOOL, 1, NULL});
	TWIST(req.values = v; req.nvalues = 1;
	      v[0] = (struct xos_policy_value){"job.cpu", XOS_POLICY_NUMBER, -1, NULL});
	TWIST(req.chain = chain; req.nchain = 1);
	TWIST(req.chain = chain; req.nchain = XOS_POLICY_CHAIN_MAX + 1);
#undef TWIST
	xos_policy_set_unref(vo);
	xos_policy_unref(p);
}
END_TEST

START_TEST(role_present_never_narrows)
{
	struct xos_policy *p = must_build(VO("permit any action any; forbid group /demo action "
	                                     "job.submit on tag:gpu unless role /demo/Role=gpu;"),
	    SITE, NULL);
	static const char *const roles[] = {"/demo/Role=gpu"};
	struct xos_policy_request req = alice();
	ck_decision(p, &req, DENY);
	req.subject.roles = roles;
	req.subject.nroles = 1;
	ck_decision(p, &req, PERMIT);
	xos_policy_unref(p);
}
END_TEST

START_TEST(policies_take_one_set_of_each)
{
	struct xos_policy_set *set = must_parse(VO_ALL), *d = must_parse("delegation { }");
	struct xos_policy_part parts[2] = {{set, 0, 0}, {set, 0, 0}};
	struct xos_policy *p;
	ck_assert_int_eq(xos_policy_new(parts, 2, NULL, &p, NULL), XOS_CONFLICT);
	ck_assert_ptr_null(p);
	parts[1].set = d;
	ck_assert_int_eq(xos_policy_new(parts, 2, NULL, &p, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_policy_new(parts, 1, NULL, &p, NULL), XOS_OK);
	ck_assert_ptr_eq(xos_policy_find_set(p, XOS_POLICY_VO, "demo"), set);
	ck_assert_ptr_null(xos_policy_find_set(p, XOS_POLICY_SITE, "demo"));
	xos_policy_unref(p);
	xos_policy_set_unref(set);
	xos_policy_set_unref(d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy decide");
	TCase *tc = tcase_create("rules");
	tcase_add_test(tc, default_is_deny);
	tcase_add_test(tc, every_level_must_be_there);
	tcase_add_test(tc, who_matches);
	tcase_add_test(tc, exactly_excludes_subgroups);
	tcase_add_test(tc, roles_count_only_when_active);
	tcase_add_test(tc, no_way_out_where_a_role_does_not_help);
	tcase_add_test(tc, actions_match);
	tcase_add_test(tc, places_match);
	tcase_add_test(tc, an_undeclared_node_could_be_anything);
	tcase_add_test(tc, files_match_by_whole_components);
	tcase_add_test(tc, forbid_wins_at_every_level);
	tcase_add_test(tc, owners);
	tcase_add_test(tc, vos_do_not_mix);
	tcase_add_test(tc, local_principals);
	tcase_add_test(tc, actions_without_a_site);
	tcase_add_test(tc, validity);
	tcase_add_test(tc, malformed_requests_are_undecided);
	tcase_add_test(tc, role_present_never_narrows);
	tcase_add_test(tc, policies_take_one_set_of_each);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
