#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/membership/acts.h"
#include "ca/membership/membership.h"
#include "ca/membership/schema.h"
#include "ca/auth/verifiers.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000

static char *dir, *path;
static struct ca_membership *m;
static struct xos_err err;

static void setup(void)
{
	dir = xos_test_dir_new();
	path = xos_test_path(dir, "membership.db");
	MUST(ca_membership_open(path, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
}

static void teardown(void)
{
	ca_membership_close(m);
	free(path);
	xos_test_dir_free(dir);
}

static uint64_t add(const char *name)
{
	uint64_t number = 0;

	MUST(ca_member_add(m, name, NOW, &number, &err), &err);
	return number;
}

static void groups_are(const char *name, const char *const *want)
{
	struct ca_member *member = NULL;
	size_t n = 0;

	MUST(ca_member_get(m, name, &member, &err), &err);
	for (; want[n]; n++) {
		ck_assert_uint_gt(member->groups.n, n);
		ck_assert_str_eq(member->groups.item[n], want[n]);
	}
	ck_assert_uint_eq(member->groups.n, n);
	ca_member_free(member);
}
#define GROUPS(name, ...) groups_are(name, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(numbers_and_names_are_never_given_again)
{
	uint64_t number = 0;

	ck_assert_uint_eq(add("ada"), 1);
	ck_assert_uint_eq(add("bob"), 2);
	ck_assert_int_eq(ca_member_add(m, "bob", NOW, &number, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_member_remove(m, "bob", NOW, &err), XOS_OK);
	ck_assert_int_eq(ca_member_add(m, "bob", NOW, &number, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "member-exists");
	ck_assert_ptr_nonnull(strstr(err.text, "before"));
	ck_assert_uint_eq(add("carol"), 3);
	/* also across a restart */
	MUST(xos_store_commit(m->store, &err), &err);
	ca_membership_close(m);
	MUST(ca_membership_open(path, "demo", false, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	ck_assert_int_eq(ca_member_remove(m, "carol", NOW, &err), XOS_OK);
	ck_assert_uint_eq(add("dave"), 4);
	struct ca_member *gone = NULL;
	ck_assert_int_eq(ca_member_get(m, "bob", &gone, &err), XOS_OK);
	ck_assert_int_eq(gone->state, XOS_MEMBER_REMOVED);
	ck_assert_uint_eq(gone->groups.n, 0);
	ca_member_free(gone);
	ck_assert_int_eq(ca_member_number(m, "bob", &number, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(names_have_a_form)
{
	static const char *const bad[] = {"", "Ada", "1ada", "a b", "ada@x", "../x", "root;",
	    "a-name-that-is-far-too-long-for-it"};
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(ca_member_add(m, bad[i], NOW, &number, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_group_add(m, "/other/x", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_group_add(m, "/demo2", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_group_add(m, "/demo/", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_group_add(m, "demo/x", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_group_add(m, "/demo", NOW, &err), XOS_CONFLICT);
}
END_TEST

START_TEST(groups_imply_those_above)
{
	add("alice");
	ck_assert_int_eq(ca_group_add(m, "/demo/physics/hep", NOW, &err), XOS_NOT_FOUND);
	MUST(ca_group_add(m, "/demo/physics", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/physics/hep", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/students", NOW, &err), &err);
	ck_assert_int_eq(ca_group_add(m, "/demo/physics", NOW, &err), XOS_CONFLICT);
	GROUPS("alice", "/demo");
	MUST(ca_group_join(m, "alice", "/demo/students", NOW, &err), &err);
	MUST(ca_group_join(m, "alice", "/demo/physics/hep", NOW, &err), &err);
	/* in the order of joining, each with those above it, the VO last */
	GROUPS("alice", "/demo/students", "/demo/physics/hep", "/demo/physics", "/demo");
	ck_assert_int_eq(ca_group_join(m, "alice", "/demo/students", NOW, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_group_join(m, "alice", "/demo", NOW, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_group_join(m, "alice", "/demo/no", NOW, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(ca_group_join(m, "nobody", "/demo/students", NOW, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(ca_group_leave(m, "alice", "/demo/physics", &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "group-implied");
	ck_assert_int_eq(ca_group_leave(m, "alice", "/demo", &err), XOS_CONFLICT);
	MUST(ca_group_leave(m, "alice", "/demo/physics/hep", &err), &err);
	GROUPS("alice", "/demo/students", "/demo");
	ck_assert_int_eq(ca_group_leave(m, "alice", "/demo/physics/hep", &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(roles_need_their_group)
{
	struct ca_member *a = NULL;

	add("alice");
	MUST(ca_group_add(m, "/demo/physics", NOW, &err), &err);
	ck_assert_int_eq(
	    ca_role_grant(m, "alice", "/demo/physics/Role=editor", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "not-in-group");
	MUST(ca_group_join(m, "alice", "/demo/physics", NOW, &err), &err);
	MUST(ca_role_grant(m, "alice", "/demo/physics/Role=editor", NOW, &err), &err);
	ck_assert_int_eq(
	    ca_role_grant(m, "alice", "/demo/physics/Role=editor", NOW, &err), XOS_CONFLICT);
	ck_assert_int_eq(ca_role_grant(m, "alice", "/other/Role=admin", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_role_grant(m, "alice", "/demo/physics", NOW, &err), XOS_MALFORMED);
	ck_assert_int_eq(ca_role_grant(m, "alice", "/demo/none/Role=x", NOW, &err), XOS_NOT_FOUND);
	/* leaving the group gives the role up */
	MUST(ca_group_leave(m, "alice", "/demo/physics", &err), &err);
	MUST(ca_member_get(m, "alice", &a, &err), &err);
	ck_assert_uint_eq(a->roles.n, 0);
	ca_member_free(a);
}
END_TEST

START_TEST(the_last_administrator_stays)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_MEMBER, .name = "bob", .since = NOW, .until = NOW + 60};

	add("ada");
	add("bob");
	MUST(ca_role_grant(m, "ada", "/demo/Role=admin", NOW, &err), &err);
	MUST(ca_role_grant(m, "bob", "/demo/Role=admin", NOW, &err), &err);
	/* one who is locked, or whose membership has an end, is nobody to be left with */
	MUST(ca_lock_add(m, &lock, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	ck_assert_int_eq(ca_member_remove(m, "ada", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "last-administrator");
	xos_store_rollback(m->store);
	MUST(xos_store_begin(m->store, &err), &err);
	ck_assert_int_eq(ca_role_revoke(m, "ada", "/demo/Role=admin", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "last-administrator");
	xos_store_rollback(m->store);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_member_remove(m, "bob", NOW, &err), &err);
	add("carol");
	MUST(ca_role_grant(m, "ada", "/demo/Role=x", NOW, &err), &err);
	MUST(ca_role_revoke(m, "ada", "/demo/Role=x", NOW, &err), &err);
	ck_assert_int_eq(ca_role_revoke(m, "carol", "/demo/Role=x", NOW, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(no_member_has_the_name_of_a_program)
{
	uint64_t number = 0;

	ck_assert_int_eq(ca_member_add(m, "xos-cad", NOW, &number, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "member-reserved");
	MUST(ca_member_add(m, "xos", NOW, &number, &err), &err);
}
END_TEST

static enum xos_status check_lock(const char *name, const char *role, int64_t now)
{
	struct ca_member *member = NULL;
	enum xos_status st;

	MUST(ca_member_get(m, name, &member, &err), &err);
	st = ca_lock_check(m, member, &role, role ? 1 : 0, now, &err);
	ca_member_free(member);
	return st;
}

START_TEST(locks_stop_and_end)
{
	struct xos_lock lock = {.kind = XOS_LOCK_MEMBER,
	    .name = "alice",
	    .since = NOW,
	    .until = NOW + 100,
	    .message = "call us"};
	uint64_t before = 0, after = 0;

	add("alice");
	add("bob");
	MUST(ca_group_add(m, "/demo/physics", NOW, &err), &err);
	MUST(ca_group_join(m, "bob", "/demo/physics", NOW, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_LOCKS, &before, &err), &err);
	MUST(ca_lock_add(m, &lock, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_LOCKS, &after, &err), &err);
	ck_assert_uint_gt(after, before);
	ck_assert_int_eq(check_lock("alice", NULL, NOW + 1), XOS_DENIED);
	ck_assert_str_eq(err.code, "locked");
	ck_assert_ptr_nonnull(strstr(err.text, "call us"));
	ck_assert_int_eq(check_lock("bob", NULL, NOW + 1), XOS_OK);
	ck_assert_int_eq(check_lock("alice", NULL, NOW + 100), XOS_OK);
	ck_assert_int_eq(ca_lock_add(m, &lock, &err), XOS_CONFLICT);
	lock.since = NOW + 101;
	lock.until = XOS_LOCK_NO_END;
	MUST(ca_lock_add(m, &lock, &err), &err); /* the one that ended gives way */
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "alice", &err), &err);
	ck_assert_int_eq(ca_lock_remove(m, XOS_LOCK_MEMBER, "alice", &err), XOS_NOT_FOUND);
	struct xos_lock group = {.kind = XOS_LOCK_GROUP,
	    .name = "/demo/physics",
	    .since = NOW,
	    .until = XOS_LOCK_NO_END};
	MUST(ca_lock_add(m, &group, &err), &err);
	ck_assert_int_eq(check_lock("bob", NULL, NOW + 1), XOS_DENIED);
	ck_assert_int_eq(check_lock("alice", NULL, NOW + 1), XOS_OK);
	struct xos_lock role = {.kind = XOS_LOCK_ROLE,
	    .name = "/demo/Role=admin",
	    .since = NOW,
	    .until = XOS_LOCK_NO_END};
	MUST(ca_lock_add(m, &role, &err), &err);
	ck_assert_int_eq(check_lock("alice", "/demo/Role=admin", NOW + 1), XOS_DENIED);
	ck_assert_int_eq(check_lock("alice", "/demo/Role=x", NOW + 1), XOS_OK);
	struct xos_lock token = {
	    .kind = XOS_LOCK_TOKEN, .name = "4f01", .since = NOW, .until = NOW + 50};
	MUST(ca_lock_add(m, &token, &err), &err);
	ck_assert_int_eq(check_lock("alice", NULL, NOW + 1), XOS_OK);
	ck_assert_int_eq(ca_lock_check_token(m, "4f01", NOW + 1, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "locked");
	MUST(ca_lock_check_token(m, "4f02", NOW + 1, &err), &err);
	MUST(ca_lock_check_token(m, "4f01", NOW + 50, &err), &err);
	strcpy(token.name, "4F02");
	ck_assert_int_eq(ca_lock_add(m, &token, &err), XOS_MALFORMED);
	strcpy(token.name, "4f02");
	token.until = XOS_LOCK_NO_END;
	ck_assert_int_eq(ca_lock_add(m, &token, &err), XOS_MALFORMED);
	struct xos_lock nobody = {.kind = XOS_LOCK_MEMBER, .name = "nobody", .until = NOW + 9};
	ck_assert_int_eq(ca_lock_add(m, &nobody, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(locks_of_tokens_leave_room_for_others)
{
	struct xos_lock lock = {.kind = XOS_LOCK_TOKEN, .since = NOW, .until = NOW + 50};

	add("alice");
	for (unsigned i = 0; i < CA_LOCK_TOKENS_MAX; i++) {
		snprintf(lock.name, sizeof(lock.name), "%08x", i);
		MUST(ca_lock_add(m, &lock, &err), &err);
	}
	strcpy(lock.name, "ffffffff");
	ck_assert_int_eq(ca_lock_add(m, &lock, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "locks-count");
	lock.since = NOW + 50; /* those that ended do not count */
	lock.until = NOW + 60;
	MUST(ca_lock_add(m, &lock, &err), &err);
	lock = (struct xos_lock){
	    .kind = XOS_LOCK_MEMBER, .name = "alice", .since = NOW, .until = NOW + 50};
	MUST(ca_lock_add(m, &lock, &err), &err);
}
END_TEST

START_TEST(another_vos_file_is_refused)
{
	struct ca_membership *other = NULL;

	MUST(xos_store_commit(m->store, &err), &err);
	ck_assert_int_eq(ca_membership_open(path, "demo2", false, false, &other, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "other-vo");
	char *missing = xos_test_path(dir, "none.db");
	ck_assert_int_eq(
	    ca_membership_open(missing, "demo", false, false, &other, &err), XOS_NOT_FOUND);
	free(missing);
}
END_TEST

static enum xos_status count_act(void *ctx, const struct ca_act *act, struct xos_err *e)
{
	uint64_t *last = ctx;

	(void)e;
	ck_assert_uint_eq(act->id, *last + 1);
	*last = act->id;
	return XOS_OK;
}

static enum xos_status get_password(struct ca_verifiers *v, struct xos_scram_verifier *out)
{
	return ca_verifiers_get(v, "alice", XOS_SCRAM_PASSWORD, NOW, out, &err);
}

static enum xos_status prepare(
    struct ca_verifiers *v, const char *jti, const struct xos_scram_verifier *verifier)
{
	struct ca_verifier_change change = {.member = "alice", .removes = !verifier};

	if (verifier)
		change.verifier = *verifier;
	return ca_verifiers_prepare(v, jti, &change, &err);
}

/* What a crash leaves prepared is applied with its act and dropped without. */
START_TEST(verifiers_follow_their_acts)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);
	struct xos_scram_verifier one, two, got;
	struct ca_verifiers *v = NULL;
	struct ca_act act = {.at = NOW, .actor = "ada", .verb = "x", .args = "{}", .jti = "j1"};
	uint64_t last = 0;
	char *vpath = xos_test_path(dir, "verifiers.db");

	MUST(xos_scram_verifier_make(pw, 4096, &one, &err), &err);
	MUST(xos_scram_verifier_make(pw, 4096, &two, &err), &err);
	MUST(ca_verifiers_open(vpath, true, &v, &err), &err);
	ck_assert_int_eq(get_password(v, &got), XOS_NOT_FOUND);
	MUST(prepare(v, "j1", &one), &err);
	MUST(prepare(v, "j2", &two), &err);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_acts_after(m, 0, count_act, &last, &err), &err);
	ck_assert_uint_eq(last, 1);
	ck_assert_int_eq(get_password(v, &got), XOS_NOT_FOUND);
	uint8_t secret[32];
	memcpy(secret, v->secret, 32);
	ca_verifiers_close(v);
	MUST(ca_verifiers_open(vpath, false, &v, &err), &err);
	ck_assert_mem_eq(secret, v->secret, 32);
	MUST(ca_verifiers_recover(v, m, NOW, &err), &err);
	ck_assert_int_eq(get_password(v, &got), XOS_OK);
	ck_assert_mem_eq(got.salt, one.salt, sizeof(one.salt));
	/* removal */
	MUST(prepare(v, "j3", NULL), &err);
	MUST(ca_verifiers_settle(v, "j3", true, NOW, &err), &err);
	ck_assert_int_eq(get_password(v, &got), XOS_NOT_FOUND);
	ca_verifiers_close(v);
	xos_secret_free(pw);
	free(vpath);
}
END_TEST

/* xos-cad break-glass, and in the middle of it the tick of an auth process that runs beside it. */
START_TEST(a_change_from_beside_is_made_sure)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);
	struct ca_verifier_change change = {
	    .member = "alice", .kind = XOS_SCRAM_CODE, .until = CA_NO_END};
	struct xos_scram_verifier got;
	struct ca_verifiers *v = NULL;
	struct ca_act act = {.at = NOW, .actor = "ada", .verb = "x", .args = "{}", .jti = "j1"};
	char *vpath = xos_test_path(dir, "verifiers.db");

	MUST(xos_scram_verifier_make(pw, 4096, &change.verifier, &err), &err);
	MUST(ca_verifiers_open(vpath, true, &v, &err), &err);
	MUST(ca_verifiers_prepare(v, "j1", &change, &err), &err);
	MUST(ca_verifiers_recover(v, m, NOW, &err), &err);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_verifiers_settle(v, "j1", true, NOW, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW, &got, &err), XOS_NOT_FOUND);
	for (int i = 0; i < 2; i++) {
		MUST(ca_verifiers_make_sure(v, "j1", &change, NOW, &err), &err);
		MUST(ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW, &got, &err), &err);
		ck_assert_mem_eq(
		    got.stored_key, change.verifier.stored_key, sizeof(got.stored_key));
	}
	ca_verifiers_close(v);
	xos_secret_free(pw);
	free(vpath);
}
END_TEST

/* A database of the first version: its passwords stay, what was prepared too. */
START_TEST(older_verifiers_are_kept)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);
	struct xos_scram_verifier one, two, got;
	char text[XOS_SCRAM_VERIFIER_TEXT];
	struct ca_verifiers *v = NULL;
	struct ca_act act = {.at = NOW, .actor = "ada", .verb = "x", .args = "{}", .jti = "j1"};
	char *vpath = xos_test_path(dir, "verifiers.db");
	struct xos_store_options o = {.path = vpath, .mode = 0600};
	struct xos_store *old = NULL;

	MUST(xos_scram_verifier_make(pw, 4096, &one, &err), &err);
	MUST(xos_scram_verifier_make(pw, 4096, &two, &err), &err);
	ca_schema_verifiers(&o);
	o.nmigrations = 1;
	MUST(xos_store_open(&o, &old, &err), &err);
	MUST(xos_scram_verifier_format(&one, text), &err);
	MUST(xos_sql_run(
	         old, NULL, &err, "INSERT INTO verifiers VALUES ('alice', ?1, 5)", "s", text),
	    &err);
	MUST(xos_scram_verifier_format(&two, text), &err);
	MUST(xos_sql_run(
	         old, NULL, &err, "INSERT INTO prepared VALUES ('j1', 'alice', ?1)", "s", text),
	    &err);
	xos_store_close(old);
	MUST(ca_verifiers_open(vpath, false, &v, &err), &err);
	MUST(get_password(v, &got), &err);
	ck_assert_mem_eq(got.salt, one.salt, sizeof(one.salt));
	ck_assert_int_eq(
	    ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW, &got, &err), XOS_NOT_FOUND);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_verifiers_recover(v, m, NOW, &err), &err);
	MUST(get_password(v, &got), &err);
	ck_assert_mem_eq(got.salt, two.salt, sizeof(one.salt));
	ca_verifiers_close(v);
	xos_secret_free(pw);
	free(vpath);
}
END_TEST

/* A code stands beside the password; removing a member takes both; what ended goes. */
START_TEST(codes_stand_beside_passwords)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);
	struct ca_verifier_change change = {.member = "alice"};
	struct xos_scram_verifier got;
	struct ca_verifiers *v = NULL;
	char *vpath = xos_test_path(dir, "verifiers.db");

	MUST(xos_scram_verifier_make(pw, 4096, &change.verifier, &err), &err);
	MUST(ca_verifiers_open(vpath, true, &v, &err), &err);
	MUST(prepare(v, "j1", &change.verifier), &err);
	MUST(ca_verifiers_settle(v, "j1", true, NOW, &err), &err);
	change.kind = XOS_SCRAM_CODE;
	change.until = NOW + 100;
	MUST(ca_verifiers_prepare(v, "j2", &change, &err), &err);
	MUST(ca_verifiers_settle(v, "j2", true, NOW, &err), &err);
	MUST(get_password(v, &got), &err);
	MUST(ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW + 99, &got, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW + 100, &got, &err), XOS_NOT_FOUND);
	/* settling anything at all sweeps out what has ended */
	MUST(prepare(v, "j3", &change.verifier), &err);
	MUST(ca_verifiers_settle(v, "j3", true, NOW + 100, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW, &got, &err), XOS_NOT_FOUND);
	change.until = NOW + 500;
	MUST(ca_verifiers_prepare(v, "j4", &change, &err), &err);
	MUST(ca_verifiers_settle(v, "j4", true, NOW, &err), &err);
	change.all = true;
	MUST(ca_verifiers_prepare(v, "j5", &change, &err), &err);
	MUST(ca_verifiers_settle(v, "j5", true, NOW, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(v, "alice", XOS_SCRAM_CODE, NOW, &got, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(get_password(v, &got), XOS_NOT_FOUND);
	ca_verifiers_close(v);
	xos_secret_free(pw);
	free(vpath);
}
END_TEST

static void administrators_are(const char *const *want, const char *locked)
{
	struct xos_administrators a = {.act = 1};
	size_t n = 0;

	MUST(ca_administrators(m, NOW, &a, &err), &err);
	for (; want[n]; n++) {
		ck_assert_uint_gt(a.n, n);
		ck_assert_str_eq(a.list[n].name, want[n]);
		ck_assert_msg((a.list[n].locked[0] != 0) == (strcmp(want[n], locked) == 0),
		    "%s: %s", want[n], a.list[n].locked);
	}
	ck_assert_uint_eq(a.n, n);
	free(a.list);
}
#define ADMINISTRATORS(locked, ...)                                                                \
	administrators_are((const char *const[]){__VA_ARGS__, NULL}, locked)

START_TEST(administrators_in_good_standing)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_MEMBER, .name = "bob", .since = NOW, .until = NOW + 60};

	add("ada");
	add("bob");
	add("carol");
	MUST(ca_role_grant(m, "bob", "/demo/Role=admin", NOW, &err), &err);
	ADMINISTRATORS("", "bob");
	MUST(ca_role_grant(m, "ada", "/demo/Role=admin", NOW, &err), &err);
	MUST(ca_role_grant(m, "carol", "/demo/Role=editor", NOW, &err), &err);
	ADMINISTRATORS("", "ada", "bob");
	MUST(ca_lock_add(m, &lock, &err), &err);
	ADMINISTRATORS("bob", "ada", "bob");
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "bob", &err), &err);
	MUST(ca_role_revoke(m, "ada", "/demo/Role=admin", NOW, &err), &err);
	ADMINISTRATORS("", "bob");
	MUST(ca_role_grant(m, "carol", "/demo/Role=admin", NOW, &err), &err);
	MUST(ca_member_remove(m, "bob", NOW, &err), &err);
	ADMINISTRATORS("", "carol");
	lock = (struct xos_lock){
	    .kind = XOS_LOCK_ROLE, .name = "/demo/Role=admin", .since = NOW, .until = NOW + 60};
	MUST(ca_lock_add(m, &lock, &err), &err);
	ADMINISTRATORS("carol", "carol");
	/* One that has ended locks nobody. */
	MUST(ca_lock_remove(m, XOS_LOCK_ROLE, "/demo/Role=admin", &err), &err);
	lock.until = NOW;
	MUST(ca_lock_add(m, &lock, &err), &err);
	ADMINISTRATORS("", "carol");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-membership");
	TCase *t = tcase_create("membership");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, numbers_and_names_are_never_given_again);
	tcase_add_test(t, administrators_in_good_standing);
	tcase_add_test(t, locks_of_tokens_leave_room_for_others);
	tcase_add_test(t, names_have_a_form);
	tcase_add_test(t, groups_imply_those_above);
	tcase_add_test(t, roles_need_their_group);
	tcase_add_test(t, the_last_administrator_stays);
	tcase_add_test(t, no_member_has_the_name_of_a_program);
	tcase_add_test(t, locks_stop_and_end);
	tcase_add_test(t, another_vos_file_is_refused);
	tcase_add_test(t, verifiers_follow_their_acts);
	tcase_add_test(t, a_change_from_beside_is_made_sure);
	tcase_add_test(t, older_verifiers_are_kept);
	tcase_add_test(t, codes_stand_beside_passwords);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
