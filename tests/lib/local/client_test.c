/* The client against servers that behave badly: each is a few lines in a child process. */
#include <check.h>
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
#include "local/client.h"

static char dir[64], path[96];
static int listener;
static pid_t server;

static void setup(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(dir, "/tmp/xos-local-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	strcpy(a.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	server = 0;
}

static void teardown(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	close(listener);
	unlink(path);
	rmdir(dir);
}

/* Reads one whole request; gives its number, 0 at the end of the stream. */
static uint32_t take(int fd)
{
	uint8_t head[XOS_LOCAL_HEADER], body[4096];
	struct xos_local_header h;
	if (recv(fd, head, sizeof(head), MSG_WAITALL) != (ssize_t)sizeof(head))
		return 0;
	if (xos_local_header_read(head, &h, NULL))
		return 0;
	if (h.length && recv(fd, body, h.length, MSG_WAITALL) != (ssize_t)h.length)
		return 0;
	return h.number;
}

static void answer_status(int fd, uint32_t number, const char *text)
{
	uint8_t out[512];
	struct xos_local_answer a = {.op = XOS_LOCAL_STATUS, .text = xos_bytes_str(text)};
	size_t n = xos_local_answer_size(&a);
	struct xos_local_header h = {.kind = XOS_LOCAL_ANSWER,
	    .op = XOS_LOCAL_STATUS,
	    .number = number,
	    .length = (uint32_t)n};
	xos_local_header_write(out, &h);
	if (xos_local_answer_encode(&a, out + XOS_LOCAL_HEADER, n, NULL))
		_exit(1);
	if (send(fd, out, XOS_LOCAL_HEADER + n, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void serve(void (*fn)(int fd))
{
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		for (;;) {
			int fd = accept(listener, NULL, NULL);
			if (fd < 0)
				_exit(0);
			fn(fd);
			close(fd);
		}
	}
}

static enum xos_status ask(struct xos_local *l, char *code, size_t cap)
{
	struct xos_err err = XOS_ERR_INIT;
	char *json = NULL;
	enum xos_status st = xos_local_status(l, &json, &err);
	snprintf(code, cap, "%s", st ? err.code : json);
	free(json);
	return st;
}

static struct xos_local *make(int timeout_ms)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local *l = NULL;
	struct xos_local_options o = {.path = path, .timeout_ms = timeout_ms};
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_OK);
	return l;
}

static void expect(struct xos_local *l, enum xos_status want, const char *text)
{
	char code[256];
	enum xos_status st = ask(l, code, sizeof(code));
	ck_assert_msg(st == want, "%s: %s", xos_status_name(st), code);
	ck_assert_str_eq(code, text);
}

static void one_each(int fd)
{
	uint32_t number = take(fd);
	if (number)
		answer_status(fd, number, "{}");
}

static void many(int fd)
{
	for (uint32_t number; (number = take(fd)) != 0;)
		answer_status(fd, number, "{}");
}

static void silent(int fd)
{
	(void)take(fd);
	pause();
}

static void half_answer(int fd)
{
	(void)take(fd);
	if (send(fd, "XL\1\2\0\1", 6, MSG_NOSIGNAL) < 0)
		_exit(1);
	pause();
}

static void other_number(int fd)
{
	answer_status(fd, take(fd) + 7, "{}");
}

static void garbage(int fd)
{
	(void)take(fd);
	if (send(fd, "HTTP/1.1 200 OK\r\n\r\n", 19, MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* A whole answer, and in the same piece a byte that it does not announce. */
static void too_much(int fd)
{
	uint8_t out[512];
	struct xos_local_answer a = {.op = XOS_LOCAL_STATUS, .text = xos_bytes_str("{}")};
	size_t n = xos_local_answer_size(&a);
	struct xos_local_header h = {.kind = XOS_LOCAL_ANSWER,
	    .op = XOS_LOCAL_STATUS,
	    .number = take(fd),
	    .length = (uint32_t)n};
	xos_local_header_write(out, &h);
	if (xos_local_answer_encode(&a, out + XOS_LOCAL_HEADER, n, NULL))
		_exit(1);
	out[XOS_LOCAL_HEADER + n] = 0;
	if (send(fd, out, XOS_LOCAL_HEADER + n + 1, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void cut_off(int fd)
{
	(void)take(fd);
	if (send(fd, "XL\1\2\0\1\0\0\0\0\0\1\0\0\0\10\0", 17, MSG_NOSIGNAL) < 0)
		_exit(1);
}

START_TEST(nobody_there)
{
	struct xos_local *l = make(500);
	close(listener);
	expect(l, XOS_UNAVAILABLE, "credd-unreachable");
	unlink(path);
	expect(l, XOS_UNAVAILABLE, "credd-unreachable");
	xos_local_free(l);
}
END_TEST

START_TEST(a_connection_that_was_closed_is_opened_again)
{
	struct xos_local *l = make(5000);
	serve(one_each); /* hangs up after each answer */
	for (int i = 0; i < 5; i++)
		expect(l, XOS_OK, "{}");
	xos_local_free(l);
}
END_TEST

START_TEST(one_connection_serves_many_calls)
{
	struct xos_local *l = make(5000);
	serve(many);
	for (int i = 0; i < 50; i++)
		expect(l, XOS_OK, "{}");
	xos_local_free(l);
}
END_TEST

static void times_out(void (*fn)(int fd))
{
	struct xos_local *l = make(300);
	serve(fn);
	int64_t begin = xos_clock_mono_ms();
	expect(l, XOS_UNAVAILABLE, "credd-timeout");
	ck_assert_int_ge(xos_clock_mono_ms() - begin, 290);
	xos_local_free(l);
}

START_TEST(a_frozen_server_costs_no_more_than_the_timeout)
{
	times_out(silent);
}
END_TEST

START_TEST(so_does_half_an_answer)
{
	times_out(half_answer);
}
END_TEST

/* Nobody accepts: the backlog holds the connection, the time-out ends the wait. */
START_TEST(so_does_a_server_that_does_not_accept)
{
	struct xos_local *l = make(300);
	expect(l, XOS_UNAVAILABLE, "credd-timeout");
	xos_local_free(l);
}
END_TEST

START_TEST(wrong_answers_are_refused)
{
	struct xos_local *l = make(5000);
	serve(other_number);
	expect(l, XOS_MALFORMED, "credd-protocol");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	serve(garbage);
	expect(l, XOS_MALFORMED, "not-credd");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	serve(too_much);
	expect(l, XOS_MALFORMED, "credd-protocol");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	serve(cut_off);
	xos_local_free(l);
	l = make(5000); /* its first request has number 1 */
	expect(l, XOS_UNAVAILABLE, "credd-unreachable");
	xos_local_free(l);
}
END_TEST

START_TEST(a_server_of_another_user_is_not_believed)
{
	if (geteuid() != 0)
		return; /* needs another uid */
	struct xos_err err = XOS_ERR_INIT;
	unlink(path);
	close(listener);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	server = fork();
	if (server == 0) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		if (setgid(1899999003) || setuid(1899999003))
			_exit(98);
		strcpy(a.sun_path, path);
		listener = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 8) ||
		    write(ready[1], "x", 1) != 1)
			_exit(99);
		for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
			many(fd);
		_exit(0);
	}
	char x;
	ck_assert_int_eq(read(ready[0], &x, 1), 1);
	struct xos_local *l = make(5000);
	expect(l, XOS_DENIED, "credd-user");
	xos_local_free(l);
	struct xos_local_options o = {.path = path, .other_user = true, .user = 1899999003};
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_OK);
	expect(l, XOS_OK, "{}");
	xos_local_free(l);
}
END_TEST

START_TEST(a_child_does_not_talk_on_its_parents_stream)
{
	struct xos_local *l = make(5000);
	serve(one_each);
	expect(l, XOS_OK, "{}");
	pid_t pid = fork();
	if (pid == 0) {
		char code[256];
		_exit(ask(l, code, sizeof(code)) == XOS_OK ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	expect(l, XOS_OK, "{}");
	xos_local_free(l);
}
END_TEST

START_TEST(paths_must_fit)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local *l = NULL;
	char longer[200];
	memset(longer, 'a', sizeof(longer));
	longer[199] = '\0';
	struct xos_local_options o = {.path = longer};
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_MALFORMED);
	o.path = "";
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_MALFORMED);
	o.path = NULL;
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_MALFORMED);
	ck_assert_ptr_null(l);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("local-client");
	TCase *t = tcase_create("client");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, a_connection_that_was_closed_is_opened_again);
	tcase_add_test(t, one_connection_serves_many_calls);
	tcase_add_test(t, a_frozen_server_costs_no_more_than_the_timeout);
	tcase_add_test(t, so_does_half_an_answer);
	tcase_add_test(t, so_does_a_server_that_does_not_accept);
	tcase_add_test(t, wrong_answers_are_refused);
	tcase_add_test(t, a_server_of_another_user_is_not_believed);
	tcase_add_test(t, a_child_does_not_talk_on_its_parents_stream);
	tcase_add_test(t, paths_must_fit);
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
