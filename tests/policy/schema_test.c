/* The schema: its tables, its versions, and what a set adds. */
#include "policy/schema.h"

#include "policy/ast.h"
#include "engine.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"

START_TEST(tables_are_sound)
{
	size_t n, m;
	uint64_t codes = 1;
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(actions[i].code, XOS_POLICY_ACTION_OWN);
		ck_assert(!(codes >> actions[i].code & 1));
		codes |= UINT64_C(1) << actions[i].code;
		ck_assert(actions[i].since >= 1 && actions[i].since <= XOS_POLICY_SCHEMA);
		ck_assert_ptr_eq(
		    xos_policy_action_find(actions[i].name, XOS_POLICY_SCHEMA), &actions[i]);
		ck_assert_ptr_eq(xos_policy_action_by_code(actions[i].code), &actions[i]);
	}
	const struct xos_policy_attr *attrs = xos_policy_attrs(&n);
	codes = 1;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(attrs[i].code, XOS_POLICY_ATTR_OWN);
		ck_assert(!(codes >> attrs[i].code & 1));
		codes |= UINT64_C(1) << attrs[i].code;
		ck_assert(!(attrs[i].given & attrs[i].optional));
		ck_assert(attrs[i].given | attrs[i].optional);
		ck_assert_ptr_eq(xos_policy_attr_find(attrs[i].name, XOS_POLICY_SCHEMA), &attrs[i]);
		ck_assert_ptr_eq(xos_policy_attr_by_code(attrs[i].code), &attrs[i]);
		ck_assert_str_ne(xos_policy_type_name(attrs[i].type), "unknown");
	}
	const struct xos_policy_kind *kinds = xos_policy_kinds(&m);
	for (size_t i = 0; i < m; i++)
		ck_assert_ptr_eq(xos_policy_kind_find(kinds[i].name, 1), &kinds[i]);
	ck_assert_ptr_null(xos_policy_kind_find("disk", XOS_POLICY_SCHEMA));
	ck_assert_ptr_null(xos_policy_action_by_code(63));
	ck_assert_ptr_null(xos_policy_attr_by_code(63));
	ck_assert_ptr_null(xos_policy_cap_info(XOS_CAP_COUNT));
	ck_assert_str_eq(xos_policy_type_name((enum xos_policy_type)99), "unknown");
}
END_TEST

/* Codes stand in certificates. */
START_TEST(codes_never_change)
{
	static const char *const names[] = {"", "job.submit", "job.show", "job.cancel",
	    "session.open", "file.read", "file.write", "token.issue", "token.renew",
	    "token.delegate", "job.signal", "job.extend", "file.delete", "file.share",
	    "session.show", "session.close", "token.show", "token.revoke", "node.show",
	    "node.drain", "node.manage", "token.stock"};
	static const char *const attrs[] = {"", "auth.age", "auth.method", "auth.mfa",
	    "subject.is_owner", "ctx.src", "ctx.service", "job.wall", "job.cpu", "job.memory",
	    "token.lifetime", "resource.id", "job.name", "job.signal", "file.size", "session.tty",
	    "token.audience"};
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_str_eq(xos_policy_action_by_code((uint8_t)i)->name, names[i]);
	for (size_t i = 1; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		ck_assert_str_eq(xos_policy_attr_by_code((uint8_t)i)->name, attrs[i]);
}
END_TEST

START_TEST(versions)
{
	/* job.* of a set of version 1 means what it meant. */
	struct xos_policy_set *set =
	    must_parse("vo \"demo\" serial 1 { permit any action job.*; }");
	ck_assert_uint_eq(set->statements[0].actions, 0x0e);
	xos_policy_set_unref(set);
	set = must_parse(VO("permit any action job.*;"));
	ck_assert_uint_eq(set->statements[0].actions, 0x0c0e);
	xos_policy_set_unref(set);
	set =
	    must_parse("vo \"demo\" serial 1 { permit any action any; forbid user a action any; }");
	ck_assert_uint_eq(set->statements[0].actions, 0x3fe);
	ck_assert_uint_eq(set->statements[1].actions, UINT64_MAX);
	xos_policy_set_unref(set);
	must_refuse("vo \"demo\" serial 1 { permit any action job.signal; }", "unknown action");
	must_refuse("vo \"demo\" serial 1 { permit any action job.show when has job.name; }",
	    "unknown attribute");
	/* Who permitted token.* or any before there was token.stock has not permitted that. */
	set = must_parse("vo \"demo\" serial 1 schema 2 { permit any action any; permit any action "
	                 "token.*; forbid user a action any; }");
	ck_assert_uint_eq(set->statements[0].actions >> 21 & 1, 0);
	ck_assert_uint_eq(set->statements[1].actions >> 21 & 1, 0);
	ck_assert_uint_eq(set->statements[2].actions, UINT64_MAX);
	xos_policy_set_unref(set);
	set = must_parse("vo \"demo\" serial 1 schema 3 { permit any action token.stock; }");
	ck_assert_uint_eq(set->statements[0].actions, UINT64_C(1) << 21);
	xos_policy_set_unref(set);
	must_refuse(VO("permit any action token.stock;"), "unknown action");
	must_refuse("vo \"demo\" serial 1 schema 0 { }", "schema version 0");
	must_refuse("delegation schema 4 { }", "schema version 4");
}
END_TEST

#define OWN                                                                                        \
	"schema { kind demo.dataset; action demo.annotate for dataset, file; action demo.publish;" \
	" attribute demo.licences number optional for job.submit;"                                 \
	" attribute demo.level string given for demo.annotate; attribute demo.trial bool "         \
	"optional for"                                                                             \
	" any; } "

START_TEST(additions)
{
	struct xos_policy_set *set = must_parse(
	    VO(OWN "permit any action demo.* on demo.dataset:*, demo.dataset:42 when "
	           "action == demo.publish or demo.level == gold; "
	           "permit any action job.submit when has demo.licences and demo.licences <= 3; "
	           "permit user x action any; forbid user y action demo.annotate;"));
	ck_assert_uint_eq(set->nown_actions, 2);
	ck_assert_uint_eq(set->nown_attrs, 3);
	ck_assert_uint_eq(set->statements[0].actions, UINT64_C(3) << XOS_POLICY_ACTION_OWN);
	ck_assert_uint_eq(set->statements[0].nplaces, 2);
	ck_assert_uint_eq(set->statements[2].actions,
	    xos_policy_all_actions(2) | UINT64_C(3) << XOS_POLICY_ACTION_OWN);
	ck_assert_ptr_eq(xos_policy_set_attr(set, "demo.licences"), &set->own_attrs[0]);
	ck_assert_ptr_eq(xos_policy_set_action(set, "demo.publish"), &set->own_actions[1]);
	ck_assert(xos_policy_set_has_kind(set, "demo.dataset"));
	ck_assert(!xos_policy_set_has_kind(set, "demo.datasets"));
	struct xos_buf once, twice;
	xos_buf_init(&once, 10000);
	xos_buf_init(&twice, 10000);
	xos_policy_set_text(set, &once);
	xos_policy_set_unref(set);
	set = must_parse(xos_buf_str(&once));
	xos_policy_set_text(set, &twice);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	ck_assert_ptr_nonnull(
	    strstr(xos_buf_str(&once), "attribute demo.trial bool optional for any;"));
	xos_policy_set_unref(set);
	xos_buf_free(&once);
	xos_buf_free(&twice);
	/* A site repeats the declaration. */
	set = must_parse("site \"lab\" serial 1 schema 2 { " OWN
	                 "forbid vo demo action job.submit when not has demo.licences; }");
	xos_policy_set_unref(set);
}
END_TEST

static void ck_text(const char *text, const char *expected)
{
	struct xos_policy_set *set = must_parse(text);
	struct xos_buf b;
	xos_buf_init(&b, 10000);
	xos_policy_set_text(set, &b);
	ck_assert_msg(strstr(xos_buf_str(&b), expected) != NULL, "%s", xos_buf_str(&b));
	xos_buf_free(&b);
	xos_policy_set_unref(set);
}

/* What an action is about is part of what the set says, in one order and in full. */
START_TEST(kinds_of_actions)
{
	ck_text(VO("schema { kind demo.d; action demo.a for job, d, file; }"),
	    "action demo.a for demo.d, file, job;");
	ck_text(VO("schema { action demo.a; }"), "action demo.a;");
	must_refuse(VO("schema { kind demo.d; action demo.a for d, demo.d; }"), "demo.d twice");
}
END_TEST

#define FOR(kinds) "schema { kind demo.d; kind demo.e; action demo.a" kinds "; } "

/* An own action on what is on a machine is the site's affair as well. */
START_TEST(own_actions_at_sites)
{
	static const char *const kinds[] = {"site", "node", "job", "file", "session"};
	static const char *const fors[] = {VO(FOR("") "permit any action any;"),
	    VO(FOR(" for site, node, job, file, session") "permit any action demo.a;")};
	for (size_t i = 0; i < 5; i++) {
		const char *texts[] = {fors[i % 2],
		    "site \"lab\" serial 1 schema 2 { permit any action any; }",
		    "site \"far\" serial 1 schema 2 { " FOR("") "permit any action demo.a; }",
		    NULL};
		struct xos_policy *p = must_build_all(texts);
		struct xos_policy_request req = alice();
		req.action = "demo.a";
		req.resource =
		    (struct xos_policy_resource){.kind = kinds[i], .id = i == 3 ? "/data" : "1"};
		ck_decision(p, &req, UNDECIDED);
		req.resource.site = "lab";
		req.resource.node = "n1";
		ck_decision(p, &req, DENY); /* does not know the action */
		req.resource.site = "far";
		ck_decision(p, &req, PERMIT);
		xos_policy_unref(p);
	}
}
END_TEST

/* On another kind than it is for, a set does not know its action. */
START_TEST(own_actions_of_kinds)
{
	const char *texts[] = {
	    VO(FOR(" for d, file") "permit any action any; permit any action demo.*;"),
	    "site \"lab\" serial 1 schema 2 { " FOR(" for d") "permit any action demo.a; }",
	    "group \"/demo/physics\" serial 1 schema 2 { " FOR(
	        " for d") "forbid any action any on demo.e:*; }",
	    NULL};
	static const struct {
		const char *kind, *id, *site;
		enum xos_policy_decision expected;
	} cases[] = {{"demo.d", "1", NULL, PERMIT}, {"demo.d", "1", "lab", PERMIT},
	    {"demo.e", "1", NULL, DENY}, {"file", "/x", NULL, UNDECIDED},
	    {"file", "/x", "lab", DENY}, {"token", "1", NULL, DENY}, {"vo", NULL, NULL, DENY}};
	struct xos_policy *p = must_build_all(texts);
	struct xos_policy_request req = alice();
	req.action = "demo.a";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		req.resource = (struct xos_policy_resource){
		    .kind = cases[i].kind, .id = cases[i].id, .site = cases[i].site};
		ck_decision(p, &req, cases[i].expected);
	}
	xos_policy_unref(p);
}
END_TEST

START_TEST(refused_additions)
{
	static const struct {
		const char *text, *message;
	} cases[] = {{VO("schema { kind dataset; }"), "not a name for an addition"},
	    {VO("schema { kind bio.dataset; }"), "not a name for an addition"},
	    {VO("schema { kind demo.; }"), "not a name for an addition"},
	    {VO("schema { kind .x; }"), "not a name for an addition"},
	    {VO("schema { kind demo.x kind demo.y; }"), "expected ';'"},
	    {VO("schema { kind demo.x; kind demo.x; }"), "there already"},
	    {VO("schema { action job.x; }"), "not a name for an addition"},
	    {VO("schema { action demo.x for disk; }"), "not a kind"},
	    {VO("schema { attribute demo.x; }"), "not a type"},
	    {VO("schema { attribute demo.x float optional for any; }"), "not a type"},
	    {VO("schema { attribute demo.x number for any; }"), "expected 'optional'"},
	    {VO("schema { attribute demo.x number optional any; }"), "expected 'for'"},
	    {VO("schema { attribute demo.x number optional for demo.y; }"), "unknown action"},
	    {VO("schema { thing demo.x; }"), "expected kind, action or attribute"},
	    {VO("schema demo.x;"), "expected '{'"},
	    {VO("schema { kind demo.x; "), "the text ends here"},
	    {"vo \"job\" serial 1 { schema { action job.annotate; } }",
	        "not a name for an addition"},
	    {"delegation { schema { } }", "cannot add to the schema"},
	    {VO("permit any action demo.annotate;"), "unknown action"},
	    {VO("permit any action job.submit when demo.x == 1;"), "unknown attribute"},
	    {VO("permit any action any on demo.dataset:1;"), "not a resource"},
	    {VO(OWN "permit any action job.submit when demo.licences <= 3;"),
	        "may lack demo.licences"},
	    {VO(OWN "permit any action job.submit when demo.level == gold;"),
	        "no action of this statement has demo.level"},
	    {VO(OWN "permit any action demo.publish, demo.annotate when demo.level == gold;"),
	        "may lack demo.level"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_refuse(cases[i].text, cases[i].message);
}
END_TEST

static void refuse_many(const char *format, int n, const char *message)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 { schema {");
	for (int i = 0; i < n; i++) {
		char line[128];
		snprintf(line, sizeof(line), "%s", format);
		*strchr(line, '#') = (char)('A' + i / 26);
		*strchr(line, '#') = (char)('A' + i % 26);
		xos_buf_put_str(&b, line);
	}
	xos_buf_put_str(&b, "} }");
	if (message)
		must_refuse(xos_buf_str(&b), message);
	else
		xos_policy_set_unref(must_parse(xos_buf_str(&b)));
	xos_buf_free(&b);
}

START_TEST(bounds)
{
	refuse_many("action demo.##;", 16, NULL);
	refuse_many("action demo.##;", 17, "at most 16 actions");
	refuse_many("kind demo.##;", 16, NULL);
	refuse_many("kind demo.##;", 17, "at most 16 kinds");
	refuse_many("attribute demo.## bool optional for any;", 64, NULL);
	refuse_many("attribute demo.## bool optional for any;", 65, "at most 64 attributes");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy schema");
	TCase *tc = tcase_create("language");
	tcase_add_test(tc, tables_are_sound);
	tcase_add_test(tc, codes_never_change);
	tcase_add_test(tc, versions);
	tcase_add_test(tc, additions);
	tcase_add_test(tc, kinds_of_actions);
	tcase_add_test(tc, own_actions_at_sites);
	tcase_add_test(tc, own_actions_of_kinds);
	tcase_add_test(tc, refused_additions);
	tcase_add_test(tc, bounds);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
