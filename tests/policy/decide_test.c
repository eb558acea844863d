/* The semantics, rule by rule: each with the case that must come out the other way. */
#include "policy_test.h"

#define SITE                                                                                       \
	"site \"lab\" serial 1 { node n1 { class compute; tag gpu; } node n2 { class login; } "    \
	"permit vo demo action any on any; }"
#define VO(body) "vo \"demo\" serial 1 { " body " }"
#define VO_ALL VO("permit any action any on any;")
#define LAB(body) "site \"lab\" serial 3 { node n1 { class compute; tag gpu; } " body " }"

/* One decision about alice's request, changed by nothing. */
static void one(
    const char *vo, const char *site, const char *node, enum xos_policy_decision expected)
{
	struct xos_policy *p = must_build(vo, site, node);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, expected);
	xos_policy_unref(p);
}

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

START_TEST(conditions_are_three_valued)
{
	/* ctx.src is not given: a permit needs true, a forbid fires on unknown. */
	one(VO("permit any action any when ip(ctx.src) in 10.0.0.0/8;"), SITE, NULL, UNDECIDED);
	one(VO("permit any action any; forbid any action any when ip(ctx.src) in 10.0.0.0/8;"),
	    SITE, NULL, UNDECIDED);
	one(VO("permit any action any; forbid any action any unless ip(ctx.src) in 10.0.0.0/8;"),
	    SITE, NULL, UNDECIDED);
	/* Unless the rest decides. */
	one(VO("permit any action any when ip(ctx.src) in 10.0.0.0/8 or user alice;"), SITE, NULL,
	    PERMIT);
	one(VO("permit any action any when ip(ctx.src) in 10.0.0.0/8 and user bob;"), SITE, NULL,
	    DENY);
	one(VO("permit any action any when not (ip(ctx.src) in 10.0.0.0/8 or user alice);"), SITE,
	    NULL, DENY);
	one(VO("permit any action any when has ctx.src and ip(ctx.src) in 10.0.0.0/8;"), SITE, NULL,
	    DENY);
	one(VO("permit any action any; forbid any action any when has ctx.src and ip(ctx.src) in "
	       "10.0.0.0/8;"),
	    SITE, NULL, PERMIT);
	/* A certain reason outweighs an unknown one. */
	one(VO("permit any action any when auth.mfa; forbid user alice action any;"), SITE, NULL,
	    DENY);
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		const char *src;
		enum xos_policy_decision expected;
	} cases[] = {{"131.254.0.1", PERMIT}, {"131.254.255.255", PERMIT}, {"131.255.0.0", DENY},
	    {"::ffff:131.254.7.7", PERMIT}, {"::ffff:10.0.0.1", DENY}, {"2001:db8:1::5", PERMIT},
	    {"2001:db8:8000::", DENY}, {"131.254.0", UNDECIDED}, {"fe80::1%eth0", UNDECIDED},
	    {"", UNDECIDED}};
	struct xos_policy *p = must_build(
	    VO("permit any action any when ip(ctx.src) in {131.254.0.0/16, 2001:db8::/33};"), SITE,
	    NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_value v = {.name = "ctx.src", .type = XOS_POLICY_IP};
	req.values = &v;
	req.nvalues = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v.string = cases[i].src;
		ck_decision(p, &req, cases[i].expected);
	}
	xos_policy_unref(p);
}
END_TEST

START_TEST(time_and_dates)
{
	one(VO("permit any action any when time in 08:00-20:00 UTC;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when time in 12:00-12:01 UTC;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when time in 08:00-12:00 UTC;"), SITE, NULL, DENY);
	one(VO("permit any action any when time in 22:00-06:00 UTC;"), SITE, NULL, DENY);
	one(VO("permit any action any when time in 22:00-12:01 Z;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when time in 13:00-14:00 +01:00;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when time in 06:00-07:00 -05:30;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when time in 12:00-13:00 -05:30;"), SITE, NULL, DENY);
	one(VO("permit any action any when time in 00:00-24:00 UTC;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when now < 2026-11-22T12:00Z;"), SITE, NULL, DENY);
	one(VO("permit any action any when now <= 2026-11-22T12:00:00Z;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when now < 2026-11-22T12:00:01Z;"), SITE, NULL, PERMIT);
	one(VO("permit any action any when now >= 2026-11-22T12:00Z and now > 2026-01-01T00:00Z;"),
	    SITE, NULL, PERMIT);
}
END_TEST

START_TEST(authentication)
{
	struct xos_policy *p = must_build(
	    VO("permit any action any when auth.age <= 1h and auth.method in {password, krb5};"),
	    SITE, NULL);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_method = "krb5";
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_time = NOON - 3600;
	ck_decision(p, &req, PERMIT);
	req.subject.auth_time = NOON - 3601;
	ck_decision(p, &req, DENY);
	req.subject.auth_time = NOON + 1; /* not fresh: a wrong clock */
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_time = NOON;
	req.subject.auth_method = "browser";
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
	p = must_build(
	    VO("permit any action any; forbid any action any unless auth.mfa;"), SITE, NULL);
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_mfa = 0;
	ck_decision(p, &req, DENY);
	req.subject.auth_mfa = 1;
	ck_decision(p, &req, PERMIT);
	xos_policy_unref(p);
}
END_TEST

START_TEST(attributes_of_the_context)
{
	struct xos_policy *p =
	    must_build(VO("permit any action any when job.wall <= 2h and job.memory < 4GiB"
	                  " and job.cpu in {1, 2, 4} and ctx.service != sshd;"),
	        SITE, NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_value v[] = {{"job.wall", XOS_POLICY_DURATION, 7200, NULL},
	    {"job.memory", XOS_POLICY_SIZE, (INT64_C(1) << 32) - 1, NULL},
	    {"job.cpu", XOS_POLICY_NUMBER, 4, NULL}, {"ctx.service", XOS_POLICY_STRING, 0, "jobd"}};
	req.values = v;
	req.nvalues = 4;
	ck_decision(p, &req, PERMIT);
	v[0].number = 7201;
	ck_decision(p, &req, DENY);
	v[0].number = 7200;
	v[1].number++;
	ck_decision(p, &req, DENY);
	v[1].number = 1;
	v[2].number = 3;
	ck_decision(p, &req, DENY);
	v[2].number = 1;
	v[3].string = "sshd";
	ck_decision(p, &req, DENY);
	req.nvalues = 3;
	ck_decision(p, &req, UNDECIDED);
	xos_policy_unref(p);
}
END_TEST

START_TEST(limits_meet)
{
	struct xos_policy *p = must_build(VO("permit any action any; limit any action job.* { wall "
	                                     "<= 24h; cpu <= 64; account_class in {pool, staff}; }"
	                                     "limit group /demo/students action any { wall <= 1h; "
	                                     "} limit any action session.open { wall <= 1m; }"),
	    LAB("permit any action any; limit vo demo action any { wall <= 8h; memory <= 4GiB; "
	        "account_class in {pool, gpu}; }"),
	    "node \"lab/n1\" serial 1 { limit any action any { cpu <= 2; } }");
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nlimits, 4);
	ck_assert_int_eq(a.limits[0].cap, XOS_CAP_WALL);
	ck_assert_int_eq(a.limits[0].number, 8 * 3600);
	ck_assert_int_eq(a.limits[0].level, XOS_POLICY_SITE);
	ck_assert_int_eq(a.limits[1].cap, XOS_CAP_CPU);
	ck_assert_int_eq(a.limits[1].number, 2);
	ck_assert_int_eq(a.limits[1].level, XOS_POLICY_NODE);
	ck_assert_int_eq(a.limits[2].cap, XOS_CAP_MEMORY);
	ck_assert_int_eq(a.limits[3].cap, XOS_CAP_ACCOUNT_CLASS);
	ck_assert_uint_eq(a.limits[3].nnames, 1);
	ck_assert_str_eq(a.limits[3].names[0], "pool");
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(an_empty_meet_denies)
{
	one(VO("permit any action any; limit any action any { account_class in {a, b}; }"),
	    LAB("permit any action any; limit any action any { account_class in {c}; }"), NULL,
	    DENY);
	one(VO("permit any action any; limit any action any { account_class in {a, b}; }"),
	    LAB("permit any action any; limit any action any { account_class in {b}; }"), NULL,
	    PERMIT);
	/* A limit applies when its condition is unknown, and says so. */
	one(VO("permit any action any; limit any action any { account_class in {a}; }"
	       "limit any action any when auth.mfa { account_class in {b}; }"),
	    SITE, NULL, UNDECIDED);
}
END_TEST

START_TEST(limits_apply_when_unknown)
{
	struct xos_policy *p = must_build(
	    VO("permit any action any; limit any action any unless auth.mfa { wall <= 1h; }"), SITE,
	    NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nlimits, 1);
	req.subject.auth_mfa = 1;
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nlimits, 0);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(duties_unite)
{
	struct xos_policy *p =
	    must_build(VO("permit any action any; duty any action any { record; notify "
	                  "\"ops@demo\"; } duty any action job.show { never; }"),
	        LAB("permit any action any; duty any action any when auth.mfa { record; notify "
	            "\"ops@lab\"; }"),
	        NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nduties, 3);
	req.subject.auth_mfa = 0;
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nduties, 2);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

START_TEST(shadows_have_no_effect)
{
	struct xos_policy *p =
	    must_build(VO("permit any action any; shadow forbid @trial any action any;"
	                  "shadow limit any action any { wall <= 1s; }"),
	        SITE, NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nshadows, 2);
	ck_assert_uint_eq(a.nlimits, 0);
	ck_assert_uint_eq(a.nforbids, 0);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
	one(VO("shadow permit any action any;"), SITE, NULL, DENY);
}
END_TEST

START_TEST(delegations_only_narrow)
{
	static const struct {
		const char *text;
		enum xos_policy_decision expected;
	} cases[] = {{"delegation { }", PERMIT},
	    {"delegation { check action in {job.submit}; }", PERMIT},
	    {"delegation { check action in {job.show}; }", DENY},
	    {"delegation { check action != job.submit; }", DENY},
	    {"delegation { check on site:lab & tag:gpu; }", PERMIT},
	    {"delegation { check on node:lab/n2; }", DENY},
	    {"delegation { check ip(ctx.src) in 10.0.0.0/8; }", UNDECIDED},
	    {"delegation { check not ip(ctx.src) in 10.0.0.0/8; }", UNDECIDED},
	    {"delegation { check now < 2026-01-01T00:00Z; }", DENY},
	    {"delegation { check user demo:alice; check action == job.submit; }", PERMIT},
	    {"delegation { check user demo:alice; check action == job.show; }", DENY}};
	struct xos_policy *p = must_build(VO_ALL, SITE, NULL),
	                  *none = must_build(VO(""), SITE, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xos_policy_set *set = must_parse(cases[i].text);
		struct xos_policy_set *empty = must_parse("delegation { }");
		const struct xos_policy_set *chain[] = {empty, set};
		struct xos_policy_request req = alice();
		req.chain = chain;
		req.nchain = 2;
		ck_decision(p, &req, cases[i].expected);
		ck_decision(none, &req, DENY); /* no delegation makes a grant */
		chain[0] = set;
		chain[1] = empty;
		ck_decision(p, &req, cases[i].expected);
		xos_policy_set_unref(set);
		xos_policy_set_unref(empty);
	}
	xos_policy_unref(p);
	xos_policy_unref(none);
}
END_TEST

START_TEST(delegated_limits_count)
{
	struct xos_policy *p = must_build(
	    VO("permit any action any; limit any action any { lifetime <= 4h; }"), SITE, NULL);
	struct xos_policy_set *set =
	    must_parse("delegation by user \"alice\" { limit { lifetime <= 2h; } "
	               "limit action job.show { wall <= 1s; } }");
	const struct xos_policy_set *chain[] = {set};
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	req.chain = chain;
	req.nchain = 1;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.nlimits, 1);
	ck_assert_int_eq(a.limits[0].number, 7200);
	ck_assert_int_eq(a.limits[0].level, XOS_POLICY_DELEGATION);
	xos_policy_answer_free(&a);
	xos_policy_set_unref(set);
	xos_policy_unref(p);
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
	ck_assert_int_eq(xos_policy_new(parts, 3, &p, NULL), XOS_OK);
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
	ck_assert_int_eq(xos_policy_new(parts, 2, &p, NULL), XOS_OK);
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

START_TEST(explanations)
{
	static const struct {
		const char *vo, *site, *text, *deciders;
	} cases[] = {{VO("permit any action any; forbid @no-students group /demo/physics action "
	                 "job.submit on any because "
	                 "\"Students use the batch queue.\" contact \"ops@demo\";"),
	                 SITE,
	                 "Refused by the VO demo (statement demo@no-students, forbid group "
	                 "/demo/physics action job.submit "
	                 "on any): Students use the batch queue. Contact ops@demo.",
	                 "vo demo@no-students"},
	    {VO_ALL, LAB(""), "Refused: the site lab has no statement that permits it.",
	        "site lab lacks a permit"},
	    {VO_ALL, NULL,
	        "Not decided, and so refused: the site lab has no policy here; none was fetched, "
	        "or it "
	        "was refused.",
	        "site lab has no valid policy"},
	    {VO("permit any action any; forbid any action any when auth.mfa;"), SITE,
	        "Not decided, and so refused by the VO demo (statement demo:2, forbid any action "
	        "any on any): "
	        "whether it applies is not known. Not known: auth.mfa.",
	        "vo demo:2"},
	    {VO("permit @p any action any; limit any action any { wall <= 2h; }"), SITE,
	        "Permitted by the VO demo (statement demo@p) and the site lab (statement lab:1). "
	        "Within: wall 2h "
	        "(demo:2).",
	        "vo demo@p, site lab:1"}};
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xos_policy *p = must_build(cases[i].vo, cases[i].site, NULL);
		struct xos_policy_request req = alice();
		struct xos_buf text, who;
		xos_buf_init(&text, 4096);
		xos_buf_init(&who, 4096);
		enum xos_status status = xos_policy_decide(p, &req, &a);
		ck_assert_int_eq(status == XOS_OK, i == 4);
		xos_policy_answer_explain(&a, &text);
		xos_policy_answer_deciders(&a, &who);
		ck_assert_str_eq(xos_buf_str(&text), cases[i].text);
		ck_assert_str_eq(xos_buf_str(&who), cases[i].deciders);
		xos_buf_free(&text);
		xos_buf_free(&who);
		xos_policy_unref(p);
	}
	xos_policy_answer_free(&a);
}
END_TEST

START_TEST(a_fresh_answer_refuses)
{
	struct xos_policy_answer a;
	struct xos_buf text;
	xos_policy_answer_init(&a);
	xos_buf_init(&text, 1000);
	xos_policy_answer_explain(&a, &text);
	ck_assert_int_ne(a.decision, XOS_POLICY_PERMITTED);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&text), "refused"));
	xos_buf_free(&text);
	xos_policy_answer_free(&a);
}
END_TEST

START_TEST(policies_take_one_set_of_each)
{
	struct xos_policy_set *set = must_parse(VO_ALL), *d = must_parse("delegation { }");
	struct xos_policy_part parts[2] = {{set, 0, 0}, {set, 0, 0}};
	struct xos_policy *p;
	ck_assert_int_eq(xos_policy_new(parts, 2, &p, NULL), XOS_CONFLICT);
	ck_assert_ptr_null(p);
	parts[1].set = d;
	ck_assert_int_eq(xos_policy_new(parts, 2, &p, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_policy_new(parts, 1, &p, NULL), XOS_OK);
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
	tcase_add_test(tc, conditions_are_three_valued);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, time_and_dates);
	tcase_add_test(tc, authentication);
	tcase_add_test(tc, attributes_of_the_context);
	tcase_add_test(tc, limits_meet);
	tcase_add_test(tc, an_empty_meet_denies);
	tcase_add_test(tc, limits_apply_when_unknown);
	tcase_add_test(tc, duties_unite);
	tcase_add_test(tc, shadows_have_no_effect);
	tcase_add_test(tc, delegations_only_narrow);
	tcase_add_test(tc, delegated_limits_count);
	tcase_add_test(tc, owners);
	tcase_add_test(tc, vos_do_not_mix);
	tcase_add_test(tc, local_principals);
	tcase_add_test(tc, actions_without_a_site);
	tcase_add_test(tc, validity);
	tcase_add_test(tc, malformed_requests_are_undecided);
	tcase_add_test(tc, role_present_never_narrows);
	tcase_add_test(tc, explanations);
	tcase_add_test(tc, a_fresh_answer_refuses);
	tcase_add_test(tc, policies_take_one_set_of_each);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
