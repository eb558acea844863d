/*
 * A whole authority with real processes: this program is also the daemon that it tests. Started with
 * arguments, it is a service of three processes; without, it is the test.
 */
#include "authority_daemon.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "net/problem.h"
#include "proc/daemon.h"
#include "service/client.h"
#include "testsupport/vo.h"

static char *dir, self_path[4096];
static struct xos_test_vo *vo;
static struct xos_proc_id daemon_id;

static void write_file(const char *name, mode_t mode, const char *text)
{
	char *path = xos_test_path(dir, name);
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_msg(
	    xos_file_write(path, mode, xos_bytes_str(text), &err) == XOS_OK, "%s", err.text);
	free(path);
}

static void write_conf(const char *motto, const char *more)
{
	char text[2000];
	snprintf(text, sizeof(text),
	    "vo = demo\nlisten = 127.0.0.1:0\nstate = .\ntrust = trust\ntls_certificate = "
	    "tls/tls.pem\n"
	    "tls_key = tls/tls.key\nmotto = %s\n%s%s",
	    motto,
	    geteuid() == 0 ? "user_network = 64001\nuser_auth = 64002\nuser_key = 64003\n" : "",
	    more);
	write_file("test.conf", 0644, text);
}

static void save_tls(const char *host, int64_t not_before, int64_t not_after)
{
	struct xos_chain c = {.n = 0};
	struct xos_buf pem;
	struct xos_err err = XOS_ERR_INIT;
	char *key = xos_test_path(dir, "tls/tls.key");
	xos_test_service(vo,
	    &(struct xos_test_who){
	        .name = host, .service = "test", .not_before = not_before, .not_after = not_after},
	    &c);
	xos_buf_init(&pem, 65536);
	for (size_t i = 0; i < c.n; i++)
		xos_cert_to_pem(c.cert[i], &pem);
	write_file("tls/tls.pem", 0644, xos_buf_str(&pem));
	ck_assert_int_eq(xos_key_save(c.key, key, NULL, &err), XOS_OK);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(key, 64001, 64001), 0);
	xos_buf_free(&pem);
	xos_chain_clear(&c);
	free(key);
}

static void setup(void)
{
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
	ck_assert_int_gt(n, 0);
	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	ck_assert_int_eq(chmod(dir, 0755), 0);
	char *trust = xos_test_path(dir, "trust"), *tls = xos_test_path(dir, "tls");
	ck_assert_int_eq(mkdir(tls, 0755), 0);
	free(tls);
	xos_test_vo_trust_dir(vo, trust);
	free(trust);
	save_tls("n1.example", 0, 0);
	write_conf("m", "");
}

static enum xos_status start(struct xos_err *err)
{
	char *conf = xos_test_path(dir, "test.conf"), *log = xos_test_path(dir, "log");
	char *pid = xos_test_path(dir, "pid");
	const char *const argv[] = {
	    self_path, "run", "--config", conf, "--pid-file", pid, "--log-level=debug", NULL};
	struct xos_daemon d = {
	    .path = self_path, .argv = argv, .log_path = log, .timeout_ms = WAIT_MS};
	enum xos_status st = xos_daemon_start(&d, &daemon_id, err);
	free(conf);
	free(log);
	free(pid);
	return st;
}

static void start_well(void)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_msg(start(&err) == XOS_OK, "%s", err.text);
}

static void teardown(void)
{
	if (daemon_id.pid)
		ck_assert_int_eq(xos_proc_stop(&daemon_id, WAIT_MS, NULL), XOS_OK);
	xos_test_vo_free(vo);
	xos_test_dir_free(dir);
}

static char *log_text(void)
{
	char *path = xos_test_path(dir, "log");
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	ck_assert_int_eq(xos_file_read(path, 1 << 20, &b, NULL), XOS_OK);
	free(path);
	return xos_buf_steal(&b, NULL);
}

/* Where the daemon says it listens, from its log. */
static void address(char url[64])
{
	char *text = log_text();
	const char *at = strstr(text, "event=service.serving address=");
	ck_assert_msg(at != NULL, "%s", text);
	at = strchr(at, '=') + 1;
	at = strstr(at, "address=") + 8;
	snprintf(url, 64, "https://%.*s", (int)strcspn(at, " \n"), at);
	free(text);
}

/* GET path; the body, malloc'd, or NULL with err. */
static char *get(const char *path, const struct xos_chain *own, struct xos_err *err)
{
	char url[64];
	struct xos_service_client *c = NULL;
	struct xos_answer *a = NULL;
	struct xos_trust *trust = xos_test_vo_trust(vo);
	char *body = NULL;
	address(url);
	struct xos_service_client_options o = {
	    .url = url, .vo = "demo", .service = "test", .trust = trust, .own = own};
	struct xos_client_request req = {.method = "GET", .path = path};
	enum xos_status st = xos_service_client_new(&o, &c, err);
	if (st == XOS_OK)
		st = xos_client_call(xos_service_client(c), &req, &a, err);
	if (st == XOS_OK)
		st = xos_answer_check(xos_service_client(c), a, err);
	if (st == XOS_OK)
		body = strndup((const char *)xos_answer_body(a).p, xos_answer_body(a).n);
	xos_answer_free(a);
	xos_service_client_free(c);
	xos_trust_free(trust);
	return body;
}

START_TEST(three_processes_answer_together)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain alice = {.n = 0};
	char want[200];
	start_well();
	char *body = get("/say", NULL, &err);
	ck_assert_msg(body != NULL, "%s", err.text);
	snprintf(want, sizeof(want), "m: hello from %d", geteuid() == 0 ? 64003 : (int)geteuid());
	ck_assert_str_eq(body, want);
	free(body);
	/* key believes auth, not network */
	ck_assert_ptr_null(get("/cheat", NULL, &err));
	ck_assert_int_eq(err.status, XOS_DENIED);
	ck_assert_ptr_null(get("/who", NULL, &err));
	ck_assert_str_eq(err.code, "client-certificate-needed");
	xos_test_member(vo, &(struct xos_test_who){.name = "alice"}, &alice);
	body = get("/who", &alice, &err);
	snprintf(want, sizeof(want), "spiffe://demo/user/alice %d",
	    geteuid() == 0 ? 64001 : (int)geteuid());
	ck_assert_msg(body != NULL, "%s", err.text);
	ck_assert_str_eq(body, want);
	free(body);
	xos_chain_clear(&alice);
}
END_TEST

START_TEST(health_and_metrics)
{
	struct xos_err err = XOS_ERR_INIT;
	start_well();
	char *body = get("/health/live", NULL, &err);
	ck_assert_str_eq(body, "{\"status\":\"live\"}");
	free(body);
	body = get("/health/ready", NULL, &err);
	ck_assert_str_eq(body, "{\"status\":\"ready\"}");
	free(body);
	body = get("/metrics", NULL, &err);
	ck_assert_ptr_nonnull(strstr(body, "\nxos_http_requests_total{route=\"/health/"
	                                   "ready\",method=\"GET\",status=\"200\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(body, "\nxos_certificate_seconds_left 4"));
	free(body);
}
END_TEST

/* An expired certificate: the daemon lives, and says that it is not well. SIGHUP takes a new one. */
START_TEST(a_new_certificate_needs_no_restart)
{
	struct xos_err err = XOS_ERR_INIT;
	save_tls("n1.example", vo->now - 7200, vo->now - 180);
	start_well();
	ck_assert_ptr_null(get("/health/live", NULL, &err));
	ck_assert_int_eq(err.status, XOS_EXPIRED);
	char *text = log_text();
	ck_assert_ptr_nonnull(strstr(text, "event=certificate.invalid"));
	free(text);
	save_tls("n2.example", 0, 0);
	ck_assert_int_eq(xos_proc_signal(&daemon_id, SIGHUP, &err), XOS_OK);
	char *body = NULL;
	for (int i = 0; i < WAIT_MS / 20 && !body; i++) {
		usleep(20000);
		body = get("/health/ready", NULL, &err);
	}
	ck_assert_msg(body != NULL, "%s", err.text);
	free(body);
}
END_TEST

static pid_t child_pid(const char *role)
{
	char path[64], text[1000], *next = text;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)daemon_id.pid,
	    (int)daemon_id.pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (long pid; (pid = strtol(next, &next, 10)) > 0;) {
		char args[1000];
		snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
		f = fopen(path, "r");
		size_t n = f ? fread(args, 1, sizeof(args), f) : 0;
		if (f)
			fclose(f);
		if (memmem(args, n, role, strlen(role) + 1))
			return (pid_t)pid;
	}
	ck_abort_msg("no child %s", role);
	return -1;
}

/* The supervisor repairs; the address stays. */
START_TEST(a_killed_part_comes_back)
{
	struct xos_err err = XOS_ERR_INIT;
	char before[64], after[64];
	start_well();
	address(before);
	ck_assert_int_eq(kill(child_pid("auth"), SIGKILL), 0);
	char *body = NULL;
	for (int i = 0; i < WAIT_MS / 20 && !body; i++) {
		usleep(20000);
		body = get("/say", NULL, &err);
	}
	ck_assert_msg(body != NULL, "%s", err.text);
	free(body);
	address(after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(a_start_that_fails_says_why)
{
	struct xos_err err = XOS_ERR_INIT;
	write_conf("broken", "");
	ck_assert_int_ne(start(&err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(err.text, "the key is broken"));
	daemon_id.pid = 0;
	write_conf("m", "unknown_key = 1\n");
	ck_assert_int_ne(start(&err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(err.text, "unknown_key"));
	daemon_id.pid = 0;
	write_conf("m", "");
	char *key = xos_test_path(dir, "tls/tls.key");
	chmod(key, 0644);
	ck_assert_int_ne(start(&err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
	daemon_id.pid = 0;
	free(key);
}
END_TEST

static int command(const char *args, char *out, size_t cap)
{
	char line[9000];
	snprintf(line, sizeof(line), "'%s' %s 2>&1", self_path, args);
	FILE *p = popen(line, "r");
	size_t n = fread(out, 1, cap - 1, p);
	out[n] = '\0';
	return WEXITSTATUS(pclose(p));
}

START_TEST(verbs_and_arguments)
{
	char out[10000], args[5000];
	ck_assert_int_eq(command("greet --name you", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "hello you -\n");
	ck_assert_int_eq(command("greet --other=me --name=you", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "hello you me\n");
	ck_assert_int_eq(command("greet", out, sizeof(out)), 2);
	ck_assert_int_eq(command("greet --name", out, sizeof(out)), 2);
	ck_assert_int_eq(command("greet --name a --name b", out, sizeof(out)), 2);
	ck_assert_int_eq(command("greet --name a b", out, sizeof(out)), 2);
	ck_assert_int_eq(command("sing", out, sizeof(out)), 2);
	ck_assert_int_eq(command("run", out, sizeof(out)), 2);
	ck_assert_int_eq(command("--check", out, sizeof(out)), 2);
	ck_assert_int_eq(command("--version", out, sizeof(out)), 0);
	ck_assert_int_eq(command("--help", out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "greet --name NAME"));
	snprintf(args, sizeof(args), "--check --config %s/test.conf", dir);
	ck_assert_msg(command(args, out, sizeof(out)) == 0, "%s", out);
	ck_assert_ptr_nonnull(strstr(out, "is good"));
}
END_TEST

/* --check names everything that is wrong at once. */
START_TEST(check_names_all_that_is_wrong)
{
	char out[10000], args[5000];
	char *key = xos_test_path(dir, "tls/tls.key"), *root = xos_test_path(dir, "trust/root.pem");
	snprintf(args, sizeof(args), "--check --config %s/test.conf", dir);
	chmod(key, 0644);
	ck_assert_int_eq(unlink(root), 0);
	ck_assert_int_eq(command(args, out, sizeof(out)), 2);
	ck_assert_ptr_nonnull(strstr(out, "chmod 600"));
	ck_assert_ptr_nonnull(strstr(out, "root"));
	write_conf("m", "motto = twice\n");
	ck_assert_int_eq(command(args, out, sizeof(out)), 2);
	ck_assert_ptr_nonnull(strstr(out, "test.conf:"));
	free(key);
	free(root);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc > 1)
		return xos_service_main(&test_daemon, argc, argv);
	Suite *s = suite_create("authority");
	TCase *t = tcase_create("authority");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 180);
	tcase_add_test(t, three_processes_answer_together);
	tcase_add_test(t, health_and_metrics);
	tcase_add_test(t, a_new_certificate_needs_no_restart);
	tcase_add_test(t, a_killed_part_comes_back);
	tcase_add_test(t, a_start_that_fails_says_why);
	tcase_add_test(t, verbs_and_arguments);
	tcase_add_test(t, check_names_all_that_is_wrong);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
