#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/clock.h"
#include "fixture.h"

static struct node *n;

static void setup(void)
{
	n = node_new(&(struct xos_test_bundle){.serial = 5});
}

static void teardown(void)
{
	node_free(n);
}

/* Asks as a service and decodes the answer. */
static struct xos_decision_answer *ask(
    const struct xos_chain *chain, const char *request, struct xos_credd_verdict *v)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_answer *a = NULL;
	ck_assert_msg(node_ask(n, chain, request, 0, true, v, &err) == XOS_OK, "%s", err.text);
	ck_assert_msg(xos_decision_answer_decode(xos_buf_bytes(&v->json), &a, &err) == XOS_OK,
	    "%s: %.*s", err.text, (int)v->json.n, v->json.p);
	return a;
}

static void refused(
    const struct xos_chain *chain, const char *request, enum xos_status want, const char *code)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	enum xos_status st = node_ask(n, chain, request, 0, true, &v, &err);
	ck_assert_msg(st == want, "%s instead of %s: %s", xos_status_name(st),
	    xos_status_name(want), err.text);
	ck_assert_str_eq(err.code, code);
}

START_TEST(permits_and_says_limits_and_account)
{
	struct xos_credd_verdict v;
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_PERMIT);
	ck_assert_int_eq(a->decision, XOS_POLICY_PERMITTED);
	ck_assert(v.account.present);
	ck_assert_uint_eq(v.account.uid, ALICE_UID);
	ck_assert_uint_eq(v.account.gid, ALICE_UID);
	ck_assert_str_eq(v.account.name, "demo.alice");
	ck_assert_str_eq(v.subject, "demo:alice");
	ck_assert(a->limits[XOS_CAP_WALL].set);
	ck_assert_int_eq(a->limits[XOS_CAP_WALL].number, 24 * 3600);
	ck_assert_int_eq(a->limits[XOS_CAP_CPU].number, 8);
	ck_assert(!a->limits[XOS_CAP_MEMORY].set);
	ck_assert_uint_eq(a->bundle_serial, 5);
	ck_assert_ptr_nonnull(strstr(a->deciders, "demo"));
	ck_assert_uint_eq(strlen(a->id), 16);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}
END_TEST

START_TEST(denies_with_level_statement_and_because)
{
	struct xos_credd_verdict v;
	struct xos_decision_answer *a = ask(&n->bob, SUBMIT("bob"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	ck_assert_int_eq(a->decision, XOS_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "Students use the batch queue."));
	ck_assert_ptr_nonnull(strstr(a->reason_user, "no-students"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	/* A forbid wins over the permit of another group. */
	a = ask(&n->carol, SUBMIT("carol"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}
END_TEST

START_TEST(without_a_bundle_nothing_is_decided)
{
	node_free(n);
	n = node_new(NULL);
	struct xos_credd_verdict v;
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_UNDECIDED);
	ck_assert_int_eq(a->decision, XOS_POLICY_UNDECIDED);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "no policy bundle"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}
END_TEST

START_TEST(past_its_greatest_age_nothing_is_decided)
{
	node_free(n);
	int64_t now = xos_clock_now();
	n = node_new(&(struct xos_test_bundle){.issued = now - 7200, .expires = now + 86400});
	struct xos_credd_verdict v;
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_PERMIT);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	n->conf.max_age = 3600;
	node_restart(n);
	a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_UNDECIDED);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "greatest age"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}
END_TEST

START_TEST(requests_that_are_not_about_this_are_errors)
{
	refused(&n->alice, SUBMIT("bob"), XOS_MALFORMED, "subject-mismatch");
	refused(&n->alice,
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job."
	    "submit\"},\"resource\":{\"type\":\"node\",\"id\":\"lab/n2\"}}",
	    XOS_MALFORMED, "wrong-node");
	refused(&n->alice,
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job."
	    "submit\"},\"resource\":{\"type\":\"site\",\"id\":\"other\"}}",
	    XOS_MALFORMED, "wrong-node");
	refused(&n->alice, "{\"subject\":", XOS_MALFORMED, "json-syntax");
}
END_TEST

START_TEST(properties_never_give_groups)
{
	refused(&n->bob,
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:bob\",\"properties\":{\"groups\":[\"/"
	    "demo/"
	    "physics\"]}},\"action\":{\"name\":\"job.submit\"},\"resource\":{\"type\":\"node\","
	    "\"id\":"
	    "\"lab/n1\"}}",
	    XOS_MALFORMED, "json-field");
}
END_TEST

START_TEST(others_ask_about_themselves_only)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	ck_assert_int_eq(
	    node_ask(n, &n->alice, SUBMIT("alice"), ALICE_UID, false, &v, &err), XOS_OK);
	ck_assert_int_eq(v.decision, XOS_LOCAL_PERMIT);
	xos_credd_verdict_free(&v);
	ck_assert_int_eq(
	    node_ask(n, &n->alice, SUBMIT("alice"), ALICE_UID + 1, false, &v, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-yours");
}
END_TEST

START_TEST(chains_that_do_not_verify_are_errors)
{
	struct xos_chain ch = {.n = 0}, node = {.n = 0};
	int64_t now = n->vo->now;
	struct xos_test_who late = {
	    .name = "alice", .not_before = now - 7200, .not_after = now - 600};
	xos_test_member(n->vo, &late, &ch);
	refused(&ch, SUBMIT("alice"), XOS_EXPIRED, "cert-expired");
	xos_chain_clear(&ch);
	struct xos_test_who early = {
	    .name = "alice", .not_before = now + 3600, .not_after = now + 7200};
	xos_test_member(n->vo, &early, &ch);
	refused(&ch, SUBMIT("alice"), XOS_NOT_YET_VALID, "cert-not-yet-valid");
	xos_chain_clear(&ch);
	struct xos_test_who host = {.name = "n1"};
	xos_test_node(n->vo, &host, &node);
	refused(&node, SUBMIT("alice"), XOS_MALFORMED, "subject-mismatch");
	xos_chain_clear(&node);
	struct xos_test_vo *other = xos_test_vo_new("demo", "lab", now);
	struct xos_test_who alice = {.name = "alice"};
	xos_test_member(other, &alice, &ch);
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	ck_assert_int_eq(node_ask(n, &ch, SUBMIT("alice"), 0, true, &v, &err), XOS_DENIED);
	xos_chain_clear(&ch);
	xos_test_vo_free(other);
	other = xos_test_vo_new("elsewhere", "lab", now);
	xos_test_member(other, &alice, &ch);
	ck_assert_int_eq(node_ask(n, &ch, SUBMIT("alice"), 0, true, &v, &err), XOS_DENIED);
	xos_chain_clear(&ch);
	xos_test_vo_free(other);
}
END_TEST

/* A byte of the leaf changed: refused, also when the true chain is in the cache. */
START_TEST(a_changed_byte_is_refused)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_credd_verdict v;
	struct xos_err err = XOS_ERR_INIT;
	size_t count = xos_test_ders(&n->alice, der);
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	uint8_t *leaf = malloc(der[0].n);
	ck_assert_ptr_nonnull(leaf);
	for (size_t at = 0; at < der[0].n; at += 37) {
		memcpy(leaf, der[0].p, der[0].n);
		leaf[at] ^= 1;
		struct xos_bytes bad[XOS_CHAIN_MAX];
		memcpy(bad, der, sizeof(bad));
		bad[0].p = leaf;
		struct xos_credd_question q = {.chain = bad,
		    .nchain = count,
		    .text = xos_bytes_str(SUBMIT("alice")),
		    .service = true};
		ck_assert_int_ne(xos_credd_authorise(n->decider, &q, &v, &err), XOS_OK);
	}
	free(leaf);
}
END_TEST

START_TEST(the_second_question_comes_from_the_cache)
{
	struct xos_credd_verdict v;
	for (int i = 0; i < 3; i++) {
		struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
		ck_assert_int_eq(v.decision, XOS_LOCAL_PERMIT);
		xos_decision_answer_free(a);
		xos_credd_verdict_free(&v);
	}
	ck_assert_uint_eq(xos_credd_decider_counts(n->decider)->misses, 1);
	ck_assert_uint_eq(xos_credd_decider_counts(n->decider)->hits, 2);
	/* A new bundle empties it. */
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(node_offer(n, &(struct xos_test_bundle){.serial = 6}, &err), XOS_OK);
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_uint_eq(xos_credd_decider_counts(n->decider)->misses, 2);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}
END_TEST

static void lock_denies(enum xos_lock_kind kind, const char *name, bool rca)
{
	struct xos_credd_verdict v;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_lock lock = {
	    .id = "L1", .kind = kind, .since = n->vo->now - 10, .until = XOS_LOCK_NO_END};
	strcpy(lock.name, name);
	strcpy(lock.message, "ask the help desk");
	struct xos_test_bundle b = {.serial = 6, .locks_serial = 2};
	if (rca) {
		b.locks_rca = &lock;
		b.nlocks_rca = 1;
	} else {
		b.locks_ca = &lock;
		b.nlocks_ca = 1;
	}
	ck_assert_msg(node_offer(n, &b, &err) == XOS_OK, "%s", err.text);
	struct xos_decision_answer *a = ask(&n->alice, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	ck_assert_int_eq(a->decision, XOS_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "ask the help desk"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}

START_TEST(locks_deny)
{
	static const struct {
		enum xos_lock_kind kind;
		const char *name;
		bool rca;
	} cases[] = {
	    {XOS_LOCK_MEMBER, "alice", false},
	    {XOS_LOCK_GROUP, "/demo/physics", false},
	    {XOS_LOCK_GROUP, "/demo", false},
	    {XOS_LOCK_NODE, "n1", true},
	    {XOS_LOCK_TOKEN, NULL, false},
	};
	const char *name = cases[_i].name;
	lock_denies(
	    cases[_i].kind, name ? name : xos_cert_serial_text(n->alice.cert[0]), cases[_i].rca);
}
END_TEST

static enum xos_local_decision submit_as(const struct xos_test_who *more)
{
	static const char *const groups[] = {"/demo/physics", "/demo", NULL};
	struct xos_test_who who = *more;
	struct xos_chain chain = {.n = 0};
	struct xos_credd_verdict v;
	enum xos_local_decision d;

	who.name = "alice";
	who.number = 1;
	who.groups = groups;
	xos_test_member(n->vo, &who, &chain);
	xos_decision_answer_free(ask(&chain, SUBMIT("alice"), &v));
	d = v.decision;
	xos_credd_verdict_free(&v);
	xos_chain_clear(&chain);
	return d;
}

/* auth.mfa is what the token says; of methods that are not our authority's, no is not known either. */
START_TEST(the_second_factor_comes_from_the_token)
{
	node_free(n);
	n = node_new(&(struct xos_test_bundle){
	    .vo_text = "vo \"demo\" serial 1 { permit group /demo action job.submit on any;"
	               " forbid any action job.submit on any unless auth.mfa; }"});
	ck_assert_int_eq(submit_as(&(struct xos_test_who){.auth_mfa = true}), XOS_LOCAL_PERMIT);
	ck_assert_int_eq(submit_as(&(struct xos_test_who){.auth_mfa = false}), XOS_LOCAL_DENY);
	ck_assert_int_eq(submit_as(&(struct xos_test_who){.auth_method = "code"}), XOS_LOCAL_DENY);
	ck_assert_int_eq(
	    submit_as(&(struct xos_test_who){.auth_method = "krb5"}), XOS_LOCAL_UNDECIDED);
	node_free(n);
	n = node_new(&(struct xos_test_bundle){
	    .vo_text = "vo \"demo\" serial 1 { permit group /demo action job.submit on any"
	               " when not auth.mfa; }"});
	ck_assert_int_eq(submit_as(&(struct xos_test_who){.auth_mfa = false}), XOS_LOCAL_PERMIT);
	ck_assert_int_eq(submit_as(&(struct xos_test_who){.auth_mfa = true}), XOS_LOCAL_DENY);
	ck_assert_int_eq(
	    submit_as(&(struct xos_test_who){.auth_method = "krb5"}), XOS_LOCAL_UNDECIDED);
}
END_TEST

/* The lock of a token stops what was delegated of it, and no other token of the same member. */
START_TEST(a_locked_token_stops_its_delegations_and_no_other)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	struct xos_chain again = {.n = 0}, proxy = {.n = 0};
	struct xos_key *key = NULL;
	MUST(xos_key_generate(&key, &err), &err);
	node_delegate(n, &n->alice, xos_key_spki(key), "n1", "j1", NULL, key, &proxy);
	lock_denies(XOS_LOCK_TOKEN, xos_cert_serial_text(n->alice.cert[0]), false);
	struct xos_decision_answer *a = ask(&proxy, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "ask the help desk"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	struct xos_test_who alice = {.name = "alice",
	    .number = 1,
	    .groups = (const char *const[]){"/demo/physics", "/demo", NULL}};
	xos_test_member(n->vo, &alice, &again);
	a = ask(&again, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_PERMIT);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&proxy);
	xos_chain_clear(&again);
	xos_key_free(key);
}
END_TEST

START_TEST(the_roster_must_know_the_member)
{
	struct xos_credd_verdict v;
	struct xos_chain ch = {.n = 0};
	struct xos_test_who stranger = {.name = "eve", .number = 9};
	xos_test_member(n->vo, &stranger, &ch);
	struct xos_decision_answer *a = ask(&ch, SUBMIT("eve"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "no member eve"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&ch);
	struct xos_test_who renumbered = {.name = "alice", .number = 7};
	xos_test_member(n->vo, &renumbered, &ch);
	a = ask(&ch, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&ch);
	struct xos_test_who suspended = {.name = "dave", .number = 4};
	xos_test_member(n->vo, &suspended, &ch);
	a = ask(&ch, SUBMIT("dave"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "suspended"));
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&ch);
}
END_TEST

static enum xos_local_decision with_restriction(const char *restriction, const char *request)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = NULL;
	struct xos_chain ch = {.n = 0};
	struct xos_credd_verdict v;
	MUST(xos_key_generate(&key, &err), &err);
	node_delegate(n, &n->alice, xos_key_spki(key), "n1", "j1", restriction, key, &ch);
	struct xos_decision_answer *a = ask(&ch, request, &v);
	enum xos_local_decision d = v.decision;
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&ch);
	xos_key_free(key);
	return d;
}

START_TEST(restrictions_narrow)
{
	ck_assert_int_eq(with_restriction(NULL, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	ck_assert_int_eq(with_restriction("delegation by user \"alice\" { check action in "
	                                  "{job.submit}; }",
	                     SUBMIT("alice")),
	    XOS_LOCAL_PERMIT);
	ck_assert_int_eq(with_restriction("delegation by user \"alice\" { check action in "
	                                  "{job.show}; }",
	                     SUBMIT("alice")),
	    XOS_LOCAL_DENY);
	/* A restriction gives nothing that its delegator lacks. */
	ck_assert_int_eq(
	    with_restriction("delegation by user \"alice\" { check action in "
	                     "{file.read}; }",
	        "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":"
	        "\"file.read\"},\"resource\":{\"type\":\"file\",\"id\":\"/x\"}}"),
	    XOS_LOCAL_DENY);
}
END_TEST

START_TEST(each_step_of_delegation_narrows)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *k1 = NULL, *k2 = NULL;
	struct xos_chain first = {.n = 0}, second = {.n = 0};
	struct xos_credd_verdict v;
	MUST(xos_key_generate(&k1, &err), &err);
	MUST(xos_key_generate(&k2, &err), &err);
	node_delegate(n, &n->alice, xos_key_spki(k1), "n1", "j1",
	    "delegation by user \"alice\" { check action in {job.show}; }", k1, &first);
	struct xos_delegation d = {
	    .not_after = n->vo->now + 1800, .depth = 0, .actor = "job", .node = "n1", .id = "j1"};
	xos_test_delegate(n->vo, &first, xos_key_spki(k2), &d, k2, &second);
	struct xos_decision_answer *a = ask(&second, SUBMIT("alice"), &v);
	ck_assert_int_eq(v.decision, XOS_LOCAL_DENY);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
	xos_chain_clear(&first);
	xos_chain_clear(&second);
	xos_key_free(k1);
	xos_key_free(k2);
}
END_TEST

START_TEST(a_restriction_that_cannot_be_read_refuses)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = NULL;
	struct xos_chain ch = {.n = 0};
	static const uint8_t junk[] = {0xff, 1, 2, 3};
	struct xos_delegation d = {.not_after = n->vo->now + 60,
	    .actor = "job",
	    .node = "n1",
	    .restriction = junk,
	    .restriction_len = sizeof(junk)};
	MUST(xos_key_generate(&key, &err), &err);
	xos_test_delegate(n->vo, &n->alice, xos_key_spki(key), &d, key, &ch);
	refused(&ch, SUBMIT("alice"), XOS_DENIED, "restriction");
	xos_chain_clear(&ch);
	d = (struct xos_delegation){.not_after = n->vo->now + 60, .actor = "job", .node = "n2"};
	xos_test_delegate(n->vo, &n->alice, xos_key_spki(key), &d, key, &ch);
	refused(&ch, SUBMIT("alice"), XOS_DENIED, "wrong-node");
	xos_chain_clear(&ch);
	xos_key_free(key);
}
END_TEST

/* The delegation extension cut out, or a longer life, or another's restriction: never believed. */
START_TEST(stripped_and_widened_delegations_are_refused)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = NULL;
	struct xos_chain ch = {.n = 0}, cut = {.n = 0};
	MUST(xos_key_generate(&key, &err), &err);
	/* A plain RFC 3820 proxy (language inherit-all), as a stock tool makes it. */
	struct xos_issuer *issuer = NULL;
	struct xos_buf der;
	struct xos_cert *plain = NULL;
	static const uint8_t inherit_all[] = {0x2b, 6, 1, 5, 5, 7, 21, 1};
	struct xos_issue_proxy what = {.spki = xos_key_spki(key),
	    .not_before = n->vo->now - 60,
	    .not_after = n->vo->now + 600,
	    .language = {inherit_all, sizeof(inherit_all)}};
	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_issuer_new(n->alice.cert[0], n->alice.key, &issuer, &err), &err);
	MUST(xos_issue_proxy(issuer, &what, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &plain, &err), &err);
	MUST(xos_chain_add(&ch, plain), &err);
	for (size_t i = 0; i < n->alice.n; i++)
		MUST(xos_chain_add(&ch, n->alice.cert[i]), &err);
	refused(&ch, SUBMIT("alice"), XOS_DENIED, "delegation-missing");
	xos_cert_free(plain);
	xos_issuer_free(issuer);
	xos_buf_free(&der);
	xos_chain_clear(&ch);
	/* A step left out of the chain. */
	node_delegate(n, &n->alice, xos_key_spki(key), "n1", "j1",
	    "delegation by user \"alice\" { check action in {job.show}; }", key, &ch);
	struct xos_chain second = {.n = 0};
	struct xos_delegation d = {
	    .not_after = n->vo->now + 600, .actor = "job", .node = "n1", .id = "j1"};
	xos_test_delegate(n->vo, &ch, xos_key_spki(key), &d, key, &second);
	MUST(xos_chain_add(&cut, second.cert[0]), &err);
	for (size_t i = 0; i < n->alice.n; i++)
		MUST(xos_chain_add(&cut, n->alice.cert[i]), &err);
	struct xos_credd_verdict v;
	ck_assert_int_ne(node_ask(n, &cut, SUBMIT("alice"), 0, true, &v, &err), XOS_OK);
	xos_chain_clear(&ch);
	xos_chain_clear(&second);
	xos_chain_clear(&cut);
	xos_key_free(key);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-decide");
	TCase *t = tcase_create("decide");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, permits_and_says_limits_and_account);
	tcase_add_test(t, denies_with_level_statement_and_because);
	tcase_add_test(t, without_a_bundle_nothing_is_decided);
	tcase_add_test(t, past_its_greatest_age_nothing_is_decided);
	tcase_add_test(t, requests_that_are_not_about_this_are_errors);
	tcase_add_test(t, properties_never_give_groups);
	tcase_add_test(t, others_ask_about_themselves_only);
	tcase_add_test(t, chains_that_do_not_verify_are_errors);
	tcase_add_test(t, a_changed_byte_is_refused);
	tcase_add_test(t, the_second_question_comes_from_the_cache);
	tcase_add_loop_test(t, locks_deny, 0, 5);
	tcase_add_test(t, the_second_factor_comes_from_the_token);
	tcase_add_test(t, a_locked_token_stops_its_delegations_and_no_other);
	tcase_add_test(t, the_roster_must_know_the_member);
	tcase_add_test(t, restrictions_narrow);
	tcase_add_test(t, each_step_of_delegation_narrows);
	tcase_add_test(t, a_restriction_that_cannot_be_read_refuses);
	tcase_add_test(t, stripped_and_widened_delegations_are_refused);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
