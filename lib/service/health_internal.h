#ifndef XOS_SERVICE_HEALTH_INTERNAL_H
#define XOS_SERVICE_HEALTH_INTERNAL_H

/* Between health.c and metrics.c. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "service/health.h"

#define CHECKS_MAX 128
#define SOURCES_MAX 8
#define METRICS_MAX 128
#define FAMILIES_MAX 16
#define VALUES_MAX 64  /* of one label; more are counted as "other" */
#define SERIES_MAX 512 /* route, method and status together; more are counted as one */

struct check {
	const char *name;
	enum xos_status (*fn)(void *ctx, struct xos_err *err);
	void *ctx;
	bool warns;
};

struct source {
	void (*fn)(void *ctx, struct xos_buf *text);
	void *ctx;
};

struct xos_metric {
	const char *name, *help, *type;
	atomic_int_least64_t value;
};

struct xos_metric_by {
	pthread_mutex_t *lock;
	const char *name, *help, *label;
	size_t n;
	struct {
		char text[XOS_ERR_CODE_MAX];
		int64_t count;
	} value[VALUES_MAX];
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
	struct source sources[SOURCES_MAX];
	size_t nsources;
	struct xos_metric metrics[METRICS_MAX];
	size_t nmetrics;
	pthread_mutex_t lock; /* of series and of the values in families */
	struct series series[SERIES_MAX];
	size_t nseries;
	struct xos_metric_by families[FAMILIES_MAX];
	size_t nfamilies;
	struct xos_metric_by *refused;
};

/* All of it in Prometheus' text format. */
void metrics_put(struct xos_health *h, struct xos_buf *b);

#endif
