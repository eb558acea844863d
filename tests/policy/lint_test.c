/* Lints: each is found where it is meant, and not where nothing is suspicious. */
#include "policy/lint.h"

#include "policy_test.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"
#define SITE(body) "site \"lab\" serial 1 schema 2 { " body " }"

#define OWN                                                                                        \
	"schema { kind demo.d; action demo.a for d; action demo.f for file, d; action demo.b; } "

static struct xos_policy_errors errs, warnings;

static void run(const char *text)
{
	enum xos_status status = xos_policy_lint(text, strlen(text), "x", &errs, &warnings);
	ck_assert_msg(status == XOS_OK, "%s: %s", text, errs.n ? errs.list[0].text : "");
}

static size_t count(const char *name)
{
	char part[64];
	size_t n = 0;
	snprintf(part, sizeof(part), " [%s]", name);
	for (size_t i = 0; i < warnings.n; i++)
		n += strstr(warnings.list[i].text, part) != NULL;
	return n;
}

/* How often each lint is found in a text. */
static const struct {
	const char *text, *name;
	size_t n;
} cases[] = {{VO("define $a { x } define $b { $a }"), "unused-name", 1},
    {VO("define $a { x } permit user b action any when auth.method in $a;"), "unused-name", 0},
    {VO("template t() { } template u() { } use u();"), "unused-template", 1},
    {VO("permit @a user b action job.show; permit @b user b action job.show because \"x\"; "
        "permit user b action job.cancel;"),
        "duplicate", 1},
    {VO("permit user b action job.*; permit user b action job.submit, job.show, "
        "job.cancel, "
        "job.extend, job.signal;"),
        "duplicate", 1},
    {VO("permit user b action job.show; permit user b action job.show when auth.age < 1h;"),
        "duplicate", 0},
    {VO("forbid group /demo/a action job.* because \"x\"; permit group /demo/a/b action "
        "job.show on job:*; permit group /demo/ab action job.show;"),
        "forbidden-permit", 1},
    {VO("forbid any action any on file:/x because \"x\"; permit user b action file.read on "
        "file:/x/y & site:l; permit user b action file.read on file:/xy; permit user b "
        "action file.read;"),
        "forbidden-permit", 1},
    {VO("forbid any action job.show because \"x\"; permit user b action job.show; permit "
        "group /demo/a action job.show; permit role /demo/Role=x action job.show; permit "
        "home "
        "\"h\" action job.show; permit any action job.show; permit user bio:c action "
        "job.show "
        "on job:*;"),
        "forbidden-permit", 4},
    {SITE("forbid any action job.show because \"x\"; permit local action job.show; permit "
          "vo x "
          "action job.show;"),
        "forbidden-permit", 1},
    {VO("forbid any action job.show when auth.age > 1h because \"x\"; shadow forbid any "
        "action "
        "job.show because \"x\"; permit user b action job.show;"),
        "forbidden-permit", 0},
    {"vo \"demo\" serial 1 { permit user b action job.submit when job.wall < 1h; }", "unguarded",
        1},
    {"vo \"demo\" serial 1 { permit user b action file.read when has job.wall; }", "unguarded", 1},
    {"vo \"demo\" serial 1 { permit user b action job.submit when has job.wall and "
     "job.wall < "
     "1h; }",
        "unguarded", 0},
    {"vo \"demo\" serial 1 { permit user b action job.submit when action == job.show; }", "never",
        1},
    /* Own actions on what they are not for. */
    {VO(OWN "permit user b action demo.a on file:/x, demo.d:*, job:1, demo.d:1 & tag:x, "
            "site:l;"),
        "never", 2},
    {VO(OWN "permit user b action demo.a, file.read on file:/x; forbid user b action any on "
            "file:/x; permit user b action demo.f, demo.a on file:/x, demo.d:1; permit user b "
            "action demo.b on job:*;"),
        "never", 0},
    {VO(OWN "forbid user b action demo.a, demo.f on job:*, session:1, file:*;"), "never", 2},
    {"vo \"demo\" serial 1 { }", "old-schema", 1}, {VO(""), "old-schema", 0},
    {VO("permit any action any;"), "wide-permit", 1},
    {VO("permit any action any on job:*; permit any action job.*; permit user b action "
        "any; "
        "permit any action any when auth.age < 1h; shadow permit any action any;"),
        "wide-permit", 0},
    {VO("forbid user b action any; forbid user c action any because \"x\";"), "no-reason", 1},
    {VO("permit user b action file.read when resource.id like {\"/a\", \"**\", \"/a*\", "
        "\"?\"};"),
        "pattern", 2},
    {VO("permit any, user b action job.show;"), "redundant", 1},
    {VO("permit group /demo/a, exactly /demo/a/b action job.show;"), "redundant", 1},
    {VO("permit group /demo/a, group /demo/ab, user b action job.show;"), "redundant", 0},
    {VO("permit user b action file.read on file:/a, file:/a/b;"), "redundant", 1},
    {VO("permit user b action file.read on file:/a & site:l, file:/b;"), "redundant", 0},
    {VO("permit user b action job.show when not time in mon-sun UTC;"), "always", 1},
    {VO("permit user b action job.show when time in mon-sat UTC or time in 00:00-23:59 "
        "UTC;"),
        "always", 0}};

START_TEST(each_is_found)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(cases[i].text);
		ck_assert_msg(count(cases[i].name) == cases[i].n, "%zu of %s in %s",
		    count(cases[i].name), cases[i].name, cases[i].text);
	}
}
END_TEST

START_TEST(names_and_errors)
{
	size_t n;
	const struct xos_policy_lint *lints = xos_policy_lints(&n);
	ck_assert_uint_eq(n, 13);
	for (size_t i = 0; i < n; i++)
		ck_assert(lints[i].name && lints[i].what);
	static const char bad[] = VO("permit any action job.sumbit;");
	ck_assert_int_eq(xos_policy_lint(bad, strlen(bad), "x", &errs, &warnings), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 1);
	ck_assert_uint_eq(warnings.n, 0);
	ck_assert_int_eq(xos_policy_lint(bad, strlen(bad), NULL, NULL, &warnings), XOS_MALFORMED);
	run("vo \"demo\" serial 1 schema 2 {\n  define $a { x }\n  forbid user b action any;\n}");
	ck_assert_uint_eq(warnings.n, 2);
	ck_assert_uint_eq(warnings.list[0].line, 2);
	ck_assert_uint_eq(warnings.list[0].col, 10);
	ck_assert_str_eq(warnings.list[0].text, "nothing uses $a [unused-name]");
	ck_assert_uint_eq(warnings.list[1].line, 3);
}
END_TEST

/* 50 000 times the same: a bounded list, soon. */
START_TEST(many)
{
	struct xos_buf b;
	xos_buf_init(&b, 16 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 schema 2 {");
	for (int i = 0; i < 50000; i++)
		xos_buf_put_str(
		    &b, "forbid user b action job.show;\npermit user b action job.show;\n");
	xos_buf_put_str(&b, "}");
	ck_assert_int_eq(xos_policy_lint((const char *)b.p, b.n, "x", &errs, &warnings), XOS_OK);
	ck_assert_uint_eq(warnings.n, XOS_POLICY_ERRORS_MAX);
	ck_assert_uint_ge(warnings.total, 100000);
	xos_buf_free(&b);
}
END_TEST

static size_t together(const char *a, const char *b)
{
	struct xos_policy_set *x = must_parse(a), *y = must_parse(b);
	const struct xos_policy_set *sets[] = {x, y};
	xos_policy_lint_together(sets, 2, &warnings);
	for (size_t i = 0; i < warnings.n; i++)
		ck_assert_ptr_nonnull(strstr(warnings.list[i].text, "[not-delegated]"));
	xos_policy_set_unref(x);
	xos_policy_set_unref(y);
	return warnings.n;
}

START_TEST(sets_together)
{
	static const char node[] = "node \"lab/n1\" serial 1 { permit vo demo action job.submit; }";
	static const char quiet[] =
	    "node \"lab/n1\" serial 1 { forbid vo demo action job.submit; }";
	static const char group[] = "group \"/demo/a/b\" serial 1 { forbid any action job.show; "
	                            "permit any action job.submit; "
	                            "}";
	ck_assert_uint_eq(together(node, SITE("delegate node n2 action job.submit;")), 1);
	ck_assert_uint_eq(together(node, SITE("delegate node n2, n1 action job.submit;")), 0);
	ck_assert_uint_eq(together(quiet, SITE("")), 0);
	ck_assert_uint_eq(together(node, VO("")), 0); /* the site's set is not here */
	ck_assert_uint_eq(together(node, "site \"other\" serial 1 { }"), 0);
	ck_assert_uint_eq(together(group, VO("delegate group /demo/ab action job.submit;")), 1);
	ck_assert_uint_eq(together(group, VO("permit any action job.submit;")), 1);
	ck_assert_uint_eq(together(group, VO("delegate group /demo/a action job.submit;")), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy lint");
	TCase *tc = tcase_create("language");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_is_found);
	tcase_add_test(tc, names_and_errors);
	tcase_add_test(tc, many);
	tcase_add_test(tc, sets_together);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
