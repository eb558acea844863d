/* Grants that a job brings, what is kept of them, and what is told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "renewing.h"

static void refused(struct xos_grant *g, const struct xos_chain *who, const char *at,
    enum xos_status want, const char *code)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = give(g, who, at, &err);
	ck_assert_msg(st == want && strcmp(err.code, code) == 0, "%s %s: %s", xos_status_name(st),
	    err.code, err.text);
	xos_grant_clear(g);
	fields(g);
}

START_TEST(hostile_grants_are_refused)
{
	struct xos_local_answer a;
	struct xos_buf plain;
	struct xos_err err;
	struct xos_grant g;
	fields(&g);
	strcpy(g.id, OTHER);
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-job");
	refused(&g, &n->alice, OTHER, XOS_NOT_FOUND, "job-unknown");
	refused(&g, &n->carol, JOB, XOS_DENIED, "grant-member");
	strcpy(g.node, "n2");
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-node");
	g.key[0] ^= 1;
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-key");
	strcpy(g.actor, "session");
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-key");
	g.depth = 3;
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-wider");
	xos_buf_free(&g.restriction);
	xos_buf_init(&g.restriction, XOS_RESTRICTION_MAX);
	refused(&g, &n->alice, JOB, XOS_DENIED, "grant-wider");
	ck_assert_ptr_null(job()->grant);
	/* Tampered, truncated, nothing, and by somebody who is no service user. */
	struct xos_json *doc = NULL;
	const char *jws = NULL;
	char bent[8192];
	MUST(xos_grant_sign(&n->alice, &g, n->vo->now, &doc, &err), &err);
	MUST(xos_json_get_string(doc, "grant", sizeof(bent) - 1, &jws, &err), &err);
	for (size_t cut = strlen(jws) - 1; cut > strlen(jws) - 40; cut--) {
		snprintf(bent, sizeof(bent), "%.*s", (int)cut, jws);
		ck_assert_int_ne(
		    op(XOS_LOCAL_JOB_GRANT, JOB, &n->alice, bent, true, &a, &plain, &err), XOS_OK);
	}
	snprintf(bent, sizeof(bent), "%s", jws);
	bent[strlen(bent) / 2] = bent[strlen(bent) / 2] == 'A' ? 'B' : 'A';
	ck_assert_int_ne(
	    op(XOS_LOCAL_JOB_GRANT, JOB, &n->alice, bent, true, &a, &plain, &err), XOS_OK);
	/* The signature of one member under the chain of another. */
	ck_assert_int_ne(
	    op(XOS_LOCAL_JOB_GRANT, JOB, &n->bob, jws, true, &a, &plain, &err), XOS_OK);
	ck_assert_int_eq(
	    op(XOS_LOCAL_JOB_GRANT, JOB, &n->alice, jws, false, &a, &plain, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "service-only");
	ck_assert_ptr_null(job()->grant);
	xos_json_free(doc);
	xos_grant_clear(&g);
	/* A shorter one does not replace a longer one. */
	give_ok(n->vo->now + 7 * DAY);
	fields(&g);
	g.ends = n->vo->now + DAY;
	refused(&g, &n->alice, JOB, XOS_CONFLICT, "grant-shorter");
	xos_grant_clear(&g);
}
END_TEST

START_TEST(without_an_authority_a_grant_is_answered_and_not_kept)
{
	struct xos_grant g;
	xos_credd_renewals_free(n->ops.renewals);
	n->ops.renewals = NULL;
	fields(&g);
	refused(&g, &n->alice, JOB, XOS_UNAVAILABLE, "renewal-off");
	ck_assert_ptr_null(job()->grant);
	xos_grant_clear(&g);
}
END_TEST

static struct xos_json *ask(const char *question, bool service)
{
	struct xos_local_answer a;
	struct xos_json *doc = NULL;
	struct xos_buf plain;
	struct xos_err err;
	MUST(op(XOS_LOCAL_RENEWALS, "", NULL, question, service, &a, &plain, &err), &err);
	MUST(xos_json_parse(a.text, 65536, &doc, &err), &err);
	xos_buf_free(&plain);
	return doc;
}

static size_t told(const struct xos_json *doc)
{
	struct xos_err err = XOS_ERR_INIT;
	const struct xos_json *jobs = NULL;
	MUST(xos_json_get_array(doc, "jobs", 1000, &jobs, &err), &err);
	return xos_json_count(jobs);
}

START_TEST(who_follows_is_told_what_changed_and_nothing_twice)
{
	struct xos_err err;
	struct xos_local_answer a;
	struct xos_buf plain;
	char question[128];
	const char *epoch = NULL;
	int64_t after = 0;
	give_ok(n->vo->now + 7 * DAY);
	struct xos_json *doc = ask("{}", true);
	ck_assert_uint_eq(told(doc), 1);
	MUST(xos_json_get_string(doc, "epoch", 64, &epoch, &err), &err);
	MUST(xos_json_get_int64(doc, "after", 1, INT64_MAX, &after, &err), &err);
	snprintf(question, sizeof(question), "{\"epoch\":\"%s\",\"after\":%lld}", epoch,
	    (long long)after);
	xos_json_free(doc);
	doc = ask(question, true);
	ck_assert_uint_eq(told(doc), 0);
	xos_json_free(doc);
	tick();
	answer(XOS_UNAVAILABLE, "unreachable", "cannot reach");
	doc = ask(question, true);
	ck_assert_uint_eq(told(doc), 1);
	xos_json_free(doc);
	/* Another uid's are not told; a new start tells all. */
	doc = ask("{}", false);
	ck_assert_uint_eq(told(doc), 0);
	xos_json_free(doc);
	restart();
	doc = ask(question, true);
	ck_assert_uint_eq(told(doc), 1);
	xos_json_free(doc);
	ck_assert_int_eq(op(XOS_LOCAL_RENEWALS, "", NULL, "{\"after\":-1}", true, &a, &plain, &err),
	    XOS_MALFORMED);
	ck_assert_int_eq(
	    op(XOS_LOCAL_RENEWALS, "", NULL, "[", true, &a, &plain, &err), XOS_MALFORMED);
}
END_TEST

START_TEST(what_can_still_be_renewed_is_not_forgotten)
{
	give_ok(n->vo->now + 7 * DAY);
	xos_credd_jobs_sweep(n->jobs, n->vo->now + 3 * DAY, 0);
	xos_credd_jobs_sweep(n->jobs, n->vo->now + 3 * DAY, XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_ptr_nonnull(job());
	xos_credd_jobs_sweep(n->jobs, n->vo->now + 9 * DAY, XOS_CREDD_SEEN_KEEP_MS);
	xos_credd_jobs_sweep(n->jobs, n->vo->now + 9 * DAY, 2 * XOS_CREDD_SEEN_KEEP_MS);
	ck_assert_ptr_null(job());
}
END_TEST

START_TEST(damaged_files_are_refused_at_every_length)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	give_ok(n->vo->now + 7 * DAY);
	char *dir = xos_test_path(n->conf.state, "jobs"), *file = xos_test_path(dir, JOB);
	xos_buf_init(&b, 65536);
	MUST(xos_file_read(file, 65536, &b, &err), &err);
	for (size_t len = 0; len < b.n; len++) {
		struct xos_credd_job *j = NULL;
		ck_assert_int_ne(
		    xos_credd_job_decode((struct xos_bytes){b.p, len}, &j, &err), XOS_OK);
	}
	struct xos_credd_job *j = NULL;
	b.p[4] = 3; /* a version that is not known */
	ck_assert_int_ne(xos_credd_job_decode(xos_buf_bytes(&b), &j, &err), XOS_OK);
	b.p[4] = 1; /* one that ends before the grant */
	ck_assert_int_ne(xos_credd_job_decode(xos_buf_bytes(&b), &j, &err), XOS_OK);
	xos_buf_free(&b);
	free(file);
	free(dir);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-grants");
	TCase *t = tcase_create("renewals");
	tcase_add_checked_fixture(t, renewing_setup, renewing_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, hostile_grants_are_refused);
	tcase_add_test(t, without_an_authority_a_grant_is_answered_and_not_kept);
	tcase_add_test(t, who_follows_is_told_what_changed_and_nothing_twice);
	tcase_add_test(t, what_can_still_be_renewed_is_not_forgotten);
	tcase_add_test(t, damaged_files_are_refused_at_every_length);
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
