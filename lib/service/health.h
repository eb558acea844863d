#ifndef XOS_SERVICE_HEALTH_H
#define XOS_SERVICE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "net/server.h"

/*
 * /health/live answers as long as the process serves at all; /health/ready is 200 only if every
 * registered check is OK, else 503 with the reasons; /metrics is Prometheus' text format. All three are
 * answered on the loop's thread, so that they come also when every worker waits for something.
 */
struct xos_health;

XOS_MUST_USE enum xos_status xos_health_new(struct xos_health **out, struct xos_err *err);
void xos_health_free(struct xos_health *h);
/* fn runs whenever somebody asks, on the loop's thread: it must not block; err says what is wrong.
 * Before serving. */
XOS_MUST_USE enum xos_status xos_health_check(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err);
/* The same for what does not keep from serving, yet: it stands as a warning in the answer. */
XOS_MUST_USE enum xos_status xos_health_warning(struct xos_health *h, const char *name,
    enum xos_status (*fn)(void *ctx, struct xos_err *err), void *ctx, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_health_routes(
    struct xos_health *h, struct xos_server *server, struct xos_err *err);
/* For xos_server_options.observe: counts and times requests by route, refusals by code, writes one event
 * each. */
void xos_health_observe(void *health, const struct xos_exchange *x);

/* Registered once, before serving; changed from any thread. name as Prometheus wants it,
 * "xos_tokens_issued_total"; literals. NULL if out of memory: the functions accept it. */
struct xos_metric;
struct xos_metric *xos_metric_counter(struct xos_health *h, const char *name, const char *help);
struct xos_metric *xos_metric_gauge(struct xos_health *h, const char *name, const char *help);
void xos_metric_add(struct xos_metric *m, int64_t n);
void xos_metric_set(struct xos_metric *m, int64_t v);

/* A counter for each value of a label: xos_cad_logins_total{result="token"}. Values are [a-z0-9-_.]+;
 * others, and those past the 63rd, are counted as "other". */
struct xos_metric_by;
struct xos_metric_by *xos_metric_counter_by(
    struct xos_health *h, const char *name, const char *help, const char *label);
void xos_metric_add_by(struct xos_metric_by *m, const char *value, int64_t n);

/* More of /metrics: fn appends whole families, on the loop's thread, without blocking. */
XOS_MUST_USE enum xos_status xos_health_source(struct xos_health *h,
    void (*fn)(void *ctx, struct xos_buf *text), void *ctx, struct xos_err *err);
/* The two lines that begin a family. */
void xos_metric_head(struct xos_buf *b, const char *name, const char *help, const char *type);

#endif
