/* Checks of sets of schema 2: guards, what can never apply, who locks himself out. */
#include "policy_test.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"
#define SITE(body) "site \"lab\" serial 1 schema 2 { " body " }"

START_TEST(guards)
{
	static const char *const good[] = {"has job.wall and job.wall <= 2h",
	    "job.wall <= 2h and has job.wall", "not has job.wall or job.wall <= 2h",
	    "not (has job.wall and job.wall > 2h)", "not (not has job.wall or job.wall > 2h)",
	    "auth.age < 1h and auth.method == krb5",
	    "has job.wall and has job.cpu and (job.wall < 1h or job.cpu < 3)",
	    "has ctx.src and not ip(ctx.src) in {10.0.0.0/8}"};
	static const char *const bad[] = {"job.wall <= 2h", "has job.wall or job.wall <= 2h",
	    "not has job.wall and job.wall <= 2h", "has job.cpu and job.wall <= 2h",
	    "not (has job.wall or job.wall > 2h)", "auth.mfa", "not auth.mfa",
	    "(has job.wall or user bob) and job.wall <= 2h", "ip(ctx.src) in {10.0.0.0/8}",
	    "job.name like \"x*\"", "ctx.service in {sshd}", "subject.is_owner"};
	char text[512];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), VO("permit any action job.submit when %s;"), good[i]);
		xos_policy_set_unref(must_parse(text));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), VO("permit any action job.submit when %s;"), bad[i]);
		must_refuse(text, "a request may lack");
		snprintf(text, sizeof(text), VO("forbid any action job.submit when %s;"), bad[i]);
		must_refuse(text, "a request may lack");
		/* A set of version 1 means what it always meant. */
		if (strstr(bad[i], "job.name"))
			continue;
		snprintf(text, sizeof(text),
		    "vo \"demo\" serial 1 { permit any action job.submit when %s; }", bad[i]);
		xos_policy_set_unref(must_parse(text));
	}
}
END_TEST

START_TEST(the_test_is_pointed_at)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	static const char text[] = "vo \"demo\" serial 1 schema 2 {\n"
	                           "  permit any action job.submit on any\n"
	                           "    when user bob or (auth.age < 1h and\n"
	                           "      job.wall != 2h);\n"
	                           "}\n";
	ck_assert_int_eq(xos_policy_set_parse(text, strlen(text), "x", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 1);
	ck_assert_uint_eq(errs.list[0].line, 4);
	ck_assert_uint_eq(errs.list[0].col, 7);
	ck_assert_str_eq(errs.list[0].text, "a request may lack job.wall");
	ck_assert_str_eq(
	    errs.list[0].hint, "write has job.wall and ..., or not has job.wall or ...");
}
END_TEST

/* What is wrong with one test of a condition is told where it stands, however it is written. */
START_TEST(other_tests_are_pointed_at)
{
	static struct xos_policy_errors errs;
	static const struct {
		const char *cond; /* on a line of its own, after four blanks */
		unsigned line, col;
		const char *text;
	} cases[] = {{"when user bob and role /demo/Role=x", 3, 23, "because a role is present"},
	    {"when user bob and\n    not (user eve or\n     not role /demo/Role=x)", 5, 10,
	        "because a role is present"},
	    {"when user bob and who in {user eve, role /demo/Role=x}", 3, 23,
	        "because a role is present"},
	    {"unless not role /demo/Role=x", 3, 16, "because a role is present"},
	    {"when user bob or group /bio/x", 3, 22, "not of this VO"},
	    {"when user bob\n    unless local", 4, 12, "nothing to say about principals of no VO"},
	    {"when user bob or on job:1 & job:2", 3, 22, "nothing is both"},
	    {"when on {tag:a, job:1 & job:2}", 3, 10, "nothing is both"}};
	char text[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xos_policy_set *set;
		snprintf(text, sizeof(text),
		    "vo \"demo\" serial 1 schema 2 {\n  forbid any action job.submit\n    %s;\n}",
		    cases[i].cond);
		ck_assert_int_eq(
		    xos_policy_set_parse(text, strlen(text), "x", &set, &errs), XOS_MALFORMED);
		ck_assert_uint_eq(errs.n, 1);
		ck_assert_msg(
		    errs.list[0].line == cases[i].line && errs.list[0].col == cases[i].col,
		    "%u:%u for %s", errs.list[0].line, errs.list[0].col, text);
		ck_assert_msg(strstr(errs.list[0].text, cases[i].text), "%s", errs.list[0].text);
	}
	/* What is wrong with the head stands where the statement begins. */
	struct xos_policy_set *set;
	static const char head[] =
	    "vo \"demo\" serial 1 schema 2 {\n  forbid role /demo/Role=x action job.submit\n"
	    "    when user bob;\n}";
	ck_assert_int_eq(xos_policy_set_parse(head, strlen(head), "x", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.list[0].line, 2);
	ck_assert_uint_eq(errs.list[0].col, 3);
}
END_TEST

START_TEST(actions_guard)
{
	xos_policy_set_unref(
	    must_parse(VO("permit any action job.show, job.cancel when subject.is_owner;")));
	xos_policy_set_unref(must_parse(VO(
	    "permit any action job.*, file.read when action == job.show and subject.is_owner;")));
	xos_policy_set_unref(must_parse(VO(
	    "permit any action job.show, file.read when action != file.read and subject.is_owner "
	    "or user bob;")));
	xos_policy_set_unref(
	    must_parse(VO("permit any action job.show, file.read when action == file.read or "
	                  "subject.is_owner;")));
	xos_policy_set_unref(must_parse("delegation schema 2 { check action in {file.read} and "
	                                "resource.id like \"/data/*\"; }"));
	must_refuse(VO("permit any action job.show, file.read when subject.is_owner;"),
	    "may lack subject.is_owner");
	must_refuse(VO("forbid user x action any when subject.is_owner;"), "may lack");
	must_refuse(VO("permit any action file.read when has job.wall and job.wall < 1h;"),
	    "no action of this statement has job.wall");
	must_refuse(
	    VO("permit any action file.read when has job.cpu;"), "no action of this statement");
	must_refuse("delegation schema 2 { check resource.id like \"/data/*\"; }", "may lack");
	must_refuse(
	    "delegation schema 2 { limit { lifetime <= 1h; } check auth.mfa; }", "may lack");
}
END_TEST

START_TEST(never_applies)
{
	static const char *const never[] = {"action == file.read",
	    "action in {file.read, job.show}", "action != job.submit",
	    "auth.age < 1h and auth.age > 2h", "auth.age < 1h and auth.age >= 1h",
	    "auth.age == 1h and auth.age == 2h", "auth.age < 0s",
	    "now < 2026-01-01T00:00Z and now >= 2026-01-01T00:00Z",
	    "user bob and (action == file.read or auth.age < 1h and auth.age > 1h)",
	    "has job.cpu and job.cpu > 9223372036854775807 and auth.age < 1h"};
	static const char *const sometimes[] = {"action == job.submit", "action != file.read",
	    "auth.age > 1h and auth.age < 2h", "auth.age != 1h and auth.age == 2h",
	    "auth.age <= 1h and auth.age >= 1h", "auth.age < 1h or auth.age > 2h",
	    "not action == file.read", "user bob or action == file.read",
	    "has job.cpu and job.cpu < 3 and auth.age > 5h and now > 2026-01-01T00:00Z"};
	char text[512];
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(text, sizeof(text), VO("permit any action job.submit when %s;"), never[i]);
		must_refuse(text, "this never applies");
	}
	for (size_t i = 0; i < sizeof(sometimes) / sizeof(sometimes[0]); i++) {
		snprintf(
		    text, sizeof(text), VO("permit any action job.submit when %s;"), sometimes[i]);
		xos_policy_set_unref(must_parse(text));
	}
}
END_TEST

START_TEST(lock_out)
{
	must_refuse(VO("forbid any action token.issue;"), "nobody could log in");
	must_refuse(VO("forbid any action any;"), "nobody could log in");
	must_refuse(VO("forbid user bob, group /demo action token.*;"), "nobody could log in");
	must_refuse(SITE("forbid local action session.open;"), "locked out");
	must_refuse(SITE("forbid any, local action any on site:lab;"), "locked out");
	must_refuse("node \"lab/n1\" serial 1 schema 2 { forbid local action any; }", "locked out");
	static const char *const fine[] = {
	    VO("forbid any action token.issue unless group /demo/admins;"),
	    VO("forbid group /demo/x action token.issue;"),
	    VO("shadow forbid any action token.issue;"), VO("forbid any action job.submit;"),
	    VO("forbid any action any on class:x;"), SITE("forbid any action any;"),
	    SITE("forbid local action job.submit;"),
	    SITE("forbid local action session.open on class:secret;"),
	    "vo \"demo\" serial 1 { forbid any action any; }"};
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		xos_policy_set_unref(must_parse(fine[i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy checks");
	TCase *tc = tcase_create("language");
	tcase_add_test(tc, guards);
	tcase_add_test(tc, the_test_is_pointed_at);
	tcase_add_test(tc, other_tests_are_pointed_at);
	tcase_add_test(tc, actions_guard);
	tcase_add_test(tc, never_applies);
	tcase_add_test(tc, lock_out);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
