/* A lying network process and the VO's rules: nobody accepts what the member did not prove to accept. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ca/membership/rules.h"
#include "lying.h"
#include "testsupport/must.h"

#define RULES "Be kind."

static uint8_t text_digest[XOS_SHA256_LEN], binding[XOS_SHA256_LEN];

/* Version 1 is in force; alice has accepted nothing. */
static void setup(void)
{
	struct xos_json *args = xos_json_object();
	struct xos_chain ada;
	struct xos_buf body;

	lying_setup();
	xos_buf_init(&body, 1 << 20);
	xos_json_set_string(args, "text", RULES);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	MUST(command(&ada, "rules.set", args, &body), &err);
	MUST(xos_sha256(xos_bytes_str(RULES), text_digest), &err);
	MUST(xos_rules_binding("demo", 1, text_digest, binding, &err), &err);
	xos_json_free(args);
	xos_chain_clear(&ada);
	xos_buf_free(&body);
}

/* The member's side of an acceptance: as a log-in, but for what it is bound to. */
static void accepting(struct member_side *s, const char *pw)
{
	member_new(s, "alice", pw, NULL);
	xos_scram_client_free(s->scram);
	s->scram = NULL;
	MUST(xos_scram_client_new(
	         "alice", XOS_SCRAM_PASSWORD, s->password, binding, &s->scram, &err),
	    &err);
}

static enum xos_status accept_as(
    struct member_side *s, uint64_t version, const uint8_t digest[XOS_SHA256_LEN])
{
	struct ca_accept a = {
	    .proof = {.address = "192.0.2.1", .message = xos_buf_bytes(&s->final)},
	    .version = version};
	struct xos_buf ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	memcpy(a.proof.sid, s->sid, sizeof(a.proof.sid));
	memcpy(a.digest, digest, sizeof(a.digest));
	xos_buf_init(&ask, 8192);
	ca_accept_put(&ask, &a);
	st = xos_bulk_call(auth, CA_ACCEPT, xos_buf_bytes(&ask), soon(), &answer, &err);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&s->final);
	return st;
}

static enum xos_status log_in(void)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1];
	enum xos_status st;

	member_new(&s, "alice", PASSWORD, NULL);
	st = prove(&s, s.digest, grant);
	member_free(&s);
	return st;
}

static void still_refused(void)
{
	ck_assert_int_eq(log_in(), XOS_DENIED);
	ck_assert_str_eq(err.code, "rules-not-accepted");
}

START_TEST(a_proof_of_the_members_accepts)
{
	struct member_side s;

	still_refused();
	accepting(&s, PASSWORD);
	begin(&s, binding);
	MUST(accept_as(&s, 1, text_digest), &err);
	member_free(&s);
	MUST(log_in(), &err);
}
END_TEST

START_TEST(a_wrong_password_and_another_text_accept_nothing)
{
	uint8_t other[XOS_SHA256_LEN] = {1}, bound[XOS_SHA256_LEN];
	struct member_side s;

	accepting(&s, "not the password");
	begin(&s, binding);
	ck_assert_int_eq(accept_as(&s, 1, text_digest), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	member_free(&s);
	/* another version or text than the proof is bound to */
	accepting(&s, PASSWORD);
	begin(&s, binding);
	ck_assert_int_eq(accept_as(&s, 2, text_digest), XOS_DENIED);
	member_free(&s);
	/* network claims from the start that the member accepts another text: the proof is not for it */
	MUST(xos_rules_binding("demo", 1, other, bound, &err), &err);
	accepting(&s, PASSWORD);
	begin(&s, bound);
	ck_assert_int_eq(accept_as(&s, 1, other), XOS_DENIED);
	member_free(&s);
	still_refused();
}
END_TEST

START_TEST(a_log_in_is_no_acceptance_and_an_acceptance_no_log_in)
{
	struct member_side s;
	struct xos_buf answer;
	char grant[CA_GRANT_LEN + 1] = "";

	member_new(&s, "alice", PASSWORD, NULL);
	begin(&s, s.digest);
	ck_assert_int_eq(accept_as(&s, 1, text_digest), XOS_DENIED);
	ck_assert_str_eq(err.code, "login-unknown");
	member_free(&s);
	still_refused();
	/* the reverse, once the rules are accepted: a grant that is good for no request */
	accepting(&s, PASSWORD);
	begin(&s, binding);
	MUST(accept_as(&s, 1, text_digest), &err);
	member_free(&s);
	accepting(&s, PASSWORD);
	begin(&s, binding);
	if (finish(&s, grant) == XOS_OK)
		refused(issue(grant, &s.request, &answer), &answer, "request-changed");
	member_free(&s);
}
END_TEST

START_TEST(a_proof_accepts_once)
{
	struct member_side s;
	struct xos_buf kept;

	accepting(&s, PASSWORD);
	begin(&s, binding);
	xos_buf_init(&kept, 4096);
	xos_buf_put(&kept, s.final.p, s.final.n);
	MUST(accept_as(&s, 1, text_digest), &err);
	s.final = kept;
	ck_assert_int_eq(accept_as(&s, 1, text_digest), XOS_DENIED);
	ck_assert_str_eq(err.code, "login-unknown");
	member_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-rules");
	TCase *t = tcase_create("rules");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, lying_teardown);
	tcase_add_test(t, a_proof_of_the_members_accepts);
	tcase_add_test(t, a_wrong_password_and_another_text_accept_nothing);
	tcase_add_test(t, a_log_in_is_no_acceptance_and_an_acceptance_no_log_in);
	tcase_add_test(t, a_proof_accepts_once);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
