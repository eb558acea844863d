#include "fixture.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static enum xos_status echo(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)ctx;
	(void)err;
	xos_response_body(res, "application/octet-stream", xos_request_body(req));
	return XOS_OK;
}

/* Says back what the server understood. */
static enum xos_status describe(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	uint64_t n = 0;
	size_t nchain = 0;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_request_query_u64(req, "n", 7, 100, &n, err);
	(void)ctx;
	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	xos_json_set_string(doc, "method", xos_request_method(req));
	xos_json_set_string(doc, "path", xos_request_path(req));
	xos_json_set_string(doc, "vo", xos_request_param(req, "vo"));
	xos_json_set_string(doc, "id", xos_request_param(req, "id"));
	xos_json_set_string(doc, "q", xos_request_query(req, "q"));
	xos_json_set_int(doc, "n", (int64_t)n);
	xos_json_set_string(doc, "request", xos_request_id(req));
	xos_json_set_string(doc, "identity", xos_request_identity(req));
	xos_request_chain(req, &nchain);
	xos_json_set_int(doc, "chain", (int64_t)nchain);
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static enum xos_status parse(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_request_json(req, &doc, err);
	(void)ctx;
	if (st == XOS_OK)
		xos_response_json(res, 201, doc);
	return st;
}

static enum xos_status fails(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	uint64_t status = 0;
	(void)ctx;
	(void)res;
	if (xos_request_query_u64(req, "status", 0, 9, &status, err) != XOS_OK)
		return XOS_MALFORMED;
	return xos_err_set(
	    err, (enum xos_status)status, "test-code", "the text of %u", (unsigned)status);
}

static atomic_int slow_begun;

void fixture_await_slow(int n)
{
	while (atomic_load(&slow_begun) < n)
		usleep(1000);
}

static enum xos_status slow(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)ctx;
	(void)req;
	(void)err;
	atomic_fetch_add(&slow_begun, 1);
	usleep(200 * 1000);
	xos_response_body(res, "text/plain", xos_bytes_str("slow"));
	return XOS_OK;
}

static void *finish_later(void *arg)
{
	struct xos_response *res = arg;
	usleep(100 * 1000);
	xos_response_body(res, "text/plain", xos_bytes_str("later"));
	xos_response_finish(res, XOS_OK, NULL);
	return NULL;
}

static enum xos_status later(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	pthread_t t;
	(void)ctx;
	(void)req;
	xos_response_defer(res);
	if (pthread_create(&t, NULL, finish_later, res) != 0) {
		xos_response_finish(res, XOS_INTERNAL, err);
		return XOS_OK;
	}
	pthread_detach(t);
	return XOS_OK;
}

static enum xos_status inject(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)ctx;
	(void)req;
	(void)err;
	xos_response_header(res, "X-Bad", "a\r\nSet-Cookie: b");
	return XOS_OK;
}

/* ?n=BYTES of a body that is shared by all: the letters a to z, again and again. */
static enum xos_status shared(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	uint64_t n = 0;
	struct xos_buf text;
	(void)ctx;
	enum xos_status st = xos_request_query_u64(req, "n", 0, 10000000, &n, err);
	xos_buf_init(&text, 10000000);
	for (uint64_t i = 0; i < n; i++)
		xos_buf_u8(&text, (uint8_t)('a' + i % 26));
	struct xos_shared *body = xos_shared_take(&text);
	ck_assert_ptr_nonnull(body);
	xos_response_body(res, "text/plain", xos_bytes_str("replaced"));
	xos_response_shared(res, "text/plain", body);
	xos_shared_unref(body);
	return st;
}

/* Which thread answers. */
static enum xos_status thread(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	char text[32];
	(void)ctx;
	(void)req;
	(void)err;
	snprintf(text, sizeof(text), "thread %ld.", syscall(SYS_gettid));
	xos_response_body(res, "text/plain", xos_bytes_str(text));
	return XOS_OK;
}

static const struct xos_route routes[] = {
    {"POST", "/echo", echo, 0, 100000},
    {"PUT", "/echo", echo, XOS_ROUTE_INLINE, 100000},
    {"GET", "/v1/vo/{vo}/jobs/{id}", describe, XOS_ROUTE_INLINE, 0},
    {"GET", "/v1/vo/{vo}/jobs/list", echo, XOS_ROUTE_INLINE, 0},
    {"GET", "/", describe, 0, 0},
    {"GET", "/secret", describe, XOS_ROUTE_CERT, 0},
    {"POST", "/json", parse, 0, 1000},
    {"GET", "/fail", fails, 0, 0},
    {"GET", "/slow", slow, 0, 0},
    {"GET", "/shared", shared, 0, 0},
    {"GET", "/later", later, XOS_ROUTE_INLINE, 0},
    {"GET", "/inject", inject, 0, 0},
    {"GET", "/thread", thread, XOS_ROUTE_INLINE, 0},
    {"POST", "/thread", thread, XOS_ROUTE_SMALL_INLINE, 100000},
};

static void *run(void *arg)
{
	struct fixture *f = arg;
	ck_assert_int_eq(xos_loop_run(f->loop, NULL), XOS_OK);
	return NULL;
}

void fixture_start(struct fixture *f, struct xos_server_options o)
{
	struct xos_err err = XOS_ERR_INIT;
	if (!o.listen)
		o.listen = "127.0.0.1:0";
	ck_assert_int_eq(xos_loop_new(&f->loop, NULL), XOS_OK);
	ck_assert_int_eq(xos_pool_new(4, 64, &f->pool, NULL), XOS_OK);
	if (!o.pool)
		o.pool = f->pool;
	ck_assert_msg(xos_server_new(f->loop, &o, &f->server, &err) == XOS_OK, "%s", err.text);
	ck_assert_msg(xos_server_routes(f->server, routes, sizeof(routes) / sizeof(routes[0]), NULL,
	                  &err) == XOS_OK,
	    "%s", err.text);
	f->port = xos_server_port(f->server);
	ck_assert_int_eq(pthread_create(&f->thread, NULL, run, f), 0);
}

void fixture_stop(struct fixture *f)
{
	xos_loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	xos_server_free(f->server);
	xos_pool_free(f->pool);
	xos_loop_free(f->loop);
}

int raw_connect(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

void raw_send(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n > 0) {
		ssize_t w = send(fd, s, n, MSG_NOSIGNAL);
		if (w <= 0)
			return; /* the server may have closed: the test looks at what it answered */
		s += w;
		n -= (size_t)w;
	}
}

void raw_say(int fd, const char *text)
{
	raw_send(fd, text, strlen(text));
}

/* One read with a deadline; 0 at the end or when the time is over. */
static size_t read_some(int fd, char *out, size_t cap, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = until - xos_clock_mono_ms();
	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return 0;
	ssize_t n = recv(fd, out, cap, 0);
	return n > 0 ? (size_t)n : 0;
}

size_t raw_read(int fd, char *out, size_t cap, int ms)
{
	int64_t until = xos_clock_mono_ms() + ms;
	size_t n = 0, more;
	while (n + 1 < cap && (more = read_some(fd, out + n, cap - 1 - n, until)) > 0)
		n += more;
	out[n] = '\0';
	return n;
}

size_t raw_response(int fd, char *out, size_t cap, int ms)
{
	int64_t until = xos_clock_mono_ms() + ms;
	size_t n = 0, want = 0;
	while (n + 1 < cap && (!want || n < want)) {
		/* One byte at a time: what follows belongs to the next response. */
		size_t more = read_some(fd, out + n, want ? want - n : 1, until);
		if (!more)
			break;
		n += more;
		out[n] = '\0';
		const char *end = want ? NULL : strstr(out, "\r\n\r\n");
		if (end) {
			const char *len = strstr(out, "Content-Length: ");
			want = (size_t)(end + 4 - out) + (len ? strtoul(len + 16, NULL, 10) : 0);
		}
	}
	out[n] = '\0';
	return n;
}

int raw_status(const char *response)
{
	return strncmp(response, "HTTP/1.1 ", 9) == 0 ? atoi(response + 9) : 0;
}

int raw_closed(int fd, int ms)
{
	char buf[4096];
	int64_t until = xos_clock_mono_ms() + ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (;;) {
		int64_t left = until - xos_clock_mono_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return 0;
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			return 1;
	}
}
