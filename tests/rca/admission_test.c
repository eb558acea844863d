/*
 * A network process that was taken over, and whoever it lets talk: nobody but those whom a site's owner names
 * admits its nodes, codes are good once, and only a node itself leaves.
 */
#include "lying.h"

#include <stdio.h>

#include "api/command.h"
#include "api/rca_admission.h"
#include "api/signer.h"
#include "auth/code.h"
#include "base/clock.h"
#include "base/text.h"
#include "bundle/administrators.h"
#include "bundle/admission.h"
#include "bundle/locks.h"
#include "bundle/roster.h"

static struct xos_chain bob, carol;
static struct xos_lock lock; /* that the ca has, when it has one */

/* What the ca says: its list of administrators (admin), a roster with bob as given, and locks of bob or none. The list
 * asks for serial `want` of both, they have serial `have`. */
static void say(uint64_t want, uint64_t have, enum xos_member_state state, bool locked)
{
	int64_t now = xos_clock_now();
	struct xos_administrator who = {.name = "admin", .number = 5};
	const struct xos_administrators list = {.act = want,
	    .issued = now,
	    .expires = now + 300,
	    .list = &who,
	    .n = 1,
	    .roster = want,
	    .locks = want};
	const struct xos_roster_member members[] = {
	    {"admin", 5, XOS_MEMBER_ACTIVE}, {"bob", 7, state}, {"carol", 8, XOS_MEMBER_ACTIVE}};
	const struct xos_roster_fields roster = {.vo = "demo",
	    .serial = have,
	    .issued = now,
	    .expires = now + 86400,
	    .members = members,
	    .n = 3};
	const struct xos_locks_fields locks = {.vo = "demo",
	    .by = XOS_SIGNER_CA,
	    .serial = have,
	    .issued = now,
	    .expires = now + 86400,
	    .locks = &lock,
	    .n = locked};
	struct xos_buf out[3];

	for (size_t i = 0; i < 3; i++)
		xos_buf_init(&out[i], XOS_ROSTER_MAX);
	MUST(xos_roster_sign(vo->ca_key, &roster, &out[0], &err), &err);
	MUST(xos_locks_sign(vo->ca_key, &locks, &out[1], &err), &err);
	MUST(xos_administrators_sign(vo->ca_key, "demo", &list, &out[2], &err), &err);
	expect(ask(RCA_ROSTER, xos_buf_bytes(&out[0]), NULL), XOS_OK, NULL);
	expect(ask(RCA_CA_LOCKS, xos_buf_bytes(&out[1]), NULL), XOS_OK, NULL);
	expect(ask(RCA_ADMINISTRATORS, xos_buf_bytes(&out[2]), NULL), XOS_OK, NULL);
	for (size_t i = 0; i < 3; i++)
		xos_buf_free(&out[i]);
}

static void lock_is(enum xos_lock_kind kind, const char *name)
{
	lock = (struct xos_lock){.id = "l1", .kind = kind, .since = 1, .until = XOS_LOCK_NO_END};
	MUST_TRUE(xos_str_copy(lock.name, sizeof(lock.name), name));
}

static void person(struct xos_chain *out, const char *name, uint64_t number)
{
	static const char *const groups[] = {"/demo", NULL};
	const struct xos_test_who who = {.name = name, .number = number, .groups = groups};

	xos_test_member(vo, &who, out);
}

static enum xos_status command(
    const struct xos_chain *by, const char *verb, struct xos_json *args, struct xos_json **out)
{
	struct xos_json *answer = NULL;
	const struct xos_json *result = NULL;
	enum xos_status st =
	    ask_json(RCA_COMMAND, sign_at(by, "rca", verb, args, 0), out ? &answer : NULL);

	if (st == XOS_OK && out) {
		MUST(xos_json_get_object(answer, "result", &result, &err), &err);
		*out = xos_json_copy(result);
	}
	xos_json_free(answer);
	return st;
}

static enum xos_status register_site(const char *site, const struct xos_key *key)
{
	struct xos_json *args = with("site", site);
	struct xos_buf pem;

	xos_buf_init(&pem, 4096);
	MUST(xos_key_public_to_pem(key, &pem, &err), &err);
	xos_json_set_string(args, "key", xos_buf_str(&pem));
	xos_buf_free(&pem);
	return command(&admin, "site.register", args, NULL);
}

static enum xos_status put(const char *site, struct xos_bytes compact)
{
	struct xos_buf m;

	xos_buf_init(&m, 65536);
	xos_buf_lp_str(&m, site);
	xos_buf_lp(&m, compact);
	enum xos_status st = ask(RCA_TERMS, xos_buf_bytes(&m), NULL);
	xos_buf_free(&m);
	return st;
}

static void make_terms(const struct xos_key *key, const char *in_vo, const char *site,
    uint64_t serial, int64_t life, const char *approver, struct xos_buf *out)
{
	int64_t now = xos_clock_now();
	struct xos_admission a = {
	    .serial = serial, .issued = now - 60, .expires = now + life, .rescue = 3600};

	MUST_TRUE(
	    xos_str_copy(a.vo, sizeof(a.vo), in_vo) && xos_str_copy(a.site, sizeof(a.site), site));
	if (approver)
		MUST_TRUE(
		    xos_str_copy(a.approvers[a.napprovers++], sizeof(a.approvers[0]), approver));
	xos_buf_init(out, XOS_ADMISSION_MAX);
	MUST(xos_admission_sign(key, &a, out, &err), &err);
}

static enum xos_status terms(
    const struct xos_key *key, const char *in_vo, const char *site, uint64_t serial)
{
	struct xos_buf out;

	make_terms(key, in_vo, site, serial, 3600, "bob", &out);
	enum xos_status st = put("lab", xos_buf_bytes(&out));
	xos_buf_free(&out);
	return st;
}

/* Site lab is registered, its owner names bob. */
static void owned(void)
{
	person(&bob, "bob", 7);
	person(&carol, "carol", 8);
	lock_is(XOS_LOCK_MEMBER, "bob");
	say(1, 1, XOS_MEMBER_ACTIVE, false);
	expect(register_site("lab", vo->site_key), XOS_OK, NULL);
	expect(terms(vo->site_key, "demo", "lab", 5), XOS_OK, NULL);
}

static void forget(void)
{
	xos_chain_clear(&bob);
	xos_chain_clear(&carol);
}

START_TEST(terms_are_the_word_of_the_sites_own_key)
{
	struct xos_buf out;

	person(&bob, "bob", 7);
	person(&carol, "carol", 8);
	say(1, 1, XOS_MEMBER_ACTIVE, false);
	expect(terms(vo->site_key, "demo", "lab", 5), XOS_NOT_FOUND, "no-site");
	expect(register_site("lab", vo->site_key), XOS_OK, NULL);
	expect(register_site("lab", vo->site_key), XOS_OK, NULL);
	expect(register_site("lab", twin->site_key), XOS_CONFLICT, "site-taken");
	expect(terms(vo->ca_key, "demo", "lab", 5), XOS_DENIED, "foreign-signer");
	expect(terms(vo->site_key, "twin", "lab", 5), XOS_DENIED, "wrong-vo");
	expect(terms(vo->site_key, "demo", "farm", 5), XOS_DENIED, "wrong-site");
	make_terms(vo->site_key, "demo", "lab", 5, 3600, "bob", &out);
	for (size_t n = 0; n < out.n; n += 7)
		ck_assert_int_ne(put("lab", (struct xos_bytes){out.p, n}), XOS_OK);
	expect(put("lab", xos_buf_bytes(&out)), XOS_OK, NULL);
	expect(put("lab", xos_buf_bytes(&out)), XOS_OK, NULL);
	xos_buf_put_str(&out, "A");
	ck_assert_int_ne(put("lab", xos_buf_bytes(&out)), XOS_OK);
	xos_buf_free(&out);
	expect(terms(vo->site_key, "demo", "lab", 4), XOS_CONFLICT, "lower-serial");
	/* Known also after it was killed. */
	stop(9);
	start();
	expect(terms(vo->site_key, "demo", "lab", 4), XOS_CONFLICT, "lower-serial");
	/* What is over when it comes is no terms. */
	make_terms(vo->site_key, "demo", "lab", 6, -1, "bob", &out);
	expect(put("lab", xos_buf_bytes(&out)), XOS_EXPIRED, "object-expired");
	xos_buf_free(&out);
	forget();
}
END_TEST

START_TEST(an_approver_is_a_member_in_good_standing_now)
{
	char id[XOS_RCA_ID_LEN + 1];

	owned();
	expect(apply(application("n1", "jobs"), id), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_DENIED, "not-approver");
	expect(approve(&carol, id), XOS_DENIED, "not-administrator");
	expect(approve(&alice, id), XOS_DENIED, "not-administrator");
	say(2, 2, XOS_MEMBER_SUSPENDED, false);
	expect(approve(&bob, id), XOS_DENIED, "member-suspended");
	say(3, 3, XOS_MEMBER_ACTIVE, true);
	expect(approve(&bob, id), XOS_DENIED, "locked");
	lock_is(XOS_LOCK_TOKEN, xos_cert_serial_text(bob.cert[0]));
	say(3, 4, XOS_MEMBER_ACTIVE, true);
	expect(approve(&bob, id), XOS_DENIED, "locked");
	lock_is(XOS_LOCK_GROUP, "/demo");
	say(3, 4, XOS_MEMBER_ACTIVE, true);
	expect(approve(&bob, id), XOS_DENIED, "locked");
	/* Somebody of the same name, but not that member. */
	struct xos_chain impostor = {.n = 0};
	person(&impostor, "bob", 9);
	say(4, 4, XOS_MEMBER_ACTIVE, false);
	expect(approve(&impostor, id), XOS_DENIED, "member-unknown");
	xos_chain_clear(&impostor);
	/* The ca says that there is a newer roster than the one which the network process brought. */
	say(5, 4, XOS_MEMBER_ACTIVE, false);
	expect(approve(&bob, id), XOS_UNAVAILABLE, "administrators-unknown");
	say(5, 5, XOS_MEMBER_ACTIVE, false);
	expect(approve(&bob, id), XOS_OK, NULL);
	/* After a start nothing is known, so nobody approves. */
	stop(0);
	start_ignorant();
	expect(apply(application("n2", "jobs"), id), XOS_OK, NULL);
	expect(approve(&bob, id), XOS_UNAVAILABLE, "administrators-unknown");
	forget();
}
END_TEST

START_TEST(an_owner_may_close_the_site)
{
	char id[XOS_RCA_ID_LEN + 1];
	struct xos_buf out;

	owned();
	make_terms(vo->site_key, "demo", "lab", 6, 3600, NULL, &out);
	expect(put("lab", xos_buf_bytes(&out)), XOS_OK, NULL);
	xos_buf_free(&out);
	expect(apply(application("n1", "jobs"), id), XOS_OK, NULL);
	expect(approve(&bob, id), XOS_DENIED, "not-administrator");
	expect(approve(&admin, id), XOS_DENIED, "not-approver");
	expect(command(&admin, "node.deny", with("id", id), NULL), XOS_OK, NULL);
	forget();
}
END_TEST

START_TEST(a_removed_site_gives_its_owners_no_away_to_nobody)
{
	char id[XOS_RCA_ID_LEN + 1];

	owned();
	expect(apply(application("n1", "jobs"), id), XOS_OK, NULL);
	expect(command(&bob, "site.remove", with("site", "lab"), NULL), XOS_DENIED,
	    "not-administrator");
	expect(command(&admin, "site.remove", with("site", "lab"), NULL), XOS_OK, NULL);
	expect(command(&admin, "site.remove", with("site", "lab"), NULL), XOS_NOT_FOUND, "no-site");
	expect(approve(&admin, id), XOS_DENIED, "site-removed");
	expect(approve(&bob, id), XOS_DENIED, "not-administrator");
	expect(register_site("lab", vo->site_key), XOS_OK, NULL);
	expect(terms(vo->site_key, "demo", "lab", 4), XOS_CONFLICT, "lower-serial");
	expect(approve(&bob, id), XOS_OK, NULL);
	forget();
}
END_TEST

/* --- codes --- */

static struct xos_secret *code;

/* A code of that maker for the node, NULL: any of lab. Kept in `code`. */
static enum xos_status make_code(const struct xos_chain *by, const char *node, int64_t uses)
{
	struct xos_json *args = with("site", "lab");
	uint8_t digest[XOS_SHA256_LEN];
	char hex[65];

	xos_secret_free(code);
	code = xos_code_make();
	MUST(xos_sha256((struct xos_bytes){xos_secret_data(code), xos_secret_len(code)}, digest),
	    &err);
	xos_hex_encode(hex, digest, sizeof(digest));
	xos_json_set_string(args, "digest", hex);
	xos_json_set_string(args, "node", node);
	xos_json_set_int(args, "uses", uses);
	return command(by, "code.make", args, NULL);
}

static enum xos_status join_as(struct xos_rca_application *a, const char *text, const char *peer)
{
	struct xos_json *doc = xos_json_object();
	struct xos_buf body, m;

	xos_buf_init(&body, XOS_RCA_BODY_MAX);
	xos_buf_init(&m, XOS_RCA_BODY_MAX + 512);
	xos_json_set(doc, "application", xos_rca_application_encode(a));
	xos_json_set_string(doc, "code", text);
	MUST(xos_json_dump(doc, &body, &err), &err);
	xos_buf_lp_str(&m, peer);
	xos_buf_lp(&m, xos_buf_bytes(&body));
	enum xos_status st = ask(RCA_JOIN, xos_buf_bytes(&m), NULL);
	xos_buf_free(&m);
	xos_buf_free(&body);
	xos_json_free(doc);
	xos_rca_application_free(a);
	return st;
}

static enum xos_status join(const char *node)
{
	char text[XOS_CODE_TEXT];

	xos_code_format(code, text);
	return join_as(application(node, "jobs"), text, "192.0.2.1:4000");
}

START_TEST(a_code_is_good_for_what_it_was_made_for_and_no_more)
{
	owned();
	expect(make_code(&admin, NULL, 1), XOS_DENIED, "not-approver");
	expect(make_code(&carol, NULL, 1), XOS_DENIED, "not-administrator");
	expect(make_code(&bob, "n1", 2), XOS_MALFORMED, "json-field");
	expect(make_code(&bob, "n1", 1), XOS_OK, NULL);
	expect(join("n2"), XOS_DENIED, "join-code");
	struct xos_rca_application *a = application("n1", "jobs");
	char text[XOS_CODE_TEXT];
	xos_code_format(code, text);
	MUST_TRUE(xos_str_copy(a->site, sizeof(a->site), "farm"));
	expect(join_as(a, text, "192.0.2.1:1"), XOS_DENIED, "join-code");
	/* A server's kind is refused as ever, and uses nothing up. */
	expect(join_as(application("n1", "vops"), text, "192.0.2.1:1"), XOS_DENIED, "service-kind");
	expect(join("n1"), XOS_OK, NULL);
	/* The same keys again: the answer was lost. Other keys: used up. */
	expect(join("n1"), XOS_OK, NULL);
	struct xos_key *mine = node_key;
	MUST(xos_key_generate(&node_key, &err), &err);
	expect(join("n1"), XOS_DENIED, "join-code");
	expect(make_code(&bob, NULL, 2), XOS_OK, NULL);
	/* A name that is admitted is not given to another, and costs the code nothing. */
	expect(join("n1"), XOS_CONFLICT, "node-taken");
	expect(join("n2"), XOS_OK, NULL);
	expect(join("n3"), XOS_OK, NULL);
	expect(join("n4"), XOS_DENIED, "join-code");
	xos_key_free(node_key);
	node_key = mine;
	forget();
}
END_TEST

START_TEST(a_code_ends_with_its_makers_right)
{
	owned();
	expect(make_code(&bob, NULL, 5), XOS_OK, NULL);
	say(2, 2, XOS_MEMBER_ACTIVE, true);
	expect(join("n1"), XOS_DENIED, "join-code");
	say(3, 3, XOS_MEMBER_SUSPENDED, false);
	expect(join("n1"), XOS_DENIED, "join-code");
	say(4, 4, XOS_MEMBER_ACTIVE, false);
	struct xos_buf out;
	make_terms(vo->site_key, "demo", "lab", 6, 3600, "carol", &out);
	expect(put("lab", xos_buf_bytes(&out)), XOS_OK, NULL);
	xos_buf_free(&out);
	expect(join("n1"), XOS_DENIED, "join-code");
	expect(terms(vo->site_key, "demo", "lab", 7), XOS_OK, NULL);
	expect(join("n1"), XOS_OK, NULL);
	forget();
}
END_TEST

START_TEST(an_administrators_code_ends_when_the_owner_speaks)
{
	person(&bob, "bob", 7);
	person(&carol, "carol", 8);
	say(1, 1, XOS_MEMBER_ACTIVE, false);
	expect(make_code(&admin, NULL, 5), XOS_OK, NULL);
	expect(join("n1"), XOS_OK, NULL);
	expect(register_site("lab", vo->site_key), XOS_OK, NULL);
	struct xos_buf out;
	make_terms(vo->site_key, "demo", "lab", 5, 3600, "admin", &out);
	expect(put("lab", xos_buf_bytes(&out)), XOS_OK, NULL);
	xos_buf_free(&out);
	/* Not even though the owner names the same person. */
	expect(join("n2"), XOS_DENIED, "join-code");
	forget();
}
END_TEST

START_TEST(guessing_is_slowed_by_address_and_tells_nothing)
{
	char text[XOS_CODE_TEXT];
	static const char peer[] = "[2001:db8::1]:1", neighbour[] = "[2001:db8::2]:2",
	                  other[] = "[2001:db9::1]:1";

	owned();
	expect(make_code(&bob, NULL, 1), XOS_OK, NULL);
	xos_code_format(code, text);
	/* As many as are free; what is no code at all is counted like a wrong one. */
	for (int i = 0; i < 10; i++)
		expect(join_as(application("n1", "jobs"), i ? "4h7k" : "", peer), XOS_DENIED,
		    "join-code");
	expect(join_as(application("n1", "jobs"), text, peer), XOS_LIMIT, "join-throttled");
	expect(join_as(application("n1", "jobs"), text, neighbour), XOS_LIMIT, "join-throttled");
	expect(join_as(application("n1", "jobs"), text, other), XOS_OK, NULL);
	forget();
}
END_TEST

START_TEST(a_flood_of_applications_keeps_no_code_out)
{
	char id[XOS_RCA_ID_LEN + 1], name[32];
	enum xos_status st = XOS_OK;

	owned();
	expect(make_code(&bob, "good", 1), XOS_OK, NULL);
	for (int i = 0; st == XOS_OK && i < 2000; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		st = apply(application(name, "jobs"), id);
	}
	expect(st, XOS_LIMIT, "applications-full");
	expect(join("good"), XOS_OK, NULL);
	forget();
}
END_TEST

/* --- leaving --- */

static enum xos_status leave(const struct xos_chain *own, const char *in_vo, int64_t offset)
{
	struct xos_json *body = NULL;

	MUST(xos_rca_leave_sign(in_vo, own, xos_clock_now() + offset, &body, &err), &err);
	return ask_json(RCA_LEAVE, body, NULL);
}

START_TEST(only_the_node_itself_leaves_and_is_refused_from_then_on)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0};
	struct xos_json *body = NULL;
	char id[XOS_RCA_ID_LEN + 1];

	say(1, 1, XOS_MEMBER_ACTIVE, false);
	admitted(&node, &jobs);
	struct xos_chain thief = node;
	thief.key = jobs_key;
	expect(leave(&thief, "demo", 0), XOS_DENIED, NULL);
	expect(leave(&jobs, "demo", 0), XOS_DENIED, "token-kind");
	expect(leave(&alice, "demo", 0), XOS_DENIED, "token-kind");
	expect(leave(&node, "twin", 0), XOS_DENIED, "leave-audience");
	expect(leave(&node, "demo", -1000), XOS_EXPIRED, "leave-time");
	expect(leave(&node, "demo", 1000), XOS_NOT_YET_VALID, "leave-time");
	/* A renewal proves the same key, and is no leave. */
	MUST(xos_rca_renewal_sign("demo", &node, node_key, xos_clock_now(), &body, &err), &err);
	expect(ask_json(RCA_LEAVE, body, NULL), XOS_DENIED, NULL);
	MUST(xos_rca_leave_sign("demo", &node, xos_clock_now(), &body, &err), &err);
	struct xos_json *again = xos_json_copy(body);
	expect(ask_json(RCA_LEAVE, body, NULL), XOS_OK, NULL);
	expect(ask_json(RCA_LEAVE, again, NULL), XOS_DENIED, "command-replayed");
	expect(leave(&node, "demo", 0), XOS_OK, NULL);
	MUST(xos_rca_renewal_sign("demo", &node, node_key, xos_clock_now(), &body, &err), &err);
	expect(ask_json(RCA_RENEW, body, NULL), XOS_DENIED, "node-left");
	/* The name comes back when somebody says that the old keys are gone. */
	expect(apply(application("n1", "jobs"), id), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_CONFLICT, "node-left");
	struct xos_json *args = with("id", id);
	xos_json_set_bool(args, "again", true);
	expect(command(&admin, "node.approve", args, NULL), XOS_OK, NULL);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
}
END_TEST

static size_t locked_nodes(void)
{
	const struct xos_cert *cert[] = {vo->ca, vo->rca};
	const struct xos_bundle_certs certs = {cert, 2};
	const struct xos_bundle_trust bt = {.vo = "demo",
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = xos_clock_now(),
	    .skew = XOS_BUNDLE_SKEW};
	struct xos_locks *l = NULL;
	struct xos_buf reply;

	MUST(xos_bulk_call(parts.to_auth, RCA_LOCKS, XOS_BYTES_NONE, xos_clock_mono_ms() + 60000,
	         &reply, &err),
	    &err);
	MUST(xos_locks_verify(xos_buf_bytes(&reply), XOS_SIGNER_RCA, &certs, &bt, &l, &err), &err);
	size_t n = xos_locks_count(l);
	xos_locks_free(l);
	xos_buf_free(&reply);
	return n;
}

static enum xos_status about_n1(const struct xos_chain *by, const char *verb)
{
	return command(by, verb, with("node", "n1"), NULL);
}

/* The list of nodes, as the machine of that name asks for it; "": as a member does. */
static enum xos_status list_as(const char *name)
{
	struct xos_json *list = NULL;
	struct xos_buf who;

	xos_buf_init(&who, RCA_WHO_MAX);
	if (name[0])
		xos_buf_lp_str(&who, name);
	enum xos_status st = ask(RCA_NODES, xos_buf_bytes(&who), &list);
	xos_json_free(list);
	xos_buf_free(&who);
	return st;
}

START_TEST(bans_of_both_sides_are_one_lock_and_outlast_leaving)
{
	char id[XOS_RCA_ID_LEN + 1];

	owned();
	expect(make_code(&bob, "n1", 1), XOS_OK, NULL);
	expect(join("n1"), XOS_OK, NULL);
	ck_assert_uint_eq(locked_nodes(), 0);
	expect(about_n1(&carol, "node.ban"), XOS_DENIED, "not-administrator");
	expect(list_as("n1"), XOS_OK, NULL);
	expect(about_n1(&bob, "node.ban"), XOS_OK, NULL);
	expect(list_as("n1"), XOS_DENIED, "node-banned");
	expect(list_as("n2"), XOS_OK, NULL); /* a server of the VO is no node */
	expect(list_as(""), XOS_OK, NULL);
	expect(about_n1(&admin, "node.unban"), XOS_DENIED, "other-side");
	expect(about_n1(&admin, "node.ban"), XOS_OK, NULL);
	ck_assert_uint_eq(locked_nodes(), 1);
	expect(about_n1(&admin, "node.unban"), XOS_OK, NULL);
	ck_assert_uint_eq(locked_nodes(), 1);
	expect(about_n1(&admin, "node.unban"), XOS_DENIED, "other-side");
	expect(about_n1(&admin, "node.remove"), XOS_OK, NULL);
	expect(list_as("n1"), XOS_DENIED, "node-left");
	ck_assert_uint_eq(locked_nodes(), 1);
	expect(apply(application("n1", "jobs"), id), XOS_OK, NULL);
	struct xos_json *args = with("id", id);
	xos_json_set_bool(args, "again", true);
	expect(command(&bob, "node.approve", args, NULL), XOS_DENIED, "node-banned");
	expect(about_n1(&bob, "node.unban"), XOS_OK, NULL);
	ck_assert_uint_eq(locked_nodes(), 1);
	args = with("id", id);
	xos_json_set_bool(args, "again", true);
	expect(command(&bob, "node.approve", args, NULL), XOS_OK, NULL);
	ck_assert_uint_eq(locked_nodes(), 0);
	forget();
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("admission");

	tcase_add_test(tc, terms_are_the_word_of_the_sites_own_key);
	tcase_add_test(tc, an_approver_is_a_member_in_good_standing_now);
	tcase_add_test(tc, an_owner_may_close_the_site);
	tcase_add_test(tc, a_removed_site_gives_its_owners_no_away_to_nobody);
	tcase_add_test(tc, a_code_is_good_for_what_it_was_made_for_and_no_more);
	tcase_add_test(tc, a_code_ends_with_its_makers_right);
	tcase_add_test(tc, an_administrators_code_ends_when_the_owner_speaks);
	tcase_add_test(tc, guessing_is_slowed_by_address_and_tells_nothing);
	tcase_add_test(tc, a_flood_of_applications_keeps_no_code_out);
	tcase_add_test(tc, only_the_node_itself_leaves_and_is_refused_from_then_on);
	tcase_add_test(tc, bans_of_both_sides_are_one_lock_and_outlast_leaving);
	return run_case(tc);
}
