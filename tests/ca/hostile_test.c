/*
 * A lying network process and log-ins: it gets no token for somebody who did not log in, and swaps neither
 * key nor role nor lifetime.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "lying.h"
#include "testsupport/must.h"

START_TEST(an_honest_login_works_once)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_msg(issue(grant, &s.request, &answer) == XOS_OK, "%s", err.text);
	ck_assert_uint_gt(answer.n, 100);
	xos_buf_free(&answer);
	refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	member_free(&s);
}
END_TEST

START_TEST(no_token_without_a_login)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1];
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, NULL);
	refused(issue("", &s.request, &answer), &answer, "grant-unknown");
	for (int i = 0; i < 20; i++) {
		xos_random_id(grant, CA_GRANT_LEN / 2);
		refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	}
	member_free(&s);
	member_new(&s, "alice", "wrong horse battery", NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	member_free(&s);
}
END_TEST

/* What only auth may say to key is refused on the network's channel. */
START_TEST(network_cannot_speak_for_auth)
{
	struct ca_grant g = {.id = "00112233445566778899aabbccddeeff",
	    .vo = "demo",
	    .member = "ada",
	    .method = "password",
	    .time = xos_clock_now(),
	    .expires = xos_clock_now() + 20};
	struct member_side s;
	struct xos_buf ask, answer;
	static const uint16_t types[] = {
	    CA_GRANT, CA_RECORD, CA_TOKENS, CA_TOKEN_END, CA_HELD, 99, 0};

	member_new(&s, "ada", PASSWORD, "/demo/Role=admin");
	memcpy(g.digest, s.digest, sizeof(g.digest));
	xos_buf_init(&ask, 4096);
	ca_grant_put(&ask, &g);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		memset(&err, 0, sizeof(err));
		refused(xos_bulk_call(key, types[i], xos_buf_bytes(&ask), soon(), &answer, &err),
		    &answer, "channel-type");
	}
	refused(issue(g.id, &s.request, &answer), &answer, "grant-unknown");
	/* nor the other way round: auth answers no request that is key's */
	memset(&err, 0, sizeof(err));
	refused(xos_bulk_call(auth, CA_ISSUE, xos_buf_bytes(&ask), soon(), &answer, &err), &answer,
	    "channel-type");
	xos_buf_free(&ask);
	member_free(&s);
}
END_TEST

START_TEST(a_swapped_key_is_refused)
{
	struct member_side s, evil;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	/* told to auth as it is, swapped for key */
	member_new(&s, "alice", PASSWORD, NULL);
	member_new(&evil, "alice", "x", NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &evil.request, &answer), &answer, "request-changed");
	/* and the grant is spent */
	refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	member_free(&s);
	/* swapped for auth already */
	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, evil.digest, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "scram-binding");
	member_free(&s);
	member_free(&evil);
}
END_TEST

START_TEST(added_roles_and_lifetime_are_refused)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "ada", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	MUST(xos_cad_request_add_role(&s.request, "/demo/Role=admin", &err), &err);
	refused(issue(grant, &s.request, &answer), &answer, "request-changed");
	member_free(&s);
	member_new(&s, "ada", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	s.request.lifetime = 24 * 3600;
	refused(issue(grant, &s.request, &answer), &answer, "request-changed");
	member_free(&s);
}
END_TEST

START_TEST(roles_that_are_not_held_are_refused)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, "/demo/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &s.request, &answer), &answer, "role-not-held");
	member_free(&s);
	member_new(&s, "alice", PASSWORD, "/other/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &s.request, &answer), &answer, "role-not-held");
	member_free(&s);
	member_new(&s, "ada", PASSWORD, "/demo/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	ck_assert_int_eq(issue(grant, &s.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	member_free(&s);
}
END_TEST

/* Garbage of all lengths, to both, for every type: no answer but a refusal, and both live on. */
START_TEST(garbage_gains_nothing)
{
	uint8_t junk[600];
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	for (int i = 0; i < 400; i++) {
		static const uint16_t types[] = {
		    CA_LOGIN_BEGIN, CA_LOGIN_FINISH, CA_COMMAND, CA_ISSUE, CA_GRANT};
		struct xos_bytes in = {junk, (size_t)(i * 7) % sizeof(junk)};
		uint16_t type = types[i % 5];

		xos_random(junk, sizeof(junk));
		/* lengths that look right, sometimes */
		if (i % 3 == 0)
			memset(junk, 0, 4), junk[3] = (uint8_t)(i % 32);
		struct xos_bulk *to = type >= CA_ISSUE ? key : auth;
		ck_assert_int_ne(xos_bulk_call(to, type, in, soon(), &answer, &err), XOS_OK);
		ck_assert_uint_eq(answer.n, 0);
		xos_buf_free(&answer);
	}
	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(issue(grant, &s.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	member_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile");
	TCase *t = tcase_create("hostile");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, lying_setup, lying_teardown);
	tcase_add_test(t, an_honest_login_works_once);
	tcase_add_test(t, no_token_without_a_login);
	tcase_add_test(t, network_cannot_speak_for_auth);
	tcase_add_test(t, a_swapped_key_is_refused);
	tcase_add_test(t, added_roles_and_lifetime_are_refused);
	tcase_add_test(t, roles_that_are_not_held_are_refused);
	tcase_add_test(t, garbage_gains_nothing);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
