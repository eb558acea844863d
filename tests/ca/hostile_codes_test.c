/* One-time codes and a lying network process: each works once, whatever happens in between. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/code.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/verifiers.h"
#include "lying.h"
#include "testsupport/must.h"

static struct xos_json *code_args(
    const char *member, struct xos_secret *code, const char *salted_for)
{
	struct xos_json *args = xos_json_object();
	struct xos_scram_verifier v;
	char text[XOS_SCRAM_VERIFIER_TEXT];

	MUST(xos_scram_verifier_make_code(code, salted_for, 4096, &v, &err), &err);
	MUST(xos_scram_verifier_format(&v, text), &err);
	xos_json_set_string(args, "name", member);
	xos_json_set_string(args, "verifier", text);
	return args;
}

static enum xos_status send(const char *by, const char *role, struct xos_json *args)
{
	struct xos_chain token;
	struct xos_buf body;
	enum xos_status st;

	xos_buf_init(&body, 1 << 20);
	token_of(by, strcmp(by, "ada") == 0 ? 1 : 2, role, &token);
	st = command(&token, "member.code", args, &body);
	xos_buf_free(&body);
	xos_chain_clear(&token);
	xos_json_free(args);
	return st;
}

/* Gives alice a code and leaves its text. */
static void give(char text[XOS_CODE_TEXT])
{
	struct xos_secret *code = xos_code_make();

	ck_assert_msg(send("ada", "/demo/Role=admin", code_args("alice", code, "alice")) == XOS_OK,
	    "%s", err.text);
	memcpy(text, xos_secret_data(code), XOS_CODE_LEN);
	text[XOS_CODE_LEN] = '\0';
	xos_secret_free(code);
}

static enum xos_status log_in(const char *member, const char *code, char grant[CA_GRANT_LEN + 1])
{
	struct member_side s;
	enum xos_status st;

	member_new_code(&s, member, code);
	st = prove(&s, s.digest, grant);
	member_free(&s);
	return st;
}

START_TEST(a_code_works_once)
{
	char code[XOS_CODE_TEXT], grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;
	struct member_side s;

	give(code);
	member_new_code(&s, "alice", code);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_msg(issue(grant, &s.request, &answer) == XOS_OK, "%s", err.text);
	ck_assert_ptr_nonnull(memmem(answer.p, answer.n,
	    "\x0c\x04"
	    "code",
	    6)); /* the method */
	xos_buf_free(&answer);
	member_free(&s);
	ck_assert_int_eq(log_in("alice", code, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	/* nor as a password, and the password goes on */
	member_new(&s, "alice", code, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_DENIED);
	member_free(&s);
	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	member_free(&s);
}
END_TEST

/* Two who both proved the code before either finished. */
START_TEST(of_two_at_once_one_gets_in)
{
	char code[XOS_CODE_TEXT], grant[CA_GRANT_LEN + 1] = "";
	struct member_side one, two;

	give(code);
	member_new_code(&one, "alice", code);
	member_new_code(&two, "alice", code);
	begin(&one, one.digest);
	begin(&two, two.digest);
	ck_assert_msg(finish(&one, grant) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(finish(&two, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	member_free(&one);
	member_free(&two);
}
END_TEST

START_TEST(a_newer_code_ends_the_older)
{
	char old[XOS_CODE_TEXT], new[XOS_CODE_TEXT], grant[CA_GRANT_LEN + 1] = "";
	struct member_side s;

	give(old);
	member_new_code(&s, "alice", old);
	begin(&s, s.digest);
	give(new);
	ck_assert_int_eq(finish(&s, grant), XOS_DENIED);
	member_free(&s);
	ck_assert_int_eq(log_in("alice", old, grant), XOS_DENIED);
	ck_assert_int_eq(log_in("alice", new, grant), XOS_OK);
}
END_TEST

START_TEST(codes_have_an_end_and_an_owner)
{
	char code[XOS_CODE_TEXT], grant[CA_GRANT_LEN + 1] = "";
	struct ca_verifiers *store = NULL;
	struct xos_scram_verifier v;
	int64_t now = xos_clock_now();

	give(code);
	ck_assert_int_eq(log_in("ada", code, grant), XOS_DENIED);
	MUST(ca_verifiers_open(p_verifiers, false, &store, &err), &err);
	MUST(ca_verifiers_get(store, "alice", XOS_SCRAM_CODE, now, &v, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(store, "alice", XOS_SCRAM_CODE, now + 86400 + 60, &v, &err),
	    XOS_NOT_FOUND);
	/* ended between the two messages */
	ck_assert_int_eq(
	    ca_verifiers_spend(store, "alice", &v, now + 86400 + 60, &err), XOS_DENIED);
	MUST(ca_verifiers_spend(store, "alice", &v, now, &err), &err);
	ck_assert_int_eq(ca_verifiers_spend(store, "alice", &v, now, &err), XOS_DENIED);
	ca_verifiers_close(store);
	ck_assert_int_eq(log_in("alice", code, grant), XOS_DENIED);
}
END_TEST

/* The key process is gone when the grant should go to it: the code is spent all the same. */
START_TEST(killed_half_way_it_is_spent)
{
	char code[XOS_CODE_TEXT], grant[CA_GRANT_LEN + 1] = "";
	struct ca_verifiers *store = NULL;
	struct xos_scram_verifier v;

	give(code);
	lying_kill_key();
	ck_assert_int_ne(log_in("alice", code, grant), XOS_OK);
	ck_assert_str_ne(err.code, "credentials");
	MUST(ca_verifiers_open(p_verifiers, false, &store, &err), &err);
	ck_assert_int_eq(
	    ca_verifiers_get(store, "alice", XOS_SCRAM_CODE, xos_clock_now(), &v, &err),
	    XOS_NOT_FOUND);
	ca_verifiers_close(store);
	ck_assert_int_eq(log_in("alice", code, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
}
END_TEST

START_TEST(only_administrators_give_codes_and_not_any)
{
	struct xos_secret *code = xos_code_make();
	struct xos_json *args;
	static const int64_t bad[] = {0, 59, 7 * 86400 + 1, -5};

	ck_assert_int_eq(send("alice", NULL, code_args("alice", code, "alice")), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-administrator");
	ck_assert_int_eq(
	    send("ada", "/demo/Role=admin", code_args("nobody", code, "nobody")), XOS_NOT_FOUND);
	/* the salt of somebody else's codes would show that there is one */
	ck_assert_int_eq(
	    send("ada", "/demo/Role=admin", code_args("alice", code, "ada")), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "code-salt");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		args = code_args("alice", code, "alice");
		xos_json_set_int(args, "for", bad[i]);
		ck_assert_int_eq(send("ada", "/demo/Role=admin", args), XOS_MALFORMED);
		args = code_args("alice", code, "alice");
		xos_json_set_time(
		    args, "until", xos_clock_now() + (bad[i] > 86400 ? bad[i] + 60 : bad[i] - 60));
		ck_assert_int_eq(send("ada", "/demo/Role=admin", args), XOS_MALFORMED);
	}
	args = code_args("alice", code, "alice");
	xos_json_set_int(args, "for", 3600);
	xos_json_set_time(args, "until", xos_clock_now() + 3600);
	ck_assert_int_eq(send("ada", "/demo/Role=admin", args), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "code-end");
	xos_secret_free(code);
}
END_TEST

/* Guessing codes slows the guesser as guessing passwords does, and one counts for the other. */
/* Refused after everything else was found good: used up like any other. */
START_TEST(a_code_for_the_sealed_one_is_refused_for_good)
{
	struct xos_secret *code = xos_code_make();
	struct xos_json *seal = code_args("x", code, "break-glass"), *args;
	const char *verifier = NULL;
	struct xos_chain ada;
	struct xos_buf body, other;

	xos_buf_init(&body, 1 << 20);
	xos_buf_init(&other, 1 << 20);
	MUST(xos_json_get_string(seal, "verifier", 1024, &verifier, &err), &err);
	args = xos_json_object();
	xos_json_set_string(args, "verifier", verifier);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	ck_assert_msg(command(&ada, "break-glass.seal", args, &other) == XOS_OK, "%s", err.text);
	xos_json_free(args);
	args = code_args("break-glass", code, "break-glass");
	ck_assert_int_eq(command(&ada, "member.code", args, &body), XOS_DENIED);
	ck_assert_str_eq(err.code, "sealed");
	ck_assert_int_eq(again(&body), XOS_DENIED);
	ck_assert_str_eq(err.code, "command-replayed");
	xos_json_free(args);
	xos_json_free(seal);
	xos_secret_free(code);
	xos_chain_clear(&ada);
	xos_buf_free(&body);
	xos_buf_free(&other);
}
END_TEST

START_TEST(codes_are_throttled_with_passwords)
{
	char grant[CA_GRANT_LEN + 1] = "";
	struct member_side s;
	enum xos_status st = XOS_DENIED;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(log_in("alice", "0000000000000000000000", grant), XOS_DENIED);
	member_new(&s, "alice", "wrong horse battery", NULL);
	st = prove(&s, s.digest, grant);
	member_free(&s);
	ck_assert_int_eq(st, XOS_DENIED);
	member_new_code(&s, "alice", "0000000000000000000000");
	ck_assert_int_eq(begin_status(&s, s.digest), XOS_LIMIT);
	ck_assert_str_eq(err.code, "login-throttled");
	member_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-codes");
	TCase *t = tcase_create("codes");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, lying_setup, lying_teardown);
	tcase_add_test(t, a_code_works_once);
	tcase_add_test(t, of_two_at_once_one_gets_in);
	tcase_add_test(t, a_newer_code_ends_the_older);
	tcase_add_test(t, codes_have_an_end_and_an_owner);
	tcase_add_test(t, killed_half_way_it_is_spent);
	tcase_add_test(t, only_administrators_give_codes_and_not_any);
	tcase_add_test(t, a_code_for_the_sealed_one_is_refused_for_good);
	tcase_add_test(t, codes_are_throttled_with_passwords);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
