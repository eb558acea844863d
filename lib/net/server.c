/* The listener, the limit on connections, and the end of a server. */
#include "net/server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define BACKLOG 1024
#define ACCEPT_BURST 64
#define RESUME_MS 100
#define EVICT_AFTER_MS 1000 /* what is younger and not idle is given its chance */

void server_list_add(struct conn *c)
{
	struct xos_server *s = c->server;
	c->prev = s->last;
	c->next = NULL;
	if (s->last)
		s->last->next = c;
	else
		s->first = c;
	s->last = c;
}

void server_list_remove(struct conn *c)
{
	struct xos_server *s = c->server;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		s->last = c->prev;
	c->prev = c->next = NULL;
}

static bool same_net(const struct peer_net *a, const struct peer_net *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Makes room for a new connection: idle ones first, then those that have been receiving for long.
 * net NULL: whoever's they are. */
static bool evict(struct xos_server *s, const struct peer_net *net)
{
	int64_t now = xos_clock_mono_ms();
	struct conn *slow = NULL, *idle = NULL;
	for (struct conn *c = s->first; c && !idle; c = c->next) {
		bool waiting = c->state != CONN_HANDLING && c->state != CONN_WRITING;
		if (net && !same_net(&c->net, net))
			continue;
		if (c->state == CONN_IDLE || c->state == CONN_LINGER)
			idle = c;
		else if (!slow && waiting && now - c->since_ms >= EVICT_AFTER_MS)
			slow = c;
	}
	if (!idle && !slow)
		return false;
	s->turned.away++;
	conn_free(idle ? idle : slow);
	return true;
}

static void net_of(const struct sockaddr_storage *ss, struct peer_net *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	memset(out, 0, sizeof(*out));
	if (ss->ss_family == AF_INET) {
		out->b[0] = 4;
		memcpy(out->b + 1, &((const struct sockaddr_in *)ss)->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		const uint8_t *a = ((const struct sockaddr_in6 *)ss)->sin6_addr.s6_addr;
		bool four = memcmp(a, mapped, sizeof(mapped)) == 0;
		out->b[0] = four ? 4 : 6;
		memcpy(out->b + 1, four ? a + 12 : a, four ? 4 : 8);
	}
}

/* Has the address a place left, or one of its own to give up? */
static bool address_has_place(struct xos_server *s, const struct peer_net *net)
{
	size_t n = 0;
	if (!s->o.max_per_address || s->o.max_per_address >= s->o.max_connections)
		return true;
	for (const struct conn *c = s->first; c; c = c->next)
		n += same_net(&c->net, net);
	return n < s->o.max_per_address || evict(s, net);
}

static void listener_pause(struct xos_server *s)
{
	xos_watch_set(s->listener, 0);
	xos_timer_set(s->resume, RESUME_MS);
}

static void peer_name(const struct sockaddr *sa, socklen_t len, char out[PEER_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN + 20], port[8];
	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
	        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, PEER_TEXT_MAX, "unknown");
	else
		snprintf(out, PEER_TEXT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static bool somebody_waits(const struct xos_server *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

static bool accept_one(struct xos_server *s)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	char text[PEER_TEXT_MAX];
	struct peer_net net;
	if (s->nconns >= s->o.max_connections) {
		/* A place is made for somebody, not on the chance that there is one. */
		if (!somebody_waits(s))
			return false;
		if (!evict(s, NULL)) {
			listener_pause(s);
			return false;
		}
	}
	int fd = accept4(s->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			evict(s, NULL);
			listener_pause(s);
		}
		return errno == ECONNABORTED || errno == EINTR;
	}
	net_of(&ss, &net);
	if (!address_has_place(s, &net)) {
		s->turned.refused++;
		close(fd);
		return true;
	}
	peer_name((struct sockaddr *)&ss, len, text);
	conn_open(s, fd, text, &net);
	return true;
}

static void on_accept(void *ctx, unsigned events)
{
	struct xos_server *s = ctx;
	(void)events;
	for (int i = 0; i < ACCEPT_BURST && s->fd >= 0; i++)
		if (!accept_one(s))
			return;
}

static void on_resume(void *ctx)
{
	struct xos_server *s = ctx;
	if (s->fd >= 0)
		xos_watch_set(s->listener, XOS_WATCH_READ);
}

static void drain_end(struct xos_server *s)
{
	void (*done)(void *ctx) = s->drained;
	s->drained = NULL;
	if (s->drain_timer)
		xos_timer_clear(s->drain_timer);
	if (done)
		done(s->drained_ctx);
}

void server_conn_gone(struct xos_server *s)
{
	s->nconns--;
	if (s->draining && s->nconns == 0)
		drain_end(s);
}

void server_exchange_done(struct exchange *x)
{
	struct xos_server *s = x->conn->server;
	uint64_t one = 1;
	pthread_mutex_lock(&s->lock);
	x->next = NULL;
	*s->done_last = x;
	s->done_last = &x->next;
	pthread_cond_signal(&s->done_more);
	/* Inside the lock: once x is in the list and the lock is free, the server may be freed. */
	ssize_t n = write(s->done_fd, &one, sizeof(one));
	(void)n;
	pthread_mutex_unlock(&s->lock);
}

static struct exchange *done_take(struct xos_server *s)
{
	struct exchange *x = s->done_first;
	if (x) {
		s->done_first = x->next;
		if (!s->done_first)
			s->done_last = &s->done_first;
	}
	return x;
}

static void on_done(void *ctx, unsigned events)
{
	struct xos_server *s = ctx;
	uint64_t n;
	struct exchange *x;
	(void)events;
	if (read(s->done_fd, &n, sizeof(n)) < 0)
		return;
	do {
		pthread_mutex_lock(&s->lock);
		x = done_take(s);
		pthread_mutex_unlock(&s->lock);
		if (x)
			conn_complete(x);
	} while (x);
}

static enum xos_status bad_address(struct xos_err *err, const char *listen_at)
{
	return xos_err_set(err, XOS_MALFORMED, "listen-address",
	    "\"%s\" is no address to listen at; write for example 127.0.0.1:8443 or [::1]:8443",
	    listen_at);
}

/* "host:port" or "[v6]:port", numeric. */
static enum xos_status resolve(const char *listen_at, struct addrinfo **out, struct xos_err *err)
{
	char host[PEER_TEXT_MAX];
	const char *colon = strrchr(listen_at, ':');
	uint64_t port;
	if (!colon || !xos_parse_u64(colon + 1, 65535, &port) ||
	    !xos_str_printf(host, sizeof(host), "%.*s", (int)(colon - listen_at), listen_at))
		return bad_address(err, listen_at);
	size_t n = strlen(host);
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		memmove(host, host + 1, n);
		host[n - 2] = '\0';
	}
	struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	if (getaddrinfo(host, colon + 1, &hints, out) != 0)
		return bad_address(err, listen_at);
	return XOS_OK;
}

enum xos_status xos_server_bind(const char *listen_at, int *out, struct xos_err *err)
{
	struct addrinfo *ai = NULL;
	int one = 1;
	enum xos_status st = resolve(listen_at, &ai, err);
	if (st != XOS_OK)
		return st;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		xos_err_errno(err, errno, "listen", "cannot listen at %s", listen_at);
		if (err)
			err->status = XOS_UNAVAILABLE;
		st = XOS_UNAVAILABLE;
		if (fd >= 0)
			close(fd);
	} else {
		*out = fd;
	}
	freeaddrinfo(ai);
	return st;
}

static void defaults(struct xos_server_options *o)
{
	if (!o->max_connections)
		o->max_connections = 1000;
	if (!o->header_max)
		o->header_max = 16 * 1024;
	if (!o->handshake_ms)
		o->handshake_ms = 10000;
	if (!o->head_ms)
		o->head_ms = 10000;
	if (!o->body_ms)
		o->body_ms = 30000;
	if (!o->write_ms)
		o->write_ms = 30000;
	if (!o->idle_ms)
		o->idle_ms = 60000;
}

static void name_self(struct xos_server *s)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) != 0)
		return;
	peer_name((struct sockaddr *)&ss, len, s->address);
	if (ss.ss_family == AF_INET)
		s->port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	else if (ss.ss_family == AF_INET6)
		s->port = ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
}

enum xos_status xos_server_new(struct xos_loop *loop, const struct xos_server_options *opts,
    struct xos_server **out, struct xos_err *err)
{
	struct xos_server *s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->loop = loop;
	s->o = *opts;
	defaults(&s->o);
	s->fd = -1;
	s->done_last = &s->done_first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->done_more, NULL);
	s->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum xos_status st = XOS_OK;
	if (opts->listen)
		st = xos_server_bind(opts->listen, &s->fd, err);
	else
		s->fd = opts->listen_fd;
	if (st == XOS_OK) {
		name_self(s);
		s->listener = xos_watch_new(loop, s->fd, on_accept, s);
		s->done_watch = xos_watch_new(loop, s->done_fd, on_done, s);
		s->resume = xos_timer_new(loop, on_resume, s);
		if (s->done_fd < 0 || !s->listener || !s->done_watch || !s->resume)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	if (st != XOS_OK) {
		xos_server_free(s);
		return st;
	}
	xos_watch_set(s->listener, XOS_WATCH_READ);
	xos_watch_set(s->done_watch, XOS_WATCH_READ);
	*out = s;
	return XOS_OK;
}

static bool same_pattern(const struct route *a, const struct route *b)
{
	if (a->nsegments != b->nsegments || strcmp(a->pub->method, b->pub->method) != 0)
		return false;
	for (size_t i = 0; i < a->nsegments; i++)
		if (a->named[i] != b->named[i] ||
		    (!a->named[i] && strcmp(a->segment[i], b->segment[i]) != 0))
			return false;
	return true;
}

enum xos_status xos_server_routes(
    struct xos_server *s, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err)
{
	struct route *more = reallocarray(s->routes, s->nroutes + n, sizeof(*more));
	if (!more)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->routes = more;
	for (size_t i = 0; i < n; i++) {
		struct route r;
		enum xos_status st = route_make(&routes[i], ctx, &r, err);
		if (st != XOS_OK)
			return st;
		for (size_t k = 0; k < s->nroutes; k++) {
			if (!same_pattern(&s->routes[k], &r))
				continue;
			route_clear(&r);
			return xos_err_set(err, XOS_CONFLICT, "route", "route %s %s exists",
			    routes[i].method, routes[i].pattern);
		}
		s->routes[s->nroutes++] = r;
	}
	return XOS_OK;
}

const char *xos_server_address(const struct xos_server *s)
{
	return s->address;
}

uint16_t xos_server_port(const struct xos_server *s)
{
	return s->port;
}

size_t xos_server_connections(const struct xos_server *s)
{
	return s->nconns;
}

struct xos_server_turned xos_server_turned(const struct xos_server *s)
{
	return s->turned;
}

void xos_server_limits(struct xos_server *s, const struct xos_server_options *opts)
{
	s->o.max_connections = opts->max_connections;
	s->o.max_per_address = opts->max_per_address;
	s->o.handshake_ms = opts->handshake_ms;
	s->o.head_ms = opts->head_ms;
	s->o.body_ms = opts->body_ms;
	s->o.write_ms = opts->write_ms;
	s->o.idle_ms = opts->idle_ms;
	defaults(&s->o);
}

static void listener_close(struct xos_server *s)
{
	xos_watch_free(s->listener);
	s->listener = NULL;
	if (s->resume)
		xos_timer_clear(s->resume);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void on_drain_timeout(void *ctx)
{
	struct xos_server *s = ctx;
	void (*done)(void *ctx) = s->drained;
	s->drained = NULL; /* called once, below, and not in the middle of the list */
	for (struct conn *c = s->first, *next; c; c = next) {
		next = c->next;
		conn_end(c);
	}
	s->drained = done;
	drain_end(s);
}

void xos_server_drain(struct xos_server *s, int64_t ms, void (*done)(void *ctx), void *ctx)
{
	listener_close(s);
	/* Idle ones go before `drained` is set, so that done is called once and below. */
	for (struct conn *c = s->first, *next; c; c = next) {
		next = c->next;
		if (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE)
			conn_free(c);
	}
	s->draining = true;
	s->drained = done;
	s->drained_ctx = ctx;
	s->drain_timer = xos_timer_new(s->loop, on_drain_timeout, s);
	if (s->nconns == 0 || !s->drain_timer)
		on_drain_timeout(s);
	else
		xos_timer_set(s->drain_timer, ms);
}

void xos_server_free(struct xos_server *s)
{
	if (!s)
		return;
	s->draining = false;
	listener_close(s);
	for (struct conn *c = s->first, *next; c; c = next) {
		next = c->next;
		conn_end(c);
	}
	/* Handlers still have the rest. */
	while (s->nbusy > 0) {
		pthread_mutex_lock(&s->lock);
		while (!s->done_first)
			pthread_cond_wait(&s->done_more, &s->lock);
		struct exchange *x = done_take(s);
		pthread_mutex_unlock(&s->lock);
		conn_complete(x);
	}
	xos_watch_free(s->done_watch);
	xos_timer_free(s->resume);
	xos_timer_free(s->drain_timer);
	if (s->done_fd >= 0)
		close(s->done_fd);
	for (size_t i = 0; i < s->nroutes; i++)
		route_clear(&s->routes[i]);
	free(s->routes);
	pthread_cond_destroy(&s->done_more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
