/* What members do about their own passwords and tokens: about nobody else's, and not with an old log-in. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/command_self.h"
#include "lying.h"
#include "testsupport/must.h"

static struct xos_json *verifier_args(const char *password)
{
	struct xos_secret *pw = xos_secret_from(password, strlen(password));
	struct xos_json *args = xos_json_object();
	struct xos_scram_verifier v;
	char text[XOS_SCRAM_VERIFIER_TEXT];

	MUST(xos_scram_verifier_make(pw, 4096, &v, &err), &err);
	MUST(xos_scram_verifier_format(&v, text), &err);
	xos_json_set_string(args, "verifier", text);
	xos_secret_free(pw);
	return args;
}

static enum xos_status set_password(const struct xos_test_who *who, struct xos_json *args)
{
	struct xos_chain token = {.n = 0};
	struct xos_json *result = NULL;
	enum xos_status st;

	xos_test_member(vo, who, &token);
	st = command_result(&token, "password.set", args, &result);
	xos_json_free(result);
	xos_chain_clear(&token);
	return st;
}

static enum xos_status log_in(const char *name, const char *password, char grant[CA_GRANT_LEN + 1])
{
	struct member_side s;
	enum xos_status st;

	member_new(&s, name, password, NULL);
	st = prove(&s, s.digest, grant);
	member_free(&s);
	return st;
}

START_TEST(a_fresh_login_changes_the_own_password)
{
	struct xos_test_who who = {.name = "alice", .number = 2, .auth_time = vo->now - 500};
	char grant[CA_GRANT_LEN + 1];

	ck_assert_msg(
	    set_password(&who, verifier_args("another long one")) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(log_in("alice", "another long one", grant), XOS_OK);
	ck_assert_int_eq(log_in("alice", PASSWORD, grant), XOS_DENIED);
	ck_assert_int_eq(log_in("ada", PASSWORD, grant), XOS_OK);
	who.auth_method = "code";
	ck_assert_int_eq(set_password(&who, verifier_args(PASSWORD)), XOS_OK);
	ck_assert_int_eq(log_in("alice", PASSWORD, grant), XOS_OK);
}
END_TEST

START_TEST(what_is_not_fresh_is_refused)
{
	static const struct {
		int64_t ago;
		const char *method;
	} bad[] = {{CA_FRESH + 60, "password"}, {86400, "code"}, {10, "krb5"}, {-400, "password"}};
	struct xos_json *args;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_test_who who = {.name = "alice",
		    .number = 2,
		    .auth_time = vo->now - bad[i].ago,
		    .auth_method = bad[i].method};

		ck_assert_int_eq(set_password(&who, verifier_args("another long one")), XOS_DENIED);
		ck_assert_str_eq(err.code, "login-old");
	}
	/* nobody else's: the command has no name */
	struct xos_test_who who = {.name = "alice", .number = 2};
	args = verifier_args("another long one");
	xos_json_set_string(args, "name", "ada");
	ck_assert_int_eq(set_password(&who, args), XOS_MALFORMED);
}
END_TEST

/* Logs in and gives the serial of the token. */
static void token_for(const char *name, char serial[XOS_SERIAL_TEXT])
{
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_cert *leaf = NULL;
	struct xos_buf answer;
	struct member_side s;
	struct xos_reader r;
	struct xos_bytes der;

	member_new(&s, name, PASSWORD, NULL);
	MUST(prove(&s, s.digest, grant), &err);
	MUST(issue(grant, &s.request, &answer), &err);
	xos_reader_init(&r, xos_buf_bytes(&answer));
	MUST_TRUE(xos_reader_lp(&r, 1 << 16, &der));
	MUST(xos_cert_parse(der, &leaf, &err), &err);
	MUST_TRUE(xos_str_copy(serial, XOS_SERIAL_TEXT, xos_cert_serial_text(leaf)));
	xos_cert_free(leaf);
	xos_buf_free(&answer);
	member_free(&s);
}

static size_t list(const struct xos_chain *who, size_t *locked)
{
	const struct xos_json *tokens = NULL;
	struct xos_json *result = NULL;
	size_t n;

	ck_assert_int_eq(command_result(who, "token.list", xos_json_object(), &result), XOS_OK);
	MUST(xos_json_get_array(result, "tokens", 1000, &tokens, &err), &err);
	n = xos_json_count(tokens);
	*locked = 0;
	for (size_t i = 0; i < n; i++) {
		bool is = false;
		int64_t from = 0, to = 0;

		MUST(xos_json_get_bool(xos_json_at(tokens, i), "locked", &is, &err), &err);
		MUST(xos_json_get_time(xos_json_at(tokens, i), "not_before", &from, &err), &err);
		MUST(xos_json_get_time(xos_json_at(tokens, i), "not_after", &to, &err), &err);
		ck_assert_int_lt(from, to);
		*locked += is;
	}
	xos_json_free(result);
	return n;
}

static enum xos_status end(const struct xos_chain *who, const char *serial)
{
	struct xos_json *args = xos_json_object(), *result = NULL;
	enum xos_status st;

	if (serial)
		xos_json_set_string(args, "serial", serial);
	else
		xos_json_set_bool(args, "all", true);
	st = command_result(who, "token.end", args, &result);
	xos_json_free(result);
	return st;
}

START_TEST(members_end_their_own_tokens)
{
	char one[XOS_SERIAL_TEXT], two[XOS_SERIAL_TEXT], adas[XOS_SERIAL_TEXT];
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_chain alice;
	size_t locked = 0;

	token_for("alice", one);
	token_for("alice", two);
	token_for("ada", adas);
	token_of("alice", 2, NULL, &alice);
	ck_assert_uint_eq(list(&alice, &locked), 2);
	ck_assert_uint_eq(locked, 0);
	ck_assert_int_eq(end(&alice, adas), XOS_NOT_FOUND);
	ck_assert_int_eq(end(&alice, "00"), XOS_NOT_FOUND);
	ck_assert_msg(end(&alice, one) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(list(&alice, &locked), 2);
	ck_assert_uint_eq(locked, 1);
	ck_assert_int_eq(end(&alice, one), XOS_OK); /* the state asked for is reached */
	ck_assert_int_eq(end(&alice, NULL), XOS_OK);
	ck_assert_uint_eq(list(&alice, &locked), 2);
	ck_assert_uint_eq(locked, 2);
	xos_json_set_string(args, "serial", one);
	xos_json_set_bool(args, "all", true);
	ck_assert_int_eq(command_result(&alice, "token.end", args, &result), XOS_MALFORMED);
	ck_assert_int_eq(
	    command_result(&alice, "token.end", xos_json_object(), &result), XOS_MALFORMED);
	xos_chain_clear(&alice);
}
END_TEST

static void last_lock(const struct xos_chain *ada, char serial[XOS_SERIAL_TEXT], int64_t *until)
{
	const struct xos_json *locks = NULL, *last;
	struct xos_json *result = NULL;
	const char *name = NULL;

	MUST(command_result(ada, "lock.list", xos_json_object(), &result), &err);
	MUST(xos_json_get_array(result, "locks", 10, &locks, &err), &err);
	ck_assert_uint_eq(xos_json_count(locks), 1);
	last = xos_json_at(locks, 0);
	MUST(xos_json_get_string(last, "name", XOS_SERIAL_TEXT, &name, &err), &err);
	MUST(xos_json_get_time(last, "until", until, &err), &err);
	MUST_TRUE(xos_str_copy(serial, XOS_SERIAL_TEXT, name));
	xos_json_free(result);
}

/* Clocks differ, so a token is good for some minutes after its end; its lock must be, too. */
START_TEST(an_ended_token_does_not_come_back_when_it_expires)
{
	char one[XOS_SERIAL_TEXT], locked[XOS_SERIAL_TEXT];
	struct xos_chain alice, ada, late = {.n = 0};
	struct xos_json *args = xos_json_object(), *result = NULL;
	int64_t until = 0, ends = xos_clock_now() + 12 * 3600;

	xos_test_member(vo,
	    &(struct xos_test_who){.name = "alice",
	        .number = 2,
	        .not_before = vo->now - 3600,
	        .not_after = vo->now - 200},
	    &late);
	ck_assert_int_eq(command_result(&late, "vo.describe", xos_json_object(), &result), XOS_OK);
	xos_json_free(result);
	token_of("alice", 2, NULL, &alice);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	token_for("alice", one);
	ck_assert_int_eq(end(&alice, one), XOS_OK);
	last_lock(&ada, locked, &until);
	ck_assert_str_eq(locked, one);
	ck_assert_int_ge(until, ends + 300);
	/* the same by an administrator */
	xos_json_set_string(args, "kind", "token");
	xos_json_set_string(args, "name", one);
	MUST(command_result(&ada, "lock.remove", xos_json_copy(args), &result), &err);
	xos_json_free(result);
	MUST(command_result(&ada, "lock.add", args, &result), &err);
	xos_json_free(result);
	last_lock(&ada, locked, &until);
	ck_assert_int_ge(until, ends + 300);
	xos_chain_clear(&late);
	xos_chain_clear(&alice);
	xos_chain_clear(&ada);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-self");
	TCase *t = tcase_create("self");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, lying_setup, lying_teardown);
	tcase_add_test(t, a_fresh_login_changes_the_own_password);
	tcase_add_test(t, what_is_not_fresh_is_refused);
	tcase_add_test(t, members_end_their_own_tokens);
	tcase_add_test(t, an_ended_token_does_not_come_back_when_it_expires);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
