/*
 * A network process that was taken over: this test holds its channel, while auth and key run as they do
 * in xos-vopsd. Nothing gets into a bundle but what its owner signed, no serial is given twice, and
 * nothing old comes back.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/bulk.h"
#include "api/logheads.h"
#include "captured.h"
#include "testsupport/heads.h"
#include "testsupport/must.h"

/* --- cases --- */

START_TEST(a_bundle_needs_every_part_but_the_site_set)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0;
	bool changed = false;

	expect(fetch(etag, &changed, &serial), XOS_NOT_FOUND, "no-site");
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_NOT_FOUND, "no-policy");
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_UNAVAILABLE, "no-object");
	expect(roster(vo->ca_key, 1, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 1, NULL, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_UNAVAILABLE, "no-object");
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(seen.site_set, 0);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(seen.site_set, 5);
}
END_TEST

START_TEST(a_new_bundle_only_when_something_changed)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0, before = 0;
	bool changed = false;

	complete();
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	expect(send_body(sign_for(&admin, "vops", "policy.list", NULL, NULL)), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	before = serial;
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_gt(serial, before);
	before = serial;
	expect(roster(vo->ca_key, 2, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_gt(serial, before);
}
END_TEST

static enum xos_status put_head(const struct xos_key *key, const struct xos_cert *cert, uint64_t n)
{
	struct xos_log_head h;
	struct xos_buf text, message;

	xos_test_head("demo/ca", n, xos_clock_now(), &h);
	struct xos_json *doc = xos_test_head_doc(&h, key, cert);
	xos_buf_init(&text, 65536);
	xos_buf_init(&message, 65536);
	MUST(xos_json_dump(doc, &text, &err), &err);
	xos_buf_u8(&message, XOS_VO_LOG_CA);
	xos_buf_lp(&message, xos_buf_bytes(&text));
	enum xos_status st = ask(VOPS_HEAD, &message, NULL);
	xos_buf_free(&message);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

START_TEST(heads_of_logs_come_along)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0;
	bool changed = false;

	complete();
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	/* A head is no reason for a bundle of its own, within heads_refresh. */
	expect(put_head(vo->ca_key, vo->ca, 5), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(heads_seen, 1);
	expect(put_head(vo->ca_key, vo->ca, 4), XOS_MALFORMED, "log-went-back");
	expect(put_head(twin->ca_key, twin->ca, 6), XOS_DENIED, NULL);
	ck_assert_int_ne(put_head(vo->policy_key, vo->policy, 6), XOS_OK);
	stop(SIGKILL);
	start();
	expect(put_head(vo->ca_key, vo->ca, 4), XOS_MALFORMED, "log-went-back");
}
END_TEST

START_TEST(serials_grow_over_kill_and_start)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0, before = 0;
	bool changed = false;

	complete();
	for (int i = 0; i < 3; i++) {
		expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
		ck_assert(changed);
		ck_assert_uint_gt(serial, before);
		before = serial;
		stop(SIGKILL);
		start();
		/* What was acknowledged is still there, and so is what keeps old things out. */
		expect(push(&admin, VO1), XOS_CONFLICT, "lower-serial");
		expect(put_set(vo->site_key, "lab", "site \"lab\" serial 4 { }\n"), XOS_CONFLICT,
		    "lower-serial");
	}
}
END_TEST

START_TEST(who_may_not_push)
{
	struct xos_chain foreign = {.n = 0}, node = {.n = 0};
	static const char *const groups[] = {"/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};
	const struct xos_test_who who = {.name = "admin", .groups = groups, .roles = roles};
	const struct xos_test_who n1 = {.name = "n1"};

	expect(push(&alice, VO1), XOS_DENIED, "not-administrator");
	xos_test_member(twin, &who, &foreign);
	expect(push(&foreign, VO1), XOS_DENIED, NULL);
	xos_test_node(vo, &n1, &node);
	expect(push(&node, VO1), XOS_DENIED, "token-kind");
	expect(send_body(sign_for(&admin, "rca", "policy.push", "text", VO1)), XOS_DENIED,
	    "command-audience");
	struct xos_json *body = sign_for(&admin, "vops", "policy.push", "text", VO1);
	struct xos_json *again = xos_json_copy(body);
	expect(send_body(body), XOS_OK, NULL);
	expect(send_body(again), XOS_DENIED, "command-replayed");
	expect(register_site(&alice, vo->site_key), XOS_DENIED, "not-administrator");
	xos_chain_clear(&foreign);
	xos_chain_clear(&node);
}
END_TEST

START_TEST(an_administrator_who_left_or_is_locked)
{
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(administrators(vo->ca_key, 0, 2, true, "admin"), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_DENIED, "locked");
	expect(administrators(vo->ca_key, 0, 3, false, NULL), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_DENIED, "not-administrator");
	/* What was said before does not come back. */
	expect(administrators(vo->ca_key, 1, 1, true, NULL), XOS_CONFLICT, "older-list");
	expect(push(&admin, VO2), XOS_DENIED, "not-administrator");
	expect(administrators(vo->ca_key, 0, 4, true, NULL), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_OK, NULL);
}
END_TEST

START_TEST(nobody_commands_before_the_administrators_are_known)
{
	stop(0);
	xos_test_parts_start(&parts);
	expect(push(&admin, VO1), XOS_UNAVAILABLE, "administrators-unknown");
	expect(push(&alice, VO1), XOS_DENIED, "not-administrator");
	expect(administrators(vo->rca_key, 0, 1, true, NULL), XOS_DENIED, NULL);
	expect(administrators(twin->ca_key, 0, 1, true, NULL), XOS_DENIED, NULL);
	expect(administrators(vo->ca_key, 301, 1, true, NULL), XOS_EXPIRED, NULL);
	expect(push(&admin, VO1), XOS_UNAVAILABLE, "administrators-unknown");
	expect(administrators(vo->ca_key, 290, 1, true, NULL), XOS_OK, NULL);
	expect(push(&admin, VO1), XOS_OK, NULL);
}
END_TEST

START_TEST(sets_that_are_not_the_vos_own)
{
	expect(push(&admin, "vo \"other\" serial 9 { }\n"), XOS_DENIED, "wrong-vo");
	expect(push(&admin, SITE5), XOS_DENIED, "set-level");
	expect(push(&admin, "vo \"demo\" serial 9 { nonsense }\n"), XOS_MALFORMED, NULL);
	expect(push(&admin, "vo \"demo\" { }\n"), XOS_MALFORMED, NULL);
	expect(push(&admin, ""), XOS_MALFORMED, NULL);
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_CONFLICT, "lower-serial");
	expect(push(&admin, VO1), XOS_CONFLICT, "lower-serial");
}
END_TEST

START_TEST(a_site_set_needs_the_sites_key)
{
	expect(put_set(vo->site_key, "lab", SITE5), XOS_NOT_FOUND, "no-site");
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(register_site(&admin, twin->site_key), XOS_CONFLICT, "site-taken");
	expect(put_set(twin->site_key, "lab", SITE5), XOS_DENIED, "foreign-signer");
	expect(put_set(vo->policy_key, "lab", SITE5), XOS_DENIED, "foreign-signer");
	expect(put_set(vo->site_key, "lab", "site \"other\" serial 5 { }\n"), XOS_DENIED,
	    "wrong-site");
	expect(put_set(vo->site_key, "lab", SITE6), XOS_OK, NULL);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_CONFLICT, "lower-serial");
	expect(put_set(vo->site_key, "lab",
	           "site \"lab\" serial 6 { permit vo demo action job.submit "
	           "on site:lab; }\n"),
	    XOS_CONFLICT, "lower-serial");
	expect(put_set(vo->site_key, "../lab", SITE6), XOS_MALFORMED, NULL);
}
END_TEST

START_TEST(rosters_and_locks_need_their_signers)
{
	expect(roster(vo->rca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(vo->policy_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(twin->ca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, 2 * DAY), XOS_EXPIRED, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, -DAY), XOS_NOT_YET_VALID, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(roster(vo->ca_key, 4, XOS_MEMBER_ACTIVE, 0), XOS_CONFLICT, "lower-serial");
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_DENIED, NULL);
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_CA, 1, NULL, 0), XOS_DENIED, NULL);
	expect(locks(VOPS_ROSTER, XOS_SIGNER_CA, 9, NULL, 0), XOS_MALFORMED, NULL);
	/* What the front end may not ask for at all. */
	struct xos_buf any;
	xos_buf_init(&any, 16);
	xos_buf_put_str(&any, "x");
	expect(ask(VOPS_SIGN, &any, NULL), XOS_DENIED, "channel-type");
	expect(ask(VOPS_OBJECT, &any, NULL), XOS_MALFORMED, NULL);
	expect(ask(VOPS_BUNDLE, &any, NULL), XOS_MALFORMED, NULL);
	xos_buf_free(&any);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops hostile");
	TCase *tc = tcase_create("hostile");

	tcase_add_checked_fixture(tc, captured_setup, captured_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_bundle_needs_every_part_but_the_site_set);
	tcase_add_test(tc, a_new_bundle_only_when_something_changed);
	tcase_add_test(tc, heads_of_logs_come_along);
	tcase_add_test(tc, serials_grow_over_kill_and_start);
	tcase_add_test(tc, who_may_not_push);
	tcase_add_test(tc, an_administrator_who_left_or_is_locked);
	tcase_add_test(tc, nobody_commands_before_the_administrators_are_known);
	tcase_add_test(tc, sets_that_are_not_the_vos_own);
	tcase_add_test(tc, a_site_set_needs_the_sites_key);
	tcase_add_test(tc, rosters_and_locks_need_their_signers);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
