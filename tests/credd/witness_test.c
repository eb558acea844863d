/* The node as a witness: heads that a bundle brings, proofs, contradictions, and what is left after a restart. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/logproof.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "fixture.h"
#include "testsupport/heads.h"

#define LATER (1000 * 1000 * 1000)

static struct node *n;
static struct xos_test_log *grown;
static struct xos_chain accounting;
static uint64_t serial;
static char *log_dir;

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	serial = 1;
	n = node_new(&(struct xos_test_bundle){.serial = serial});
	log_dir = xos_test_dir_new();
	grown = xos_test_log_new(log_dir, "demo/ca", n->vo->ca_key);
	xos_test_log_grow(grown, 5, "first");
	accounting = (struct xos_chain){.n = 0};
	xos_test_accounting(n->vo, &accounting);
}

static void teardown(void)
{
	xos_test_log_free(grown);
	xos_test_dir_free(log_dir);
	xos_chain_clear(&accounting);
	node_free(n);
}

static struct xos_credd_witness *witness(void)
{
	return xos_credd_source_witness(n->source);
}

static void bring_bytes(struct xos_bytes head)
{
	struct xos_err err = XOS_ERR_INIT;

	serial++;
	const struct xos_test_bundle b = {.serial = serial, .head = head};
	/* Whatever it is, the bundle counts. */
	MUST(node_offer(n, &b, &err), &err);
}

static void bring_by(
    const struct xos_log_head *h, const struct xos_key *key, const struct xos_cert *beside)
{
	struct xos_buf b;

	xos_buf_init(&b, XOS_BUNDLE_HEAD_MAX);
	xos_test_head_carried(h, key, beside, &b);
	bring_bytes(xos_buf_bytes(&b));
	xos_buf_free(&b);
}

static void bring(const struct xos_log_head *h)
{
	bring_by(h, n->vo->ca_key, NULL);
}

static struct xos_credd_witnessed stand(enum xos_vo_log log)
{
	struct xos_credd_witness_state s;

	xos_credd_witness_state(witness(), &s);
	return s.log[log];
}

/* Asks for what is to be proven; doc NULL: it is refused. Takes doc. */
static void prove(uint64_t from, uint64_t to, struct xos_json *doc)
{
	struct xos_credd_witness_question q;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_OK;

	ck_assert(xos_credd_witness_next(witness(), LATER, &q));
	ck_assert_uint_eq(q.from, from);
	ck_assert_uint_eq(q.to, to);
	if (!doc)
		st = xos_err_set(&why, XOS_UNAVAILABLE, "away", "nobody is there");
	xos_credd_witness_answer(witness(), &q, doc, st, &why, 0);
	xos_json_free(doc);
}

static bool evidence(const char *service, bool remove_it)
{
	char name[64];
	snprintf(name, sizeof(name), "witness/%s.conflict", service);
	char *path = xos_test_path(n->conf.state, name);
	bool there = access(path, F_OK) == 0;
	if (remove_it)
		ck_assert_int_eq(remove(path), 0);
	free(path);
	return there;
}

START_TEST(a_log_that_grows)
{
	struct xos_credd_witness_question q;
	struct xos_log_head five = xos_test_log_head(grown), nine;

	bring(&five);
	ck_assert(stand(XOS_VO_LOG_CA).known);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	ck_assert(!xos_credd_witness_next(witness(), LATER, &q));
	bring(&five);
	ck_assert_str_eq(stand(XOS_VO_LOG_CA).trouble, "");
	xos_test_log_grow(grown, 4, "more");
	nine = xos_test_log_head(grown);
	bring(&nine);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).waiting, 9);
	/* Who has no proof just now is asked again, later; what was seen stays. */
	prove(5, 9, NULL);
	ck_assert_ptr_nonnull(strstr(stand(XOS_VO_LOG_CA).trouble, "not proven yet"));
	ck_assert(!stand(XOS_VO_LOG_CA).contradicted);
	ck_assert(!xos_credd_witness_next(witness(), 0, &q));
	prove(5, 9, xos_test_log_growth(grown, 5, 9));
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 9);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).waiting, 0);
	ck_assert_str_eq(stand(XOS_VO_LOG_CA).trouble, "");
	ck_assert(!evidence("ca", false));
	node_restart(n);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 9);
	ck_assert_int_eq(stand(XOS_VO_LOG_CA).signed_at, nine.time);
}
END_TEST

START_TEST(each_log_apart)
{
	struct xos_log_head ca = xos_test_log_head(grown), rca, acct;

	xos_test_head("demo/nodes", 3, n->vo->now, &rca);
	xos_test_head("demo/accounting", 0, n->vo->now, &acct);
	bring(&ca);
	bring_by(&rca, n->vo->rca_key, NULL);
	bring_by(&acct, accounting.key, accounting.cert[0]);
	ck_assert_uint_eq(stand(XOS_VO_LOG_RCA).records, 3);
	ck_assert(stand(XOS_VO_LOG_ACCOUNTING).known);
	/* One without records proves itself. */
	xos_test_head("demo/accounting", 6, n->vo->now, &acct);
	bring_by(&acct, accounting.key, accounting.cert[0]);
	ck_assert_uint_eq(stand(XOS_VO_LOG_ACCOUNTING).records, 6);
	rca.sequence = 2;
	bring_by(&rca, n->vo->rca_key, NULL);
	ck_assert(stand(XOS_VO_LOG_RCA).contradicted);
	ck_assert(!stand(XOS_VO_LOG_CA).contradicted);
	ck_assert(evidence("rca", false) && !evidence("ca", false));
}
END_TEST

/* Both heads, in the form in which anybody can verify them. */
static void check_evidence(uint64_t before, uint64_t now)
{
	static const char *const keys[] = {"before", "head"};
	uint64_t want[2] = {before, now};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_json *doc = NULL;
	struct xos_buf text;
	char *path = xos_test_path(n->conf.state, "witness/ca.conflict");
	struct xos_logproof_want w = {.root = n->vo->root,
	    .vo = "demo",
	    .log = "demo/ca",
	    .kind = XOS_KIND_USER,
	    .now = n->vo->now,
	    .skew = 300};

	MUST(xos_file_read(path, 65536, &text, &err), &err);
	for (size_t i = 0; i < 2; i++) {
		struct xos_log_head h;
		struct xos_buf bytes;

		MUST(xos_json_parse(xos_buf_bytes(&text), 65536, &doc, &err), &err);
		xos_buf_init(&bytes, 4096);
		MUST(xos_json_get_bytes(doc, keys[i], 4096, &bytes, &err), &err);
		xos_json_set_bytes(doc, "head", xos_buf_bytes(&bytes));
		MUST(xos_logproof_head(doc, &w, &h, NULL, &err), &err);
		ck_assert_uint_eq(h.sequence, want[i]);
		xos_buf_free(&bytes);
		xos_json_free(doc);
		doc = NULL;
	}
	xos_buf_free(&text);
	free(path);
}

START_TEST(a_smaller_head)
{
	struct xos_log_head five = xos_test_log_head(grown), three = five;

	three.sequence = 3;
	bring(&five);
	bring(&three);
	ck_assert(stand(XOS_VO_LOG_CA).contradicted);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	ck_assert_ptr_nonnull(strstr(stand(XOS_VO_LOG_CA).trouble, "records 4 to 5"));
	check_evidence(5, 3);
	/* The first evidence is kept, also over a restart and when the log shows itself as it was. */
	three.sequence = 2;
	bring(&three);
	check_evidence(5, 3);
	node_restart(n);
	bring(&five);
	ck_assert(stand(XOS_VO_LOG_CA).contradicted);
	ck_assert_ptr_nonnull(strstr(stand(XOS_VO_LOG_CA).trouble, "ca.conflict"));
	ck_assert(evidence("ca", true));
	bring(&five);
	ck_assert(!stand(XOS_VO_LOG_CA).contradicted);
	ck_assert_str_eq(stand(XOS_VO_LOG_CA).trouble, "");
}
END_TEST

START_TEST(another_head_of_the_same_size)
{
	struct xos_log_head five = xos_test_log_head(grown), root = five, hash = five;

	root.root[7] ^= 1;
	hash.hash[7] ^= 1;
	bring(&five);
	bring(&root);
	ck_assert(evidence("ca", true));
	bring(&five);
	ck_assert(!stand(XOS_VO_LOG_CA).contradicted);
	bring(&hash);
	ck_assert(evidence("ca", true));
	/* Also against one that nobody has proven yet. */
	xos_test_log_grow(grown, 4, "more");
	struct xos_log_head nine = xos_test_log_head(grown), twin = nine;
	twin.root[0] ^= 1;
	bring(&nine);
	bring(&twin);
	ck_assert(evidence("ca", false));
	check_evidence(9, 9);
}
END_TEST

START_TEST(a_log_that_was_written_anew)
{
	char *dir = xos_test_dir_new();
	struct xos_test_log *forged = xos_test_log_new(dir, "demo/ca", n->vo->ca_key);
	struct xos_credd_witness_question q;
	struct xos_log_head five = xos_test_log_head(grown), nine, true_nine;

	xos_test_log_grow(forged, 9, "other");
	nine = xos_test_log_head(forged);
	bring(&five);
	bring(&nine);
	prove(5, 9, xos_test_log_growth(forged, 5, 9));
	ck_assert(stand(XOS_VO_LOG_CA).contradicted);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	ck_assert(!xos_credd_witness_next(witness(), LATER, &q));
	check_evidence(5, 9);
	/* The true log goes on; the evidence stays. */
	xos_test_log_grow(grown, 4, "more");
	true_nine = xos_test_log_head(grown);
	bring(&true_nine);
	prove(5, 9, xos_test_log_growth(grown, 5, 9));
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 9);
	ck_assert(stand(XOS_VO_LOG_CA).contradicted);
	xos_test_log_free(forged);
	xos_test_dir_free(dir);
}
END_TEST

/* A proof that is none of its form is no proof. */
START_TEST(proofs_that_are_none)
{
	struct xos_log_head five = xos_test_log_head(grown), nine;
	struct xos_json *doc = xos_json_object();

	bring(&five);
	xos_test_log_grow(grown, 4, "more");
	nine = xos_test_log_head(grown);
	bring(&nine);
	prove(5, 9, doc);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	ck_assert(stand(XOS_VO_LOG_CA).contradicted);
}
END_TEST

START_TEST(heads_of_strangers)
{
	struct xos_credd_witness_state s;
	struct xos_log_head five = xos_test_log_head(grown), early = five;
	struct xos_test_vo *twin = xos_test_vo_new("demo", "lab", n->vo->now);

	bring_by(&five, twin->ca_key, twin->ca);
	bring_by(&five, n->vo->rca_key, NULL);
	bring_by(&five, n->vo->policy_key, n->vo->policy); /* the thief of the policy key */
	early.time = n->vo->now + 7200;
	bring(&early);
	bring_bytes(xos_bytes_str("no head"));
	xos_credd_witness_state(witness(), &s);
	ck_assert(!s.log[XOS_VO_LOG_CA].known);
	ck_assert_str_ne(s.refused, "");
	bring(&five);
	xos_credd_witness_state(witness(), &s);
	ck_assert(s.log[XOS_VO_LOG_CA].known);
	ck_assert_str_eq(s.refused, "");
	/* A head that is left out changes nothing. */
	bring_bytes(XOS_BYTES_NONE);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	xos_test_vo_free(twin);
}
END_TEST

START_TEST(what_is_kept_is_damaged)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_head five = xos_test_log_head(grown);
	char *path = xos_test_path(n->conf.state, "witness/ca.head");

	bring(&five);
	MUST(xos_file_write(path, 0600, xos_bytes_str("{\"head\":\"AA"), &err), &err);
	node_restart(n);
	ck_assert_ptr_nonnull(strstr(stand(XOS_VO_LOG_CA).trouble, "is damaged"));
	/* Whoever damages the file does not get a smaller head believed. */
	bring(&five);
	ck_assert_ptr_nonnull(strstr(stand(XOS_VO_LOG_CA).trouble, "is damaged"));
	ck_assert_int_eq(remove(path), 0);
	node_restart(n);
	bring(&five);
	ck_assert_uint_eq(stand(XOS_VO_LOG_CA).records, 5);
	free(path);
}
END_TEST

START_TEST(the_status_tells)
{
	struct xos_credd_witness_state s;
	struct xos_log_head five = xos_test_log_head(grown);
	struct xos_json *root = xos_json_object();
	const struct xos_json *list = NULL;
	struct xos_err err = XOS_ERR_INIT;
	uint64_t records = 0;

	bring(&five);
	xos_credd_witness_state(witness(), &s);
	xos_credd_witness_json(&s, root);
	MUST(xos_json_get_array(root, "logs", 3, &list, &err), &err);
	ck_assert_uint_eq(xos_json_count(list), 1);
	MUST(xos_json_get_uint64(xos_json_at(list, 0), "records", 100, &records, &err), &err);
	ck_assert_uint_eq(records, 5);
	xos_json_free(root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("witness");
	TCase *tc = tcase_create("witness");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_log_that_grows);
	tcase_add_test(tc, each_log_apart);
	tcase_add_test(tc, a_smaller_head);
	tcase_add_test(tc, another_head_of_the_same_size);
	tcase_add_test(tc, a_log_that_was_written_anew);
	tcase_add_test(tc, proofs_that_are_none);
	tcase_add_test(tc, heads_of_strangers);
	tcase_add_test(tc, what_is_kept_is_damaged);
	tcase_add_test(tc, the_status_tells);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
