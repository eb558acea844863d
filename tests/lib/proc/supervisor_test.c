/* This program is its own service: run with --role it is one of the children. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "proc/channel.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"

static char dir[64];

/* ---- the children ---- */

/* Appends a line to $TEST_DIR/NAME, so that the test sees what happened. */
static void note(const char *name, const char *text)
{
	char path[256];
	if (!xos_path_join(path, sizeof(path), getenv("TEST_DIR"), name))
		_exit(99);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dprintf(fd, "%s %ld\n", text, (long)getpid());
	close(fd);
}

static int serve_role(const char *role, const char *link, uint16_t ask)
{
	struct xos_err err = XOS_ERR_INIT;
	int fd, sig_fd;
	struct xos_channel *ch = NULL;
	if (xos_signal_fd(&sig_fd, &err) != XOS_OK ||
	    xos_child_fd_take(link, &fd, &err) != XOS_OK ||
	    xos_channel_new(fd, &ch, &err) != XOS_OK) {
		xos_child_failed(&err);
		return 3;
	}
	/* Nothing but the standard descriptors, ready, ours and the test's own may be open. */
	if (fcntl(20, F_GETFD) >= 0)
		note("leaks", role);
	note("started", role);
	xos_child_ready();
	enum xos_status rc = XOS_OK;
	if (ask)
		rc = xos_channel_call(
		    ch, ask, xos_bytes_str("hi"), xos_clock_mono_ms() + 10000, NULL, &err);
	note(rc == XOS_OK ? "spoke" : "mute", role);
	struct xos_channel_handler none = {0};
	struct xos_channel_server server = {
	    .channels = &ch, .nchannels = 1, .table = &none, .ntable = 0, .signal_fd = sig_fd};
	rc = xos_channel_serve(&server, &err);
	note("stopped", role);
	xos_channel_free(ch);
	return rc == XOS_OK ? 0 : 1;
}

static enum xos_status on_hi(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)reply;
	return in.n == 2 ? XOS_OK : xos_err_set(err, XOS_MALFORMED, "hi", "no hi");
}

static void on_hup(void *ctx)
{
	(void)ctx;
	note("hup", "server");
}

static int server_role(void)
{
	static const struct xos_channel_handler table[] = {{1, "hi", 1, on_hi}};
	struct xos_err err = XOS_ERR_INIT;
	int fd, sig_fd;
	struct xos_channel *ch = NULL;
	if (xos_signal_fd(&sig_fd, &err) != XOS_OK ||
	    xos_child_fd_take("net", &fd, &err) != XOS_OK ||
	    xos_channel_new(fd, &ch, &err) != XOS_OK)
		return 3;
	struct xos_channel_server server = {.channels = &ch,
	    .nchannels = 1,
	    .table = table,
	    .ntable = 1,
	    .signal_fd = sig_fd,
	    .on_hup = on_hup};
	note("started", "server");
	xos_child_ready();
	enum xos_status rc = xos_channel_serve(&server, &err);
	note("stopped", "server");
	xos_channel_free(ch);
	return rc == XOS_OK ? 0 : 1;
}

static int child_main(const char *role)
{
	struct xos_err err = XOS_ERR_INIT;
	if (strcmp(role, "server") == 0)
		return server_role();
	if (strcmp(role, "client") == 0)
		return serve_role(role, "srv", 1);
	if (strcmp(role, "failing") == 0) {
		(void)xos_err_set(
		    &err, XOS_DENIED, "file-mode", "key is readable; run: chmod 600 key");
		xos_child_failed(&err);
		return 3;
	}
	if (strcmp(role, "silent") == 0)
		return 42;
	if (strcmp(role, "hanging") == 0) {
		pause();
		return 0;
	}
	if (strcmp(role, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		xos_child_ready();
		for (;;)
			pause();
	}
	return 98;
}

/* ---- the tests ---- */

static const char *const server_argv[] = {"t", "--role", "server", NULL};
static const char *const client_argv[] = {"t", "--role", "client", NULL};
static const struct xos_child pair[] = {
    {.role = "server", .argv = server_argv}, {.role = "client", .argv = client_argv}};
static const struct xos_child_link links[] = {{0, 1, "net", "srv"}};

static void setup(void)
{
	strcpy(dir, "/tmp/xos-proc-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("TEST_DIR", dir, 1);
}

static void teardown(void)
{
	static const char *const names[] = {
	    "started", "spoke", "stopped", "mute", "leaks", "hup", "pid", "log", "sock", "events"};
	char path[256];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (xos_path_join(path, sizeof(path), dir, names[i]))
			unlink(path);
	rmdir(dir);
}

static char *text_of(const char *name)
{
	static char text[65536];
	char path[256];
	struct xos_buf b;
	text[0] = 0;
	ck_assert(xos_path_join(path, sizeof(path), dir, name));
	if (xos_file_read(path, sizeof(text) - 1, &b, NULL) == XOS_OK) {
		memcpy(text, b.p ? (char *)b.p : "", b.n);
		text[b.n] = 0;
		xos_buf_free(&b);
	}
	return text;
}

static int count_of(const char *name, const char *word)
{
	int n = 0;
	for (const char *s = text_of(name); (s = strstr(s, word)); s++)
		n++;
	return n;
}

static void await(const char *name, const char *word, int n)
{
	for (int i = 0; count_of(name, word) < n; i++) {
		ck_assert_msg(i < 3000, "no %d times %s in %s", n, word, name);
		usleep(10000);
	}
}

static pid_t last_pid(const char *name, const char *word)
{
	pid_t pid = 0;
	for (const char *s = text_of(name); (s = strstr(s, word)); s++)
		pid = (pid_t)atol(s + strlen(word));
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Supervises in a child; *ready gets the read end. */
static pid_t begin(struct xos_supervisor s, int *ready)
{
	int p[2];
	ck_assert_int_eq(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct xos_err err = XOS_ERR_INIT;
		char path[256];
		close(p[0]);
		dup2(p[1], 20); /* must not reach the children */
		if (xos_path_join(path, sizeof(path), dir, "events"))
			dup2(open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
		s.ready_fd = p[1];
		s.backoff_ms = 20;
		enum xos_status rc = xos_supervise(&s, &err);
		_exit(rc == XOS_OK ? 0 : (int)rc + 10);
	}
	close(p[1]);
	*ready = p[0];
	return pid;
}

static const char *ready_line(int fd)
{
	static char line[1024];
	size_t n = 0;
	for (ssize_t got; n < sizeof(line) - 1; n += (size_t)got) {
		got = read(fd, line + n, sizeof(line) - 1 - n);
		if (got <= 0)
			break;
		if (memchr(line + n, '\n', (size_t)got)) {
			n += (size_t)got;
			break;
		}
	}
	line[n] = 0;
	close(fd);
	return line;
}

static int end(pid_t pid, int sig)
{
	int status = 0;
	if (sig)
		kill(pid, sig);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct xos_supervisor both(void)
{
	return (struct xos_supervisor){.children = pair,
	    .nchildren = 2,
	    .links = links,
	    .nlinks = 1,
	    .stop_timeout_ms = 10000};
}

START_TEST(starts_speaks_stops)
{
	int ready;
	char pid_file[256];
	struct xos_proc_id id;
	struct xos_supervisor s = both();
	ck_assert(xos_path_join(pid_file, sizeof(pid_file), dir, "pid"));
	s.pid_file = pid_file;
	pid_t pid = begin(s, &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	ck_assert_int_eq(xos_pidfile_read(pid_file, &id, NULL), XOS_OK);
	ck_assert_int_eq(id.pid, pid);
	ck_assert(xos_proc_alive(&id));
	await("spoke", "client", 1);
	kill(pid, SIGHUP);
	await("hup", "server", 1);
	ck_assert_int_eq(end(pid, SIGTERM), 0);
	ck_assert_str_eq(text_of("leaks"), "");
	/* In reverse order. */
	char *stopped = text_of("stopped");
	ck_assert_int_eq(strncmp(stopped, "client", 6), 0);
	ck_assert_ptr_nonnull(strstr(stopped, "server"));
	ck_assert_int_ne(access(pid_file, F_OK), 0);
	ck_assert(!xos_proc_alive(&id));
}
END_TEST

START_TEST(death_restarts_all)
{
	int ready;
	pid_t pid = begin(both(), &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	for (int round = 1; round <= 2; round++) {
		await("spoke", "client", round);
		pid_t server = last_pid("started", "server "),
		      client = last_pid("started", "client ");
		kill(round == 1 ? server : client, SIGKILL);
		await("spoke", "client", round + 1);
		ck_assert_int_eq(count_of("started", "server"), round + 1);
		ck_assert_int_ne(kill(server, 0), 0);
		ck_assert_int_ne(kill(client, 0), 0);
	}
	ck_assert_int_eq(end(pid, SIGINT), 0);
	ck_assert_int_eq(count_of("events", "child.died"), 2);
	ck_assert_int_eq(count_of("events", "how=\"signal 9\""), 2);
}
END_TEST

START_TEST(no_restart_when_told)
{
	int ready;
	struct xos_supervisor s = both();
	s.no_restart = true;
	pid_t pid = begin(s, &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	await("spoke", "client", 1);
	kill(last_pid("started", "server "), SIGKILL);
	ck_assert_int_eq(end(pid, 0), XOS_UNAVAILABLE + 10);
	ck_assert_int_eq(count_of("started", "server"), 1);
}
END_TEST

START_TEST(children_die_with_the_supervisor)
{
	int ready;
	pid_t pid = begin(both(), &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	await("spoke", "client", 1);
	struct xos_proc_id server = {.pid = last_pid("started", "server ")};
	ck_assert_int_eq(xos_proc_start_time(server.pid, &server.start, NULL), XOS_OK);
	ck_assert_int_eq(end(pid, SIGKILL), -SIGKILL);
	for (int i = 0; xos_proc_alive(&server); i++) {
		ck_assert_int_lt(i, 1000);
		usleep(10000);
	}
}
END_TEST

static const struct {
	const char *role, *line;
	int exit;
} failures[] = {
    {"failing", "failed denied file-mode failing: key is readable; run: chmod 600 key\n",
        XOS_DENIED + 10},
    {"silent", "failed unavailable child-died the process silent ended (exit status 42)\n",
        XOS_UNAVAILABLE + 10},
    {"hanging", "failed unavailable start-timeout the process hanging was not ready in time\n",
        XOS_UNAVAILABLE + 10},
};

START_TEST(failing_start_says_why)
{
	int ready;
	const char *const argv[] = {"t", "--role", failures[_i].role, NULL};
	struct xos_child children[] = {pair[0], {.role = failures[_i].role, .argv = argv}};
	struct xos_supervisor s = both();
	s.children = children;
	s.ready_timeout_ms = strcmp(failures[_i].role, "hanging") == 0 ? 300 : 20000;
	pid_t pid = begin(s, &ready);
	ck_assert_str_eq(ready_line(ready), failures[_i].line);
	ck_assert_int_eq(end(pid, 0), failures[_i].exit);
	ck_assert_int_le(count_of("started", "server"), 1); /* not retried */
}
END_TEST

START_TEST(missing_program)
{
	int ready;
	struct xos_child children[] = {{.role = "x", .exe = "/nonexistent", .argv = server_argv}};
	struct xos_supervisor s = {.children = children, .nchildren = 1};
	pid_t pid = begin(s, &ready);
	ck_assert_ptr_nonnull(strstr(ready_line(ready), "cannot run /nonexistent: No such file"));
	ck_assert_int_ne(end(pid, 0), 0);
}
END_TEST

START_TEST(stubborn_child_is_killed)
{
	int ready;
	const char *const argv[] = {"t", "--role", "stubborn", NULL};
	struct xos_child children[] = {{.role = "stubborn", .argv = argv}};
	struct xos_supervisor s = {.children = children, .nchildren = 1, .stop_timeout_ms = 50};
	pid_t pid = begin(s, &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	ck_assert_int_eq(end(pid, SIGTERM), 0);
}
END_TEST

START_TEST(tells_the_service_manager)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char text[64] = "";
	int ready, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert(xos_path_join(at.sun_path, sizeof(at.sun_path), dir, "sock"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	pid_t pid = begin(both(), &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, "READY=1");
	ck_assert_int_eq(end(pid, SIGTERM), 0);
	memset(text, 0, sizeof(text));
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, "STOPPING=1");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}
END_TEST

static bool good_or_not(void *ctx)
{
	(void)ctx;
	char path[256];
	return xos_path_join(path, sizeof(path), dir, "bad") && access(path, F_OK) != 0;
}

/* The next word to the manager that begins so; others (signs of life) are passed over. */
static const char *told(int fd, const char *begins)
{
	static char text[256];
	ssize_t n;
	do {
		n = recv(fd, text, sizeof(text) - 1, 0);
		ck_assert_int_gt(n, 0);
		text[n] = 0;
	} while (strncmp(text, begins, strlen(begins)) != 0);
	return text;
}

START_TEST(reloading_and_signs_of_life)
{
	/* An abstract name, which the manager uses too. */
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[108], bad[256];
	int ready, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct xos_supervisor s = both();
	snprintf(name, sizeof(name), "@xos-test-%ld", (long)getpid());
	memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "20000", 1);
	unsetenv("WATCHDOG_PID");
	s.on_hup = good_or_not;
	pid_t pid = begin(s, &ready);
	ck_assert_str_eq(ready_line(ready), "ready\n");
	ck_assert_str_eq(told(fd, "READY=1"), "READY=1");
	told(fd, "WATCHDOG=1");
	told(fd, "WATCHDOG=1");
	kill(pid, SIGHUP);
	ck_assert_ptr_nonnull(strstr(told(fd, "RELOADING=1"), "\nMONOTONIC_USEC="));
	ck_assert_ptr_nonnull(strstr(told(fd, "READY=1"), "read again"));
	await("hup", "server", 1);
	/* What is not good is not handed on. */
	ck_assert(xos_path_join(bad, sizeof(bad), dir, "bad"));
	ck_assert_int_eq(close(open(bad, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	kill(pid, SIGHUP);
	told(fd, "RELOADING=1");
	ck_assert_ptr_nonnull(strstr(told(fd, "READY=1"), "old configuration"));
	ck_assert_int_eq(end(pid, SIGTERM), 0);
	ck_assert_int_eq(count_of("hup", "server"), 1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	close(fd);
}
END_TEST

START_TEST(outside_a_supervisor)
{
	int fd;
	unsetenv("XOS_DESCRIPTORS");
	ck_assert_int_eq(xos_child_fd_take("auth", &fd, NULL), XOS_NOT_FOUND);
	setenv("XOS_DESCRIPTORS", "aut=1:authx=2:auth=:auth=-1", 1);
	ck_assert_int_eq(xos_child_fd_take("auth", &fd, NULL), XOS_NOT_FOUND);
	setenv("XOS_DESCRIPTORS", "x=1:auth=2", 1);
	ck_assert_int_eq(xos_child_fd_take("auth", &fd, NULL), XOS_OK);
	ck_assert_int_eq(fd, 2);
	unsetenv("XOS_DESCRIPTORS");
	xos_child_ready();
}
END_TEST

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		return child_main(argv[2]);
	Suite *suite = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, starts_speaks_stops);
	tcase_add_test(tc, death_restarts_all);
	tcase_add_test(tc, no_restart_when_told);
	tcase_add_test(tc, children_die_with_the_supervisor);
	tcase_add_loop_test(tc, failing_start_says_why, 0, 3);
	tcase_add_test(tc, missing_program);
	tcase_add_test(tc, stubborn_child_is_killed);
	tcase_add_test(tc, tells_the_service_manager);
	tcase_add_test(tc, reloading_and_signs_of_life);
	tcase_add_test(tc, outside_a_supervisor);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
