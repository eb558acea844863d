/*
 * Floods of log-ins, in the auth process itself: what strangers begin must not end what members began,
 * and no failure of theirs may make the throttle forget whom it slows down.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/membership/acts.h"
#include "ca/auth/auth.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define PASSWORD "correct horse battery"

static char *dir;
static struct xos_test_vo *vo;
static struct xos_err err;
static struct xos_trust *trust;
static struct xos_channel *to_key;
static struct ca_auth *a;
static int key_end;
static const uint8_t digest[XOS_SHA256_LEN] = {7};

static void make_databases(const char *membership, const char *verifiers)
{
	struct xos_secret *pw = xos_secret_from(PASSWORD, strlen(PASSWORD));
	struct ca_act act = {
	    .at = vo->now, .actor = "test", .verb = "x", .args = "{}", .jti = "j1"};
	struct ca_verifier_change change = {.member = "alice"};
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	uint64_t number = 0;

	MUST(ca_membership_open(membership, "demo", true, false, &m, &err), &err);
	MUST(ca_verifiers_open(verifiers, true, &v, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(xos_scram_verifier_make(pw, 4096, &change.verifier, &err), &err);
	MUST(ca_verifiers_prepare(v, "j1", &change, &err), &err);
	MUST(ca_member_add(m, "alice", vo->now, &number, &err), &err);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_verifiers_settle(v, "j1", true, vo->now, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	ca_verifiers_close(v);
	ca_membership_close(m);
	xos_secret_free(pw);
}

static void setup(void)
{
	char *membership, *verifiers;
	int fds[2];

	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	trust = xos_test_vo_trust(vo);
	membership = xos_test_path(dir, "membership.db");
	verifiers = xos_test_path(dir, "verifiers.db");
	make_databases(membership, verifiers);
	MUST(xos_channel_pair(fds, &err), &err);
	MUST(xos_channel_new(fds[0], &to_key, &err), &err);
	key_end = fds[1];
	const struct ca_auth_opts o = {.vo = "demo",
	    .membership = membership,
	    .verifiers = verifiers,
	    .trust = trust,
	    .iterations = 4096,
	    .key = to_key};
	MUST(ca_auth_new(&o, &a, &err), &err);
	free(membership);
	free(verifiers);
}

static void teardown(void)
{
	ca_auth_free(a);
	xos_channel_free(to_key);
	close(key_end);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_dir_free(dir);
}

/* One log-in of a client with some password. */
struct login {
	struct xos_secret *password;
	struct xos_scram_client *scram;
	char sid[CA_SID_LEN + 1];
	char challenge[XOS_SCRAM_MESSAGE_MAX + 1];
	struct xos_buf final; /* made once */
};

static enum xos_status begin(struct login *l, const char *name, const char *address)
{
	struct ca_login_begin b = {.address = ""};
	struct ca_login_challenge c;
	struct xos_buf first, ask, answer;
	enum xos_status st;

	memset(l, 0, sizeof(*l));
	xos_buf_init(&l->final, 4096);
	l->password = xos_secret_from("wrong password", 14);
	MUST(xos_scram_client_new(name, XOS_SCRAM_PASSWORD, l->password, digest, &l->scram, &err),
	    &err);
	xos_buf_init(&first, 4096);
	xos_buf_init(&ask, 8192);
	xos_buf_init(&answer, 8192);
	MUST(xos_scram_client_first(l->scram, &first, &err), &err);
	snprintf(b.address, sizeof(b.address), "%s", address);
	memcpy(b.digest, digest, sizeof(b.digest));
	b.message = xos_buf_bytes(&first);
	ca_login_begin_put(&ask, &b);
	st = ca_login_begin(a, 0, xos_buf_bytes(&ask), &answer, &err);
	if (st == XOS_OK) {
		MUST(ca_login_challenge_get(xos_buf_bytes(&answer), &c, &err), &err);
		memcpy(l->sid, c.sid, sizeof(l->sid));
		memcpy(l->challenge, c.message.p, c.message.n);
	}
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&first);
	return st;
}

static enum xos_status finish(struct login *l, const char *address)
{
	struct ca_login_finish f = {.address = ""};
	struct xos_buf ask, answer;
	enum xos_status st;

	xos_buf_init(&ask, 8192);
	xos_buf_init(&answer, 8192);
	if (!l->final.n)
		MUST(xos_scram_client_final(l->scram, xos_bytes_str(l->challenge), &l->final, &err),
		    &err);
	snprintf(f.address, sizeof(f.address), "%s", address);
	memcpy(f.sid, l->sid, sizeof(f.sid));
	f.message = xos_buf_bytes(&l->final);
	ca_login_finish_put(&ask, &f);
	st = ca_login_finish(a, 0, xos_buf_bytes(&ask), &answer, &err);
	ck_assert_uint_eq(answer.n, 0);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

static void drop(struct login *l)
{
	xos_buf_free(&l->final);
	xos_scram_client_free(l->scram);
	xos_secret_free(l->password);
}

/* Begins as many log-ins from an address as auth keeps in all, and some. */
static void flood(const char *address)
{
	struct login l;

	for (int i = 0; i < CA_SESSIONS + 10; i++) {
		ck_assert_int_eq(begin(&l, "mallory", address), XOS_OK);
		drop(&l);
	}
}

START_TEST(one_address_evicts_only_its_own)
{
	struct login alice, mallory;

	ck_assert_int_eq(begin(&alice, "alice", "192.0.2.1"), XOS_OK);
	ck_assert_int_eq(begin(&mallory, "mallory", "198.51.100.7"), XOS_OK);
	flood("198.51.100.7");
	/* Alice's is judged by her password; the flood has pushed out its own first. */
	ck_assert_int_eq(finish(&alice, "192.0.2.1"), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	ck_assert_int_eq(finish(&mallory, "198.51.100.7"), XOS_DENIED);
	ck_assert_str_eq(err.code, "login-unknown");
	drop(&alice);
	drop(&mallory);
}
END_TEST

/* Whoever has an IPv6 network has all of it. */
START_TEST(a_network_counts_as_one_address)
{
	struct login alice, l;
	char address[64];

	ck_assert_int_eq(begin(&alice, "alice", "[2001:db8:1::1]"), XOS_OK);
	for (int i = 0; i < CA_SESSIONS + 10; i++) {
		snprintf(address, sizeof(address), "[2001:db8:2::%x]", i + 1);
		ck_assert_int_eq(begin(&l, "mallory", address), XOS_OK);
		drop(&l);
	}
	ck_assert_int_eq(finish(&alice, "[2001:db8:1::1]"), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	drop(&alice);
}
END_TEST

/* Nothing but the name may differ between a member with a wrong password and nobody at all. */
START_TEST(members_look_like_nobody)
{
	struct login known, unknown, again;
	char text[XOS_ERR_TEXT_MAX];
	const char *salt_k, *salt_u, *salt_a;

	ck_assert_int_eq(begin(&known, "alice", "192.0.2.1"), XOS_OK);
	ck_assert_int_eq(begin(&unknown, "nobdy", "192.0.2.2"), XOS_OK);
	ck_assert_int_eq(begin(&again, "nobdy", "192.0.2.3"), XOS_OK);
	ck_assert_uint_eq(strlen(known.challenge), strlen(unknown.challenge));
	salt_k = strstr(known.challenge, ",s=");
	salt_u = strstr(unknown.challenge, ",s=");
	salt_a = strstr(again.challenge, ",s=");
	ck_assert(salt_k && salt_u && salt_a);
	ck_assert_uint_eq(strlen(salt_k), strlen(salt_u));
	ck_assert_str_eq(strstr(salt_k, ",i="), strstr(salt_u, ",i="));
	ck_assert_str_eq(salt_u, salt_a); /* the same each time, as a real one is */
	ck_assert_int_eq(finish(&known, "192.0.2.1"), XOS_DENIED);
	snprintf(text, sizeof(text), "%s", err.text);
	ck_assert_int_eq(finish(&unknown, "192.0.2.2"), XOS_DENIED);
	ck_assert_str_eq(err.text, text);
	ck_assert_str_eq(err.code, "credentials");
	drop(&known);
	drop(&unknown);
	drop(&again);
}
END_TEST

/* A log-in is judged once: neither its final message again nor another one afterwards. */
START_TEST(no_second_answer)
{
	struct login l, other;

	ck_assert_int_eq(begin(&l, "alice", "192.0.2.1"), XOS_OK);
	ck_assert_int_eq(begin(&other, "alice", "192.0.2.1"), XOS_OK);
	ck_assert_int_eq(finish(&l, "192.0.2.1"), XOS_DENIED);
	ck_assert_int_eq(finish(&l, "192.0.2.1"), XOS_DENIED);
	ck_assert_str_eq(err.code, "login-unknown");
	/* The answer to one challenge in the log-in of another. */
	memcpy(l.sid, other.sid, sizeof(l.sid));
	ck_assert_int_eq(finish(&l, "192.0.2.1"), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	drop(&l);
	drop(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-flood");
	TCase *c = tcase_create("flood");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, one_address_evicts_only_its_own);
	tcase_add_test(c, a_network_counts_as_one_address);
	tcase_add_test(c, members_look_like_nobody);
	tcase_add_test(c, no_second_answer);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
