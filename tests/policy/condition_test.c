/* The conditions, each with the case that must come out the other way and the one that is not known. */
#include "one.h"

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

int main(void)
{
	Suite *suite = suite_create("policy condition");
	TCase *tc = tcase_create("conditions");
	tcase_add_test(tc, conditions_are_three_valued);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, time_and_dates);
	tcase_add_test(tc, authentication);
	tcase_add_test(tc, attributes_of_the_context);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
