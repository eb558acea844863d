/* privilege drop, sandbox, pid files, starting and stopping daemons */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "proc/daemon.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char dir[64];

static const char *at(const char *name)
{
	static char path[8][256];
	static unsigned next;
	char *out = path[next++ % 8];
	ck_assert(xos_path_join(out, 256, dir, name));
	return out;
}

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	strcpy(dir, "/tmp/xos-sandbox-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
}

static void teardown(void)
{
	char command[128];
	ck_assert(xos_str_printf(command, sizeof(command), "rm -rf %s", dir));
	ck_assert_int_eq(system(command), 0);
}

/* The result of a check that runs in a process of its own: what it returned, or minus the signal. */
static int apart(int (*check)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(check());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define NEED(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			return __LINE__ % 200 + 1;                                                 \
	} while (0)

static int check_drop(void)
{
	static const gid_t extra[] = {4243};
	struct xos_proc_user to = {.uid = 4242, .gid = 4242, .groups = extra, .ngroups = 1};
	gid_t groups[4];
	bool skipped = true;
	int death = 0;
	NEED(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	NEED(xos_privdrop(&to, &skipped, NULL) == XOS_OK && !skipped);
	NEED(getuid() == 4242 && geteuid() == 4242 && getgid() == 4242 && getegid() == 4242);
	NEED(getgroups(4, groups) == 1 && groups[0] == 4243);
	NEED(setuid(0) != 0 && setgid(0) != 0 && setgroups(0, NULL) != 0);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_PDEATHSIG, &death) == 0 && death == SIGKILL);
	NEED(SANITIZED || prctl(PR_GET_DUMPABLE) == 0);
	struct rlimit core;
	NEED(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
	/* Asked again for somebody else, it can only say that it cannot. */
	to.uid = 4300;
	NEED(xos_privdrop(&to, &skipped, NULL) == XOS_OK && skipped && getuid() == 4242);
	return 0;
}

static int check_drop_to_root(void)
{
	struct xos_proc_user to = {.uid = 0, .gid = 4242};
	NEED(xos_privdrop(&to, NULL, NULL) == XOS_MALFORMED);
	to.uid = 4242;
	to.gid = 0;
	NEED(xos_privdrop(&to, NULL, NULL) == XOS_MALFORMED);
	NEED(xos_privdrop(NULL, NULL, NULL) == XOS_OK);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

START_TEST(privileges)
{
	ck_assert_int_eq(apart(check_drop_to_root), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(apart(check_drop), 0);
}
END_TEST

static bool enter(unsigned allow, const char *ro, const char *rw)
{
	const char *const read_only[] = {ro, NULL}, *const read_write[] = {rw, NULL};
	struct xos_sandbox s = {
	    .name = "test", .allow = allow, .read_only = read_only, .read_write = read_write};
	struct xos_err err = XOS_ERR_INIT;
	bool ok = xos_sandbox_enter(&s, &err) == XOS_OK;
	if (!ok)
		fprintf(stderr, "%s\n", err.text);
	return ok;
}

static bool landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static int check_base(void)
{
	pthread_t t;
	int pair[2], fd;
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	NEED(enter(0, at("ro"), NULL));
	NEED(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
	NEED(send(pair[0], "x", 1, 0) == 1);
	char *big = malloc(1 << 22);
	NEED(big);
	memset(big, 1, 1 << 22);
	free(big);
	NEED((fd = open("/dev/urandom", O_RDONLY)) >= 0);
	close(fd);
	NEED((fd = open(at("ro/f"), O_RDONLY)) >= 0);
	close(fd);
	if (landlock()) {
		NEED(open(at("secret"), O_RDONLY) < 0 && errno == EACCES);
		NEED(open(at("ro/f"), O_WRONLY) < 0);
		NEED(open(at("ro/new"), O_WRONLY | O_CREAT, 0600) < 0);
		NEED(open("/etc/shadow", O_RDONLY) < 0);
	}
	if (SANITIZED)
		return 0;
	NEED(fork() < 0 && errno == EPERM);
	NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	NEED(unlink(at("ro/f")) < 0 && errno == EPERM);
	NEED(kill(getppid(), 0) < 0 && errno == EPERM);
	NEED(kill(getpid(), 0) == 0);
	return 0;
}

static int check_exec(void)
{
	NEED(enter(XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_CLIENT | XOS_ALLOW_FILE_WRITE, NULL, NULL));
	execl("/bin/true", "true", (char *)NULL);
	return 0;
}

static int check_write(void)
{
	int fd;
	NEED(enter(XOS_ALLOW_FILE_WRITE, NULL, at("rw")));
	NEED(xos_file_write(at("rw/f"), 0600, xos_bytes_str("x"), NULL) == XOS_OK);
	NEED(xos_file_create(at("rw/g"), 0600, xos_bytes_str("x"), NULL) == XOS_OK);
	NEED((fd = open(at("rw/g"), O_RDWR | O_TRUNC)) >= 0 && ftruncate(fd, 0) == 0);
	NEED(fsync(fd) == 0 && unlink(at("rw/g")) == 0);
	NEED(!landlock() || open(at("other"), O_WRONLY | O_CREAT, 0600) < 0);
	return 0;
}

static int check_net(void)
{
	int fd;
	NEED(enter(XOS_ALLOW_NET_CLIENT, NULL, NULL));
	NEED((fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	close(fd);
	NEED(SANITIZED || (socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM));
	return 0;
}

static int check_spawn(void)
{
	NEED(enter(XOS_ALLOW_SPAWN, NULL, NULL));
	NEED(system("true") == 0);
	return 0;
}

START_TEST(sandboxes)
{
	ck_assert_int_eq(mkdir(at("ro"), 0755), 0);
	ck_assert_int_eq(mkdir(at("rw"), 0755), 0);
	ck_assert_int_eq(xos_file_write(at("ro/f"), 0644, xos_bytes_str("f"), NULL), XOS_OK);
	ck_assert_int_eq(xos_file_write(at("secret"), 0644, xos_bytes_str("s"), NULL), XOS_OK);
	ck_assert_int_eq(apart(check_base), 0);
	ck_assert_int_eq(apart(check_write), 0);
	ck_assert_int_eq(apart(check_net), 0);
	ck_assert_int_eq(apart(check_spawn), 0);
	if (!SANITIZED)
		ck_assert_int_eq(apart(check_exec), -SIGSYS);
	struct xos_err err = XOS_ERR_INIT;
	const char *const missing[] = {"/nonexistent", NULL};
	struct xos_sandbox s = {.name = "test", .read_write = missing};
	if (landlock())
		ck_assert_int_eq(xos_sandbox_enter(&s, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(pid_files)
{
	static const char *const bad[] = {"", "1", "1\n", "1 2", "0 2\n", "-1 2\n", "1 2\nx",
	    "x 2\n", "1  2\n", "99999999999 2\n", " 1 2\n"};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_proc_id id = {0}, old;
	ck_assert_int_eq(xos_pidfile_write(at("pid"), &err), XOS_OK);
	ck_assert_int_eq(xos_pidfile_read(at("pid"), &id, &err), XOS_OK);
	ck_assert_int_eq(id.pid, getpid());
	ck_assert(xos_proc_alive(&id));
	/* The same pid with another start is a stranger, and is left alone. */
	old = id;
	old.start--;
	ck_assert(!xos_proc_alive(&old));
	ck_assert_int_eq(xos_proc_signal(&old, SIGKILL, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_proc_stop(&old, 100, &err), XOS_OK);
	ck_assert_int_eq(xos_proc_wait_gone(&id, 20, &err), XOS_UNAVAILABLE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(
		    xos_file_write(at("pid"), 0644, xos_bytes_str(bad[i]), &err), XOS_OK);
		ck_assert_msg(
		    xos_pidfile_read(at("pid"), &id, &err) == XOS_MALFORMED, "%s", bad[i]);
	}
	ck_assert_int_eq(xos_pidfile_read(at("none"), &id, &err), XOS_NOT_FOUND);
}
END_TEST

/* What the daemons below do after "--ready-fd 3" was appended to their arguments. */
static int daemon_main(int argc, char **argv)
{
	struct xos_err err = {XOS_DENIED, "file-mode", "key is open to all"};
	const char *how = argv[2];
	if (argc != 5 || strcmp(argv[3], "--ready-fd") != 0 || fcntl(4, F_GETFD) >= 0)
		return 97;
	fprintf(stderr, "here I am\n");
	if (strcmp(how, "good") == 0 || strcmp(how, "stubborn") == 0) {
		if (how[0] == 's')
			signal(SIGTERM, SIG_IGN);
		xos_ready_report(atoi(argv[4]), NULL);
		for (;;)
			pause();
	}
	if (strcmp(how, "failing") == 0)
		xos_ready_report(atoi(argv[4]), &err);
	if (strcmp(how, "hanging") == 0)
		pause();
	return strcmp(how, "silent") == 0 ? 42 : 0;
}

static enum xos_status start(const char *how, struct xos_proc_id *id, struct xos_err *err)
{
	const char *const argv[] = {"testd", "--daemon", how, NULL};
	struct xos_daemon d = {.path = "/proc/self/exe",
	    .argv = argv,
	    .log_path = at("log"),
	    .timeout_ms = strcmp(how, "hanging") == 0 ? 200 : 30000};
	if (strcmp(how, "missing") == 0)
		d.path = "/nonexistent";
	return xos_daemon_start(&d, id, err);
}

START_TEST(daemons)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_proc_id id;
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(start(i ? "stubborn" : "good", &id, &err) == XOS_OK, "%s", err.text);
		ck_assert(xos_proc_alive(&id));
		ck_assert_int_eq(getsid(id.pid), id.pid);
		ck_assert_int_eq(xos_proc_stop(&id, i ? 100 : 30000, &err), XOS_OK);
		ck_assert(!xos_proc_alive(&id));
		ck_assert_int_eq(xos_proc_stop(&id, 100, &err), XOS_OK);
	}
	struct xos_buf log;
	ck_assert_int_eq(xos_file_read(at("log"), 4096, &log, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&log), "here I am\nhere I am\n");
	xos_buf_free(&log);
}
END_TEST

static const struct {
	const char *how, *says;
	enum xos_status rc;
} failures[] = {
    {"failing", "testd: key is open to all (its log: ", XOS_DENIED},
    {"silent", "testd: it ended with exit status 42 before it was ready", XOS_UNAVAILABLE},
    {"hanging", "testd: it was not ready in time and has been stopped", XOS_UNAVAILABLE},
    {"missing", "testd: cannot run /nonexistent: No such file", XOS_UNAVAILABLE},
};

START_TEST(daemons_that_fail)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_proc_id id;
	ck_assert_int_eq(start(failures[_i].how, &id, &err), failures[_i].rc);
	ck_assert_msg(strstr(err.text, failures[_i].says) != NULL, "%s", err.text);
	ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0); /* nothing left behind */
}
END_TEST

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--daemon") == 0)
		return daemon_main(argc, argv);
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, privileges);
	tcase_add_test(tc, sandboxes);
	tcase_add_test(tc, pid_files);
	tcase_add_test(tc, daemons);
	tcase_add_loop_test(tc, daemons_that_fail, 0, 4);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
