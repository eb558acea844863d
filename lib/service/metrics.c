/* Counters and gauges, and their text: Prometheus' exposition format 0.0.4. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/health_internal.h"

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

struct xos_metric_by *xos_metric_counter_by(
    struct xos_health *h, const char *name, const char *help, const char *label)
{
	if (h->nfamilies == FAMILIES_MAX)
		return NULL;
	struct xos_metric_by *m = &h->families[h->nfamilies++];
	m->lock = &h->lock;
	m->name = name;
	m->help = help;
	m->label = label;
	return m;
}

/* What may stand between the quotes of a label without being escaped. */
static bool plain(const char *value)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = strlen(value);
	return n > 0 && n < XOS_ERR_CODE_MAX && strspn(value, good) == n;
}

void xos_metric_add_by(struct xos_metric_by *m, const char *value, int64_t n)
{
	size_t i = 0;
	if (!m)
		return;
	if (!plain(value))
		value = "other";
	pthread_mutex_lock(m->lock);
	while (i < m->n && strcmp(m->value[i].text, value) != 0)
		i++;
	if (i == m->n && m->n < VALUES_MAX) {
		/* The last place is for all that come too late. */
		snprintf(m->value[i].text, sizeof(m->value[i].text), "%s",
		    i == VALUES_MAX - 1 ? "other" : value);
		m->n++;
	}
	m->value[i < VALUES_MAX ? i : VALUES_MAX - 1].count += n;
	pthread_mutex_unlock(m->lock);
}

void xos_metric_head(struct xos_buf *b, const char *name, const char *help, const char *type)
{
	xos_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_series(struct xos_health *h, struct xos_buf *b)
{
	xos_metric_head(b, "xos_http_requests_total", "Requests answered.", "counter");
	for (size_t i = 0; i < h->nseries; i++)
		xos_buf_printf(b,
		    "xos_http_requests_total{route=\"%s\",method=\"%s\",status=\"%d\"} %" PRId64
		    "\n",
		    h->series[i].route, h->series[i].method, h->series[i].status,
		    h->series[i].count);
	xos_metric_head(b, "xos_http_request_seconds", "Time from request to answer.", "summary");
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

static void put_families(struct xos_health *h, struct xos_buf *b)
{
	for (size_t i = 0; i < h->nfamilies; i++) {
		const struct xos_metric_by *m = &h->families[i];
		xos_metric_head(b, m->name, m->help, "counter");
		for (size_t k = 0; k < m->n; k++)
			xos_buf_printf(b, "%s{%s=\"%s\"} %" PRId64 "\n", m->name, m->label,
			    m->value[k].text, m->value[k].count);
	}
}

void metrics_put(struct xos_health *h, struct xos_buf *b)
{
	/* First: some of them bring the metrics below up to date. */
	for (size_t i = 0; i < h->nsources; i++)
		h->sources[i].fn(h->sources[i].ctx, b);
	for (size_t i = 0; i < h->nmetrics; i++) {
		struct xos_metric *m = &h->metrics[i];
		xos_metric_head(b, m->name, m->help, m->type);
		xos_buf_printf(b, "%s %" PRId64 "\n", m->name, (int64_t)atomic_load(&m->value));
	}
	pthread_mutex_lock(&h->lock);
	put_families(h, b);
	put_series(h, b);
	pthread_mutex_unlock(&h->lock);
}
