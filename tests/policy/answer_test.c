/* What an answer carries beside the decision: limits, duties, shadows, delegations and the reasons. */
#include "one.h"

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

/* What remains of a set of networks, its prefixes separated by spaces; "-": nothing limits it. */
static void networks(const char *vo, const char *lab, enum xos_policy_cap cap, const char *expected)
{
	struct xos_policy *p = must_build(vo, lab, NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	char got[512] = "";

	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_int_eq(a.decision, XOS_POLICY_PERMITTED);
	for (size_t i = 0; i < a.nlimits; i++)
		for (size_t j = 0; a.limits[i].cap == cap && j < a.limits[i].nnames; j++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", j ? " " : "",
			    a.limits[i].names[j]);
	ck_assert_str_eq(got[0] ? got : "-", expected);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}

#define ANY "permit any action any; limit any action any { "

START_TEST(networks_meet_in_what_all_leave)
{
	static const struct {
		const char *vo, *lab, *left;
	} cases[] = {
	    {VO(ANY "networks in {10.0.0.0/8, 2001:db8::/32}; }"), SITE,
	        "10.0.0.0/8 2001:db8::/32"},
	    {VO(ANY "networks in {10.0.0.0/8, 2001:db8::/32}; }"),
	        LAB(ANY "networks in {10.2.0.0/16, 10.1.0.0/16, 192.0.2.0/24}; }"),
	        "10.1.0.0/16 10.2.0.0/16"},
	    {VO(ANY "networks in {10.1.0.0/16, 0.0.0.0/0}; }"),
	        LAB(ANY "networks in {10.0.0.0/8, ::/0}; }"), "10.0.0.0/8 10.1.0.0/16"},
	    /* Nothing left is no network, and no refusal; so is that by itself, whoever says it. */
	    {VO(ANY "networks in {10.0.0.0/8}; }"), LAB(ANY "networks in {2001:db8::/32}; }"),
	        "closed"},
	    {VO(ANY "networks closed; }"), LAB(ANY "networks in {::/0}; }"), "closed"},
	    {VO(ANY "networks in {::/0}; }"), LAB(ANY "networks closed; }"), "closed"},
	    {VO(ANY "networks closed; }"), LAB(ANY "networks closed; }"), "closed"},
	    {VO("permit any action any;"), LAB(ANY "wall <= 1h; }"), "-"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		networks(cases[i].vo, cases[i].lab, XOS_CAP_NETWORKS, cases[i].left);
	/* A limit that may not apply does, and order does not matter. */
	networks(
	    VO(ANY "networks in {10.0.0.0/8}; } limit any action any unless auth.mfa { networks in "
	           "{10.1.0.0/16}; }"),
	    SITE, XOS_CAP_NETWORKS, "10.1.0.0/16");
}
END_TEST

START_TEST(closed_networks_unite)
{
	networks(VO(ANY "closed_networks in {10.0.0.0/8, 2001:db8::/32}; }"),
	    LAB(ANY "closed_networks in {192.0.2.0/24, 10.0.0.0/8}; }"), XOS_CAP_CLOSED_NETWORKS,
	    "10.0.0.0/8 192.0.2.0/24 2001:db8::/32");
	/* Some of them are no others: nothing is taken off. */
	networks(VO(ANY "closed_networks in {10.0.0.0/8}; }"),
	    LAB(ANY "networks in {10.1.0.0/16}; }"), XOS_CAP_CLOSED_NETWORKS, "10.0.0.0/8");
}
END_TEST

/* More than anybody enforces is not decided; it does not let anything through. */
START_TEST(more_networks_than_may_be)
{
	char vo[8192] = "vo \"demo\" serial 1 { permit any action any; ", *at = vo + strlen(vo);

	for (int half = 0; half < 2; half++) {
		at += sprintf(at, "limit any action any { closed_networks in {");
		for (int i = 0; i < 150; i++)
			at += sprintf(at, "%s10.%d.%d.0/24", i ? ", " : "", half, i);
		at += sprintf(at, "}; } ");
	}
	strcpy(at, "}");
	one(vo, SITE, NULL, UNDECIDED);
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

int main(void)
{
	Suite *suite = suite_create("policy answer");
	TCase *tc = tcase_create("answers");
	tcase_add_test(tc, limits_meet);
	tcase_add_test(tc, an_empty_meet_denies);
	tcase_add_test(tc, networks_meet_in_what_all_leave);
	tcase_add_test(tc, closed_networks_unite);
	tcase_add_test(tc, more_networks_than_may_be);
	tcase_add_test(tc, limits_apply_when_unknown);
	tcase_add_test(tc, duties_unite);
	tcase_add_test(tc, shadows_have_no_effect);
	tcase_add_test(tc, delegations_only_narrow);
	tcase_add_test(tc, delegated_limits_count);
	tcase_add_test(tc, explanations);
	tcase_add_test(tc, a_fresh_answer_refuses);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
