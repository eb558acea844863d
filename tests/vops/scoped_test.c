/* What was planned and what members may write, through a network process that was taken over: see captured.h. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "captured.h"
#include "testsupport/must.h"

START_TEST(what_is_planned_survives_a_kill)
{
	char etag[XOS_VOPS_ETAG_MAX] = "", at[XOS_TIME_TEXT];
	const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t serial = 0;
	bool changed = false;

	complete();
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	xos_time_format(xos_clock_now() + 2, at);
	expect(send_two(&admin, "policy.push", "at", at, "comment", "later", VO2), XOS_OK, NULL);
	stop(SIGKILL);
	start();
	/* Until then the old one, then by itself the new one; the node refuses any that is lower. */
	do {
		(void)nanosleep(&pause, NULL);
		expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	} while (seen.vo_set == 1);
	ck_assert_uint_eq(seen.vo_set, 2);
}
END_TEST

START_TEST(members_write_what_is_theirs_while_they_stand)
{
	static const struct xos_lock lock = {
	    .id = "l1", .kind = XOS_LOCK_MEMBER, .name = "alice", .until = XOS_LOCK_NO_END};
#define OWN(n) "owner \"demo:alice\" serial " n " { }"

	/* Without roster and locks nobody knows whether alice stands. */
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", OWN("1")),
	    XOS_UNAVAILABLE, "locks-unknown");
	complete();
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", OWN("1")),
	    XOS_OK, NULL);
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", OWN("1")),
	    XOS_CONFLICT, "lower-serial");
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:admin", OWN("2")),
	    XOS_DENIED, "not-owner");
	expect(send_two(&alice, "set.push", "level", "owner", "name", "bio:alice", OWN("2")),
	    XOS_MALFORMED, "json-field");
	expect(send_two(&alice, "set.push", "level", "vo", "name", "demo", VO2), XOS_MALFORMED,
	    "json-field");
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", VO2),
	    XOS_DENIED, "set-name");
	expect(send_two(&alice, "set.push", "level", "group", "name", "/demo",
	           "group \"/demo\" serial 1 { }"),
	    XOS_DENIED, "not-group-administrator");
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 2, &lock, 1), XOS_OK, NULL);
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", OWN("3")),
	    XOS_DENIED, "locked");
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 3, NULL, 0), XOS_OK, NULL);
	expect(send_two(&alice, "set.push", "level", "owner", "name", "demo:alice", OWN("3")),
	    XOS_OK, NULL);
	/* What members may send does not make them administrators. */
	expect(send_body(sign_for(&alice, "vops", "proposal.list", NULL, NULL)), XOS_DENIED,
	    "not-administrator");
	expect(send_body(sign_for(&alice, "vops", "no.such", NULL, NULL)), XOS_DENIED,
	    "not-administrator");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops scoped");
	TCase *tc = tcase_create("scoped");

	tcase_add_checked_fixture(tc, captured_setup, captured_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_is_planned_survives_a_kill);
	tcase_add_test(tc, members_write_what_is_theirs_while_they_stand);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
