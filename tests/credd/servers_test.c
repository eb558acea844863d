/* xos-credd with its servers, over real TLS: fetching, renewing, and servers that are not who they
 * should be. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/grant.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/csr.h"
#include "program.h"
#include "servers.h"

#define PATIENCE_MS 30000

static struct test_server vops, rca;

static void teardown(void)
{
	test_server_stop(&vops);
	test_server_stop(&rca);
	program_teardown();
}

static void serve_bundle(const struct xos_test_bundle *b)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf compact;
	char *path = xos_test_path(n->dir, "served");
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	node_bundle(n, *b, &compact);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&compact), &err), &err);
	xos_buf_free(&compact);
	free(path);
}

/* The node's certificate and key, beside the state, in files of their own. */
static void node_certificate(int64_t from, int64_t to)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain node = {.n = 0};
	struct xos_test_who who = {.name = "n1", .not_before = from, .not_after = to};
	struct xos_buf pem;
	char *cert = xos_test_path(n->conf.state, "tls.pem"),
	     *key = xos_test_path(n->conf.state, "tls.key");
	xos_test_node(n->vo, &who, &node);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < node.n; i++)
		xos_cert_to_pem(node.cert[i], &pem);
	MUST(xos_file_write(cert, 0644, xos_buf_bytes(&pem), &err), &err);
	MUST(xos_key_save(node.key, key, NULL, &err), &err);
	xos_buf_free(&pem);
	xos_chain_clear(&node);
	free(cert);
	free(key);
}

static void start_with(const struct test_server *v, const struct test_server *r)
{
	char more[512];
	int len = snprintf(more, sizeof(more),
	    "tls_certificate = state/tls.pem\ntls_key = state/tls.key\nrefresh = 1s\n");
	if (v)
		len += snprintf(more + len, sizeof(more) - (size_t)len,
		    "vops = https://127.0.0.1:%u\n", v->port);
	if (r)
		snprintf(more + len, sizeof(more) - (size_t)len, "rca = https://127.0.0.1:%u\n",
		    r->port);
	program_conf(geteuid() == 0, more);
	program_must_start(0);
}

static int64_t serial(struct xos_local *l)
{
	struct xos_err err = XOS_ERR_INIT;
	const struct xos_json *b = NULL;
	int64_t v = 0;
	struct xos_json *doc = program_status(l);
	if (xos_json_get_object(doc, "bundle", &b, &err) == XOS_OK)
		ck_assert_int_eq(xos_json_get_int64(b, "serial", 0, INT64_MAX, &v, &err), XOS_OK);
	xos_json_free(doc);
	return v;
}

static void wait_serial(struct xos_local *l, int64_t want)
{
	int64_t until = xos_clock_mono_ms() + PATIENCE_MS;
	while (serial(l) != want && xos_clock_mono_ms() < until)
		usleep(50000);
	ck_assert_int_eq(serial(l), want);
}

/* What status says of the last failure; waits for one that contains text. */
static void wait_error(struct xos_local *l, const char *section, const char *text)
{
	int64_t until = xos_clock_mono_ms() + PATIENCE_MS;
	char last[512] = "";
	while (!strstr(last, text) && xos_clock_mono_ms() < until) {
		struct xos_err err = XOS_ERR_INIT;
		const struct xos_json *o = NULL;
		const char *said = NULL;
		struct xos_json *doc = program_status(l);
		if (xos_json_get_object(doc, section, &o, &err) == XOS_OK &&
		    xos_json_get_string(o, "last_error", 500, &said, &err) == XOS_OK)
			snprintf(last, sizeof(last), "%s", said);
		xos_json_free(doc);
		usleep(50000);
	}
	ck_assert_msg(strstr(last, text) != NULL, "last error: %s", last);
}

static void begin(int64_t from, int64_t to)
{
	program_prepare(NULL);
	node_certificate(from, to);
}

START_TEST(fetches_follows_and_survives_its_server)
{
	begin(0, 0);
	test_server_start(&vops, n->vo, "vops", n->dir);
	start_with(&vops, NULL);
	struct xos_local *l = program_client();
	program_check_state(l, "empty", "no policy bundle");
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	wait_serial(l, 3);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	/* A lock reaches the node. */
	struct xos_lock lock = {.id = "L",
	    .kind = XOS_LOCK_MEMBER,
	    .name = "alice",
	    .since = n->vo->now - 5,
	    .until = XOS_LOCK_NO_END};
	serve_bundle(&(struct xos_test_bundle){
	    .serial = 4, .locks_serial = 2, .locks_ca = &lock, .nlocks_ca = 1});
	wait_serial(l, 4);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_DENY);
	/* An older one does not take it back. */
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	wait_error(l, "vops", "serial");
	ck_assert_int_eq(serial(l), 4);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_DENY);
	/* Without the server it goes on, also after a restart. */
	test_server_stop(&vops);
	wait_error(l, "vops", "cannot reach");
	program_check_state(l, "ready", "until");
	xos_local_free(l);
	program_stop();
	program_must_start(0);
	l = program_client();
	ck_assert_int_eq(serial(l), 4);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_DENY);
	xos_local_free(l);
}
END_TEST

START_TEST(another_service_is_no_policy_server)
{
	begin(0, 0);
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	test_server_start(&vops, n->vo, "jobs", n->dir);
	start_with(&vops, NULL);
	struct xos_local *l = program_client();
	wait_error(l, "vops", "vops");
	ck_assert_int_eq(serial(l), 0);
	xos_local_free(l);
}
END_TEST

START_TEST(neither_is_one_of_another_root)
{
	begin(0, 0);
	struct xos_test_vo *twin = xos_test_vo_new("demo", "lab", n->vo->now);
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	test_server_start(&vops, twin, "vops", n->dir);
	start_with(&vops, NULL);
	struct xos_local *l = program_client();
	wait_error(l, "vops", "trust");
	ck_assert_int_eq(serial(l), 0);
	xos_local_free(l);
	xos_test_vo_free(twin);
}
END_TEST

static int64_t certificate_end(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain c = {.n = 0};
	char *path = xos_test_path(n->conf.state, "tls.pem");
	ck_assert_msg(xos_chain_load(path, &c, &err) == XOS_OK, "%s", err.text);
	int64_t end = xos_cert_not_after(c.cert[0]);
	xos_chain_clear(&c);
	free(path);
	return end;
}

START_TEST(renews_past_half_of_life_and_goes_on_with_the_new_key)
{
	int64_t now = xos_clock_now();
	begin(now - 20 * 3600, now + 60); /* starts within a tenth of what is left */
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	test_server_start(&vops, n->vo, "vops", n->dir);
	test_server_start(&rca, n->vo, "rca", n->dir);
	start_with(&vops, &rca);
	struct xos_local *l = program_client();
	int64_t until = xos_clock_mono_ms() + PATIENCE_MS;
	while (certificate_end() < now + 7200 && xos_clock_mono_ms() < until)
		usleep(50000);
	ck_assert_int_ge(certificate_end(), now + 7200);
	/* Asks with it: the next bundle comes. */
	serve_bundle(&(struct xos_test_bundle){.serial = 4});
	wait_serial(l, 4);
	xos_local_free(l);
	/* Certificate and key belong together after a restart. */
	program_stop();
	serve_bundle(&(struct xos_test_bundle){.serial = 5});
	program_must_start(0);
	l = program_client();
	wait_serial(l, 5);
	xos_local_free(l);
}
END_TEST

/* Whoever looks at the node sees who said no, why, and whom to ask; and when it is lifted the node goes on. */
START_TEST(a_refused_renewal_shows_and_is_tried_again)
{
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_now();
	char *no;
	begin(now - 60, now + 20);
	no = xos_test_path(n->dir, "refuses");
	MUST(xos_file_write(no, 0644, XOS_BYTES_NONE, &err), &err);
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	test_server_start(&vops, n->vo, "vops", n->dir);
	test_server_start(&rca, n->vo, "rca", n->dir);
	start_with(&vops, &rca);
	struct xos_local *l = program_client();
	wait_error(l, "certificate", "renewal refused: the node n1 is locked since");
	wait_error(l, "certificate", "ask the administrators of the VO demo");
	ck_assert_int_eq(unlink(no), 0);
	int64_t until = xos_clock_mono_ms() + PATIENCE_MS;
	while (certificate_end() < now + 7200 && xos_clock_mono_ms() < until)
		usleep(50000);
	ck_assert_int_ge(certificate_end(), now + 7200);
	xos_local_free(l);
	free(no);
}
END_TEST

START_TEST(a_certificate_before_half_of_its_life_is_left_alone)
{
	int64_t now = xos_clock_now();
	begin(now - 3600, now + 20 * 3600);
	serve_bundle(&(struct xos_test_bundle){.serial = 3});
	test_server_start(&vops, n->vo, "vops", n->dir);
	test_server_start(&rca, n->vo, "rca", n->dir);
	start_with(&vops, &rca);
	struct xos_local *l = program_client();
	wait_serial(l, 3);
	serve_bundle(&(struct xos_test_bundle){.serial = 4});
	wait_serial(l, 4);
	ck_assert_int_eq(certificate_end(), now + 20 * 3600);
	xos_local_free(l);
}
END_TEST

#define JOB "00112233445566778899aabbccddeeff"

static void give_grant(struct xos_local *l, const struct xos_csr *csr)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	size_t count = xos_test_ders(&n->alice, der);
	struct xos_json *doc = NULL;
	const char *jws = NULL;
	struct xos_grant g;
	int64_t ends;
	xos_grant_init(&g);
	MUST_TRUE(
	    xos_str_copy(g.id, sizeof(g.id), JOB) && xos_str_copy(g.node, sizeof(g.node), "n1"));
	memcpy(g.key, csr->spki_sha256, XOS_SHA256_LEN);
	g.ends = n->vo->now + 86400;
	MUST(xos_grant_sign(&n->alice, &g, n->vo->now, &doc, &err), &err);
	MUST(xos_json_get_string(doc, "grant", XOS_GRANT_BODY_MAX, &jws, &err), &err);
	MUST(xos_local_job_grant(l, JOB, der, count, xos_bytes_str(jws), &ends, &err), &err);
	ck_assert_int_eq(ends, g.ends);
	xos_json_free(doc);
	xos_grant_clear(&g);
}

/* A job of alice's with a grant. */
static void begin_job(struct xos_local *l)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_chain d = {.n = 0};
	struct xos_local_job job;
	struct xos_csr csr;
	uint8_t *request = NULL;
	size_t len = 0, count = xos_test_ders(&n->alice, der);
	MUST(xos_local_job_prepare(l, JOB, der, count, &request, &len, &err), &err);
	MUST(xos_csr_parse((struct xos_bytes){request, len}, &csr, &err), &err);
	node_delegate(n, &n->alice, csr.spki, "n1", JOB, NULL, NULL, &d);
	count = xos_test_ders(&d, der);
	MUST(xos_local_job_accept(l, JOB, der, count, &job, &err), &err);
	give_grant(l, &csr);
	xos_chain_clear(&d);
	free(request);
}

static void wait_renewal(struct xos_local *l, const char *text)
{
	int64_t until = xos_clock_mono_ms() + PATIENCE_MS;
	struct xos_err err = XOS_ERR_INIT;
	char *said = NULL;
	while ((!said || !strstr(said, text)) && xos_clock_mono_ms() < until) {
		free(said);
		MUST(xos_local_renewals(l, "{}", &said, &err), &err);
		usleep(50000);
	}
	ck_assert_msg(strstr(said, text) != NULL, "%s", said);
	ck_assert_msg(strstr(said, "\"state\":\"failing\"") != NULL, "%s", said);
	free(said);
}

static void start_with_ca(const char *service)
{
	char more[512];
	program_prepare(&(struct xos_test_bundle){.serial = 3});
	node_certificate(0, 0);
	test_server_start(&rca, n->vo, service, n->dir);
	snprintf(more, sizeof(more),
	    "tls_certificate = state/tls.pem\ntls_key = state/tls.key\nca = "
	    "https://127.0.0.1:%u\n",
	    rca.port);
	program_conf(geteuid() == 0, more);
	program_must_start(0);
}

/* From before there were grants: its 404 is no word about this one. */
START_TEST(an_authority_that_is_too_old_is_told_and_asked_again)
{
	start_with_ca("ca");
	struct xos_local *l = program_client();
	begin_job(l);
	wait_renewal(l, "too old to renew");
	/* Away altogether, after a restart: still kept, still tried. */
	test_server_stop(&rca);
	xos_local_free(l);
	program_stop();
	program_must_start(0);
	l = program_client();
	wait_renewal(l, "authority not reached");
	xos_local_free(l);
}
END_TEST

START_TEST(another_service_is_no_authority_and_ends_no_renewal)
{
	start_with_ca("vops");
	struct xos_local *l = program_client();
	begin_job(l);
	wait_renewal(l, "is not believed");
	xos_local_free(l);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-servers");
	TCase *t = tcase_create("servers");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 180);
	tcase_add_test(t, fetches_follows_and_survives_its_server);
	tcase_add_test(t, another_service_is_no_policy_server);
	tcase_add_test(t, neither_is_one_of_another_root);
	tcase_add_test(t, renews_past_half_of_life_and_goes_on_with_the_new_key);
	tcase_add_test(t, a_refused_renewal_shows_and_is_tried_again);
	tcase_add_test(t, a_certificate_before_half_of_its_life_is_left_alone);
	tcase_add_test(t, an_authority_that_is_too_old_is_told_and_asked_again);
	tcase_add_test(t, another_service_is_no_authority_and_ends_no_renewal);
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
