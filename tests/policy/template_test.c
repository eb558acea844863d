/* Templates: what a use means, and what makes them fail. */
#include "policy_test.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"
#define BATCH                                                                                      \
	"template batch($who principal, $max duration) { permit @go $who action job.submit; "      \
	"limit @cap $who action job.submit { wall <= $max; } } "

static void means(const char *text, const char *expected)
{
	struct xos_buf out;
	struct xos_policy_set *set = must_parse(text);
	xos_buf_init(&out, 1 << 20);
	xos_policy_set_text(set, &out);
	ck_assert_msg(strstr(xos_buf_str(&out), expected) != NULL, "'%s' is not in %s", expected,
	    xos_buf_str(&out));
	xos_buf_free(&out);
	xos_policy_set_unref(set);
}

START_TEST(uses)
{
	means(VO(BATCH "use @course batch(group /demo/course, 4h);"),
	    "  permit @course.go group /demo/course action job.submit on any;\n"
	    "  limit @course.cap group /demo/course action job.submit on any { wall <= 4h; }\n");
	means(VO(BATCH "use batch(user bob, 90s); permit any action job.show;"),
	    "permit @go user demo:bob action job.submit on any;\n"
	    "  limit @cap user demo:bob action job.submit on any { wall <= 90s; }\n"
	    "  permit any action job.show on any;\n");
	means(VO(BATCH "use @a batch(user bob, 1h); use @b batch(user eve, 2h);"),
	    "@b.cap user demo:eve");
	means(VO("define $staff { group /demo/a, user b } " BATCH "use @s batch($staff, 4h);"),
	    "permit @s.go group /demo/a, user demo:b action job.submit on any;");
}
END_TEST

/* Each parameter type, in a statement whose actions all have what it tests. */
START_TEST(parameter_types)
{
	means(
	    VO("template t($p place, $n number, $s size, $x string, $i prefix, $w time-window) { "
	       "permit any action job.submit on $p & tag:t when has job.cpu and job.cpu <= $n and "
	       "has job.memory and job.memory < $s and auth.method in {$x, krb5} and has ctx.src "
	       "and ip(ctx.src) in {$i} and time in $w; } "
	       "use t(site:lab & class:c, 8, 4GiB, \"a b\", 10.0.0.0/8, mon-fri 08:00-20:00 "
	       "Europe/Paris);"),
	    "permit any action job.submit on site:lab & class:c & tag:t when has job.cpu and "
	    "job.cpu "
	    "<= 8 and has job.memory and job.memory < 4GiB and auth.method in {\"a b\", \"krb5\"} "
	    "and has ctx.src and ip(ctx.src) in {10.0.0.0/8} and time in mon-fri 08:00-20:00 "
	    "Europe/Paris;");
	means(VO("template t($a action) { permit any action $a, job.show; } use t(file.*);"),
	    "permit any action job.show, file.read, file.write, file.delete, file.share on any;");
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *text, *message;
	} cases[] = {{VO("use batch(any, 1h);"), "no template 'batch'"},
	    {VO(BATCH "use batsh(any, 1h);"), "no template 'batsh'"},
	    {VO(BATCH "use batch(any);"), "expected ','"},
	    {VO(BATCH "use batch(any, 1h, 2h);"), "has 2 parameters"},
	    {VO(BATCH "use batch(1h, any);"), "expected who"},
	    {VO(BATCH "use batch(any, 5);"), "not a duration"},
	    {VO(BATCH "use batch any;"), "expected '('"},
	    {VO(BATCH "use batch(any, 1h)"), "expected ';'"},
	    {VO(BATCH "use @ batch(any, 1h);"), "not an id"},
	    {VO(BATCH "use batch(any, 1h); use batch(any, 2h);"), "two statements are @cap"},
	    {VO(BATCH BATCH), "there already"},
	    {VO("template t() { permit any action any { "), "does not end"},
	    {VO("template t() permit any action any;"), "expected '{'"},
	    {VO("template { }"), "expected the name of the template"},
	    {VO("template t { }"), "expected '('"},
	    {VO("template t(who principal) { }"), "expected a parameter"},
	    {VO("template t($who people) { }"), "not a type of parameter"},
	    {VO("template t($who principl) { }"), "not a type of parameter"},
	    {VO("template t($a number, $a number) { }"), "twice"},
	    {VO("template t($a number $b number) { }"), "expected ')'"},
	    {VO("define $a { 1 } template t($a number) { }"), "is a named set"},
	    {VO("template t() { template u() { } } use t();"), "in a template"},
	    {VO("template t() { use t(); } use t();"), "in a template"},
	    {VO("template t() { define $x { 1 } } use t();"), "in a template"},
	    {VO("template t() { schema { } } use t();"), "in a template"},
	    {VO("template t($w principal) { permit $w action job.sumbit; } use t(any);"),
	        "unknown action 'job.sumbit' (in the use of t at 1:"},
	    {VO("template t($w principal) { permit $x action any; } use t(any);"),
	        "no set named $x"},
	    {VO("template t($d duration) { permit $d action any; } use t(1h);"), "expected who"},
	    {VO("template t($w principal) { forbid $w action any; } use t(role /demo/Role=x);"),
	        "roles can be left out"},
	    {VO("template t($w principal) { permit $w action any } use t(any);"),
	        "but the template ends here"},
	    {VO("template t() { permit @a12345678901234567890123456789012 any action any; } use "
	        "@b12345678901234567890123456789012 t();"),
	        "more than 63 bytes"},
	    {"site \"lab\" serial 1 { template t() { node n1; } use t(); }", "in a template"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_refuse(cases[i].text, cases[i].message);
}
END_TEST

/* What nothing uses is read as well, as far as it can be without arguments. */
START_TEST(unused_templates)
{
	static const char *const good[] = {BATCH, "template t() { }",
	    "template t($w principal) { permit any action job.submit when who in $w; permit $w "
	    "action any; delegate $w action any; forbid $w action any when not $w; }",
	    "template t($a action) { permit any action $a, job.show when action in {$a}; "
	    "permit any action $a when action in $a; permit any action any when action == $a; }",
	    "template t($p place) { permit any action any on $p & tag:t; permit any action any on "
	    "$p "
	    "when on $p; }",
	    "template t($n number, $m number) { permit any action job.submit when job.cpu in {$n, "
	    "1} "
	    "and job.cpu in $m and job.cpu > 99; }",
	    "template t($s string) { forbid any action any when auth.method == $s because $s; "
	    "permit user $s action any; permit role $s action any; permit group $s action any; "
	    "permit any action $s; limit any action any { account_class in {$s}; } limit any "
	    "action "
	    "any { account_class in $s; } }",
	    "template t($d duration, $b size) { limit any action any { wall <= $d; memory <= $b; } "
	    "forbid any action any on change stop after $d; }",
	    "template t($i prefix, $w time-window) { forbid any action any when ip(ctx.src) in $i "
	    "or "
	    "time in $w; } ",
	    "template t() { permit $later action any; } define $later { user x }"};
	static const struct {
		const char *text, *message;
	} bad[] = {{"template t() { garbage }", "'garbage' does not start a statement"},
	    {"template t() { permit any action job.sumbit; }",
	        "(in the template t, which nothing uses)"},
	    {"template t($d duration) { permit $d action any; }", "holds numbers, not principals"},
	    {"template t($d number) { limit any action any { wall <= $d; } }", "not a duration"},
	    {"template t() { permit any action any when (; }", "in the template t"},
	    {"template t() { limit any action any; }", "needs its { }"},
	    {"template t() { permit $none action any; }", "no set named $none"},
	    {"template t($w principal) { permit $w action any; permit $- action any; }",
	        "no set named $-"},
	    {"template t() { use t(); }", "in a template"},
	    {"template t() { permit any action any }", "but the template ends here"}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[2000];
		snprintf(text, sizeof(text), VO("%s permit any action job.show;"), good[i]);
		struct xos_policy_set *set = must_parse(text);
		ck_assert_uint_eq(xos_policy_set_count(set), 1);
		xos_policy_set_unref(set);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[2000];
		snprintf(text, sizeof(text), VO("%s"), bad[i].text);
		must_refuse(text, bad[i].message);
	}
	means(VO("template t() { permit any action any when time in 08:00-09:00 Europe/Paris; }"),
	    "schema 2 {\n}");
}
END_TEST

START_TEST(unused_templates_tell_where)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	static const char text[] = "vo \"demo\" serial 1 {\n"
	                           "  template t($who principal, $n number) {\n"
	                           "    permit $who action job.shwo;\n"
	                           "    permit $who action job.show;\n"
	                           "    permit any action $n;\n"
	                           "  }\n"
	                           "}\n";
	ck_assert_int_eq(xos_policy_set_parse(text, strlen(text), "x", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 2);
	ck_assert_uint_eq(errs.list[0].line, 3);
	ck_assert_uint_eq(errs.list[0].col, 24);
	ck_assert_uint_eq(errs.list[1].line, 5);
	ck_assert_uint_eq(errs.list[1].col, 23);
}
END_TEST

START_TEST(both_places_are_told)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	static const char text[] = "vo \"demo\" serial 1 {\n"
	                           "  template t($who principal) {\n"
	                           "    permit $who action job.submit;\n"
	                           "    permit $who actoin job.show;\n"
	                           "    permit $who action job.shwo;\n"
	                           "  }\n"
	                           "  use t(any);\n"
	                           "  permit nobody action any;\n"
	                           "}\n";
	ck_assert_int_eq(xos_policy_set_parse(text, strlen(text), "x", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 3);
	ck_assert_uint_eq(errs.list[0].line, 4);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "(in the use of t at 7:3)"));
	ck_assert_uint_eq(errs.list[1].line, 5);
	ck_assert_str_eq(errs.list[1].hint, "did you mean job.show?");
	ck_assert_uint_eq(errs.list[2].line, 8);
	ck_assert_ptr_null(strstr(errs.list[2].text, "in the use"));
}
END_TEST

static enum xos_status parse_large(const struct xos_buf *b, struct xos_policy_errors *errs)
{
	struct xos_policy_set *set;
	enum xos_status status = xos_policy_set_parse((const char *)b->p, b->n, "big", &set, errs);
	xos_policy_set_unref(set);
	return status;
}

/* A body of 64 KiB of comment, used 10 000 times: it ends at the bound and soon. */
START_TEST(bombs)
{
	static struct xos_policy_errors errs;
	struct xos_buf b;
	xos_buf_init(&b, 16 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 { template t() {\n#");
	for (int i = 0; i < 65536; i++)
		xos_buf_u8(&b, 'x');
	xos_buf_put_str(&b, "\n}\n");
	for (int i = 0; i < 10000; i++)
		xos_buf_put_str(&b, "use t();\n");
	xos_buf_put_str(&b, "}");
	ck_assert_int_eq(parse_large(&b, &errs), XOS_LIMIT);
	ck_assert_uint_eq(errs.n, 1);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "bytes of text"));
	xos_buf_free(&b);
	/* The same with an argument. */
	xos_buf_init(&b, 16 << 20);
	xos_buf_put_str(&b,
	    "vo \"demo\" serial 1 { template t($a string) { permit any action any when "
	    "auth.method in {$a");
	for (int i = 0; i < 200; i++)
		xos_buf_put_str(&b, ",$a");
	xos_buf_put_str(&b, "}; }\n");
	for (int i = 0; i < 900; i++) {
		xos_buf_put_str(&b, "use t(\"");
		for (int j = 0; j < 250; j++)
			xos_buf_u8(&b, 'y');
		xos_buf_put_str(&b, "\");\n");
	}
	xos_buf_put_str(&b, "}");
	ck_assert_int_eq(parse_large(&b, &errs), XOS_LIMIT);
	xos_buf_free(&b);
	/* 400 x 600 statements are more than there may be. */
	xos_buf_init(&b, 16 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 { template t() {");
	for (int i = 0; i < 600; i++)
		xos_buf_put_str(&b, "permit user a action any;");
	xos_buf_put_str(&b, "}\n");
	for (int i = 0; i < 400; i++)
		xos_buf_put_str(&b, "use t();\n");
	xos_buf_put_str(&b, "}");
	ck_assert_int_eq(parse_large(&b, &errs), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "more than 200000 statements"));
	xos_buf_free(&b);
	/* More names than there may be. */
	xos_buf_init(&b, 16 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 {");
	for (int i = 0; i < 513; i++)
		xos_buf_printf(&b, "template t%d() { } define $s%d { x }\n", i, i);
	xos_buf_put_str(&b, "}");
	ck_assert_int_eq(parse_large(&b, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 2);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "more than 512 templates"));
	ck_assert_ptr_nonnull(strstr(errs.list[1].text, "more than 512 named sets"));
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy templates");
	TCase *tc = tcase_create("language");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, uses);
	tcase_add_test(tc, parameter_types);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, unused_templates);
	tcase_add_test(tc, unused_templates_tell_where);
	tcase_add_test(tc, both_places_are_told);
	tcase_add_test(tc, bombs);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
