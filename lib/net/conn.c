/* One connection: its bytes, its stages, their deadlines. Runs on the loop's thread. */
#include "net/server_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define READ_SIZE 16384
#define LINGER_MS 2000
#define LINGER_MAX (1024 * 1024)
#define OUT_HEAD_MAX 16384
#define EMPTY_MAX 64  /* bytes of empty lines before a request */
#define STEPS_MAX 256 /* of one connection, before the others get their turn */

/* What a step of a stage leads to. */
enum step {
	STEP_ON,   /* another step at once */
	STEP_WAIT, /* for the descriptor, the timer or a handler */
	STEP_GONE  /* the connection was freed */
};

static void drive(struct conn *c);

static void enter(struct conn *c, enum conn_state state, int64_t ms)
{
	c->state = state;
	c->since_ms = xos_clock_mono_ms();
	server_list_remove(c);
	server_list_add(c);
	if (ms > 0)
		xos_timer_set(c->timer, ms);
	else
		xos_timer_clear(c->timer);
}

void conn_free(struct conn *c)
{
	struct xos_server *s = c->server;
	server_list_remove(c);
	xos_watch_free(c->watch);
	xos_timer_free(c->timer);
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	tls_peer_clear(&c->peer);
	exchange_free(c->x);
	xos_buf_free(&c->in);
	xos_buf_free(&c->out);
	free(c);
	server_conn_gone(s);
}

void conn_end(struct conn *c)
{
	if (c->state == CONN_HANDLING)
		c->cut = true;
	else
		conn_free(c);
}

static enum step gone(struct conn *c)
{
	conn_free(c);
	return STEP_GONE;
}

/* What a failed SSL or socket call waits for; 0: nothing, the connection is over. */
static unsigned wanted(const struct conn *c, int rc, unsigned plain)
{
	if (!c->ssl)
		return rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? plain : 0;
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return XOS_WATCH_READ;
	case SSL_ERROR_WANT_WRITE:
		return XOS_WATCH_WRITE;
	default:
		return 0;
	}
}

static enum step wait_or_go(struct conn *c, unsigned events)
{
	if (!events)
		return gone(c);
	xos_watch_set(c->watch, events);
	return STEP_WAIT;
}

/* Appends what has come to c->in. STEP_ON: there is more than before. */
static enum step fill(struct conn *c)
{
	uint8_t buf[READ_SIZE];
	int n;
	if (c->ssl) {
		ERR_clear_error();
		n = SSL_read(c->ssl, buf, sizeof(buf));
	} else {
		do
			n = (int)recv(c->fd, buf, sizeof(buf), 0);
		while (n < 0 && errno == EINTR);
		if (n == 0)
			return gone(c);
	}
	if (n <= 0)
		return wait_or_go(c, wanted(c, n, XOS_WATCH_READ));
	xos_buf_put(&c->in, buf, (size_t)n);
	return xos_buf_status(&c->in) == XOS_OK ? STEP_ON : gone(c);
}

static void consume(struct conn *c, size_t n)
{
	c->in.n -= n;
	if (c->in.n > 0) {
		memmove(c->in.p, c->in.p + n, c->in.n);
	} else {
		size_t max = c->in.max;
		xos_buf_free(&c->in); /* an idle connection holds no buffer */
		xos_buf_init(&c->in, max);
	}
	c->searched = 0;
}

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The response goes out: the exchange must be decided. */
static enum step respond(struct conn *c)
{
	struct exchange *x = c->x;
	struct xos_server *s = c->server;
	exchange_settle(x);
	if (s->draining)
		c->keep_alive = false;
	xos_buf_free(&c->out);
	xos_buf_init(&c->out, RESPONSE_BODY_MAX + OUT_HEAD_MAX);
	if (exchange_encode(x, c->keep_alive, &c->out) != XOS_OK)
		return gone(c);
	c->written = 0;
	if (s->o.observe) {
		struct xos_exchange seen = {.method = x->req.head.method ? x->req.head.method : "",
		    .route = x->req.route ? x->req.route->pub->pattern : "",
		    .request_id = x->req.id,
		    .peer = c->peer_text,
		    .status = x->res.status,
		    .code = x->status != XOS_OK && x->err.code[0] ? x->err.code : NULL,
		    .frequent =
		        x->req.route && (x->req.route->pub->flags & XOS_ROUTE_FREQUENT) != 0,
		    .micros = now_us() - x->begin_us};
		s->o.observe(s->o.observe_ctx, &seen);
	}
	enter(c, CONN_WRITING, s->o.write_ms);
	return STEP_ON;
}

/* Refuses what is being received; nothing more is read from this connection. */
static enum step respond_error(
    struct conn *c, enum xos_status status, const char *code, const char *text)
{
	if (!c->x)
		c->x = exchange_new(c);
	if (!c->x)
		return gone(c);
	if (!c->x->req.id[0])
		exchange_name(c->x);
	c->x->begin_us = now_us();
	c->x->status = xos_err_set(&c->x->err, status, code, "%s", text);
	c->keep_alive = false;
	return respond(c);
}

static void work(void *ctx)
{
	struct exchange *x = ctx;
	if (exchange_run(x))
		server_exchange_done(x);
}

static enum step dispatch(struct conn *c)
{
	struct exchange *x = c->x;
	struct xos_server *s = c->server;
	x->begin_us = now_us();
	const unsigned flags = x->req.route->pub->flags;
	bool small = (flags & XOS_ROUTE_SMALL_INLINE) && x->req.body.n <= XOS_ROUTE_SMALL;
	if ((flags & XOS_ROUTE_INLINE) || small || !s->o.pool) {
		enter(c, CONN_HANDLING, 0);
		s->nbusy++;
		/* Nobody else runs on this thread meanwhile: the watch stays as it is unless we wait. */
		if (!exchange_run(x)) {
			xos_watch_set(c->watch, 0);
			return STEP_WAIT;
		}
		s->nbusy--;
		return respond(c);
	}
	enter(c, CONN_HANDLING, 0);
	xos_watch_set(c->watch, 0);
	s->nbusy++;
	if (xos_pool_submit(s->o.pool, work, x) == XOS_OK)
		return STEP_WAIT;
	s->nbusy--;
	x->status = xos_err_set(&x->err, XOS_UNAVAILABLE, "busy",
	    "the server has as much work waiting as it takes; try again in a moment");
	return respond(c);
}

void conn_complete(struct exchange *x)
{
	struct conn *c = x->conn;
	c->server->nbusy--;
	if (c->cut) {
		c->state = CONN_LINGER;
		conn_free(c);
	} else if (respond(c) == STEP_ON) {
		drive(c);
	}
}

/* May this peer ask anything at all? */
static enum xos_status peer_check(struct conn *c, struct xos_err *err)
{
	struct tls_peer *p = &c->peer;
	if (p->refused) {
		*err = p->err;
		return err->status;
	}
	if (p->n > 0 && p->verifier->recheck)
		return p->verifier->recheck(p->verifier->ctx, p->identity, err);
	return XOS_OK;
}

/* From the bytes of a head to a request that its route will take, or the reason why not. */
static enum xos_status admit(struct conn *c, struct exchange *x, struct xos_bytes head)
{
	struct xos_request *req = &x->req;
	enum xos_status st = http_head_parse(head, &req->head, &x->err);
	exchange_name(x);
	if (st != XOS_OK)
		return st;
	c->keep_alive = req->head.keep_alive;
	st = http_target_parse(req->head.target, &req->target, &x->err);
	if (st == XOS_OK)
		st = peer_check(c, &x->err);
	if (st != XOS_OK)
		return st;
	req->route = route_find(c->server->routes, c->server->nroutes, req->head.method,
	    &req->target, x->allow, sizeof(x->allow), &x->err);
	if (!req->route)
		return x->err.status;
	if ((req->route->pub->flags & XOS_ROUTE_CERT) && c->peer.n == 0)
		return xos_err_set(&x->err, XOS_DENIED, "client-certificate-needed",
		    "this needs a client certificate of the VO; log in with xos-login first");
	if (req->head.length > req->route->pub->body_max)
		return xos_err_set(&x->err, XOS_LIMIT, "body-too-long",
		    "a body of %llu bytes where at most %zu are taken",
		    (unsigned long long)req->head.length, req->route->pub->body_max);
	xos_buf_init(&req->body, req->route->pub->body_max);
	return XOS_OK;
}

static bool has_body(const struct http_head *h)
{
	return h->chunked || h->length > 0;
}

/* "100 Continue" to a client that waits for it. A socket without room for one line is hopeless. */
static bool say_continue(struct conn *c)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	int n = (int)sizeof(line) - 1;
	if (c->ssl) {
		ERR_clear_error();
		return SSL_write(c->ssl, line, n) == n;
	}
	return send(c->fd, line, (size_t)n, MSG_NOSIGNAL) == n;
}

static enum step begin_request(struct conn *c, size_t head_len)
{
	struct exchange *x = exchange_new(c);
	if (!x)
		return gone(c);
	c->x = x;
	c->empty = 0;
	c->keep_alive = false;
	x->begin_us = now_us();
	x->status = admit(c, x, (struct xos_bytes){c->in.p, head_len});
	consume(c, head_len);
	if (x->status != XOS_OK) {
		/* A body that nobody wants is not read: the connection ends after the answer. */
		if (!x->req.head.text || has_body(&x->req.head))
			c->keep_alive = false;
		return respond(c);
	}
	if (!has_body(&x->req.head))
		return dispatch(c);
	if (x->req.head.expect_continue && c->in.n == 0 && !say_continue(c))
		return gone(c);
	enter(c, CONN_BODY, c->server->o.body_ms);
	return STEP_ON;
}

static enum step step_head(struct conn *c)
{
	size_t blank = 0;
	/* RFC 9112 2.2: some empty lines before a request are ignored, at once: each alone would cost a
	 * move of all that follows. */
	while (blank + 2 <= c->in.n && c->empty + blank <= EMPTY_MAX && c->in.p[blank] == '\r' &&
	       c->in.p[blank + 1] == '\n')
		blank += 2;
	c->empty += blank;
	if (c->empty > EMPTY_MAX)
		return respond_error(
		    c, XOS_MALFORMED, "http-syntax", "too many empty lines before a request");
	if (blank)
		consume(c, blank);
	if (c->in.n > 0 && c->state == CONN_IDLE)
		enter(c, CONN_HEAD, c->server->o.head_ms);
	size_t len = http_head_length(xos_buf_bytes(&c->in), c->searched);
	if (len > c->server->o.header_max || (!len && c->in.n > c->server->o.header_max))
		return respond_error(c, XOS_LIMIT, "header-too-long",
		    "the header fields of the request are too long");
	if (len)
		return begin_request(c, len);
	c->searched = c->in.n;
	return fill(c);
}

static enum step step_body(struct conn *c)
{
	struct xos_request *req = &c->x->req;
	struct xos_bytes in = xos_buf_bytes(&c->in);
	bool complete;
	if (req->head.chunked) {
		struct xos_err err = XOS_ERR_INIT;
		if (http_chunks_feed(&req->chunks, &in, &req->body, &err) != XOS_OK)
			return respond_error(c, err.status, err.code, err.text);
		complete = req->chunks.state == CHUNK_DONE;
	} else {
		size_t need = (size_t)req->head.length - req->body.n;
		size_t n = in.n < need ? in.n : need;
		xos_buf_put(&req->body, in.p, n);
		if (xos_buf_status(&req->body) != XOS_OK)
			return gone(c);
		in.n -= n;
		complete = n == need;
	}
	consume(c, c->in.n - in.n);
	return complete ? dispatch(c) : fill(c);
}

/* The next bytes to send, in one piece; none: all is sent. */
static struct xos_bytes unsent(const struct conn *c)
{
	struct xos_bytes from = xos_buf_bytes(&c->out);
	size_t at = c->written;
	if (at >= from.n) {
		at -= from.n;
		from = exchange_rest(c->x);
	}
	return at < from.n ? (struct xos_bytes){from.p + at, from.n - at} : XOS_BYTES_NONE;
}

static enum step step_write(struct conn *c)
{
	for (struct xos_bytes left; (left = unsent(c)).n;) {
		int chunk = left.n > 65536 ? 65536 : (int)left.n, n;
		if (c->ssl) {
			ERR_clear_error();
			n = SSL_write(c->ssl, left.p, chunk);
		} else {
			n = (int)send(c->fd, left.p, (size_t)chunk, MSG_NOSIGNAL);
		}
		if (n <= 0)
			return wait_or_go(c, wanted(c, n, XOS_WATCH_WRITE));
		c->written += (size_t)n;
	}
	exchange_free(c->x);
	c->x = NULL;
	xos_buf_free(&c->out);
	if (c->keep_alive) {
		enter(c, CONN_IDLE, c->server->o.idle_ms);
		return STEP_ON;
	}
	if (c->ssl) {
		ERR_clear_error();
		SSL_shutdown(c->ssl);
	}
	shutdown(c->fd, SHUT_WR);
	enter(c, CONN_LINGER, LINGER_MS);
	return STEP_ON;
}

/* Closing with unread bytes would reset the connection and take the answer with it. */
static enum step step_linger(struct conn *c)
{
	uint8_t buf[READ_SIZE];
	ssize_t n;
	while ((n = recv(c->fd, buf, sizeof(buf), 0)) > 0) {
		c->lingered += (size_t)n;
		if (c->lingered > LINGER_MAX)
			return gone(c);
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return wait_or_go(c, XOS_WATCH_READ);
	return gone(c);
}

static enum step step_handshake(struct conn *c)
{
	ERR_clear_error();
	int rc = SSL_do_handshake(c->ssl);
	if (rc != 1)
		return wait_or_go(c, wanted(c, rc, 0));
	enter(c, CONN_IDLE, c->server->o.idle_ms);
	return STEP_ON;
}

static void drive(struct conn *c)
{
	enum step next = STEP_ON;
	for (int n = 0; next == STEP_ON; n++) {
		if (n == STEPS_MAX) {
			/* Bytes may wait inside OpenSSL, so it is writability that calls us back. */
			xos_watch_set(c->watch, XOS_WATCH_READ | XOS_WATCH_WRITE);
			return;
		}
		switch (c->state) {
		case CONN_HANDSHAKE:
			next = step_handshake(c);
			break;
		case CONN_IDLE:
		case CONN_HEAD:
			next = step_head(c);
			break;
		case CONN_BODY:
			next = step_body(c);
			break;
		case CONN_HANDLING:
			next = STEP_WAIT;
			break;
		case CONN_WRITING:
			next = step_write(c);
			break;
		case CONN_LINGER:
			next = step_linger(c);
			break;
		}
	}
}

static void on_ready(void *ctx, unsigned events)
{
	(void)events;
	drive(ctx);
}

static void on_deadline(void *ctx)
{
	struct conn *c = ctx;
	bool asking = c->state == CONN_HEAD || c->state == CONN_BODY;
	if (!asking)
		conn_end(c);
	else if (respond_error(c, XOS_UNAVAILABLE, "request-timeout",
	             "the request did not arrive in time") == STEP_ON)
		drive(c);
}

void conn_open(struct xos_server *s, int fd, const char *peer_text, const struct peer_net *net)
{
	struct conn *c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->net = *net;
	s->nconns++;
	server_list_add(c);
	xos_buf_init(&c->in, s->o.header_max + READ_SIZE);
	xos_buf_init(&c->out, 0);
	if (!xos_str_copy(c->peer_text, sizeof(c->peer_text), peer_text))
		c->peer_text[0] = '\0';
	c->watch = xos_watch_new(s->loop, fd, on_ready, c);
	c->timer = xos_timer_new(s->loop, on_deadline, c);
	if (s->o.tls)
		c->ssl = tls_server_accept(s->o.tls, fd, s->o.tls12, &c->peer);
	if (!c->watch || !c->timer || (s->o.tls && !c->ssl)) {
		conn_free(c);
		return;
	}
	if (c->ssl)
		enter(c, CONN_HANDSHAKE, s->o.handshake_ms);
	else
		enter(c, CONN_IDLE, s->o.idle_ms);
	drive(c);
}
