/* Invitations, as the auth process takes them up: only by the code that stands, and only while it does. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/auth/invitations.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000

static char *dir, *p_membership, *p_verifiers;
static struct ca_auth *a;
static struct xos_err err;
static struct xos_scram_verifier first, second;

static void in_transaction(enum xos_status (*fn)(void))
{
	MUST(xos_store_begin(a->membership->store, &err), &err);
	MUST(fn(), &err);
	MUST(xos_store_commit(a->membership->store, &err), &err);
}

static enum xos_status members(void)
{
	uint64_t number = 0;
	enum xos_status st = ca_member_add(a->membership, "ada", NOW, &number, &err);

	if (st == XOS_OK)
		st = ca_role_grant(a->membership, "ada", "/demo/Role=admin", NOW, &err);
	return st == XOS_OK ? ca_member_add(a->membership, "bob", NOW, &number, &err) : st;
}

static enum xos_status open_vo(void)
{
	return xos_sql_run(a->membership->store, NULL, &err, "UPDATE vo SET model = 'open'", "");
}

/* By bob (2), for an hour. */
static enum xos_status invite(void)
{
	struct ca_invitation i = {.name = "zoe",
	    .number = 2,
	    .at = NOW,
	    .until = NOW + 3600,
	    .ends = CA_NO_END,
	    .life = 86400};

	return ca_invitation_add(a->membership, &i, true, &err);
}

static void set_code(const struct xos_scram_verifier *v, const char *jti)
{
	struct ca_verifier_change c = {
	    .member = "zoe", .kind = XOS_SCRAM_CODE, .until = NOW + 3600};

	c.verifier = *v;
	MUST(ca_verifiers_prepare(a->verifiers, jti, &c, &err), &err);
	MUST(ca_verifiers_settle(a->verifiers, jti, true, NOW, &err), &err);
}

static void setup(void)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);

	dir = xos_test_dir_new();
	p_membership = xos_test_path(dir, "membership.db");
	p_verifiers = xos_test_path(dir, "verifiers.db");
	a = calloc(1, sizeof(*a));
	strcpy(a->vo, "demo");
	MUST(ca_membership_open(p_membership, "demo", true, false, &a->membership, &err), &err);
	MUST(ca_verifiers_open(p_verifiers, true, &a->verifiers, &err), &err);
	MUST(xos_scram_verifier_make(pw, 4096, &first, &err), &err);
	MUST(xos_scram_verifier_make(pw, 4096, &second, &err), &err);
	xos_secret_free(pw);
	in_transaction(members);
	in_transaction(open_vo);
	in_transaction(invite);
	set_code(&first, "1");
}

static void teardown(void)
{
	ca_verifiers_close(a->verifiers);
	ca_membership_close(a->membership);
	free(a);
	free(p_membership);
	free(p_verifiers);
	xos_test_dir_free(dir);
}

static enum xos_status take_up(const struct xos_scram_verifier *proven, int64_t now)
{
	memset(&err, 0, sizeof(err));
	return ca_invitation_take_up(a, "zoe", proven, now, &err);
}

static bool is_member(void)
{
	uint64_t number = 0;

	return ca_member_number(a->membership, "zoe", &number, NULL) == XOS_OK;
}

START_TEST(the_code_makes_the_member_once)
{
	struct ca_member *zoe = NULL;

	MUST(take_up(&first, NOW + 10), &err);
	MUST(ca_member_get(a->membership, "zoe", &zoe, &err), &err);
	ck_assert_str_eq(zoe->sponsor, "bob");
	ck_assert_int_eq(zoe->until, NOW + 10 + 86400);
	ca_member_free(zoe);
	/* a second time there is no invitation, and nothing to do */
	MUST(take_up(&first, NOW + 11), &err);
	MUST(xos_store_begin(a->membership->store, &err), &err);
	ck_assert_int_eq(invite(), XOS_CONFLICT);
	xos_store_rollback(a->membership->store);
}
END_TEST

START_TEST(an_older_code_and_an_ended_one_make_nobody)
{
	set_code(&second, "2");
	ck_assert_int_eq(take_up(&first, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	ck_assert(!is_member());
	/* past its end there is no invitation: the log-in goes on, to find no member */
	MUST(take_up(&second, NOW + 3600), &err);
	ck_assert(!is_member());
	MUST(take_up(&second, NOW + 3599), &err);
	ck_assert(is_member());
}
END_TEST

static enum xos_status suspend_bob(void)
{
	return ca_member_suspend(a->membership, "bob", "", NOW, &err);
}

static enum xos_status close_vo(void)
{
	return ca_vo_close(a->membership, NOW, &err);
}

START_TEST(a_sponsor_who_left_and_a_closed_vo_bring_nobody_in)
{
	in_transaction(suspend_bob);
	ck_assert_int_eq(take_up(&first, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "sponsor-left");
	in_transaction(close_vo);
	ck_assert_int_eq(take_up(&first, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "vo-closed");
	ck_assert(!is_member());
}
END_TEST

static enum xos_status administer_vo(void)
{
	return xos_sql_run(
	    a->membership->store, NULL, &err, "UPDATE vo SET model = 'administered'", "");
}

static enum xos_status into_group(void)
{
	enum xos_status st = ca_group_add(a->membership, "/demo/g", NOW, &err);

	if (st == XOS_OK)
		st = ca_group_add(a->membership, "/demo/g/h", NOW, &err);
	if (st == XOS_OK)
		st = ca_group_join(a->membership, "bob", "/demo/g", NOW, &err);
	if (st == XOS_OK)
		st = ca_role_grant(a->membership, "bob", "/demo/g/Role=admin", NOW, &err);
	return st == XOS_OK ? xos_sql_run(a->membership->store, NULL, &err,
	                          "UPDATE invitations SET groups = '/demo/g/h'", "")
	                    : st;
}

static enum xos_status revoke(void)
{
	return ca_role_revoke(a->membership, "bob", "/demo/g/Role=admin", NOW, &err);
}

static enum xos_status grant(void)
{
	return ca_role_grant(a->membership, "bob", "/demo/g/Role=admin", NOW, &err);
}

START_TEST(a_sponsor_who_lost_the_right_brings_nobody_in)
{
	in_transaction(administer_vo);
	ck_assert_int_eq(take_up(&first, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "sponsor-right");
	in_transaction(open_vo);
	in_transaction(into_group);
	in_transaction(revoke);
	ck_assert_int_eq(take_up(&first, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "sponsor-right");
	ck_assert(!is_member());
	in_transaction(grant);
	MUST(take_up(&first, NOW), &err);
	ck_assert(is_member());
}
END_TEST

START_TEST(a_member_invites_so_many_and_no_more)
{
	struct ca_invitation i = {.number = 2, .at = NOW, .until = NOW + 3600, .ends = CA_NO_END};

	MUST(xos_store_begin(a->membership->store, &err), &err);
	for (int n = 1; n < CA_INVITATIONS_OWN; n++) {
		snprintf(i.name, sizeof(i.name), "guest%d", n);
		MUST(ca_invitation_add(a->membership, &i, true, &err), &err);
	}
	strcpy(i.name, "onemore");
	ck_assert_int_eq(ca_invitation_add(a->membership, &i, true, &err), XOS_LIMIT);
	/* those that have ended do not count, and their names are free */
	i.at = NOW + 3600;
	i.until = NOW + 7200;
	strcpy(i.name, "guest1");
	MUST(ca_invitation_add(a->membership, &i, true, &err), &err);
	xos_store_rollback(a->membership->store);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-invitations");
	TCase *t = tcase_create("invitations");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_code_makes_the_member_once);
	tcase_add_test(t, an_older_code_and_an_ended_one_make_nobody);
	tcase_add_test(t, a_sponsor_who_left_and_a_closed_vo_bring_nobody_in);
	tcase_add_test(t, a_sponsor_who_lost_the_right_brings_nobody_in);
	tcase_add_test(t, a_member_invites_so_many_and_no_more);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
