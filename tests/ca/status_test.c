/*
 * The key process' side of revocation lists and OCSP, asked as the network process asks: what it signs follows
 * the locks, is not signed twice, and no message makes it say anything else.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/network/budget.h"
#include "ca/key/held.h"
#include "ca/key/key.h"
#include "pki/ocsp.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define URL "http://ca.example"
#define MANY 100000u

static char *dir, *p_key, *p_cert, *p_membership, *p_log;
static struct xos_test_vo *vo;
static struct ca_membership *m; /* as auth has it */
static struct ca_key *k;
static struct xos_err err;

static void open_key(void)
{
	struct ca_key_opts o = {.vo = "demo",
	    .key = p_key,
	    .cert = p_cert,
	    .membership = p_membership,
	    .log = p_log,
	    .lifetime = 3600,
	    .lifetime_max = 3600,
	    .http_url = URL "/"};

	MUST(ca_key_new(&o, &k, &err), &err);
}

static void setup(void)
{
	uint64_t number = 0;
	struct xos_buf pem;

	err = (struct xos_err)XOS_ERR_INIT;
	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	p_key = xos_test_path(dir, "ca.key");
	p_cert = xos_test_path(dir, "ca.pem");
	p_membership = xos_test_path(dir, "membership.db");
	p_log = xos_test_path(dir, "issuance.log");
	MUST(xos_key_save(vo->ca_key, p_key, NULL, &err), &err);
	xos_buf_init(&pem, 65536);
	xos_cert_to_pem(vo->ca, &pem);
	MUST(xos_file_write(p_cert, 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
	MUST(ca_membership_open(p_membership, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_member_add(m, "alice", vo->now, &number, &err), &err);
	MUST(ca_member_add(m, "bob", vo->now, &number, &err), &err);
	MUST(ca_group_add(m, "/demo/physics", vo->now, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	open_key();
}

static void teardown(void)
{
	ca_key_free(k);
	ca_membership_close(m);
	xos_test_vo_free(vo);
	free(p_key);
	free(p_cert);
	free(p_membership);
	free(p_log);
	xos_test_dir_free(dir);
}

static void issued(const char *serial, uint64_t number, const char *group, int64_t not_after)
{
	struct ca_token_entry e = {.number = number, .not_after = not_after};

	strcpy(e.serial, serial);
	MUST(ca_names_add(&e.names, group, strlen(group), &err), &err);
	MUST(ca_names_add(&e.names, "/demo", 5, &err), &err);
	MUST(ca_status_add(k, &e, xos_clock_now(), &err), &err);
	ca_names_free(&e.names);
}

static void lock(enum xos_lock_kind kind, const char *name, int64_t until)
{
	struct xos_lock l = {.kind = kind, .since = vo->now, .until = until};

	strcpy(l.name, name);
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_lock_add(m, &l, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
}

static void unlock(enum xos_lock_kind kind, const char *name)
{
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_lock_remove(m, kind, name, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
}

/* As network asks for it, and as a verifier takes it. */
static struct xos_crl *list(unsigned part, struct xos_buf *reply)
{
	const uint8_t ask = (uint8_t)part;
	struct ca_status_answer a;
	struct xos_crl *crl = NULL;

	xos_buf_init(reply, XOS_BULK_MAX);
	MUST(ca_handle_crl(k, 0, (struct xos_bytes){&ask, 1}, reply, &err), &err);
	MUST(ca_status_answer_get(xos_buf_bytes(reply), &a, &err), &err);
	MUST(xos_crl_parse(a.der, &crl, &err), &err);
	MUST(xos_crl_verify(crl, vo->ca, xos_clock_now(), 0, &err), &err);
	ck_assert_int_eq(a.next_update, xos_crl_next_update(crl));
	return crl;
}

static bool listed(unsigned part, const char *serial)
{
	struct xos_buf reply, der;
	struct xos_crl *crl = list(part, &reply);
	bool found;

	xos_buf_init(&der, XOS_SERIAL_MAX);
	MUST(xos_hex_decode(&der, serial, strlen(serial)), &err);
	found = xos_crl_find(crl, xos_buf_bytes(&der)) != NULL;
	xos_buf_free(&der);
	xos_crl_free(crl);
	xos_buf_free(&reply);
	return found;
}

START_TEST(parts_and_the_list_of_all_follow_the_locks)
{
	struct xos_buf a, b;
	struct xos_crl *one, *two;

	issued("400000000000000000000000000000c5", 1, "/demo/physics", vo->now + 600); /* part 05 */
	issued("400000000000000000000000000000c6", 2, "/demo", vo->now + 600);         /* part 06 */
	one = list(5, &a);
	ck_assert_str_eq(xos_crl_uri(one), URL "/crl/demo/05.crl");
	ck_assert(xos_crl_only_users(one));
	ck_assert_uint_eq(xos_crl_count(one), 0);
	/* Nothing changed: not signed anew. */
	two = list(5, &b);
	ck_assert(xos_bytes_eq(xos_crl_der(one), xos_crl_der(two)));
	xos_crl_free(two);
	xos_buf_free(&b);
	lock(XOS_LOCK_GROUP, "/demo/physics", XOS_LOCK_NO_END);
	two = list(5, &b);
	ck_assert_uint_eq(xos_crl_count(two), 1);
	ck_assert_int_eq(xos_crl_at(two, 0)->reason, XOS_CRL_HOLD);
	ck_assert_uint_gt(xos_crl_number(two), xos_crl_number(one));
	xos_crl_free(one);
	xos_crl_free(two);
	xos_buf_free(&a);
	xos_buf_free(&b);
	ck_assert(!listed(6, "400000000000000000000000000000c6"));
	ck_assert(listed(CA_CRL_ALL, "400000000000000000000000000000c5"));
	ck_assert(!listed(CA_CRL_ALL, "400000000000000000000000000000c6"));
	unlock(XOS_LOCK_GROUP, "/demo/physics");
	ck_assert(!listed(5, "400000000000000000000000000000c5"));
}
END_TEST

START_TEST(an_untouched_part_is_not_signed_again)
{
	struct xos_buf a, b;
	struct xos_crl *one, *two;

	issued("400000000000000000000000000000c5", 1, "/demo", vo->now + 600);
	one = list(6, &a);
	lock(XOS_LOCK_MEMBER, "alice", XOS_LOCK_NO_END);
	two = list(6, &b);
	ck_assert(xos_bytes_eq(xos_crl_der(one), xos_crl_der(two)));
	xos_crl_free(one);
	xos_crl_free(two);
	xos_buf_free(&a);
	xos_buf_free(&b);
	ck_assert(listed(5, "400000000000000000000000000000c5"));
}
END_TEST

/* RFC 5280 3.3: an entry stays on one list beyond the end of its certificate. */
START_TEST(an_expired_token_stays_on_the_list_once_more)
{
	issued("400000000000000000000000000000c5", 1, "/demo", vo->now - 10);
	lock(XOS_LOCK_MEMBER, "alice", XOS_LOCK_NO_END);
	ck_assert(listed(5, "400000000000000000000000000000c5"));
	issued("400000000000000000000000000001c5", 1, "/demo", vo->now - CA_TOKENS_KEEP);
	ck_assert(!listed(5, "400000000000000000000000000001c5"));
}
END_TEST

START_TEST(numbers_grow_over_a_restart)
{
	struct xos_buf a, b;
	struct xos_crl *one = list(7, &a), *two;

	ca_key_free(k);
	open_key();
	two = list(7, &b);
	ck_assert_uint_gt(xos_crl_number(two), xos_crl_number(one));
	xos_crl_free(one);
	xos_crl_free(two);
	xos_buf_free(&a);
	xos_buf_free(&b);
}
END_TEST

/* --- OCSP --- */

/* A request by SHA-256 for a serial; issuer NULL: one that is not ours. */
static void request(struct xos_buf *out, const struct xos_cert *issuer, const char *serial)
{
	static const uint8_t sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
	struct xos_ocsp_issuer i = {.sha1_name = {0}};
	struct xos_buf hex;
	struct xos_der w;

	if (issuer)
		MUST(xos_ocsp_issuer_init(issuer, &i, &err), &err);
	xos_buf_init(&hex, XOS_SERIAL_MAX);
	MUST(xos_hex_decode(&hex, serial, strlen(serial)), &err);
	xos_buf_init(out, XOS_OCSP_REQUEST_MAX);
	xos_der_init(&w, out);
	for (unsigned n = 0; n < 6; n++)
		xos_der_begin(&w, XOS_DER_SEQUENCE); /* request, tbs, list, single, id, algorithm */
	xos_der_put(&w, XOS_DER_OID, (struct xos_bytes){sha256, sizeof(sha256)});
	xos_der_end(&w);
	xos_der_put(&w, XOS_DER_OCTET_STRING, (struct xos_bytes){i.sha256_name, XOS_SHA256_LEN});
	xos_der_put(&w, XOS_DER_OCTET_STRING, (struct xos_bytes){i.sha256_key, XOS_SHA256_LEN});
	xos_der_put_unsigned(&w, xos_buf_bytes(&hex));
	for (unsigned n = 0; n < 5; n++)
		xos_der_end(&w);
	MUST(xos_der_finish(&w), &err);
	xos_buf_free(&hex);
}

/* The tag of CertStatus in the answer: 0x80 good, 0xa1 revoked, 0x82 unknown; 0: it is a failure. */
static uint8_t ask(const struct xos_cert *issuer, const char *serial, bool *keep)
{
	struct ca_status_answer a;
	struct xos_ocsp_request q;
	struct xos_buf req, reply;
	uint8_t tag = 0;

	request(&req, issuer, serial);
	xos_buf_init(&reply, XOS_BULK_MAX);
	MUST(ca_handle_ocsp(k, 0, xos_buf_bytes(&req), &reply, &err), &err);
	MUST(ca_status_answer_get(xos_buf_bytes(&reply), &a, &err), &err);
	MUST(xos_ocsp_request_parse(xos_buf_bytes(&req), &q, &err), &err);
	/* The answer repeats the CertID; the status follows it. */
	const uint8_t *at = memmem(a.der.p, a.der.n, q.id[0].der.p, q.id[0].der.n);
	if (at)
		tag = at[q.id[0].der.n];
	*keep = a.next_update != 0;
	xos_buf_free(&reply);
	xos_buf_free(&req);
	return tag;
}

START_TEST(answers_follow_the_locks)
{
	static const char serial[] = "400000000000000000000000000000c5";
	bool keep = false;

	issued(serial, 1, "/demo", vo->now + 600);
	ck_assert_uint_eq(ask(vo->ca, serial, &keep), 0x80);
	ck_assert(keep);
	lock(XOS_LOCK_TOKEN, serial, vo->now + 600);
	ck_assert_uint_eq(ask(vo->ca, serial, &keep), 0xa1);
	unlock(XOS_LOCK_TOKEN, serial);
	ck_assert_uint_eq(ask(vo->ca, serial, &keep), 0x80);
	/* One that nobody has may be issued in a moment. */
	ck_assert_uint_eq(ask(vo->ca, "4001", &keep), 0x82);
	ck_assert(!keep);
	issued("400000000000000000000000000001c5", 1, "/demo", vo->now - CA_TOKENS_KEEP);
	ck_assert_uint_eq(ask(vo->ca, "400000000000000000000000000001c5", &keep), 0x82);
	/* Nothing is said for another issuer. */
	ck_assert_uint_eq(ask(vo->rca, serial, &keep), 0);
	ck_assert(!keep);
	ck_assert_uint_eq(ask(NULL, serial, &keep), 0);
}
END_TEST

START_TEST(junk_gains_nothing)
{
	struct xos_buf reply, req;
	uint8_t junk[300];

	request(&req, vo->ca, "4001");
	xos_buf_init(&reply, XOS_BULK_MAX);
	for (size_t n = 0; n < sizeof(junk); n++) {
		xos_random(junk, sizeof(junk));
		ck_assert_int_ne(
		    ca_handle_ocsp(k, 0, (struct xos_bytes){junk, n}, &reply, &err), XOS_OK);
		if (n != 1)
			ck_assert_int_ne(
			    ca_handle_crl(k, 0, (struct xos_bytes){junk, n}, &reply, &err), XOS_OK);
		if (n < req.n)
			ck_assert_int_ne(
			    ca_handle_ocsp(k, 0, (struct xos_bytes){req.p, n}, &reply, &err),
			    XOS_OK);
		ck_assert_int_ne(
		    ca_handle_held(k, 1, (struct xos_bytes){junk, n}, &reply, &err), XOS_OK);
		ck_assert_int_ne(
		    ca_handle_token_end(k, 1, (struct xos_bytes){junk, n}, &reply, &err), XOS_OK);
	}
	for (unsigned part = XOS_POINTS_SHARDS; part < CA_CRL_ALL; part++) {
		const uint8_t b = (uint8_t)part;

		ck_assert_int_eq(
		    ca_handle_crl(k, 0, (struct xos_bytes){&b, 1}, &reply, &err), XOS_NOT_FOUND);
	}
	ck_assert_uint_eq(reply.n, 0);
	xos_buf_free(&reply);
	xos_buf_free(&req);
}
END_TEST

START_TEST(what_may_be_signed_in_a_second_is_bounded)
{
	struct ca_budget b = {0, 0};

	for (unsigned i = 0; i < 300; i++)
		ck_assert(ca_budget_take(&b, 300, 5000 + i));
	ck_assert(!ca_budget_take(&b, 300, 5300));
	ck_assert(!ca_budget_take(&b, 300, 5999));
	/* Nothing is saved up over quiet seconds. */
	for (unsigned i = 0; i < 300; i++)
		ck_assert(ca_budget_take(&b, 300, 9000));
	ck_assert(!ca_budget_take(&b, 300, 9000));
}
END_TEST

/* --- many --- */

static double since(int64_t from)
{
	return (double)(xos_clock_mono_ms() - from);
}

START_TEST(a_hundred_thousand_tokens)
{
	static const char last[] = "400000000000000000000001869f0005";
	uint64_t count = 0;
	char serial[33];
	bool keep = false;

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(serial, sizeof(serial), "4000000000000000%012x%04x", i, i % 64);
		issued(serial, 3 + i % 5000, i % 2 ? "/demo/physics" : "/demo", vo->now + 600);
	}
	issued(last, 1, "/demo/physics", vo->now + 600);
	ck_assert(!listed(5, last));
	ck_assert_uint_eq(ask(vo->ca, last, &keep), 0x80);
	lock(XOS_LOCK_GROUP, "/demo/physics", XOS_LOCK_NO_END);
	int64_t from = xos_clock_mono_ms();
	ck_assert_uint_eq(ask(vo->ca, last, &keep), 0xa1);
	double ocsp = since(from);
	from = xos_clock_mono_ms();
	ck_assert(listed(5, last));
	double part = since(from);
	from = xos_clock_mono_ms();
	ck_assert(listed(CA_CRL_ALL, last));
	double all = since(from);
	MUST(ca_held_count(m, k->tokens, XOS_LOCK_GROUP, "/demo/physics", vo->now, &count, &err),
	    &err);
	ck_assert_uint_eq(count, MANY / 2 + 1);
	if (getenv("XOS_TEST_TIMES"))
		printf(
		    "after a lock that holds %llu of %u: OCSP %.0f ms, part of the list %.0f ms, "
		    "whole list %.0f ms\n",
		    (unsigned long long)count, MANY + 1, ocsp, part, all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-status");
	TCase *t = tcase_create("status");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, parts_and_the_list_of_all_follow_the_locks);
	tcase_add_test(t, an_untouched_part_is_not_signed_again);
	tcase_add_test(t, an_expired_token_stays_on_the_list_once_more);
	tcase_add_test(t, numbers_grow_over_a_restart);
	tcase_add_test(t, answers_follow_the_locks);
	tcase_add_test(t, junk_gains_nothing);
	tcase_add_test(t, what_may_be_signed_in_a_second_is_bounded);
	tcase_add_test(t, a_hundred_thousand_tokens);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
