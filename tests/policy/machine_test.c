/* Nodes and services as principals: how they are named, and that nothing else means them. */
#include "engine.h"
#include "policy/lint.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"
#define SITE(body) "site \"lab\" serial 1 schema 2 { node n1 { class batch; } " body " }"

static struct xos_policy_request machine(enum xos_policy_subject_kind kind, const char *name)
{
	return (struct xos_policy_request){
	    .subject = {.kind = kind, .vo = "demo", .member = name, .auth_mfa = -1},
	    .action = "file.read",
	    .resource = {.kind = "file", .id = "/data/x", .site = "lab", .node = "n1"},
	    .now = NOON};
}

static struct xos_policy_request node(const char *name)
{
	return machine(XOS_SUBJECT_NODE, name);
}

static struct xos_policy_request service(const char *name)
{
	return machine(XOS_SUBJECT_SERVICE, name);
}

/* ---- text ---- */

static void prints_as(const char *text, const char *part)
{
	struct xos_policy_set *set = must_parse(text);
	struct xos_buf once, twice;
	xos_buf_init(&once, 10000);
	xos_buf_init(&twice, 10000);
	xos_policy_set_text(set, &once);
	ck_assert_msg(strstr(xos_buf_str(&once), part), "%s in: %s", part, xos_buf_str(&once));
	struct xos_policy_set *again = must_parse(xos_buf_str(&once));
	xos_policy_set_text(again, &twice);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	xos_buf_free(&once);
	xos_buf_free(&twice);
	xos_policy_set_unref(again);
	xos_policy_set_unref(set);
}

START_TEST(names)
{
	prints_as(VO("permit node n1.lab.example action file.read;"), "node demo:n1.lab.example ");
	prints_as(VO("permit node demo:n1 action file.read;"), "node demo:n1 ");
	prints_as(VO("permit node * action file.read;"), "node demo:* ");
	prints_as(VO("permit service data action file.read;"), "service demo:data ");
	prints_as(VO("permit service demo:data/n1.lab.example action file.read;"),
	    "service demo:data/n1.lab.example ");
	prints_as(VO("permit service *, node n1, any action file.read;"),
	    "any, node demo:n1, service demo:* ");
	prints_as(SITE("permit vo demo action any unless node demo:n1 or service bio:*;"),
	    "not (node demo:n1 or service bio:*)");
	prints_as("owner \"demo:bob\" serial 1 { permit service data action file.read; }",
	    "service demo:data ");
	prints_as("node \"lab/n1\" serial 1 { forbid service demo:job/n1 action any; }",
	    "service demo:job/n1 ");
	/* With places of the same words, and in lists. */
	prints_as(VO("permit node n1, service data action file.read on node:lab/n1, service:data;"),
	    "node demo:n1, service demo:data action file.read on node:lab/n1, service:data");
	prints_as(VO("define $m { node n1, service data } permit $m action file.read when who in "
	             "{$m, user bob};"),
	    "node demo:n1, service demo:data action");
	prints_as(VO("template t($who principal) { permit $who action file.read; } use t(node *); "
	             "use t(service data/n1);"),
	    "service demo:data/n1 ");
	/* A list of strings that begins with a word of the language was always one. */
	prints_as(
	    VO("define $a { node, pool } permit any action file.read when auth.method in $a;"),
	    "auth.method in {\"node\", \"pool\"}");
	prints_as(VO("define $a { service } permit any action file.read when auth.method in $a;"),
	    "auth.method in {\"service\"}");
	xos_policy_set_unref(must_parse("site \"lab\" serial 1 { node n1; delegate node n1 action "
	                                "job.submit; permit node demo:n1 action any; }"));
}
END_TEST

START_TEST(what_is_refused)
{
	static const char *const wrong[] = {"node N1", "node lab/n1", "node demo:lab/n1",
	    "node -n1", "node :n1", "node a:b:c", "node demo:", "node n*", "service Data",
	    "service data/", "service /n1", "service data/N1", "service data/n1/x",
	    "service data/*", "service dat*", "service demo:", "service demo2345678901234:data",
	    "node demo2345678901234:n1", "node \"n1\"", "service \"data\""};
	char text[256];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), VO("permit %s action file.read;"), wrong[i]);
		must_refuse(text, "is not the name of a ");
	}
	must_refuse(SITE("permit node n1 action file.read;"), "the node 'n1' lacks its VO");
	must_refuse(
	    SITE("permit service data action file.read;"), "the service 'data' lacks its VO");
	must_refuse(SITE("permit service * action file.read;"), "lacks its VO");
	must_refuse(VO("permit node \"n1 action file.read;"), "the string does not end");
	must_refuse(VO("permit node:lab/n1 action file.read;"), "found the resource 'node:lab/n1'");
	must_refuse(
	    VO("permit any, service:data action file.read;"), "found the resource 'service:data'");
	must_refuse(VO("permit any action file.read on node n1;"), "'node' is not a resource");
	must_refuse(
	    VO("permit any action file.read on service data;"), "'service' is not a resource");
	must_refuse(
	    VO("permit any action file.read when node;"), "unknown attribute or test 'node'");
	must_refuse(VO("permit any action file.read when service and user bob;"), "expected ';'");
	/* Whom a level cannot speak of. */
	must_refuse("group \"/demo/a\" serial 1 { permit node n1 action any; }", "are in no group");
	must_refuse("group \"/demo/a\" serial 1 { forbid any action any unless service data; }",
	    "are in no group");
	must_refuse("delegation { check node demo:n1; }", "hold no delegation");
	must_refuse("delegation { limit { wall <= 1h; } check not service demo:data; }",
	    "hold no delegation");
	must_refuse(VO("delegate node n1 action file.read;"), "only to groups");
	/* Foreign machines only on objects of the VO's own. */
	must_refuse(VO("permit node bio:n1 action file.read;"), "not of this VO");
	must_refuse(VO("permit any action any when service bio:data;"), "not of this VO");
	xos_policy_set_unref(
	    must_parse(VO("permit service bio:data action file.read on file:/x;")));
}
END_TEST

/* ---- decisions ---- */

/* Every way of meaning members, at every level: a machine is none of them. */
START_TEST(nothing_that_means_members_means_machines)
{
	static const char *const whos[] = {"any", "group /demo", "exactly /demo", "user n1",
	    "home \"uni.example\"", "role /demo/Role=x", "any, group /demo, user n1, home \"h\""};
	static const char *const of_site[] = {
	    "any", "vo demo", "group /demo", "user demo:n1", "local", "any, vo demo, local"};
	const struct xos_policy_request asks[] = {node("n1"), service("data/n1")};
	char text[512];
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++) {
			snprintf(text, sizeof(text), VO("permit %s action any;"), whos[i]);
			struct xos_policy *p =
			    BUILD(text, SITE("permit node demo:*, service demo:* action any;"));
			ck_both(p, &asks[k], DENY);
			xos_policy_unref(p);
		}
		for (size_t i = 0; i < sizeof(of_site) / sizeof(of_site[0]); i++) {
			snprintf(text, sizeof(text), SITE("permit %s action any;"), of_site[i]);
			struct xos_policy *p =
			    BUILD(VO("permit node *, service * action any;"), text);
			ck_both(p, &asks[k], DENY);
			xos_policy_unref(p);
		}
		/* Nor does what narrows members; sets of groups are not asked. */
		struct xos_policy *p = BUILD(
		    VO("permit node *, service * action any; forbid any action file.*; limit group "
		       "/demo action any { wall <= 1h; }"),
		    SITE(
		        "permit node demo:*, service demo:* action any; forbid vo demo, any, local "
		        "action file.*;"),
		    "group \"/demo/a\" serial 1 { forbid any action any; }");
		ck_both(p, &asks[k], PERMIT);
		xos_policy_unref(p);
	}
}
END_TEST

static void permits(const char *who, const struct xos_policy_request *req, bool permitted)
{
	char vo[256], site[256];
	snprintf(vo, sizeof(vo), VO("permit %s action any;"), who);
	snprintf(site, sizeof(site), SITE("permit %s action any;"), who);
	struct xos_policy *p = BUILD(vo, site);
	ck_both(p, req, permitted ? PERMIT : DENY);
	xos_policy_unref(p);
	/* The same in a condition, and from a row that is searched. */
	struct xos_buf b;
	xos_buf_init(&b, 10000);
	xos_buf_printf(&b,
	    "vo \"demo\" serial 1 { permit node demo:*, service demo:* action any "
	    "when who in {%s}; ",
	    who);
	for (unsigned i = 0; i < 20; i++)
		xos_buf_printf(&b, "permit %s action file.write on file:/%u; ", who, i);
	xos_buf_put_str(&b, "}");
	p = BUILD(xos_buf_str(&b), site);
	ck_both(p, req, permitted ? PERMIT : DENY);
	xos_buf_free(&b);
	xos_policy_unref(p);
}

START_TEST(each_way_of_naming)
{
	const struct xos_policy_request n = node("n1.lab.example"),
	                                s = service("data/n1.lab.example");
	permits("node demo:n1.lab.example", &n, true);
	permits("node demo:*", &n, true);
	permits("node demo:n1", &n, false);
	permits("node demo:n2.lab.example, node demo:n1.lab.exampl", &n, false);
	permits("service demo:*", &n, false);
	permits("service demo:data/n1.lab.example", &n, false);
	permits("service demo:data/n1.lab.example", &s, true);
	permits("service demo:data", &s, true);
	permits("service demo:*", &s, true);
	permits("service demo:dat, service demo:data1, service demo:job", &s, false);
	permits("service demo:job/n1.lab.example, service demo:data/n1.lab", &s, false);
	permits("node demo:*, node demo:n1.lab.example", &s, false);
	/* A member who is called like a node is none. */
	struct xos_policy_request m = alice();
	m.subject.member = "n1.lab.example";
	permits("node demo:n1.lab.example, node demo:*, service demo:*", &m, false);
}
END_TEST

START_TEST(every_level_is_asked)
{
	struct xos_policy_request s = service("data/n1");
	static const char site[] = SITE("permit service demo:data action any;");
	static const char vo[] = VO("permit service data action any; permit any action any;");
	struct xos_policy *p = BUILD(vo);
	ck_both(p, &s, UNDECIDED); /* no site's set */
	xos_policy_unref(p);
	p = BUILD(site);
	ck_both(p, &s, UNDECIDED); /* no VO's set */
	xos_policy_unref(p);
	p = BUILD(vo, SITE("permit any action any;"));
	ck_both(p, &s, DENY);
	xos_policy_unref(p);
	p = BUILD(vo, site, "node \"lab/n1\" serial 1 { forbid service demo:data action any; }");
	ck_both(p, &s, DENY);
	xos_policy_unref(p);
	/* Of another VO: its own VO permits, and the object's names it. */
	s.resource.vo = "bio";
	static const char *const bio[] = {"", "permit any action any;",
	    "permit service demo:job action any on file:/data;",
	    "permit service demo:data action any on file:/data;"};
	for (size_t i = 0; i < 4; i++) {
		char text[256];
		snprintf(text, sizeof(text), "vo \"bio\" serial 1 { %s }", bio[i]);
		p = BUILD(vo, site, text);
		ck_both(p, &s, i == 3 ? PERMIT : DENY);
		xos_policy_unref(p);
	}
	/* What a member owns takes the member's permit, and `any` there is members. */
	s.resource.vo = "demo";
	s.resource.owner = "alice";
	static const char *const own[] = {"", "permit any, group /demo action any;",
	    "permit node n1 action any;", "permit service data action any;",
	    "permit service * action any; forbid service data/n1 action any;"};
	for (size_t i = 0; i < 5; i++) {
		char text[256];
		snprintf(text, sizeof(text), "owner \"demo:alice\" serial 1 { %s }", own[i]);
		p = BUILD(vo, site, text);
		ck_both(p, &s, i == 3 ? PERMIT : DENY);
		xos_policy_unref(p);
	}
	/* No machine owns anything, whatever it is called. */
	struct xos_policy_request n = node("alice");
	n.resource.vo = "demo";
	n.resource.owner = "alice";
	p = BUILD(VO("permit node * action any;"), SITE("permit node demo:* action any;"),
	    "owner \"demo:alice\" serial 1 { }");
	ck_both(p, &n, DENY);
	xos_policy_unref(p);
}
END_TEST

/* A machine did not log in: what says how somebody did is not known of it. */
START_TEST(a_log_in_is_not_known)
{
	static const char *const tests[] = {
	    "auth.age < 1h", "auth.method == password", "auth.mfa", "not auth.mfa"};
	const struct xos_policy_request n = node("n1");
	char text[512];
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof(text),
		    "vo \"demo\" serial 1 { permit node * action any when %s; }", tests[i]);
		struct xos_policy *p = BUILD(text, SITE("permit node demo:* action any;"));
		ck_both(p, &n, UNDECIDED);
		xos_policy_unref(p);
		snprintf(text, sizeof(text),
		    "vo \"demo\" serial 1 { permit node * action any; forbid node * action any "
		    "when %s; }",
		    tests[i]);
		p = BUILD(text, SITE("permit node demo:* action any;"));
		ck_both(p, &n, UNDECIDED);
		xos_policy_unref(p);
	}
}
END_TEST

START_TEST(malformed_machines_are_not_decided)
{
	static const char *const some[] = {"/demo/Role=x"};
	static const char *const groups[] = {"/demo"};
	struct xos_policy_answer a;
	struct xos_policy_interned_subject *known;
	struct xos_policy_set *delegation = must_parse("delegation { limit { wall <= 1h; } }");
	const struct xos_policy_set *chain[] = {delegation};
	struct xos_policy *p = BUILD(VO("permit node *, service * action any;"),
	    SITE("permit node demo:*, service demo:* action any;"));
	struct xos_policy_request good = node("n1");
	ck_both(p, &good, PERMIT);
	struct xos_policy_request bad[16];
	size_t n = 0;
#define BAD(change)                                                                                \
	do {                                                                                       \
		struct xos_policy_subject *s = &bad[n].subject;                                    \
		bad[n++] = good;                                                                   \
		change;                                                                            \
	} while (0)
	BAD(s->vo = NULL);
	BAD(s->vo = "Demo");
	BAD(s->member = NULL);
	BAD(s->member = "N1");
	BAD(s->member = "data/n1");
	BAD(s->member = "*");
	BAD((s->groups = groups, s->ngroups = 1));
	BAD((s->roles = some, s->nroles = 1));
	BAD((s->held = some, s->nheld = 1));
	BAD(s->home = "uni.example");
	BAD(s->auth_method = "password");
	BAD(s->auth_time = NOON - 60);
	BAD(s->auth_mfa = 1);
	BAD(s->auth_mfa = 0);
	BAD(s->kind = XOS_SUBJECT_SERVICE);
	BAD(s->kind = XOS_SUBJECT_SERVICE + 1);
	xos_policy_answer_init(&a);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(xos_policy_decide(p, &bad[i], &a), XOS_UNAVAILABLE);
		ck_assert_ptr_nonnull(a.problem);
		ck_assert_int_eq(
		    xos_policy_intern_subject(p, &bad[i].subject, &known, NULL), XOS_MALFORMED);
	}
	static const char *const services[] = {"data", "data/", "/n1", "*", "data/*", "n1"};
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		struct xos_policy_request s = service(services[i]);
		ck_assert_int_eq(xos_policy_decide(p, &s, &a), XOS_UNAVAILABLE);
		ck_assert_str_eq(a.problem, "the subject is no service");
	}
	struct xos_policy_request chained[] = {good, service("data/n1")};
	for (size_t i = 0; i < 2; i++) {
		chained[i].chain = chain;
		chained[i].nchain = 1;
		ck_assert_int_eq(xos_policy_decide(p, &chained[i], &a), XOS_UNAVAILABLE);
		ck_assert_ptr_nonnull(strstr(a.problem, "a delegation"));
	}
	xos_policy_answer_free(&a);
	xos_policy_set_unref(delegation);
	xos_policy_unref(p);
}
END_TEST

START_TEST(a_refusal_says_so)
{
	struct xos_policy *p = BUILD(VO("permit service data action any; forbid @x service data/n1 "
	                                "action file.read because \"It is being moved.\";"),
	    SITE("permit service demo:* action any;"));
	const struct xos_policy_request s = service("data/n1");
	struct xos_policy_answer a;
	struct xos_buf text;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(both_ways(p, &s, &a), DENY);
	xos_buf_init(&text, 10000);
	xos_policy_answer_explain(&a, &text);
	ck_assert_ptr_nonnull(
	    strstr(xos_buf_str(&text), "forbid service demo:data/n1 action file.read"));
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&text), "It is being moved."));
	xos_buf_free(&text);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}
END_TEST

/* ---- lint, and statements that no index can serve ---- */

static bool warns(const char *text, const char *name)
{
	static struct xos_policy_errors errs, warnings;
	ck_assert_int_eq(xos_policy_lint(text, strlen(text), "x", &errs, &warnings), XOS_OK);
	for (size_t i = 0; i < warnings.n; i++)
		if (strstr(warnings.list[i].text, name))
			return true;
	return false;
}

START_TEST(lints)
{
	ck_assert(warns(VO("permit node *, node n1 action file.read;"), "redundant"));
	ck_assert(warns(VO("permit service data, service data/n1 action file.read;"), "redundant"));
	ck_assert(warns(VO("permit service *, service data action file.read;"), "redundant"));
	ck_assert(!warns(VO("permit service *, node n1, any action file.read;"), "redundant"));
	ck_assert(
	    !warns(VO("permit service dat, service data/n1, node n1, node n2 action file.read;"),
	        "redundant"));
	ck_assert(
	    warns(VO("forbid node * action any because \"x\"; permit node n1 action file.read;"),
	        "forbidden-permit"));
	/* `any` is members. */
	ck_assert(!warns(VO("forbid any action any unless group /demo/admins because \"x\"; permit "
	                    "node n1, service data action file.read;"),
	    "forbidden-permit"));
	ck_assert(
	    !warns(SITE("forbid any action file.* because \"x\"; permit node demo:n1, service "
	                "demo:data action file.read;"),
	        "forbidden-permit"));
}
END_TEST

static enum xos_status crowd(const char *who)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set = NULL;
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put_str(&b, "vo \"demo\" serial 1 {\n");
	for (unsigned i = 0; i <= 1000; i++)
		xos_buf_printf(&b, "permit %s action file.read when auth.age < %us;\n", who, i + 1);
	xos_buf_put_str(&b, "}\n");
	enum xos_status st = xos_policy_set_parse(xos_buf_str(&b), b.n, "x", &set, &errs);
	xos_policy_set_unref(set);
	xos_buf_free(&b);
	return st;
}

START_TEST(crowds)
{
	ck_assert_int_eq(crowd("node *"), XOS_MALFORMED);
	ck_assert_int_eq(crowd("service *"), XOS_MALFORMED);
	ck_assert_int_eq(crowd("service data"), XOS_OK);
	ck_assert_int_eq(crowd("node n1"), XOS_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy machine");
	TCase *tc = tcase_create("machines");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, names);
	tcase_add_test(tc, what_is_refused);
	tcase_add_test(tc, nothing_that_means_members_means_machines);
	tcase_add_test(tc, each_way_of_naming);
	tcase_add_test(tc, every_level_is_asked);
	tcase_add_test(tc, a_log_in_is_not_known);
	tcase_add_test(tc, malformed_machines_are_not_decided);
	tcase_add_test(tc, a_refusal_says_so);
	tcase_add_test(tc, lints);
	tcase_add_test(tc, crowds);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
