/* The language: what is accepted, what is refused and how it is told, and the bounds. */
#include "policy_test.h"

#define SLICE "accounts vo demo uid 1900000000-1900999999"

#define VO(body) "vo \"demo\" serial 1 { " body " }"
#define SITE(body) "site \"lab\" serial 1 { " body " }"

static void round_trip(const char *text)
{
	struct xos_buf once, twice;
	struct xos_policy_set *set = must_parse(text);
	xos_buf_init(&once, 1 << 20);
	xos_buf_init(&twice, 1 << 20);
	xos_policy_set_text(set, &once);
	xos_policy_set_unref(set);
	set = must_parse(xos_buf_str(&once));
	xos_policy_set_text(set, &twice);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	xos_policy_set_unref(set);
	xos_buf_free(&once);
	xos_buf_free(&twice);
}

START_TEST(canonical_text_parses_to_itself)
{
	static const char *const texts[] = {VO(""), VO("permit any action any;"),
	    VO("permit @a.b group /demo/x action job.*, file.read on site:lab & tag:a & tag:b & "
	       "class:c because \"a\\\"b\\\\c\" contact \"x\";"),
	    VO("permit exactly /demo/x action any on job:* when (auth.mfa or auth.age < 2h) and "
	       "not (user bob and home \"x y\");"),
	    VO("permit user alice action any when auth.mfa == false unless auth.mfa != false when "
	       "not not auth.mfa;"),
	    VO("forbid any action job.submit when ip(ctx.src) in {10.0.0.0/8, 2001:db8::/32, "
	       "0.0.0.0/0, ::/0} unless now <= 2026-12-01T00:00Z;"),
	    VO("limit any action any { wall <= 90s; memory <= 4GiB; file_size <= 10GB; cpu <= 3; "
	       "account_class in {b, a}; }"),
	    VO("limit any action any when time in 22:00-06:00 -05:30 { wall <= 1w }"),
	    VO("shadow duty any action any { record; notify \"x\"; } because \"y\";"),
	    VO("permit role /demo/Role=x action any when ctx.service in {sshd, \"a b\"} or job.cpu "
	       "in {1, 3, 2, 1};"),
	    SITE("accounts vo demo uid 1900000000-1900999999; accounts vo bio uid "
	         "2000000000-2000999999; "
	         "node n1 { class c; tag b, a; } node n2;"
	         "permit local action session.open; permit user demo:alice action file.* on "
	         "file:/a/b & file:/a;"),
	    "node \"lab/n1.example.org\" serial 7 schema 1 { forbid vo demo action any on "
	    "node:lab/n1.example.org; }",
	    "delegation { }",
	    "delegation by user \"alice\" { check @c action in {job.show} and on tag:gpu or has "
	    "ctx.src;"
	    "limit action job.submit on site:lab when auth.mfa { lifetime <= 2h; } }"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		round_trip(texts[i]);
}
END_TEST

START_TEST(accessors)
{
	size_t n;
	struct xos_policy_set *set =
	    must_parse(SITE("# a comment\n accounts vo demo uid 1900000000-1900999999;\n node n2 { "
	                    "class login; }\n node n1 { tag gpu; }\n"
	                    "\n forbid @f vo demo action job.submit because \"b\" contact \"c\";\n "
	                    "shadow permit any action any;"));
	ck_assert_int_eq(xos_policy_set_level(set), XOS_POLICY_SITE);
	ck_assert_str_eq(xos_policy_set_name(set), "lab");
	ck_assert_uint_eq(xos_policy_set_serial(set), 1);
	ck_assert_uint_eq(xos_policy_set_schema(set), 1);
	const struct xos_policy_accounts *a = xos_policy_set_accounts(set, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(a->vo, "demo");
	ck_assert_uint_eq(a->first, 1900000000);
	ck_assert_uint_eq(a->last, 1900999999);
	ck_assert_ptr_nonnull(xos_policy_set_nodes(set, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(xos_policy_set_node(set, "n1")->tags[0], "gpu");
	ck_assert_str_eq(xos_policy_set_node(set, "n2")->class_name, "login");
	ck_assert_ptr_null(xos_policy_set_node(set, "n3"));
	ck_assert_uint_eq(xos_policy_set_count(set), 2);
	const struct xos_policy_statement *s = xos_policy_set_statement(set, 0);
	ck_assert_int_eq(xos_policy_statement_effect(s), XOS_POLICY_FORBID);
	ck_assert_str_eq(xos_policy_statement_id(s), "f");
	ck_assert_str_eq(xos_policy_statement_because(s), "b");
	ck_assert_str_eq(xos_policy_statement_contact(s), "c");
	ck_assert_uint_eq(xos_policy_statement_line(s), 6);
	s = xos_policy_set_statement(set, 1);
	ck_assert(xos_policy_statement_shadow(s));
	ck_assert_uint_eq(xos_policy_statement_number(s), 2);
	ck_assert_ptr_null(xos_policy_set_statement(set, 2));
	xos_policy_set_unref(set);
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {{"", "starts with vo, group, site, node, owner or"},
    {"grup \"x\"", "starts with vo"}, {"vo demo serial 1 { }", "expected the name"},
    {"vo \"Demo\" serial 1 { }", "not the name of a VO"},
    {"site \"a b\" serial 1 { }", "not the name of a site"},
    {"node \"lab\" serial 1 { }", "not the name of a node"},
    {"vo \"demo\" { }", "expected 'serial'"}, {"vo \"demo\" serial 0 { }", "serials start at 1"},
    {"vo \"demo\" serial -1 { }", "whole number"},
    {"vo \"demo\" serial 1 schema 4 { }", "schema version 4"},
    {"vo \"demo\" serial 1 { } x", "after the end"},
    {"vo \"demo\" serial 1 { permit any action any;", "the text ends here"},
    {"delegation by user \"Alice\" { }", "not the name of a member"},
    {VO("permit any action job.sumbit;"), "unknown action 'job.sumbit'"},
    {VO("permit any action jo.*;"), "unknown action"},
    {VO("permit any action .*;"), "unknown action"}, {VO("permit any;"), "expected 'action'"},
    {VO("permit action any;"), "expected who"}, {VO("permit any action any"), "expected ';'"},
    {VO("permit group demo action any;"), "not the full name"},
    {VO("permit role /demo/x action any;"), "not the full name"},
    {VO("permit exactly /demo/Role=x action any;"), "not the full name"},
    {VO("permit group /biomed/x action any;"), "not of this VO"},
    {VO("permit user bio:bob action any;"), "not of this VO"},
    {VO("permit group /demo2 action any;"), "not of this VO"},
    {VO("permit vo demo action any;"), "about that VO"}, {VO("permit local action any;"), "no VO"},
    {VO("permit any action any on sites:x;"), "not a resource"},
    {VO("permit any action any on site:lab & site:b;"), "nothing is both"},
    {VO("permit any action any on tag:a & tag:a;"), "twice"},
    {VO("permit any action any on file:/a/../b;"), "not a resource"},
    {VO("permit any action any on any & tag:x;"), "expected ';'"},
    {VO("permit any action any on job:a*;"), "not a resource"},
    {SITE("permit any action any on site:other;"), "another site"},
    {SITE("permit any action any on node:other/n1;"), "another site"},
    {SITE("permit any action any when on site:other;"), "another site"},
    {SITE("permit user alice action any;"), "lacks its VO"},
    {"node \"lab/n1\" serial 1 { forbid any action any on node:lab/n2; }", "another node"},
    {"node \"lab/n1\" serial 1 { accounts vo demo uid 1-2; }", "site's set"},
    {VO("node n1 { }"), "site's set"},
    {"delegation { permit any action any; }", "does not say who"},
    {"delegation { permit action any; }", "cannot say this"},
    {"delegation { forbid action any; }", "cannot say this"},
    {"delegation { limit any { wall <= 1s; } }", "does not say who"},
    {"delegation { shadow check auth.mfa; }", "cannot say this"},
    {VO("check auth.mfa;"), "belongs into a delegation"},
    {VO("forbid role /demo/Role=x action any;"), "roles can be left out"},
    {VO("forbid group /demo/Role=x action any;"), "roles can be left out"},
    {VO("forbid any action any when role /demo/Role=x;"), "roles can be left out"},
    {VO("forbid any action any when auth.mfa and (user bob or role /demo/Role=x);"),
        "roles can be left out"},
    {VO("forbid any action any unless not role /demo/Role=x;"), "roles can be left out"},
    {VO("limit any action any when role /demo/Role=x { wall <= 1h; }"), "roles can be left out"},
    {VO("limit role /demo/Role=x action any { wall <= 1h; }"), "roles can be left out"},
    {VO("permit any action any { wall <= 1h; }"), "has no { }"},
    {VO("limit any action any;"), "needs its { }"},
    {VO("limit any action any { wall <= 10; }"), "not a duration"},
    {VO("limit any action any { wall < 1h; }"), "expected '<='"},
    {VO("limit any action any { memory <= 4; }"), "not a size"},
    {VO("limit any action any { memory <= 99999999TiB; }"), "not a size"},
    {VO("limit any action any { wall <= 1h; wall <= 2h; }"), "limited twice"},
    {VO("limit any action any { walls <= 1h; }"), "cannot be limited"},
    {VO("limit any action any { wall <= 0s; }"), "limit of nothing"},
    {VO("limit any action any { account_class in {}; }"), "not a name"},
    {VO("limit any action any { account_class in {a, a}; }"), "twice"},
    {VO("limit any action any { networks in {}; }"), "not an address prefix"},
    {VO("limit any action any { networks in {10.0.0.1/8}; }"), "not an address prefix"},
    {VO("limit any action any { networks in {10.0.0.0/8, closed}; }"), "not an address prefix"},
    {VO("limit any action any { networks <= 1; }"), "expected 'in'"},
    {VO("limit any action any { closed_networks closed; }"), "expected 'in'"},
    {VO("limit any action any { networks closed; networks closed; }"), "limited twice"},
    {VO("duty any action any { }"), "name of a duty"},
    {VO("permit any action any when ctx.scr == 1;"), "unknown attribute"},
    {VO("permit any action any when ctx.src == 1;"), "address"},
    {VO("permit any action any when auth.age <= 5;"), "not a duration"},
    {VO("permit any action any when auth.age;"), "comparison"},
    {VO("permit any action any when auth.method < a;"), "is a string"},
    {VO("permit any action any when auth.mfa == 1;"), "not a bool"},
    {VO("permit any action any when ip(auth.age) in 10.0.0.0/8;"), "not an address"},
    {VO("permit any action any when ip(ctx.src) in 10.0.0.1/8;"), "not an address prefix"},
    {VO("permit any action any when ip(ctx.src) in 10.0.0.0/33;"), "not an address prefix"},
    {VO("permit any action any when ip(ctx.src) in ::ffff:10.0.0.0/104;"), "not an address prefix"},
    {VO("permit any action any when time in 08:00-20:00 Paris;"), "not a time zone"},
    {VO("permit any action any when time in 08:00-20:00;"), "not a time zone"},
    {VO("permit any action any when time in 08:00-08:00 UTC;"), "not a window"},
    {VO("permit any action any when time in 8-20 UTC;"), "not a window"},
    {VO("permit any action any when time in 08:00-25:00 UTC;"), "not a window"},
    {VO("permit any action any when now < 2026-13-01T00:00Z;"), "not a time"},
    {VO("permit any action any when now < 2026-01-01;"), "not a time"},
    {VO("permit any action any when (auth.mfa;"), "expected ')'"},
    {VO("permit any action any when auth.mfa and;"), "unknown attribute"},
    {VO("permit any action any because \"\";"), "must not be empty"},
    {VO("permit any action any because x;"), "expected because"},
    {VO("permit any action any because \"a\" because \"b\";"), "a second because"},
    {VO("permit any action any because \"a\\n\";"), "backslash"},
    {VO("permit any action any because \"a\nb\";"), "does not end"},
    {VO("permit @x any action any; permit @x any action any;"), "two statements are @x"},
    {VO("permit @ any action any;"), "not an id"},
    {VO("quota any action any;"), "not supported yet"},
    {VO("pemrit any action any;"), "does not start a statement"},
    {VO("permit any action any $;"), "no meaning"},
    {SITE("accounts vo demo uid 1900000000-1900999999; accounts vo bio uid "
          "1900999999-1901000000;"),
        "overlap"},
    {SITE("accounts vo demo uid 1900000000-1900999999; accounts vo demo uid 65536-65600;"),
        "already"},
    {SITE("accounts vo demo uid 500-70000;"), "belong to"},
    {SITE("accounts vo demo uid 600100001-600100001;"), "containers"},
    {SITE("accounts vo demo uid 1879048191-1879048192;"), "containers"},
    {SITE("accounts vo demo uid 2147483647-2147483648;"), "negative"},
    {SITE("accounts vo demo uid 70000-66000;"), "not a range"},
    {SITE("accounts vo demo uid 70000;"), "not a range"},
    {SITE("accounts vo demo uid 99999999999-99999999999;"), "not a range"},
    {SITE(SLICE " jobs 1900000500-1950000000;"), "overlap"},
    {SITE(SLICE " jobs 1900000000-1900000009;"), "overlap"},
    {SITE(SLICE " jobs 70000-66000;"), "not a range"},
    {SITE(SLICE " jobs 1879048191-1879048192;"), "containers"},
    {SITE(SLICE " jobs;"), "not a range"}, {SITE(SLICE " home \"/%\";"), "single %"},
    {SITE(SLICE " home \"home/%\";"), "single %"}, {SITE(SLICE " home \"/home/%/x\";"), "single %"},
    {SITE(SLICE " home \"/home/x%\";"), "single %"},
    {SITE(SLICE " home \"/home/%/%\";"), "single %"},
    {SITE(SLICE " home \"/home/../etc/%\";"), "single %"},
    {SITE(SLICE " home \"/home//%\";"), "single %"}, {SITE(SLICE " home \"/home\";"), "single %"},
    {SITE(SLICE " home \"/ho me/%\";"), "passwd(5)"},
    {SITE(SLICE " home \"/a:b/%\";"), "passwd(5)"},
    {SITE(SLICE " home;"), "expected the folder of homes"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid 1900000007;"), "overlap"},
    {SITE(SLICE " jobs 1950000000-1950000999; accounts vo demo group /demo/a gid 1950000999;"),
        "overlap"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid 1960000000; accounts vo demo group /demo/b "
                "gid 1960000000;"),
        "overlap"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid 1960000000; accounts vo demo group /demo/a "
                "gid 1960000001;"),
        "a gid already"},
    {SITE(SLICE "; accounts vo demo group /bio/a gid 1960000000;"), "not a group of VO demo"},
    {SITE(SLICE "; accounts vo demo group /demo2/a gid 1960000000;"), "not a group of VO demo"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid 27;"), "system accounts"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid 4294967296;"), "not a gid"},
    {SITE(SLICE "; accounts vo demo group /demo/a gid -1;"), "not a gid"},
    {SITE("accounts vo demo group /demo/a gid 1960000000;"), "no uids"},
    /* What a wide range hides behind a narrow one. */
    {SITE("accounts vo a uid 1900000000-1950000000; accounts vo b uid 1900000001-1900000002; "
          "accounts vo c uid 1940000000-1940000001;"),
        "slices of uids of a and b"},
    {SITE("node n1 { } node n1;"), "declared twice"}, {SITE("node N1;"), "not the name of a node"},
    {SITE("node n1 { class a; class b; }"), "one class"},
    {SITE("node n1 { tag a, a; }"), "tag a twice"}};

START_TEST(refusals)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		must_refuse(refused[i].text, refused[i].message);
}
END_TEST

START_TEST(rules_of_accounts)
{
	static const char canonical[] =
	    "site \"lab\" serial 1 schema 1 {\n"
	    "  accounts vo demo uid 1900000000-1900999999 jobs 1950000000-1950000999 home "
	    "\"/srv/home/%\";\n"
	    "  accounts vo bio uid 1910000000-1910999999;\n"
	    "  accounts vo demo group /demo gid 1960000002;\n"
	    "  accounts vo demo group /demo/physics gid 1960000001;\n}\n";
	struct xos_buf out;
	size_t n;
	struct xos_policy_set *set = must_parse(
	    SITE("accounts vo bio uid 1910000000-1910999999 home none; accounts vo demo group "
	         "/demo/physics gid 1960000001;accounts vo demo group /demo gid 1960000002;" SLICE
	         " jobs 1950000000-1950000999 home \"/srv/home/%\";"));
	const struct xos_policy_accounts *a = xos_policy_set_accounts(set, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(a[0].jobs_first, 1950000000);
	ck_assert_uint_eq(a[0].jobs_last, 1950000999);
	ck_assert_str_eq(a[0].home, "/srv/home/%");
	ck_assert_uint_eq(a[1].jobs_first, 0);
	ck_assert_ptr_null(a[1].home);
	const struct xos_policy_account_group *g = xos_policy_set_account_groups(set, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(g[1].group, "/demo/physics");
	ck_assert_str_eq(g[1].vo, "demo");
	ck_assert_uint_eq(g[1].gid, 1960000001);
	xos_buf_init(&out, 4096);
	xos_policy_set_text(set, &out);
	ck_assert_str_eq(xos_buf_str(&out), canonical);
	xos_policy_set_unref(must_parse(xos_buf_str(&out)));
	xos_buf_free(&out);
	xos_policy_set_unref(set);
}
END_TEST

START_TEST(uid_slices_at_the_edges)
{
	struct xos_policy_set *set = must_parse(
	    SITE("accounts vo a uid 65536-99999; accounts vo b uid 1879048192-2147483647;"));
	xos_policy_set_unref(set);
}
END_TEST

START_TEST(one_run_tells_many_errors)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	struct xos_buf out;
	static const char text[] =
	    "vo \"demo\" serial 1 {\n  permit any action job.sumbit;\n"
	    "  limit any action any { walls <= 1h; }\n  permit any action any on tag:gpu;\n"
	    "  pemrit any action any;\n  permit any actoin any\n  forbid any action any when "
	    "auth.mfaa;\n}\n";
	ck_assert_int_eq(
	    xos_policy_set_parse(text, strlen(text), "demo.xos", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, 5);
	ck_assert_uint_eq(errs.list[0].line, 2);
	ck_assert_uint_eq(errs.list[0].col, 21);
	ck_assert_str_eq(errs.list[0].hint, "did you mean job.submit?");
	ck_assert_uint_eq(errs.list[1].line, 3);
	ck_assert_uint_eq(errs.list[2].line, 5);
	ck_assert_str_eq(errs.list[2].hint, "did you mean permit?");
	ck_assert_uint_eq(errs.list[3].line, 6);
	ck_assert_uint_eq(errs.list[4].line, 7);
	xos_buf_init(&out, 10000);
	xos_policy_errors_print(&errs, &out);
	ck_assert_ptr_nonnull(
	    strstr(xos_buf_str(&out), "demo.xos:2:21: error: unknown action 'job.sumbit'\n    "
	                              "hint: did you mean job.submit?\n"));
	xos_buf_free(&out);
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(
	    xos_policy_set_load(text, strlen(text), "demo.xos", &set, &err), XOS_MALFORMED);
	ck_assert_str_eq(
	    err.text, "demo.xos:2:21: unknown action 'job.sumbit' (did you mean job.submit?)");
}
END_TEST

/* n times piece between before and after. */
static char *repeat(const char *before, const char *piece, size_t n, const char *after, size_t *len)
{
	size_t b = strlen(before), p = strlen(piece), a = strlen(after);
	char *s = malloc(b + n * p + a + 1), *at = s;
	ck_assert_ptr_nonnull(s);
	memcpy(at, before, b);
	at += b;
	for (size_t i = 0; i < n; i++, at += p)
		memcpy(at, piece, p);
	memcpy(at, after, a + 1);
	*len = b + n * p + a;
	return s;
}

static enum xos_status parse_repeated(const char *before, const char *piece, size_t n,
    const char *after, struct xos_policy_errors *errs)
{
	struct xos_policy_set *set;
	size_t len;
	char *s = repeat(before, piece, n, after, &len);
	enum xos_status status = xos_policy_set_parse(s, len, "big", &set, errs);
	ck_assert_int_eq(status == XOS_OK, set != NULL);
	xos_policy_set_unref(set);
	free(s);
	return status;
}

START_TEST(bounds)
{
	static struct xos_policy_errors errs;
	static const char head[] = "vo \"demo\" serial 1 { permit any action any when ";
	/* nesting */
	ck_assert_int_eq(parse_repeated(head, "(", 10000, "", &errs), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "nested deeper"));
	ck_assert_int_eq(parse_repeated(head, "not ", 10000, "auth.mfa; }", &errs), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "nested deeper"));
	ck_assert_int_eq(parse_repeated(head, "not ", 64, "auth.mfa; }", &errs), XOS_OK);
	ck_assert_int_eq(parse_repeated(head, "not ", 65, "auth.mfa; }", &errs), XOS_MALFORMED);
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 ", "{", 10000, "", &errs), XOS_MALFORMED);
	/* nodes of a body: n leaves, one more leaf and the "or" above them */
	ck_assert_int_eq(parse_repeated(head, "auth.mfa or ", 4094, "auth.mfa; }", &errs), XOS_OK);
	ck_assert_int_eq(
	    parse_repeated(head, "auth.mfa or ", 4095, "auth.mfa; }", &errs), XOS_MALFORMED);
	/* a name of 1 MiB, and one just too long */
	ck_assert_int_eq(parse_repeated("vo \"demo\" serial 1 { permit group /demo/", "x", 1000000,
	                     " action any; }", &errs),
	    XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "a name of 1000006 bytes"));
	ck_assert_int_eq(
	    parse_repeated("vo \"", "x", 1000000, "\" serial 1 { }", &errs), XOS_MALFORMED);
	/* whole text: 16 MiB are read, one byte more is not */
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 { }", " ", (16 << 20) - 22, "", &errs), XOS_OK);
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 { }", " ", (16 << 20) - 21, "", &errs), XOS_LIMIT);
	ck_assert_int_eq(parse_repeated("vo \"demo\" serial 1 { ",
	                     "permit user a action file.read;", 200000, "}", &errs),
	    XOS_OK);
	ck_assert_int_eq(parse_repeated("vo \"demo\" serial 1 { ",
	                     "permit user a action file.read;", 200001, "}", &errs),
	    XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "more than 200000 statements"));
	/* what no index can leave out */
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 { ", "permit any action any;", 1000, "}", &errs),
	    XOS_OK);
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 { ", "permit any action any;", 1001, "}", &errs),
	    XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "say neither who nor where"));
	/* a text of nothing but errors tells a bounded number of them */
	ck_assert_int_eq(
	    parse_repeated("vo \"demo\" serial 1 { ", "permit x; ", 100000, "}", &errs),
	    XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, XOS_POLICY_ERRORS_MAX);
	ck_assert_int_eq(parse_repeated("", "\x01", 100000, "", &errs), XOS_MALFORMED);
	ck_assert_int_eq(parse_repeated("vo \"demo\" serial 1 { permit any action any on ",
	                     "tag:x & ", 100000, "", &errs),
	    XOS_MALFORMED);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	static const char nul[] = "vo \"demo\" serial 1 {\0}",
	                  nul2[] = "vo \"de\0mo\" serial 1 { }";
	static const char utf8[] = "vo \"demo\" serial 1 {\n # caf\xe9\n }",
	                  cut[] = "vo \"demo\" serial 1 { } # \xc3";
	ck_assert_int_eq(
	    xos_policy_set_parse(nul, sizeof(nul) - 1, "x", &set, &errs), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_policy_set_parse(nul2, sizeof(nul2) - 1, "x", &set, &errs), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_policy_set_parse(utf8, sizeof(utf8) - 1, "x", &set, &errs), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "UTF-8"));
	ck_assert_uint_eq(errs.list[0].line, 2);
	ck_assert_uint_eq(errs.list[0].col, 7);
	ck_assert_int_eq(
	    xos_policy_set_parse(cut, sizeof(cut) - 1, "x", &set, &errs), XOS_MALFORMED);
	ck_assert_int_eq(xos_policy_set_parse(NULL, 0, NULL, &set, NULL), XOS_MALFORMED);
	set = must_parse(
	    "vo \"demo\" serial 1 { permit any action any because \"caf\xc3\xa9\"; } # \xc3\xa9");
	xos_policy_set_unref(set);
	must_refuse("vo \"demo\" serial 1 { permit \xc3\xa9 action any; }", "no meaning");
}
END_TEST

/* Every prefix of a good text is an error and nothing worse. */
START_TEST(truncated_texts)
{
	static const char text[] = VO("permit @x group /demo/y action job.submit on site:l & tag:g "
	                              "when ip(ctx.src) in {10.0.0.0/8} "
	                              "and not (auth.age < 2h or time in 08:00-20:00 +01:00) "
	                              "because \"b\"; limit any action any { wall <= 1h; }");
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct xos_policy_set *set;
		char *copy = malloc(n + 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, n);
		ck_assert_int_eq(xos_policy_set_parse(copy, n, "x", &set, NULL), XOS_MALFORMED);
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy parse");
	TCase *tc = tcase_create("language");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, canonical_text_parses_to_itself);
	tcase_add_test(tc, accessors);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, rules_of_accounts);
	tcase_add_test(tc, uid_slices_at_the_edges);
	tcase_add_test(tc, one_run_tells_many_errors);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, bytes_that_are_no_text);
	tcase_add_test(tc, truncated_texts);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
