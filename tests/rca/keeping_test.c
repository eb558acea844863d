/*
 * A key that was copied shows, and a lost answer is not taken for it; whoever asks, and whatever is killed in between.
 */
#include "keeping.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/keep.h"
#include "base/clock.h"

static void twice(const struct xos_chain *old, int64_t offset)
{
	expect(renew(old, offset, "192.0.2.66\n", NULL), XOS_DENIED, "key-used-twice");
	listed("banned", "used twice", "message");
}

/* --- a second use --- */

START_TEST(a_lost_answer_is_no_theft)
{
	struct xos_chain lost, kept, next;

	admit();
	expect(renew(&node, 0, "", &lost), XOS_OK, NULL);
	expect(renew(&node, 1, "", &lost), XOS_OK, NULL);
	stop(SIGKILL);
	start();
	expect(renew(&node, 2, "", &kept), XOS_OK, NULL);
	expect(confirm(&kept, 0), XOS_OK, NULL);
	expect(confirm(&kept, 0), XOS_OK, NULL);
	expect(renew(&kept, 0, "", &next), XOS_OK, NULL);
	listed("active", NULL, NULL);
	/* The service's generations are its own. */
	expect(renew(&jobs, 0, "", NULL), XOS_OK, NULL);
	done();
}
END_TEST

START_TEST(after_the_new_one_was_used_the_old_one_is_a_second_use)
{
	struct xos_chain fresh;

	admit();
	expect(renew(&node, 0, "203.0.113.5\n", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	stop(SIGKILL);
	start();
	twice(&node, 5);
	listed("banned", "its key of generation 1 was used twice: at 2", "message");
	listed("banned", "Z from 203.0.113.5 and at 2", "message");
	listed("banned", "from 192.0.2.66", "message");
	ck_assert(in_the_log("from 192.0.2.66"));
	/* Both are out, and so is the service. */
	expect(renew(&fresh, 0, "", NULL), XOS_DENIED, "node-banned");
	ck_assert(strstr(err.text, "is locked since 2") && strstr(err.text, "used twice"));
	expect(confirm(&fresh, 0), XOS_DENIED, "node-banned");
	expect(renew(&jobs, 0, "", NULL), XOS_DENIED, "node-banned");
	/* What was said first stays. */
	expect(renew(&node, 6, "192.0.2.99\n", NULL), XOS_DENIED, NULL);
	listed("banned", "from 192.0.2.66", "message");
	done();
}
END_TEST

START_TEST(a_renewal_by_the_new_one_is_a_use_too)
{
	struct xos_chain a, b, c;

	admit();
	expect(renew(&node, 0, "", &a), XOS_OK, NULL);
	expect(renew(&a, 0, "", &b), XOS_OK, NULL);
	expect(renew(&b, 0, "", &c), XOS_OK, NULL);
	twice(&a, 5);
	done();
}
END_TEST

START_TEST(an_old_generation_is_known_for_long)
{
	struct xos_chain at = node, next;

	admit();
	at = node;
	for (int i = 0; i < 40; i++) {
		expect(renew(&at, 0, "", &next), XOS_OK, NULL);
		at = next;
	}
	expect(renew(&node, 5, "192.0.2.66\n", NULL), XOS_DENIED, "key-used-twice");
	listed("banned", "was used", "message");
	done();
}
END_TEST

START_TEST(the_thief_who_comes_first_shows_as_well)
{
	struct xos_chain thief, lawful;

	admit();
	expect(renew(&node, 0, "192.0.2.66\n", &thief), XOS_OK, NULL);
	expect(renew(&node, 1, "203.0.113.5\n", &lawful), XOS_OK, NULL);
	expect(confirm(&lawful, 0), XOS_OK, NULL);
	expect(confirm(&thief, 0), XOS_DENIED, "key-used-twice");
	listed("banned", "its key of generation 1 was used twice", "message");
	listed("banned", "from 192.0.2.66 and", "message");
	done();
}
END_TEST

START_TEST(an_old_image_that_only_confirms_shows_too)
{
	struct xos_chain fresh;

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	expect(confirm(&node, 5), XOS_DENIED, "key-used-twice");
	listed("banned", "used twice", "message");
	done();
}
END_TEST

START_TEST(a_request_that_was_held_up_is_no_second_use)
{
	struct xos_chain fresh, again;
	struct xos_json *held = NULL, *word = NULL;

	admit();
	MUST(xos_rca_renewal_sign("demo", &node, jobs_key, xos_clock_now(), &held, &err), &err);
	MUST(xos_rca_confirm_sign("demo", &node, xos_clock_now(), &word, &err), &err);
	expect(renew(&node, 1, "", &fresh), XOS_OK, NULL);
	struct xos_json *copy = xos_json_copy(held);
	/* Neither before the new one was used, which it would pass over, nor after. */
	expect(send(RCA_RENEW, "", held, NULL), XOS_DENIED, "renewal-late");
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	expect(send(RCA_RENEW, "", copy, NULL), XOS_DENIED, "command-replayed");
	expect(send(RCA_CONFIRM, "", word, NULL), XOS_DENIED, "renewal-late");
	expect(renew(&fresh, 1, "", &again), XOS_OK, NULL);
	listed("active", NULL, NULL);
	done();
}
END_TEST

START_TEST(a_database_from_before_takes_the_first_that_renews)
{
	struct xos_chain fresh, older = {.n = 0};
	const struct xos_test_who n1 = {.name = "n1", .not_before = xos_clock_now() - 86400};

	admit();
	with_database(forget);
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	/* From before the one that was taken: refused, and says nothing about the keys of today. */
	xos_test_node(vo, &n1, &older);
	expect(renew(&older, 0, "", NULL), XOS_DENIED, "renewal-former");
	listed("active", NULL, NULL);
	twice(&node, 5);
	xos_chain_clear(&older);
	done();
}
END_TEST

START_TEST(nobody_can_say_for_a_node_that_its_certificate_is_in_use)
{
	struct xos_chain fresh, stolen;
	struct xos_json *body = NULL;

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	stolen = fresh;
	stolen.key = jobs_key;
	expect(confirm(&stolen, 0), XOS_DENIED, NULL);
	expect(confirm(&fresh, -1000), XOS_EXPIRED, "renewal-time");
	expect(confirm(&fresh, 1000), XOS_NOT_YET_VALID, "renewal-time");
	expect(confirm(&alice, 0), XOS_DENIED, "token-kind");
	/* A renewal is no confirmation, and the reverse. */
	MUST(xos_rca_renewal_sign("demo", &fresh, jobs_key, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_CONFIRM, "", body, NULL), XOS_DENIED, "jws-header");
	MUST(xos_rca_confirm_sign("demo", &fresh, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_RENEW, "", xos_json_copy(body), NULL), XOS_DENIED, "jws-header");
	/* None of it counted: the old key still renews. */
	expect(renew(&node, 1, "", &stolen), XOS_OK, NULL);
	/* The word of one that was passed over by then is a second use; once, not again and again. */
	expect(send(RCA_CONFIRM, "", xos_json_copy(body), NULL), XOS_DENIED, "key-used-twice");
	expect(send(RCA_CONFIRM, "", body, NULL), XOS_DENIED, "command-replayed");
	done();
}
END_TEST

START_TEST(a_lock_for_a_second_use_ends_with_the_key_that_is_named)
{
	struct xos_chain fresh, next;
	char key[XOS_FINGERPRINT_TEXT];
	struct xos_json *args = with("node", "n1");

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	twice(&node, 5);
	xos_fingerprint_text(xos_key_spki_sha256(fresh.key), key);
	expect(unban(&admin, NULL), XOS_DENIED, "key-used-twice");
	expect(unban(&alice, key), XOS_DENIED, "not-administrator");
	expect(unban(&admin, "sha256:12"), XOS_MALFORMED, NULL);
	xos_fingerprint_text(xos_key_spki_sha256(jobs_key), key);
	expect(unban(&admin, key), XOS_NOT_FOUND, "no-generation");
	listed("banned", "used twice", "message");
	/* A ban with an end in its place is no way around. */
	xos_json_set_time(args, "until", xos_clock_now() + 3600);
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", args, 0), NULL), XOS_OK, NULL);
	expect(unban(&admin, NULL), XOS_DENIED, "key-used-twice");
	xos_fingerprint_text(xos_key_spki_sha256(fresh.key), key);
	expect(unban(&admin, key), XOS_OK, NULL);
	listed("active", NULL, NULL);
	expect(renew(&fresh, 1, "", &next), XOS_OK, NULL);
	expect(confirm(&next, 0), XOS_OK, NULL);
	twice(&node, 9);
	done();
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("keeping");

	tcase_add_test(tc, a_lost_answer_is_no_theft);
	tcase_add_test(tc, after_the_new_one_was_used_the_old_one_is_a_second_use);
	tcase_add_test(tc, a_renewal_by_the_new_one_is_a_use_too);
	tcase_add_test(tc, an_old_generation_is_known_for_long);
	tcase_add_test(tc, the_thief_who_comes_first_shows_as_well);
	tcase_add_test(tc, an_old_image_that_only_confirms_shows_too);
	tcase_add_test(tc, a_request_that_was_held_up_is_no_second_use);
	tcase_add_test(tc, a_database_from_before_takes_the_first_that_renews);
	tcase_add_test(tc, nobody_can_say_for_a_node_that_its_certificate_is_in_use);
	tcase_add_test(tc, a_lock_for_a_second_use_ends_with_the_key_that_is_named);
	return run_case(tc);
}
