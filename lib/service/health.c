#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "service/health_internal.h"

#define METRICS_TEXT_MAX (1024 * 1024)

enum xos_status xos_health_new(struct xos_health **out, struct xos_err *err)
{
	struct xos_health *h = calloc(1, sizeof(*h));
	if (!h)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&h->lock, NULL);
	h->refused = xos_metric_counter_by(
	    h, "xos_http_refused_total", "Requests refused, by the code of the answer.", "code");
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

static enum xos_status add_check(
    struct xos_health *h, const struct check *check, struct xos_err *err)
{
	if (h->nchecks == CHECKS_MAX)
		return xos_err_set(err, XOS_LIMIT, "health-checks", "too many health checks");
	h->checks[h->nchecks++] = *check;
	return XOS_OK;
}

enum xos_status xos_health_check(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err)
{
	return add_check(h, &(struct check){name, fn, ctx, false}, err);
}

enum xos_status xos_health_warning(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err)
{
	return add_check(h, &(struct check){name, fn, ctx, true}, err);
}

enum xos_status xos_health_source(struct xos_health *h, void (*fn)(void *ctx, struct xos_buf *text),
    void *ctx, struct xos_err *err)
{
	if (h->nsources == SOURCES_MAX)
		return xos_err_set(err, XOS_LIMIT, "health-sources", "too many sources of metrics");
	h->sources[h->nsources++] = (struct source){fn, ctx};
	return XOS_OK;
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
	if (x->code)
		xos_metric_add_by(h->refused, x->code, 1);
	snprintf(status, sizeof(status), "%d", x->status);
	snprintf(micros, sizeof(micros), "%" PRId64, x->micros);
	bool quiet = is_own_route(x->route) || (x->frequent && !x->code);
	XOS_EVENT(quiet ? XOS_DEBUG : XOS_INFO, "http.request", "request", x->request_id, "peer",
	    x->peer, "method", x->method, "route", x->route, "status", status, "code", x->code,
	    "us", micros);
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

static void put_warning(struct xos_json *list, const char *name, const struct xos_err *why)
{
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "part", name);
	xos_json_set_string(o, "text", why->text);
	xos_json_add(list, o);
}

static enum xos_status ready(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_health *h = ctx;
	char reasons[XOS_ERR_TEXT_MAX] = "";
	struct xos_json *doc = NULL, *warnings = xos_json_array();
	size_t nwarnings = 0;
	(void)req;
	for (size_t i = 0; i < h->nchecks; i++) {
		struct xos_err why = XOS_ERR_INIT;
		size_t n = strlen(reasons);
		if (h->checks[i].fn(h->checks[i].ctx, &why) == XOS_OK)
			continue;
		if (h->checks[i].warns) {
			put_warning(warnings, h->checks[i].name, &why);
			nwarnings++;
			continue;
		}
		snprintf(reasons + n, sizeof(reasons) - n, "%s%s: %s", n ? "; " : "",
		    h->checks[i].name, why.text[0] ? why.text : "no reason given");
	}
	if (reasons[0]) {
		xos_json_free(warnings);
		return xos_err_set(err, XOS_UNAVAILABLE, "not-ready", "%s", reasons);
	}
	doc = xos_json_object();
	xos_json_set_string(doc, "status", "ready");
	if (nwarnings)
		xos_json_set(doc, "warnings", warnings);
	else
		xos_json_free(warnings);
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static enum xos_status metrics(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_health *h = ctx;
	struct xos_buf b;
	(void)req;
	xos_buf_init(&b, METRICS_TEXT_MAX);
	metrics_put(h, &b);
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
    {"GET", "/health/ready", ready, XOS_ROUTE_INLINE, 0},
    {"GET", "/metrics", metrics, XOS_ROUTE_INLINE, 0},
};

enum xos_status xos_health_routes(
    struct xos_health *h, struct xos_server *server, struct xos_err *err)
{
	return xos_server_routes(server, routes, sizeof(routes) / sizeof(routes[0]), h, err);
}
