/* Grants of jobs in the database: pages, extension, what is forgotten. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/membership/jobgrants.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW ((int64_t)1800000000)
#define DAY 86400

static struct xos_err err = XOS_ERR_INIT;
static struct ca_membership *m;
static char *dir, *path;
static uint64_t alice;

static void setup(void)
{
	dir = xos_test_dir_new();
	path = xos_test_path(dir, "membership.db");
	MUST(ca_membership_open(path, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_member_add(m, "alice", NOW, &alice, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
}

static void teardown(void)
{
	ca_membership_close(m);
	free(path);
	xos_test_dir_free(dir);
}

static void make(struct ca_job_grant *g, unsigned n, int64_t ends)
{
	memset(g, 0, sizeof(*g));
	xos_grant_init(&g->grant);
	xos_str_printf(g->grant.id, sizeof(g->grant.id), "%032x", n);
	strcpy(g->grant.vo, "demo");
	strcpy(g->grant.node, "n1");
	MUST(xos_grant_add_role(&g->grant, "/demo/Role=a", &err), &err);
	MUST(xos_grant_add_role(&g->grant, "/demo/hep/Role=b", &err), &err);
	g->grant.issued = NOW;
	g->grant.ends = ends;
	g->number = alice;
	strcpy(g->member, "alice");
	strcpy(g->method, "password");
	strcpy(g->token, "00ff");
	g->authenticated = NOW - 10;
	g->registered = NOW;
}

static enum xos_status put(unsigned n, int64_t ends, int64_t now, bool *changed)
{
	struct ca_job_grant g;
	enum xos_status st;

	make(&g, n, ends);
	MUST(xos_store_begin(m->store, &err), &err);
	st = ca_job_grant_register(m, &g, now, changed, &err);
	if (st == XOS_OK)
		MUST(xos_store_commit(m->store, &err), &err);
	xos_store_rollback(m->store);
	ca_job_grant_clear(&g);
	return st;
}

START_TEST(what_was_kept_comes_back)
{
	struct ca_job_grant g;
	bool changed = false;

	ck_assert_int_eq(put(1, NOW + DAY, NOW, &changed), XOS_OK);
	ck_assert(changed);
	ck_assert_int_eq(put(1, NOW + DAY, NOW, &changed), XOS_OK);
	ck_assert(!changed);
	MUST(ca_job_grant_get(m, "00000000000000000000000000000001", &g, &err), &err);
	ck_assert_str_eq(g.member, "alice");
	ck_assert_uint_eq(g.grant.nroles, 2);
	ck_assert_str_eq(g.grant.roles[1], "/demo/hep/Role=b");
	ck_assert_uint_eq(g.grant.restriction.n, 0);
	ck_assert_int_eq(ca_job_grant_usable(&g, NOW, &err), XOS_OK);
	ck_assert_int_eq(ca_job_grant_usable(&g, NOW + DAY, &err), XOS_EXPIRED);
	ca_job_grant_clear(&g);
	ck_assert_int_eq(
	    ca_job_grant_get(m, "00000000000000000000000000000002", &g, &err), XOS_NOT_FOUND);
	ca_job_grant_clear(&g);
}
END_TEST

struct seen {
	unsigned n;
	int64_t ends;
	char id[XOS_JOB_ID_TEXT];
};

static enum xos_status each(void *ctx, const struct ca_job_grant *g, struct xos_err *e)
{
	struct seen *s = ctx;

	(void)e;
	ck_assert(g->grant.ends < s->ends ||
	          (g->grant.ends == s->ends && strcmp(g->grant.id, s->id) > 0));
	s->ends = g->grant.ends;
	memcpy(s->id, g->grant.id, sizeof(s->id));
	s->n++;
	return XOS_OK;
}

START_TEST(pages_give_each_once)
{
	struct seen s = {.ends = INT64_MAX};
	unsigned before = 0, pages = 0;
	bool changed;

	/* Many of one end, so that pages are cut among them. */
	for (unsigned i = 0; i < 25; i++)
		MUST(put(i, NOW + DAY + (i % 3 == 0), NOW, &changed), &err);
	do {
		const struct ca_job_grants_page page = {
		    .number = pages % 2 ? alice : 0, .ends = s.ends, .id = s.id, .max = 4};

		before = s.n;
		MUST(ca_job_grants_list(m, &page, each, &s, &err), &err);
		pages++;
	} while (s.n > before);
	ck_assert_uint_eq(s.n, 25);
	const struct ca_job_grants_page nobody = {
	    .number = alice + 1, .ends = INT64_MAX, .id = "", .max = 4};
	MUST(ca_job_grants_list(m, &nobody, each, &s, &err), &err);
	ck_assert_uint_eq(s.n, 25);
}
END_TEST

START_TEST(what_ended_is_forgotten_in_time)
{
	struct ca_job_grant g;
	bool changed;

	MUST(put(1, NOW + DAY, NOW, &changed), &err);
	MUST(put(2, NOW + 40 * DAY, NOW + 30 * DAY, &changed), &err);
	ck_assert_int_eq(ca_job_grant_get(m, "00000000000000000000000000000001", &g, &err), XOS_OK);
	ca_job_grant_clear(&g);
	MUST(put(3, NOW + 40 * DAY, NOW + 32 * DAY, &changed), &err);
	ck_assert_int_eq(
	    ca_job_grant_get(m, "00000000000000000000000000000001", &g, &err), XOS_NOT_FOUND);
	ca_job_grant_clear(&g);
}
END_TEST

START_TEST(revoked_stays_so)
{
	struct ca_job_grant g;
	bool changed;

	MUST(put(1, NOW + DAY, NOW, &changed), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_job_grants_end_member(m, alice, "gone", NOW + 5, &err), &err);
	MUST(ca_job_grant_revoke(m, "00000000000000000000000000000001", "again", NOW + 9, &err),
	    &err);
	MUST(xos_store_commit(m->store, &err), &err);
	MUST(ca_job_grant_get(m, "00000000000000000000000000000001", &g, &err), &err);
	ck_assert_int_eq(g.revoked, NOW + 5);
	ck_assert_str_eq(g.reason, "gone"); /* the first reason counts */
	ck_assert_int_eq(ca_job_grant_usable(&g, NOW + 6, &err), XOS_DENIED);
	ca_job_grant_clear(&g);
	ck_assert_int_eq(put(1, NOW + 2 * DAY, NOW, &changed), XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-revoked");
}
END_TEST

static bool is_locked(unsigned n, int64_t at)
{
	char id[XOS_JOB_ID_TEXT];
	struct xos_err why = XOS_ERR_INIT;

	xos_str_printf(id, sizeof(id), "%032x", n);
	return ca_lock_check_grant(m, id, at, &why) == XOS_DENIED;
}

static void lock_token(const char *serial, int64_t until)
{
	struct xos_lock lock = {
	    .kind = XOS_LOCK_TOKEN, .since = NOW + 10, .until = until, .message = "stolen"};

	strcpy(lock.name, serial);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_lock_add(m, &lock, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
}

/* What was renewed has a serial of its own, and nodes know nothing of the token that signed the grant. */
START_TEST(a_lock_of_the_token_reaches_what_was_renewed)
{
	const struct xos_lock by_hand = {.kind = XOS_LOCK_GRANT,
	    .name = "00000000000000000000000000000004",
	    .since = NOW,
	    .until = XOS_LOCK_NO_END};
	struct xos_lock own = by_hand;
	uint64_t before = 0, after = 0;
	bool changed;

	for (unsigned n = 1; n <= 5; n++)
		MUST(put(n, NOW + 2 * DAY, NOW, &changed), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	for (unsigned n = 1; n <= 4; n++) {
		char id[XOS_JOB_ID_TEXT];

		xos_str_printf(id, sizeof(id), "%032x", n);
		MUST(ca_job_grant_renewed(m, id, n == 3 ? NOW + 5 : NOW + DAY, NOW, &err), &err);
	}
	/* One that was ended before, without cutting off what is out; and one of another token. */
	MUST(ca_job_grant_revoke(m, "00000000000000000000000000000001", "enough", NOW, &err), &err);
	MUST(xos_sql_run(m->store, NULL, &err, "UPDATE grants SET token = '00aa' WHERE id = ?1",
	         "s", "00000000000000000000000000000002"),
	    &err);
	MUST(ca_lock_add(m, &own, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	MUST(ca_version_get(m, CA_VERSION_LOCKS, &before, &err), &err);
	lock_token("00ff", NOW + 3600);
	MUST(ca_version_get(m, CA_VERSION_LOCKS, &after, &err), &err);
	ck_assert_uint_gt(after, before);
	ck_assert(is_locked(1, NOW + 11));
	ck_assert(!is_locked(2, NOW + 11));
	ck_assert(!is_locked(3, NOW + 11)); /* nothing is out */
	ck_assert(is_locked(4, NOW + 11));
	ck_assert(!is_locked(5, NOW + 11));
	/* As long as the last certificate lives, not the token. */
	ck_assert(is_locked(1, NOW + DAY));
	ck_assert(!is_locked(1, NOW + DAY + 2 * 3600));
	/* With the token's lock go those that came with it. */
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_lock_remove(m, XOS_LOCK_TOKEN, "00ff", &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	ck_assert(!is_locked(1, NOW + 11));
	ck_assert(is_locked(4, NOW + 11));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-jobgrants");
	TCase *c = tcase_create("jobgrants");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, what_was_kept_comes_back);
	tcase_add_test(c, pages_give_each_once);
	tcase_add_test(c, what_ended_is_forgotten_in_time);
	tcase_add_test(c, revoked_stays_so);
	tcase_add_test(c, a_lock_of_the_token_reaches_what_was_renewed);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
