#include "service/front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"

#define ROUTE_SETS_MAX 16
#define POLL_MS 10000
#define DRAIN_MS 10000
#define PLAIN_IDLE_MS 10000 /* who asks once may go */
#define STOCK_CONNECTIONS 256

struct route_set {
	const struct xos_route *routes;
	size_t n;
	void *ctx;
};

struct xos_front {
	struct xos_front_options o;
	struct xos_service_cert *cert;
	struct xos_health *health;
	struct xos_loop *loop;
	struct xos_pool *pool;
	struct xos_server *server, *health_server, *plain_server, *stock_server;
	int listen_fd, health_fd, plain_fd, stock_fd; /* bound and not yet the servers' */
	uint16_t port;
	struct route_set sets[ROUTE_SETS_MAX];
	size_t nsets;
	struct route_set plain, stock;
	int signal_fd;
	struct xos_watch *signals;
	struct xos_timer *poll, *tick;
	struct xos_metric *cert_left, *connections, *waiting, *turned_away, *turned_refused;
	struct xos_server_turned turned; /* as counted so far */
	void (*drain)(void *ctx);
	void *drain_ctx;
	bool stopping;
};

static enum xos_status bind_all(struct xos_front *f, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	f->listen_fd = f->o.listen ? -1 : f->o.listen_fd;
	if (f->o.listen)
		st = xos_server_bind(f->o.listen, &f->listen_fd, err);
	if (st == XOS_OK && f->o.health_listen)
		st = xos_server_bind(f->o.health_listen, &f->health_fd, err);
	if (st == XOS_OK && f->o.plain_listen)
		st = xos_server_bind(f->o.plain_listen, &f->plain_fd, err);
	return st;
}

/* Each connection takes a descriptor, and so do files, channels and the log. */
#define SPARE_DESCRIPTORS 64

static void want_descriptors(const struct xos_front_limits *l, size_t more)
{
	struct rlimit r;
	rlim_t need = (rlim_t)(l->connections ? l->connections : 1000) + more + SPARE_DESCRIPTORS;
	char have[24], want[24];
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= need)
		return;
	r.rlim_cur = r.rlim_max < need ? r.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur >= need)
		return;
	snprintf(have, sizeof(have), "%llu", (unsigned long long)r.rlim_cur);
	snprintf(want, sizeof(want), "%llu", (unsigned long long)need);
	XOS_EVENT(XOS_WARN, "limits.descriptors", "have", have, "want", want, "hint",
	    "raise LimitNOFILE= or ulimit -n");
}

enum xos_status xos_front_new(
    const struct xos_front_options *opts, struct xos_front **out, struct xos_err *err)
{
	struct xos_front *f = calloc(1, sizeof(*f));
	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->o = *opts;
	f->listen_fd = f->health_fd = f->plain_fd = f->stock_fd = f->signal_fd = -1;
	enum xos_status st = bind_all(f, err);
	if (st == XOS_OK)
		st = xos_service_cert_new(
		    opts->tls_certificate, opts->tls_key, opts->verifier, &f->cert, err);
	if (st == XOS_OK)
		st = xos_health_new(&f->health, err);
	if (st == XOS_OK)
		st = xos_health_check(
		    f->health, "certificate", xos_service_cert_health, f->cert, err);
	if (st == XOS_OK)
		st = xos_loop_new(&f->loop, err);
	if (st != XOS_OK) {
		xos_front_free(f);
		return st;
	}
	f->cert_left = xos_metric_gauge(f->health, "xos_certificate_seconds_left",
	    "Seconds until the TLS certificate of this service ends.");
	f->connections = xos_metric_gauge(f->health, "xos_http_connections", "Open connections.");
	f->waiting =
	    xos_metric_gauge(f->health, "xos_http_waiting", "Requests that wait for a worker.");
	f->turned_away = xos_metric_counter(f->health, "xos_http_connections_ended_total",
	    "Idle or slow connections that gave way to new ones.");
	f->turned_refused = xos_metric_counter(f->health, "xos_http_connections_refused_total",
	    "Connections closed because their address had too many.");
	want_descriptors(&opts->limits, 0);
	*out = f;
	return XOS_OK;
}

enum xos_status xos_front_routes(
    struct xos_front *f, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err)
{
	if (f->nsets == ROUTE_SETS_MAX)
		return xos_err_set(err, XOS_LIMIT, "routes", "too many sets of routes");
	f->sets[f->nsets++] = (struct route_set){routes, n, ctx};
	return XOS_OK;
}

enum xos_status xos_front_plain_routes(
    struct xos_front *f, const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err)
{
	if (f->plain.n)
		return xos_err_set(err, XOS_LIMIT, "routes", "the plain listener has its routes");
	f->plain = (struct route_set){routes, n, ctx};
	return XOS_OK;
}

enum xos_status xos_front_stock(struct xos_front *f, const char *listen_at,
    const struct xos_route *routes, size_t n, void *ctx, struct xos_err *err)
{
	if (f->stock.n)
		return xos_err_set(err, XOS_LIMIT, "routes", "the stock listener has its routes");
	f->stock = (struct route_set){routes, n, ctx};
	want_descriptors(&f->o.limits, STOCK_CONNECTIONS);
	return xos_server_bind(listen_at, &f->stock_fd, err);
}

struct xos_health *xos_front_health(struct xos_front *f)
{
	return f->health;
}

struct xos_service_cert *xos_front_cert(struct xos_front *f)
{
	return f->cert;
}

struct xos_loop *xos_front_loop(struct xos_front *f)
{
	return f->loop;
}

uint16_t xos_front_port(const struct xos_front *f)
{
	return f->port;
}

static void gauges(struct xos_front *f)
{
	xos_metric_set(f->cert_left, xos_service_cert_seconds_left(f->cert, xos_clock_now()));
	xos_metric_set(f->connections, (int64_t)xos_server_connections(f->server));
	xos_metric_set(f->waiting, (int64_t)xos_pool_waiting(f->pool));
	struct xos_server_turned now = xos_server_turned(f->server);
	xos_metric_add(f->turned_away, (int64_t)(now.away - f->turned.away));
	xos_metric_add(f->turned_refused, (int64_t)(now.refused - f->turned.refused));
	f->turned = now;
}

/* Before every answer of /metrics: what changes by itself is not older than the answer. */
static void refresh(void *ctx, struct xos_buf *text)
{
	(void)text;
	gauges(ctx);
}

static void on_poll(void *ctx)
{
	struct xos_front *f = ctx;
	xos_service_cert_again(f->cert, NULL);
	gauges(f);
}

static void on_tick(void *ctx)
{
	struct xos_front *f = ctx;
	f->o.on_tick(f->o.ctx);
}

static void drained(void *ctx)
{
	struct xos_front *f = ctx;
	xos_loop_stop(f->loop);
}

static void stop(void *ctx)
{
	struct xos_front *f = ctx;
	if (f->stopping)
		return;
	f->stopping = true;
	XOS_EVENT(XOS_INFO, "service.draining");
	if (f->drain)
		f->drain(f->drain_ctx);
	xos_server_drain(f->server, DRAIN_MS, drained, f);
}

static void hup(struct xos_front *f)
{
	xos_service_cert_again(f->cert, NULL);
	if (f->o.on_hup)
		f->o.on_hup(f->o.ctx);
}

static void on_signal(void *ctx, unsigned events)
{
	struct xos_front *f = ctx;
	int sig;
	(void)events;
	while ((sig = xos_signal_next(f->signal_fd)) != 0) {
		if (sig == SIGHUP)
			hup(f);
		else
			stop(f);
	}
}

void xos_front_on_drain(struct xos_front *f, void (*drain)(void *ctx), void *ctx)
{
	f->drain = drain;
	f->drain_ctx = ctx;
}

void xos_front_stop(struct xos_front *f)
{
	if (xos_loop_post(f->loop, stop, f) != XOS_OK)
		xos_loop_stop(f->loop);
}

static void fill_limits(const struct xos_front_limits *l, struct xos_server_options *so)
{
	so->max_connections = (size_t)l->connections;
	so->max_per_address = (size_t)l->connections_per_address;
	so->handshake_ms = so->head_ms = so->body_ms = so->write_ms = 1000 * l->request_seconds;
	so->idle_ms = 1000 * l->idle_seconds;
}

/* They come seldom; a flood of connections there leaves everybody else's alone. */
static void stock_limits(struct xos_server_options *so)
{
	so->idle_ms = PLAIN_IDLE_MS;
	if (so->max_connections == 0 || so->max_connections > STOCK_CONNECTIONS)
		so->max_connections = STOCK_CONNECTIONS;
}

void xos_front_limits(struct xos_front *f, const struct xos_front_limits *limits)
{
	struct xos_server_options so = {.listen_fd = -1};
	f->o.limits = *limits;
	fill_limits(limits, &so);
	xos_server_limits(f->server, &so);
	if (f->plain_server) {
		struct xos_server_options plain = so;
		plain.idle_ms = PLAIN_IDLE_MS;
		xos_server_limits(f->plain_server, &plain);
	}
	if (f->stock_server) {
		stock_limits(&so);
		xos_server_limits(f->stock_server, &so);
	}
}

static enum xos_status serve_main(struct xos_front *f, struct xos_err *err)
{
	struct xos_server_options so = {.listen_fd = f->listen_fd,
	    .tls = xos_service_cert_tls(f->cert),
	    .pool = f->pool,
	    .pick = f->o.pick,
	    .pick_arg = f->o.ctx,
	    .observe = xos_health_observe,
	    .observe_ctx = f->health};
	fill_limits(&f->o.limits, &so);
	f->listen_fd = -1; /* the server's now, also if it fails */
	enum xos_status st = xos_server_new(f->loop, &so, &f->server, err);
	if (st == XOS_OK)
		st = xos_health_routes(f->health, f->server, err);
	if (st == XOS_OK)
		st = xos_health_source(f->health, refresh, f, err);
	for (size_t i = 0; i < f->nsets && st == XOS_OK; i++)
		st = xos_server_routes(
		    f->server, f->sets[i].routes, f->sets[i].n, f->sets[i].ctx, err);
	if (st == XOS_OK)
		f->port = xos_server_port(f->server);
	return st;
}

static enum xos_status serve_health(struct xos_front *f, struct xos_err *err)
{
	struct xos_server_options so = {
	    .listen_fd = f->health_fd, .pool = f->pool, .max_connections = 64};
	f->health_fd = -1;
	enum xos_status st = xos_server_new(f->loop, &so, &f->health_server, err);
	return st == XOS_OK ? xos_health_routes(f->health, f->health_server, err) : st;
}

static enum xos_status serve_plain(struct xos_front *f, struct xos_err *err)
{
	struct xos_server_options so = {.listen_fd = f->plain_fd,
	    .pool = f->pool,
	    .pick = f->o.pick,
	    .pick_arg = f->o.ctx,
	    .observe = xos_health_observe,
	    .observe_ctx = f->health};
	fill_limits(&f->o.limits, &so);
	so.idle_ms = PLAIN_IDLE_MS;
	f->plain_fd = -1;
	enum xos_status st = xos_server_new(f->loop, &so, &f->plain_server, err);
	return st == XOS_OK ? xos_server_routes(
	                          f->plain_server, f->plain.routes, f->plain.n, f->plain.ctx, err)
	                    : st;
}

static enum xos_status serve_stock(struct xos_front *f, struct xos_err *err)
{
	struct xos_server_options so = {.listen_fd = f->stock_fd,
	    .tls = xos_service_cert_tls(f->cert),
	    .tls12 = true,
	    .realm = "node name and one-time code",
	    .pool = f->pool,
	    .pick = f->o.pick,
	    .pick_arg = f->o.ctx,
	    .observe = xos_health_observe,
	    .observe_ctx = f->health};
	fill_limits(&f->o.limits, &so);
	stock_limits(&so);
	f->stock_fd = -1;
	enum xos_status st = xos_server_new(f->loop, &so, &f->stock_server, err);
	return st == XOS_OK ? xos_server_routes(
	                          f->stock_server, f->stock.routes, f->stock.n, f->stock.ctx, err)
	                    : st;
}

static enum xos_status timers(struct xos_front *f, struct xos_err *err)
{
	f->poll = xos_timer_new(f->loop, on_poll, f);
	f->tick = f->o.on_tick ? xos_timer_new(f->loop, on_tick, f) : NULL;
	if (f->signal_fd >= 0)
		f->signals = xos_watch_new(f->loop, f->signal_fd, on_signal, f);
	if (!f->poll || (f->o.on_tick && !f->tick) || (f->signal_fd >= 0 && !f->signals))
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_timer_every(f->poll, POLL_MS);
	if (f->tick)
		xos_timer_every(f->tick, f->o.tick_ms);
	if (f->signals)
		xos_watch_set(f->signals, XOS_WATCH_READ);
	return XOS_OK;
}

enum xos_status xos_front_run(struct xos_front *f, int signal_fd, struct xos_err *err)
{
	f->signal_fd = signal_fd;
	enum xos_status st = xos_pool_new(
	    f->o.workers ? f->o.workers : 4, f->o.queue_max ? f->o.queue_max : 256, &f->pool, err);
	if (st == XOS_OK)
		st = serve_main(f, err);
	if (st == XOS_OK && f->health_fd >= 0)
		st = serve_health(f, err);
	if (st == XOS_OK && f->plain_fd >= 0)
		st = serve_plain(f, err);
	if (st == XOS_OK && f->stock_fd >= 0)
		st = serve_stock(f, err);
	if (st == XOS_OK)
		st = timers(f, err);
	if (st != XOS_OK)
		return st;
	gauges(f);
	XOS_EVENT(XOS_INFO, "service.serving", "address", xos_server_address(f->server));
	xos_child_ready();
	return xos_loop_run(f->loop, err);
}

void xos_front_free(struct xos_front *f)
{
	if (!f)
		return;
	xos_server_free(f->server);
	xos_server_free(f->health_server);
	xos_server_free(f->plain_server);
	xos_server_free(f->stock_server);
	xos_pool_free(f->pool);
	xos_watch_free(f->signals);
	xos_timer_free(f->poll);
	xos_timer_free(f->tick);
	xos_loop_free(f->loop);
	xos_health_free(f->health);
	xos_service_cert_free(f->cert);
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	if (f->health_fd >= 0)
		close(f->health_fd);
	if (f->plain_fd >= 0)
		close(f->plain_fd);
	if (f->stock_fd >= 0)
		close(f->stock_fd);
	free(f);
}
