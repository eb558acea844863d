/* A uid goes from one job to the next: nothing that the first one had with xos-credd goes with it. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asking.h"
#include "base/clock.h"
#include "pki/csr.h"

#define JOBS_FIRST 1950000000u
#define TEXT                                                                                       \
	"site \"lab\" serial 2 { accounts vo demo uid 1900000000-1900999999 jobs "                 \
	"1950000000-1950000000; permit vo demo action job.submit, job.show on site:lab; }"

static const struct xos_credd_peer service = {.uid = 0, .service = true};

static void setup(void)
{
	asking_setup();
	n->conf.lease_quarantine = 0;
	node_restart(n);
	MUST(node_offer(n, &(struct xos_test_bundle){.serial = 12, .site_text = TEXT}, &err), &err);
}

static enum xos_status op(
    enum xos_local_op which, const char *job, const char *text, const struct xos_chain *chain)
{
	struct xos_local_request req = {.op = which, .text = xos_bytes_str(text)};
	snprintf(req.job, sizeof(req.job), "%s", job);
	if (chain)
		req.nchain = xos_test_ders(chain, req.chain);
	peer = service;
	return ask(&req);
}

static void accepted_job(const struct xos_chain *member, const char *job)
{
	struct xos_chain delegated = {.n = 0};
	struct xos_csr csr;
	MUST(op(XOS_LOCAL_JOB_PREPARE, job, "", member), &err);
	MUST(xos_csr_parse(xos_buf_bytes(&plain), &csr, &err), &err);
	node_delegate(n, member, csr.spki, "n1", job, NULL, NULL, &delegated);
	MUST(op(XOS_LOCAL_JOB_ACCEPT, job, "", &delegated), &err);
	xos_chain_clear(&delegated);
}

static void lease(const char *job)
{
	ck_assert_msg(op(XOS_LOCAL_LEASE, job, "", NULL) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(answer.account.uid, JOBS_FIRST);
}

/* A process of the job that has the uid now. */
static void as_job(void)
{
	peer = (struct xos_credd_peer){
	    .uid = JOBS_FIRST, .pid = getpid(), .since_ms = xos_clock_mono_ms() + 1};
}

START_TEST(credentials_of_sessions_end_with_the_lease)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	accepted_job(&n->alice, "j1");
	lease("j1");
	as_job();
	ask_make(XOS_LOCAL_EXPORT, id);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_GET, id), XOS_OK);
	/* What is left of the job keeps the uid, not its credentials. */
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{\"left\":\"a process runs: 7\"}", NULL), &err);
	as_job();
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_NOT_FOUND, "no-credential");
	ask_make(XOS_LOCAL_EXPORT, id);
	MUST(op(XOS_LOCAL_JOB_RELEASE, "j1", "", NULL), &err);
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{}", NULL), &err);
	ck_assert_uint_eq(xos_credd_sessions_count(n->sessions), 0);
	accepted_job(&n->bob, "j2");
	lease("j2");
	as_job();
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_NOT_FOUND, "no-credential");
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_CHAIN, ""), XOS_OK);
	ck_assert_str_eq(answer.id, "j2");
	/* Nor from the disk. */
	node_restart(n);
	as_job();
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_NOT_FOUND, "no-credential");
}
END_TEST

/* What an older xos-credd left, or a crash. */
START_TEST(a_uid_begins_without_credentials)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	const char *left = NULL;
	MUST(xos_credd_sessions_create(
	         n->sessions, JOBS_FIRST, true, NULL, n->vo->now, &left, &plain, &err),
	    &err);
	memcpy(id, left, strlen(left) + 1);
	accepted_job(&n->bob, "j2");
	lease("j2");
	ck_assert_uint_eq(xos_credd_sessions_count(n->sessions), 0);
	/* The order to start may be repeated: what the job has by then is its own. */
	as_job();
	ask_make(0, id);
	lease("j2");
	ck_assert_uint_eq(xos_credd_sessions_count(n->sessions), 1);
}
END_TEST

/* A job that was refused after it had got its uid, and that nobody released. */
START_TEST(a_jobs_credential_does_not_stay_with_the_uid)
{
	accepted_job(&n->alice, "j1");
	lease("j1");
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{}", NULL), &err);
	accepted_job(&n->bob, "j2");
	lease("j2");
	as_job();
	ck_assert_int_eq(ask_op(XOS_LOCAL_CREDENTIAL, "j2"), XOS_OK);
	ask_refused(XOS_LOCAL_CREDENTIAL, "j1", XOS_NOT_FOUND, "no-credential");
	ask_refused(XOS_LOCAL_CRED_GET, "j1", XOS_NOT_FOUND, "no-credential");
	/* Tried again, it gets a uid again; there is none. */
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j1", "", NULL), XOS_LIMIT);
	ck_assert_str_eq(err.code, "leases-all");
}
END_TEST

/* A connection can be handed to another process (SCM_RIGHTS), which keeps it after the job. */
START_TEST(a_connection_is_none_of_the_next_jobs)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	accepted_job(&n->alice, "j1");
	lease("j1");
	as_job();
	const struct xos_credd_peer kept = peer;
	ck_assert_int_eq(ask_op(XOS_LOCAL_CREDENTIAL, ""), XOS_OK);
	MUST(op(XOS_LOCAL_JOB_RELEASE, "j1", "", NULL), &err);
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{}", NULL), &err);
	/* Nobody has the uid. */
	peer = kept;
	ask_refused(XOS_LOCAL_CRED_CREATE, "", XOS_DENIED, "lease-over");
	accepted_job(&n->bob, "j2");
	while (xos_clock_mono_ms() <= kept.since_ms)
		usleep(1000);
	lease("j2");
	peer = kept;
	ask_refused(XOS_LOCAL_CREDENTIAL, "", XOS_DENIED, "lease-over");
	ask_refused(XOS_LOCAL_CRED_GET, "j2", XOS_DENIED, "lease-over");
	ask_refused(XOS_LOCAL_CRED_LIST, "", XOS_DENIED, "lease-over");
	as_job();
	ask_make(0, id);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CREDENTIAL, "j2"), XOS_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenant");
	TCase *t = tcase_create("tenant");
	tcase_add_checked_fixture(t, setup, asking_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, credentials_of_sessions_end_with_the_lease);
	tcase_add_test(t, a_uid_begins_without_credentials);
	tcase_add_test(t, a_jobs_credential_does_not_stay_with_the_uid);
	tcase_add_test(t, a_connection_is_none_of_the_next_jobs);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
