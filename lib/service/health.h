#ifndef XOS_SERVICE_HEALTH_H
#define XOS_SERVICE_HEALTH_H

#include <stdint.h>

#include "base/status.h"
#include "net/server.h"

/*
 * /health/live answers as long as the process serves at all; /health/ready is 200 only if every
 * registered check is OK, else 503 with the reasons; /metrics is Prometheus' text format.
 */
struct xos_health;

XOS_MUST_USE enum xos_status xos_health_new(struct xos_health **out, struct xos_err *err);
void xos_health_free(struct xos_health *h);
/* fn runs in a worker, whenever somebody asks; err says what is wrong. Before serving. */
XOS_MUST_USE enum xos_status xos_health_check(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_health_routes(
    struct xos_health *h, struct xos_server *server, struct xos_err *err);
/* For xos_server_options.observe: counts and times requests by route, writes one event each. */
void xos_health_observe(void *health, const struct xos_exchange *x);

/* Registered once, before serving; changed from any thread. name as Prometheus wants it,
 * "xos_tokens_issued_total"; literals. NULL if out of memory: the functions accept it. */
struct xos_metric;
struct xos_metric *xos_metric_counter(struct xos_health *h, const char *name, const char *help);
struct xos_metric *xos_metric_gauge(struct xos_health *h, const char *name, const char *help);
void xos_metric_add(struct xos_metric *m, int64_t n);
void xos_metric_set(struct xos_metric *m, int64_t v);

#endif
