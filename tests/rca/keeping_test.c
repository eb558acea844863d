/*
 * A key that was copied shows, a lost answer is not taken for it, and a certificate that has ended is renewed only
 * where the owner says so; whoever asks, and whatever is killed in between.
 */
#include "lying.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/keep.h"
#include "api/sshhost.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "rca/conf.h"
#include "rca/nodes.h"
#include "rca/sites.h"

static struct xos_chain node, jobs;
static struct xos_chain given[64]; /* what the authority gave, until done() */
static size_t ngiven;

static void admit(void)
{
	node = jobs = (struct xos_chain){.n = 0};
	admitted(&node, &jobs);
}

static void done(void)
{
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
	while (ngiven > 0)
		xos_chain_clear(&given[--ngiven]);
}

static void take(struct xos_json *answer, const struct xos_key *key, struct xos_chain *fresh)
{
	struct xos_err why = XOS_ERR_INIT;

	*fresh = (struct xos_chain){.n = 0};
	MUST(xos_chain_from_json(answer, "chain", fresh, &why), &why);
	fresh->key = xos_key_ref(key);
	MUST_TRUE(ngiven < sizeof(given) / sizeof(given[0]));
	given[ngiven++] = *fresh;
}

static enum xos_status send(
    uint16_t type, const char *from, struct xos_json *body, struct xos_json **answer)
{
	struct xos_buf text, payload;

	xos_buf_init(&text, XOS_BULK_MAX);
	xos_buf_init(&payload, XOS_BULK_MAX);
	MUST(xos_json_dump(body, &text, &err), &err);
	xos_buf_put_str(&payload, from);
	xos_buf_put(&payload, text.p, text.n);
	enum xos_status st = ask(type, xos_buf_bytes(&payload), answer);
	xos_buf_free(&payload);
	xos_buf_free(&text);
	xos_json_free(body);
	return st;
}

/* Renews what old is at this many seconds from now, as far as old's clock says; fresh: what came, with its key. */
static enum xos_status renew(
    const struct xos_chain *old, int64_t offset, const char *from, struct xos_chain *fresh)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_key *key = NULL;

	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_rca_renewal_sign("demo", old, key, xos_clock_now() + offset, &body, &err), &err);
	enum xos_status st = send(RCA_RENEW, from, body, &answer);
	if (st == XOS_OK && fresh)
		take(answer, key, fresh);
	xos_json_free(answer);
	xos_key_free(key);
	return st;
}

static enum xos_status confirm(const struct xos_chain *own, int64_t offset)
{
	struct xos_json *body = NULL;

	MUST(xos_rca_confirm_sign("demo", own, xos_clock_now() + offset, &body, &err), &err);
	return send(RCA_CONFIRM, "198.51.100.7\n", body, NULL);
}

/* What the list says of n1. */
static void listed(const char *state, const char *message, const char *member)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	const char *got = NULL;

	MUST(ask(RCA_NODES, XOS_BYTES_NONE, &doc), &err);
	MUST(xos_json_get_array(doc, "nodes", 4, &list, &err), &err);
	MUST(xos_json_get_string(xos_json_at(list, 0), "state", 20, &got, &err), &err);
	ck_assert_str_eq(got, state);
	if (message) {
		MUST(xos_json_get_string(xos_json_at(list, 0), member, 400, &got, &err), &err);
		ck_assert_msg(strstr(got, message) != NULL, "%s", got);
	}
	xos_json_free(doc);
}

static bool in_the_log(const char *text)
{
	char *path = xos_test_path(dir, "key/issued.log");
	struct xos_buf b;

	xos_buf_init(&b, 1 << 22);
	MUST(xos_file_read(path, 1 << 22, &b, &err), &err);
	bool found = memmem(b.p, b.n, text, strlen(text)) != NULL;
	xos_buf_free(&b);
	free(path);
	return found;
}

static void twice(const struct xos_chain *old, int64_t offset)
{
	expect(renew(old, offset, "192.0.2.66\n", NULL), XOS_DENIED, "key-used-twice");
	listed("banned", "used twice", "message");
}

/* --- a second use --- */

START_TEST(a_lost_answer_is_no_theft)
{
	struct xos_chain lost, kept, next;

	admit();
	expect(renew(&node, 0, "", &lost), XOS_OK, NULL);
	expect(renew(&node, 1, "", &lost), XOS_OK, NULL);
	stop(SIGKILL);
	start();
	expect(renew(&node, 2, "", &kept), XOS_OK, NULL);
	expect(confirm(&kept, 0), XOS_OK, NULL);
	expect(confirm(&kept, 0), XOS_OK, NULL);
	expect(renew(&kept, 0, "", &next), XOS_OK, NULL);
	listed("active", NULL, NULL);
	/* The service's generations are its own. */
	expect(renew(&jobs, 0, "", NULL), XOS_OK, NULL);
	done();
}
END_TEST

START_TEST(after_the_new_one_was_used_the_old_one_is_a_second_use)
{
	struct xos_chain fresh;

	admit();
	expect(renew(&node, 0, "203.0.113.5\n", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	stop(SIGKILL);
	start();
	twice(&node, 5);
	listed("banned", "its key of generation 1 was used twice: at 2", "message");
	listed("banned", "Z from 203.0.113.5 and at 2", "message");
	listed("banned", "from 192.0.2.66", "message");
	ck_assert(in_the_log("from 192.0.2.66"));
	/* Both are out, and so is the service. */
	expect(renew(&fresh, 0, "", NULL), XOS_DENIED, "node-banned");
	ck_assert(strstr(err.text, "is locked since 2") && strstr(err.text, "used twice"));
	expect(confirm(&fresh, 0), XOS_DENIED, "node-banned");
	expect(renew(&jobs, 0, "", NULL), XOS_DENIED, "node-banned");
	/* What was said first stays. */
	expect(renew(&node, 6, "192.0.2.99\n", NULL), XOS_DENIED, NULL);
	listed("banned", "from 192.0.2.66", "message");
	done();
}
END_TEST

START_TEST(a_renewal_by_the_new_one_is_a_use_too)
{
	struct xos_chain a, b, c;

	admit();
	expect(renew(&node, 0, "", &a), XOS_OK, NULL);
	expect(renew(&a, 0, "", &b), XOS_OK, NULL);
	expect(renew(&b, 0, "", &c), XOS_OK, NULL);
	twice(&a, 5);
	done();
}
END_TEST

START_TEST(an_old_generation_is_known_for_long)
{
	struct xos_chain at = node, next;

	admit();
	at = node;
	for (int i = 0; i < 40; i++) {
		expect(renew(&at, 0, "", &next), XOS_OK, NULL);
		at = next;
	}
	expect(renew(&node, 5, "192.0.2.66\n", NULL), XOS_DENIED, "key-used-twice");
	listed("banned", "was used", "message");
	done();
}
END_TEST

START_TEST(the_thief_who_comes_first_shows_as_well)
{
	struct xos_chain thief, lawful;

	admit();
	expect(renew(&node, 0, "192.0.2.66\n", &thief), XOS_OK, NULL);
	expect(renew(&node, 1, "203.0.113.5\n", &lawful), XOS_OK, NULL);
	expect(confirm(&lawful, 0), XOS_OK, NULL);
	expect(confirm(&thief, 0), XOS_DENIED, "key-used-twice");
	listed("banned", "its key of generation 1 was used twice", "message");
	listed("banned", "from 192.0.2.66 and", "message");
	done();
}
END_TEST

START_TEST(an_old_image_that_only_confirms_shows_too)
{
	struct xos_chain fresh;

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	expect(confirm(&node, 5), XOS_DENIED, "key-used-twice");
	listed("banned", "used twice", "message");
	done();
}
END_TEST

START_TEST(a_request_that_was_held_up_is_no_second_use)
{
	struct xos_chain fresh, again;
	struct xos_json *held = NULL, *word = NULL;

	admit();
	MUST(xos_rca_renewal_sign("demo", &node, jobs_key, xos_clock_now(), &held, &err), &err);
	MUST(xos_rca_confirm_sign("demo", &node, xos_clock_now(), &word, &err), &err);
	expect(renew(&node, 1, "", &fresh), XOS_OK, NULL);
	struct xos_json *copy = xos_json_copy(held);
	/* Neither before the new one was used, which it would pass over, nor after. */
	expect(send(RCA_RENEW, "", held, NULL), XOS_DENIED, "renewal-late");
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	expect(send(RCA_RENEW, "", copy, NULL), XOS_DENIED, "command-replayed");
	expect(send(RCA_CONFIRM, "", word, NULL), XOS_DENIED, "renewal-late");
	expect(renew(&fresh, 1, "", &again), XOS_OK, NULL);
	listed("active", NULL, NULL);
	done();
}
END_TEST

static void with_database(void (*change)(struct xos_store *db))
{
	char *path = xos_test_path(dir, "auth/nodes.db");
	struct xos_store *db = NULL;

	stop(0);
	MUST(rca_nodes_open(path, &db, &err), &err);
	MUST(xos_store_begin(db, &err), &err);
	change(db);
	MUST(xos_store_commit(db, &err), &err);
	xos_store_close(db);
	free(path);
	start();
}

static void forget(struct xos_store *db)
{
	MUST(xos_store_exec(db, "DELETE FROM generations", &err), &err);
}

START_TEST(a_database_from_before_takes_the_first_that_renews)
{
	struct xos_chain fresh, older = {.n = 0};
	const struct xos_test_who n1 = {.name = "n1", .not_before = xos_clock_now() - 86400};

	admit();
	with_database(forget);
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	/* From before the one that was taken: refused, and says nothing about the keys of today. */
	xos_test_node(vo, &n1, &older);
	expect(renew(&older, 0, "", NULL), XOS_DENIED, "renewal-former");
	listed("active", NULL, NULL);
	twice(&node, 5);
	xos_chain_clear(&older);
	done();
}
END_TEST

START_TEST(nobody_can_say_for_a_node_that_its_certificate_is_in_use)
{
	struct xos_chain fresh, stolen;
	struct xos_json *body = NULL;

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	stolen = fresh;
	stolen.key = jobs_key;
	expect(confirm(&stolen, 0), XOS_DENIED, NULL);
	expect(confirm(&fresh, -1000), XOS_EXPIRED, "renewal-time");
	expect(confirm(&fresh, 1000), XOS_NOT_YET_VALID, "renewal-time");
	expect(confirm(&alice, 0), XOS_DENIED, "token-kind");
	/* A renewal is no confirmation, and the reverse. */
	MUST(xos_rca_renewal_sign("demo", &fresh, jobs_key, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_CONFIRM, "", body, NULL), XOS_DENIED, "jws-header");
	MUST(xos_rca_confirm_sign("demo", &fresh, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_RENEW, "", xos_json_copy(body), NULL), XOS_DENIED, "jws-header");
	/* None of it counted: the old key still renews. */
	expect(renew(&node, 1, "", &stolen), XOS_OK, NULL);
	/* The word of one that was passed over by then is a second use; once, not again and again. */
	expect(send(RCA_CONFIRM, "", xos_json_copy(body), NULL), XOS_DENIED, "key-used-twice");
	expect(send(RCA_CONFIRM, "", body, NULL), XOS_DENIED, "command-replayed");
	done();
}
END_TEST

static enum xos_status unban(const struct xos_chain *by, const char *accept)
{
	struct xos_json *args = with("node", "n1");

	if (accept)
		xos_json_set_string(args, "accept", accept);
	return ask_json(RCA_COMMAND, sign_at(by, "rca", "node.unban", args, 0), NULL);
}

START_TEST(a_lock_for_a_second_use_ends_with_the_key_that_is_named)
{
	struct xos_chain fresh, next;
	char key[XOS_FINGERPRINT_TEXT];
	struct xos_json *args = with("node", "n1");

	admit();
	expect(renew(&node, 0, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	twice(&node, 5);
	xos_fingerprint_text(xos_key_spki_sha256(fresh.key), key);
	expect(unban(&admin, NULL), XOS_DENIED, "key-used-twice");
	expect(unban(&alice, key), XOS_DENIED, "not-administrator");
	expect(unban(&admin, "sha256:12"), XOS_MALFORMED, NULL);
	xos_fingerprint_text(xos_key_spki_sha256(jobs_key), key);
	expect(unban(&admin, key), XOS_NOT_FOUND, "no-generation");
	listed("banned", "used twice", "message");
	/* A ban with an end in its place is no way around. */
	xos_json_set_time(args, "until", xos_clock_now() + 3600);
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", args, 0), NULL), XOS_OK, NULL);
	expect(unban(&admin, NULL), XOS_DENIED, "key-used-twice");
	xos_fingerprint_text(xos_key_spki_sha256(fresh.key), key);
	expect(unban(&admin, key), XOS_OK, NULL);
	listed("active", NULL, NULL);
	expect(renew(&fresh, 1, "", &next), XOS_OK, NULL);
	expect(confirm(&next, 0), XOS_OK, NULL);
	twice(&node, 9);
	done();
}
END_TEST

/* --- after the end --- */

static int64_t grace;

static void allow(struct xos_store *db)
{
	struct xos_key *key = NULL;
	struct xos_admission a = {.serial = 1, .expires = xos_clock_now() + 86400, .rescue = grace};

	MUST(xos_key_generate(&key, &err), &err);
	MUST_TRUE(xos_str_copy(a.site, sizeof(a.site), "lab"));
	MUST(rca_site_add(db, "lab", key, "admin", xos_clock_now(), &err), &err);
	MUST(rca_site_terms_put(db, &a, xos_bytes_str("terms"), xos_clock_now(), &err), &err);
	xos_key_free(key);
}

static enum xos_status rescue(const struct xos_chain *old, struct xos_chain *fresh)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_key *key = NULL;

	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_rca_rescue_sign("demo", old, key, xos_clock_now(), &body, &err), &err);
	enum xos_status st = send(RCA_RESCUE, "203.0.113.5\n", body, &answer);
	if (st == XOS_OK && fresh)
		take(answer, key, fresh);
	xos_json_free(answer);
	xos_key_free(key);
	return st;
}

static void ended(struct xos_chain *out, const struct xos_test_vo *of, int64_t ago)
{
	const struct xos_test_who who = {.name = "n1",
	    .not_before = xos_clock_now() - ago - 3600,
	    .not_after = xos_clock_now() - ago};

	*out = (struct xos_chain){.n = 0};
	xos_test_node(of, &who, out);
}

START_TEST(rescue_only_where_and_as_long_as_the_owner_allows)
{
	struct xos_chain old, older, foreign, fresh;

	admit();
	with_database(forget);
	ended(&old, vo, 600);
	ended(&older, vo, 7200);
	ended(&foreign, twin, 600);
	expect(rescue(&old, NULL), XOS_EXPIRED, "rescue-over");
	ck_assert(strstr(err.text, "allows no renewal") && strstr(err.text, "xos-node join"));
	grace = 3600;
	with_database(allow);
	expect(rescue(&older, NULL), XOS_EXPIRED, "rescue-over");
	expect(rescue(&foreign, NULL), XOS_DENIED, NULL);
	expect(rescue(&node, NULL), XOS_DENIED, "rescue-early");
	expect(renew(&old, 0, "", NULL), XOS_EXPIRED, NULL);
	listed("active", NULL, NULL);
	ck_assert(!in_the_log("\"ended\""));
	expect(rescue(&old, &fresh), XOS_OK, NULL);
	expect_identity(&fresh, XOS_KIND_NODE, NULL);
	listed("active", "20", "rescued");
	ck_assert(in_the_log("\"ended\""));
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	xos_chain_clear(&old);
	xos_chain_clear(&older);
	xos_chain_clear(&foreign);
	done();
}
END_TEST

START_TEST(rescue_needs_the_key_the_node_and_its_good_standing)
{
	struct xos_chain old, stolen;
	struct xos_json *body = NULL, *args = with("node", "n1");
	struct xos_key *key = NULL;

	admit();
	with_database(forget);
	grace = 3600;
	with_database(allow);
	ended(&old, vo, 600);
	MUST(xos_key_generate(&key, &err), &err);
	stolen = old;
	stolen.key = key;
	expect(rescue(&stolen, NULL), XOS_DENIED, NULL);
	MUST(xos_rca_renewal_sign("demo", &old, key, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_RESCUE, "", body, NULL), XOS_DENIED, "jws-header");
	MUST(xos_rca_rescue_sign("demo", &old, key, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_RESCUE, "", xos_json_copy(body), NULL), XOS_OK, NULL);
	expect(send(RCA_RESCUE, "", body, NULL), XOS_DENIED, "command-replayed");
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", args, 0), NULL), XOS_OK, NULL);
	expect(rescue(&old, NULL), XOS_DENIED, NULL);
	xos_key_free(key);
	xos_chain_clear(&old);
	done();
}
END_TEST

/* The old one was rescued elsewhere already, and that one is in use. */
START_TEST(a_second_rescue_is_a_second_use)
{
	struct xos_chain old, fresh;
	struct xos_json *late = NULL;

	admit();
	with_database(forget);
	grace = 3600;
	with_database(allow);
	ended(&old, vo, 600);
	expect(rescue(&old, &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	MUST(xos_rca_rescue_sign("demo", &old, jobs_key, xos_clock_now() + 5, &late, &err), &err);
	expect(send(RCA_RESCUE, "192.0.2.66\n", late, NULL), XOS_DENIED, "key-used-twice");
	listed("banned", "used twice", "message");
	xos_chain_clear(&old);
	done();
}
END_TEST

/* --- host certificates of ssh --- */

static struct xos_rca_ssh_keys host_keys(size_t n)
{
	struct xos_rca_ssh_keys keys = {.n = n};
	struct xos_key *key = NULL;

	for (size_t i = 0; i < n; i++) {
		MUST(xos_key_generate(&key, &err), &err);
		MUST(xos_ssh_key_of(key, &keys.key[i], &err), &err);
		xos_key_free(key);
	}
	return keys;
}

static enum xos_status ssh_host(const struct xos_chain *own, const struct xos_rca_ssh_keys *keys,
    int64_t offset, struct xos_json **answer)
{
	struct xos_json *body = NULL;

	MUST(xos_rca_ssh_host_sign("demo", own, keys, xos_clock_now() + offset, &body, &err), &err);
	return send(RCA_SSH_HOST, "203.0.113.5\n", body, answer);
}

static void authority(struct xos_ssh_key *out)
{
	struct xos_buf reply;

	MUST(xos_bulk_call(parts.to_auth, RCA_SSH_AUTHORITY, XOS_BYTES_NONE,
	         xos_clock_mono_ms() + 60000, &reply, &err),
	    &err);
	MUST(xos_ssh_authority_open(
	         xos_buf_bytes(&reply), trust, "demo", xos_clock_now(), out, &err),
	    &err);
	xos_buf_free(&reply);
}

START_TEST(host_certificates_carry_the_approved_names_and_no_others)
{
	struct xos_rca_ssh_keys keys = host_keys(2);
	struct xos_json *answer = NULL;
	struct xos_ssh_key ca, x509;
	struct xos_sshcert c;
	const char **list = NULL;
	size_t n = 0;

	admit();
	expect(ssh_host(&node, &keys, 0, &answer), XOS_OK, NULL);
	MUST(xos_json_get_strings(answer, "certificates", 8, XOS_SSH_LINE_MAX, &list, &n, &err),
	    &err);
	ck_assert_uint_eq(n, 2);
	MUST(xos_sshcert_from_line(xos_bytes_str(list[1]), &c, &err), &err);
	ck_assert_str_eq(c.id, "demo/node/n1");
	ck_assert_uint_eq(c.nprincipals, 1);
	ck_assert_str_eq(c.principals[0], "127.0.0.1");
	ck_assert(c.key.n == keys.key[1].n && memcmp(c.key.blob, keys.key[1].blob, c.key.n) == 0);
	ck_assert_int_le(c.before, xos_clock_now() + conf.node_life);
	authority(&ca);
	ck_assert(c.authority.n == ca.n && memcmp(c.authority.blob, ca.blob, ca.n) == 0);
	MUST(xos_ssh_key_of(vo->rca_key, &x509, &err), &err);
	ck_assert(x509.n != ca.n || memcmp(x509.blob, ca.blob, ca.n) != 0);
	ck_assert(in_the_log("\"principals\""));
	free(list);
	xos_json_free(answer);
	/* The same authority after a restart. */
	stop(SIGKILL);
	start();
	authority(&x509);
	ck_assert(memcmp(x509.blob, ca.blob, ca.n) == 0);
	done();
}
END_TEST

START_TEST(host_certificates_are_for_nodes_in_good_standing)
{
	struct xos_rca_ssh_keys keys = host_keys(1), none = {.n = 0}, same = host_keys(2);
	struct xos_chain stolen, fresh;
	struct xos_json *body = NULL, *args = with("node", "n1");

	admit();
	stolen = node;
	stolen.key = jobs_key;
	expect(ssh_host(&jobs, &keys, 0, NULL), XOS_DENIED, "token-kind");
	expect(ssh_host(&alice, &keys, 0, NULL), XOS_DENIED, "token-kind");
	expect(ssh_host(&stolen, &keys, 0, NULL), XOS_DENIED, NULL);
	expect(ssh_host(&node, &keys, -1000, NULL), XOS_EXPIRED, "renewal-time");
	expect(ssh_host(&node, &none, 0, NULL), XOS_MALFORMED, NULL);
	same.key[1] = same.key[0];
	expect(ssh_host(&node, &same, 0, NULL), XOS_MALFORMED, NULL);
	MUST(xos_rca_renewal_sign("demo", &node, jobs_key, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_SSH_HOST, "", body, NULL), XOS_DENIED, "jws-header");
	MUST(xos_rca_ssh_host_sign("demo", &node, &keys, xos_clock_now(), &body, &err), &err);
	expect(send(RCA_SSH_HOST, "", xos_json_copy(body), NULL), XOS_OK, NULL);
	expect(send(RCA_SSH_HOST, "", body, NULL), XOS_DENIED, "command-replayed");
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", args, 0), NULL), XOS_OK, NULL);
	expect(ssh_host(&node, &keys, 0, NULL), XOS_DENIED, "node-banned");
	expect(unban(&admin, NULL), XOS_OK, NULL);
	/* By a key that has been followed by another: a second use like any. */
	expect(renew(&node, 1, "", &fresh), XOS_OK, NULL);
	expect(confirm(&fresh, 0), XOS_OK, NULL);
	expect(ssh_host(&node, &keys, 5, NULL), XOS_DENIED, "key-used-twice");
	done();
}
END_TEST

START_TEST(whom_ssh_shall_believe_is_said_by_the_rca_key_alone)
{
	struct xos_trust *other = xos_test_vo_trust(twin);
	int64_t now = xos_clock_now();
	struct xos_key *key = NULL;
	struct xos_ssh_key got;
	struct xos_buf b;

	MUST(xos_key_generate(&key, &err), &err);
	xos_buf_init(&b, XOS_SSH_STATEMENT_MAX);
	MUST(xos_ssh_authority_sign(vo->rca_key, "demo", key, now, 100, &b, &err), &err);
	MUST(xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now, &got, &err), &err);
	expect(xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now + 500, &got, &err),
	    XOS_EXPIRED, "ssh-authority");
	expect(xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now - 500, &got, &err),
	    XOS_NOT_YET_VALID, NULL);
	ck_assert_int_ne(
	    xos_ssh_authority_open(xos_buf_bytes(&b), other, "demo", now, &got, &err), XOS_OK);
	ck_assert_int_ne(
	    xos_ssh_authority_open(xos_buf_bytes(&b), trust, "other", now, &got, &err), XOS_OK);
	b.n--;
	ck_assert_int_ne(
	    xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now, &got, &err), XOS_OK);
	b.n = 0;
	/* The ca's key signs members, not this; a member's or nobody's key even less. */
	MUST(xos_ssh_authority_sign(vo->ca_key, "demo", key, now, 100, &b, &err), &err);
	ck_assert_int_ne(
	    xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now, &got, &err), XOS_OK);
	b.n = 0;
	MUST(xos_ssh_authority_sign(key, "demo", key, now, 100, &b, &err), &err);
	ck_assert_int_ne(
	    xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now, &got, &err), XOS_OK);
	b.n = 0;
	MUST(xos_ssh_authority_sign(vo->rca_key, "demo2", key, now, 100, &b, &err), &err);
	expect(xos_ssh_authority_open(xos_buf_bytes(&b), trust, "demo", now, &got, &err),
	    XOS_DENIED, "wrong-vo");
	xos_buf_free(&b);
	xos_key_free(key);
	xos_trust_free(other);
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("keeping");

	tcase_add_test(tc, a_lost_answer_is_no_theft);
	tcase_add_test(tc, after_the_new_one_was_used_the_old_one_is_a_second_use);
	tcase_add_test(tc, a_renewal_by_the_new_one_is_a_use_too);
	tcase_add_test(tc, an_old_generation_is_known_for_long);
	tcase_add_test(tc, the_thief_who_comes_first_shows_as_well);
	tcase_add_test(tc, an_old_image_that_only_confirms_shows_too);
	tcase_add_test(tc, a_request_that_was_held_up_is_no_second_use);
	tcase_add_test(tc, a_database_from_before_takes_the_first_that_renews);
	tcase_add_test(tc, nobody_can_say_for_a_node_that_its_certificate_is_in_use);
	tcase_add_test(tc, a_lock_for_a_second_use_ends_with_the_key_that_is_named);
	tcase_add_test(tc, rescue_only_where_and_as_long_as_the_owner_allows);
	tcase_add_test(tc, rescue_needs_the_key_the_node_and_its_good_standing);
	tcase_add_test(tc, a_second_rescue_is_a_second_use);
	tcase_add_test(tc, host_certificates_carry_the_approved_names_and_no_others);
	tcase_add_test(tc, host_certificates_are_for_nodes_in_good_standing);
	tcase_add_test(tc, whom_ssh_shall_believe_is_said_by_the_rca_key_alone);
	return run_case(tc);
}
