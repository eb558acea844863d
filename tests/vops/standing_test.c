/* May this administrator still command the policy service? As the roster and the locks say it now. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "vops/auth.h"

static char *dir;
static struct xos_test_vo *vo;
static struct xos_err err;
static struct vops_conf conf;
static struct vops_auth a;
static struct xos_claims *ada;

static void setup(void)
{
	static char name[] = "demo";
	char *path;

	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	path = xos_test_path(dir, "sets.db");
	conf = (struct vops_conf){.common = {.vo = name}};
	a = (struct vops_auth){.conf = &conf, .trust = xos_test_vo_trust(vo)};
	MUST(vops_sets_open(path, &a.db, &err), &err);
	MUST(xos_claims_new(XOS_KIND_USER, "demo", "ada", &ada, &err), &err);
	ada->number = 3;
	MUST(xos_claims_add_group(ada, "/demo/ops/night", &err), &err);
	MUST(xos_claims_add_group(ada, "/demo", &err), &err);
	MUST(xos_claims_add_role(ada, "/demo/Role=admin", &err), &err);
	free(path);
}

static void teardown(void)
{
	xos_claims_free(ada);
	xos_store_close(a.db);
	xos_trust_free((struct xos_trust *)(uintptr_t)a.trust);
	xos_test_vo_free(vo);
	xos_test_dir_free(dir);
}

static void put(enum vops_object o, uint64_t serial, struct xos_buf *compact)
{
	bool changed = false;

	MUST(xos_store_begin(a.db, &err), &err);
	MUST(vops_object_put(a.db, o, serial, xos_buf_bytes(compact), vo->now, &changed, &err),
	    &err);
	MUST(xos_store_commit(a.db, &err), &err);
	ck_assert(changed);
	xos_buf_free(compact);
}

static void put_roster(uint64_t serial, uint64_t number, enum xos_member_state state)
{
	struct xos_roster_member m = {.name = "ada", .number = number, .state = state};
	const struct xos_roster_fields f = {.vo = "demo",
	    .serial = serial,
	    .issued = vo->now,
	    .expires = vo->now + 3600,
	    .members = &m,
	    .n = 1};
	struct xos_buf b;

	xos_buf_init(&b, XOS_ROSTER_MAX);
	MUST(xos_roster_sign(vo->ca_key, &f, &b, &err), &err);
	put(VOPS_ROSTER, serial, &b);
}

static void put_lock(uint64_t serial, enum xos_lock_kind kind, const char *name)
{
	struct xos_lock lock = {
	    .id = "l1", .kind = kind, .since = vo->now, .until = XOS_LOCK_NO_END};
	struct xos_locks_fields f = {.vo = "demo",
	    .by = XOS_SIGNER_CA,
	    .serial = serial,
	    .issued = vo->now,
	    .expires = vo->now + 3600,
	    .locks = &lock,
	    .n = name ? 1 : 0};
	struct xos_buf b;

	if (name)
		strcpy(lock.name, name);
	xos_buf_init(&b, XOS_LOCKS_MAX);
	MUST(xos_locks_sign(vo->ca_key, &f, &b, &err), &err);
	put(VOPS_LOCKS_CA, serial, &b);
}

static void expect(enum xos_status want, const char *code)
{
	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(vops_auth_standing(&a, ada, &err), want);
	if (want != XOS_OK)
		ck_assert_str_eq(err.code, code);
}

START_TEST(members_and_strangers)
{
	expect(XOS_OK, ""); /* a VO that has just been set up */
	put_roster(1, 3, XOS_MEMBER_ACTIVE);
	expect(XOS_OK, "");
	put_roster(2, 3, XOS_MEMBER_REMOVED);
	expect(XOS_DENIED, "member-state");
	put_roster(3, 4, XOS_MEMBER_ACTIVE); /* the same name, another person */
	expect(XOS_DENIED, "member-state");
}
END_TEST

START_TEST(every_lock_counts)
{
	static const struct {
		enum xos_lock_kind kind;
		const char *name;
		bool hits;
	} locks[] = {
	    {XOS_LOCK_MEMBER, "bob", false},
	    {XOS_LOCK_MEMBER, "ada", true},
	    {XOS_LOCK_ROLE, "/demo/Role=editor", false},
	    {XOS_LOCK_ROLE, "/demo/Role=admin", true},
	    {XOS_LOCK_GROUP, "/demo/op", false},
	    {XOS_LOCK_GROUP, "/demo/ops/night/late", false},
	    {XOS_LOCK_GROUP, "/demo/ops/night", true},
	    {XOS_LOCK_GROUP, "/demo/ops", true},
	    {XOS_LOCK_GROUP, "/demo", true},
	};

	put_roster(1, 3, XOS_MEMBER_ACTIVE);
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		put_lock(i + 1, locks[i].kind, locks[i].name);
		expect(locks[i].hits ? XOS_DENIED : XOS_OK, locks[i].hits ? "locked" : "");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops-standing");
	TCase *c = tcase_create("standing");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, members_and_strangers);
	tcase_add_test(c, every_lock_counts);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
