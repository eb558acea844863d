/* Who is let in by the lists of locks: without lists nobody, by an older or foreign one no change. */
#include "service/lockout.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/administrators.h"
#include "bundle/locks.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct xos_lockout *lockout;
static struct xos_chain alice, jobs;
static struct xos_identity *who_alice, *who_jobs;
static struct xos_err err;
static int64_t now;

static struct xos_identity *identity(const struct xos_chain *chain)
{
	const struct xos_verify_opts o = {.now = now,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .vo = "demo",
	    .purpose = XOS_PURPOSE_ANY};
	struct xos_identity *id = NULL;

	MUST(xos_token_verify_chain(trust, chain, &o, &id, &err), &err);
	return id;
}

static void setup(void)
{
	static const char *const groups[] = {"/demo/physics/hep", "/demo/physics", "/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};

	err = (struct xos_err)XOS_ERR_INIT;
	now = xos_clock_now();
	vo = xos_test_vo_new("demo", "lab", now);
	twin = xos_test_vo_new("demo", "lab", now);
	trust = xos_test_vo_trust(vo);
	const struct xos_test_who member = {
	    .name = "alice", .number = 5, .groups = groups, .roles = roles, .home = "kit.example"};
	const struct xos_test_who service = {.name = "n1", .service = "jobs"};
	xos_test_member(vo, &member, &alice);
	xos_test_service(vo, &service, &jobs);
	who_alice = identity(&alice);
	who_jobs = identity(&jobs);
	MUST(xos_lockout_new("demo", trust, &lockout, &err), &err);
}

static void teardown(void)
{
	xos_lockout_free(lockout);
	xos_identity_free(who_alice);
	xos_identity_free(who_jobs);
	xos_chain_clear(&alice);
	xos_chain_clear(&jobs);
	xos_trust_free(trust);
	xos_test_vo_free(twin);
	xos_test_vo_free(vo);
}

/* A list with one lock, or with none if name is NULL. */
static enum xos_status take(const struct xos_key *key, enum xos_lockout_list which, uint64_t serial,
    int64_t issued, enum xos_lock_kind kind, const char *name)
{
	struct xos_lock lock = {.id = "1",
	    .kind = kind,
	    .since = now - 10,
	    .until = XOS_LOCK_NO_END,
	    .message = "ask us"};
	const struct xos_locks_fields f = {.vo = "demo",
	    .by = which == XOS_LOCKOUT_LOCKS_CA ? XOS_SIGNER_CA : XOS_SIGNER_RCA,
	    .serial = serial,
	    .issued = issued,
	    .expires = issued + 600,
	    .locks = &lock,
	    .n = name ? 1 : 0};
	struct xos_buf compact;

	if (name)
		strcpy(lock.name, name);
	xos_buf_init(&compact, XOS_LOCKS_MAX);
	MUST(xos_locks_sign(key, &f, &compact, &err), &err);
	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_lockout_take(lockout, which, xos_buf_bytes(&compact), now, &err);
	xos_buf_free(&compact);
	return st;
}

static void both(uint64_t serial)
{
	MUST(take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, serial, now, XOS_LOCK_MEMBER, NULL), &err);
	MUST(take(vo->rca_key, XOS_LOCKOUT_LOCKS_RCA, serial, now, XOS_LOCK_NODE, NULL), &err);
}

static void expect(const struct xos_identity *id, enum xos_status status, const char *code)
{
	err = (struct xos_err)XOS_ERR_INIT;
	ck_assert_msg(xos_lockout_check(lockout, id, now, &err) == status, "%s", err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

START_TEST(without_lists_nobody_is_let_in)
{
	expect(who_alice, XOS_UNAVAILABLE, "locks-unknown");
	MUST(take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, 1, now, XOS_LOCK_MEMBER, NULL), &err);
	expect(who_alice, XOS_UNAVAILABLE, "locks-unknown");
	expect(who_jobs, XOS_UNAVAILABLE, "locks-unknown");
	both(2);
	expect(who_alice, XOS_OK, NULL);
	expect(who_jobs, XOS_OK, NULL);
	/* Nor by lists that have ended. */
	now += 700;
	expect(who_alice, XOS_UNAVAILABLE, "locks-unknown");
}
END_TEST

START_TEST(what_is_locked)
{
	const struct {
		enum xos_lock_kind kind;
		const char *name;
		bool stops;
	} list[] = {
	    {XOS_LOCK_MEMBER, "alice", true},
	    {XOS_LOCK_MEMBER, "alic", false},
	    {XOS_LOCK_TOKEN, who_alice->serial, true},
	    {XOS_LOCK_GROUP, "/demo/physics", true},
	    {XOS_LOCK_GROUP, "/demo/phys", false},
	    {XOS_LOCK_GROUP, "/demo/physics/hep/deep", false},
	    {XOS_LOCK_ROLE, "/demo/Role=admin", true},
	    {XOS_LOCK_ROLE, "/demo/Role=editor", false},
	    {XOS_LOCK_HOME, "kit.example", true},
	    {XOS_LOCK_JOB, "alice", false},
	};

	both(1);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		MUST(take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, i + 2, now, list[i].kind, list[i].name),
		    &err);
		expect(who_alice, list[i].stops ? XOS_DENIED : XOS_OK,
		    list[i].stops ? "locked" : NULL);
		if (list[i].stops)
			ck_assert_ptr_nonnull(strstr(err.text, "ask us"));
		expect(who_jobs, XOS_OK, NULL);
	}
	/* A machine by the rca, which says nothing about a member of that name. */
	both(100);
	MUST(take(vo->rca_key, XOS_LOCKOUT_LOCKS_RCA, 101, now, XOS_LOCK_NODE, "n1"), &err);
	expect(who_jobs, XOS_DENIED, "locked");
	expect(who_alice, XOS_OK, NULL);
	/* A complete list: what it does not name is unlocked. */
	both(102);
	expect(who_jobs, XOS_OK, NULL);
}
END_TEST

START_TEST(lists_that_are_not_believed)
{
	both(5);
	MUST(take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, 6, now, XOS_LOCK_MEMBER, "alice"), &err);
	ck_assert_int_eq(
	    take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, 5, now, XOS_LOCK_MEMBER, NULL), XOS_CONFLICT);
	ck_assert_int_eq(
	    take(twin->ca_key, XOS_LOCKOUT_LOCKS_CA, 9, now, XOS_LOCK_MEMBER, NULL), XOS_DENIED);
	ck_assert_int_eq(
	    take(vo->policy_key, XOS_LOCKOUT_LOCKS_CA, 9, now, XOS_LOCK_MEMBER, NULL), XOS_DENIED);
	ck_assert_int_eq(
	    take(vo->ca_key, XOS_LOCKOUT_LOCKS_CA, 9, now - 3600, XOS_LOCK_MEMBER, NULL),
	    XOS_EXPIRED);
	/* One signer's list in the other's place. */
	ck_assert_int_ne(
	    take(vo->rca_key, XOS_LOCKOUT_LOCKS_CA, 9, now, XOS_LOCK_MEMBER, NULL), XOS_OK);
	ck_assert_int_ne(
	    xos_lockout_take(lockout, XOS_LOCKOUT_LOCKS_CA, xos_bytes_str("e30.e30.AA"), now, &err),
	    XOS_OK);
	expect(who_alice, XOS_DENIED, "locked");
}
END_TEST

START_TEST(who_administers_is_what_the_list_says)
{
	struct xos_administrator a = {.name = "alice", .number = 5};
	struct xos_administrators list = {
	    .act = 1, .issued = now, .expires = now + 300, .list = &a, .n = 1};
	struct xos_buf compact;

	ck_assert_int_eq(xos_lockout_administers(lockout, who_alice, now, &err), XOS_UNAVAILABLE);
	for (int i = 0; i < 2; i++) {
		xos_buf_init(&compact, XOS_ADMINISTRATORS_MAX);
		MUST(xos_administrators_sign(vo->ca_key, "demo", &list, &compact, &err), &err);
		MUST(xos_lockout_take(
		         lockout, XOS_LOCKOUT_ADMINISTRATORS, xos_buf_bytes(&compact), now, &err),
		    &err);
		xos_buf_free(&compact);
		ck_assert_int_eq(xos_lockout_administers(lockout, who_alice, now, &err),
		    i == 0 ? XOS_OK : XOS_DENIED);
		list.act++;
		list.n = 0;
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lockout");
	TCase *tc = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_lists_nobody_is_let_in);
	tcase_add_test(tc, what_is_locked);
	tcase_add_test(tc, lists_that_are_not_believed);
	tcase_add_test(tc, who_administers_is_what_the_list_says);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
