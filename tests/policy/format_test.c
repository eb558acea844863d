/* The formatter: what it makes of a text, that it loses nothing, that it changes nothing twice. */
#include "policy/format.h"
#include "policy/format_unit.h"
#include "policy_test.h"

#define HEAD "vo \"demo\" serial 1 {\n"

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

static unsigned fail_in; /* the n-th realloc from here on fails; 0: none does */

void *__wrap_realloc(void *p, size_t n)
{
	if (fail_in && --fail_in == 0)
		return NULL;
	return __real_realloc(p, n);
}

static char *formatted(const char *text, size_t len)
{
	static struct xos_policy_errors errs;
	struct xos_buf out;
	xos_buf_init(&out, XOS_POLICY_TEXT_MAX);
	enum xos_status status = xos_policy_format(text, len, "test", &out, &errs);
	ck_assert_msg(status == XOS_OK, "%s in: %.200s", errs.list[0].text, text);
	ck_assert_uint_eq(errs.total, 0);
	return xos_buf_steal(&out, NULL);
}

static char *meaning(const char *text)
{
	struct xos_policy_set *set = must_parse(text);
	struct xos_buf out;
	xos_buf_init(&out, 64u << 20);
	xos_policy_set_text(set, &out);
	xos_policy_set_unref(set);
	return xos_buf_steal(&out, NULL);
}

/* All comments of a text without the blanks at their ends, one a line; no "#" in strings. */
static char *comments(const char *text)
{
	struct xos_buf out;
	xos_buf_init(&out, XOS_POLICY_TEXT_MAX);
	for (const char *c = text; (c = strchr(c, '#')); c++) {
		size_t n = strcspn(c, "\n");
		while (strchr(" \t\r", c[n - 1]))
			n--;
		xos_buf_put(&out, c, n);
		xos_buf_put_str(&out, "\n");
		c += n - 1;
	}
	return xos_buf_steal(&out, NULL);
}

static void ck_clean(const char *text)
{
	ck_assert(strncmp(text, "\n", 1) != 0);
	ck_assert_ptr_null(strstr(text, " \n"));
	ck_assert_ptr_null(strstr(text, "\t\n"));
	ck_assert_ptr_null(strstr(text, "\n\n\n"));
	ck_assert_ptr_null(strstr(text, "\n\n}"));
	ck_assert_ptr_null(strchr(text, '\r'));
	size_t n = strlen(text);
	ck_assert_int_eq(text[n - 1], '\n');
	ck_assert_int_ne(text[n - 2], '\n');
}

/* Everything that holds for any text. Gives the new one, which the caller frees. */
static char *check(const char *text)
{
	char *once = formatted(text, strlen(text)), *twice = formatted(once, strlen(once));
	char *a = meaning(text), *b = meaning(once), *c = comments(text), *d = comments(once);
	ck_assert_str_eq(once, twice);
	ck_assert_str_eq(a, b);
	ck_assert_str_eq(c, d);
	ck_clean(once);
	free(twice);
	free(a);
	free(b);
	free(c);
	free(d);
	return once;
}

static void becomes(const char *text, const char *expected)
{
	char *s = check(text);
	ck_assert_str_eq(s, expected);
	free(s);
}

static void stays(const char *text)
{
	becomes(text, text);
}

START_TEST(one_statement_a_line)
{
	becomes(
	    "vo\t\"demo\"serial 1{permit any\n\n  action job.submit  ,session.open on any;permit "
	    "@x user bob action job.show;}",
	    HEAD "  permit any action job.submit, session.open on any;\n"
	         "  permit @x user bob action job.show;\n}\n");
	becomes("delegation{}", "delegation {\n}\n");
	becomes("site \"lab\" serial 1{accounts vo demo uid 1900000000-1900999999;node n1{\nclass "
	        "c;\ntag a,b;\n};node n2;node in{class c;}node n3{}}",
	    "site \"lab\" serial 1 {\n"
	    "  accounts vo demo uid 1900000000-1900999999;\n"
	    "  node n1 { class c; tag a, b; };\n  node n2;\n  node in { class c; }\n"
	    "  node n3 { }\n}\n");
}
END_TEST

START_TEST(blanks_between_tokens)
{
	becomes(
	    "vo \"demo\" serial 1 schema 1{limit any action job.submit on site:a&tag:b "
	    "when(auth.mfa or not(auth.age<2h))and ip ( ctx.src )in{10.0.0.0/8 ,::/0}{wall<=1h}}",
	    "vo \"demo\" serial 1 schema 1 {\n"
	    "  limit any action job.submit on site:a & tag:b\n"
	    "    when (auth.mfa or not (auth.age < 2h)) and ip(ctx.src) in {10.0.0.0/8, ::/0} { "
	    "wall "
	    "<= 1h }\n}\n");
}
END_TEST

START_TEST(the_style_of_the_examples_stays)
{
	stays("# The policy of the VO.\nvo \"demo\" serial 1 {\n"
	      "  # Tokens.\n"
	      "  limit @token-life any action token.issue on any { lifetime <= 12h; }\n\n"
	      "  # Students are members like any other, but not here.\n"
	      "  limit @job-size group /demo action job.submit on any {\n"
	      "    wall <= 24h; cpu_time <= 8h; lifetime <= 2h; processes <= 4096; files_open <= "
	      "1024;\n  }\n"
	      "  forbid @no-students group /demo/students action job.submit on any\n"
	      "    because \"Students use the batch queue of their course, not the interactive "
	      "nodes.\"\n"
	      "    contact \"ops@demo.example\";\n"
	      "  forbid group /demo action job.submit on tag:gpu\n    unless role /demo/Role=gpu\n"
	      "    because \"GPU nodes need the gpu role.\";\n}\n");
}
END_TEST

START_TEST(long_statements_break_at_their_clauses)
{
	becomes(HEAD
	    "  forbid group /demo/a-long-name, group /demo/another-long-name, user "
	    "somebody action job.submit, job.show on tag:gpu & class:compute when auth.age "
	    "< 1h and auth.age < 2h or auth.age < 3h and (auth.age < 4h or auth.age < 5h) "
	    "or auth.age < 6h unless auth.method in {aaaaaaaaaaaaaaaaaaaa, "
	    "bbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccc, dddddddddddddddddddddd, "
	    "eeeeee} on change stop after 10m;\n}",
	    HEAD "  forbid group /demo/a-long-name, group /demo/another-long-name, user somebody\n"
	         "    action job.submit, job.show on tag:gpu & class:compute\n"
	         "    when auth.age < 1h and auth.age < 2h or auth.age < 3h and (auth.age < 4h or "
	         "auth.age < 5h)\n"
	         "      or auth.age < 6h\n"
	         "    unless auth.method in {aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbb,\n"
	         "      cccccccccccccccccccccccc, dddddddddddddddddddddd, eeeeee}\n"
	         "    on change stop after 10m;\n}\n");
}
END_TEST

START_TEST(a_clause_may_follow_a_block)
{
	becomes(HEAD
	    "limit any action job.submit { wall <= 24h; cpu_time <= 8h; lifetime <= 2h; "
	    "processes <= 4096; files_open <= 1024; } because \"b\"; limit any action "
	    "job.show { wall <= 24h; } because \"one of the longest reasons\" contact \"of "
	    "one of the longest contacts\"; }",
	    HEAD
	    "  limit any action job.submit {\n    wall <= 24h; cpu_time <= 8h; lifetime <= 2h; "
	    "processes <= 4096; files_open <= 1024;\n  } because \"b\";\n"
	    "  limit any action job.show { wall <= 24h; }\n    because \"one of the longest "
	    "reasons\"\n    contact \"of one of the longest contacts\";\n}\n");
	becomes(HEAD "limit any action job.submit { wall <= 24h; } because \"b\" contact \"c\"; "
	             "shadow duty any action job.submit { record; notify \"x\" } permit user a "
	             "action job.show; }",
	    HEAD "  limit any action job.submit { wall <= 24h; } because \"b\" contact \"c\";\n"
	         "  shadow duty any action job.submit { record; notify \"x\" }\n"
	         "  permit user a action job.show;\n}\n");
}
END_TEST

START_TEST(comments_stay_where_they_are)
{
	becomes("#one\n\n\n  # two\t \nvo \"demo\" serial 1 {# three\n\n\n# four\n\n\n\n# five\n"
	        "permit any action job.show;# six\n      # seven\npermit # eight\nany # nine\n"
	        "  # ten\naction job.show # eleven\n ; # twelve\n# thirteen\n\n\n}# fourteen\n\n\n"
	        "# fifteen",
	    "#one\n\n# two\n"
	    "vo \"demo\" serial 1 {  # three\n  # four\n\n  # five\n"
	    "  permit any action job.show;  # six\n  # seven\n  permit  # eight\n      any  # "
	    "nine\n"
	    "    # ten\n    action job.show  # eleven\n      ;  # twelve\n  # thirteen\n"
	    "}  # fourteen\n\n# fifteen\n");
	becomes(HEAD "limit any action job.show { # a\n wall <= 1h; # b\n# c\ncpu <= 3; # d\n# e\n}"
	             "# f\n because \"g\"; }",
	    HEAD
	    "  limit any action job.show {  # a\n    wall <= 1h;  # b\n    # c\n    cpu <= 3;  "
	    "# d\n    # e\n  }  # f\n    because \"g\";\n}\n");
}
END_TEST

START_TEST(named_sets_templates_and_uses_stay)
{
	becomes(
	    "vo \"demo\" serial 1 schema 2 {define $a{10.0.0.0/8,::/0}define $own "
	    "{\n10.0.0.0/8,\n::/0};\ndefine $r { job.show, # one\njob.cancel }\n"
	    "schema{kind demo.x;action demo.y for demo.x;}"
	    "template t($who principal,$max duration){permit @p $who action $r;limit $who action "
	    "job.submit{wall<=$max;}}\n\n\nuse @c t ( group /demo/c , 4h ) ;permit any action "
	    "job.show when has ctx.src and (ip(ctx.src) in $a or ip(ctx.src) in $own);}",
	    "vo \"demo\" serial 1 schema 2 {\n  define $a { 10.0.0.0/8, ::/0 }\n"
	    "  define $own {\n    10.0.0.0/8,\n    ::/0\n  };\n"
	    "  define $r {\n    job.show,  # one\n    job.cancel\n  }\n"
	    "  schema {\n    kind demo.x;\n    action demo.y for demo.x;\n  }\n"
	    "  template t($who principal, $max duration) {\n    permit @p $who action $r;\n"
	    "    limit $who action job.submit { wall <= $max; }\n  }\n\n"
	    "  use @c t(group /demo/c, 4h);\n"
	    "  permit any action job.show when has ctx.src and (ip(ctx.src) in $a or ip(ctx.src) "
	    "in "
	    "$own);\n}\n");
}
END_TEST

START_TEST(what_does_not_parse_is_left_alone)
{
	static const char *const texts[] = {"", "\n", "#", "vo",
	    HEAD "permit any action job.sumbit; }", HEAD "permit any action job.show; } }",
	    HEAD "permit any action \"job.show; }", HEAD "template t() { $ }"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		static struct xos_policy_errors errs;
		struct xos_buf out;
		xos_buf_init(&out, 1000);
		xos_buf_put_str(&out, "before");
		ck_assert_int_eq(
		    xos_policy_format(texts[i], strlen(texts[i]), "f", &out, &errs), XOS_MALFORMED);
		ck_assert_uint_gt(errs.total, 0);
		ck_assert_str_eq(xos_buf_str(&out), "before");
		ck_assert_int_eq(
		    xos_policy_format(texts[i], strlen(texts[i]), "f", &out, NULL), XOS_MALFORMED);
		xos_buf_free(&out);
	}
	struct xos_buf small;
	xos_buf_init(&small, 10);
	ck_assert_int_eq(xos_policy_format("delegation { }", 14, "f", &small, NULL), XOS_LIMIT);
	xos_buf_free(&small);
}
END_TEST

/* prefix, n times body, suffix; the caller frees it. */
static char *repeat(const char *prefix, const char *body, size_t n, const char *suffix)
{
	struct xos_buf out;
	xos_buf_init(&out, 64u << 20);
	xos_buf_put_str(&out, prefix);
	for (size_t i = 0; i < n; i++)
		xos_buf_put_str(&out, body);
	xos_buf_put_str(&out, suffix);
	return xos_buf_steal(&out, NULL);
}

START_TEST(large_texts)
{
	static const struct {
		const char *prefix, *body;
		size_t n;
		const char *suffix;
	} cases[] = {{HEAD "#", "x", 1 << 20, "\npermit any action job.show; }"},
	    {HEAD "permit any # a\n", "# b\n", 100000, "action job.show; }"},
	    {HEAD "permit any action job.show;", "\n", 100000, "permit user a action job.show; }"},
	    {HEAD, "# c\r\n\r\n\r\npermit user a \r\naction job.show; # d \r\n", 20000, "}\r\n"},
	    {HEAD "permit any action job.show", "\r\n\t ", 200000, "; }"},
	    {HEAD "permit any action job.show when auth.age < 1h", " or auth.age < 1h", 2000,
	        "; }"},
	    {HEAD,
	        "permit user a action job.show when (auth.age < 1h and (auth.mfa or not(auth.age < "
	        "2h)));",
	        5000, "}"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = repeat(cases[i].prefix, cases[i].body, cases[i].n, cases[i].suffix);
		free(check(text));
		free(text);
	}
}
END_TEST

/* The layout knows little of the grammar: it must end well for all that the lexer takes. */
START_TEST(any_tokens)
{
	static const struct {
		const char *prefix, *body;
		size_t n;
		const char *suffix;
	} cases[] = {{"", "", 0, ""}, {"", "{", 50000, ""}, {"", "}", 50000, ""},
	    {"a {", "(", 50000, "}"}, {"a {", "{ a,", 50000, "}"}, {"a { b { c; ", "{ ; ", 20, "}"},
	    {"", "template t {", 20000, ""}, {"a { ", "(a, b or { c and # x\n", 20000, "}"},
	    {"a { x in {", "b, ", 50000, "}"}, {"a {", "; ) } , ", 20000, "\"x\""},
	    {"a { limit when # c\n", "because on change { , # d\n } ", 2000, "; # e"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = repeat(cases[i].prefix, cases[i].body, cases[i].n, cases[i].suffix);
		struct xos_buf once, twice;
		xos_buf_init(&once, XOS_POLICY_TEXT_MAX);
		xos_buf_init(&twice, XOS_POLICY_TEXT_MAX);
		ck_assert_int_eq(xos_format_text(text, strlen(text), &once), XOS_OK);
		ck_assert(xos_format_same(text, strlen(text), (const char *)once.p, once.n));
		ck_assert_int_eq(xos_format_text((const char *)once.p, once.n, &twice), XOS_OK);
		ck_assert(xos_bytes_eq(xos_buf_bytes(&once), xos_buf_bytes(&twice)));
		xos_buf_free(&once);
		xos_buf_free(&twice);
		free(text);
	}
}
END_TEST

START_TEST(what_grows_past_the_bound_is_refused)
{
	static struct xos_policy_errors errs;
	/* Each statement is indented. */
	char *text = repeat(
	    HEAD "template t() {", "permit any action any;", XOS_POLICY_TEXT_MAX / 23, "} }");
	struct xos_buf out;
	xos_buf_init(&out, 2 * XOS_POLICY_TEXT_MAX);
	ck_assert_int_eq(xos_policy_format(text, strlen(text), "f", &out, &errs), XOS_LIMIT);
	ck_assert_uint_eq(errs.total, 1);
	ck_assert_ptr_nonnull(strstr(errs.list[0].text, "longer than a set may be"));
	ck_assert_int_eq(xos_policy_format(text, strlen(text), "f", &out, NULL), XOS_LIMIT);
	ck_assert_uint_eq(out.n, 0);
	xos_buf_free(&out);
	free(text);
}
END_TEST

START_TEST(memory_runs_out_at_every_place)
{
	static struct xos_policy_errors errs;
	char *text = repeat(HEAD, "permit user a action job.show;  # c\n", 100,
	    "permit user b action job.show when auth.age < 1h or auth.age < 2h; }");
	enum xos_status status = XOS_INTERNAL;
	unsigned failures = 0;
	for (unsigned i = 1; status != XOS_OK; i++) {
		struct xos_buf out;
		xos_buf_init(&out, XOS_POLICY_TEXT_MAX);
		fail_in = i;
		status = xos_policy_format(text, strlen(text), "f", &out, &errs);
		fail_in = 0;
		ck_assert(status == XOS_OK || (status == XOS_INTERNAL && out.n == 0));
		failures += status != XOS_OK;
		xos_buf_free(&out);
	}
	ck_assert_uint_gt(failures, 5);
	free(text);
}
END_TEST

START_TEST(the_last_check_sees_every_change)
{
	static const char text[] = "a { b; # c\n } # d";
	static const char *const others[] = {"a { b; } # d", "a { b; # c\n }", "a { b # c\n } # d",
	    "a { b; # d\n } # c", "a { # c\n b; } # d", "a { b; # c\n } # d\n;",
	    "a { \"b\"; # c\n } # d", "a { b; # cc\n } # d", ""};
	ck_assert(xos_format_same(text, strlen(text), "a{b;\n# c \r\n}\n# d", 16));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!xos_format_same(text, strlen(text), others[i], strlen(others[i])),
		    "%s", others[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy-format");
	TCase *c = tcase_create("format");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, one_statement_a_line);
	tcase_add_test(c, blanks_between_tokens);
	tcase_add_test(c, the_style_of_the_examples_stays);
	tcase_add_test(c, long_statements_break_at_their_clauses);
	tcase_add_test(c, a_clause_may_follow_a_block);
	tcase_add_test(c, comments_stay_where_they_are);
	tcase_add_test(c, named_sets_templates_and_uses_stay);
	tcase_add_test(c, what_does_not_parse_is_left_alone);
	tcase_add_test(c, large_texts);
	tcase_add_test(c, any_tokens);
	tcase_add_test(c, what_grows_past_the_bound_is_refused);
	tcase_add_test(c, memory_runs_out_at_every_place);
	tcase_add_test(c, the_last_check_sees_every_change);
	suite_add_tcase(suite, c);
	return run_suite(suite);
}
