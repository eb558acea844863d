/* See captured.h. */
#include "captured.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/bulk.h"
#include "testsupport/must.h"

static char *dir;
struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct vops_conf conf;
struct xos_err err;
struct xos_chain admin, alice;
struct xos_bundle_seen seen;
size_t heads_seen; /* in the last bundle */

struct xos_test_parts parts = {
    .auth = {vops_auth_open, vops_auth_serve, vops_auth_close},
    .key = {vops_key_open, vops_key_serve, vops_key_close},
    .conf = &conf,
};

/* Hands auth a list that names admin, or nobody. */
enum xos_status administrators(
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

void start(void)
{
	xos_test_parts_start(&parts);
	MUST(administrators(vo->ca_key, 0, 1, true, NULL), &err);
}

void stop(int sig)
{
	ck_assert(xos_test_parts_stop(&parts, sig) || sig);
}

void member(struct xos_chain *out, const char *name, uint64_t number, bool role)
{
	static const char *const groups[] = {"/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};
	const struct xos_test_who who = {
	    .name = name, .number = number, .groups = groups, .roles = role ? roles : NULL};

	xos_test_member(vo, &who, out);
}

void captured_setup(void)
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

void captured_teardown(void)
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

enum xos_status ask(uint16_t type, const struct xos_buf *in, struct xos_buf *reply)
{
	struct xos_buf own;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_bulk_call(parts.to_auth, type, xos_buf_bytes(in),
	    xos_clock_mono_ms() + 60000, reply ? reply : &own, &err);
	if (!reply)
		xos_buf_free(&own);
	return st;
}

enum xos_status send_body(struct xos_json *body)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BULK_MAX);
	MUST(xos_json_dump(body, &text, &err), &err);
	enum xos_status st = ask(VOPS_COMMAND, &text, NULL);
	xos_buf_free(&text);
	xos_json_free(body);
	return st;
}

struct xos_json *sign_for(const struct xos_chain *by, const char *aud, const char *verb,
    const char *key, const char *value)
{
	struct xos_json *args = xos_json_object(), *body = NULL;

	if (key)
		xos_json_set_string(args, key, value);
	MUST(xos_command_sign(by, "demo", aud, verb, args, xos_clock_now(), &body, &err), &err);
	xos_json_free(args);
	return body;
}

enum xos_status push(const struct xos_chain *by, const char *text)
{
	return send_body(sign_for(by, "vops", "policy.push", "text", text));
}

enum xos_status register_site(const struct xos_chain *by, const struct xos_key *key)
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

enum xos_status put_set(const struct xos_key *key, const char *site, const char *text)
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

enum xos_status put_object(enum vops_object o, const struct xos_buf *compact)
{
	struct xos_buf message;

	xos_buf_init(&message, XOS_BULK_MAX);
	xos_buf_u8(&message, (uint8_t)o);
	xos_buf_lp(&message, xos_buf_bytes(compact));
	enum xos_status st = ask(VOPS_OBJECT, &message, NULL);
	xos_buf_free(&message);
	return st;
}

enum xos_status roster(
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

enum xos_status locks(
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
enum xos_status fetch(char etag[XOS_VOPS_ETAG_MAX], bool *changed, uint64_t *serial)
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

void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s, not %s: %s %s", xos_status_name(got), xos_status_name(want),
	    err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

void complete(void)
{
	expect(roster(vo->ca_key, 1, XOS_MEMBER_ACTIVE, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_CA, XOS_SIGNER_CA, 1, NULL, 0), XOS_OK, NULL);
	expect(locks(VOPS_LOCKS_RCA, XOS_SIGNER_RCA, 1, NULL, 0), XOS_OK, NULL);
	expect(register_site(&admin, vo->site_key), XOS_OK, NULL);
	expect(push(&admin, VO1), XOS_OK, NULL);
	expect(put_set(vo->site_key, "lab", SITE5), XOS_OK, NULL);
}

/* A command with a text and one more argument, by a member. */
enum xos_status send_two(const struct xos_chain *by, const char *verb, const char *k1,
    const char *v1, const char *k2, const char *v2, const char *text)
{
	struct xos_json *args = xos_json_object(), *body = NULL;

	xos_json_set_string(args, k1, v1);
	xos_json_set_string(args, k2, v2);
	xos_json_set_string(args, "text", text);
	MUST(xos_command_sign(by, "demo", "vops", verb, args, xos_clock_now(), &body, &err), &err);
	xos_json_free(args);
	return send_body(body);
}
