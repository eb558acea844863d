/* What is done with credentials: delegated, listed, used for jobs. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asking.h"
#include "json/json.h"
#include "pki/csr.h"

static enum xos_status delegate(
    const char *id, const struct xos_key *key, const char *node, unsigned depth, int64_t until)
{
	struct xos_local_request req = {.op = XOS_LOCAL_DELEGATE,
	    .step = {.actor = "transfer", .depth = depth, .until = until}};
	struct xos_buf csr;
	xos_buf_init(&csr, XOS_CSR_MAX);
	MUST(xos_csr_make(key, &csr, &err), &err);
	ck_assert(xos_str_copy(req.job, sizeof(req.job), id) &&
	          xos_str_copy(req.step.node, sizeof(req.step.node), node));
	req.step.csr = xos_buf_bytes(&csr);
	enum xos_status st = ask(&req);
	xos_buf_free(&csr);
	return st;
}

START_TEST(it_delegates_without_giving_the_key)
{
	char id[XOS_LOCAL_JOB_MAX + 1], next[XOS_LOCAL_JOB_MAX + 1];
	struct xos_key *key = NULL;
	struct xos_chain chain = {.n = 0};
	MUST(xos_key_generate(&key, &err), &err);
	ask_make(0, id);
	ck_assert_msg(delegate("", key, "n2", 1, n->vo->now + 600) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(answer.id, id);
	ck_assert_uint_eq(answer.nchain, 3);
	ck_assert_int_eq(answer.not_after, n->vo->now + 600);
	/* Until the token's end, if nothing is said. */
	ck_assert_int_eq(delegate(id, key, "", 0, 0), XOS_OK);
	ck_assert_int_gt(answer.not_after, n->vo->now + 11 * 3600);
	/* A request without proof, an end that is over, somebody else's. */
	struct xos_local_request req = {
	    .op = XOS_LOCAL_DELEGATE, .step = {.actor = "x", .csr = xos_bytes_str("no request")}};
	ck_assert_int_eq(ask(&req), XOS_MALFORMED);
	ck_assert_int_eq(delegate(id, key, "n2", 0, n->vo->now - 10), XOS_MALFORMED);
	/* Depth 0 is the last step. */
	node_delegate(n, &n->alice, ask_create(0, next), "n1", "j1", NULL, NULL, &chain);
	ck_assert_msg(ask_put(next, &chain) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(delegate(next, key, "n1", 5, 0), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-depth");
	ck_assert_int_eq(delegate(next, key, "n1", 1, 0), XOS_OK);
	ck_assert_uint_eq(answer.nchain, 4);
	peer.uid++;
	ck_assert_int_eq(delegate(id, key, "n2", 0, 0), XOS_NOT_FOUND);
	xos_chain_clear(&chain);
	xos_key_free(key);
}
END_TEST

START_TEST(a_restriction_that_cannot_be_read_is_not_signed)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	struct xos_key *key = NULL;
	struct xos_buf csr;
	MUST(xos_key_generate(&key, &err), &err);
	ask_make(0, id);
	xos_buf_init(&csr, XOS_CSR_MAX);
	MUST(xos_csr_make(key, &csr, &err), &err);
	struct xos_local_request req = {.op = XOS_LOCAL_DELEGATE,
	    .step = {.actor = "x",
	        .csr = xos_buf_bytes(&csr),
	        .restriction = xos_bytes_str("no restriction")}};
	ck_assert_int_eq(ask(&req), XOS_DENIED);
	ck_assert_str_eq(err.code, "restriction");
	xos_buf_free(&csr);
	xos_key_free(key);
}
END_TEST

static const struct xos_json *entry(const struct xos_json *doc, const char *id)
{
	const struct xos_json *list = NULL;
	const char *is = NULL;
	ck_assert_int_eq(xos_json_get_array(doc, "credentials", 100, &list, &err), XOS_OK);
	for (size_t i = 0; i < xos_json_count(list); i++)
		if (!xos_json_get_string(xos_json_at(list, i), "id", 64, &is, &err) &&
		    strcmp(is, id) == 0)
			return xos_json_at(list, i);
	return NULL;
}

static void listed(const struct xos_json *doc, const char *id, const char *state, bool is_default)
{
	const struct xos_json *e = entry(doc, id);
	const char *is = NULL;
	bool def = !is_default;
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(xos_json_get_string(e, "state", 16, &is, &err), XOS_OK);
	ck_assert_str_eq(is, state);
	ck_assert_int_eq(xos_json_get_bool(e, "default", &def, &err), XOS_OK);
	ck_assert_int_eq(def, is_default);
}

START_TEST(the_list_says_how_each_stands)
{
	char first[XOS_LOCAL_JOB_MAX + 1], half[XOS_LOCAL_JOB_MAX + 1];
	struct xos_json *doc = NULL;
	ask_make(0, first);
	(void)ask_create(0, half);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_LIST, ""), XOS_OK);
	ck_assert_int_eq(xos_json_parse(answer.text, 65536, &doc, &err), XOS_OK);
	listed(doc, first, "ready", true);
	listed(doc, half, "awaiting", false);
	xos_json_free(doc);
	/* Everybody's only for services. */
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_LIST, .flags = XOS_LOCAL_ALL};
	peer.uid++;
	ck_assert_int_eq(ask(&req), XOS_DENIED);
	ck_assert_str_eq(err.code, "service-only");
	peer.service = true;
	ck_assert_int_eq(ask(&req), XOS_OK);
	ck_assert_int_eq(xos_json_parse(answer.text, 65536, &doc, &err), XOS_OK);
	listed(doc, first, "ready", false);
	xos_json_free(doc);
}
END_TEST

/* The credential of a job of the uid is used like any other, and is jobd's to end. */
START_TEST(jobs_credentials_are_the_uids_as_well)
{
	struct xos_chain d = {.n = 0};
	struct xos_csr csr;
	peer = (struct xos_credd_peer){.uid = 0, .service = true};
	struct xos_local_request req = {.op = XOS_LOCAL_JOB_PREPARE, .job = "j1"};
	req.nchain = xos_test_ders(&n->alice, req.chain);
	ck_assert_int_eq(ask(&req), XOS_OK);
	ck_assert_int_eq(xos_csr_parse(answer.text, &csr, &err), XOS_OK);
	node_delegate(n, &n->alice, csr.spki, "n1", "j1", NULL, NULL, &d);
	req = (struct xos_local_request){.op = XOS_LOCAL_JOB_ACCEPT, .job = "j1"};
	req.nchain = xos_test_ders(&d, req.chain);
	ck_assert_msg(ask(&req) == XOS_OK, "%s", err.text);
	peer = (struct xos_credd_peer){.uid = ALICE_UID, .pid = getpid()};
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_SIGN, "j1"), XOS_OK);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_GET, ""), XOS_OK);
	ck_assert_str_eq(answer.id, "j1");
	ask_refused(XOS_LOCAL_CRED_DESTROY, "j1", XOS_DENIED, "job-credential");
	ask_refused(XOS_LOCAL_CRED_RENEW, "j1", XOS_UNAVAILABLE, "not-renewable");
	peer.uid++;
	ask_refused(XOS_LOCAL_CRED_SIGN, "j1", XOS_NOT_FOUND, "no-credential");
	ask_refused(XOS_LOCAL_CRED_DESTROY, "j1", XOS_NOT_FOUND, "no-credential");
	xos_chain_clear(&d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credentials");
	TCase *t = tcase_create("credentials");
	tcase_add_checked_fixture(t, asking_setup, asking_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, it_delegates_without_giving_the_key);
	tcase_add_test(t, a_restriction_that_cannot_be_read_is_not_signed);
	tcase_add_test(t, the_list_says_how_each_stands);
	tcase_add_test(t, jobs_credentials_are_the_uids_as_well);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
