/* Renewals through a lying network process: only the old key's owner gets what the old token had, for a while. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/cad_renew.h"
#include "api/chainjson.h"
#include "api/command.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/key/key.h"
#include "lying.h"
#include "pki/jws.h"
#include "testsupport/must.h"

#define HOUR 3600

/* A renewal as an honest member sends it: what for key, and what for auth. */
struct renewal {
	struct xos_key *fresh;
	struct xos_cad_request request;
	struct xos_buf body; /* {"proof", "chain"} */
};

static void split(const struct xos_json *doc, struct xos_buf *body)
{
	struct xos_json *o = xos_json_object();
	const struct xos_json *chain = NULL;
	const char *proof = NULL;

	MUST(xos_json_get_string(doc, "proof", XOS_CAD_RENEWAL_MAX, &proof, &err), &err);
	MUST(xos_json_get_array(doc, "chain", 16, &chain, &err), &err);
	xos_json_set_string(o, "proof", proof);
	xos_json_set(o, "chain", xos_json_copy(chain));
	MUST(xos_json_dump(o, body, &err), &err);
	xos_json_free(o);
}

static void renewal_at(struct renewal *r, const struct xos_chain *old, const struct xos_key *fresh,
    const char *role, int64_t at)
{
	struct xos_json *doc = NULL;

	memset(r, 0, sizeof(*r));
	if (fresh)
		r->fresh = xos_key_ref(fresh);
	else
		MUST(xos_key_generate(&r->fresh, &err), &err);
	xos_cad_request_init(&r->request);
	xos_buf_init(&r->body, 1 << 20);
	MUST(xos_csr_make(r->fresh, &r->request.csr, &err), &err);
	if (role)
		MUST(xos_cad_request_add_role(&r->request, role, &err), &err);
	MUST(xos_cad_renewal_sign("demo", old, &r->request, at, &doc, &err), &err);
	split(doc, &r->body);
	xos_json_free(doc);
}

static void renewal_new(struct renewal *r, const struct xos_chain *old, const char *role)
{
	renewal_at(r, old, NULL, role, xos_clock_now());
}

static void renewal_free(struct renewal *r)
{
	xos_key_free(r->fresh);
	xos_cad_request_clear(&r->request);
	xos_buf_free(&r->body);
}

static enum xos_status ask(const struct renewal *r, char grant[CA_GRANT_LEN + 1])
{
	struct ca_login_done done;
	struct xos_buf in, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&in, 1 << 20);
	xos_buf_lp_str(&in, "192.0.2.1");
	xos_buf_lp(&in, xos_buf_bytes(&r->body));
	st = xos_bulk_call(auth, CA_RENEW, xos_buf_bytes(&in), soon(), &answer, &err);
	if (st == XOS_OK) {
		MUST(ca_login_done_get(xos_buf_bytes(&answer), &done, &err), &err);
		memcpy(grant, done.grant, sizeof(done.grant));
	}
	xos_buf_free(&answer);
	xos_buf_free(&in);
	return st;
}

static void refuses(const struct renewal *r, const char *code)
{
	char grant[CA_GRANT_LEN + 1];

	ck_assert_int_ne(ask(r, grant), XOS_OK);
	ck_assert_msg(strcmp(err.code, code) == 0, "%s: %s", err.code, err.text);
}

static void alice(const struct xos_test_who *more, struct xos_chain *out)
{
	struct xos_test_who who = *more;
	static const char *const groups[] = {"/demo", NULL};

	who.name = "alice";
	who.number = 2;
	who.groups = groups;
	memset(out, 0, sizeof(*out));
	xos_test_member(vo, &who, out);
}

static void read_token(const struct xos_buf *answer, struct xos_claims **claims, int64_t *not_after)
{
	struct xos_bytes der[4];
	struct xos_reader r;
	struct xos_chain chain = {.n = 0};
	struct xos_trust *trust = xos_test_vo_trust(vo);
	struct xos_identity *id = NULL;
	struct xos_verify_opts v = {.now = xos_clock_now(),
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .purpose = XOS_PURPOSE_ANY};
	size_t n = 0;

	xos_reader_init(&r, xos_buf_bytes(answer));
	while (r.left && n < 4 && xos_reader_lp(&r, 1 << 16, &der[n]))
		n++;
	MUST(xos_chain_from_der(der, n, &chain, &err), &err);
	MUST(xos_token_verify_chain(trust, &chain, &v, &id, &err), &err);
	MUST(xos_claims_dup(id->claims, claims, &err), &err);
	*not_after = id->not_after;
	xos_identity_free(id);
	xos_chain_clear(&chain);
	xos_trust_free(trust);
}

START_TEST(a_renewed_token_keeps_when_and_how_and_ends_in_time)
{
	int64_t logged_in = vo->now - 20 * HOUR, end = 0;
	struct xos_chain old;
	struct renewal r;
	struct xos_buf answer;
	struct xos_claims *c = NULL;
	char grant[CA_GRANT_LEN + 1];

	alice(&(struct xos_test_who){.auth_time = logged_in, .auth_mfa = true}, &old);
	renewal_new(&r, &old, NULL);
	ck_assert_msg(ask(&r, grant) == XOS_OK, "%s", err.text);
	ck_assert_msg(issue(grant, &r.request, &answer) == XOS_OK, "%s", err.text);
	read_token(&answer, &c, &end);
	ck_assert_int_eq(c->auth_time, logged_in);
	ck_assert(c->auth_mfa);
	ck_assert_str_eq(c->auth_method, "password");
	/* 24 hours after the log-in, though a token of this VO lives for 12 */
	ck_assert_int_eq(end, logged_in + 24 * HOUR);
	xos_buf_free(&answer);
	/* the same again: used up */
	refuses(&r, "renewal-replayed");
	xos_claims_free(c);
	renewal_free(&r);
	xos_chain_clear(&old);
}
END_TEST

START_TEST(what_is_too_old_is_refused)
{
	struct xos_chain old;
	struct renewal r;
	int64_t now = xos_clock_now();

	/* the authentication */
	alice(&(struct xos_test_who){.auth_time = vo->now - 24 * HOUR - 1}, &old);
	renewal_new(&r, &old, NULL);
	refuses(&r, "renewal-end");
	renewal_free(&r);
	xos_chain_clear(&old);
	/* the token: without the tolerance that others have */
	alice(&(struct xos_test_who){.not_before = vo->now - HOUR, .not_after = vo->now - 2}, &old);
	renewal_new(&r, &old, NULL);
	refuses(&r, "cert-expired");
	renewal_free(&r);
	xos_chain_clear(&old);
	/* the signature, and one of a clock that is ahead */
	alice(&(struct xos_test_who){.number = 0}, &old);
	renewal_at(&r, &old, NULL, NULL, now - XOS_CAD_RENEWAL_LIFE - XOS_CAD_RENEWAL_SKEW - 1);
	refuses(&r, "renewal-time");
	renewal_free(&r);
	renewal_at(&r, &old, NULL, NULL, now + XOS_CAD_RENEWAL_SKEW + 60);
	refuses(&r, "renewal-time");
	ck_assert_ptr_nonnull(strstr(err.text, "clock"));
	renewal_free(&r);
	xos_chain_clear(&old);
}
END_TEST

START_TEST(network_swaps_nothing)
{
	struct xos_chain old;
	struct renewal r, evil;
	struct xos_buf answer;
	char grant[CA_GRANT_LEN + 1];

	alice(&(struct xos_test_who){.number = 0}, &old);
	renewal_new(&r, &old, NULL);
	renewal_new(&evil, &old, NULL);
	ck_assert_int_eq(ask(&r, grant), XOS_OK);
	refused(issue(grant, &evil.request, &answer), &answer, "request-changed");
	refused(issue(grant, &r.request, &answer), &answer, "grant-unknown");
	renewal_free(&r);
	/* a longer life */
	renewal_new(&r, &old, NULL);
	ck_assert_int_eq(ask(&r, grant), XOS_OK);
	r.request.lifetime = 24 * HOUR;
	refused(issue(grant, &r.request, &answer), &answer, "request-changed");
	renewal_free(&r);
	renewal_free(&evil);
	xos_chain_clear(&old);
}
END_TEST

START_TEST(a_foreign_key_renews_nothing)
{
	struct xos_chain old, other;
	struct renewal r;

	alice(&(struct xos_test_who){.number = 0}, &old);
	alice(&(struct xos_test_who){.number = 0}, &other);
	/* alice's certificate, signed by another key */
	xos_key_free(old.key);
	old.key = xos_key_ref(other.key);
	renewal_new(&r, &old, NULL);
	refuses(&r, "jws-header");
	renewal_free(&r);
	/* the old key again */
	renewal_at(&r, &other, other.key, NULL, xos_clock_now());
	refuses(&r, "renewal-key");
	renewal_free(&r);
	xos_chain_clear(&old);
	xos_chain_clear(&other);
}
END_TEST

/* Every byte of the proof counts. */
START_TEST(changed_proofs_are_refused)
{
	struct xos_chain old;
	struct renewal r, bad;
	char grant[CA_GRANT_LEN + 1];
	const char *proof, *end;

	alice(&(struct xos_test_who){.number = 0}, &old);
	renewal_new(&r, &old, NULL);
	memset(&bad, 0, sizeof(bad));
	proof = strstr(xos_buf_str(&r.body), "\"proof\":\"");
	ck_assert_ptr_nonnull(proof);
	proof += 9;
	end = strchr(proof, '"');
	for (const char *p = proof; p < end; p += 11) {
		xos_buf_init(&bad.body, 1 << 20);
		xos_buf_put(&bad.body, r.body.p, r.body.n);
		bad.body.p[p - (const char *)r.body.p] ^= 1;
		ck_assert_int_ne(ask(&bad, grant), XOS_OK);
		xos_buf_free(&bad.body);
	}
	ck_assert_msg(ask(&r, grant) == XOS_OK, "%s", err.text);
	renewal_free(&r);
	xos_chain_clear(&old);
}
END_TEST

START_TEST(delegations_and_machines_are_not_renewed)
{
	struct xos_delegation fields = {.actor = "job", .not_after = vo->now + HOUR};
	struct xos_chain old, delegated = {.n = 0}, node = {.n = 0};
	struct xos_test_who who = {.name = "n1.example"};
	struct xos_key *k = NULL;
	struct renewal r;

	alice(&(struct xos_test_who){.number = 0}, &old);
	MUST(xos_key_generate(&k, &err), &err);
	MUST_TRUE(xos_str_copy(fields.vo, sizeof(fields.vo), "demo"));
	MUST_TRUE(xos_str_copy(fields.member, sizeof(fields.member), "alice"));
	xos_test_delegate(vo, &old, xos_key_spki(k), &fields, k, &delegated);
	renewal_new(&r, &delegated, NULL);
	refuses(&r, "delegation-refused");
	renewal_free(&r);
	xos_test_node(vo, &who, &node);
	renewal_new(&r, &node, NULL);
	refuses(&r, "token-kind");
	renewal_free(&r);
	xos_key_free(k);
	xos_chain_clear(&delegated);
	xos_chain_clear(&node);
	xos_chain_clear(&old);
}
END_TEST

START_TEST(roles_stay_or_go_and_none_is_new)
{
	struct xos_chain plain, admin;
	struct renewal r;
	struct xos_buf answer;
	char grant[CA_GRANT_LEN + 1];

	token_of("ada", 1, NULL, &plain);
	token_of("ada", 1, "/demo/Role=admin", &admin);
	renewal_new(&r, &plain, "/demo/Role=admin");
	refuses(&r, "renewal-roles");
	renewal_free(&r);
	renewal_new(&r, &admin, "/demo/Role=admin");
	ck_assert_int_eq(ask(&r, grant), XOS_OK);
	ck_assert_int_eq(issue(grant, &r.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	renewal_free(&r);
	renewal_new(&r, &admin, NULL);
	ck_assert_int_eq(ask(&r, grant), XOS_OK);
	renewal_free(&r);
	xos_chain_clear(&plain);
	xos_chain_clear(&admin);
}
END_TEST

static void lock_alice(const struct xos_chain *ada, const char *verb)
{
	struct xos_json *args = xos_json_object();
	struct xos_buf body;

	xos_buf_init(&body, 1 << 20);
	xos_json_set_string(args, "kind", "member");
	xos_json_set_string(args, "name", "alice");
	ck_assert_msg(command(ada, verb, args, &body) == XOS_OK, "%s", err.text);
	xos_json_free(args);
	xos_buf_free(&body);
}

START_TEST(who_is_locked_or_gone_renews_nothing)
{
	struct xos_chain old, ada, nobody;
	struct xos_json *args = xos_json_object();
	struct xos_buf body;
	struct renewal r;
	char grant[CA_GRANT_LEN + 1];

	alice(&(struct xos_test_who){.number = 0}, &old);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	lock_alice(&ada, "lock.add");
	renewal_new(&r, &old, NULL);
	refuses(&r, "locked");
	/* and that one stays refused when the lock is gone */
	lock_alice(&ada, "lock.remove");
	refuses(&r, "renewal-replayed");
	renewal_free(&r);
	renewal_new(&r, &old, NULL);
	ck_assert_int_eq(ask(&r, grant), XOS_OK);
	renewal_free(&r);
	/* a name with somebody else's number, and nobody's name */
	token_of("alice", 7, NULL, &nobody);
	renewal_new(&r, &nobody, NULL);
	refuses(&r, "member-suspended");
	renewal_free(&r);
	xos_chain_clear(&nobody);
	token_of("mallory", 9, NULL, &nobody);
	renewal_new(&r, &nobody, NULL);
	refuses(&r, "no-member");
	renewal_free(&r);
	xos_chain_clear(&nobody);
	xos_buf_init(&body, 1 << 20);
	xos_json_set_string(args, "name", "alice");
	ck_assert_int_eq(command(&ada, "member.remove", args, &body), XOS_OK);
	renewal_new(&r, &old, NULL);
	refuses(&r, "member-suspended");
	renewal_free(&r);
	xos_buf_free(&body);
	xos_json_free(args);
	xos_chain_clear(&old);
	xos_chain_clear(&ada);
}
END_TEST

/* A renewal is no command and a command no renewal, though one key signs both. */
START_TEST(signatures_are_for_one_purpose)
{
	struct xos_chain old;
	struct xos_json *doc = NULL, *o = xos_json_object();
	const char *jws = NULL;
	struct renewal r;

	alice(&(struct xos_test_who){.number = 0}, &old);
	MUST(xos_command_sign(&old, "demo", "ca", "vo.describe", NULL, xos_clock_now(), &doc, &err),
	    &err);
	MUST(xos_json_get_string(doc, "command", 1 << 20, &jws, &err), &err);
	xos_json_set_string(o, "proof", jws);
	xos_chain_to_json(o, "chain", &old);
	memset(&r, 0, sizeof(r));
	xos_buf_init(&r.body, 1 << 20);
	MUST(xos_json_dump(o, &r.body, &err), &err);
	refuses(&r, "jws-header");
	renewal_free(&r);
	xos_json_free(o);
	xos_json_free(doc);
	xos_chain_clear(&old);
}
END_TEST

/* A token with its key, by a log-in. */
static void logged_in(const char *name, struct xos_chain *out)
{
	char grant[CA_GRANT_LEN + 1] = "";
	struct member_side s;
	struct xos_buf answer;
	struct xos_bytes der[4];
	struct xos_reader r;
	size_t n = 0;

	member_new(&s, name, PASSWORD, NULL);
	MUST(prove(&s, s.digest, grant), &err);
	MUST(issue(grant, &s.request, &answer), &err);
	xos_reader_init(&r, xos_buf_bytes(&answer));
	while (r.left && n < 4 && xos_reader_lp(&r, 1 << 16, &der[n]))
		n++;
	MUST(xos_chain_from_der(der, n, out, &err), &err);
	out->key = xos_key_ref(s.key);
	xos_buf_free(&answer);
	member_free(&s);
}

/* Network keeps a grant back until the token that proved it is ended. */
START_TEST(a_renewal_that_was_proven_before_dies_with_the_old_token)
{
	char grant[CA_GRANT_LEN + 1], other[CA_GRANT_LEN + 1];
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_chain old = {.n = 0};
	struct xos_buf answer;
	struct renewal r, still;

	logged_in("alice", &old);
	renewal_new(&still, &old, NULL);
	ck_assert_msg(ask(&still, grant) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(issue(grant, &still.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	renewal_new(&r, &old, NULL);
	ck_assert_int_eq(ask(&r, other), XOS_OK);
	xos_json_set_bool(args, "all", true);
	ck_assert_msg(command_result(&old, "token.end", args, &result) == XOS_OK, "%s", err.text);
	refused(issue(other, &r.request, &answer), &answer, "locked");
	xos_json_free(result);
	renewal_free(&still);
	renewal_free(&r);
	xos_chain_clear(&old);
}
END_TEST

/* Renews until it is refused, at most `most` times. */
static int renew_often(const struct xos_chain *old, int most)
{
	enum xos_status st = XOS_OK;
	int made = 0;

	while (st == XOS_OK && made < most) {
		char grant[CA_GRANT_LEN + 1];
		struct xos_buf answer;
		struct renewal r;

		renewal_new(&r, old, NULL);
		ck_assert_msg(ask(&r, grant) == XOS_OK, "%s", err.text);
		st = issue(grant, &r.request, &answer);
		made += st == XOS_OK;
		xos_buf_free(&answer);
		renewal_free(&r);
	}
	ck_assert(st == XOS_OK || strcmp(err.code, "renewal-many") == 0);
	return made;
}

static enum xos_status end_all(const struct xos_chain *who)
{
	struct xos_json *args = xos_json_object(), *result = NULL;
	enum xos_status st;

	xos_json_set_bool(args, "all", true);
	st = command_result(who, "token.end", args, &result);
	xos_json_free(result);
	return st;
}

/* Whoever found a token makes many of it, so that no room is left for the locks that would end them. */
START_TEST(a_flood_of_renewals_can_still_be_ended)
{
	struct xos_chain old;

	alice(&(struct xos_test_who){.number = 0}, &old);
	ck_assert_int_eq(renew_often(&old, CA_RENEWED_MAX + 1), CA_RENEWED_MAX);
	ck_assert_msg(end_all(&old) == XOS_OK, "%s", err.text);
	/* a member who does so for the sake of it leaves room for others */
	ck_assert_int_eq(renew_often(&old, CA_LOCK_TOKENS_OWN - CA_RENEWED_MAX),
	    CA_LOCK_TOKENS_OWN - CA_RENEWED_MAX);
	ck_assert_msg(end_all(&old) == XOS_OK, "%s", err.text);
	ck_assert_msg(end_all(&old) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(renew_often(&old, 1), 1);
	ck_assert_int_eq(end_all(&old), XOS_LIMIT);
	ck_assert_str_eq(err.code, "locks-own");
	xos_chain_clear(&old);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-renewal");
	TCase *t = tcase_create("renewal");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, lying_setup, lying_teardown);
	tcase_add_test(t, a_renewed_token_keeps_when_and_how_and_ends_in_time);
	tcase_add_test(t, what_is_too_old_is_refused);
	tcase_add_test(t, network_swaps_nothing);
	tcase_add_test(t, a_foreign_key_renews_nothing);
	tcase_add_test(t, changed_proofs_are_refused);
	tcase_add_test(t, delegations_and_machines_are_not_renewed);
	tcase_add_test(t, roles_stay_or_go_and_none_is_new);
	tcase_add_test(t, who_is_locked_or_gone_renews_nothing);
	tcase_add_test(t, signatures_are_for_one_purpose);
	tcase_add_test(t, a_renewal_that_was_proven_before_dies_with_the_old_token);
	tcase_add_test(t, a_flood_of_renewals_can_still_be_ended);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
