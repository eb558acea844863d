/* xos-credd with its servers, over real TLS: fetching, renewing, and servers that are not who they
 * should be. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
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
