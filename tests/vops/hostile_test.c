/*
 * A network process that was taken over: this test holds its channel, while auth and key run as they do
 * in xos-vopsd. Nothing gets into a bundle but what its owner signed, no serial is given twice, and
 * nothing old comes back.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/signer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/bulk.h"
#include "api/logheads.h"
#include "testparts/parts.h"
#include "testsupport/heads.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "vops/parts.h"

#define DAY 86400

static char *dir;
static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct vops_conf conf;
static struct xos_err err;
static struct xos_chain admin, alice;
static struct xos_bundle_seen seen;
static size_t heads_seen; /* in the last bundle */

static struct xos_test_parts parts = {
    .auth = {vops_auth_open, vops_auth_serve, vops_auth_close},
    .key = {vops_key_open, vops_key_serve, vops_key_close},
    .conf = &conf,
};

static enum xos_status ask(uint16_t type, const struct xos_buf *in, struct xos_buf *reply);

/* Hands auth a list that names admin, or nobody. */
static enum xos_status administrators(
    const struct xos_key *signer, int64_t age, uint64_t act, bool there, const char *locked)
{
	static const struct xos_test_admin list[] = {{"admin", 1}};
	struct xos_buf out, message;

	xos_buf_init(&out, XOS_ADMINISTRATORS_MAX);
	xos_buf_init(&message, XOS_ADMINISTRATORS_MAX + 64);
	xos_test_administrators(
	    signer, xos_clock_now() - age, act, list, there ? 1 : 0, locked, &out);
	xos_buf_lp(&message, xos_buf_bytes(&out));
	enum xos_status st = ask(VOPS_ADMINISTRATORS, &message, NULL);
	xos_buf_free(&message);
	xos_buf_free(&out);
	return st;
}

static void start(void)
{
	xos_test_parts_start(&parts);
	MUST(administrators(vo->ca_key, 0, 1, true, NULL), &err);
}

static void stop(int sig)
{
	ck_assert(xos_test_parts_stop(&parts, sig) || sig);
}

static void member(struct xos_chain *out, const char *name, uint64_t number, bool role)
{
	static const char *const groups[] = {"/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};
	const struct xos_test_who who = {
	    .name = name, .number = number, .groups = groups, .roles = role ? roles : NULL};

	xos_test_member(vo, &who, out);
}

static void setup(void)
{
	int64_t now = xos_clock_now();

	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", now);
	twin = xos_test_vo_new("demo", "lab", now);
	trust = xos_test_vo_trust(vo);
	seen = (struct xos_bundle_seen){0};
	conf = (struct vops_conf){.common = {.vo = (char *)(uintptr_t) "demo", .state = dir},
	    .bundle_life = DAY / 2,
	    .bundle_refresh = 1800,
	    .heads_refresh = 1800};
	conf.common.trust = xos_test_path(dir, "trust");
	xos_test_vo_trust_dir(vo, conf.common.trust);
	xos_test_parts_state(dir, "vops", vo->policy_key, vo->policy);
	member(&admin, "admin", 1, true);
	member(&alice, "alice", 2, false);
	start();
}

static void teardown(void)
{
	stop(0);
	xos_chain_clear(&admin);
	xos_chain_clear(&alice);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(twin);
	free(conf.common.trust);
	xos_test_dir_free(dir);
}

/* --- what the network process can send --- */

static enum xos_status ask(uint16_t type, const struct xos_buf *in, struct xos_buf *reply)
{
	struct xos_buf own;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_bulk_call(parts.to_auth, type, xos_buf_bytes(in),
	    xos_clock_mono_ms() + 60000, reply ? reply : &own, &err);
	if (!reply)
		xos_buf_free(&own);
	return st;
}

static enum xos_status send_body(struct xos_json *body)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BULK_MAX);
	MUST(xos_json_dump(body, &text, &err), &err);
	enum xos_status st = ask(VOPS_COMMAND, &text, NULL);
	xos_buf_free(&text);
	xos_json_free(body);
	return st;
}

static struct xos_json *sign_for(const struct xos_chain *by, const char *aud, const char *verb,
    const char *key, const char *value)
{
	struct xos_json *args = xos_json_object(), *body = NULL;

	if (key)
		xos_json_set_string(args, key, value);
	MUST(xos_command_sign(by, "demo", aud, verb, args, xos_clock_now(), &body, &err), &err);
	xos_json_free(args);
	return body;
}

static enum xos_status push(const struct xos_chain *by, const char *text)
{
	return send_body(sign_for(by, "vops", "policy.push", "text", text));
}

static enum xos_status register_site(const struct xos_chain *by, const struct xos_key *key)
{
	struct xos_json *args = xos_json_object(), *body = NULL;
	struct xos_buf pem;

	xos_buf_init(&pem, 4096);
	MUST(xos_key_public_to_pem(key, &pem, &err), &err);
	xos_json_set_string(args, "site", "lab");
	xos_json_set_string(args, "key", xos_buf_str(&pem));
	MUST(xos_command_sign(
	         by, "demo", "vops", "site.register", args, xos_clock_now(), &body, &err),
	    &err);
	xos_json_free(args);
	xos_buf_free(&pem);
	return send_body(body);
}

static enum xos_status put_set(const struct xos_key *key, const char *site, const char *text)
{
	int64_t now = xos_clock_now();
	struct xos_buf set, message;

	xos_buf_init(&set, XOS_SITESET_MAX);
	xos_buf_init(&message, XOS_BULK_MAX);
	MUST(xos_siteset_sign(key, text, strlen(text), "set", now, now + DAY, &set, &err), &err);
	xos_buf_lp_str(&message, site);
	xos_buf_lp(&message, xos_buf_bytes(&set));
	enum xos_status st = ask(VOPS_SITE_SET, &message, NULL);
	xos_buf_free(&message);
	xos_buf_free(&set);
	return st;
}

static enum xos_status put_object(enum vops_object o, const struct xos_buf *compact)
{
	struct xos_buf message;

	xos_buf_init(&message, XOS_BULK_MAX);
	xos_buf_u8(&message, (uint8_t)o);
	xos_buf_lp(&message, xos_buf_bytes(compact));
	enum xos_status st = ask(VOPS_OBJECT, &message, NULL);
	xos_buf_free(&message);
	return st;
}

static enum xos_status roster(
    const struct xos_key *key, uint64_t serial, enum xos_member_state admin_state, int64_t age)
{
	const struct xos_roster_member members[] = {
	    {"admin", 1, admin_state}, {"alice", 2, XOS_MEMBER_ACTIVE}};
	int64_t issued = xos_clock_now() - age;
	const struct xos_roster_fields f = {.vo = "demo",
	    .serial = serial,
	    .issued = issued,
	    .expires = issued + DAY,
	    .members = members,
	    .n = 2};
	struct xos_buf out;

	xos_buf_init(&out, XOS_ROSTER_MAX);
	MUST(xos_roster_sign(key, &f, &out, &err), &err);
	enum xos_status st = put_object(VOPS_ROSTER, &out);
	xos_buf_free(&out);
	return st;
}

static enum xos_status locks(
    enum vops_object as, enum xos_signer by, uint64_t serial, const struct xos_lock *list, size_t n)
{
	int64_t issued = xos_clock_now();
	const struct xos_locks_fields f = {.vo = "demo",
	    .by = by,
	    .serial = serial,
	    .issued = issued,
	    .expires = issued + DAY,
	    .locks = list,
	    .n = n};
	struct xos_buf out;

	xos_buf_init(&out, XOS_LOCKS_MAX);
	MUST(xos_locks_sign(by == XOS_SIGNER_CA ? vo->ca_key : vo->rca_key, &f, &out, &err), &err);
	enum xos_status st = put_object(as, &out);
	xos_buf_free(&out);
	return st;
}

/* Asks with this ETag, which is replaced. *changed: a bundle came, which a node then accepts. */
static enum xos_status fetch(char etag[XOS_VOPS_ETAG_MAX], bool *changed, uint64_t *serial)
{
	const struct xos_bundle_trust bt = {.vo = "demo",
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = xos_clock_now(),
	    .skew = XOS_BUNDLE_SKEW};
	const struct xos_bundle_want want = {
	    .trust = &bt, .site = "lab", .site_key = vo->site_key, .root = vo->root, .seen = &seen};
	struct xos_buf message, reply;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_bundle *b = NULL;
	uint8_t fresh = 0;

	xos_buf_init(&message, 256);
	xos_buf_lp_str(&message, "lab");
	xos_buf_lp_str(&message, etag);
	enum xos_status st = ask(VOPS_BUNDLE, &message, &reply);
	if (st == XOS_OK) {
		xos_reader_init(&r, xos_buf_bytes(&reply));
		xos_reader_u8(&r, &fresh);
		xos_reader_lp_str(&r, etag, XOS_VOPS_ETAG_MAX);
		xos_reader_lp(&r, XOS_BUNDLE_MAX, &compact);
		MUST(xos_reader_end(&r), NULL);
		*changed = fresh;
	}
	if (st == XOS_OK && fresh) {
		enum xos_status ok = xos_bundle_verify(compact, &want, &b, &err);
		ck_assert_msg(ok == XOS_OK, "%s", err.text);
		xos_bundle_seen_raise(&seen, b);
		heads_seen = xos_bundle_head_count(b);
		*serial = xos_bundle_serial(b);
		xos_bundle_unref(b);
	}
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s, not %s: %s %s", xos_status_name(got), xos_status_name(want),
	    err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

#define VO1 "vo \"demo\" serial 1 { permit group /demo action job.submit on any; }\n"
#define VO2 "vo \"demo\" serial 2 { }\n"
#define SITE5 "site \"lab\" serial 5 { permit vo demo action job.submit on site:lab; }\n"
#define SITE6 "site \"lab\" serial 6 { }\n"

static void complete(void)
{
	expect(roster(vo->ca_key, 1, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 1, NULL, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_OK, NULL);
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_OK, NULL);
}

/* --- cases --- */

START_TEST(a_bundle_needs_every_part_but_the_site_set)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0;
	bool changed = false;

	expect(fetch(etag, &changed, &serial), XOS_NOT_FOUND, "no-site");
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_NOT_FOUND, "no-policy");
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_UNAVAILABLE, "no-object");
	expect(roster(vo->ca_key, 1, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 1, NULL, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_UNAVAILABLE, "no-object");
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(seen.site_set, 0);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(seen.site_set, 5);
}
END_TEST

START_TEST(a_new_bundle_only_when_something_changed)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0, before = 0;
	bool changed = false;

	complete();
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	expect(send_body(sign_for(&admin, "vops", "policy.list", NULL, NULL)), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	before = serial;
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_gt(serial, before);
	before = serial;
	expect(roster(vo->ca_key, 2, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_gt(serial, before);
}
END_TEST

static enum xos_status put_head(const struct xos_key *key, const struct xos_cert *cert, uint64_t n)
{
	struct xos_log_head h;
	struct xos_buf text, message;

	xos_test_head("demo/ca", n, xos_clock_now(), &h);
	struct xos_json *doc = xos_test_head_doc(&h, key, cert);
	xos_buf_init(&text, 65536);
	xos_buf_init(&message, 65536);
	MUST(xos_json_dump(doc, &text, &err), &err);
	xos_buf_u8(&message, XOS_VO_LOG_CA);
	xos_buf_lp(&message, xos_buf_bytes(&text));
	enum xos_status st = ask(VOPS_HEAD, &message, NULL);
	xos_buf_free(&message);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

START_TEST(heads_of_logs_come_along)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0;
	bool changed = false;

	complete();
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	/* A head is no reason for a bundle of its own, within heads_refresh. */
	expect(put_head(vo->ca_key, vo->ca, 5), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(!changed);
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
	ck_assert(changed);
	ck_assert_uint_eq(heads_seen, 1);
	expect(put_head(vo->ca_key, vo->ca, 4), XOS_MALFORMED, "log-went-back");
	expect(put_head(twin->ca_key, twin->ca, 6), XOS_DENIED, NULL);
	ck_assert_int_ne(put_head(vo->policy_key, vo->policy, 6), XOS_OK);
	stop(SIGKILL);
	start();
	expect(put_head(vo->ca_key, vo->ca, 4), XOS_MALFORMED, "log-went-back");
}
END_TEST

START_TEST(serials_grow_over_kill_and_start)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	uint64_t serial = 0, before = 0;
	bool changed = false;

	complete();
	for (int i = 0; i < 3; i++) {
		expect(fetch(etag, &changed, &serial), XOS_OK, NULL);
		ck_assert(changed);
		ck_assert_uint_gt(serial, before);
		before = serial;
		stop(SIGKILL);
		start();
		/* What was acknowledged is still there, and so is what keeps old things out. */
		expect(push(&admin, VO1), XOS_CONFLICT, "lower-serial");
		expect(put_set(vo->site_key, "lab", "site \"lab\" serial 4 { }\n"), XOS_CONFLICT,
		    "lower-serial");
	}
}
END_TEST

START_TEST(who_may_not_push)
{
	struct xos_chain foreign = {.n = 0}, node = {.n = 0};
	static const char *const groups[] = {"/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};
	const struct xos_test_who who = {.name = "admin", .groups = groups, .roles = roles};
	const struct xos_test_who n1 = {.name = "n1"};

	expect(push(&alice, VO1), XOS_DENIED, "not-administrator");
	xos_test_member(twin, &who, &foreign);
	expect(push(&foreign, VO1), XOS_DENIED, NULL);
	xos_test_node(vo, &n1, &node);
	expect(push(&node, VO1), XOS_DENIED, "token-kind");
	expect(send_body(sign_for(&admin, "rca", "policy.push", "text", VO1)), XOS_DENIED,
	    "command-audience");
	struct xos_json *body = sign_for(&admin, "vops", "policy.push", "text", VO1);
	struct xos_json *again = xos_json_copy(body);
	expect(send_body(body), XOS_OK, NULL);
	expect(send_body(again), XOS_DENIED, "command-replayed");
	expect(register_site(&alice, vo->site_key), XOS_DENIED, "not-administrator");
	xos_chain_clear(&foreign);
	xos_chain_clear(&node);
}
END_TEST

START_TEST(an_administrator_who_left_or_is_locked)
{
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(administrators(vo->ca_key, 0, 2, true, "admin"), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_DENIED, "locked");
	expect(administrators(vo->ca_key, 0, 3, false, NULL), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_DENIED, "not-administrator");
	/* What was said before does not come back. */
	expect(administrators(vo->ca_key, 1, 1, true, NULL), XOS_CONFLICT, "older-list");
	expect(push(&admin, VO2), XOS_DENIED, "not-administrator");
	expect(administrators(vo->ca_key, 0, 4, true, NULL), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_OK, NULL);
}
END_TEST

START_TEST(nobody_commands_before_the_administrators_are_known)
{
	stop(0);
	xos_test_parts_start(&parts);
	expect(push(&admin, VO1), XOS_UNAVAILABLE, "administrators-unknown");
	expect(push(&alice, VO1), XOS_DENIED, "not-administrator");
	expect(administrators(vo->rca_key, 0, 1, true, NULL), XOS_DENIED, NULL);
	expect(administrators(twin->ca_key, 0, 1, true, NULL), XOS_DENIED, NULL);
	expect(administrators(vo->ca_key, 301, 1, true, NULL), XOS_EXPIRED, NULL);
	expect(push(&admin, VO1), XOS_UNAVAILABLE, "administrators-unknown");
	expect(administrators(vo->ca_key, 290, 1, true, NULL), XOS_OK, NULL);
	expect(push(&admin, VO1), XOS_OK, NULL);
}
END_TEST

START_TEST(sets_that_are_not_the_vos_own)
{
	expect(push(&admin, "vo \"other\" serial 9 { }\n"), XOS_DENIED, "wrong-vo");
	expect(push(&admin, SITE5), XOS_DENIED, "set-level");
	expect(push(&admin, "vo \"demo\" serial 9 { nonsense }\n"), XOS_MALFORMED, NULL);
	expect(push(&admin, "vo \"demo\" { }\n"), XOS_MALFORMED, NULL);
	expect(push(&admin, ""), XOS_MALFORMED, NULL);
	expect(push(&admin, VO2), XOS_OK, NULL);
	expect(push(&admin, VO2), XOS_CONFLICT, "lower-serial");
	expect(push(&admin, VO1), XOS_CONFLICT, "lower-serial");
}
END_TEST

START_TEST(a_site_set_needs_the_sites_key)
{
	expect(put_set(vo->site_key, "lab", SITE5), XOS_NOT_FOUND, "no-site");
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(register_site(&admin, twin->site_key), XOS_CONFLICT, "site-taken");
	expect(put_set(twin->site_key, "lab", SITE5), XOS_DENIED, "foreign-signer");
	expect(put_set(vo->policy_key, "lab", SITE5), XOS_DENIED, "foreign-signer");
	expect(put_set(vo->site_key, "lab", "site \"other\" serial 5 { }\n"), XOS_DENIED,
	    "wrong-site");
	expect(put_set(vo->site_key, "lab", SITE6), XOS_OK, NULL);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_CONFLICT, "lower-serial");
	expect(put_set(vo->site_key, "lab",
	           "site \"lab\" serial 6 { permit vo demo action job.submit "
	           "on site:lab; }\n"),
	    XOS_CONFLICT, "lower-serial");
	expect(put_set(vo->site_key, "../lab", SITE6), XOS_MALFORMED, NULL);
}
END_TEST

START_TEST(rosters_and_locks_need_their_signers)
{
	expect(roster(vo->rca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(vo->policy_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(twin->ca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_DENIED, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, 2 * DAY), XOS_EXPIRED, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, -DAY), XOS_NOT_YET_VALID, NULL);
	expect(roster(vo->ca_key, 5, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(roster(vo->ca_key, 4, XOS_MEMBER_ACTIVE, 0), XOS_CONFLICT, "lower-serial");
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_DENIED, NULL);
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_CA, 1, NULL, 0), XOS_DENIED, NULL);
	expect(locks(VOPS_ROSTER, XOS_SIGNER_CA, 9, NULL, 0), XOS_MALFORMED, NULL);
	/* What the front end may not ask for at all. */
	struct xos_buf any;
	xos_buf_init(&any, 16);
	xos_buf_put_str(&any, "x");
	expect(ask(VOPS_SIGN, &any, NULL), XOS_DENIED, "channel-type");
	expect(ask(VOPS_OBJECT, &any, NULL), XOS_MALFORMED, NULL);
	expect(ask(VOPS_BUNDLE, &any, NULL), XOS_MALFORMED, NULL);
	xos_buf_free(&any);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops hostile");
	TCase *tc = tcase_create("hostile");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_bundle_needs_every_part_but_the_site_set);
	tcase_add_test(tc, a_new_bundle_only_when_something_changed);
	tcase_add_test(tc, heads_of_logs_come_along);
	tcase_add_test(tc, serials_grow_over_kill_and_start);
	tcase_add_test(tc, who_may_not_push);
	tcase_add_test(tc, an_administrator_who_left_or_is_locked);
	tcase_add_test(tc, nobody_commands_before_the_administrators_are_known);
	tcase_add_test(tc, sets_that_are_not_the_vos_own);
	tcase_add_test(tc, a_site_set_needs_the_sites_key);
	tcase_add_test(tc, rosters_and_locks_need_their_signers);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
