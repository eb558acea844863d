/* A client that believes nobody: heads and proofs of an authority's log, and what a liar makes of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "api/logproof.h"
#include "base/clock.h"
#include "base/event.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define RECORDS 20

static struct xos_test_vo *vo, *other;
static struct xos_err err;
static char *dir;
static struct xos_log *written;
static struct xos_loghead signer;
static struct xos_logproof_want want;

static void append(int from, int to)
{
	for (int i = from; i <= to; i++) {
		char text[32];

		snprintf(text, sizeof(text), "{\"n\":%d}", i);
		MUST(xos_log_append(written, 1, xos_bytes_str(text), NULL, &err), &err);
	}
}

static void setup(void)
{
	struct xos_log_crypto crypto;
	struct xos_log_options o = {.name = "demo/ca", .crypto = &crypto};
	char *path;

	xos_event_setup("test", XOS_ERROR + 1);
	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	other = xos_test_vo_new("demo", "lab", xos_clock_now());
	path = xos_test_path(dir, "log");
	o.path = path;
	signer.key = vo->ca_key;
	crypto = xos_loghead_crypto(&signer);
	MUST(xos_log_open(&o, &written, &err), &err);
	append(1, RECORDS);
	free(path);
	want = (struct xos_logproof_want){.root = vo->root,
	    .vo = "demo",
	    .log = "demo/ca",
	    .kind = XOS_KIND_USER,
	    .now = xos_clock_now(),
	    .skew = 300};
}

static void teardown(void)
{
	xos_log_close(written);
	xos_test_vo_free(vo);
	xos_test_vo_free(other);
	xos_test_dir_free(dir);
}

static struct xos_json *head_doc(struct xos_bytes encoded, const struct xos_cert *issuer)
{
	struct xos_chain chain = {.n = 0};
	struct xos_json *doc = xos_json_object();

	MUST(xos_chain_add(&chain, issuer), &err);
	xos_json_set_bytes(doc, "head", encoded);
	xos_chain_to_json(doc, "chain", &chain);
	xos_chain_clear(&chain);
	return doc;
}

static struct xos_log_head newest(void)
{
	struct xos_log_head head;

	MUST(xos_log_head_get(written, &head, NULL, &err), &err);
	return head;
}

/* The head as that key signs it, in a document with that issuer. */
static enum xos_status check(const struct xos_log_head *head, const struct xos_key *key,
    const struct xos_cert *issuer, struct xos_log_head *out)
{
	struct xos_loghead h = {.key = key};
	struct xos_log_crypto crypto = xos_loghead_crypto(&h);
	struct xos_buf signature, encoded;
	struct xos_json *doc;
	enum xos_status st;

	xos_buf_init(&signature, XOS_LOG_SIGNATURE_MAX);
	xos_buf_init(&encoded, 4096);
	MUST(crypto.sign_head(crypto.ctx, head, &signature, &err), &err);
	xos_log_head_encode(&encoded, head, xos_buf_bytes(&signature));
	doc = head_doc(xos_buf_bytes(&encoded), issuer);
	st = xos_logproof_head(doc, &want, out, NULL, &err);
	xos_json_free(doc);
	xos_buf_free(&encoded);
	xos_buf_free(&signature);
	return st;
}

START_TEST(heads_of_the_authority_alone)
{
	struct xos_log_head head = newest(), got = {.sequence = 0}, bad;

	ck_assert_int_eq(check(&head, vo->ca_key, vo->ca, &got), XOS_OK);
	ck_assert(got.sequence == RECORDS && memcmp(got.root, head.root, XOS_LOG_HASH) == 0);
	got.sequence = 0;
	/* Issuers of other kinds, of a root that has the same name, and a key that issues nothing. */
	ck_assert_int_ne(check(&head, vo->rca_key, vo->rca, &got), XOS_OK);
	ck_assert_int_ne(check(&head, vo->policy_key, vo->policy, &got), XOS_OK);
	ck_assert_int_ne(check(&head, other->ca_key, other->ca, &got), XOS_OK);
	ck_assert_int_ne(check(&head, other->ca_key, vo->ca, &got), XOS_OK);
	ck_assert_int_ne(check(&head, vo->ca_key, other->ca, &got), XOS_OK);
	bad = head;
	strcpy(bad.name, "demo/nodes");
	ck_assert_int_eq(check(&bad, vo->ca_key, vo->ca, &got), XOS_DENIED);
	ck_assert_str_eq(err.code, "log-name");
	bad = head;
	bad.has_root = false;
	ck_assert_int_eq(check(&bad, vo->ca_key, vo->ca, &got), XOS_MALFORMED);
	bad = head;
	bad.time = want.now + 3600;
	ck_assert_int_eq(check(&bad, vo->ca_key, vo->ca, &got), XOS_NOT_YET_VALID);
	want.now += INT64_C(100) * 365 * 86400;
	ck_assert_int_ne(check(&head, vo->ca_key, vo->ca, &got), XOS_OK);
	ck_assert_uint_eq(got.sequence, 0); /* untouched by all that */
}
END_TEST

START_TEST(a_changed_head)
{
	struct xos_log_head head, got;
	struct xos_buf encoded;

	MUST(xos_log_head_get(written, &head, &encoded, &err), &err);
	for (size_t i = 0; i < encoded.n; i++) {
		struct xos_json *doc;

		encoded.p[i] ^= (uint8_t)(1U << i % 8);
		doc = head_doc(xos_buf_bytes(&encoded), vo->ca);
		ck_assert_msg(xos_logproof_head(doc, &want, &got, NULL, &err) != XOS_OK,
		    "byte %zu is missed", i);
		encoded.p[i] ^= (uint8_t)(1U << i % 8);
		xos_json_free(doc);
	}
	xos_buf_free(&encoded);
}
END_TEST

static struct xos_json *record_doc(uint64_t sequence, uint64_t size, uint64_t entry_of)
{
	struct xos_json *doc = xos_json_object();
	struct xos_tree_path path;
	struct xos_log_record r;
	struct xos_buf entry, bytes;

	xos_buf_init(&entry, XOS_LOG_ENTRY_MAX);
	xos_buf_init(&bytes, sizeof(path.hash));
	MUST(xos_log_prove_record(written, sequence, size, &path, &err), &err);
	MUST(xos_log_get(written, entry_of, &entry, &r, &err), &err);
	xos_tree_path_put(&bytes, &path);
	xos_json_set_bytes(doc, "entry", xos_buf_bytes(&entry));
	xos_json_set_bytes(doc, "path", xos_buf_bytes(&bytes));
	xos_buf_free(&entry);
	xos_buf_free(&bytes);
	return doc;
}

static enum xos_status proven(
    struct xos_json *doc, const struct xos_log_head *head, uint64_t want_n)
{
	struct xos_log_record r;
	struct xos_buf entry;
	enum xos_status st = xos_logproof_record(doc, head, &entry, &r, &err);

	if (st == XOS_OK) {
		ck_assert_uint_eq(r.sequence, want_n);
		xos_buf_free(&entry);
	}
	xos_json_free(doc);
	return st;
}

START_TEST(records_under_their_head)
{
	struct xos_log_head head = newest(), short_head = head;

	for (uint64_t n = 1; n <= RECORDS; n++)
		ck_assert_int_eq(proven(record_doc(n, RECORDS, n), &head, n), XOS_OK);
	ck_assert_int_eq(proven(record_doc(4, RECORDS, 5), &head, 5), XOS_MALFORMED);
	ck_assert_int_eq(proven(record_doc(4, RECORDS - 1, 4), &head, 4), XOS_MALFORMED);
	short_head.sequence = 3;
	ck_assert_int_eq(proven(record_doc(4, RECORDS, 4), &short_head, 4), XOS_MALFORMED);
	ck_assert_int_eq(proven(xos_json_object(), &head, 0), XOS_MALFORMED);
}
END_TEST

static struct xos_json *growth_doc(uint64_t from, uint64_t to)
{
	struct xos_json *doc = xos_json_object();
	struct xos_tree_path path;
	struct xos_buf bytes;

	xos_buf_init(&bytes, sizeof(path.hash));
	MUST(xos_log_prove_growth(written, from, to, &path, &err), &err);
	xos_tree_path_put(&bytes, &path);
	xos_json_set_bytes(doc, "path", xos_buf_bytes(&bytes));
	xos_buf_free(&bytes);
	return doc;
}

START_TEST(a_log_that_grew_or_did_not)
{
	struct xos_log_head before = newest(), now, forged;
	struct xos_json *doc;

	append(RECORDS + 1, RECORDS + 13);
	now = newest();
	doc = growth_doc(before.sequence, now.sequence);
	ck_assert_int_eq(xos_logproof_growth(doc, &before, &now, &err), XOS_OK);
	ck_assert_int_eq(xos_logproof_growth(doc, &now, &before, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-went-back");
	ck_assert_ptr_nonnull(strstr(err.text, "records 21 to 33"));
	ck_assert_int_eq(xos_logproof_growth(NULL, &before, &now, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-rewritten");
	forged = now;
	forged.root[3] ^= 1;
	ck_assert_int_eq(xos_logproof_growth(doc, &before, &forged, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-rewritten");
	forged = before;
	forged.root[3] ^= 1;
	ck_assert_int_eq(xos_logproof_growth(doc, &forged, &now, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_logproof_growth(NULL, &before, &before, &err), XOS_OK);
	ck_assert_int_eq(xos_logproof_growth(NULL, &before, &forged, &err), XOS_MALFORMED);
	xos_json_free(doc);
}
END_TEST

/* The authority got a new key: what stands there goes on under it, and nobody else's key opens the log. */
START_TEST(a_log_goes_on_under_a_new_key)
{
	struct xos_loghead next = {.key = vo->rca_key};
	struct xos_log_crypto crypto = xos_loghead_crypto(&next);
	char *path = xos_test_path(dir, "log");
	const struct xos_log_options o = {.path = path, .name = "demo/ca", .crypto = &crypto};
	struct xos_log_head head;
	struct xos_bytes signature;
	struct xos_buf encoded;

	MUST(xos_log_commit(written, &err), &err);
	xos_log_close(written);
	written = NULL;
	ck_assert_int_eq(xos_log_open(&o, &written, &err), XOS_DENIED);
	next.before = other->ca_key;
	ck_assert_int_eq(xos_log_open(&o, &written, &err), XOS_DENIED);
	next.before = vo->ca_key;
	MUST(xos_log_open(&o, &written, &err), &err);
	MUST(xos_log_head_get(written, &head, &encoded, &err), &err);
	ck_assert_uint_eq(head.sequence, RECORDS);
	MUST(xos_log_head_decode(xos_buf_bytes(&encoded), &head, &signature, &err), &err);
	next.before = NULL;
	ck_assert_int_eq(crypto.verify_head(&next, &head, signature, &err), XOS_OK);
	xos_buf_free(&encoded);
	append(RECORDS + 1, RECORDS + 2);
	xos_log_close(written);
	written = NULL;
	MUST(xos_log_open(&o, &written, &err), &err); /* by the new key alone */
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("logproof");
	TCase *tc = tcase_create("logproof");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_log_goes_on_under_a_new_key);
	tcase_add_test(tc, heads_of_the_authority_alone);
	tcase_add_test(tc, a_changed_head);
	tcase_add_test(tc, records_under_their_head);
	tcase_add_test(tc, a_log_that_grew_or_did_not);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
