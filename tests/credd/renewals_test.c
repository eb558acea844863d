/* When a job's credential is renewed, and what is made of what comes back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "renewing.h"

START_TEST(a_grant_is_taken_registered_and_renews_at_half_of_the_life)
{
	come_to_renewal();
	struct made m = proper();
	answer_with(&m);
	ck_assert_int_eq(job()->not_after, m.not_after);
	ck_assert_uint_eq(job()->grant->renewed, 1);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "renewing");
	/* And it is on disk: after a restart the renewed one is there and goes on. */
	restart();
	ck_assert_int_eq(job()->not_after, m.not_after);
	ck_assert_uint_eq(job()->grant->renewed, 1);
	ck_assert(job()->grant->registered);
	tick();
	ck_assert_ptr_null(sent);
	pass(5000);
	tick();
	/* Due at the first look after a start, it would wait a little; this one was planned before. */
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
}
END_TEST

START_TEST(the_same_delegation_again_does_not_take_a_renewed_one_back)
{
	struct xos_local_answer a;
	struct xos_chain d = {.n = 0};
	struct xos_buf plain;
	struct xos_err err;
	come_to_renewal();
	struct made m = proper();
	answer_with(&m);
	node_delegate(n, &n->alice, request().spki, "n1", JOB, RESTRICTION, NULL, &d);
	ck_assert_int_eq(op(XOS_LOCAL_JOB_ACCEPT, JOB, &d, NULL, true, &a, &plain, &err), XOS_OK);
	ck_assert_int_eq(a.not_after, m.not_after);
	ck_assert_int_eq(job()->not_after, m.not_after);
	xos_chain_clear(&d);
}
END_TEST

static void other_job(struct made *m)
{
	m->id = OTHER;
}

static void other_node(struct made *m)
{
	m->node = "n2";
}

static void other_member(struct made *m)
{
	m->name = "carol";
	m->number = 3;
}

static void other_number(struct made *m)
{
	m->number = 9;
}

static void deeper(struct made *m)
{
	m->depth = 3;
}

static void less_restricted(struct made *m)
{
	m->restriction =
	    "delegation by user \"alice\" { check action in {file.read, job.submit}; }";
}

static void other_key(struct made *m)
{
	m->spki = xos_key_spki(n->bob.key);
}

static const struct {
	const char *what;
	void (*change)(struct made *m);
} hostile[] = {
    {"another job's", other_job},
    {"another node's", other_node},
    {"another member's", other_member},
    {"of a name that was given again", other_number},
    {"another key's", other_key},
    {"deeper", deeper},
    {"less restricted", less_restricted},
};

START_TEST(what_comes_back_is_verified_before_it_is_taken)
{
	come_to_renewal();
	struct made m = proper();
	int64_t had = job()->not_after;
	hostile[_i].change(&m);
	answer_with(&m);
	ck_assert_msg(job()->not_after == had, "%s was taken", hostile[_i].what);
	ck_assert_uint_eq(job()->grant->renewed, 0);
	/* It is no word of the authority's about the grant: it is tried again. */
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	pass(600);
	tick();
	ck_assert_ptr_nonnull(sent);
	m = proper();
	answer_with(&m);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "renewing");
	ck_assert_uint_eq(job()->grant->renewed, 1);
}
END_TEST

START_TEST(an_authority_that_is_away_is_asked_again_until_it_answers)
{
	unsigned tries = 0;
	come_to_renewal();
	int64_t since = now.wall;
	while (now.wall < job()->not_after) {
		if (sent) {
			tries++;
			answer(XOS_UNAVAILABLE, "unreachable", "cannot reach https://ca: refused");
		}
		pass(1);
		tick();
	}
	/* Several times, the last ones not long before the end, but not in a storm. */
	ck_assert_uint_ge(tries, 8);
	ck_assert_uint_le(tries, 200);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	ck_assert_str_eq(job()->grant->text, "authority not reached");
	ck_assert_int_eq(job()->grant->failing_since, since);
	/* Its end does not end the trying: the grant goes on. Nor does a restart. */
	restart();
	for (int i = 0; !sent && i < 700; i++) {
		pass(1);
		tick();
	}
	ck_assert_ptr_nonnull(sent);
	struct made m = proper();
	answer_with(&m);
	ck_assert_int_eq(job()->not_after, m.not_after);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "renewing");
	ck_assert_int_eq(job()->grant->failing_since, 0);
}
END_TEST

START_TEST(what_cannot_be_stored_is_not_taken)
{
	char *dir = xos_test_path(n->conf.state, "jobs"), *away = xos_test_path(n->dir, "away");
	come_to_renewal();
	struct made m = proper();
	int64_t had = job()->not_after;
	ck_assert_int_eq(rename(dir, away), 0);
	answer_with(&m);
	ck_assert_int_eq(job()->not_after, had);
	ck_assert_uint_eq(job()->grant->renewed, 0);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	ck_assert_int_eq(rename(away, dir), 0);
	pass(600);
	tick();
	answer_with(&m);
	ck_assert_int_eq(job()->not_after, m.not_after);
	free(dir);
	free(away);
}
END_TEST

static const struct {
	enum xos_status status;
	const char *code;
} words[] = {
    {XOS_DENIED, "grant-revoked"},
    {XOS_EXPIRED, "grant-ended"},
    {XOS_DENIED, "member-suspended"},
    {XOS_DENIED, "locked"},
    {XOS_DENIED, "grant-key"},
};

START_TEST(a_definite_no_ends_it_and_says_why)
{
	struct xos_credd_renewal_counts counts;
	come_to_renewal();
	answer(words[_i].status, words[_i].code, "the grant was revoked at noon");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "refused");
	ck_assert_str_eq(job()->grant->text, "the grant was revoked at noon");
	for (int i = 0; i < 100; i++) {
		pass(60);
		tick();
		ck_assert_ptr_null(sent);
	}
	restart();
	tick();
	ck_assert_ptr_null(sent);
	ck_assert_str_eq(job()->grant->refusal, words[_i].code);
	ck_assert_str_eq(job()->grant->text, "the grant was revoked at noon");
	xos_credd_renewals_count(n->ops.renewals, now.wall, &counts);
	ck_assert_uint_eq(counts.refused, 1);
	ck_assert_uint_eq(counts.failing + counts.renewing + counts.ended, 0);
}
END_TEST

/* A server with a bad certificate is no authority: its "denied" decides nothing. */
START_TEST(what_another_server_says_ends_nothing)
{
	come_to_renewal();
	answer(XOS_DENIED, "token-issuer", "the certificate of the server is not the authority's");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	pass(600);
	tick();
	ck_assert_ptr_nonnull(sent);
	/* A clock that is wrong will be set right. */
	answer(XOS_EXPIRED, "grant-time", "the proof expired 20m00s ago");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	pass(600);
	tick();
	ck_assert_ptr_nonnull(sent);
	answer(XOS_NOT_FOUND, "no-route", "there is nothing at this address");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
}
END_TEST

START_TEST(an_authority_that_forgot_the_grant_gets_it_again)
{
	come_to_renewal();
	answer(XOS_NOT_FOUND, "grant-unknown", "no such grant");
	pass(600);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(sent->registers);
	answer(XOS_OK, NULL, NULL);
	tick();
	pass(60);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
}
END_TEST

START_TEST(a_grant_that_nobody_took_in_time_is_told)
{
	give_ok(n->vo->now + 7 * DAY);
	tick();
	answer(XOS_UNAVAILABLE, "unreachable", "cannot reach");
	pass(13 * 3600); /* the token lived for twelve hours */
	tick();
	/* Its answer may have been lost: it is asked once for what it would renew. */
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
	answer(XOS_NOT_FOUND, "grant-unknown", "no such grant");
	pass(3600);
	tick();
	ck_assert_ptr_null(sent);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "refused");
	ck_assert_str_eq(job()->grant->refusal, "grant-late");
}
END_TEST

START_TEST(clocks_that_jump_neither_stop_nor_storm_it)
{
	give_ok(n->vo->now + 7 * DAY);
	tick();
	answer(XOS_OK, NULL, NULL);
	/* Set back by a day: the clock since boot still says that it is due. */
	now.wall -= DAY;
	for (int i = 0; i < 2400; i += 10) {
		pass(10);
		if (!sent)
			tick();
	}
	ck_assert_ptr_nonnull(sent);
	answer(XOS_UNAVAILABLE, "unreachable", "cannot reach");
	/* A suspend of a night: both clocks jump. One try, not as many as were missed. */
	now.wall += DAY;
	pass(1000);
	tick();
	ck_assert_ptr_nonnull(sent);
	struct made m = proper();
	answer_with(&m);
	ck_assert_ptr_null(sent);
}
END_TEST

START_TEST(the_grants_end_is_the_end_unless_the_member_extends_it)
{
	int asked = 0;
	come_to_renewal();
	struct made m = proper();
	m.ends = m.not_after = now.wall + 7200;
	answer_with(&m);
	ck_assert_int_eq(job()->grant->ends, m.ends);
	/* What goes as far as the grant is asked about now and then, and nothing is written for it. */
	while (now.wall < m.ends - 60) {
		if (sent) {
			asked++;
			answer_with(&m);
			ck_assert_uint_eq(job()->grant->renewed, 1);
		}
		pass(10);
		if (!sent)
			tick();
	}
	ck_assert_int_ge(asked, 2);
	ck_assert_int_le(asked, 20);
	while (!sent && now.wall < m.ends) {
		pass(1);
		tick();
	}
	/* Extended at the authority: learned at the next renewal. */
	m.ends = now.wall + DAY;
	m.not_after = now.wall + 7200;
	answer_with(&m);
	ck_assert_int_eq(job()->grant->ends, m.ends);
	ck_assert_uint_eq(job()->grant->renewed, 2);
	pass(2 * DAY);
	tick();
	ck_assert_ptr_null(sent);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "ended");
}
END_TEST

START_TEST(a_longer_grant_replaces_one_and_is_registered)
{
	give_ok(n->vo->now + DAY);
	tick();
	/* While the first is on its way. */
	give_ok(n->vo->now + 2 * DAY);
	answer(XOS_OK, NULL, NULL);
	if (!sent)
		tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(sent->registers);
	answer(XOS_OK, NULL, NULL);
	ck_assert_int_eq(job()->grant->ends, n->vo->now + 2 * DAY);
	restart();
	ck_assert_int_eq(job()->grant->ends, n->vo->now + 2 * DAY);
}
END_TEST

/* The member's tool registers an extension itself; the node, which did not reach the authority, need not. */
START_TEST(an_extension_that_came_late_loses_nothing)
{
	come_to_renewal();
	struct made m = proper();
	m.ends = n->vo->now + 2 * DAY;
	answer_with(&m);
	give_ok(n->vo->now + 4 * DAY);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(sent->registers);
	answer(XOS_UNAVAILABLE, "unreachable", "cannot reach");
	pass(13 * 3600);
	tick();
	ck_assert_str_ne(xos_credd_renewal_state(job(), now.wall), "refused");
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
	m.not_after = now.wall + 7200;
	m.ends = n->vo->now + 4 * DAY;
	answer_with(&m);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "renewing");
	ck_assert_uint_eq(job()->grant->renewed, 2);
}
END_TEST

START_TEST(an_extension_that_is_refused_leaves_the_grant_before)
{
	come_to_renewal();
	struct made m = proper();
	m.ends = n->vo->now + 2 * DAY;
	answer_with(&m);
	give_ok(n->vo->now + 40 * DAY);
	tick();
	answer(XOS_DENIED, "grant-too-long", "a grant lasts 7 days at most");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "failing");
	pass(3600);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
	m.not_after = now.wall + 7200;
	answer_with(&m);
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "renewing");
	ck_assert_int_eq(job()->grant->ends, m.ends);
	/* Whoever is refused for good is so by either question. */
	give_ok(n->vo->now + 41 * DAY);
	tick();
	answer(XOS_DENIED, "grant-revoked", "revoked");
	pass(3600);
	tick();
	answer(XOS_DENIED, "grant-revoked", "revoked");
	ck_assert_str_eq(xos_credd_renewal_state(job(), now.wall), "refused");
}
END_TEST

static enum xos_status ask(struct xos_err *err)
{
	*err = (struct xos_err)XOS_ERR_INIT;
	return xos_credd_renewals_ask(
	    n->ops.renewals, xos_credd_jobs_find(n->jobs, JOB), now.wall, err);
}

/* Its holder may be the job itself, which asks in a loop. */
START_TEST(asked_for_before_its_time_it_is_renewed_once)
{
	struct xos_err err;
	give_ok(n->vo->now + 7 * DAY);
	tick();
	answer(XOS_OK, NULL, NULL);
	tick();
	ck_assert_ptr_null(sent);
	ck_assert_int_eq(ask(&err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "renewed-already");
	tick();
	ck_assert_ptr_null(sent);
	pass(600); /* of an hour: long before it is due */
	tick();
	ck_assert_ptr_null(sent);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(ask(&err), XOS_OK);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(!sent->registers);
	ck_assert_int_eq(ask(&err), XOS_OK);
	struct made m = proper();
	answer_with(&m);
	ck_assert_uint_eq(job()->grant->renewed, 1);
	ck_assert_int_eq(ask(&err), XOS_LIMIT);
	tick();
	ck_assert_ptr_null(sent);
	ck_assert_uint_eq(job()->grant->renewed, 1);
}
END_TEST

START_TEST(asking_brings_back_nothing_that_was_refused_or_never_granted)
{
	struct xos_err err;
	ck_assert_int_eq(ask(&err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "not-renewable");
	come_to_renewal();
	answer(XOS_DENIED, "grant-revoked", "the grant was revoked");
	ck_assert_int_eq(ask(&err), XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-revoked");
	tick();
	ck_assert_ptr_null(sent);
}
END_TEST

START_TEST(pauses_leave_several_tries_and_no_storm)
{
	for (int64_t life = 10; life <= 12 * 3600; life *= 3)
		for (int64_t left = life / 2; left > 5; left -= left / 5 + 1)
			for (unsigned failures = 1; failures < 20; failures++) {
				int64_t p = xos_credd_renewal_pause(life, left, failures);
				ck_assert_int_ge(p, 0);
				ck_assert_int_le(p, left / 5 < 1 ? 1 : left / 5);
				ck_assert_int_le(p, 600);
			}
	ck_assert_int_ge(xos_credd_renewal_pause(12 * 3600, 6 * 3600, 20), 300);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-renewals");
	TCase *t = tcase_create("renewals");
	tcase_add_checked_fixture(t, renewing_setup, renewing_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_grant_is_taken_registered_and_renews_at_half_of_the_life);
	tcase_add_test(t, the_same_delegation_again_does_not_take_a_renewed_one_back);
	tcase_add_loop_test(t, what_comes_back_is_verified_before_it_is_taken, 0,
	    sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(t, what_cannot_be_stored_is_not_taken);
	tcase_add_test(t, an_authority_that_is_away_is_asked_again_until_it_answers);
	tcase_add_loop_test(
	    t, a_definite_no_ends_it_and_says_why, 0, sizeof(words) / sizeof(words[0]));
	tcase_add_test(t, what_another_server_says_ends_nothing);
	tcase_add_test(t, an_authority_that_forgot_the_grant_gets_it_again);
	tcase_add_test(t, a_grant_that_nobody_took_in_time_is_told);
	tcase_add_test(t, clocks_that_jump_neither_stop_nor_storm_it);
	tcase_add_test(t, the_grants_end_is_the_end_unless_the_member_extends_it);
	tcase_add_test(t, a_longer_grant_replaces_one_and_is_registered);
	tcase_add_test(t, an_extension_that_came_late_loses_nothing);
	tcase_add_test(t, an_extension_that_is_refused_leaves_the_grant_before);
	tcase_add_test(t, asked_for_before_its_time_it_is_renewed_once);
	tcase_add_test(t, asking_brings_back_nothing_that_was_refused_or_never_granted);
	tcase_add_test(t, pauses_leave_several_tries_and_no_storm);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
