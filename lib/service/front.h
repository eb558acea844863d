#ifndef XOS_SERVICE_FRONT_H
#define XOS_SERVICE_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "net/server.h"
#include "service/cert.h"
#include "service/health.h"

/*
 * The network process of a service, ready-made: loop, worker pool, TLS identity, HTTP server,
 * health and metrics routes, signals (SIGHUP reloads, SIGTERM drains and ends).
 *
 * xos_front_new binds the socket and reads the key: call it in `open`. No thread starts before
 * xos_front_run, so the sandbox can close in between.
 */
struct xos_front;

/* What everybody together and each client may take; 0: the default in brackets. */
struct xos_front_limits {
	int64_t connections;             /* 1000 */
	int64_t connections_per_address; /* no limit of its own */
	int64_t request_seconds;         /* for a head, a body and an answer each: 10, 30, 30 */
	int64_t idle_seconds;            /* 60, between requests */
};

struct xos_front_options {
	const char *listen; /* NULL: listen_fd is bound already, and taken */
	int listen_fd;
	const char *health_listen; /* plain HTTP with health and metrics only; NULL: none */
	/* Plain HTTP for what is signed by itself and public, with the routes of xos_front_plain_routes alone;
	 * NULL: none. */
	const char *plain_listen;
	const char *tls_certificate, *tls_key;
	const struct xos_verifier *verifier; /* NULL: no client certificates */
	size_t workers;                      /* 0: 4 */
	size_t queue_max;                    /* 0: 256 */
	struct xos_front_limits limits;
	/* As in net/server.h; ctx below is its arg. May be NULL. */
	enum xos_status (*pick)(
	    void *ctx, const struct xos_request *req, void **route_ctx, struct xos_err *err);
	/* Called on SIGHUP after certificate and key were reloaded; may be NULL. */
	void (*on_hup)(void *ctx);
	/* Called every tick_ms on the loop's thread; may be NULL. */
	void (*on_tick)(void *ctx);
	int64_t tick_ms;
	void *ctx;
};

XOS_MUST_USE enum xos_status xos_front_new(
    const struct xos_front_options *opts, struct xos_front **out, struct xos_err *err);
/* Routes and what they point to outlive the front. */
XOS_MUST_USE enum xos_status xos_front_routes(
    struct xos_front *f, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err);
/* The routes of the plain listener; once. */
XOS_MUST_USE enum xos_status xos_front_plain_routes(
    struct xos_front *f, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err);
/*
 * A second TLS listener, with the same certificate and verifier, for stock clients: it takes TLS 1.2 too, serves these
 * routes alone to at most 256 connections, and its errors are plain text (net/server.h). Once; binds at once, so call
 * it in `open`.
 */
XOS_MUST_USE enum xos_status xos_front_stock(struct xos_front *f, const char *listen,
    const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err);
struct xos_health *xos_front_health(struct xos_front *f);
struct xos_service_cert *xos_front_cert(struct xos_front *f);
uint16_t xos_front_port(const struct xos_front *f); /* 0 before xos_front_run */
struct xos_loop *xos_front_loop(struct xos_front *f);
/* Serves until SIGTERM or SIGINT arrives on signal_fd (from xos_signal_fd; borrowed), or
 * xos_front_stop. Calls xos_child_ready when it serves. */
XOS_MUST_USE enum xos_status xos_front_run(struct xos_front *f, int signal_fd, struct xos_err *err);
/* Other limits from now on; the loop's thread (on_hup). */
void xos_front_limits(struct xos_front *f, const struct xos_front_limits *limits);
/* Called on the loop's thread when it begins to end: who defers answers gives them now. Before it runs. */
void xos_front_on_drain(struct xos_front *f, void (*drain)(void *ctx), void *ctx);
void xos_front_stop(struct xos_front *f); /* any thread */
void xos_front_free(struct xos_front *f);

#endif
