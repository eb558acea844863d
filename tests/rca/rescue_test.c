/*
 * A certificate that has ended is renewed only where the owner says so; host certificates of ssh are for the names that
 * were approved.
 */
#include "keeping.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/keep.h"
#include "api/sshhost.h"
#include "base/clock.h"
#include "base/text.h"
#include "rca/conf.h"
#include "rca/sites.h"

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
	TCase *tc = lying_case("rescue");

	tcase_add_test(tc, rescue_only_where_and_as_long_as_the_owner_allows);
	tcase_add_test(tc, rescue_needs_the_key_the_node_and_its_good_standing);
	tcase_add_test(tc, a_second_rescue_is_a_second_use);
	tcase_add_test(tc, host_certificates_carry_the_approved_names_and_no_others);
	tcase_add_test(tc, host_certificates_are_for_nodes_in_good_standing);
	tcase_add_test(tc, whom_ssh_shall_believe_is_said_by_the_rca_key_alone);
	return run_case(tc);
}
