#include "service/health.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"

#define CHECKS_MAX 32
#define METRICS_MAX 128
#define SERIES_MAX 512 /* route, method and status together; more are counted as one */
#define METRICS_TEXT_MAX (1024 * 1024)

struct check {
	const char *name;
	enum xos_status (*fn)(void *ctx, struct xos_err *err);
	void *ctx;
};

struct xos_metric {
	const char *name, *help, *type;
	atomic_int_least64_t value;
};

/* Requests of one kind. route and method are the server's own strings, not the peer's. */
struct series {
	const char *route;
	char method[17];
	int status;
	int64_t count, micros;
};

struct xos_health {
	struct check checks[CHECKS_MAX];
	size_t nchecks;
	struct xos_metric metrics[METRICS_MAX];
	size_t nmetrics;
	pthread_mutex_t lock; /* of series */
	struct series series[SERIES_MAX];
	size_t nseries;
};

enum xos_status xos_health_new(struct xos_health **out, struct xos_err *err)
{
	struct xos_health *h = calloc(1, sizeof(*h));
	if (!h)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&h->lock, NULL);
	*out = h;
	return XOS_OK;
}

void xos_health_free(struct xos_health *h)
{
	if (!h)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}

enum xos_status xos_health_check(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err)
{
	if (h->nchecks == CHECKS_MAX)
		return xos_err_set(err, XOS_LIMIT, "health-checks", "too many health checks");
	h->checks[h->nchecks++] = (struct check){name, fn, ctx};
	return XOS_OK;
}

static struct xos_metric *metric(
    struct xos_health *h, const char *name, const char *help, const char *type)
{
	if (h->nmetrics == METRICS_MAX)
		return NULL;
	struct xos_metric *m = &h->metrics[h->nmetrics++];
	m->name = name;
	m->help = help;
	m->type = type;
	atomic_init(&m->value, 0);
	return m;
}

struct xos_metric *xos_metric_counter(struct xos_health *h, const char *name, const char *help)
{
	return metric(h, name, help, "counter");
}

struct xos_metric *xos_metric_gauge(struct xos_health *h, const char *name, const char *help)
{
	return metric(h, name, help, "gauge");
}

void xos_metric_add(struct xos_metric *m, int64_t n)
{
	if (m)
		atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void xos_metric_set(struct xos_metric *m, int64_t v)
{
	if (m)
		atomic_store_explicit(&m->value, v, memory_order_relaxed);
}

static struct series *series_of(struct xos_health *h, const struct xos_exchange *x)
{
	/* Methods that no route knows are the peer's invention and must not grow the table. */
	const char *method = x->route[0] ? x->method : "other";
	for (size_t i = 0; i < h->nseries; i++) {
		struct series *s = &h->series[i];
		if (s->status == x->status && strcmp(s->route, x->route) == 0 &&
		    strcmp(s->method, method) == 0)
			return s;
	}
	struct series *s = &h->series[h->nseries < SERIES_MAX ? h->nseries++ : SERIES_MAX - 1];
	if (s->count == 0) {
		s->route = x->route;
		s->status = x->status;
		snprintf(s->method, sizeof(s->method), "%s", method);
	}
	return s;
}

static bool is_own_route(const char *route)
{
	return strncmp(route, "/health/", 8) == 0 || strcmp(route, "/metrics") == 0;
}

void xos_health_observe(void *health, const struct xos_exchange *x)
{
	struct xos_health *h = health;
	char status[16], micros[24];
	pthread_mutex_lock(&h->lock);
	struct series *s = series_of(h, x);
	s->count++;
	s->micros += x->micros;
	pthread_mutex_unlock(&h->lock);
	snprintf(status, sizeof(status), "%d", x->status);
	snprintf(micros, sizeof(micros), "%" PRId64, x->micros);
	XOS_EVENT(is_own_route(x->route) ? XOS_DEBUG : XOS_INFO, "http.request", "request",
	    x->request_id, "peer", x->peer, "method", x->method, "route", x->route, "status",
	    status, "us", micros);
}

static enum xos_status live(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	(void)ctx;
	(void)req;
	(void)err;
	xos_json_set_string(doc, "status", "live");
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static enum xos_status ready(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_health *h = ctx;
	char reasons[XOS_ERR_TEXT_MAX] = "";
	struct xos_json *doc = NULL;
	(void)req;
	for (size_t i = 0; i < h->nchecks; i++) {
		struct xos_err why = XOS_ERR_INIT;
		size_t n = strlen(reasons);
		if (h->checks[i].fn(h->checks[i].ctx, &why) == XOS_OK)
			continue;
		snprintf(reasons + n, sizeof(reasons) - n, "%s%s: %s", n ? "; " : "",
		    h->checks[i].name, why.text[0] ? why.text : "no reason given");
	}
	if (reasons[0])
		return xos_err_set(err, XOS_UNAVAILABLE, "not-ready", "%s", reasons);
	doc = xos_json_object();
	xos_json_set_string(doc, "status", "ready");
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static void put_series(struct xos_health *h, struct xos_buf *b)
{
	xos_buf_put_str(b, "# HELP xos_http_requests_total Requests answered.\n"
	                   "# TYPE xos_http_requests_total counter\n");
	for (size_t i = 0; i < h->nseries; i++)
		xos_buf_printf(b,
		    "xos_http_requests_total{route=\"%s\",method=\"%s\",status=\"%d\"} %" PRId64
		    "\n",
		    h->series[i].route, h->series[i].method, h->series[i].status,
		    h->series[i].count);
	xos_buf_put_str(b, "# HELP xos_http_request_seconds Time from request to answer.\n"
	                   "# TYPE xos_http_request_seconds summary\n");
	for (size_t i = 0; i < h->nseries; i++) {
		const struct series *s = &h->series[i];
		xos_buf_printf(b,
		    "xos_http_request_seconds_sum{route=\"%s\",method=\"%s\",status=\"%d\"} %.6f\n"
		    "xos_http_request_seconds_count{route=\"%s\",method=\"%s\",status=\"%d\"} "
		    "%" PRId64 "\n",
		    s->route, s->method, s->status, (double)s->micros / 1e6, s->route, s->method,
		    s->status, s->count);
	}
}

static enum xos_status metrics(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_health *h = ctx;
	struct xos_buf b;
	(void)req;
	xos_buf_init(&b, METRICS_TEXT_MAX);
	for (size_t i = 0; i < h->nmetrics; i++) {
		struct xos_metric *m = &h->metrics[i];
		xos_buf_printf(&b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", m->name, m->help,
		    m->name, m->type, m->name, (int64_t)atomic_load(&m->value));
	}
	pthread_mutex_lock(&h->lock);
	put_series(h, &b);
	pthread_mutex_unlock(&h->lock);
	enum xos_status st = xos_buf_status(&b);
	if (st == XOS_OK)
		xos_response_body(res, "text/plain; version=0.0.4", xos_buf_bytes(&b));
	else
		st = xos_err_set(err, XOS_INTERNAL, "metrics", "the metrics do not fit");
	xos_buf_free(&b);
	return st;
}

static const struct xos_route routes[] = {
    {"GET", "/health/live", live, XOS_ROUTE_INLINE, 0},
    {"GET", "/health/ready", ready, 0, 0},
    {"GET", "/metrics", metrics, 0, 0},
};

enum xos_status xos_health_routes(
    struct xos_health *h, struct xos_server *server, struct xos_err *err)
{
	return xos_server_routes(server, routes, sizeof(routes) / sizeof(routes[0]), h, err);
}
