/* Good standing: suspension, ends of memberships and of the VO, robots and their owners. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ca/membership/grouptree.h"
#include "ca/membership/membership.h"
#include "ca/membership/schema.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000

static char *dir, *path;
static struct ca_membership *m;
static struct xos_err err;

static void setup(void)
{
	uint64_t number = 0;

	dir = xos_test_dir_new();
	path = xos_test_path(dir, "membership.db");
	MUST(ca_membership_open(path, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_member_add(m, "ada", NOW, &number, &err), &err);
	MUST(ca_role_grant(m, "ada", "/demo/Role=admin", NOW, &err), &err);
	MUST(ca_member_add(m, "bob", NOW, &number, &err), &err);
	MUST(ca_member_add(m, "robot", NOW, &number, &err), &err);
	MUST(xos_sql_run(m->store, NULL, &err,
	         "UPDATE members SET kind = 'robot', owner = 2 WHERE name = 'robot'", ""),
	    &err);
}

static void teardown(void)
{
	ca_membership_close(m);
	free(path);
	xos_test_dir_free(dir);
}

static enum xos_status standing(const char *name, int64_t now)
{
	struct ca_member *member = NULL;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	MUST(ca_member_get(m, name, &member, &err), &err);
	st = ca_standing_check(m, member, now, &err);
	ca_member_free(member);
	return st;
}

static int64_t end_of(const char *name, int64_t now)
{
	struct ca_member *member = NULL;
	struct ca_vo vo;
	int64_t end = 0;

	MUST(ca_member_get(m, name, &member, &err), &err);
	MUST(ca_vo_get(m, &vo, &err), &err);
	MUST(ca_standing_end(m, &vo, member, now, &end, &err), &err);
	ca_member_free(member);
	return end;
}

static enum xos_member_state on_roster(const char *name, int64_t now)
{
	struct xos_roster_member *list = NULL;
	enum xos_member_state state = XOS_MEMBER_REMOVED;
	size_t n = 0;

	MUST(ca_member_roster(m, now, &list, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			state = list[i].state;
	free(list);
	return state;
}

START_TEST(a_membership_ends_when_it_says)
{
	MUST(ca_member_until(m, "bob", NOW + 10, NOW, &err), &err);
	ck_assert_int_eq(standing("bob", NOW + 9), XOS_OK);
	ck_assert_int_eq(on_roster("bob", NOW + 9), XOS_MEMBER_ACTIVE);
	ck_assert_int_eq(standing("bob", NOW + 10), XOS_DENIED);
	ck_assert_str_eq(err.code, "member-expired");
	ck_assert_int_eq(on_roster("bob", NOW + 10), XOS_MEMBER_SUSPENDED);
	ck_assert_int_eq(end_of("bob", NOW), NOW + 10);
	/* renewed, also after the end */
	MUST(ca_member_until(m, "bob", NOW + 100, NOW + 50, &err), &err);
	ck_assert_int_eq(standing("bob", NOW + 60), XOS_OK);
	ck_assert_int_eq(ca_member_until(m, "bob", NOW, NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_member_until(m, "nobody", NOW + 1, NOW, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(a_robot_stands_and_falls_with_its_owner)
{
	ck_assert_int_eq(standing("robot", NOW), XOS_OK);
	MUST(ca_member_until(m, "bob", NOW + 10, NOW, &err), &err);
	ck_assert_int_eq(end_of("robot", NOW), NOW + 10);
	ck_assert_int_eq(standing("robot", NOW + 10), XOS_DENIED);
	ck_assert_str_eq(err.code, "owner-left");
	ck_assert_int_eq(on_roster("robot", NOW + 10), XOS_MEMBER_SUSPENDED);
	MUST(ca_member_until(m, "bob", CA_NO_END, NOW, &err), &err);
	MUST(ca_member_suspend(m, "bob", "", NOW, &err), &err);
	ck_assert_int_eq(standing("robot", NOW), XOS_DENIED);
	ck_assert_int_eq(on_roster("robot", NOW), XOS_MEMBER_SUSPENDED);
	MUST(ca_member_resume(m, "bob", &err), &err);
	ck_assert_int_eq(standing("robot", NOW), XOS_OK);
	MUST(ca_member_remove(m, "bob", NOW, &err), &err);
	ck_assert_int_eq(standing("robot", NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "owner-left");
	ck_assert_int_eq(on_roster("robot", NOW), XOS_MEMBER_SUSPENDED);
}
END_TEST

START_TEST(a_lock_of_the_owner_stops_the_robot)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_MEMBER, .name = "bob", .since = NOW, .until = NOW + 9};
	uint64_t before = 0, after = 0;

	MUST(ca_version_get(m, CA_VERSION_ROSTER, &before, &err), &err);
	MUST(ca_lock_add(m, &lock, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_ROSTER, &after, &err), &err);
	ck_assert_uint_gt(after, before);
	ck_assert_int_eq(standing("robot", NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "owner-left");
	ck_assert_int_eq(on_roster("robot", NOW), XOS_MEMBER_SUSPENDED);
	ck_assert_int_eq(on_roster("bob", NOW), XOS_MEMBER_ACTIVE);
	ck_assert_int_eq(standing("robot", NOW + 9), XOS_OK);
	ck_assert_int_eq(on_roster("robot", NOW + 9), XOS_MEMBER_ACTIVE);
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "bob", &err), &err);
	ck_assert_int_eq(standing("robot", NOW), XOS_OK);
	MUST(ca_version_get(m, CA_VERSION_ROSTER, &before, &err), &err);
	ck_assert_uint_gt(before, after);
	/* nobody's robots: nothing new for the roster */
	strcpy(lock.name, "ada");
	MUST(ca_lock_add(m, &lock, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_ROSTER, &after, &err), &err);
	ck_assert_uint_eq(after, before);
}
END_TEST

START_TEST(a_vo_ends_for_everybody_and_for_good)
{
	ck_assert_int_eq(ca_vo_end(m, NOW, NOW, &err), XOS_MALFORMED);
	MUST(ca_vo_end(m, NOW + 100, NOW, &err), &err);
	ck_assert_int_eq(end_of("ada", NOW), NOW + 100);
	ck_assert_int_eq(standing("bob", NOW + 99), XOS_OK);
	ck_assert_int_eq(standing("bob", NOW + 100), XOS_DENIED);
	ck_assert_str_eq(err.code, "vo-ended");
	/* administrators too */
	ck_assert_int_eq(standing("ada", NOW + 100), XOS_DENIED);
	ck_assert_str_eq(err.code, "vo-ended");
	ck_assert_int_eq(on_roster("ada", NOW + 100), XOS_MEMBER_SUSPENDED);
	ck_assert_int_eq(ca_vo_end(m, NOW + 500, NOW + 100, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_vo_close(m, NOW + 100, &err), XOS_CONFLICT);
	MUST(ca_vo_end(m, CA_NO_END, NOW + 50, &err), &err);
	ck_assert_int_eq(standing("bob", NOW + 100), XOS_OK);
}
END_TEST

START_TEST(a_closed_vo_lets_administrators_in_for_short)
{
	uint64_t before = 0, after = 0;

	MUST(ca_version_get(m, CA_VERSION_ROSTER, &before, &err), &err);
	ck_assert_int_eq(ca_vo_reopen(m, NOW, &err), XOS_CONFLICT);
	MUST(ca_vo_close(m, NOW, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_ROSTER, &after, &err), &err);
	ck_assert_uint_gt(after, before);
	ck_assert_int_eq(standing("bob", NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "vo-closed");
	ck_assert_int_eq(standing("ada", NOW), XOS_OK);
	ck_assert_int_eq(end_of("ada", NOW), NOW + CA_CLOSED_LIFE);
	ck_assert_int_eq(on_roster("bob", NOW), XOS_MEMBER_SUSPENDED);
	ck_assert_int_eq(on_roster("ada", NOW), XOS_MEMBER_SUSPENDED);
	MUST(ca_vo_reopen(m, NOW, &err), &err);
	ck_assert_int_eq(standing("bob", NOW), XOS_OK);
	ck_assert_int_eq(on_roster("bob", NOW), XOS_MEMBER_ACTIVE);
}
END_TEST

START_TEST(somebody_always_administers)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_MEMBER, .name = "bob", .since = NOW, .until = NOW + 9};

	ck_assert_int_eq(ca_member_suspend(m, "ada", "", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "last-administrator");
	MUST(ca_member_resume(m, "ada", &err), &err); /* the caller would have rolled back */
	MUST(ca_role_grant(m, "bob", "/demo/Role=admin", NOW, &err), &err);
	/* one whose own membership ends, or who is locked, is not enough */
	MUST(ca_member_until(m, "bob", NOW + 9, NOW, &err), &err);
	ck_assert_int_eq(ca_member_suspend(m, "ada", "", NOW, &err), XOS_CONFLICT);
	MUST(ca_member_resume(m, "ada", &err), &err);
	MUST(ca_member_until(m, "bob", CA_NO_END, NOW, &err), &err);
	MUST(ca_lock_add(m, &lock, &err), &err);
	ck_assert_int_eq(ca_member_suspend(m, "ada", "", NOW, &err), XOS_CONFLICT);
	MUST(ca_member_resume(m, "ada", &err), &err);
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "bob", &err), &err);
	MUST(ca_member_suspend(m, "ada", "", NOW, &err), &err);
	/* nor can the other one go or give the role up now; the caller would roll back in between */
	ck_assert_int_eq(ca_role_revoke(m, "bob", "/demo/Role=admin", NOW, &err), XOS_CONFLICT);
	MUST(ca_role_grant(m, "bob", "/demo/Role=admin", NOW, &err), &err);
	ck_assert_int_eq(ca_member_remove(m, "bob", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "last-administrator");
}
END_TEST

START_TEST(a_group_that_is_used_stays)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_GROUP, .name = "/demo/a", .since = NOW, .until = NOW + 9};

	MUST(ca_group_add(m, "/demo/a", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/a/b", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/a-b", NOW, &err), &err);
	ck_assert_int_eq(ca_group_remove(m, "/demo/a", NOW, &err), XOS_CONFLICT);
	MUST(ca_group_remove(m, "/demo/a/b", NOW, &err), &err);
	MUST(ca_group_join(m, "bob", "/demo/a", NOW, &err), &err);
	ck_assert_int_eq(ca_group_remove(m, "/demo/a", NOW, &err), XOS_CONFLICT);
	MUST(ca_group_leave(m, "bob", "/demo/a", &err), &err);
	MUST(ca_lock_add(m, &lock, &err), &err);
	ck_assert_int_eq(ca_group_remove(m, "/demo/a", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "group-used");
	/* the neighbour whose name only begins alike does not count, nor a lock that has ended */
	MUST(ca_group_remove(m, "/demo/a", NOW + 9, &err), &err);
	ck_assert_int_eq(ca_group_remove(m, "/demo", NOW, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_group_remove(m, "/demo/a", NOW, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(roles_come_in_pages_of_their_subtree)
{
	struct ca_role_row after = {.role = ""}, *rows = NULL;
	size_t n = 0;

	MUST(ca_group_add(m, "/demo/a", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/ab", NOW, &err), &err);
	MUST(ca_group_join(m, "bob", "/demo/a", NOW, &err), &err);
	MUST(ca_group_join(m, "bob", "/demo/ab", NOW, &err), &err);
	MUST(ca_role_grant(m, "bob", "/demo/a/Role=x", NOW, &err), &err);
	MUST(ca_role_grant(m, "bob", "/demo/a/Role=y", NOW, &err), &err);
	MUST(ca_role_grant(m, "bob", "/demo/ab/Role=x", NOW, &err), &err);
	MUST(ca_role_page(m, "/demo/a", &after, 10, &rows, &n, &err), &err);
	ck_assert_uint_eq(n, 2);
	after = rows[0];
	free(rows);
	MUST(ca_role_page(m, "/demo/a", &after, 10, &rows, &n, &err), &err);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(rows[0].role, "/demo/a/Role=y");
	free(rows);
	memset(&after, 0, sizeof(after));
	MUST(ca_role_page(m, "/demo", &after, 10, &rows, &n, &err), &err);
	ck_assert_uint_eq(n, 4);
	free(rows);
}
END_TEST

/* A database of the first version: everybody in it goes on as before. */
START_TEST(an_older_membership_is_brought_up_to_date)
{
	char *old = xos_test_path(dir, "old.db");
	struct xos_store_options o = {.path = old, .mode = 0600};
	struct ca_membership *kept = NULL;
	struct ca_member *alice = NULL;
	struct xos_store *store = NULL;
	struct ca_vo vo;

	ca_schema_membership(&o);
	o.nmigrations = 1;
	MUST(xos_store_open(&o, &store, &err), &err);
	MUST(xos_store_exec(store,
	         "INSERT INTO vo VALUES ('demo', 5);"
	         "INSERT INTO vo_groups VALUES (0, '/demo', 5);"
	         "INSERT INTO members VALUES (1, 'alice', 'active', 5, NULL);"
	         "UPDATE counters SET value = 1 WHERE name = 'member'",
	         &err),
	    &err);
	xos_store_close(store);
	/* who only reads does not migrate, and says so */
	ck_assert_int_eq(ca_membership_open(old, "demo", false, true, &kept, &err), XOS_CONFLICT);
	MUST(ca_membership_open(old, "demo", false, false, &kept, &err), &err);
	MUST(ca_vo_get(kept, &vo, &err), &err);
	ck_assert_int_eq(vo.created, 5);
	ck_assert_int_eq(vo.ends, CA_NO_END);
	ck_assert_int_eq(vo.model, CA_ADMINISTERED);
	ck_assert_uint_eq(vo.rules, 0);
	MUST(ca_member_get(kept, "alice", &alice, &err), &err);
	ck_assert_int_eq(alice->kind, CA_PERSON);
	ck_assert_int_eq(alice->until, CA_NO_END);
	MUST(ca_standing_check(kept, alice, NOW, &err), &err);
	ca_member_free(alice);
	ca_membership_close(kept);
	free(old);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-standing");
	TCase *t = tcase_create("standing");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_membership_ends_when_it_says);
	tcase_add_test(t, a_robot_stands_and_falls_with_its_owner);
	tcase_add_test(t, a_lock_of_the_owner_stops_the_robot);
	tcase_add_test(t, a_vo_ends_for_everybody_and_for_good);
	tcase_add_test(t, a_closed_vo_lets_administrators_in_for_short);
	tcase_add_test(t, somebody_always_administers);
	tcase_add_test(t, a_group_that_is_used_stays);
	tcase_add_test(t, roles_come_in_pages_of_their_subtree);
	tcase_add_test(t, an_older_membership_is_brought_up_to_date);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
