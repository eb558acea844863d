#ifndef XOS_NET_SERVER_H
#define XOS_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/pool.h"
#include "net/tls.h"

/*
 * An HTTP/1.1 server (RFC 9112) over TLS 1.3, or plain for health on loopback. One thread (the
 * loop's) moves bytes; handlers run in the pool. Each stage of a connection has one deadline that
 * no trickle of bytes extends. At the connection limit the connection that has been idle longest
 * gives way to a new one; if all are at work, the listener pauses. An address at its own limit gives
 * up one of its own; if none of them can be given up, the new one is closed at once.
 */
struct xos_server;

#define XOS_ROUTE_CERT 1u   /* without an accepted client certificate: 401 */
#define XOS_ROUTE_INLINE 2u /* on the loop's thread: for handlers that never block */
/* The same for requests with a body of at most XOS_ROUTE_SMALL bytes only: where those are answered in less time
 * than it takes to hand them to another thread. */
#define XOS_ROUTE_SMALL_INLINE 4u
#define XOS_ROUTE_SMALL 1024u
#define XOS_ROUTE_FREQUENT 8u /* so many that only refusals are worth an event of their own */

/*
 * pattern: "/v1/vo/{vo}/jobs/{id}"; a {name} stands for one whole segment. Literal segments win over
 * names. GET routes answer HEAD too. Unknown path 404, known path with another method 405.
 * handle: XOS_OK means the response stands; anything else makes err the answer.
 */
struct xos_route {
	const char *method;
	const char *pattern;
	enum xos_status (*handle)(void *ctx, const struct xos_request *req,
	    struct xos_response *res, struct xos_err *err);
	unsigned flags;
	size_t body_max; /* 0: a body is refused with 413 */
};

/* For metrics and the event log; called on the loop's thread after each response. */
struct xos_exchange {
	const char *method;
	const char *route; /* the pattern; "" if none matched */
	const char *request_id;
	const char *peer;
	int status;
	const char *code; /* of the problem document; NULL if the handler was content */
	bool frequent;    /* of the route: XOS_ROUTE_FREQUENT */
	int64_t micros;   /* from the last byte of the request to the response */
};

struct xos_server_options {
	const char *listen; /* "127.0.0.1:0", "[::1]:8443": numeric */
	int listen_fd;      /* instead of listen: a bound socket, taken; -1 if listen is given */
	struct xos_tls_server *tls; /* borrowed; NULL: plain HTTP */
	struct xos_pool *pool;      /* borrowed; NULL: every route must be INLINE */
	bool tls12;                 /* TLS 1.2 is taken too, as in tls.h */
	/* For clients that know neither problem documents nor our certificates: errors are plain text, and a 401 asks
	 * for a name and a password of this realm (RFC 7617). NULL: problem documents. Borrowed. */
	const char *realm;
	size_t max_connections; /* 0: 1 000 */
	size_t
	    max_per_address; /* of them, from one address (IPv6: one network of 64 bits); 0: all */
	size_t header_max;   /* bytes of request line and fields; 0: 16 KiB */
	/* Milliseconds for a whole stage; 0: the default given. */
	int64_t handshake_ms; /* 10 s */
	int64_t head_ms;      /* 10 s, from the first byte of a request to the end of its fields */
	int64_t body_ms;      /* 30 s */
	int64_t write_ms;     /* 30 s */
	int64_t idle_ms;      /* 60 s between requests */
	/* Called before a handler, on its thread; may put another ctx in *ctx, or refuse. For one set of
	 * routes that serves several VOs. May be NULL. */
	enum xos_status (*pick)(
	    void *arg, const struct xos_request *req, void **ctx, struct xos_err *err);
	void *pick_arg;
	void (*observe)(void *ctx, const struct xos_exchange *x); /* may be NULL */
	void *observe_ctx;
};

/* Binds and listens at once (TCP_NODELAY, SO_REUSEADDR); accepts when the loop runs. UNAVAILABLE
 * names the address and what stands in the way. */
XOS_MUST_USE enum xos_status xos_server_new(struct xos_loop *loop,
    const struct xos_server_options *opts, struct xos_server **out, struct xos_err *err);
/* routes and what they point to outlive the server; ctx goes to their handlers. MALFORMED for a
 * pattern that is none, CONFLICT for one that exists. Before the loop runs. */
XOS_MUST_USE enum xos_status xos_server_routes(
    struct xos_server *s, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err);
const char *xos_server_address(const struct xos_server *s); /* "127.0.0.1:41234" */
uint16_t xos_server_port(const struct xos_server *s);       /* the one chosen, if 0 was asked for */
size_t xos_server_connections(const struct xos_server *s);  /* for metrics; the loop's thread */
/* Connections that gave way to others, and those closed because their address had too many. */
struct xos_server_turned {
	uint64_t away, refused;
};
struct xos_server_turned xos_server_turned(const struct xos_server *s); /* the loop's thread */
/* Other limits from now on: max_connections, max_per_address and the times of opts, with their defaults.
 * Open connections stay, under the times of the stage that they are in. The loop's thread. */
void xos_server_limits(struct xos_server *s, const struct xos_server_options *opts);
/* Binds a listening socket without a server: for a parent that binds and a child that serves. */
XOS_MUST_USE enum xos_status xos_server_bind(const char *listen, int *fd, struct xos_err *err);
/*
 * Graceful stop: no new connections, idle ones closed, requests under way finished and answered
 * with "Connection: close"; then done(ctx) on the loop's thread, at the latest after ms, when what
 * is left is cut (handlers in the pool are still waited for by xos_server_free). done must not free
 * the server; it stops the loop.
 */
void xos_server_drain(struct xos_server *s, int64_t ms, void (*done)(void *ctx), void *ctx);
/* Not from a handler. Cuts all connections; every deferred response must have been finished, and
 * the pool must have run empty (xos_pool_free) or be still alive to do so. */
void xos_server_free(struct xos_server *s);

#endif
