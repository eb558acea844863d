/* The whole membership at once says of everybody what ca_member_get says of each. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ca/membership/everybody.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000

static char *dir, *path;
static struct ca_membership *m;
static struct xos_err err;

static void add(const char *name)
{
	uint64_t number = 0;

	MUST(ca_member_add(m, name, NOW, &number, &err), &err);
}

static void setup(void)
{
	static const char *const groups[] = {"/demo/a", "/demo/a/b", "/demo/a/b/c", "/demo/z"};

	dir = xos_test_dir_new();
	path = xos_test_path(dir, "membership.db");
	MUST(ca_membership_open(path, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	for (size_t i = 0; i < 4; i++)
		MUST(ca_group_add(m, groups[i], NOW, &err), &err);
	add("zoe");
	add("alice");
	add("gone");
	add("rests");
	MUST(ca_group_join(m, "alice", "/demo/z", NOW, &err), &err);
	MUST(ca_group_join(m, "alice", "/demo/a/b/c", NOW, &err), &err);
	MUST(ca_role_grant(m, "alice", "/demo/Role=admin", NOW, &err), &err);
	MUST(ca_role_grant(m, "alice", "/demo/a/Role=editor", NOW, &err), &err);
	MUST(ca_group_join(m, "gone", "/demo/a", NOW, &err), &err);
	MUST(ca_group_join(m, "rests", "/demo/a", NOW, &err), &err);
	MUST(ca_group_join(m, "zoe", "/demo/a", NOW, &err), &err);
	MUST(ca_member_remove(m, "gone", NOW, &err), &err);
	MUST(ca_member_suspend(m, "rests", "leave", NOW, &err), &err);
}

static void teardown(void)
{
	ca_membership_close(m);
	free(path);
	xos_test_dir_free(dir);
}

static void same(const struct ca_names *names, const char *const *list, size_t n)
{
	ck_assert_uint_eq(names->n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(names->item[i], list[i]);
}

START_TEST(everybody_is_listed_as_in_a_token)
{
	struct ca_everybody e = {.members = NULL};

	MUST(ca_everybody(m, NOW, &e, &err), &err);
	ck_assert_uint_eq(e.n, 2); /* neither who left nor who rests */
	for (size_t i = 0; i < e.n; i++) {
		const struct xos_membership_member *one = &e.members[i];
		struct ca_member *member = NULL;

		MUST(ca_member_get(m, one->name, &member, &err), &err);
		ck_assert_uint_eq(one->number, member->number);
		same(&member->groups, one->groups, one->ngroups);
		same(&member->roles, one->roles, one->nroles);
		ca_member_free(member);
	}
	for (size_t i = 1; i < e.names.n; i++)
		ck_assert_int_lt(strcmp(e.names.item[i - 1], e.names.item[i]), 0);
	ca_everybody_free(&e);
}
END_TEST

START_TEST(nobody_is_listed_of_a_closed_vo)
{
	struct ca_everybody e = {.members = NULL};

	MUST(ca_vo_close(m, NOW, &err), &err);
	MUST(ca_everybody(m, NOW, &e, &err), &err);
	ck_assert_uint_eq(e.n, 0);
	ca_everybody_free(&e);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ca-everybody");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, everybody_is_listed_as_in_a_token);
	tcase_add_test(tc, nobody_is_listed_of_a_closed_vo);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
