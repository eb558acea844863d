/*
 * The real program: started with what stands on disk, asked over its socket, no server anywhere. As
 * root in its root mode with a user of its own, else without root; both must hold.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "program.h"
#include "pki/csr.h"

static void chown_all(uid_t uid)
{
	char cmd[4096];
	snprintf(cmd, sizeof(cmd), "chown -R %u:%u '%s'", (unsigned)uid, (unsigned)uid, n->dir);
	ck_assert_int_eq(system(cmd), 0);
}

START_TEST(decides_with_no_server_at_all)
{
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_local *l = program_client();
	program_check_state(l, "ready", "with no server reachable, until");
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	ck_assert_int_eq(program_decide(l, &n->bob, SUBMIT("bob")), XOS_LOCAL_DENY);
	xos_local_free(l);
	ck_assert_int_eq(program_stop(), 0);
	ck_assert_int_ne(access(n->conf.socket, F_OK), 0);
}
END_TEST

/* A data service of the VO, by its own certificate; the longest name that a certificate has room for. */
START_TEST(a_service_is_decided_over_the_socket)
{
	static const char host[] = "a-node-with-a-long-name.in-a-long-subdomain.of.irisa.example";
	struct xos_chain ch = {.n = 0};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_local_verdict v;
	char request[512], subject[256];
	program_begin(&(struct xos_test_bundle){.serial = 3,
	    .vo_text = "vo \"demo\" serial 1 { permit service data action file.read on file:/d; }",
	    .site_text = "site \"lab\" serial 1 { permit service demo:data action file.read; }"});
	xos_test_service(n->vo, &(struct xos_test_who){.name = host, .service = "data"}, &ch);
	size_t count = xos_test_ders(&ch, der);
	struct xos_local *l = program_client();
	snprintf(subject, sizeof(subject), "service:demo:data/%s", host);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(request, sizeof(request),
		    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:data/%s\"},\"action\":{"
		    "\"name\":\"file.read\"},\"resource\":{\"type\":\"file\",\"id\":\"/%s\"}}",
		    host, i ? "elsewhere" : "d/x");
		ck_assert_msg(xos_local_authorise(l, der, count, request, &v, &err) == XOS_OK, "%s",
		    err.text);
		ck_assert_int_eq(v.decision, i ? XOS_LOCAL_DENY : XOS_LOCAL_PERMIT);
		ck_assert_str_eq(v.subject, subject);
		ck_assert(!v.account.present);
		xos_local_verdict_free(&v);
	}
	/* Jobs are of members. */
	uint8_t *csr = NULL;
	size_t ncsr;
	ck_assert_int_eq(
	    xos_local_job_prepare(l, "job-9", der, count, &csr, &ncsr, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-kind");
	ck_assert_ptr_null(csr);
	xos_chain_clear(&ch);
	xos_local_free(l);
}
END_TEST

START_TEST(an_ended_bundle_decides_nothing_and_says_so)
{
	/* Good when it was stored (its own clock), ended since. */
	int64_t now = xos_clock_now();
	program_begin(&(struct xos_test_bundle){.issued = now - 3600, .expires = now + 2});
	struct xos_local *l = program_client();
	while (xos_clock_now() <= now + 3)
		usleep(100000);
	program_check_state(l, "stale", "ended at");
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_UNDECIDED);
	xos_local_free(l);
	program_stop();
	program_must_start(0); /* and after a restart */
	l = program_client();
	program_check_state(l, "stale", "ended at");
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_UNDECIDED);
	xos_local_free(l);
}
END_TEST

START_TEST(without_a_bundle_it_runs_and_decides_nothing)
{
	program_begin(NULL);
	struct xos_local *l = program_client();
	program_check_state(l, "empty", "no policy bundle");
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_UNDECIDED);
	xos_local_free(l);
}
END_TEST

/* The stored bundle's site set is not signed by the pinned key (any more). */
START_TEST(a_wrong_site_key_leaves_it_without_a_bundle)
{
	struct xos_err err = XOS_ERR_INIT;
	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(geteuid() == 0, NULL);
	struct xos_key *other = NULL;
	struct xos_buf pem;
	xos_buf_init(&pem, 4096);
	MUST(xos_key_generate(&other, &err), &err);
	MUST(xos_key_public_to_pem(other, &pem, &err), &err);
	MUST(xos_file_write(n->conf.site_key, 0644, xos_buf_bytes(&pem), &err), &err);
	program_must_start(0);
	struct xos_local *l = program_client();
	program_check_state(l, "empty", "no policy bundle");
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_UNDECIDED);
	xos_local_free(l);
	xos_buf_free(&pem);
	xos_key_free(other);
}
END_TEST

static pid_t child_of(pid_t parent)
{
	char path[64], text[64] = "";
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	long pid = strtol(text, NULL, 10);
	ck_assert_int_gt(pid, 1);
	return (pid_t)pid;
}

static void prepare_job(struct xos_local *l, const char *job, struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_csr csr;
	struct xos_local_job info;
	uint8_t *req = NULL;
	size_t nreq, count = xos_test_ders(&n->alice, der);
	ck_assert_msg(
	    xos_local_job_prepare(l, job, der, count, &req, &nreq, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_csr_parse((struct xos_bytes){req, nreq}, &csr, &err), XOS_OK);
	node_delegate(n, &n->alice, csr.spki, "n1", job, NULL, NULL, out);
	count = xos_test_ders(out, der);
	ck_assert_msg(
	    xos_local_job_accept(l, job, der, count, &info, &err) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(info.subject, "demo:alice");
	free(req);
}

START_TEST(a_credential_survives_kill_and_restart)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain deleg = {.n = 0}, back = {.n = 0};
	struct xos_secret *pem = NULL;
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_local *l = program_client();
	prepare_job(l, "job-1", &deleg);
	/* The daemon process, not its supervisor, dies; the client notices nothing but a pause. */
	ck_assert_int_eq(kill(child_of(daemon_pid), SIGKILL), 0);
	ck_assert_msg(xos_local_job_credential(l, "job-1", &pem, &err) == XOS_OK, "%s", err.text);
	xos_secret_free(pem);
	xos_local_free(l);
	program_stop();
	program_must_start(0);
	l = program_client();
	ck_assert_msg(xos_local_job_credential(l, "job-1", &pem, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(
	    xos_chain_from_pem(
	        (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, &back, &err),
	    XOS_OK);
	ck_assert_ptr_nonnull(back.key);
	ck_assert(xos_key_same(back.key, xos_cert_key(deleg.cert[0])));
	ck_assert_uint_ge(back.n, 2);
	xos_secret_free(pem);
	ck_assert_int_eq(xos_local_job_release(l, "job-1", &err), XOS_OK);
	ck_assert_int_eq(xos_local_job_credential(l, "job-1", &pem, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_local_job_release(l, "job-1", &err), XOS_OK);
	xos_chain_clear(&deleg);
	xos_chain_clear(&back);
	xos_local_free(l);
}
END_TEST

/* Runs fn as uid in a child; its result is the child's exit status. */
static int as_uid(uid_t uid, int (*fn)(void))
{
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
			_exit(98);
		_exit(fn());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int get_own(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_secret *pem = NULL;
	struct xos_local *l = program_client();
	enum xos_status st = xos_local_credential(l, "job-1", &pem, &err);
	if (st)
		fprintf(stderr, "%s: %s\n", err.code, err.text);
	xos_secret_free(pem);
	xos_local_free(l);
	return (int)st;
}

static int get_by_name(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_secret *pem = NULL;
	struct xos_local *l = program_client();
	enum xos_status st = xos_local_job_credential(l, "job-1", &pem, &err);
	xos_secret_free(pem);
	xos_local_free(l);
	return (int)st;
}

static int release_it(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local *l = program_client();
	enum xos_status st = xos_local_job_release(l, "job-1", &err);
	xos_local_free(l);
	return (int)st;
}

START_TEST(each_uid_gets_its_own_credentials_only)
{
	struct xos_chain deleg = {.n = 0};
	if (geteuid() != 0)
		return; /* needs other uids */
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_local *l = program_client();
	prepare_job(l, "job-1", &deleg);
	ck_assert_int_eq(as_uid(ALICE_UID, get_own), XOS_OK);
	ck_assert_int_eq(as_uid(ALICE_UID + 1, get_own), XOS_NOT_FOUND);
	ck_assert_int_eq(as_uid(ALICE_UID, get_by_name), XOS_DENIED);
	ck_assert_int_eq(as_uid(ALICE_UID + 1, get_by_name), XOS_DENIED);
	ck_assert_int_eq(as_uid(ALICE_UID, release_it), XOS_DENIED);
	ck_assert_int_eq(as_uid(DAEMON_UID, get_by_name), XOS_DENIED);
	xos_chain_clear(&deleg);
	xos_local_free(l);
}
END_TEST

START_TEST(service_users_are_those_configured)
{
	struct xos_chain deleg = {.n = 0};
	if (geteuid() != 0)
		return;
	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(true, "service_users = 1899999002\n");
	program_must_start(0);
	struct xos_local *l = program_client();
	prepare_job(l, "job-1", &deleg);
	ck_assert_int_eq(as_uid(OTHER_UID, get_by_name), XOS_OK);
	ck_assert_int_eq(as_uid(OTHER_UID + 1, get_by_name), XOS_DENIED);
	ck_assert_int_eq(as_uid(OTHER_UID, release_it), XOS_OK);
	xos_chain_clear(&deleg);
	xos_local_free(l);
}
END_TEST

static int ask_status(void)
{
	struct xos_err err = XOS_ERR_INIT;
	char *json = NULL;
	struct xos_local_options o = {
	    .path = n->conf.socket, .other_user = true, .user = OTHER_UID};
	struct xos_local *l = NULL;
	enum xos_status st = xos_local_new(&o, &l, &err);
	if (!st)
		st = xos_local_status(l, &json, &err);
	free(json);
	xos_local_free(l);
	return (int)st;
}

static int ask_status_distrusting(void)
{
	struct xos_err err = XOS_ERR_INIT;
	char *json = NULL;
	struct xos_local_options o = {.path = n->conf.socket};
	struct xos_local *l = NULL;
	enum xos_status st = xos_local_new(&o, &l, &err);
	if (!st)
		st = xos_local_status(l, &json, &err);
	free(json);
	xos_local_free(l);
	return (int)st;
}

START_TEST(without_root_it_serves_its_own_uid_and_says_so)
{
	if (geteuid() != 0)
		return; /* the other tests run without root then */
	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(false, NULL);
	chown_all(OTHER_UID);
	program_must_start(OTHER_UID);
	ck_assert_int_eq(as_uid(OTHER_UID, ask_status), XOS_OK);
	ck_assert_int_eq(as_uid(OTHER_UID + 1, ask_status), XOS_DENIED);
	/* And a client that expects nobody else's server does not talk to it. */
	ck_assert_int_eq(as_uid(OTHER_UID + 1, ask_status_distrusting), XOS_DENIED);
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local_options o = {
	    .path = n->conf.socket, .other_user = true, .user = OTHER_UID};
	struct xos_local *l = NULL;
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_OK);
	program_check_state(l, "ready", "Runs without root");
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_local_verdict v;
	size_t count = xos_test_ders(&n->alice, der);
	ck_assert_int_eq(xos_local_authorise(l, der, count, SUBMIT("alice"), &v, &err), XOS_OK);
	ck_assert(v.account.present);
	ck_assert_uint_eq(v.account.uid, OTHER_UID);
	xos_local_verdict_free(&v);
	count = xos_test_ders(&n->bob, der);
	ck_assert_int_eq(xos_local_authorise(l, der, count, SUBMIT("bob"), &v, &err), XOS_OK);
	ck_assert(!v.account.present);
	xos_local_verdict_free(&v);
	xos_local_free(l);
	program_stop();
	chown_all(0);
}
END_TEST

START_TEST(bad_configurations_are_named)
{
	program_prepare(NULL);
	program_conf(geteuid() == 0, "colour = blue\n");
	char *said = program_start(0);
	ck_assert_ptr_nonnull(strstr(said, "colour"));
	free(said);
	int status;
	waitpid(daemon_pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	program_conf(geteuid() == 0, "refresh = 10\n");
	said = program_start(0);
	ck_assert_ptr_nonnull(strstr(said, "refresh"));
	free(said);
	waitpid(daemon_pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	program_conf(geteuid() != 0, NULL); /* the other mode's keys */
	said = program_start(0);
	ck_assert_ptr_nonnull(strstr(said, "root"));
	free(said);
	waitpid(daemon_pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	daemon_pid = 0;
}
END_TEST

START_TEST(a_second_one_is_refused)
{
	program_begin(&(struct xos_test_bundle){.serial = 3});
	pid_t first = daemon_pid;
	char *said = program_start(0);
	ck_assert_msg(strstr(said, "lock") != NULL || strstr(said, "pid") != NULL, "%s", said);
	free(said);
	int status;
	waitpid(daemon_pid, &status, 0);
	ck_assert_int_ne(status, 0);
	daemon_pid = first;
	struct xos_local *l = program_client();
	program_check_state(l, "ready", "until");
	xos_local_free(l);
}
END_TEST

static int raw(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(a.sun_path, n->conf.socket, sizeof(a.sun_path) - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Sends and reads until the end; gives how much came. */
static ssize_t say(int fd, const void *p, size_t len, uint8_t *back, size_t cap)
{
	size_t got = 0;
	ck_assert_int_eq(send(fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
	for (ssize_t r; got < cap && (r = recv(fd, back + got, cap - got, 0)) > 0;)
		got += (size_t)r;
	return (ssize_t)got;
}

START_TEST(hostile_clients_get_an_answer_or_nothing)
{
	uint8_t back[4096], frame[64] = "XL\1\1";
	program_begin(&(struct xos_test_bundle){.serial = 3});
	/* garbage */
	int fd = raw();
	ck_assert_int_gt(say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, back, sizeof(back)), 16);
	ck_assert_int_eq(back[16], XOS_MALFORMED);
	close(fd);
	/* too long a body is refused before it is sent */
	fd = raw();
	frame[5] = XOS_LOCAL_AUTHORISE;
	frame[12] = 1;
	ck_assert_int_gt(say(fd, frame, 16, back, sizeof(back)), 16);
	ck_assert_int_eq(back[16], XOS_LIMIT);
	close(fd);
	/* an unknown operation, another version */
	memset(frame + 4, 0, 12);
	frame[5] = 99;
	fd = raw();
	ck_assert_int_gt(say(fd, frame, 16, back, sizeof(back)), 16);
	ck_assert_int_eq(back[16], XOS_MALFORMED);
	close(fd);
	frame[5] = XOS_LOCAL_STATUS;
	frame[2] = 2;
	fd = raw();
	ck_assert_int_gt(say(fd, frame, 16, back, sizeof(back)), 16);
	ck_assert_int_eq(back[16], XOS_MALFORMED);
	close(fd);
	/* a body with a byte too many */
	frame[2] = 1;
	frame[15] = 1;
	fd = raw();
	ck_assert_int_gt(say(fd, frame, 17, back, sizeof(back)), 16);
	ck_assert_int_eq(back[16], XOS_MALFORMED);
	close(fd);
	struct xos_local *l = program_client();
	program_check_state(l, "ready", "until");
	xos_local_free(l);
}
END_TEST

START_TEST(half_a_message_keeps_nobody_waiting)
{
	uint8_t back[64];
	program_begin(&(struct xos_test_bundle){.serial = 3});
	int silent = raw(), half[20];
	for (int i = 0; i < 20; i++) {
		half[i] = raw();
		ck_assert_int_eq(send(half[i], "XL\1\1\0\2", 6, MSG_NOSIGNAL), 6);
	}
	struct xos_local *l = program_client();
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	/* They are hung up on; the one that said nothing may wait. */
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(recv(half[i], back, sizeof(back), 0), 0);
		close(half[i]);
	}
	ck_assert_int_eq(recv(silent, back, sizeof(back), MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(silent);
	xos_local_free(l);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-daemon");
	TCase *t = tcase_create("daemon");
	tcase_add_checked_fixture(t, NULL, program_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, decides_with_no_server_at_all);
	tcase_add_test(t, a_service_is_decided_over_the_socket);
	tcase_add_test(t, an_ended_bundle_decides_nothing_and_says_so);
	tcase_add_test(t, without_a_bundle_it_runs_and_decides_nothing);
	tcase_add_test(t, a_wrong_site_key_leaves_it_without_a_bundle);
	tcase_add_test(t, a_credential_survives_kill_and_restart);
	tcase_add_test(t, each_uid_gets_its_own_credentials_only);
	tcase_add_test(t, service_users_are_those_configured);
	tcase_add_test(t, without_root_it_serves_its_own_uid_and_says_so);
	tcase_add_test(t, bad_configurations_are_named);
	tcase_add_test(t, a_second_one_is_refused);
	tcase_add_test(t, hostile_clients_get_an_answer_or_nothing);
	tcase_add_test(t, half_a_message_keeps_nobody_waiting);
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
