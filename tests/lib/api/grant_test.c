/* Grants and renewals: both halves, and what is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "base/text.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW ((int64_t)1800000000)
#define DAY 86400
#define ID "00112233445566778899aabbccddeeff"
#define NODE "n1.demo.example"
#define RESTRICTION "what may be done"

static struct xos_test_vo *demo;
static struct xos_trust *trust;
static struct xos_key *job;
static struct xos_chain alice, node;
static struct xos_err err;
static const char *const roles[] = {"/demo/Role=editor", "/demo/Role=gpu", NULL};
static const char *const groups[] = {"/demo", NULL};

static void setup(void)
{
	const struct xos_test_who who = {
	    .name = "alice", .number = 7, .groups = groups, .roles = roles};
	const struct xos_test_who n1 = {.name = NODE};

	memset(&err, 0, sizeof(err));
	demo = xos_test_vo_new("demo", "site", NOW);
	trust = xos_test_vo_trust(demo);
	xos_test_member(demo, &who, &alice);
	xos_test_node(demo, &n1, &node);
	MUST(xos_key_generate(&job, &err), &err);
}

static void teardown(void)
{
	xos_chain_clear(&alice);
	xos_chain_clear(&node);
	xos_key_free(job);
	xos_trust_free(trust);
	xos_test_vo_free(demo);
}

static struct xos_grant_opts opts(void)
{
	return (struct xos_grant_opts){.trust = trust, .vo = "demo", .now = NOW};
}

static void fields(struct xos_grant *g)
{
	xos_grant_init(g);
	strcpy(g->id, ID);
	strcpy(g->node, NODE);
	memcpy(g->key, xos_key_spki_sha256(job), XOS_SHA256_LEN);
	g->depth = 2;
	g->ends = NOW + 5 * DAY;
	xos_buf_put_str(&g->restriction, RESTRICTION);
}

static struct xos_json *sign(const struct xos_chain *by)
{
	struct xos_json *doc = NULL;
	struct xos_grant g;

	fields(&g);
	MUST(xos_grant_sign(by, &g, NOW, &doc, &err), &err);
	xos_grant_clear(&g);
	return doc;
}

static void refuse(
    struct xos_json *doc, const struct xos_grant_opts *o, enum xos_status st, const char *code)
{
	struct xos_grant_signed *s = NULL;
	enum xos_status got = xos_grant_open(doc, o, &s, &err);

	ck_assert_msg(got == st && (!code || strcmp(err.code, code) == 0),
	    "got %s %s (%s), wanted %s %s", xos_status_name(got), err.code, err.text,
	    xos_status_name(st), code ? code : "");
	ck_assert_ptr_null(s);
	xos_json_free(doc);
}

START_TEST(what_was_signed_is_what_is_read)
{
	struct xos_grant_opts o = opts();
	struct xos_grant_signed *s = NULL;
	struct xos_json *doc = sign(&alice);
	struct xos_delegation d;

	ck_assert_msg(xos_grant_open(doc, &o, &s, &err) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(s->who->claims->name, "alice");
	ck_assert_str_eq(s->grant.vo, "demo");
	ck_assert_str_eq(s->grant.id, ID);
	ck_assert_str_eq(s->grant.node, NODE);
	ck_assert_str_eq(s->grant.actor, "job");
	ck_assert_mem_eq(s->grant.key, xos_key_spki_sha256(job), XOS_SHA256_LEN);
	ck_assert_uint_eq(s->grant.depth, 2);
	ck_assert_uint_eq(s->grant.nroles, 2);
	ck_assert_str_eq(s->grant.roles[1], roles[1]);
	ck_assert_int_eq(s->grant.issued, NOW);
	ck_assert_int_eq(s->grant.ends, NOW + 5 * DAY);
	ck_assert_uint_eq(s->grant.restriction.n, strlen(RESTRICTION));
	ck_assert_int_eq(xos_grant_step(&s->grant, "alice", &d, &err), XOS_OK);
	ck_assert_str_eq(d.id, ID);
	ck_assert_uint_eq(d.restriction_len, strlen(RESTRICTION));
	xos_grant_signed_free(s);
	xos_json_free(doc);
}
END_TEST

START_TEST(what_acts_for_a_member_gives_no_grant)
{
	struct xos_delegation d = {.actor = "job", .node = NODE, .id = ID, .not_after = NOW + DAY};
	const struct xos_test_who who = {.name = "alice", .groups = groups};
	struct xos_chain proxy = {.n = 0}, renewed = {.n = 0};
	struct xos_json *doc = NULL;
	struct xos_grant g;

	d.depth = 2;
	xos_test_delegate(demo, &alice, xos_key_spki(job), &d, job, &proxy);
	xos_test_renewed(demo, &who, &d, &renewed);
	fields(&g);
	ck_assert_int_eq(xos_grant_sign(&proxy, &g, NOW, &doc, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-signer");
	ck_assert_int_eq(xos_grant_sign(&renewed, &g, NOW, &doc, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-signer");
	ck_assert_int_eq(xos_grant_sign(&node, &g, NOW, &doc, &err), XOS_DENIED);
	ck_assert_ptr_null(doc);
	xos_grant_clear(&g);
	xos_chain_clear(&proxy);
	xos_chain_clear(&renewed);
}
END_TEST

/* A grant of alice's words under somebody else's chain. */
static struct xos_json *forged(
    const struct xos_chain *chain, const struct xos_key *key, const char *typ, struct xos_grant *g)
{
	struct xos_buf payload, compact;
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();

	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	xos_buf_init(&compact, XOS_GRANT_BODY_MAX);
	MUST(xos_grant_encode(g, &payload, &err), &err);
	MUST(xos_jws_sign(key, typ, xos_buf_bytes(&payload), &compact, &err), &err);
	xos_json_set_string(doc, "grant", xos_buf_str(&compact));
	for (size_t i = 0; i < chain->n; i++) {
		struct xos_buf b;

		xos_buf_init(&b, 2 * XOS_CERT_MAX);
		xos_base64_encode(&b, xos_cert_der(chain->cert[i]));
		xos_json_add_string(list, xos_buf_str(&b));
		xos_buf_free(&b);
	}
	xos_json_set(doc, "chain", list);
	xos_buf_free(&payload);
	xos_buf_free(&compact);
	return doc;
}

static void whole(struct xos_grant *g)
{
	fields(g);
	strcpy(g->vo, "demo");
	g->issued = NOW;
}

START_TEST(wrong_signers)
{
	struct xos_delegation d = {
	    .actor = "job", .node = NODE, .id = ID, .not_after = NOW + DAY, .depth = 2};
	struct xos_test_vo *twin = xos_test_vo_new("demo", "site", NOW),
	                   *other = xos_test_vo_new("other", "site", NOW);
	const struct xos_test_who who = {.name = "alice", .groups = groups};
	const struct xos_test_who there = {.name = "alice"};
	struct xos_chain proxy = {.n = 0}, renewed = {.n = 0}, foreign = {.n = 0}, away = {.n = 0};
	struct xos_grant_opts o = opts();
	struct xos_grant g;

	whole(&g);
	xos_test_delegate(demo, &alice, xos_key_spki(job), &d, job, &proxy);
	xos_test_renewed(demo, &who, &d, &renewed);
	xos_test_member(twin, &who, &foreign);
	xos_test_member(other, &there, &away);
	MUST(xos_trust_add_root(trust, other->root, &err), &err);
	refuse(forged(&alice, job, XOS_GRANT_TYP, &g), &o, XOS_DENIED, NULL); /* another's key */
	refuse(forged(&alice, alice.key, XOS_GRANT_NODE_TYP, &g), &o, XOS_DENIED, "jws-header");
	refuse(forged(&proxy, job, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "delegation-refused");
	refuse(
	    forged(&renewed, renewed.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "delegation-refused");
	refuse(forged(&foreign, foreign.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, NULL);
	refuse(forged(&away, away.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "token-vo");
	refuse(forged(&node, node.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "token-kind");
	xos_grant_clear(&g);
	xos_chain_clear(&proxy);
	xos_chain_clear(&renewed);
	xos_chain_clear(&foreign);
	xos_chain_clear(&away);
	xos_test_vo_free(twin);
	xos_test_vo_free(other);
}
END_TEST

START_TEST(what_a_grant_may_not_say)
{
	struct xos_grant_opts o = opts();
	struct xos_grant g;

	whole(&g);
	strcpy(g.vo, "other");
	refuse(forged(&alice, alice.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "grant-vo");
	strcpy(g.vo, "demo");
	MUST(xos_grant_add_role(&g, "/demo/Role=admin", &err), &err);
	refuse(forged(&alice, alice.key, XOS_GRANT_TYP, &g), &o, XOS_DENIED, "grant-role");
	xos_grant_clear(&g);
	whole(&g);
	g.issued = NOW + 600;
	refuse(forged(&alice, alice.key, XOS_GRANT_TYP, &g), &o, XOS_NOT_YET_VALID, "grant-time");
	g.issued = NOW - DAY;
	g.ends = NOW;
	refuse(forged(&alice, alice.key, XOS_GRANT_TYP, &g), &o, XOS_EXPIRED, "grant-ended");
	xos_grant_clear(&g);
	o.now = NOW + DAY; /* the token has ended, the grant has not */
	refuse(sign(&alice), &o, XOS_EXPIRED, NULL);
}
END_TEST

START_TEST(truncated_and_trailing)
{
	struct xos_grant_opts o = opts();
	struct xos_json *doc = sign(&alice);
	const char *compact = NULL;
	char *copy;
	size_t n;

	MUST(xos_json_get_string(doc, "grant", XOS_GRANT_BODY_MAX, &compact, &err), &err);
	n = strlen(compact);
	copy = calloc(1, n + 2);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, compact, n);
	copy[n] = 'A';
	xos_json_set_string(doc, "grant", copy);
	struct xos_grant_signed *s = NULL;
	ck_assert_int_ne(xos_grant_open(doc, &o, &s, &err), XOS_OK);
	copy[n - 1] = 0;
	xos_json_set_string(doc, "grant", copy);
	ck_assert_int_ne(xos_grant_open(doc, &o, &s, &err), XOS_OK);
	ck_assert_ptr_null(s);
	xos_json_set_string(doc, "more", "x");
	ck_assert_int_eq(xos_grant_open(doc, &o, &s, &err), XOS_MALFORMED);
	free(copy);
	xos_json_free(doc);
}
END_TEST

START_TEST(bytes_of_a_grant)
{
	struct xos_buf bytes, again;
	struct xos_grant g, back;

	whole(&g);
	MUST(xos_grant_add_role(&g, roles[0], &err), &err);
	xos_buf_init(&bytes, XOS_GRANT_PAYLOAD_MAX);
	xos_buf_init(&again, XOS_GRANT_PAYLOAD_MAX);
	MUST(xos_grant_encode(&g, &bytes, &err), &err);
	MUST(xos_grant_decode(xos_buf_bytes(&bytes), &back, &err), &err);
	MUST(xos_grant_encode(&back, &again, &err), &err);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&bytes), xos_buf_bytes(&again)));
	xos_grant_clear(&back);
	for (size_t n = 0; n < bytes.n; n++)
		ck_assert_int_ne(
		    xos_grant_decode((struct xos_bytes){bytes.p, n}, &back, NULL), XOS_OK);
	xos_buf_put_str(&bytes, "x");
	ck_assert_int_ne(xos_grant_decode(xos_buf_bytes(&bytes), &back, NULL), XOS_OK);
	ck_assert_int_eq(xos_grant_add_role(&g, roles[0], &err), XOS_MALFORMED); /* twice */
	ck_assert_int_eq(xos_grant_add_role(&g, "/other/Role=x", &err), XOS_MALFORMED);
	again.n = 0;
	strcpy(g.actor, "robot");
	ck_assert_int_eq(xos_grant_encode(&g, &again, &err), XOS_MALFORMED);
	strcpy(g.actor, "job");
	g.node[0] = 0;
	ck_assert_int_eq(xos_grant_encode(&g, &again, &err), XOS_MALFORMED);
	strcpy(g.node, NODE);
	g.ends = g.issued;
	ck_assert_int_eq(xos_grant_encode(&g, &again, &err), XOS_MALFORMED);
	g.ends = g.issued + XOS_GRANT_LIFE_MAX + 1;
	ck_assert_int_eq(xos_grant_encode(&g, &again, &err), XOS_MALFORMED);
	xos_grant_clear(&g);
	xos_buf_free(&bytes);
	xos_buf_free(&again);
}
END_TEST

/* --- renewal --- */

static struct xos_json *renewal(
    const char *vo, int64_t now, const struct xos_key *key, const struct xos_chain *by)
{
	struct xos_json *body = NULL;
	struct xos_buf proof;

	xos_buf_init(&proof, XOS_GRANT_BODY_MAX);
	MUST(xos_grant_prove(vo, ID, key, now, &proof, &err), &err);
	MUST(xos_grant_countersign(vo, xos_buf_bytes(&proof), key, by, &body, &err), &err);
	xos_buf_free(&proof);
	return body;
}

static enum xos_status open_body(
    struct xos_json *body, const struct xos_grant_opts *o, struct xos_grant_renewal **r)
{
	struct xos_buf bytes;
	enum xos_status st;

	xos_buf_init(&bytes, XOS_GRANT_BODY_MAX);
	MUST(xos_json_dump(body, &bytes, &err), &err);
	st = xos_grant_renewal_open(xos_buf_bytes(&bytes), o, r, &err);
	xos_buf_free(&bytes);
	xos_json_free(body);
	return st;
}

static void refuse_renewal(
    struct xos_json *body, const struct xos_grant_opts *o, enum xos_status st, const char *code)
{
	struct xos_grant_renewal *r = NULL;
	enum xos_status got = open_body(body, o, &r);

	ck_assert_msg(got == st && (!code || strcmp(err.code, code) == 0),
	    "got %s %s (%s), wanted %s %s", xos_status_name(got), err.code, err.text,
	    xos_status_name(st), code ? code : "");
	ck_assert_ptr_null(r);
}

START_TEST(a_renewal_proves_both_keys)
{
	struct xos_grant_opts o = opts();
	struct xos_grant_renewal *r = NULL;

	ck_assert_msg(
	    open_body(renewal("demo", NOW, job, &node), &o, &r) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(r->id, ID);
	ck_assert_str_eq(r->node->claims->name, NODE);
	ck_assert(xos_key_same(r->key, job));
	ck_assert_int_eq(r->exp, NOW + XOS_GRANT_PROOF_LIFE);
	ck_assert_uint_eq(strlen(r->jti), 32);
	xos_grant_renewal_free(r);
}
END_TEST

START_TEST(renewals_that_are_none)
{
	struct xos_grant_opts o = opts();
	struct xos_key *other = NULL;
	struct xos_json *body, *twin;
	const char *text = NULL;
	struct xos_buf spki;

	MUST(xos_key_generate(&other, &err), &err);
	refuse_renewal(renewal("other", NOW, job, &node), &o, XOS_DENIED, NULL);
	refuse_renewal(renewal("demo", NOW, job, &alice), &o, XOS_DENIED, "token-kind");
	refuse_renewal(renewal("demo", NOW - 3600, job, &node), &o, XOS_EXPIRED, "grant-time");
	refuse_renewal(
	    renewal("demo", NOW + 3600, job, &node), &o, XOS_NOT_YET_VALID, "grant-time");
	/* The node signed another proof than the one that came. */
	body = renewal("demo", NOW, job, &node);
	twin = renewal("demo", NOW, job, &node);
	MUST(xos_json_get_string(twin, "node", XOS_GRANT_BODY_MAX, &text, &err), &err);
	xos_json_set_string(body, "node", text);
	refuse_renewal(body, &o, XOS_DENIED, "grant-proof");
	xos_json_free(twin);
	/* Another key than the one that signed. */
	body = renewal("demo", NOW, job, &node);
	xos_buf_init(&spki, XOS_SPKI_MAX);
	xos_json_set_bytes(body, "key", xos_key_spki(other));
	refuse_renewal(body, &o, XOS_DENIED, NULL);
	xos_buf_free(&spki);
	body = renewal("demo", NOW, job, &node);
	xos_json_set_string(body, "more", "x");
	refuse_renewal(body, &o, XOS_MALFORMED, "json-field");
	o.now = NOW + DAY; /* the node's certificate has ended */
	refuse_renewal(renewal("demo", o.now, job, &node), &o, XOS_EXPIRED, NULL);
	xos_key_free(other);
}
END_TEST

START_TEST(the_answer_is_what_was_asked_for)
{
	struct xos_delegation d = {
	    .actor = "job", .node = NODE, .id = ID, .not_after = NOW + 5 * DAY, .depth = 2};
	const struct xos_test_who who = {
	    .name = "alice", .groups = groups, .spki = xos_key_spki(job)};
	struct xos_grant_renewed r = {.not_after = NOW + 3600,
	    .ends = d.not_after,
	    .renew_after = NOW + 1800,
	    .server_time = NOW};
	struct xos_grant_renewed got = {.ends = 0};
	struct xos_key *other = NULL;
	struct xos_json *doc;

	MUST(xos_key_generate(&other, &err), &err);
	xos_test_renewed(demo, &who, &d, &r.chain);
	doc = xos_grant_renewed_encode(&r);
	ck_assert_msg(xos_grant_renewed_decode(doc, trust, "demo", ID, job, &got, &err) == XOS_OK,
	    "%s", err.text);
	ck_assert_int_eq(got.not_after, NOW + 3600);
	ck_assert_int_eq(got.renew_after, NOW + 1800);
	ck_assert_uint_eq(got.chain.n, 2);
	xos_grant_renewed_clear(&got);
	ck_assert_int_eq(
	    xos_grant_renewed_decode(doc, trust, "demo", ID, other, &got, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-other-key");
	ck_assert_int_eq(xos_grant_renewed_decode(doc, trust, "demo",
	                     "ffffffffffffffffffffffffffffffff", job, &got, &err),
	    XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-other");
	ck_assert_uint_eq(got.chain.n, 0);
	xos_json_free(doc);
	/* A member's token for that key is no delegation. */
	xos_chain_clear(&r.chain);
	xos_test_member(demo, &who, &r.chain);
	doc = xos_grant_renewed_encode(&r);
	ck_assert_int_eq(
	    xos_grant_renewed_decode(doc, trust, "demo", ID, job, &got, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "grant-other");
	xos_json_free(doc);
	xos_chain_clear(&r.chain);
	xos_key_free(other);
}
END_TEST

START_TEST(infos)
{
	struct xos_grant_info i = {.id = ID,
	    .member = "alice",
	    .node = NODE,
	    .actor = "job",
	    .key = "sha256:00",
	    .roles = "/demo/Role=editor",
	    .text = "by admin: lost",
	    .depth = 1,
	    .restricted = true,
	    .state = XOS_GRANT_REVOKED,
	    .issued = NOW,
	    .registered = NOW + 1,
	    .ends = NOW + DAY,
	    .revoked = NOW + 2,
	    .renewals = 3};
	struct xos_grant_info back = {.id = ""};
	struct xos_json *doc = xos_grant_info_to_json(&i);

	MUST(xos_grant_info_from_json(doc, &back, &err), &err);
	ck_assert_str_eq(back.id, i.id);
	ck_assert_str_eq(back.text, i.text);
	ck_assert_int_eq(back.state, i.state);
	ck_assert_int_eq(back.revoked, i.revoked);
	ck_assert_int_eq(back.renewed, 0);
	ck_assert_uint_eq(back.renewals, 3);
	xos_json_set_string(doc, "state", "paused");
	ck_assert_int_eq(xos_grant_info_from_json(doc, &back, &err), XOS_MALFORMED);
	xos_json_free(doc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("api-grant");
	TCase *c = tcase_create("grant");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, what_was_signed_is_what_is_read);
	tcase_add_test(c, what_acts_for_a_member_gives_no_grant);
	tcase_add_test(c, wrong_signers);
	tcase_add_test(c, what_a_grant_may_not_say);
	tcase_add_test(c, truncated_and_trailing);
	tcase_add_test(c, bytes_of_a_grant);
	tcase_add_test(c, a_renewal_proves_both_keys);
	tcase_add_test(c, renewals_that_are_none);
	tcase_add_test(c, the_answer_is_what_was_asked_for);
	tcase_add_test(c, infos);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
