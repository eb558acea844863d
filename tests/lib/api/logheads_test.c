/* Heads as bundles carry them: who may have signed one, and what a liar makes of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "api/logheads.h"
#include "api/logproof.h"
#include "base/clock.h"
#include "base/event.h"
#include "testsupport/heads.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_test_vo *vo, *other;
static struct xos_trust *trust;
static struct xos_err err;
static struct xos_carried_want want;

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	other = xos_test_vo_new("demo", "lab", xos_clock_now());
	trust = xos_test_vo_trust(vo);
	want = (struct xos_carried_want){.trust = trust, .vo = "demo", .now = vo->now, .skew = 300};
}

static void teardown(void)
{
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(other);
}

static struct xos_log_head head_of(const char *name, uint64_t n)
{
	struct xos_log_head h;

	xos_test_head(name, n, vo->now, &h);
	return h;
}

static enum xos_status arrive(struct xos_bytes in, struct xos_carried_head *out)
{
	memset(&err, 0, sizeof(err));
	*out = (struct xos_carried_head){.signer = NULL};
	return xos_loghead_arrive(in, &want, out, &err);
}

/* With the certificate beside it or without; what came of it. */
static enum xos_status send(const struct xos_log_head *h, const struct xos_key *key,
    const struct xos_cert *beside, struct xos_carried_head *out)
{
	struct xos_buf b;

	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	xos_test_head_carried(h, key, beside, &b);
	enum xos_status st = arrive(xos_buf_bytes(&b), out);
	xos_buf_free(&b);
	return st;
}

static void refused(const struct xos_log_head *h, const struct xos_key *key,
    const struct xos_cert *beside, const char *code)
{
	struct xos_carried_head out;

	ck_assert_int_ne(send(h, key, beside, &out), XOS_OK);
	ck_assert_str_eq(err.code, code);
	ck_assert_ptr_null(out.signer);
}

START_TEST(each_log_by_its_own_key)
{
	struct xos_log_head ca = head_of("demo/ca", 7), rca = head_of("demo/nodes", 3);
	struct xos_log_head acct = head_of("demo/accounting", 2), got;
	struct xos_carried_head out;
	struct xos_chain accounting = {.n = 0};
	struct xos_bytes signature;

	xos_test_accounting(vo, &accounting);
	ck_assert_int_eq(send(&ca, vo->ca_key, NULL, &out), XOS_OK);
	ck_assert_int_eq(out.log, XOS_VO_LOG_CA);
	ck_assert_uint_eq(out.head.sequence, 7);
	/* What is kept is the signed head in the log's own form. */
	MUST(xos_log_head_decode(xos_buf_bytes(&out.encoded), &got, &signature, &err), &err);
	ck_assert_mem_eq(got.root, ca.root, XOS_LOG_HASH);
	xos_carried_head_clear(&out);
	ck_assert_int_eq(send(&ca, vo->ca_key, vo->ca, &out), XOS_OK);
	xos_carried_head_clear(&out);
	ck_assert_int_eq(send(&rca, vo->rca_key, NULL, &out), XOS_OK);
	ck_assert_int_eq(out.log, XOS_VO_LOG_RCA);
	xos_carried_head_clear(&out);
	ck_assert_int_eq(send(&acct, accounting.key, accounting.cert[0], &out), XOS_OK);
	ck_assert_int_eq(out.log, XOS_VO_LOG_ACCOUNTING);
	xos_carried_head_clear(&out);

	refused(&ca, vo->rca_key, vo->rca, "foreign-signer");
	refused(&rca, vo->ca_key, vo->ca, "foreign-signer");
	refused(&ca, accounting.key, accounting.cert[0], "foreign-signer");
	refused(&acct, vo->ca_key, vo->ca, "token-mismatch"); /* an issuer is nobody */
	refused(&acct, vo->policy_key, vo->policy, "token-kind");
	refused(&acct, accounting.key, NULL, "foreign-signer"); /* nobody knows it */
	xos_chain_clear(&accounting);
}
END_TEST

START_TEST(other_vos_and_strangers)
{
	struct xos_log_head ca = head_of("demo/ca", 7), elsewhere = head_of("lab/ca", 7);
	struct xos_log_head none = head_of("demo/sets", 7), early = head_of("demo/ca", 7);
	struct xos_carried_head out;

	/* A VO of the same name, whole in itself, under another root. */
	ck_assert_int_ne(send(&ca, other->ca_key, other->ca, &out), XOS_OK);
	refused(&ca, other->ca_key, NULL, "foreign-signer");
	refused(&ca, other->ca_key, vo->ca, "foreign-signer"); /* a certificate of another key */
	refused(&elsewhere, vo->ca_key, NULL, "log-name");
	refused(&none, vo->ca_key, NULL, "log-name");
	early.time = vo->now + 3600;
	refused(&early, vo->ca_key, NULL, "log-head-time");
	ca.has_root = false;
	ck_assert_int_eq(send(&ca, vo->ca_key, NULL, &out), XOS_MALFORMED);
}
END_TEST

START_TEST(damaged_on_the_way)
{
	struct xos_log_head ca = head_of("demo/ca", 7);
	struct xos_carried_head out;
	struct xos_buf b;

	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	xos_test_head_carried(&ca, vo->ca_key, vo->ca, &b);
	for (size_t n = 0; n < b.n; n++)
		if (b.p[n] != '~')
			ck_assert_int_ne(arrive((struct xos_bytes){b.p, n}, &out), XOS_OK);
	/* One more byte, and one changed. */
	xos_buf_put_str(&b, "A");
	ck_assert_int_ne(arrive(xos_buf_bytes(&b), &out), XOS_OK);
	b.n--;
	for (size_t i = 0; i < b.n; i += 7) {
		b.p[i] ^= 1;
		if (arrive(xos_buf_bytes(&b), &out) == XOS_OK)
			ck_abort_msg("byte %zu was changed", i);
		b.p[i] ^= 1;
	}
	xos_buf_free(&b);
}
END_TEST

/* From what GET log/head gives, with the certificate only for who lacks it. */
START_TEST(from_the_authority_to_the_node)
{
	struct xos_log_head h = head_of("demo/accounting", 4), got;
	const struct xos_cert *known[2] = {vo->ca, vo->rca};
	struct xos_logproof_want w = {.root = vo->root,
	    .vo = "demo",
	    .log = "demo/accounting",
	    .kind = XOS_KIND_ACCOUNTING,
	    .now = vo->now,
	    .skew = 300};
	struct xos_chain accounting = {.n = 0};
	struct xos_carried_head out;
	struct xos_json *doc;
	struct xos_buf b;

	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	xos_test_accounting(vo, &accounting);
	doc = xos_test_head_doc(&h, accounting.key, accounting.cert[0]);
	MUST(xos_logproof_head(doc, &w, &got, NULL, &err), &err);
	MUST(xos_loghead_carry(doc, known, 2, &b, &err), &err);
	ck_assert_ptr_nonnull(memchr(b.p, '~', b.n));
	ck_assert_int_eq(arrive(xos_buf_bytes(&b), &out), XOS_OK);
	/* And back into a document, for people who compare. */
	struct xos_json *again = xos_loghead_doc(&out);
	MUST(xos_logproof_head(again, &w, &got, NULL, &err), &err);
	ck_assert_uint_eq(got.sequence, 4);
	w.kind = XOS_KIND_USER;
	ck_assert_int_ne(xos_logproof_head(again, &w, &got, NULL, &err), XOS_OK);
	xos_json_free(again);
	xos_carried_head_clear(&out);
	xos_json_free(doc);
	/* An issuer that signs heads of the accounting. */
	w.kind = XOS_KIND_ACCOUNTING;
	doc = xos_test_head_doc(&h, vo->ca_key, vo->ca);
	ck_assert_int_ne(xos_logproof_head(doc, &w, &got, NULL, &err), XOS_OK);
	xos_json_free(doc);
	doc = xos_test_head_doc(&h, vo->ca_key, accounting.cert[0]);
	ck_assert_int_eq(xos_logproof_head(doc, &w, &got, NULL, &err), XOS_DENIED);
	xos_json_free(doc);
	/* Issuers go in every bundle. */
	h = head_of("demo/ca", 4);
	doc = xos_test_head_doc(&h, vo->ca_key, vo->ca);
	xos_buf_free(&b);
	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	MUST(xos_loghead_carry(doc, known, 2, &b, &err), &err);
	ck_assert_ptr_null(memchr(b.p, '~', b.n));
	xos_json_free(doc);
	doc = xos_test_head_doc(&h, vo->ca_key, vo->rca);
	ck_assert_int_eq(xos_loghead_carry(doc, NULL, 0, &b, &err), XOS_MALFORMED);
	xos_json_free(doc);
	xos_chain_clear(&accounting);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("logheads");
	TCase *tc = tcase_create("logheads");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_log_by_its_own_key);
	tcase_add_test(tc, other_vos_and_strangers);
	tcase_add_test(tc, damaged_on_the_way);
	tcase_add_test(tc, from_the_authority_to_the_node);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
