/* What auth keeps of heads that the network process says it fetched: each by its own key, never back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/logproof.h"
#include "base/clock.h"
#include "base/event.h"
#include "testsupport/heads.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "vops/heads.h"
#include "vops/sets.h"

static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct xos_chain accounting;
static struct xos_store *db;
static struct xos_err err;
static char *dir;

static void open_db(void)
{
	char *path = xos_test_path(dir, "sets.db");

	MUST(vops_sets_open(path, &db, &err), &err);
	free(path);
}

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	twin = xos_test_vo_new("demo", "lab", xos_clock_now());
	trust = xos_test_vo_trust(vo);
	accounting = (struct xos_chain){.n = 0};
	xos_test_accounting(vo, &accounting);
	open_db();
}

static void teardown(void)
{
	xos_store_close(db);
	xos_chain_clear(&accounting);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(twin);
	xos_test_dir_free(dir);
}

static enum xos_status take_bytes(enum xos_vo_log log, struct xos_bytes in, bool *changed)
{
	err = (struct xos_err)XOS_ERR_INIT;
	MUST(xos_store_begin(db, &err), &err);
	enum xos_status st = vops_head_take(db, trust, "demo", log, in, vo->now, changed, &err);
	if (st == XOS_OK)
		MUST(xos_store_commit(db, &err), &err);
	xos_store_rollback(db);
	return st;
}

static enum xos_status take(enum xos_vo_log log, const struct xos_log_head *h,
    const struct xos_key *key, const struct xos_cert *cert, bool *changed)
{
	struct xos_json *doc = xos_test_head_doc(h, key, cert);
	struct xos_buf text;
	bool own;

	xos_buf_init(&text, 65536);
	MUST(xos_json_dump(doc, &text, &err), &err);
	enum xos_status st = take_bytes(log, xos_buf_bytes(&text), changed ? changed : &own);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

/* What nodes would make of what is kept; 0: nothing is. */
static uint64_t carried(enum xos_vo_log log)
{
	const struct xos_cert *known[2] = {vo->ca, vo->rca};
	const struct xos_carried_want want = {
	    .trust = trust, .vo = "demo", .known = known, .nknown = 2, .now = vo->now, .skew = 300};
	struct xos_carried_head h = {.signer = NULL};
	struct xos_buf b;
	uint64_t n = 0;

	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	MUST(vops_head_get(db, log, &b, &err), &err);
	if (b.n) {
		MUST(xos_loghead_arrive(xos_buf_bytes(&b), &want, &h, &err), &err);
		ck_assert_int_eq(h.log, log);
		n = h.head.sequence;
		xos_carried_head_clear(&h);
	}
	xos_buf_free(&b);
	return n;
}

START_TEST(the_newest_of_each_log)
{
	struct xos_log_head ca, rca, acct;
	bool changed = false;

	ck_assert_uint_eq(carried(XOS_VO_LOG_CA), 0);
	xos_test_head("demo/ca", 5, vo->now, &ca);
	xos_test_head("demo/nodes", 3, vo->now, &rca);
	xos_test_head("demo/accounting", 2, vo->now, &acct);
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &ca, vo->ca_key, vo->ca, &changed), XOS_OK);
	ck_assert(changed);
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &ca, vo->ca_key, vo->ca, &changed), XOS_OK);
	ck_assert(!changed);
	ck_assert_int_eq(take(XOS_VO_LOG_RCA, &rca, vo->rca_key, vo->rca, NULL), XOS_OK);
	ck_assert_int_eq(
	    take(XOS_VO_LOG_ACCOUNTING, &acct, accounting.key, accounting.cert[0], NULL), XOS_OK);
	xos_test_head("demo/ca", 8, vo->now, &ca);
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &ca, vo->ca_key, vo->ca, &changed), XOS_OK);
	ck_assert(changed);
	xos_store_close(db);
	open_db();
	ck_assert_uint_eq(carried(XOS_VO_LOG_CA), 8);
	ck_assert_uint_eq(carried(XOS_VO_LOG_RCA), 3);
	ck_assert_uint_eq(carried(XOS_VO_LOG_ACCOUNTING), 2);
}
END_TEST

START_TEST(never_back_and_never_another)
{
	struct xos_log_head five, four, other;

	xos_test_head("demo/ca", 5, vo->now, &five);
	xos_test_head("demo/ca", 4, vo->now, &four);
	other = five;
	other.root[0] ^= 1;
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &five, vo->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &four, vo->ca_key, vo->ca, NULL), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-went-back");
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &other, vo->ca_key, vo->ca, NULL), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-rewritten");
	ck_assert_uint_eq(carried(XOS_VO_LOG_CA), 5);
}
END_TEST

START_TEST(by_its_own_key_alone)
{
	struct xos_log_head ca, rca, acct, early;

	xos_test_head("demo/ca", 5, vo->now, &ca);
	xos_test_head("demo/nodes", 5, vo->now, &rca);
	xos_test_head("demo/accounting", 5, vo->now, &acct);
	early = ca;
	early.time = vo->now + 3600;
	ck_assert_int_ne(take(XOS_VO_LOG_CA, &ca, vo->rca_key, vo->rca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_CA, &ca, twin->ca_key, twin->ca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_CA, &ca, twin->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_CA, &rca, vo->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_RCA, &rca, vo->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_RCA, &ca, vo->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_ne(take(XOS_VO_LOG_ACCOUNTING, &acct, vo->ca_key, vo->ca, NULL), XOS_OK);
	ck_assert_int_ne(
	    take(XOS_VO_LOG_ACCOUNTING, &acct, vo->policy_key, vo->policy, NULL), XOS_OK);
	ck_assert_int_eq(take(XOS_VO_LOG_CA, &early, vo->ca_key, vo->ca, NULL), XOS_NOT_YET_VALID);
	for (unsigned i = 0; i < XOS_VO_LOGS; i++)
		ck_assert_uint_eq(carried((enum xos_vo_log)i), 0);
}
END_TEST

START_TEST(documents_that_are_none)
{
	static const char *const bad[] = {"", "x", "{}", "[]", "{\"head\":\"\",\"chain\":[]}",
	    "{\"head\":\"AAAA\",\"chain\":[\"AAAA\"]}"};
	bool changed = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_ne(
		    take_bytes(XOS_VO_LOG_CA, xos_bytes_str(bad[i]), &changed), XOS_OK);
		ck_assert(!changed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vops-heads");
	TCase *tc = tcase_create("heads");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_newest_of_each_log);
	tcase_add_test(tc, never_back_and_never_another);
	tcase_add_test(tc, by_its_own_key_alone);
	tcase_add_test(tc, documents_that_are_none);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
