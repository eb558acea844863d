#include "credd/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"

#define FRAME_MS 5000
#define IDLE_MS (5 * 60 * 1000)
#define TICK_MS 500
#define ACCEPT_BURST 64
#define SHARE_MIN 8
#define READ_SIZE 16384
#define SLOW_MS 1 /* most take a tenth of that */

enum stage { READ_HEAD, READ_BODY, WRITE };

/*
 * What came in one piece: mostly a whole request, so that it costs one call. Requests hold no secrets; answers
 * that do never pass here.
 */
struct piece {
	size_t at, n;
	uint8_t bytes[READ_SIZE];
};

struct conn {
	struct xos_credd_server *server;
	struct conn *prev, *next;
	struct xos_watch *watch;
	int fd;
	struct xos_credd_peer peer;
	enum stage stage;
	int64_t deadline; /* monotonic ms: this stage must be over by then */
	uint8_t head[XOS_LOCAL_HEADER];
	size_t nhead;
	struct xos_local_header header;
	struct xos_buf body; /* grows with what comes, not with what is announced */
	uint8_t *plain;      /* the answer, in one of the two */
	struct xos_secret *secret;
	size_t nout, out_at;
	bool last;    /* close once the answer is out */
	bool waiting; /* for room: the watch is set for writing, else for reading */
};

struct xos_credd_server {
	struct xos_credd_server_options opts;
	struct xos_loop *loop;
	struct xos_watch *listener;
	struct xos_timer *tick;
	struct conn *conns;
	size_t count;
	bool paused;
};

static void drop_output(struct conn *c)
{
	xos_secret_free(c->secret);
	free(c->plain);
	c->secret = NULL;
	c->plain = NULL;
	c->nout = c->out_at = 0;
}

static void conn_close(struct conn *c)
{
	struct xos_credd_server *s = c->server;
	xos_watch_free(c->watch);
	close(c->fd);
	drop_output(c);
	xos_buf_free(&c->body);
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->count--;
	free(c);
}

static void next_request(struct conn *c)
{
	drop_output(c);
	xos_buf_free(&c->body);
	xos_buf_init(&c->body, XOS_LOCAL_BODY_MAX);
	c->stage = READ_HEAD;
	c->nhead = 0;
	c->deadline = xos_clock_mono_ms() + c->server->opts.idle_ms;
	if (c->waiting)
		xos_watch_set(c->watch, XOS_WATCH_READ);
	c->waiting = false;
}

/* Puts header and body where the answer's nature demands. */
static enum xos_status set_output(
    struct conn *c, const struct xos_local_answer *a, uint32_t number, struct xos_err *err)
{
	size_t n = xos_local_answer_size(a);
	if (n > XOS_LOCAL_BODY_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "too-long", "the answer would have %zu bytes", n);
	bool secret = xos_local_op_secret(a->op) && !a->status;
	if (secret)
		c->secret = xos_secret_new(XOS_LOCAL_HEADER + n);
	else
		c->plain = malloc(XOS_LOCAL_HEADER + n);
	uint8_t *p = secret ? (c->secret ? xos_secret_data(c->secret) : NULL) : c->plain;
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	struct xos_local_header h = {
	    .kind = XOS_LOCAL_ANSWER, .op = a->op, .number = number, .length = (uint32_t)n};
	xos_local_header_write(p, &h);
	c->nout = XOS_LOCAL_HEADER + n;
	return xos_local_answer_encode(a, p + XOS_LOCAL_HEADER, n, err);
}

static void set_refusal(
    struct conn *c, enum xos_local_op op, uint32_t number, const struct xos_err *why)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local_answer a = {.op = op, .status = why->status};
	memcpy(a.code, why->code, sizeof(a.code));
	memcpy(a.error, why->text, sizeof(a.error));
	drop_output(c);
	if (set_output(c, &a, number, &err))
		c->last = true; /* not even that: hang up */
}

static void start_writing(struct conn *c)
{
	c->stage = WRITE;
	c->deadline = xos_clock_mono_ms() + c->server->opts.frame_ms;
}

static void serve(struct conn *c)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local_request req;
	struct xos_local_answer answer = {.op = c->header.op};
	struct xos_buf plain;
	struct xos_secret *secret = NULL;
	xos_buf_init(&plain, XOS_LOCAL_BODY_MAX);
	enum xos_status st =
	    xos_local_request_decode(c->header.op, xos_buf_bytes(&c->body), &req, &err);
	if (st)
		c->last = true;
	else
		st = c->server->opts.handle(
		    c->server->opts.ctx, &c->peer, &req, &answer, &plain, &secret, &err);
	if (!st && secret)
		answer.text = (struct xos_bytes){xos_secret_data(secret), xos_secret_len(secret)};
	if (!st)
		st = set_output(c, &answer, c->header.number, &err);
	if (st) {
		err.status = st;
		set_refusal(c, c->header.op, c->header.number, &err);
	}
	xos_secret_free(secret);
	xos_buf_free(&plain);
	start_writing(c);
}

/* False when the connection is over; nothing in p when there is nothing now. */
static bool receive(struct conn *c, struct piece *p)
{
	for (;;) {
		ssize_t got = recv(c->fd, p->bytes, sizeof(p->bytes), MSG_DONTWAIT);
		p->at = 0;
		p->n = got > 0 ? (size_t)got : 0;
		if (got > 0)
			return true;
		if (got == 0)
			return false;
		if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK;
	}
}

static void bad_frame(struct conn *c, const struct xos_err *why)
{
	char peer[16];
	(void)!xos_str_printf(peer, sizeof(peer), "%u", (unsigned)c->peer.uid);
	xos_event_err(XOS_WARN, "local.bad-frame", why, "peer", peer, (const char *)NULL);
	c->last = true;
	set_refusal(c, XOS_LOCAL_STATUS, 0, why);
	start_writing(c);
}

/* False when the rest must come first, or the frame is refused. */
static bool take_head(struct conn *c, struct piece *p)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n = sizeof(c->head) - c->nhead;
	if (n > p->n - p->at)
		n = p->n - p->at;
	if (n && c->nhead == 0)
		c->deadline = xos_clock_mono_ms() + c->server->opts.frame_ms;
	memcpy(c->head + c->nhead, p->bytes + p->at, n);
	p->at += n;
	c->nhead += n;
	if (c->nhead < sizeof(c->head))
		return false;
	enum xos_status st = xos_local_header_read(c->head, &c->header, &err);
	if (!st && c->header.kind != XOS_LOCAL_REQUEST)
		st = xos_err_set(
		    &err, XOS_MALFORMED, "header", "an answer where a request is expected");
	if (st) {
		bad_frame(c, &err);
		return false;
	}
	c->stage = READ_BODY;
	return true;
}

/* One request at a time: what comes before its answer has gone has no place in the protocol. */
static void take_body(struct conn *c, const struct piece *p)
{
	struct xos_err err = XOS_ERR_INIT;
	if (p->n - p->at > c->header.length - c->body.n) {
		(void)xos_err_set(&err, XOS_MALFORMED, "header",
		    "a second request before the answer to the first");
		bad_frame(c, &err);
		return;
	}
	xos_buf_put(&c->body, p->bytes + p->at, p->n - p->at);
	if (c->body.n == c->header.length && !xos_buf_status(&c->body))
		serve(c);
}

/* False when the connection is gone. */
static bool read_some(struct conn *c)
{
	struct piece p;
	do {
		if (!receive(c, &p) || xos_buf_status(&c->body)) {
			conn_close(c);
			return false;
		}
		if (c->stage == READ_HEAD && !take_head(c, &p))
			return true;
		if (c->stage == READ_BODY)
			take_body(c, &p);
	} while (c->stage == READ_BODY && p.n == sizeof(p.bytes));
	return true;
}

static void write_some(struct conn *c)
{
	const uint8_t *p = c->secret ? xos_secret_data(c->secret) : c->plain;
	while (c->out_at < c->nout) {
		ssize_t n =
		    send(c->fd, p + c->out_at, c->nout - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			c->out_at += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (!c->waiting)
				xos_watch_set(c->watch, XOS_WATCH_WRITE);
			c->waiting = true;
			return;
		}
		conn_close(c);
		return;
	}
	if (c->last || !c->nout)
		conn_close(c);
	else
		next_request(c);
}

static void go_on(struct conn *c)
{
	/* One request, then the loop's turn: no connection keeps the others waiting. */
	if (c->stage != WRITE && !read_some(c))
		return;
	/* Mostly there is room for the answer at once, and the watch stays as it is. */
	if (c->stage == WRITE)
		write_some(c);
}

static void on_accept(void *ctx, unsigned events);

/* Whoever is no service may ask for what takes long, such as chains that nobody has seen, over all the connections that it
 * gets. After each one services have their turn, so that none waits for more than one. */
static void services_first(struct xos_credd_server *s)
{
	if (!s->paused)
		on_accept(s, 0);
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (c->peer.service)
			go_on(c);
	}
}

static void on_ready(void *ctx, unsigned events)
{
	struct conn *c = ctx;
	struct xos_credd_server *s = c->server;
	bool service = c->peer.service;
	int64_t began = xos_clock_mono_ms();
	(void)events;
	go_on(c);
	if (!service && xos_clock_mono_ms() - began >= SLOW_MS)
		services_first(s);
}

static size_t count_of(const struct xos_credd_server *s, uid_t uid)
{
	size_t n = 0;
	for (const struct conn *c = s->conns; c; c = c->next)
		n += c->peer.uid == uid;
	return n;
}

static bool admit(struct xos_credd_server *s, int fd, struct xos_credd_peer *peer)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) || n != sizeof(cred))
		return false;
	*peer = (struct xos_credd_peer){
	    .uid = cred.uid, .gid = cred.gid, .pid = cred.pid, .since_ms = xos_clock_mono_ms()};
	peer->service = s->opts.is_service(s->opts.ctx, cred.uid);
	size_t share = s->opts.connections_max / 4;
	if (share < SHARE_MIN)
		share = SHARE_MIN;
	/* And all that are no services together leave a quarter to those that are: jobs start through them. */
	return peer->service ||
	       (count_of(s, cred.uid) < share &&
	           s->count < s->opts.connections_max - s->opts.connections_max / 4);
}

static void add_conn(struct xos_credd_server *s, int fd)
{
	struct xos_credd_peer peer;
	struct conn *c = admit(s, fd, &peer) ? calloc(1, sizeof(*c)) : NULL;
	struct xos_watch *watch = c ? xos_watch_new(s->loop, fd, on_ready, c) : NULL;
	if (!watch) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->watch = watch;
	c->fd = fd;
	c->peer = peer;
	c->next = s->conns;
	if (s->conns)
		s->conns->prev = c;
	s->conns = c;
	s->count++;
	next_request(c);
	xos_watch_set(c->watch, XOS_WATCH_READ);
}

static void pause_listener(struct xos_credd_server *s)
{
	s->paused = true;
	xos_watch_set(s->listener, 0);
}

static void on_accept(void *ctx, unsigned events)
{
	struct xos_credd_server *s = ctx;
	(void)events;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		if (s->count >= s->opts.connections_max) {
			pause_listener(s);
			return;
		}
		int fd = accept4(s->opts.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			add_conn(s, fd);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		else if (errno != EINTR && errno != ECONNABORTED) {
			/* No descriptors or memory: a ready listener would spin; the tick resumes it. */
			pause_listener(s);
			return;
		}
	}
}

static void on_tick(void *ctx)
{
	struct xos_credd_server *s = ctx;
	int64_t now = xos_clock_mono_ms();
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (now >= c->deadline)
			conn_close(c);
	}
	if (s->paused && s->count < s->opts.connections_max) {
		s->paused = false;
		xos_watch_set(s->listener, XOS_WATCH_READ);
	}
}

enum xos_status xos_credd_server_new(struct xos_loop *loop,
    const struct xos_credd_server_options *opts, struct xos_credd_server **out, struct xos_err *err)
{
	struct xos_credd_server *s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->opts = *opts;
	s->loop = loop;
	if (!s->opts.frame_ms)
		s->opts.frame_ms = FRAME_MS;
	if (!s->opts.idle_ms)
		s->opts.idle_ms = IDLE_MS;
	s->listener = xos_watch_new(loop, opts->listen_fd, on_accept, s);
	s->tick = xos_timer_new(loop, on_tick, s);
	if (!s->listener || !s->tick) {
		xos_credd_server_free(s);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	xos_watch_set(s->listener, XOS_WATCH_READ);
	xos_timer_every(
	    s->tick, s->opts.frame_ms < 4 * TICK_MS ? s->opts.frame_ms / 4 + 1 : TICK_MS);
	*out = s;
	return XOS_OK;
}

void xos_credd_server_free(struct xos_credd_server *s)
{
	if (!s)
		return;
	/* conn_close takes it off the list. */
	while (s->conns)
		conn_close(s->conns); /* NOLINT */
	xos_watch_free(s->listener);
	xos_timer_free(s->tick);
	free(s);
}

size_t xos_credd_server_connections(const struct xos_credd_server *s)
{
	return s->count;
}
