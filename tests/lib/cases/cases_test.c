/* Requests in words, and files of cases. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases/cases.h"

static struct xos_err err;

static void set(struct xos_cases_ask *ask, const char *name, const char *value)
{
	ck_assert_msg(xos_cases_ask_set(ask, name, value, &err) == XOS_OK, "%s %s: %s", name, value,
	    err.text);
}

START_TEST(fields)
{
	struct xos_cases_ask *ask = xos_cases_ask_new();
	struct xos_policy_request req;
	set(ask, "subject", "demo:alice");
	set(ask, "groups", "/demo/a, /demo/b");
	ck_assert_int_eq(xos_cases_ask_add(ask, "groups", "/demo/c", NULL), XOS_OK);
	set(ask, "roles", "/demo/Role=r");
	set(ask, "action", "job.cancel");
	set(ask, "on", "job:7");
	set(ask, "at", "lab/n1");
	set(ask, "owner", "demo:bob");
	set(ask, "auth.age", "1h");
	set(ask, "auth.mfa", "no");
	set(ask, "ctx.src", "10.0.0.1");
	set(ask, "home", "uni");
	ck_assert_int_eq(xos_cases_ask_request(ask, NULL, 10000, &req, &err), XOS_OK);
	ck_assert_str_eq(req.subject.vo, "demo");
	ck_assert_str_eq(req.subject.member, "alice");
	ck_assert_uint_eq(req.subject.ngroups, 3);
	ck_assert_str_eq(req.subject.groups[2], "/demo/c");
	ck_assert_uint_eq(req.subject.nroles, 1);
	ck_assert_int_eq(req.subject.auth_time, 10000 - 3600);
	ck_assert_int_eq(req.subject.auth_mfa, 0);
	ck_assert_str_eq(req.resource.kind, "job");
	ck_assert_str_eq(req.resource.id, "7");
	ck_assert_str_eq(req.resource.site, "lab");
	ck_assert_str_eq(req.resource.node, "n1");
	ck_assert_str_eq(req.resource.vo, "demo");
	ck_assert_str_eq(req.resource.owner, "bob");
	ck_assert_uint_eq(req.nvalues, 1);
	/* What is taken back was never said; a copy is its own. */
	struct xos_cases_ask *copy = xos_cases_ask_copy(ask);
	set(copy, "ctx.src", "none");
	set(copy, "auth.mfa", "none");
	set(copy, "now", "1970-01-01T05:00:00Z");
	ck_assert_int_eq(xos_cases_ask_request(copy, NULL, 1, &req, &err), XOS_OK);
	ck_assert_uint_eq(req.nvalues, 0);
	ck_assert_int_eq(req.subject.auth_mfa, -1);
	ck_assert_int_eq(req.now, 5 * 3600);
	ck_assert_str_eq(xos_cases_ask_get(ask, "ctx.src"), "10.0.0.1");
	xos_cases_ask_free(copy);
	xos_cases_ask_free(ask);
}
END_TEST

START_TEST(bad_fields)
{
	static const char *const bad[][2] = {{"subject", "alice"}, {"subject", ":a"},
	    {"subject", "local:"}, {"groups", "/demo, demo"}, {"roles", "/demo"}, {"on", "lab"},
	    {"on", "node:lab"}, {"on", "node:lab/n1/x"}, {"on", "site:Lab"}, {"on", ":x"},
	    {"on", "x:"}, {"at", "Lab"}, {"at", "lab/"}, {"owner", "bob"}, {"vo", "D"},
	    {"now", "today"}, {"auth.age", "5"}, {"auth.mfa", "true"}, {"colour", "blue"}};
	struct xos_cases_ask *ask = xos_cases_ask_new();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(xos_cases_ask_set(ask, bad[i][0], bad[i][1], &err) == XOS_MALFORMED,
		    "%s %s", bad[i][0], bad[i][1]);
		ck_assert_ptr_null(xos_cases_ask_get(ask, bad[i][0]));
	}
	xos_cases_ask_free(ask);
}
END_TEST

START_TEST(bad_requests)
{
	static const char *const bad[][4] = {{"groups", "none", "subject", "none"},
	    {"action", "none", "at", "none"}, {"on", "none", "at", "none"},
	    {"on", "node:lab/n1", "at", "lab/n2"}, {"owner", "demo:b", "vo", "other"},
	    {"job.wal", "2h", "at", "none"}, {"job.wall", "2", "at", "none"},
	    {"auth.age", "100w", "at", "none"}};
	struct xos_policy_request req;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_cases_ask *ask = xos_cases_ask_new();
		set(ask, "subject", "demo:a");
		set(ask, "action", "job.submit");
		set(ask, "on", "job:1");
		set(ask, bad[i][0], bad[i][1]);
		set(ask, bad[i][2], bad[i][3]);
		ck_assert_msg(xos_cases_ask_request(ask, NULL, 1000, &req, &err) == XOS_MALFORMED,
		    "%s %s", bad[i][0], bad[i][1]);
		xos_cases_ask_free(ask);
	}
}
END_TEST

#define HEAD                                                                                       \
	"policies a.xos /b.xos\naction job.submit\nsubject x\n  is demo:x\n  held /demo/Role=r\n"

static struct xos_cases *parse(const char *text)
{
	struct xos_cases *c = NULL;
	enum xos_status st = xos_cases_parse(text, strlen(text), "d/f.test", &c, &err);
	ck_assert_msg(st == XOS_OK, "%s", err.text);
	return c;
}

START_TEST(tables)
{
	struct xos_cases *c =
	    parse(HEAD "case one # comment\n  on node:lab/n1\n  limit wall 1h\n"
	               "  table\n    home | subject | expect | by\n"
	               "    uni  | x       | permit |\n"
	               "    -    | demo:y  | deny   | a@b, c:1\n"
	               "case \"two # three\"\n  subject x\n  on job:1\n"
	               "  expect deny\n  because \"a # b\"\n  delegation r.xos\n");
	ck_assert_uint_eq(c->n, 3);
	ck_assert_uint_eq(c->npolicies, 2);
	ck_assert_str_eq(c->policies[0], "d/a.xos");
	ck_assert_str_eq(c->policies[1], "/b.xos");
	ck_assert_str_eq(c->list[0].name, "one [1]");
	ck_assert_uint_eq(c->list[0].line, 11);
	/* A person's home does not undo the column left of the name. */
	ck_assert_str_eq(xos_cases_ask_get(c->list[0].ask, "home"), "uni");
	ck_assert_str_eq(xos_cases_ask_get(c->list[0].ask, "held"), "/demo/Role=r");
	ck_assert_ptr_null(xos_cases_ask_get(c->list[1].ask, "home"));
	ck_assert_str_eq(xos_cases_ask_get(c->list[1].ask, "subject"), "demo:y");
	ck_assert_uint_eq(c->list[0].nexpected, 2);
	ck_assert_uint_eq(c->list[1].nexpected, 4);
	ck_assert_str_eq(c->list[1].expected[3].text, "c:1");
	ck_assert_str_eq(c->list[2].name, "two # three");
	ck_assert_str_eq(c->list[2].expected[1].text, "a # b");
	ck_assert_uint_eq(c->list[2].ndelegations, 1);
	ck_assert_str_eq(c->delegations[0], "d/r.xos");
	xos_cases_free(c);
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *text, *place;
	} bad[] = {{"", "f.test:1:1"}, {"  on x\n", "f.test:1:3"}, {"case\n", "f.test:1:1"},
	    {"case x\n", "f.test:1:1"}, {"case x\n  expect maybe\n", "f.test:2:10"},
	    {"case x\n  expect deny for y\n", "f.test:2:15"}, {"expect deny\n", "f.test:1:1"},
	    {"case x\n  table\n    a | b\n    1 | 2 | 3\n", "f.test:4:5"},
	    {"case x\n  table\n    a | |\n", "f.test:3:5"}, {"case x\n  table\n", "f.test:2:1"},
	    {"case x\n  table\n  on job:1\n", "f.test:3:3"},
	    {"case x\n  subject nobody\n", "f.test:2:11"},
	    {"subject x\n  groups /a\n", "f.test:2:1"},
	    {"subject x\n  is a:b\nsubject x\n", "f.test:3:9"},
	    {"subject x\n  on job:1\n", "f.test:2:3"}, {"case x\n  on\n", "f.test:2:3"},
	    {"policies\n", "f.test:1:1"}, {"subject a b\n", "f.test:1:9"},
	    {"case x\n  now soon\n", "f.test:2:7"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_cases *c = NULL;
		enum xos_status st =
		    xos_cases_parse(bad[i].text, strlen(bad[i].text), "f.test", &c, &err);
		ck_assert_int_eq(st, XOS_MALFORMED);
		ck_assert_ptr_null(c);
		ck_assert_str_eq(err.code, "cases-malformed");
		ck_assert_msg(strncmp(err.text, bad[i].place, strlen(bad[i].place)) == 0,
		    "'%s': %s", bad[i].text, err.text);
	}
	struct xos_cases *c = NULL;
	ck_assert_int_ne(xos_cases_parse("case\0x", 6, "f", &c, &err), XOS_OK);
	ck_assert_int_ne(xos_cases_parse("case \xff", 6, "f", &c, &err), XOS_OK);
	char wide[400] = "case x\n  table\n    ";
	for (unsigned i = 0; i < 60; i++)
		strcat(wide, "a | ");
	ck_assert_int_eq(xos_cases_parse(wide, strlen(wide), "f", &c, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "more than 32 columns"));
	char *large = malloc(XOS_CASES_TEXT_MAX + 1);
	memset(large, ' ', XOS_CASES_TEXT_MAX + 1);
	ck_assert_int_eq(xos_cases_parse(large, XOS_CASES_TEXT_MAX + 1, "f", &c, &err), XOS_LIMIT);
	memset(large, 'x', 9000);
	ck_assert_int_eq(xos_cases_parse(large, 9000, "f", &c, &err), XOS_MALFORMED);
	free(large);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policytool-cases");
	TCase *t = tcase_create("cases");
	tcase_add_test(t, fields);
	tcase_add_test(t, bad_fields);
	tcase_add_test(t, bad_requests);
	tcase_add_test(t, tables);
	tcase_add_test(t, refusals);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
