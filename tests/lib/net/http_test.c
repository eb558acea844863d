/* The HTTP server over a bare socket: what it serves, and how it treats what is no request. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"

#define WAIT_MS 20000 /* generous: only failures wait as long */

static struct fixture f;
static char buf[300000];

static void stop(void)
{
	fixture_stop(&f);
}

static void start(void)
{
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1});
}

/* One request on a connection of its own; the status, the response in buf. */
static int ask(const char *request)
{
	int fd = raw_connect(f.port);
	raw_say(fd, request);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	close(fd);
	return raw_status(buf);
}

#define H "Host: x\r\n"

START_TEST(serves_params_and_query)
{
	ck_assert_int_eq(ask("GET /v1/vo/demo/jobs/a%2Fb%20c?q=1+2%263&n=5 HTTP/1.1\r\n" H
	                     "X-Request-Id: abc.1\r\n\r\n"),
	    200);
	ck_assert_ptr_nonnull(strstr(buf, "\"id\":\"a/b c\""));
	ck_assert_ptr_nonnull(strstr(buf, "\"vo\":\"demo\""));
	ck_assert_ptr_nonnull(strstr(buf, "\"q\":\"1 2&3\""));
	ck_assert_ptr_nonnull(strstr(buf, "\"n\":5"));
	ck_assert_ptr_nonnull(strstr(buf, "\"request\":\"abc.1\""));
	ck_assert_ptr_nonnull(strstr(buf, "X-Request-Id: abc.1\r\n"));
	ck_assert_ptr_nonnull(strstr(buf, "Cache-Control: no-store\r\n"));
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "X-Request-Id: a\tb\r\n\r\n"), 200);
	ck_assert_ptr_null(strstr(buf, "a\tb"));
	/* A literal segment wins over a name. */
	ck_assert_int_eq(ask("GET /v1/vo/demo/jobs/list HTTP/1.1\r\n" H "\r\n"), 200);
	ck_assert_ptr_null(strstr(buf, "\"id\""));
}
END_TEST

static long thread_of(const char *method, int body)
{
	static char text[4096];
	sprintf(text, "%s /thread HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n%0*d", method, body,
	    body, 0);
	ck_assert_int_eq(ask(body ? text : "GET /thread HTTP/1.1\r\n" H "\r\n"), 200);
	return strtol(strstr(buf, "thread ") + 7, NULL, 10);
}

START_TEST(small_bodies_stay_on_the_loops_thread)
{
	long loop = thread_of("GET", 0);
	ck_assert_int_eq(thread_of("POST", XOS_ROUTE_SMALL), loop);
	ck_assert_int_ne(thread_of("POST", XOS_ROUTE_SMALL + 1), loop);
}
END_TEST

START_TEST(names_unknown_paths_and_methods)
{
	ck_assert_int_eq(ask("GET /nothing HTTP/1.1\r\n" H "\r\n"), 404);
	ck_assert_ptr_nonnull(strstr(buf, "\"code\":\"no-such-path\""));
	ck_assert_ptr_nonnull(strstr(buf, "application/problem+json"));
	ck_assert_int_eq(ask("GET /v1/vo/demo/jobs HTTP/1.1\r\n" H "\r\n"), 404);
	ck_assert_int_eq(ask("GET /v1/vo/demo/jobs/1/2 HTTP/1.1\r\n" H "\r\n"), 404);
	ck_assert_int_eq(ask("GET /v1/vo/demo/jobs/1/ HTTP/1.1\r\n" H "\r\n"), 400);
	ck_assert_int_eq(ask("DELETE /echo HTTP/1.1\r\n" H "\r\n"), 405);
	ck_assert_ptr_nonnull(strstr(buf, "Allow: POST, PUT\r\n"));
	ck_assert_int_eq(ask("GET /secret HTTP/1.1\r\n" H "\r\n"), 401);
	ck_assert_ptr_nonnull(strstr(buf, "client-certificate-needed"));
}
END_TEST

START_TEST(head_has_no_body)
{
	int fd = raw_connect(f.port);
	raw_say(fd, "HEAD / HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	raw_read(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	ck_assert_ptr_nonnull(strstr(buf, "Content-Length: "));
	ck_assert_ptr_null(strchr(buf, '{'));
	close(fd);
}
END_TEST

static const struct {
	const char *request;
	int status;
} bad[] = {
    {"GARBAGE\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\n" H "\r\n", 505},
    {"GET / HTTP/1.1 \r\n" H "\r\n", 505},
    {"GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
    {"G(T / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\r\n folded\r\n\r\n", 400},
    {"GET / HTTP/1.1\n" H "\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\nC: d\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H
     "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n100000000\r\nx", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", 400},
    {"POST /echo HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
    {"GET / HTTP/1.1\r\n" H "Expect: more\r\n\r\n", 400},
    {"GET /a/../secret HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%2e%2e/secret HTTP/1.1\r\n" H "\r\n", 400},
    {"GET //secret HTTP/1.1\r\n" H "\r\n", 400},
    {"GET secret HTTP/1.1\r\n" H "\r\n", 400},
    {"GET http://x/ HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a%00b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a%0ab HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a%zz HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a% HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%ff HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /?a=1&a=2 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /?n=101 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /?n=-1 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /?=1 HTTP/1.1\r\n" H "\r\n", 400},
};

START_TEST(refuses_what_is_no_request)
{
	int fd = raw_connect(f.port);
	raw_say(fd, bad[_i].request);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_msg(raw_status(buf) == bad[_i].status, "%s -> %s", bad[_i].request, buf);
	ck_assert_ptr_nonnull(strstr(buf, "\"code\":"));
	close(fd);
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "\r\n"), 200);
}
END_TEST

START_TEST(limits_the_head)
{
	int fd = raw_connect(f.port);
	raw_say(fd, "GET / HTTP/1.1\r\n" H);
	for (int i = 0; i < 40; i++) {
		char line[600];
		snprintf(line, sizeof(line), "X-%d: %0500d\r\n", i, 0);
		raw_say(fd, line);
	}
	raw_say(fd, "\r\n");
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 431);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
	/* Many small fields. */
	size_t n = (size_t)snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n" H);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "A: b\r\n");
	snprintf(buf + n, sizeof(buf) - n, "\r\n");
	char *copy = strdup(buf);
	ck_assert_int_eq(ask(copy), 431);
	free(copy);
	/* A line without end. */
	fd = raw_connect(f.port);
	memset(buf, 'a', 100000);
	raw_send(fd, buf, 100000);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 431);
	close(fd);
}
END_TEST

START_TEST(limits_the_body)
{
	/* Stated too long: refused before it is read, and the answer arrives although we go on sending. */
	int fd = raw_connect(f.port);
	raw_say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 100001\r\n\r\n");
	memset(buf, 'x', 100001);
	raw_send(fd, buf, 100001);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 413);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
	/* Not stated: refused when it gets there. */
	fd = raw_connect(f.port);
	raw_say(fd, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n186A1\r\n");
	memset(buf, 'x', 100001);
	raw_send(fd, buf, 100001);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 413);
	close(fd);
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"), 413);
}
END_TEST

START_TEST(takes_bodies)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n";
	int fd = raw_connect(f.port);
	char *body = malloc(100001);
	memset(body, 'y', 100000);
	body[100000] = '\0';
	raw_say(fd, head);
	raw_send(fd, body, 100000);
	size_t n = raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	ck_assert_str_eq(buf + n - 100000, body);
	free(body);
	/* The same connection, in chunks, byte by byte. */
	const char *chunked = "PUT /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	                      "3;ext=1\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n";
	for (const char *c = chunked; *c; c++)
		raw_send(fd, c, 1);
	n = raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_str_eq(buf + n - 13, "abc0123456789");
	/* Expect: 100-continue. */
	raw_say(
	    fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 100);
	raw_say(fd, "ok");
	n = raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_str_eq(buf + n - 2, "ok");
	close(fd);
}
END_TEST

START_TEST(takes_json_strictly)
{
	char request[2000];
	static const struct {
		const char *type, *body;
		int status;
	} cases[] = {{"application/json", "{\"a\":1}", 201},
	    {"application/JSON; charset=utf-8", "{}", 201}, {"application/x+json", "[]", 201},
	    {"text/plain", "{}", 415}, {"application/json", "{\"a\":1,\"a\":1}", 400},
	    {"application/json", "{} ", 201}, {"application/json", "{}x", 400},
	    {"application/json", "", 400}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(request, sizeof(request),
		    "POST /json HTTP/1.1\r\n" H "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		    cases[i].type, strlen(cases[i].body), cases[i].body);
		ck_assert_msg(ask(request) == cases[i].status, "%zu: %s", i, buf);
	}
}
END_TEST

START_TEST(errors_become_problems)
{
	static const int want[] = {0, 400, 403, 401, 401, 404, 409, 503, 429, 500};
	for (int i = 1; i <= 9; i++) {
		char request[100];
		snprintf(request, sizeof(request), "GET /fail?status=%d HTTP/1.1\r\n" H "\r\n", i);
		ck_assert_int_eq(ask(request), want[i]);
		ck_assert_ptr_nonnull(strstr(buf, "\"code\":\"test-code\""));
		/* What went wrong inside is for the log, not for the peer. */
		ck_assert_int_eq(strstr(buf, "the text of") != NULL, i != 9);
	}
	ck_assert_int_eq(ask("GET /inject HTTP/1.1\r\n" H "\r\n"), 500);
	ck_assert_ptr_null(strstr(buf, "Set-Cookie"));
}
END_TEST

START_TEST(answers_pipelined_requests_in_order)
{
	int fd = raw_connect(f.port);
	char *p = buf;
	for (int i = 0; i < 1000; i++)
		p += sprintf(p, "GET /v1/vo/v/jobs/n%d HTTP/1.1\r\n" H "\r\n", i);
	raw_send(fd, buf, (size_t)(p - buf));
	for (int i = 0; i < 1000; i++) {
		char want[32];
		snprintf(want, sizeof(want), "\"id\":\"n%d\"", i);
		raw_response(fd, buf, sizeof(buf), WAIT_MS);
		ck_assert_msg(strstr(buf, want) != NULL, "%d: %s", i, buf);
	}
	close(fd);
}
END_TEST

/* A few empty lines before a request are ignored (RFC 9112 2.2), an endless stream of them is work. */
START_TEST(empty_lines_end)
{
	int fd = raw_connect(f.port);
	raw_say(fd, "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n");
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	for (size_t i = 0; i < 100000; i += 2)
		memcpy(buf + i, "\r\n", 2);
	raw_send(fd, buf, 100000);
	raw_response(fd, buf, sizeof(buf), 2000);
	ck_assert_int_eq(raw_status(buf), 400);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
}
END_TEST

START_TEST(closes_when_told)
{
	int fd = raw_connect(f.port);
	raw_say(fd, "GET / HTTP/1.1\r\n" H "Connection: foo, close\r\n\r\n");
	raw_read(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_ptr_nonnull(strstr(buf, "Connection: close\r\n"));
	close(fd);
	fd = raw_connect(f.port);
	raw_say(fd, "GET / HTTP/1.0\r\n\r\n");
	ck_assert_uint_gt(raw_read(fd, buf, sizeof(buf), WAIT_MS), 0);
	ck_assert_int_eq(raw_status(buf), 200);
	close(fd);
}
END_TEST

/* Every truncation of a request leaves the server well, whether we hang up or half-close. */
START_TEST(survives_truncation)
{
	const char *request = "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello";
	for (size_t n = 0; n < strlen(request); n++) {
		int fd = raw_connect(f.port);
		raw_send(fd, request, n);
		if (n % 2)
			shutdown(fd, SHUT_WR);
		else
			close(fd);
		if (n % 2) {
			ck_assert(raw_closed(fd, WAIT_MS));
			close(fd);
		}
	}
	ck_assert_int_eq(ask(request), 200);
}
END_TEST

START_TEST(survives_hang_up_while_working)
{
	for (int i = 0; i < 8; i++) {
		int fd = raw_connect(f.port);
		raw_say(fd,
		    i % 2 ? "GET /slow HTTP/1.1\r\n" H "\r\n" : "GET /later HTTP/1.1\r\n" H "\r\n");
		usleep(20000);
		close(fd);
	}
	ck_assert_int_eq(ask("GET /later HTTP/1.1\r\n" H "\r\n"), 200);
	ck_assert_ptr_nonnull(strstr(buf, "later"));
}
END_TEST

static void trickle(int port, const char *request, int status)
{
	int fd = raw_connect(port);
	int64_t begin = xos_clock_mono_ms();
	for (const char *c = request; *c && xos_clock_mono_ms() - begin < WAIT_MS; c++) {
		if (send(fd, c, 1, MSG_NOSIGNAL) != 1)
			break;
		if (raw_read(fd, buf, sizeof(buf), 50) > 0)
			break;
	}
	ck_assert_int_eq(raw_status(buf), status);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
}

/* A byte now and then must not hold a slot: each stage has one deadline. */
START_TEST(cuts_slow_clients_off)
{
	fixture_start(&f, (struct xos_server_options){
	                      .listen_fd = -1, .head_ms = 500, .body_ms = 500, .idle_ms = 500});
	trickle(f.port,
	    "GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 408);
	buf[0] = '\0';
	trickle(f.port,
	    "POST /echo HTTP/1.1\r\n" H
	    "Content-Length: 9999\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    408);
	int fd = raw_connect(f.port);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* Reading nothing of a large answer is slow, too. */
START_TEST(cuts_slow_readers_off)
{
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1, .write_ms = 300});
	int fd = raw_connect(f.port), small = 4096;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	char *body = calloc(1, 100000);
	for (int i = 0; i < 100; i++) {
		raw_say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
		ssize_t n = send(fd, body, 100000, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n != 100000)
			break;
	}
	free(body);
	usleep(600 * 1000);
	ck_assert(raw_closed(fd, WAIT_MS));
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* More idle connections than the server takes: somebody new is served nevertheless. */
START_TEST(idle_connections_do_not_stop_service)
{
	enum { MANY = 1000 };
	struct rlimit rl;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	int many = rl.rlim_cur > 2 * MANY + 100 ? MANY : (int)(rl.rlim_cur / 2) - 50;
	static int fds[MANY];
	fixture_start(
	    &f, (struct xos_server_options){.listen_fd = -1, .max_connections = (size_t)many / 2});
	for (int i = 0; i < many; i++) {
		fds[i] = raw_connect(f.port);
		if (i % 2)
			raw_say(fds[i], "GET / HT");
	}
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "\r\n"), 200);
	for (int i = 0; i < many; i++)
		close(fds[i]);
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "\r\n"), 200);
	fixture_stop(&f);
}
END_TEST

/* As many connections as are allowed, and nobody waiting: none is given up. */
START_TEST(nobody_is_evicted_for_nobody)
{
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1, .max_connections = 2});
	int a = raw_connect(f.port), b = raw_connect(f.port);
	ck_assert(!raw_closed(a, 300));
	ck_assert(!raw_closed(b, 300));
	raw_say(a, "GET / HTTP/1.1\r\n" H "\r\n");
	raw_response(a, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	close(a);
	close(b);
	fixture_stop(&f);
}
END_TEST

/* Connections at work are never given up for new ones. */
START_TEST(work_is_not_evicted)
{
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1, .max_connections = 2});
	int a = raw_connect(f.port), b = raw_connect(f.port);
	raw_say(a, "GET /slow HTTP/1.1\r\n" H "\r\n");
	raw_say(b, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_slow(2);
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "\r\n"), 200);
	raw_response(a, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	raw_response(b, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	close(a);
	close(b);
	fixture_stop(&f);
}
END_TEST

START_TEST(says_when_it_is_busy)
{
	struct xos_pool *small = NULL;
	ck_assert_int_eq(xos_pool_new(1, 1, &small, NULL), XOS_OK);
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1, .pool = small});
	int fds[6], busy = 0, served = 0;
	for (int i = 0; i < 6; i++) {
		fds[i] = raw_connect(f.port);
		raw_say(fds[i], "GET /slow HTTP/1.1\r\n" H "\r\n");
	}
	for (int i = 0; i < 6; i++) {
		raw_response(fds[i], buf, sizeof(buf), WAIT_MS);
		busy += raw_status(buf) == 503;
		served += raw_status(buf) == 200;
		close(fds[i]);
	}
	ck_assert_int_ge(served, 1);
	ck_assert_int_eq(busy + served, 6);
	ck_assert_int_ge(busy, 1);
	fixture_stop(&f);
	xos_pool_free(small);
}
END_TEST

static void drained(void *ctx)
{
	struct fixture *fx = ctx;
	xos_loop_stop(fx->loop);
}

static void drain(void *ctx)
{
	struct fixture *fx = ctx;
	xos_server_drain(fx->server, WAIT_MS, drained, fx);
}

START_TEST(drains)
{
	start();
	int idle = raw_connect(f.port), busy = raw_connect(f.port);
	raw_say(idle, "GET / HTTP/1.1\r\n" H "\r\n");
	raw_response(idle, buf, sizeof(buf), WAIT_MS);
	raw_say(busy, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_slow(1);
	ck_assert_int_eq(xos_loop_post(f.loop, drain, &f), XOS_OK);
	ck_assert(raw_closed(idle, WAIT_MS));
	raw_read(busy, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	ck_assert_ptr_nonnull(strstr(buf, "Connection: close\r\n"));
	close(busy);
	close(idle);
	fixture_stop(&f); /* joins the loop, which `drained` stopped */
}
END_TEST

START_TEST(refuses_a_taken_address)
{
	char address[64];
	int fd = -1;
	struct xos_err err = XOS_ERR_INIT;
	snprintf(address, sizeof(address), "127.0.0.1:%d", f.port);
	ck_assert_int_eq(xos_server_bind(address, &fd, &err), XOS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, address));
	ck_assert_int_eq(xos_server_bind("localhost:1", &fd, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_server_bind("127.0.0.1", &fd, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_server_bind("127.0.0.1:99999", &fd, &err), XOS_MALFORMED);
	ck_assert_str_eq(xos_server_address(f.server), address);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("served"), *own = tcase_create("limits");
	tcase_add_checked_fixture(t, start, stop);
	tcase_set_timeout(t, 120);
	tcase_set_timeout(own, 120);
	tcase_add_test(t, serves_params_and_query);
	tcase_add_test(t, small_bodies_stay_on_the_loops_thread);
	tcase_add_test(t, names_unknown_paths_and_methods);
	tcase_add_test(t, head_has_no_body);
	tcase_add_loop_test(t, refuses_what_is_no_request, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, limits_the_head);
	tcase_add_test(t, limits_the_body);
	tcase_add_test(t, takes_bodies);
	tcase_add_test(t, takes_json_strictly);
	tcase_add_test(t, errors_become_problems);
	tcase_add_test(t, answers_pipelined_requests_in_order);
	tcase_add_test(t, empty_lines_end);
	tcase_add_test(t, closes_when_told);
	tcase_add_test(t, survives_truncation);
	tcase_add_test(t, survives_hang_up_while_working);
	tcase_add_test(t, refuses_a_taken_address);
	tcase_add_test(own, cuts_slow_clients_off);
	tcase_add_test(own, cuts_slow_readers_off);
	tcase_add_test(own, idle_connections_do_not_stop_service);
	tcase_add_test(own, nobody_is_evicted_for_nobody);
	tcase_add_test(own, work_is_not_evicted);
	tcase_add_test(own, says_when_it_is_busy);
	tcase_add_test(own, drains);
	suite_add_tcase(s, t);
	suite_add_tcase(s, own);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
