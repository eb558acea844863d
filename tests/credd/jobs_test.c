#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "credd/jobfile.h"
#include "fixture.h"
#include "pki/csr.h"

static struct node *n;

static void setup(void)
{
	n = node_new(&(struct xos_test_bundle){.serial = 5});
}

static void teardown(void)
{
	node_free(n);
}

/* One operation as a service user would ask for it. */
static enum xos_status op(enum xos_local_op which, const char *job, const struct xos_chain *chain,
    struct xos_local_answer *answer, struct xos_buf *plain, struct xos_secret **secret,
    struct xos_err *err)
{
	struct xos_credd_peer peer = {.uid = 0, .service = true};
	struct xos_local_request req = {.op = which};
	snprintf(req.job, sizeof(req.job), "%s", job);
	if (chain)
		req.nchain = xos_test_ders(chain, req.chain);
	*answer = (struct xos_local_answer){.op = which};
	xos_buf_init(plain, XOS_LOCAL_BODY_MAX);
	*err = (struct xos_err)XOS_ERR_INIT;
	return xos_credd_ops_handle(&n->ops, &peer, &req, answer, plain, secret, err);
}

static void prepare(
    const char *job, const struct xos_chain *who, uint8_t spki[XOS_SHA256_LEN], struct xos_buf *csr)
{
	struct xos_local_answer a;
	struct xos_err err;
	struct xos_csr parsed;
	ck_assert_msg(
	    op(XOS_LOCAL_JOB_PREPARE, job, who, &a, csr, NULL, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(csr), &parsed, &err), XOS_OK);
	memcpy(spki, parsed.spki_sha256, XOS_SHA256_LEN);
}

static struct xos_bytes spki_of(const struct xos_buf *csr)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_csr parsed;
	ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(csr), &parsed, &err), XOS_OK);
	return parsed.spki;
}

static void accept_fails(
    const char *job, const struct xos_chain *chain, enum xos_status want, const char *code)
{
	struct xos_local_answer a;
	struct xos_buf plain;
	struct xos_err err;
	enum xos_status st = op(XOS_LOCAL_JOB_ACCEPT, job, chain, &a, &plain, NULL, &err);
	ck_assert_msg(st == want, "%s instead of %s: %s", xos_status_name(st),
	    xos_status_name(want), err.text);
	ck_assert_str_eq(err.code, code);
	struct xos_secret *pem = NULL;
	ck_assert_int_eq(
	    op(XOS_LOCAL_JOB_CREDENTIAL, job, NULL, &a, &plain, &pem, &err), XOS_NOT_FOUND);
	ck_assert_ptr_null(pem);
}

static void accept_ok(const char *job, const struct xos_chain *chain)
{
	struct xos_local_answer a;
	struct xos_buf plain;
	struct xos_err err;
	ck_assert_msg(
	    op(XOS_LOCAL_JOB_ACCEPT, job, chain, &a, &plain, NULL, &err) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(a.subject, "demo:alice");
	ck_assert_uint_eq(a.account.uid, ALICE_UID);
	ck_assert_int_gt(a.not_after, n->vo->now);
}

START_TEST(prepare_gives_the_same_key_to_the_same_submitter)
{
	uint8_t first[XOS_SHA256_LEN], again[XOS_SHA256_LEN], other[XOS_SHA256_LEN];
	struct xos_buf csr;
	prepare("j1", &n->alice, first, &csr);
	xos_buf_free(&csr);
	prepare("j1", &n->alice, again, &csr);
	xos_buf_free(&csr);
	prepare("j2", &n->alice, other, &csr);
	xos_buf_free(&csr);
	ck_assert_mem_eq(first, again, XOS_SHA256_LEN);
	ck_assert_mem_ne(first, other, XOS_SHA256_LEN);
	struct xos_local_answer a;
	struct xos_err err;
	ck_assert_int_eq(
	    op(XOS_LOCAL_JOB_PREPARE, "j1", &n->bob, &a, &csr, NULL, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "job-member");
	node_restart(n);
	prepare("j1", &n->alice, again, &csr);
	xos_buf_free(&csr);
	ck_assert_mem_eq(first, again, XOS_SHA256_LEN);
}
END_TEST

START_TEST(accepts_the_right_delegation_and_gives_a_token_file)
{
	uint8_t spki[XOS_SHA256_LEN];
	struct xos_buf csr, plain;
	struct xos_chain d = {.n = 0}, back = {.n = 0};
	struct xos_local_answer a;
	struct xos_secret *pem = NULL;
	struct xos_err err;
	prepare("j1", &n->alice, spki, &csr);
	node_delegate(n, &n->alice, spki_of(&csr), "n1", "j1", NULL, NULL, &d);
	accept_ok("j1", &d);
	accept_ok("j1", &d); /* again, without harm */
	ck_assert_int_eq(op(XOS_LOCAL_JOB_CREDENTIAL, "j1", NULL, &a, &plain, &pem, &err), XOS_OK);
	struct xos_bytes text = {xos_secret_data(pem), xos_secret_len(pem)};
	ck_assert_int_eq(xos_chain_from_pem(text, &back, &err), XOS_OK);
	ck_assert_ptr_nonnull(back.key);
	ck_assert_mem_eq(xos_key_spki_sha256(back.key), spki, XOS_SHA256_LEN);
	ck_assert_uint_eq(back.n, d.n);
	ck_assert_int_eq(strncmp((const char *)text.p, "-----BEGIN CERTIFICATE-----", 27), 0);
	/* A lock that comes later takes it back. */
	struct xos_lock lock = {
	    .id = "L", .kind = XOS_LOCK_JOB, .name = "j1", .since = 1, .until = XOS_LOCK_NO_END};
	struct xos_test_bundle b = {
	    .serial = 6, .locks_serial = 2, .locks_ca = &lock, .nlocks_ca = 1};
	ck_assert_int_eq(node_offer(n, &b, &err), XOS_OK);
	xos_secret_free(pem);
	pem = NULL;
	ck_assert_int_eq(
	    op(XOS_LOCAL_JOB_CREDENTIAL, "j1", NULL, &a, &plain, &pem, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "locked");
	xos_chain_clear(&d);
	xos_chain_clear(&back);
	xos_buf_free(&csr);
}
END_TEST

START_TEST(refuses_every_other_delegation)
{
	uint8_t spki[XOS_SHA256_LEN];
	struct xos_buf csr, csr2, csr_bob;
	struct xos_chain d = {.n = 0};
	prepare("j1", &n->alice, spki, &csr);
	prepare("j2", &n->alice, spki, &csr2);
	accept_fails("j1", &n->alice, XOS_DENIED, "job-undelegated");
	node_delegate(n, &n->alice, spki_of(&csr2), "n1", "j1", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-key");
	xos_chain_clear(&d);
	node_delegate(n, &n->alice, spki_of(&csr), "n2", "j1", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-node");
	xos_chain_clear(&d);
	node_delegate(n, &n->alice, spki_of(&csr), "", "j1", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-node");
	xos_chain_clear(&d);
	node_delegate(n, &n->alice, spki_of(&csr), "n1", "j2", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-id");
	xos_chain_clear(&d);
	node_delegate(n, &n->alice, spki_of(&csr), "n1", "", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-id");
	xos_chain_clear(&d);
	node_delegate(n, &n->bob, spki_of(&csr), "n1", "j1", NULL, NULL, &d);
	accept_fails("j1", &d, XOS_DENIED, "job-member");
	xos_chain_clear(&d);
	node_delegate(n, &n->alice, spki_of(&csr), "n1", "j9", NULL, NULL, &d);
	accept_fails("j9", &d, XOS_NOT_FOUND, "job-unknown");
	xos_chain_clear(&d);
	prepare("j3", &n->bob, spki, &csr_bob);
	xos_buf_free(&csr_bob);
	xos_buf_free(&csr2);
	xos_buf_free(&csr);
}
END_TEST

START_TEST(an_ended_credential_is_not_given)
{
	uint8_t spki[XOS_SHA256_LEN];
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf csr;
	struct xos_chain d = {.n = 0};
	struct xos_secret *pem = NULL;
	const char *job;
	prepare("j1", &n->alice, spki, &csr);
	node_delegate(n, &n->alice, spki_of(&csr), "n1", "j1", NULL, NULL, &d);
	accept_ok("j1", &d);
	int64_t late = n->vo->now + 2 * 3600;
	ck_assert_int_eq(xos_credd_jobs_credential(n->jobs, "j1", late, &pem, &err), XOS_EXPIRED);
	ck_assert_int_eq(
	    xos_credd_jobs_choose(n->jobs, ALICE_UID, "", late, &job, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(
	    xos_credd_jobs_choose(n->jobs, ALICE_UID, "", n->vo->now, &job, &err), XOS_OK);
	ck_assert_str_eq(job, "j1");
	ck_assert_int_eq(
	    xos_credd_jobs_choose(n->jobs, ALICE_UID + 1, "j1", n->vo->now, &job, &err),
	    XOS_NOT_FOUND);
	/* Kept for a while, then forgotten, file and all. */
	xos_credd_jobs_sweep(n->jobs, late, 0);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	xos_credd_jobs_sweep(n->jobs, late + XOS_CREDD_OVER_KEEP, 0);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	xos_credd_jobs_sweep(n->jobs, late + XOS_CREDD_OVER_KEEP, XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 0);
	node_restart(n);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 0);
	xos_chain_clear(&d);
	xos_buf_free(&csr);
}
END_TEST

START_TEST(prepared_jobs_are_forgotten_after_an_hour)
{
	uint8_t spki[XOS_SHA256_LEN];
	struct xos_buf csr;
	prepare("j1", &n->alice, spki, &csr);
	xos_buf_free(&csr);
	xos_credd_jobs_sweep(n->jobs, n->vo->now + XOS_CREDD_PREPARED_KEEP / 2, 0);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	/* Seen so for an hour, too: a clock that was wrong for a while forgets nothing. */
	int64_t late = n->vo->now + XOS_CREDD_PREPARED_KEEP + 60;
	xos_credd_jobs_sweep(n->jobs, late, 1000);
	xos_credd_jobs_sweep(n->jobs, late, XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	xos_credd_jobs_sweep(n->jobs, n->vo->now, XOS_CREDD_SEEN_KEEP_MS + 1000);
	xos_credd_jobs_sweep(n->jobs, late, XOS_CREDD_SEEN_KEEP_MS + 2000);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	xos_credd_jobs_sweep(n->jobs, late, 2 * XOS_CREDD_SEEN_KEEP_MS + 2000);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 0);
}
END_TEST

START_TEST(files_are_private_and_damage_stays_in_one)
{
	uint8_t spki[XOS_SHA256_LEN];
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf csr;
	struct stat st;
	prepare("j1", &n->alice, spki, &csr);
	xos_buf_free(&csr);
	prepare("j2", &n->alice, spki, &csr);
	xos_buf_free(&csr);
	char *dir = xos_test_path(n->conf.state, "jobs"), *file = xos_test_path(dir, "j1");
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	struct xos_buf b;
	xos_buf_init(&b, 65536);
	ck_assert_int_eq(xos_file_read(file, 65536, &b, &err), XOS_OK);
	struct xos_bytes cut = {b.p, b.n - 1};
	MUST(xos_file_write(file, 0600, cut, &err), &err);
	node_restart(n);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 1);
	/* Another job's record under this name is no record of it. */
	char *two = xos_test_path(dir, "j2"), *three = xos_test_path(dir, "j3");
	ck_assert_int_eq(rename(two, three), 0);
	node_restart(n);
	ck_assert_uint_eq(xos_credd_jobs_count(n->jobs), 0);
	/* Every shorter form of a record is refused. */
	for (size_t len = 0; len < b.n; len++) {
		struct xos_credd_job *job = NULL;
		ck_assert_int_ne(
		    xos_credd_job_decode((struct xos_bytes){b.p, len}, &job, &err), XOS_OK);
		ck_assert_ptr_null(job);
	}
	xos_buf_free(&b);
	free(two);
	free(three);
	free(file);
	free(dir);
}
END_TEST

START_TEST(no_more_jobs_than_allowed)
{
	struct xos_local_answer a;
	struct xos_buf csr;
	struct xos_err err;
	uint8_t spki[XOS_SHA256_LEN];
	for (int i = 0; i < 100; i++) {
		char job[16];
		snprintf(job, sizeof(job), "j%d", i);
		prepare(job, &n->alice, spki, &csr);
		xos_buf_free(&csr);
	}
	ck_assert_int_eq(
	    op(XOS_LOCAL_JOB_PREPARE, "more", &n->alice, &a, &csr, NULL, &err), XOS_LIMIT);
	struct xos_local_entry list[128];
	uid_t alice = ALICE_UID, bob = ALICE_UID + 1;
	ck_assert_uint_eq(xos_credd_jobs_list(n->jobs, NULL, n->vo->now, list, 128), 100);
	ck_assert_uint_eq(xos_credd_jobs_list(n->jobs, &alice, n->vo->now, list, 10), 10);
	ck_assert_uint_eq(xos_credd_jobs_list(n->jobs, &bob, n->vo->now, list, 128), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-jobs");
	TCase *t = tcase_create("jobs");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, prepare_gives_the_same_key_to_the_same_submitter);
	tcase_add_test(t, accepts_the_right_delegation_and_gives_a_token_file);
	tcase_add_test(t, refuses_every_other_delegation);
	tcase_add_test(t, an_ended_credential_is_not_given);
	tcase_add_test(t, prepared_jobs_are_forgotten_after_an_hour);
	tcase_add_test(t, files_are_private_and_damage_stays_in_one);
	tcase_add_test(t, no_more_jobs_than_allowed);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
