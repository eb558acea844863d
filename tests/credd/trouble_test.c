/*
 * The real program when things go wrong around it: killed at any moment, a full disk, no memory that may be locked, a clock that
 * jumps, frozen. Who asks gets an answer or a clear error in time, and what was acknowledged is there afterwards.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "pki/csr.h"
#include "program.h"

/* A sanitizer answers mlock itself, and does not go with libfaketime. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static pid_t child_of(pid_t parent)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	fclose(f);
	long pid = strtol(text, NULL, 10);
	ck_assert_int_gt(pid, 1);
	return (pid_t)pid;
}

static struct xos_local *client(int timeout_ms)
{
	struct xos_local *l = NULL;
	struct xos_local_options o = {.path = n->conf.socket,
	    .timeout_ms = timeout_ms,
	    .other_user = true,
	    .user = DAEMON_UID};

	ck_assert_int_eq(xos_local_new(&o, &l, NULL), XOS_OK);
	return l;
}

/* Of the public key that was made for the job. */
static enum xos_status prepare(
    struct xos_local *l, const char *job, uint8_t spki[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_csr csr;
	uint8_t *req = NULL;
	size_t nreq = 0, count = xos_test_ders(&n->alice, der);
	enum xos_status st = xos_local_job_prepare(l, job, der, count, &req, &nreq, err);

	if (st)
		return st;
	if (xos_csr_parse((struct xos_bytes){req, nreq}, &csr, err) ||
	    xos_sha256(csr.spki, spki) != XOS_OK)
		abort();
	free(req);
	return XOS_OK;
}

static enum xos_status accept_job(struct xos_local *l, const char *job, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_chain deleg = {.n = 0};
	struct xos_local_job info;
	struct xos_csr csr;
	uint8_t *req = NULL;
	size_t nreq = 0, count = xos_test_ders(&n->alice, der);
	enum xos_status st = xos_local_job_prepare(l, job, der, count, &req, &nreq, err);

	if (st)
		return st;
	if (xos_csr_parse((struct xos_bytes){req, nreq}, &csr, err))
		abort();
	node_delegate(n, &n->alice, csr.spki, "n1", job, NULL, NULL, &deleg);
	count = xos_test_ders(&deleg, der);
	st = xos_local_job_accept(l, job, der, count, &info, err);
	xos_chain_clear(&deleg);
	free(req);
	return st;
}

static enum xos_status credential(struct xos_local *l, const char *job, struct xos_err *err)
{
	struct xos_secret *pem = NULL;
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_local_job_credential(l, job, &pem, err);

	/* Whole: certificate and key belong together. */
	if (!st)
		st = xos_chain_from_pem(
		    (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, &chain, err);
	if (!st && (!chain.key || !xos_key_same(chain.key, xos_cert_key(chain.cert[0]))))
		st = XOS_MALFORMED;
	xos_chain_clear(&chain);
	xos_secret_free(pem);
	return st;
}

/* ---- killed ---- */

#define CLIENTS 3
#define KILLS 20
#define JOBS_MAX 4000

/* What each client was told, in memory that all share: one place a job, written by its client only. */
struct told {
	enum { NOTHING, PREPARED, ACCEPTING, ACCEPTED, RELEASING, RELEASED } stage;
	uint8_t spki[XOS_SHA256_LEN];
};
static struct told (*told)[JOBS_MAX];

static void name_of(char out[32], int who, int i)
{
	snprintf(out, 32, "c%d-%d", who, i);
}

static enum xos_status until_answered(enum xos_status st, struct xos_err *err)
{
	/* Not reached, or cut off half-way: asked again. Anything else would be wrong here. */
	if (st != XOS_OK && st != XOS_UNAVAILABLE) {
		fprintf(stderr, "%s: %s\n", err->code, err->text);
		_exit(1);
	}
	*err = (struct xos_err)XOS_ERR_INIT;
	return st;
}

static _Noreturn void keep_asking(int who)
{
	struct xos_local *l = client(10000);
	struct xos_err err = XOS_ERR_INIT;
	char job[32];

	for (int i = 0; i < JOBS_MAX; i++) {
		struct told *t = &told[who][i];

		name_of(job, who, i);
		while (until_answered(prepare(l, job, t->spki, &err), &err))
			;
		t->stage = PREPARED;
		if (i % 4 == 0)
			continue;
		t->stage = ACCEPTING;
		while (until_answered(accept_job(l, job, &err), &err))
			;
		t->stage = ACCEPTED;
		if (i % 4 == 1)
			continue;
		t->stage = RELEASING;
		while (until_answered(xos_local_job_release(l, job, &err), &err))
			;
		t->stage = RELEASED;
	}
	_exit(0);
}

/* How many jobs the clients have begun. */
static int begun(void)
{
	int all = 0;

	for (int c = 0; c < CLIENTS; c++)
		for (int i = 0; i < JOBS_MAX && told[c][i].stage != NOTHING; i++)
			all++;
	return all;
}

static void wait_for_progress(int before)
{
	for (int i = 0; begun() <= before; i++) {
		ck_assert_int_lt(i, 60000);
		usleep(1000);
	}
}

static void kill_all(void)
{
	int status;

	ck_assert_int_eq(kill(daemon_pid, SIGKILL), 0); /* its child goes with it */
	ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
	daemon_pid = 0;
}

static void look_at(struct xos_local *l, const char *job, const struct told *t)
{
	struct xos_err err = XOS_ERR_INIT;
	uint8_t spki[XOS_SHA256_LEN];
	enum xos_status st = credential(l, job, &err);

	switch (t->stage) {
	case NOTHING:
	case ACCEPTING:
	case RELEASING:
		ck_assert_msg(st == XOS_OK || st == XOS_NOT_FOUND, "%s: %s", job, err.text);
		break;
	case ACCEPTED:
		ck_assert_msg(st == XOS_OK, "%s: %s", job, err.text);
		break;
	case PREPARED:
	case RELEASED:
		ck_assert_msg(st == XOS_NOT_FOUND, "%s: %s", job, xos_status_name(st));
		break;
	}
	if (t->stage != PREPARED && t->stage != ACCEPTED)
		return;
	ck_assert_msg(prepare(l, job, spki, &err) == XOS_OK, "%s: %s", job, err.text);
	ck_assert_mem_eq(spki, t->spki, sizeof(spki));
}

START_TEST(killed_at_any_moment_it_has_what_it_acknowledged)
{
	pid_t clients[CLIENTS];
	char job[32], cmd[4200];
	size_t acknowledged = 0;
	unsigned seed = 1;

	program_begin(&(struct xos_test_bundle){.serial = 3});
	told = mmap(NULL, CLIENTS * sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(told, MAP_FAILED);
	for (int c = 0; c < CLIENTS; c++) {
		clients[c] = fork();
		if (clients[c] == 0)
			keep_asking(c);
	}
	for (int k = 0; k < KILLS; k++) {
		wait_for_progress(begun());
		usleep((useconds_t)(rand_r(&seed) % 30000)); /* the moment */
		kill_all();
		program_must_start(0);
	}
	for (int c = 0; c < CLIENTS; c++) {
		int status;

		kill(clients[c], SIGKILL);
		ck_assert_int_eq(waitpid(clients[c], &status, 0), clients[c]);
		ck_assert_msg(WIFSIGNALED(status), "client %d saw what must not be", c);
	}
	program_stop();
	program_must_start(0);
	struct xos_local *l = program_client();
	for (int c = 0; c < CLIENTS; c++)
		for (int i = 0; i < JOBS_MAX && (i == 0 || told[c][i - 1].stage != NOTHING); i++) {
			name_of(job, c, i);
			look_at(l, job, &told[c][i]);
			acknowledged += told[c][i].stage != NOTHING;
		}
	ck_assert_uint_gt(acknowledged, KILLS);
	xos_local_free(l);
	/* No record was half-written. */
	snprintf(
	    cmd, sizeof(cmd), "test -z \"$(find '%s/jobs' -name '.damaged-*')\"", n->conf.state);
	ck_assert_int_eq(system(cmd), 0);
	munmap(told, CLIENTS * sizeof(*told));
}
END_TEST

/* ---- full ---- */

/* Takes all that is left. */
static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}

static void full_state(const char *options)
{
	struct xos_err err = XOS_ERR_INIT;
	uint8_t first[XOS_SHA256_LEN], again[XOS_SHA256_LEN];
	char job[32];
	int i = 0;

	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(true, NULL);
	char *filler = xos_test_path(n->conf.state, "filler"),
	     *kept = xos_test_path(n->dir, "kept"), cmd[8400];
	snprintf(cmd, sizeof(cmd), "cp -a '%s' '%s'", n->conf.state, kept);
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_int_eq(mount("tmpfs", n->conf.state, "tmpfs", 0, options), 0);
	snprintf(cmd, sizeof(cmd), "cp -a '%s/.' '%s'", kept, n->conf.state);
	ck_assert_int_eq(system(cmd), 0);
	program_must_start(0);
	struct xos_local *l = program_client();
	MUST(accept_job(l, "before", &err), &err);
	MUST(prepare(l, "waiting", first, &err), &err);
	if (strstr(options, "nr_inodes")) {
		for (enum xos_status st = XOS_OK; !st; i++) {
			snprintf(job, sizeof(job), "j%d", i);
			st = prepare(l, job, again, &err);
		}
	} else {
		fill(filler);
		ck_assert_int_eq(prepare(l, "more", again, &err), XOS_UNAVAILABLE);
	}
	ck_assert_msg(strstr(err.text, "No space left") != NULL, "%s", err.text);
	/* What it has it goes on to give, and it goes on to decide. */
	MUST(credential(l, "before", &err), &err);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	err = (struct xos_err)XOS_ERR_INIT;
	ck_assert_int_eq(accept_job(l, "waiting", &err), XOS_UNAVAILABLE);
	ck_assert_msg(strstr(err.text, "No space left") != NULL, "%s", err.text);
	ck_assert_int_eq(credential(l, "waiting", &err), XOS_NOT_FOUND);
	/* Killed and started while there is no room. */
	kill_all();
	program_must_start(0);
	MUST(credential(l, "before", &err), &err);
	/* Room again: by itself when the filler goes, by a release where records have taken it. */
	if (i)
		MUST(xos_local_job_release(l, "j0", &err), &err);
	unlink(filler);
	MUST(prepare(l, "waiting", again, &err), &err);
	ck_assert_mem_eq(first, again, sizeof(first));
	MUST(accept_job(l, "waiting", &err), &err);
	MUST(credential(l, "waiting", &err), &err);
	xos_local_free(l);
	program_stop();
	program_must_start(0);
	l = program_client();
	MUST(credential(l, "before", &err), &err);
	MUST(credential(l, "waiting", &err), &err);
	xos_local_free(l);
	program_stop();
	ck_assert_int_eq(umount(n->conf.state), 0);
	free(filler);
	free(kept);
}

START_TEST(a_full_disk_is_an_error_and_no_loss)
{
	if (geteuid() == 0)
		full_state("size=256k,mode=0755");
	else
		program_begin(&(struct xos_test_bundle){.serial = 3});
}
END_TEST

START_TEST(no_place_for_one_more_file)
{
	if (geteuid() == 0)
		full_state("nr_inodes=24,mode=0755");
	else
		program_begin(&(struct xos_test_bundle){.serial = 3});
}
END_TEST

/* ---- no locked memory ---- */

START_TEST(without_locked_memory_it_serves_and_says_so)
{
	struct rlimit was, none;
	struct xos_err err = XOS_ERR_INIT;
	bool locked = true;

	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(geteuid() == 0, NULL);
	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &was), 0);
	none = was;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	program_must_start(0);
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &was), 0);
	struct xos_local *l = program_client();
	MUST(accept_job(l, "job", &err), &err);
	MUST(credential(l, "job", &err), &err);
	struct xos_json *doc = program_status(l);
	MUST(xos_json_get_bool(doc, "memory_locked", &locked, &err), &err);
	ck_assert(!locked || SANITIZED);
	xos_json_free(doc);
	xos_local_free(l);
}
END_TEST

/* ---- a clock that jumps ---- */

static void set_clock(const char *offset)
{
	struct xos_err err = XOS_ERR_INIT;
	char *path = xos_test_path(n->conf.state, "clock");

	MUST(xos_file_write(path, 0644, xos_bytes_str(offset), &err), &err);
	free(path);
}

/* libfaketime in the program, told by a file; false: it is not there. */
static bool fake_clock(void)
{
	char library[256] = "";
	FILE *f = popen("faketime -f +0s printenv LD_PRELOAD 2>/dev/null", "re");
	bool there = f && fgets(library, sizeof(library), f);

	if (f)
		pclose(f);
	library[strcspn(library, "\n")] = 0;
	if (!there || SANITIZED)
		return false;
	char *path = xos_test_path(n->conf.state, "clock");
	setenv("LD_PRELOAD", library, 1);
	setenv("FAKETIME_TIMESTAMP_FILE", path, 1);
	setenv("FAKETIME_NO_CACHE", "1", 1);
	setenv("DONT_FAKE_MONOTONIC", "1", 1);
	free(path);
	return true;
}

static bool clock_held(struct xos_local *l)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_json *doc = program_status(l);
	bool held = false;

	MUST(xos_json_get_bool(doc, "clock_held", &held, &err), &err);
	xos_json_free(doc);
	return held;
}

START_TEST(a_clock_that_jumps_and_is_put_right)
{
	struct xos_err err = XOS_ERR_INIT;

	program_prepare(&(struct xos_test_bundle){.serial = 3});
	program_conf(geteuid() == 0, NULL);
	set_clock("+0");
	if (fake_clock())
		program_must_start(0);
	unsetenv("LD_PRELOAD");
	if (!daemon_pid)
		return;
	struct xos_local *l = program_client();
	MUST(accept_job(l, "job", &err), &err);
	/* A day ahead: what is over is not used, and not thrown away. */
	set_clock("+1d");
	ck_assert_int_eq(credential(l, "job", &err), XOS_EXPIRED);
	program_check_state(l, "stale", "");
	set_clock("+0");
	MUST(credential(l, "job", &err), &err);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	/* A day back: never earlier than the newest signed time. */
	set_clock("-1d");
	ck_assert(clock_held(l));
	MUST(credential(l, "job", &err), &err);
	ck_assert_int_eq(program_decide(l, &n->alice, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	kill_all();
	set_clock("+0");
	program_must_start(0);
	MUST(credential(l, "job", &err), &err);
	ck_assert(!clock_held(l));
	xos_local_free(l);
}
END_TEST

/* ---- frozen ---- */

START_TEST(frozen_it_keeps_nobody_longer_than_said)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local *l, *waiting;
	int filler[1200], nfiller = 0;
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	program_begin(&(struct xos_test_bundle){.serial = 3});
	l = client(300);
	MUST(accept_job(l, "job", &err), &err);
	pid_t child = child_of(daemon_pid);
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	for (int i = 0; i < 3; i++) { /* on an open connection, and on new ones */
		int64_t began = xos_clock_mono_ms();
		err = (struct xos_err)XOS_ERR_INIT;
		ck_assert_int_eq(credential(l, "job", &err), XOS_UNAVAILABLE);
		ck_assert_str_eq(err.code, "credd-timeout");
		ck_assert_int_lt(xos_clock_mono_ms() - began, 5000);
	}
	/* Nor when its queue is full. */
	memcpy(at.sun_path, n->conf.socket, strlen(n->conf.socket));
	for (; nfiller < 1200; nfiller++) {
		filler[nfiller] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (filler[nfiller] < 0 ||
		    connect(filler[nfiller], (struct sockaddr *)&at, sizeof(at)) != 0)
			break;
	}
	ck_assert_int_eq(credential(l, "job", &err), XOS_UNAVAILABLE);
	for (int i = 0; i <= nfiller && i < 1200; i++)
		if (filler[i] >= 0)
			close(filler[i]);
	/* One that waits is answered when it goes on. */
	waiting = client(60000);
	pid_t waker = fork();
	if (waker == 0) {
		usleep(200000);
		_exit(kill(child, SIGCONT));
	}
	MUST(credential(waiting, "job", &err), &err);
	int status;
	ck_assert_int_eq(waitpid(waker, &status, 0), waker);
	MUST(credential(l, "job", &err), &err);
	xos_local_free(waiting);
	xos_local_free(l);
}
END_TEST

static void teardown(void)
{
	if (n && geteuid() == 0)
		(void)umount2(n->conf.state, MNT_DETACH); /* if a full one is left */
	program_teardown();
}

int main(void)
{
	Suite *s = suite_create("credd trouble");
	TCase *t = tcase_create("trouble");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, killed_at_any_moment_it_has_what_it_acknowledged);
	tcase_add_test(t, a_full_disk_is_an_error_and_no_loss);
	tcase_add_test(t, no_place_for_one_more_file);
	tcase_add_test(t, without_locked_memory_it_serves_and_says_so);
	tcase_add_test(t, a_clock_that_jumps_and_is_put_right);
	tcase_add_test(t, frozen_it_keeps_nobody_longer_than_said);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
