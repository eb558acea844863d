/* Second factors and a lying network process. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/code.h"
#include "auth/totp.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/totp.h"
#include "ca/auth/verifiers.h"
#include "lying.h"
#include "testsupport/must.h"

static struct xos_chain ada, alice;

static void setup(void)
{
	lying_setup();
	token_of("ada", 1, "/demo/Role=admin", &ada);
	token_of("alice", 2, NULL, &alice);
}

static void teardown(void)
{
	xos_chain_clear(&ada);
	xos_chain_clear(&alice);
	lying_teardown();
}

static struct xos_json *args_of(const char *name, const char *value)
{
	struct xos_json *o = xos_json_object();

	if (name)
		xos_json_set_string(o, name, value);
	return o;
}

static enum xos_status run(const struct xos_chain *who, const char *verb, struct xos_json *args)
{
	struct xos_json *result = NULL;
	enum xos_status st = command_result(who, verb, args, &result);

	xos_json_free(result);
	return st;
}

static void code_of(const uint8_t *secret, int64_t step, char code[XOS_TOTP_MAX + 1])
{
	MUST(xos_totp_code(XOS_HMAC_SHA1, (struct xos_bytes){secret, XOS_TOTP_SECRET_LEN}, step,
	         XOS_TOTP_DIGITS, code),
	    &err);
}

static int64_t step_now(void)
{
	return xos_clock_now() / XOS_TOTP_STEP;
}

/* The member's half of the key exchange. swapped: what network makes of the authority's half. */
static void begin_enrolment(const struct xos_chain *who, const char *name,
    const struct xos_key *swapped, uint8_t secret[XOS_TOTP_SECRET_LEN])
{
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_key *own = NULL, *peer = NULL;
	struct xos_buf spki;

	xos_buf_init(&spki, XOS_SPKI_MAX);
	MUST(xos_key_generate(&own, &err), &err);
	xos_json_set_bytes(args, "key", xos_key_spki(own));
	ck_assert_msg(command_result(who, "totp.begin", args, &result) == XOS_OK, "%s", err.text);
	MUST(xos_json_get_bytes(result, "key", XOS_SPKI_MAX, &spki, &err), &err);
	MUST(xos_key_from_spki(xos_buf_bytes(&spki), &peer, &err), &err);
	MUST(xos_totp_agree(own, swapped ? swapped : peer, true, "demo", name, secret, &err), &err);
	xos_json_free(result);
	xos_key_free(own);
	xos_key_free(peer);
	xos_buf_free(&spki);
}

/* The step of the last code that confirmed an enrolment: the one after it is good for half a minute at least. */
static int64_t stepped;

static void enrol(
    const struct xos_chain *who, const char *name, uint8_t secret[XOS_TOTP_SECRET_LEN])
{
	char code[XOS_TOTP_MAX + 1];

	begin_enrolment(who, name, NULL, secret);
	stepped = step_now();
	code_of(secret, stepped, code);
	ck_assert_msg(run(who, "totp.confirm", args_of("code", code)) == XOS_OK, "%s", err.text);
}

static enum xos_status log_in(const char *name, const char *totp, char grant[CA_GRANT_LEN + 1])
{
	struct member_side s;
	enum xos_status st;

	if (totp)
		member_new_totp(&s, name, totp);
	else
		member_new(&s, name, PASSWORD, NULL);
	st = prove(&s, s.digest, grant);
	member_free(&s);
	return st;
}

static void denied(enum xos_status st, const char *code)
{
	ck_assert_int_ne(st, XOS_OK);
	ck_assert_msg(strcmp(err.code, code) == 0, "%s: %s", err.code, err.text);
}

START_TEST(both_factors_and_each_code_once)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	struct member_side s;
	struct xos_buf answer;

	enrol(&alice, "alice", secret);
	denied(log_in("alice", NULL, grant), "totp-needed");
	code_of(secret, stepped + 1, code);
	member_new_totp(&s, "alice", code);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_msg(issue(grant, &s.request, &answer) == XOS_OK, "%s", err.text);
	/* version 2 of the extension, and mfa at its end */
	ck_assert_ptr_nonnull(memmem(answer.p, answer.n, "\x81\x01\x01", 3));
	xos_buf_free(&answer);
	member_free(&s);
	/* the same step again, and the one before, which confirmed the enrolment */
	denied(log_in("alice", code, grant), "totp-wrong");
	code_of(secret, stepped, code);
	denied(log_in("alice", code, grant), "totp-wrong");
	/* ada's second factor is not alice's */
	enrol(&ada, "ada", secret);
	code_of(secret, stepped + 1, code);
	denied(log_in("alice", code, grant), "totp-wrong");
	ck_assert_int_eq(log_in("ada", code, grant), XOS_OK);
}
END_TEST

/* What the network process does to the code in the request. */
START_TEST(the_code_is_bound_to_the_request)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	struct member_side s, evil;
	struct xos_buf answer;

	enrol(&alice, "alice", secret);
	code_of(secret, stepped + 1, code);
	/* it takes it out, or puts another one in: the member's proof is of the other request */
	member_new_totp(&s, "alice", code);
	memset(s.request.totp, 0, sizeof(s.request.totp));
	denied(prove(&s, s.digest, grant), "scram-binding");
	member_free(&s);
	member_new_totp(&s, "alice", "000000");
	memcpy(s.request.totp, code, sizeof(s.request.totp));
	denied(prove(&s, s.digest, grant), "scram-binding");
	member_free(&s);
	/* it puts one that it saw into a log-in without */
	member_new(&s, "alice", PASSWORD, NULL);
	memcpy(s.request.totp, code, sizeof(s.request.totp));
	denied(prove(&s, s.digest, grant), "scram-binding");
	member_free(&s);
	/* a key of its own, with the right code */
	member_new_totp(&s, "alice", code);
	member_new_totp(&evil, "alice", code);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &evil.request, &answer), &answer, "request-changed");
	member_free(&s);
	member_free(&evil);
}
END_TEST

/* Who swaps the halves of the key exchange learns a secret that the authority does not have. */
START_TEST(network_learns_no_secret)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	struct xos_key *evil = NULL;

	MUST(xos_key_generate(&evil, &err), &err);
	begin_enrolment(&alice, "alice", evil, secret);
	code_of(secret, step_now(), code);
	denied(run(&alice, "totp.confirm", args_of("code", code)), "totp-wrong");
	/* nothing was enrolled */
	ck_assert_int_eq(log_in("alice", NULL, grant), XOS_OK);
	denied(log_in("alice", code, grant), "totp-none");
	xos_key_free(evil);
}
END_TEST

/* The right password gives no more guesses at the code, and another address neither. */
START_TEST(guessing_is_slowed_down)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	int wrong = 0;

	enrol(&alice, "alice", secret);
	for (int i = 0; i < 20 && wrong < 5; i++) {
		char guess[8];

		ck_assert(xos_str_printf(guess, sizeof(guess), "%06d", 111111 * (i % 9) + i));
		if (log_in("alice", guess, grant) == XOS_DENIED)
			wrong++;
	}
	code_of(secret, stepped + 1, code);
	denied(log_in("alice", code, grant), "totp-throttled");
	/* the others go on */
	ck_assert_int_eq(log_in("ada", NULL, grant), XOS_OK);
}
END_TEST

START_TEST(it_goes_with_a_code_or_by_an_administrator)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	struct xos_json *args;

	enrol(&alice, "alice", secret);
	denied(run(&alice, "totp.begin", args_of("key", "AAAA")), "totp-enrolled");
	denied(run(&alice, "totp.remove", args_of("name", "alice")), "totp-needed");
	args = args_of("name", "alice");
	xos_json_set_string(args, "code", "000000");
	denied(run(&alice, "totp.remove", args), "totp-wrong");
	denied(run(&alice, "totp.remove", args_of("name", "ada")), "not-administrator");
	code_of(secret, stepped + 1, code);
	args = args_of("name", "alice");
	xos_json_set_string(args, "code", code);
	ck_assert_msg(run(&alice, "totp.remove", args) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(log_in("alice", NULL, grant), XOS_OK);
	denied(run(&ada, "totp.remove", args_of("name", "alice")), "totp-none");
	enrol(&alice, "alice", secret);
	ck_assert_int_eq(run(&ada, "totp.remove", args_of("name", "alice")), XOS_OK);
	ck_assert_int_eq(log_in("alice", NULL, grant), XOS_OK);
	/* an administrator's own: a stolen token must not take it away */
	enrol(&ada, "ada", secret);
	denied(run(&ada, "totp.remove", args_of("name", "ada")), "totp-needed");
}
END_TEST

START_TEST(an_old_login_enrols_nothing)
{
	struct xos_test_who who = {.name = "alice", .number = 2, .auth_time = vo->now - 700};
	struct xos_chain old = {.n = 0};
	struct xos_key *k = NULL;
	struct xos_json *args = xos_json_object();

	xos_test_member(vo, &who, &old);
	MUST(xos_key_generate(&k, &err), &err);
	xos_json_set_bytes(args, "key", xos_key_spki(k));
	denied(run(&old, "totp.begin", args), "login-old");
	denied(run(&old, "totp.confirm", args_of("code", "000000")), "login-old");
	denied(run(&alice, "totp.confirm", args_of("code", "000000")), "totp-begin");
	xos_key_free(k);
	xos_chain_clear(&old);
}
END_TEST

static void give_code(char text[XOS_CODE_TEXT])
{
	struct xos_secret *code = xos_code_make();
	struct xos_json *args = args_of("name", "alice");
	char verifier[XOS_SCRAM_VERIFIER_TEXT];
	struct xos_scram_verifier v;

	MUST(xos_scram_verifier_make_code(code, "alice", 4096, &v, &err), &err);
	MUST(xos_scram_verifier_format(&v, verifier), &err);
	xos_json_set_string(args, "verifier", verifier);
	ck_assert_int_eq(run(&ada, "member.code", args), XOS_OK);
	memcpy(text, xos_secret_data(code), XOS_CODE_LEN);
	text[XOS_CODE_LEN] = '\0';
	xos_secret_free(code);
}

START_TEST(a_group_may_demand_it)
{
	struct xos_json *args;
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char code[XOS_CODE_TEXT], totp[XOS_TOTP_MAX + 1], grant[CA_GRANT_LEN + 1];
	struct member_side s;

	denied(run(&alice, "totp.require", args_of("group", "/demo")), "not-administrator");
	denied(run(&ada, "totp.require", args_of("group", "/demo/none")), "no-group");
	/* who would be shut out by it makes no such rule */
	denied(run(&ada, "totp.require", args_of("group", "/demo")), "totp-not-enrolled");
	/* in a year everybody may have one */
	args = args_of("group", "/demo");
	xos_json_set_time(args, "from", xos_clock_now() + 31536000);
	denied(run(&ada, "totp.require", args), "totp-not-enrolled");
	enrol(&ada, "ada", secret);
	args = args_of("group", "/demo");
	xos_json_set_time(args, "from", xos_clock_now() + 31536000);
	ck_assert_int_eq(run(&ada, "totp.require", args), XOS_OK);
	ck_assert_int_eq(log_in("alice", NULL, grant), XOS_OK);
	ck_assert_int_eq(run(&ada, "totp.release", args_of("group", "/demo")), XOS_OK);
	ck_assert_msg(
	    run(&ada, "totp.require", args_of("group", "/demo")) == XOS_OK, "%s", err.text);
	denied(run(&ada, "totp.require", args_of("group", "/demo")), "totp-required");
	denied(log_in("alice", NULL, grant), "totp-not-enrolled");
	/* a one-time code lets in whoever has none yet, and says nothing of two factors */
	give_code(code);
	member_new_code(&s, "alice", code);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	member_free(&s);
	enrol(&alice, "alice", secret);
	code_of(secret, stepped + 1, totp);
	ck_assert_int_eq(log_in("alice", totp, grant), XOS_OK);
	ck_assert_int_eq(run(&ada, "totp.release", args_of("group", "/demo")), XOS_OK);
	denied(run(&ada, "totp.release", args_of("group", "/demo")), "totp-required");
}
END_TEST

/* Nothing that may be asked holds the secret, and the record neither secret nor code. */
START_TEST(the_secret_does_not_come_out)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	char hex[2 * XOS_TOTP_SECRET_LEN + 1], base32[XOS_TOTP_BASE32];
	static const char *const verbs[] = {"totp.status", "member.show", "vo.describe"};

	enrol(&alice, "alice", secret);
	xos_hex_encode(hex, secret, sizeof(secret));
	xos_totp_base32(secret, base32);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct xos_json *result = NULL;
		struct xos_buf text;

		ck_assert_int_eq(
		    command_result(&ada, verbs[i],
		        i == 2 ? xos_json_object() : args_of("name", "alice"), &result),
		    XOS_OK);
		xos_buf_init(&text, 1 << 20);
		MUST(xos_json_dump(result, &text, &err), &err);
		ck_assert_ptr_null(strstr(xos_buf_str(&text), hex));
		ck_assert_ptr_null(strstr(xos_buf_str(&text), base32));
		xos_buf_free(&text);
		xos_json_free(result);
	}
	denied(run(&alice, "totp.status", args_of("name", "ada")), "not-administrator");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-totp");
	TCase *t = tcase_create("totp");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, both_factors_and_each_code_once);
	tcase_add_test(t, the_code_is_bound_to_the_request);
	tcase_add_test(t, network_learns_no_secret);
	tcase_add_test(t, guessing_is_slowed_down);
	tcase_add_test(t, it_goes_with_a_code_or_by_an_administrator);
	tcase_add_test(t, an_old_login_enrols_nothing);
	tcase_add_test(t, a_group_may_demand_it);
	tcase_add_test(t, the_secret_does_not_come_out);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
