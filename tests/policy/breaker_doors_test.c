/* Ways by which somebody might come in who should not: each stays shut. */
#include "policy_test.h"

static struct xos_policy *build(const char *const *texts, size_t n)
{
	struct xos_policy_part parts[6] = {0};
	struct xos_policy *p = NULL;
	struct xos_err err = XOS_ERR_INIT;
	for (size_t i = 0; i < n; i++)
		parts[i].set = must_parse(texts[i]);
	ck_assert_msg(xos_policy_new(parts, n, NULL, &p, &err) == XOS_OK, "%s", err.text);
	while (n)
		xos_policy_set_unref(parts[--n].set);
	return p;
}

static const char *const bio_groups[] = {"/bio/lab"};

/* Alice of bio, who authenticated at uni.example as bio says, and a file of demo. */
static struct xos_policy_request foreigner(void)
{
	return (struct xos_policy_request){.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                       .vo = "bio",
	                                       .member = "alice",
	                                       .groups = bio_groups,
	                                       .ngroups = 1,
	                                       .home = "uni.example",
	                                       .auth_mfa = -1},
	    .action = "file.read",
	    .resource = {.kind = "file", .id = "/data/a", .site = "lab", .vo = "demo"},
	    .now = NOON};
}

#define BIO "vo \"bio\" serial 1 schema 2 { permit any action any; }"
#define LAB "site \"lab\" serial 1 schema 2 { permit any action any; }"

/* Any VO can say of its members that they come from anywhere. */
START_TEST(foreign_home)
{
	const char *texts[] = {BIO, LAB,
	    "vo \"demo\" serial 1 schema 2 { permit home \"uni.example\" action file.read; }"};
	struct xos_policy_request req = foreigner();
	struct xos_policy *p = build(texts, 3);
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
	/* Said together with who is meant, it counts; and it never stops a forbid. */
	texts[2] = "vo \"demo\" serial 1 schema 2 { permit home \"uni.example\", group /bio/lab "
	           "action file.read on file:/data; }";
	p = build(texts, 3);
	ck_decision(p, &req, PERMIT);
	xos_policy_unref(p);
	texts[2] = "vo \"demo\" serial 1 schema 2 { permit group /bio/lab action file.read on "
	           "file:/data; forbid home \"uni.example\" action file.read on file:/data; }";
	p = build(texts, 3);
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

/* The same member name in another VO is somebody else. */
START_TEST(namesake)
{
	const char *texts[] = {BIO, LAB,
	    ("vo \"demo\" serial 1 schema 2 { permit user bio:alice action file.read on file:/data "
	     "when has subject.is_owner and subject.is_owner; permit user alice action any; }"),
	    "owner \"demo:alice\" serial 1 schema 2 { permit user alice, any action any; }"};
	struct xos_policy_request req = foreigner();
	req.resource.owner = "alice";
	struct xos_policy *p = build(texts, 4);
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

static void given(const char *vo, const struct xos_policy_value *v, enum xos_policy_decision want)
{
	struct xos_policy *p = must_build(vo, LAB, NULL);
	struct xos_policy_request req = alice();
	req.values = v;
	req.nvalues = v ? 1 : 0;
	ck_decision(p, &req, want);
	xos_policy_unref(p);
}

/* A value of a type that the set did not declare is there, and unknown: no forbid is escaped by it. */
START_TEST(other_type)
{
	static const char forbid[] =
	    "vo \"demo\" serial 1 schema 2 { schema { attribute demo.n number optional for "
	    "job.submit; } permit any action job.submit; forbid any action job.submit when has "
	    "demo.n and demo.n > 3; }";
	static const char permit[] =
	    "vo \"demo\" serial 1 schema 2 { schema { attribute demo.n number optional for "
	    "job.submit; } permit any action job.submit when not has demo.n or demo.n < 3; }";
	static const char ip[] =
	    "vo \"demo\" serial 1 schema 2 { schema { attribute demo.n ip optional for job.submit; "
	    "} permit any action job.submit; forbid any action job.submit when has demo.n and not "
	    "ip(demo.n) in 10.0.0.0/8; }";
	const struct xos_policy_value text = {"demo.n", XOS_POLICY_STRING, 0, "9"};
	const struct xos_policy_value number = {"demo.n", XOS_POLICY_NUMBER, 9, NULL};
	given(forbid, NULL, PERMIT);
	given(forbid, &number, DENY);
	given(forbid, &text, UNDECIDED);
	given(permit, NULL, PERMIT);
	given(permit, &text, UNDECIDED);
	given(ip, NULL, PERMIT);
	given(ip, &text, UNDECIDED);
}
END_TEST

/* Codes of own actions are positions in each set: names must match, not codes. */
START_TEST(own_actions)
{
	const char *texts[] = {
	    "vo \"demo\" serial 1 schema 2 { schema { action demo.read; action demo.wipe; } permit "
	    "any action demo.read; delegate group /demo/physics action demo.read; }",
	    "site \"lab\" serial 1 schema 2 { schema { action demo.wipe; action demo.read; } "
	    "permit "
	    "any action demo.read; }",
	    "group \"/demo/physics\" serial 1 schema 2 { schema { action demo.wipe; } permit any "
	    "action demo.wipe; }"};
	struct xos_policy_request req = alice();
	struct xos_policy *p = build(texts, 3);
	req.action = "demo.read";
	ck_decision(p, &req, PERMIT);
	req.action = "demo.wipe";
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

/* "action any" means the same wherever the set says what it adds. */
START_TEST(schema_first)
{
	must_refuse("vo \"demo\" serial 1 schema 2 { permit any action any; schema { action "
	            "demo.read; } }",
	    "below");
	must_refuse("vo \"demo\" serial 1 schema 2 { schema { action demo.a; } define $all { "
	            "demo.* } schema { action demo.read; } permit any action $all; }",
	    "below");
	xos_policy_set_unref(must_parse("vo \"demo\" serial 1 schema 2 { permit any action job.*; "
	                                "schema { action demo.read; } permit any action any; }"));
}
END_TEST

/* What a reader sees is what is read. */
START_TEST(hidden_text)
{
	must_refuse("vo \"demo\" serial 1 { # x\r forbid any action any;\n }", "no meaning");
	must_refuse("vo \"demo\" serial 1 { forbid any action any;\r   \n }", "no meaning");
	must_refuse("vo \"demo\" serial 1 { # \x1b[2K\n }", "no meaning");
	must_refuse("vo \"demo\" serial 1 { # \xe2\x80\xae\n }", "direction");
	must_refuse("vo \"demo\" serial 1 { # \xe2\x81\xa6\n }", "direction");
	must_refuse(
	    "vo \"demo\" serial 1 { # \xe2\x80\xa8 forbid any action any;\n }", "direction");
	must_refuse("vo \"demo\" serial 1 { permit any action any because \"\xe2\x80\xae\"; }",
	    "direction");
	xos_policy_set_unref(
	    must_parse("vo \"demo\" serial 1 { # \xc3\xa9t\xc3\xa9\r\n\t# x\r\n }"));
	xos_policy_set_unref(must_parse("vo \"demo\" serial 1 { # the end\r\n}\r\n# \t"));
}
END_TEST

/* The group of everybody narrows nothing down, nor does the root folder. */
START_TEST(everybody_is_unindexed)
{
	static const char *const heads[] = {
	    "forbid group /demo action job.submit", "forbid any action job.submit on file:/"};
	struct xos_buf text;
	xos_buf_init(&text, 1 << 20);
	for (size_t h = 0; h < 2; h++) {
		text.n = 0;
		xos_buf_put_str(&text, "vo \"demo\" serial 1 {");
		for (unsigned i = 0; i <= XOS_POLICY_UNINDEXED_MAX; i++)
			xos_buf_printf(&text, " %s when user u%u;", heads[h], i);
		xos_buf_put_str(&text, " }");
		must_refuse(xos_buf_str(&text), "say neither who nor where");
	}
	xos_buf_free(&text);
}
END_TEST

/* Interned for a policy that knew the kind: with one that does not, it is as malformed as its text. */
START_TEST(stale_kind)
{
	struct xos_policy *old = must_build("vo \"demo\" serial 1 schema 2 { schema { kind "
	                                    "demo.set; } permit any action any; }",
	    LAB, NULL);
	struct xos_policy *now =
	    must_build("vo \"demo\" serial 2 schema 2 { permit any action any; }", LAB, NULL);
	struct xos_policy_request req = alice();
	struct xos_policy_interned_resource *r = NULL;
	struct xos_err err = XOS_ERR_INIT;
	req.resource.kind = "demo.set";
	ck_decision(old, &req, PERMIT);
	ck_decision(now, &req, UNDECIDED);
	ck_assert_int_eq(xos_policy_intern_resource(old, &req.resource, &r, &err), XOS_OK);
	req.interned_resource = r;
	ck_decision(old, &req, PERMIT);
	ck_decision(now, &req, UNDECIDED);
	xos_policy_interned_resource_free(r);
	xos_policy_unref(old);
	xos_policy_unref(now);
}
END_TEST

/* Neighbours in spelling are not neighbours in place. */
START_TEST(lookalikes)
{
	static const char *const other[] = {"/demo/physics2"};
	struct xos_policy *p =
	    must_build("vo \"demo\" serial 1 { permit group /demo/physics action "
	               "job.submit, file.read on class:compute, file:/data; }",
	        LAB, NULL);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, UNDECIDED); /* n1 is not declared: what it is, is not known */
	req.resource.node = NULL;
	ck_decision(p, &req, UNDECIDED);
	req.action = "file.read";
	static const char *const paths[] = {
	    "/data2", "/Data", "/data/", "/data/../x", "//data", "/data/.", "data", "/data//a"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		req.resource =
		    (struct xos_policy_resource){.kind = "file", .id = paths[i], .site = "lab"};
		ck_assert_int_ne(decide(p, &req), PERMIT);
	}
	req.resource.id = "/data/x";
	ck_decision(p, &req, PERMIT);
	req.subject.groups = other;
	req.subject.ngroups = 1;
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

/* A node's or group's permit goes no further than it was let. */
START_TEST(delegation_ends)
{
	const char *texts[] = {
	    ("vo \"demo\" serial 1 schema 2 { delegate group /demo/physics action "
	     "job.submit when auth.age < 1h; }"),
	    "group \"/demo/physics\" serial 1 schema 2 { permit any, user demo:bob action any; }",
	    "site \"lab\" serial 1 schema 2 { delegate node n1 action job.submit; }",
	    "node \"lab/n1\" serial 1 schema 2 { permit any action any; }",
	    "node \"lab/n2\" serial 1 schema 2 { permit any action any; }"};
	struct xos_policy *p = build(texts, 5);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_time = NOON - 7200;
	ck_decision(p, &req, DENY);
	req.subject.auth_time = NOON + 1;
	ck_decision(p, &req, UNDECIDED);
	req.subject.auth_time = NOON - 60;
	ck_decision(p, &req, PERMIT);
	req.resource.node = "n2";
	ck_decision(p, &req, DENY);
	req.resource.node = "n1";
	req.action = "session.open";
	ck_decision(p, &req, DENY);
	req.action = "job.submit";
	req.subject.member = "bob";
	req.subject.ngroups = 0; /* named in the group's set, and not in the group */
	ck_decision(p, &req, DENY);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy doors");
	TCase *tc = tcase_create("doors");
	tcase_add_test(tc, foreign_home);
	tcase_add_test(tc, namesake);
	tcase_add_test(tc, other_type);
	tcase_add_test(tc, own_actions);
	tcase_add_test(tc, schema_first);
	tcase_add_test(tc, hidden_text);
	tcase_add_test(tc, everybody_is_unindexed);
	tcase_add_test(tc, stale_kind);
	tcase_add_test(tc, lookalikes);
	tcase_add_test(tc, delegation_ends);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
