/* Grants of jobs through a lying network process, with the auth and key processes as they run in xos-cad. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"
#include "base/text.h"
#include "json/json.h"
#include "lying.h"
#include "testsupport/must.h"

#define HOUR 3600
#define DAY 86400
#define ID "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"
#define NODE "n1.demo.example"

static struct xos_chain alice, ada, node;
static struct xos_key *job;

static void setup(void)
{
	const struct xos_test_who n1 = {.name = NODE};

	lying_setup();
	token_of("alice", 2, NULL, &alice);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	xos_test_node(vo, &n1, &node);
	MUST(xos_key_generate(&job, &err), &err);
}

static void teardown(void)
{
	xos_chain_clear(&alice);
	xos_chain_clear(&ada);
	xos_chain_clear(&node);
	xos_key_free(job);
	lying_teardown();
}

static void setup_without(void)
{
	lying_without_delegations = true;
	setup();
}

static void teardown_without(void)
{
	teardown();
	lying_without_delegations = false;
}

/* --- asking --- */

static void fields(struct xos_grant *g, int64_t ends)
{
	xos_grant_init(g);
	strcpy(g->id, ID);
	strcpy(g->node, NODE);
	memcpy(g->key, xos_key_spki_sha256(job), XOS_SHA256_LEN);
	g->depth = 1;
	g->ends = ends;
}

static enum xos_status send_grant(const struct xos_json *doc, struct xos_grant_info *info)
{
	struct xos_buf body, ask, answer;
	const struct xos_json *i = NULL;
	struct xos_json *got = NULL;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&body, XOS_GRANT_BODY_MAX);
	xos_buf_init(&ask, 1 << 20);
	MUST(xos_json_dump(doc, &body, &err), &err);
	xos_buf_lp_str(&ask, "192.0.2.1");
	xos_buf_lp(&ask, xos_buf_bytes(&body));
	st = xos_bulk_call(auth, CA_JOB_GRANT, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK && info) {
		MUST(xos_json_parse(xos_buf_bytes(&answer), 1 << 20, &got, &err), &err);
		MUST(xos_json_get_object(got, "grant", &i, &err), &err);
		MUST(xos_grant_info_from_json(i, info, &err), &err);
	}
	xos_json_free(got);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&body);
	return st;
}

static enum xos_status give(const struct xos_chain *by, struct xos_grant *g)
{
	struct xos_json *doc = NULL;
	enum xos_status st;

	MUST(xos_grant_sign(by, g, xos_clock_now(), &doc, &err), &err);
	st = send_grant(doc, NULL);
	xos_json_free(doc);
	xos_grant_clear(g);
	return st;
}

static void granted(void)
{
	struct xos_grant g;

	fields(&g, xos_clock_now() + 2 * DAY);
	ck_assert_msg(give(&alice, &g) == XOS_OK, "%s", err.text);
}

static void make_body(
    const char *id, const struct xos_key *by_job, const struct xos_chain *by, struct xos_buf *body)
{
	struct xos_json *doc = NULL;
	struct xos_buf proof;

	xos_buf_init(&proof, XOS_GRANT_BODY_MAX);
	xos_buf_init(body, XOS_GRANT_BODY_MAX);
	MUST(xos_grant_prove("demo", id, by_job, xos_clock_now(), &proof, &err), &err);
	MUST(xos_grant_countersign("demo", xos_buf_bytes(&proof), by_job, by, &doc, &err), &err);
	MUST(xos_json_dump(doc, body, &err), &err);
	xos_json_free(doc);
	xos_buf_free(&proof);
}

static enum xos_status send_renewal(
    const char *id, const struct xos_buf *body, struct xos_grant_renewed *out)
{
	struct ca_job_renew m = {.address = "192.0.2.1", .body = xos_buf_bytes(body)};
	struct xos_trust *trust = xos_test_vo_trust(vo);
	struct xos_buf ask, answer;
	struct xos_json *doc = NULL;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	MUST_TRUE(xos_str_copy(m.id, sizeof(m.id), id));
	xos_buf_init(&ask, 1 << 20);
	ca_job_renew_put(&ask, &m);
	st = xos_bulk_call(auth, CA_JOB_RENEW, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK && out) {
		MUST(xos_json_parse(xos_buf_bytes(&answer), 1 << 20, &doc, &err), &err);
		MUST(xos_grant_renewed_decode(doc, trust, "demo", id, job, out, &err), &err);
	}
	xos_json_free(doc);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_trust_free(trust);
	return st;
}

static enum xos_status renew(
    const struct xos_key *by_job, const struct xos_chain *by, struct xos_grant_renewed *out)
{
	struct xos_buf body;
	enum xos_status st;

	make_body(ID, by_job, by, &body);
	st = send_renewal(ID, &body, out);
	xos_buf_free(&body);
	return st;
}

static void renewed(struct xos_grant_renewed *out)
{
	memset(out, 0, sizeof(*out));
	ck_assert_msg(renew(job, &node, out) == XOS_OK, "%s: %s", err.code, err.text);
}

static void refuse(enum xos_status got, enum xos_status st, const char *code)
{
	ck_assert_msg(got == st && strcmp(err.code, code) == 0, "got %s %s (%s), wanted %s %s",
	    xos_status_name(got), err.code, err.text, xos_status_name(st), code);
}

static struct xos_json *args(const char *k1, const char *v1, const char *k2, const char *v2)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, k1, v1);
	if (k2)
		xos_json_set_string(o, k2, v2);
	return o;
}

static enum xos_status tell(const struct xos_chain *token, const char *verb, struct xos_json *a)
{
	struct xos_buf body;
	enum xos_status st;

	xos_buf_init(&body, 1 << 20);
	st = command(token, verb, a, &body);
	xos_buf_free(&body);
	return st;
}

static void lock(const char *kind, const char *name)
{
	struct xos_json *a = args("kind", kind, "name", name);

	ck_assert_msg(tell(&ada, "lock.add", a) == XOS_OK, "%s", err.text);
	xos_json_free(a);
}

static void done(const char *verb, struct xos_json *a)
{
	ck_assert_msg(tell(&ada, verb, a) == XOS_OK, "%s", err.text);
	xos_json_free(a);
}

/* --- what works --- */

START_TEST(a_grant_is_renewed_by_both_keys)
{
	struct xos_trust *trust = xos_test_vo_trust(vo);
	struct xos_verify_opts o = {.now = xos_clock_now(),
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .allow_delegation = true,
	    .vo = "demo"};
	struct xos_grant_renewed r;
	struct xos_identity *id = NULL;

	granted();
	renewed(&r);
	MUST(xos_token_verify_chain(trust, &r.chain, &o, &id, &err), &err);
	ck_assert(id->renewed);
	ck_assert_str_eq(id->claims->name, "alice");
	ck_assert_uint_eq(id->claims->number, 2);
	ck_assert_str_eq(id->claims->groups[0], "/demo");
	ck_assert_str_eq(id->steps[0]->node, NODE);
	ck_assert_uint_eq(id->steps[0]->depth, 1);
	ck_assert_int_ge(r.not_after, o.now + 12 * HOUR - 60);
	ck_assert_int_eq(id->not_after, r.not_after);
	ck_assert_int_ge(r.renew_after, o.now + 6 * HOUR - 60);
	ck_assert_int_lt(r.renew_after, r.not_after);
	xos_identity_free(id);
	xos_grant_renewed_clear(&r);
	xos_trust_free(trust);
}
END_TEST

START_TEST(the_same_again_and_a_later_end)
{
	struct xos_grant_info info;
	struct xos_json *doc = NULL;
	struct xos_grant g;
	int64_t now = xos_clock_now();

	fields(&g, now + HOUR);
	MUST(xos_grant_sign(&alice, &g, now, &doc, &err), &err);
	ck_assert_msg(send_grant(doc, NULL) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(send_grant(doc, &info), XOS_OK);
	ck_assert_int_eq(info.ends, now + HOUR);
	ck_assert_int_eq(info.state, XOS_GRANT_ACTIVE);
	xos_json_free(doc);
	xos_grant_clear(&g);
	fields(&g, now + DAY);
	ck_assert_int_eq(give(&alice, &g), XOS_OK);
	fields(&g, now + HOUR);
	refuse(give(&alice, &g), XOS_CONFLICT, "grant-shorter");
	fields(&g, now + 2 * DAY); /* not the same job */
	strcpy(g.node, "n2.demo.example");
	refuse(give(&alice, &g), XOS_CONFLICT, "grant-other");
	fields(&g, now + 2 * DAY);
	g.depth = 2;
	refuse(give(&alice, &g), XOS_CONFLICT, "grant-other");
	fields(&g, now + 2 * DAY);
	refuse(give(&ada, &g), XOS_CONFLICT, "grant-other"); /* not the same member */
}
END_TEST

/* What was granted goes no further than what is held now. */
START_TEST(lost_and_locked_roles_drop_out)
{
	struct xos_chain editor = {.n = 0};
	struct xos_trust *trust = xos_test_vo_trust(vo);
	struct xos_verify_opts o = {
	    .now = xos_clock_now(), .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	struct xos_grant_renewed r;
	struct xos_identity *id = NULL;
	struct xos_grant g;

	done("role.grant", args("name", "alice", "role", "/demo/Role=editor"));
	token_of("alice", 2, "/demo/Role=editor", &editor);
	fields(&g, xos_clock_now() + DAY);
	ck_assert_int_eq(give(&editor, &g), XOS_OK);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			lock("role", "/demo/Role=editor");
		if (i == 2) {
			done("lock.remove", args("kind", "role", "name", "/demo/Role=editor"));
			done("role.revoke", args("name", "alice", "role", "/demo/Role=editor"));
		}
		renewed(&r);
		MUST(xos_token_verify_chain(trust, &r.chain, &o, &id, &err), &err);
		ck_assert_uint_eq(id->claims->nroles, i == 0 ? 1 : 0);
		xos_identity_free(id);
		xos_grant_renewed_clear(&r);
	}
	xos_chain_clear(&editor);
	xos_trust_free(trust);
}
END_TEST

/* --- what does not --- */

START_TEST(other_keys_and_nodes)
{
	const struct xos_test_who n2 = {.name = "n2.demo.example"};
	const struct xos_test_who late = {
	    .name = NODE, .not_before = vo->now - DAY, .not_after = vo->now - HOUR};
	struct xos_chain elsewhere = {.n = 0}, ended = {.n = 0}, service = {.n = 0};
	const struct xos_test_who daemon = {.name = NODE, .service = "jobs"};
	struct xos_key *other = NULL;
	struct xos_buf body;

	granted();
	MUST(xos_key_generate(&other, &err), &err);
	xos_test_node(vo, &n2, &elsewhere);
	xos_test_node(vo, &late, &ended);
	xos_test_service(vo, &daemon, &service);
	refuse(renew(other, &node, NULL), XOS_DENIED, "grant-key");
	refuse(renew(job, &elsewhere, NULL), XOS_DENIED, "grant-node");
	ck_assert_int_eq(renew(job, &ended, NULL), XOS_EXPIRED);
	refuse(renew(job, &service, NULL), XOS_DENIED, "token-kind");
	refuse(renew(job, &alice, NULL), XOS_DENIED, "token-kind");
	make_body(OTHER, job, &node, &body);
	refuse(send_renewal(OTHER, &body, NULL), XOS_NOT_FOUND, "grant-unknown");
	xos_buf_free(&body);
	make_body(ID, job, &node, &body); /* under another grant's path */
	refuse(send_renewal(OTHER, &body, NULL), XOS_DENIED, "grant-proof");
	xos_buf_free(&body);
	xos_chain_clear(&elsewhere);
	xos_chain_clear(&ended);
	xos_chain_clear(&service);
	xos_key_free(other);
}
END_TEST

START_TEST(a_proof_is_good_once)
{
	struct xos_buf body;

	granted();
	make_body(ID, job, &node, &body);
	ck_assert_int_eq(send_renewal(ID, &body, NULL), XOS_OK);
	refuse(send_renewal(ID, &body, NULL), XOS_DENIED, "renewal-replayed");
	xos_buf_free(&body);
}
END_TEST

/* Network can ask key for nothing: what auth proved comes over a channel that it does not hold. */
START_TEST(key_takes_delegations_of_auth_alone)
{
	struct ca_delegate m = {.id = ID, .node = NODE, .spki = xos_key_spki(job)};
	struct xos_buf ask, answer;

	granted();
	xos_buf_init(&ask, 4096);
	ca_delegate_put(&ask, &m);
	enum xos_status st =
	    xos_bulk_call(key, CA_DELEGATE, xos_buf_bytes(&ask), soon(), &answer, &err);
	ck_assert_int_ne(st, XOS_OK);
	ck_assert_uint_eq(answer.n, 0);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
}
END_TEST

START_TEST(grants_that_are_too_long_or_over)
{
	int64_t now = xos_clock_now();
	struct xos_grant g;

	fields(&g, now + 8 * DAY);
	refuse(give(&alice, &g), XOS_DENIED, "grant-too-long");
	fields(&g, now + DAY);
	strcpy(g.actor, "task"); /* whoever acts is told by the grant */
	ck_assert_int_eq(give(&alice, &g), XOS_OK);
}
END_TEST

START_TEST(what_ends_a_grant)
{
	static const struct {
		const char *verb, *k1, *v1, *k2, *v2, *code;
	} by[] = {{"lock.add", "kind", "member", "name", "alice", "grant-revoked"},
	    {"lock.add", "kind", "group", "name", "/demo/hep", "grant-revoked"},
	    {"lock.add", "kind", "grant", "name", ID, "grant-revoked"},
	    {"lock.add", "kind", "job", "name", ID, "grant-revoked"},
	    {"member.suspend", "name", "alice", NULL, NULL, "grant-revoked"},
	    {"member.remove", "name", "alice", NULL, NULL, "grant-revoked"}};
	struct xos_grant_renewed r;
	struct xos_grant g;

	done("group.add", args("group", "/demo/hep", NULL, NULL));
	done("group.add", args("group", "/demo/hep/theory", NULL, NULL));
	done("group.join", args("name", "alice", "group", "/demo/hep/theory"));
	granted();
	renewed(&r);
	xos_grant_renewed_clear(&r);
	done(by[_i].verb, args(by[_i].k1, by[_i].v1, by[_i].k2, by[_i].v2));
	refuse(renew(job, &node, NULL), XOS_DENIED, by[_i].code);
	/* It does not come back with the lock's end. */
	if (strcmp(by[_i].verb, "lock.add") == 0) {
		done("lock.remove", args(by[_i].k1, by[_i].v1, by[_i].k2, by[_i].v2));
		refuse(renew(job, &node, NULL), XOS_DENIED, "grant-revoked");
		fields(&g, xos_clock_now() + 3 * DAY);
		refuse(give(&alice, &g), XOS_DENIED, "grant-revoked");
	}
}
END_TEST

/* Who ends everything that acts, ends this. */
START_TEST(all_tokens_ended)
{
	struct xos_json *all = xos_json_object();

	granted();
	xos_json_set_bool(all, "all", true);
	ck_assert_msg(tell(&alice, "token.end", all) == XOS_OK, "%s", err.text);
	refuse(renew(job, &node, NULL), XOS_DENIED, "grant-revoked");
	xos_json_free(all);
}
END_TEST

/* Nor is one taken whose like is locked already. */
START_TEST(locked_beforehand)
{
	struct xos_grant g;

	lock("job", ID);
	fields(&g, xos_clock_now() + DAY);
	refuse(give(&alice, &g), XOS_DENIED, "locked");
	lock("member", "alice");
	fields(&g, xos_clock_now() + DAY);
	strcpy(g.id, OTHER);
	refuse(give(&alice, &g), XOS_DENIED, "locked");
}
END_TEST

START_TEST(members_see_and_end_their_own)
{
	struct xos_json *result = NULL, *a = args("id", ID, NULL, NULL), *none = xos_json_object();
	const struct xos_json *list = NULL, *i = NULL;
	struct xos_chain plain = {.n = 0};
	struct xos_grant_info info;
	struct xos_grant_renewed r;

	granted();
	renewed(&r);
	xos_grant_renewed_clear(&r);
	token_of("ada", 1, NULL, &plain); /* not an administrator now */
	refuse(tell(&plain, "grant.show", a), XOS_NOT_FOUND, "grant-unknown");
	refuse(tell(&plain, "grant.revoke", a), XOS_NOT_FOUND, "grant-unknown");
	struct xos_json *other = args("member", "alice", NULL, NULL);
	refuse(tell(&plain, "grant.list", other), XOS_DENIED, "not-administrator");
	ck_assert_int_eq(tell(&ada, "grant.list", other), XOS_OK);
	ck_assert_int_eq(tell(&ada, "grant.show", a), XOS_OK);
	ck_assert_int_eq(
	    command_result(&alice, "grant.list", xos_json_copy(none), &result), XOS_OK);
	MUST(xos_json_get_array(result, "grants", 10, &list, &err), &err);
	ck_assert_uint_eq(xos_json_count(list), 1);
	MUST(xos_grant_info_from_json(xos_json_at(list, 0), &info, &err), &err);
	ck_assert_str_eq(info.id, ID);
	ck_assert_str_eq(info.member, "alice");
	ck_assert_uint_eq(info.renewals, 1);
	ck_assert_int_gt(info.not_after, xos_clock_now());
	xos_json_free(result);
	ck_assert_int_eq(command_result(&alice, "grant.revoke", xos_json_copy(a), &result), XOS_OK);
	MUST(xos_json_get_object(result, "grant", &i, &err), &err);
	MUST(xos_grant_info_from_json(i, &info, &err), &err);
	ck_assert_int_eq(info.state, XOS_GRANT_REVOKED);
	ck_assert_str_eq(info.text, "revoked by alice");
	xos_json_free(result);
	ck_assert_int_eq(tell(&alice, "grant.revoke", a), XOS_OK);
	refuse(renew(job, &node, NULL), XOS_DENIED, "grant-revoked");
	xos_json_free(a);
	xos_json_free(none);
	xos_json_free(other);
	xos_chain_clear(&plain);
}
END_TEST

/* What was issued under a grant is the member's: in the list, and no more of it than anybody needs. */
START_TEST(delegations_are_counted)
{
	struct xos_json *result = NULL, *none = xos_json_object();
	const struct xos_json *list = NULL;
	enum xos_status st = XOS_OK;
	int n = 0;

	granted();
	while (st == XOS_OK && n < 100) {
		st = renew(job, &node, NULL);
		n += st == XOS_OK;
	}
	refuse(st, XOS_LIMIT, "grant-often");
	ck_assert_int_eq(n, 32);
	ck_assert_int_eq(
	    command_result(&alice, "token.list", xos_json_copy(none), &result), XOS_OK);
	MUST(xos_json_get_array(result, "tokens", 1000, &list, &err), &err);
	ck_assert_uint_eq(xos_json_count(list), 32);
	xos_json_free(result);
	xos_json_free(none);
}
END_TEST

/* A lock of the grant holds what was issued under it, which another issuer's revocation list does not name. */
START_TEST(locks_hold_what_is_out)
{
	struct xos_json *result = NULL, *none = xos_json_object();
	const uint8_t all = CA_CRL_ALL;
	struct xos_grant_renewed r;
	struct ca_status_answer crl;
	const struct xos_json *list = NULL;
	struct xos_buf answer, serial;
	int64_t held = -1;

	granted();
	renewed(&r);
	ck_assert_int_eq(
	    command_result(&ada, "lock.add", args("kind", "grant", "name", ID), &result), XOS_OK);
	MUST(xos_json_get_int64(result, "held", 0, 100, &held, &err), &err);
	ck_assert_int_eq(held, 1);
	xos_json_free(result);
	ck_assert_int_eq(command_result(&alice, "token.list", none, &result), XOS_OK);
	MUST(xos_json_get_array(result, "tokens", 10, &list, &err), &err);
	ck_assert_uint_eq(xos_json_count(list), 1);
	ck_assert(xos_json_has(xos_json_at(list, 0), "held"));
	ck_assert(xos_json_has(xos_json_at(list, 0), "delegation"));
	xos_json_free(result);
	MUST(xos_bulk_call(key, CA_CRL, (struct xos_bytes){&all, 1}, soon(), &answer, &err), &err);
	MUST(ca_status_answer_get(xos_buf_bytes(&answer), &crl, &err), &err);
	xos_buf_init(&serial, 64);
	const char *text = xos_cert_serial_text(r.chain.cert[0]);
	MUST(xos_hex_decode(&serial, text, strlen(text)), NULL);
	ck_assert_uint_gt(crl.der.n, 0);
	ck_assert_ptr_null(memmem(crl.der.p, crl.der.n, serial.p, serial.n));
	xos_buf_free(&serial);
	xos_buf_free(&answer);
	xos_grant_renewed_clear(&r);
}
END_TEST

START_TEST(a_vo_without_the_key_says_so)
{
	struct xos_grant g;

	fields(&g, xos_clock_now() + DAY);
	refuse(give(&alice, &g), XOS_UNAVAILABLE, "no-delegation-authority");
	refuse(renew(job, &node, NULL), XOS_UNAVAILABLE, "no-delegation-authority");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-grants");
	TCase *c = tcase_create("grants"), *w = tcase_create("without");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_grant_is_renewed_by_both_keys);
	tcase_add_test(c, the_same_again_and_a_later_end);
	tcase_add_test(c, lost_and_locked_roles_drop_out);
	tcase_add_test(c, other_keys_and_nodes);
	tcase_add_test(c, a_proof_is_good_once);
	tcase_add_test(c, key_takes_delegations_of_auth_alone);
	tcase_add_test(c, grants_that_are_too_long_or_over);
	tcase_add_loop_test(c, what_ends_a_grant, 0, 6);
	tcase_add_test(c, all_tokens_ended);
	tcase_add_test(c, locked_beforehand);
	tcase_add_test(c, members_see_and_end_their_own);
	tcase_add_test(c, delegations_are_counted);
	tcase_add_test(c, locks_hold_what_is_out);
	tcase_add_checked_fixture(w, setup_without, teardown_without);
	tcase_add_test(w, a_vo_without_the_key_says_so);
	suite_add_tcase(s, c);
	suite_add_tcase(s, w);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
