/* Jobs that run, decided anew: by sets, locks and roster of now, whatever became of the chain that submitted them. */
#include "credd/standing.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fixture.h"
#include "json/json.h"
#include "pki/csr.h"
#include "token/trustlist.h"

#define HOUR INT64_C(3600)

static struct node *n;
static struct xos_json *doc; /* the last answer */

/* Takes the delegation that `make` makes for the job's key. */
static void begin_with(const char *job, const struct xos_chain *chain,
    void (*make)(struct xos_bytes spki, const char *job, const struct xos_chain *chain,
        struct xos_chain *out))
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	const struct xos_known *k = NULL;
	struct xos_credd_account account = {.uid = ALICE_UID, .gid = ALICE_UID, .name = "a"};
	struct xos_credd_job_info info;
	struct xos_chain d = {.n = 0};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_csr csr;
	struct xos_buf b;

	xos_buf_init(&b, 8192);
	MUST(xos_credd_decider_verify(
	         n->decider, der, xos_test_ders(chain, der), n->vo->now, &k, &err),
	    &err);
	MUST(xos_credd_jobs_prepare(n->jobs, job, k->id, &account, n->vo->now, &b, &err), &err);
	MUST(xos_csr_parse(xos_buf_bytes(&b), &csr, &err), &err);
	make(csr.spki, job, chain, &d);
	size_t count = xos_test_ders(&d, der);
	MUST(xos_credd_decider_verify(n->decider, der, count, n->vo->now, &k, &err), &err);
	MUST(xos_credd_jobs_accept(n->jobs, job, k, der, count, "n1", &info, &err), &err);
	xos_chain_clear(&d);
	xos_buf_free(&b);
}

static void delegate(
    struct xos_bytes spki, const char *job, const struct xos_chain *chain, struct xos_chain *out)
{
	node_delegate(n, chain, spki, "n1", job, NULL, NULL, out);
}

static void begin(const char *job, const struct xos_chain *chain)
{
	begin_with(job, chain, delegate);
}

/* As the authority renews it: with a restriction that lets the job submit nothing, of a member who is in another group by now. */
static void renew(
    struct xos_bytes spki, const char *job, const struct xos_chain *chain, struct xos_chain *out)
{
	static const char *const groups[] = {"/demo/physics", "/demo/lasers", NULL};
	const struct xos_test_who who = {
	    .name = "alice", .number = 1, .groups = groups, .spki = spki};
	struct xos_delegation d = {.not_after = n->vo->now + 3600, .depth = 0};
	struct xos_buf r;

	(void)chain;
	xos_buf_init(&r, XOS_RESTRICTION_MAX);
	xos_test_restriction("delegation by user \"alice\" { check action in {file.read}; }", &r);
	MUST_TRUE(xos_str_copy(d.actor, sizeof(d.actor), "job") &&
	          xos_str_copy(d.node, sizeof(d.node), "n1") &&
	          xos_str_copy(d.id, sizeof(d.id), job));
	d.restriction = r.p;
	d.restriction_len = r.n;
	xos_test_renewed(n->vo, &who, &d, out);
	xos_buf_free(&r);
}

static void setup(void)
{
	n = node_new(&(struct xos_test_bundle){.serial = 5});
	begin("j1", &n->alice);
	doc = NULL;
}

static void teardown(void)
{
	xos_json_free(doc);
	node_free(n);
}

static enum xos_status try_ask(const char *question, int64_t now, struct xos_err *err)
{
	struct xos_buf out;

	xos_json_free(doc);
	doc = NULL;
	xos_buf_init(&out, XOS_LOCAL_TEXT_MAX);
	enum xos_status st = xos_credd_standing(
	    n->decider, &n->self, n->jobs, xos_bytes_str(question), now, &out, err);
	if (st == XOS_OK)
		MUST(xos_json_parse(xos_buf_bytes(&out), XOS_LOCAL_TEXT_MAX, &doc, err), err);
	xos_buf_free(&out);
	return st;
}

static const struct xos_json *ask_at(const char *question, int64_t now)
{
	const struct xos_json *jobs = NULL;
	struct xos_err err = XOS_ERR_INIT;

	MUST(try_ask(question, now, &err), &err);
	MUST(xos_json_opt_array(doc, "jobs", 100, &jobs, &err), &err);
	return xos_json_at(jobs, 0);
}

#define J1 "{\"since\":0,\"jobs\":[{\"job\":\"j1\"}]}"

static const char *text(const struct xos_json *o, const char *key)
{
	const char *s = NULL;

	ck_assert_int_eq(xos_json_opt_string(o, key, 4096, &s, NULL), XOS_OK);
	return s ? s : "";
}

static int64_t number(const char *key)
{
	int64_t v = -1;

	ck_assert_int_eq(xos_json_get_int64(doc, key, 0, INT64_MAX, &v, NULL), XOS_OK);
	return v;
}

static int64_t again(void)
{
	int64_t v = -1;

	ck_assert_int_eq(xos_json_get_time(doc, "again", &v, NULL), XOS_OK);
	return v;
}

static bool locked(const struct xos_json *o)
{
	bool v = false;

	ck_assert_int_eq(xos_json_get_bool(o, "locked", &v, NULL), XOS_OK);
	return v;
}

static void offer(const struct xos_test_bundle *b)
{
	struct xos_err err = XOS_ERR_INIT;

	MUST(node_offer(n, b, &err), &err);
}

static void offer_vo(uint64_t serial, const char *statements)
{
	char set[2000];

	MUST_TRUE(xos_str_printf(set, sizeof(set),
	    "vo \"demo\" serial 1 { permit group /demo/physics action job.submit on any; %s }",
	    statements));
	offer(&(struct xos_test_bundle){
	    .serial = serial, .vo_text = set, .expires = n->vo->now + 48 * HOUR});
}

static void verdict(const struct xos_json *o, const char *want)
{
	ck_assert_msg(strcmp(text(o, "verdict"), want) == 0, "%s instead of %s: %s",
	    text(o, "verdict"), want, text(o, "why"));
}

START_TEST(says_what_the_sets_of_now_say_of_it)
{
	int64_t after = 0;
	const struct xos_json *o = ask_at(J1, n->vo->now);

	verdict(o, "permit");
	ck_assert(!locked(o));
	offer_vo(6, "forbid @off group /demo/physics action job.submit on any because \"Cooling.\" "
	            "contact \"ops@demo.example\" on change stop after 10m;");
	o = ask_at(J1, n->vo->now);
	verdict(o, "deny");
	ck_assert(!locked(o));
	ck_assert_str_eq(text(o, "change"), "stop");
	ck_assert_int_eq(xos_json_get_int64(o, "after", 0, INT64_MAX, &after, NULL), XOS_OK);
	ck_assert_int_eq(after, 600);
	ck_assert_str_eq(text(o, "statement"), "demo@off");
	ck_assert_ptr_nonnull(strstr(text(o, "why"), "Cooling."));
	ck_assert_ptr_nonnull(strstr(text(o, "why"), "ops@demo.example"));
	offer_vo(7, "forbid any action job.submit on any on change drain;");
	ck_assert_str_eq(text(ask_at(J1, n->vo->now), "change"), "drain");
	/* Nothing said: it goes on. */
	offer_vo(8, "forbid any action job.submit on any;");
	o = ask_at(J1, n->vo->now);
	verdict(o, "deny");
	ck_assert_str_eq(text(o, "change"), "continue");
	ck_assert_str_eq(text(o, "statement"), "");
	offer_vo(9, "");
	verdict(ask_at(J1, n->vo->now), "permit");
}
END_TEST

START_TEST(decides_by_its_own_address_and_wall)
{
	offer_vo(6, "forbid any action job.submit on any when ip(ctx.src) in 10.0.0.0/8 or not has "
	            "ctx.src; "
	            "forbid any action job.submit on any when has job.wall and job.wall > 1h;");
	verdict(
	    ask_at("{\"since\":0,\"jobs\":[{\"job\":\"j1\",\"src\":\"10.1.1.1\"}]}", n->vo->now),
	    "deny");
	verdict(
	    ask_at("{\"since\":0,\"jobs\":[{\"job\":\"j1\",\"src\":\"192.0.2.1\"}]}", n->vo->now),
	    "permit");
	verdict(
	    ask_at("{\"since\":0,\"jobs\":[{\"job\":\"j1\",\"src\":\"192.0.2.1\",\"wall\":7200}]}",
	        n->vo->now),
	    "deny");
}
END_TEST

static void lock_it(uint64_t serial, enum xos_lock_kind kind, const char *name, int64_t until)
{
	struct xos_lock lock = {
	    .id = "L", .kind = kind, .since = 1, .until = until, .message = "Laptop stolen."};

	MUST_TRUE(xos_str_copy(lock.name, sizeof(lock.name), name));
	offer(&(struct xos_test_bundle){.serial = serial,
	    .locks_serial = serial,
	    .locks_ca = &lock,
	    .nlocks_ca = 1,
	    .expires = n->vo->now + 48 * HOUR});
}

static void is_locked_by(const char *what)
{
	const struct xos_json *o = ask_at(J1, n->vo->now), *lock = NULL;

	verdict(o, "deny");
	ck_assert(locked(o));
	ck_assert_int_eq(xos_json_get_object(o, "lock", &lock, NULL), XOS_OK);
	ck_assert_str_eq(text(lock, "what"), what);
	ck_assert_str_eq(text(lock, "message"), "Laptop stolen.");
	ck_assert_ptr_nonnull(strstr(text(o, "why"), "Laptop stolen."));
}

START_TEST(locks_of_every_kind_hold_it_and_those_of_others_do_not)
{
	lock_it(6, XOS_LOCK_MEMBER, "alice", n->vo->now + 300);
	is_locked_by("member alice");
	ck_assert_int_eq(again(), n->vo->now + 300);
	/* Ended by itself. */
	verdict(ask_at(J1, n->vo->now + 300), "permit");
	lock_it(7, XOS_LOCK_GROUP, "/demo/physics", XOS_LOCK_NO_END);
	is_locked_by("group /demo/physics");
	lock_it(8, XOS_LOCK_JOB, "j1", XOS_LOCK_NO_END);
	is_locked_by("job j1");
	lock_it(9, XOS_LOCK_GRANT, "j1", XOS_LOCK_NO_END);
	is_locked_by("grant j1");
	lock_it(10, XOS_LOCK_MEMBER, "bob", XOS_LOCK_NO_END);
	verdict(ask_at(J1, n->vo->now), "permit");
	lock_it(11, XOS_LOCK_JOB, "j2", XOS_LOCK_NO_END);
	verdict(ask_at(J1, n->vo->now), "permit");
}
END_TEST

START_TEST(a_suspended_member_is_as_locked)
{
	static const struct xos_roster_member suspended[] = {{"alice", 1, XOS_MEMBER_SUSPENDED}};
	const struct xos_json *o, *lock = NULL;

	offer(&(struct xos_test_bundle){
	    .serial = 6, .roster_serial = 6, .members = suspended, .nmembers = 1});
	o = ask_at(J1, n->vo->now);
	ck_assert(locked(o));
	ck_assert_int_eq(xos_json_get_object(o, "lock", &lock, NULL), XOS_OK);
	ck_assert_str_eq(text(lock, "what"), "membership");
}
END_TEST

/* Half a day after the token's end, which is long after the delegation's. */
START_TEST(a_chain_that_has_ended_stops_nothing_and_frees_nothing)
{
	int64_t late = n->vo->now + 24 * HOUR;

	n->conf.max_age = 48 * HOUR;
	offer_vo(6, "");
	verdict(ask_at(J1, late), "permit");
	/* The age of a log-in is that of now. */
	offer_vo(8, "forbid any action job.submit on any when auth.age > 20h;");
	verdict(ask_at(J1, n->vo->now), "permit");
	verdict(ask_at(J1, late), "deny");
	lock_it(9, XOS_LOCK_MEMBER, "alice", XOS_LOCK_NO_END);
	ck_assert(locked(ask_at(J1, late)));
}
END_TEST

START_TEST(by_a_bundle_that_is_too_old_nothing_is_decided)
{
	offer_vo(6, "forbid any action job.submit on any on change stop after 1m;");
	verdict(ask_at(J1, n->vo->now), "deny");
	ck_assert_int_le(again(), n->vo->now + HOUR);
	const struct xos_json *o = ask_at(J1, n->vo->now + 13 * HOUR);
	verdict(o, "undecided");
	ck_assert(!locked(o));
	node_free(n);
	n = node_new(NULL);
	verdict(ask_at(J1, n->vo->now), "undecided");
}
END_TEST

START_TEST(of_what_has_no_credential_nothing_is_known)
{
	verdict(ask_at("{\"since\":0,\"jobs\":[{\"job\":\"j2\"}]}", n->vo->now), "unknown");
}
END_TEST

START_TEST(asks_again_at_edges_of_windows_and_when_the_bundle_ends)
{
	char set[300];

	ck_assert_int_eq((ask_at(J1, n->vo->now), again()), n->vo->now + HOUR);
	ask_at(J1, n->vo->now + 12 * HOUR - 10);
	ck_assert_int_eq(again(), n->vo->now + 12 * HOUR);
	/* A window that begins with the next minute but one. */
	int64_t edge = (n->vo->now / 60 + 2) * 60, minute = edge / 60 % 1440;
	MUST_TRUE(xos_str_printf(set, sizeof(set),
	    "forbid any action job.submit on any when time in %02d:%02d-%02d:%02d UTC on change "
	    "drain;",
	    (int)minute / 60, (int)minute % 60, (int)((minute + 10) % 1440 / 60),
	    (int)((minute + 10) % 60)));
	offer_vo(6, set);
	verdict(ask_at(J1, n->vo->now), "permit");
	ck_assert_int_eq(again(), edge);
	verdict(ask_at(J1, edge - 1), "permit");
	verdict(ask_at(J1, edge), "deny");
	ck_assert_int_eq(again(), edge + 600);
	verdict(ask_at(J1, edge + 600), "permit");
}
END_TEST

START_TEST(answers_shortly_while_nothing_changed)
{
	char q[200];

	ask_at(J1, n->vo->now);
	int64_t version = number("version");
	ck_assert_int_gt(version, 0);
	MUST_TRUE(xos_str_printf(
	    q, sizeof(q), "{\"since\":%lld,\"jobs\":[{\"job\":\"j1\"}]}", (long long)version));
	ck_assert_ptr_null(ask_at(q, n->vo->now));
	ck_assert(!xos_json_has(doc, "jobs"));
	ck_assert_int_eq(number("version"), version);
	offer_vo(6, "");
	ck_assert_ptr_nonnull(ask_at(q, n->vo->now));
	ck_assert_int_ne(number("version"), version);
	/* What the policy service says of this node is a change too, and holds all of it. */
	version = number("version");
	xos_credd_decider_bar(n->decider, "The node is banned.");
	const struct xos_json *o = ask_at(q, n->vo->now);
	ck_assert(locked(o));
	ck_assert_int_ne(number("version"), version);
	node_restart(n);
	ask_at(J1, n->vo->now);
	ck_assert_int_ne(number("version"), version);
}
END_TEST

START_TEST(refuses_what_is_no_question)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"since\":0}",
	    "{\"since\":-1,\"jobs\":[]}", "{\"since\":0,\"jobs\":[{}]}",
	    "{\"since\":0,\"jobs\":[{\"job\":\"j1\",\"uid\":0}]}",
	    "{\"since\":0,\"jobs\":[],\"x\":1}", J1 "x"};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf many;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
		    try_ask(bad[i], n->vo->now, &err) == XOS_MALFORMED, "%s: %s", bad[i], err.text);
	xos_buf_init(&many, 65536);
	xos_buf_put_str(&many, "{\"since\":0,\"jobs\":[");
	for (int i = 0; i <= XOS_LOCAL_STANDING_JOBS; i++)
		xos_buf_printf(&many, "%s{\"job\":\"j%d\"}", i ? "," : "", i);
	xos_buf_put_str(&many, "]}");
	ck_assert_int_ne(try_ask(xos_buf_str(&many), n->vo->now, &err), XOS_OK);
	xos_buf_free(&many);
}
END_TEST

START_TEST(a_renewed_job_is_decided_by_the_claims_in_its_credential)
{
	static const char q[] = "{\"since\":0,\"jobs\":[{\"job\":\"j2\"}]}";

	begin_with("j2", &n->alice, renew);
	verdict(ask_at(q, n->vo->now), "permit");
	n->conf.max_age = 48 * HOUR;
	offer_vo(6, "forbid group /demo/lasers action job.submit on any on change drain;");
	verdict(ask_at(q, n->vo->now), "deny");
	verdict(ask_at(J1, n->vo->now), "permit");
	/* Ended, like the other: renewing has failed, and ends nothing. */
	offer_vo(7, "");
	verdict(ask_at(q, n->vo->now + 24 * HOUR), "permit");
	lock_it(8, XOS_LOCK_GROUP, "/demo/lasers", XOS_LOCK_NO_END);
	ck_assert(locked(ask_at(q, n->vo->now + 24 * HOUR)));
	ck_assert(!locked(ask_at(J1, n->vo->now + 24 * HOUR)));
}
END_TEST

static void add(struct xos_trust_list *l, const struct xos_cert *c, enum xos_trust_state state)
{
	struct xos_trust_entry *e = &l->entry[l->n++];
	struct xos_err err = XOS_ERR_INIT;

	*e = (struct xos_trust_entry){
	    .cert = xos_cert_ref(c), .state = state, .since = n->vo->now - 4000};
	MUST(xos_trust_role_of(c, "demo", &e->role, &err), &err);
}

/* The VO's list of issuers as it has that one; NULL: not at all. */
static void offer_list(uint64_t serial, const struct xos_cert *issuer, enum xos_trust_state state)
{
	struct xos_trust_list *l = calloc(1, sizeof(*l));
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;

	MUST_TRUE(l && xos_str_copy(l->vo, sizeof(l->vo), "demo"));
	l->serial = serial;
	l->issued = n->vo->now;
	add(l, n->vo->ca, XOS_TRUST_ACTIVE);
	add(l, n->vo->rca, XOS_TRUST_ACTIVE);
	add(l, n->vo->policy, XOS_TRUST_ACTIVE);
	if (issuer)
		add(l, issuer, state);
	xos_buf_init(&b, XOS_TRUST_LIST_MAX);
	MUST(xos_trust_list_sign(n->vo->root_key, n->vo->root, l, &b, &err), &err);
	offer(&(struct xos_test_bundle){.serial = 10 + serial, .trust = xos_buf_bytes(&b)});
	xos_trust_list_free(l);
	xos_buf_free(&b);
}

START_TEST(what_a_key_signed_that_was_taken_back_is_as_locked)
{
	static const char q[] = "{\"since\":0,\"jobs\":[{\"job\":\"j2\"}]}";
	const struct xos_json *o, *lock = NULL;

	begin_with("j2", &n->alice, renew);
	const struct xos_cert *issuer = xos_credd_jobs_held(n->jobs, "j2")->cert[1];
	offer_list(1, issuer, XOS_TRUST_ACTIVE);
	verdict(ask_at(q, n->vo->now), "permit");
	/* Not named any more: that a list is tidied up ends nothing. */
	offer_list(2, NULL, XOS_TRUST_ACTIVE);
	verdict(ask_at(q, n->vo->now), "undecided");
	offer_list(3, issuer, XOS_TRUST_REVOKED);
	o = ask_at(q, n->vo->now);
	ck_assert(locked(o));
	ck_assert_int_eq(xos_json_get_object(o, "lock", &lock, NULL), XOS_OK);
	ck_assert_str_eq(text(lock, "what"), "credential");
	/* The other was signed by another key. */
	verdict(ask_at(J1, n->vo->now), "permit");
}
END_TEST

START_TEST(locks_of_its_token_and_of_the_node_hold_it)
{
	struct xos_lock lock = {.id = "L",
	    .kind = XOS_LOCK_NODE,
	    .since = 1,
	    .until = XOS_LOCK_NO_END,
	    .name = "n1",
	    .message = "Laptop stolen."};
	struct xos_bytes der[XOS_CHAIN_MAX];
	const struct xos_known *k = NULL;
	struct xos_err err = XOS_ERR_INIT;

	MUST(xos_credd_decider_verify(
	         n->decider, der, xos_test_ders(&n->alice, der), n->vo->now, &k, &err),
	    &err);
	char serial[XOS_SERIAL_TEXT], what[XOS_SERIAL_TEXT + 8];
	memcpy(serial, k->id->serial, sizeof(serial));
	lock_it(6, XOS_LOCK_TOKEN, serial, n->vo->now + HOUR);
	MUST_TRUE(xos_str_printf(what, sizeof(what), "token %s", serial));
	is_locked_by(what);
	offer(&(struct xos_test_bundle){
	    .serial = 7, .locks_serial = 7, .locks_rca = &lock, .nlocks_rca = 1});
	is_locked_by("node n1");
}
END_TEST

START_TEST(only_services_may_ask)
{
	struct xos_credd_peer peer = {.uid = ALICE_UID};
	struct xos_local_request req = {.op = XOS_LOCAL_STANDING, .text = xos_bytes_str(J1)};
	struct xos_local_answer a = {.op = XOS_LOCAL_STANDING};
	struct xos_secret *secret = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf plain;

	xos_buf_init(&plain, XOS_LOCAL_BODY_MAX);
	ck_assert_int_eq(
	    xos_credd_ops_handle(&n->ops, &peer, &req, &a, &plain, &secret, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "service-only");
	ck_assert_uint_eq(a.text.n, 0);
	peer.service = true;
	ck_assert_int_eq(
	    xos_credd_ops_handle(&n->ops, &peer, &req, &a, &plain, &secret, &err), XOS_OK);
	ck_assert_uint_gt(a.text.n, 0);
	xos_buf_free(&plain);
}
END_TEST

START_TEST(what_runs_is_not_forgotten)
{
	int64_t late = n->vo->now + 3 * HOUR + XOS_CREDD_OVER_KEEP;

	ask_at(J1, late - HOUR);
	xos_credd_jobs_sweep(n->jobs, late, 0);
	xos_credd_jobs_sweep(n->jobs, late, XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	xos_credd_jobs_sweep(n->jobs, late + XOS_CREDD_OVER_KEEP, XOS_CREDD_SEEN_KEEP_MS);
	xos_credd_jobs_sweep(n->jobs, late + XOS_CREDD_OVER_KEEP, 2 * XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd standing");
	TCase *tc = tcase_create("standing");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, says_what_the_sets_of_now_say_of_it);
	tcase_add_test(tc, decides_by_its_own_address_and_wall);
	tcase_add_test(tc, locks_of_every_kind_hold_it_and_those_of_others_do_not);
	tcase_add_test(tc, a_suspended_member_is_as_locked);
	tcase_add_test(tc, a_chain_that_has_ended_stops_nothing_and_frees_nothing);
	tcase_add_test(tc, by_a_bundle_that_is_too_old_nothing_is_decided);
	tcase_add_test(tc, of_what_has_no_credential_nothing_is_known);
	tcase_add_test(tc, asks_again_at_edges_of_windows_and_when_the_bundle_ends);
	tcase_add_test(tc, answers_shortly_while_nothing_changed);
	tcase_add_test(tc, refuses_what_is_no_question);
	tcase_add_test(tc, a_renewed_job_is_decided_by_the_claims_in_its_credential);
	tcase_add_test(tc, what_a_key_signed_that_was_taken_back_is_as_locked);
	tcase_add_test(tc, locks_of_its_token_and_of_the_node_hold_it);
	tcase_add_test(tc, only_services_may_ask);
	tcase_add_test(tc, what_runs_is_not_forgotten);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
