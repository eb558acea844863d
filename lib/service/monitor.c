#include "service/monitor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "service/report.h"

#define WATCHED_MAX 32
#define EVERY_MS 1000
#define ASK_MS 2000
#define FIRST_MS 10000  /* at the start the others may still be opening their files */
#define SILENT_MS 10000 /* longer than any request keeps a process */

struct watched {
	struct xos_monitor *m;
	const char *name;
	struct xos_bulk *bulk;
	uint16_t type;
	int64_t heard_ms;
	struct xos_report *report; /* the last one */
	struct xos_err why;        /* of the last question that failed */
};

struct xos_monitor {
	struct watched w[WATCHED_MAX];
	size_t n;
	pthread_mutex_t lock; /* of the reports */
	int stop_fd;          /* readable: the thread is to end */
	pthread_t thread;
	bool started;
};

enum xos_status xos_monitor_new(struct xos_monitor **out, struct xos_err *err)
{
	struct xos_monitor *m = calloc(1, sizeof(*m));
	if (!m)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&m->lock, NULL);
	m->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->stop_fd < 0) {
		enum xos_status st = xos_err_errno(err, errno, "monitor", "cannot make an event");
		xos_monitor_free(m);
		return st;
	}
	*out = m;
	return XOS_OK;
}

/* The findings of one kind, in one text. */
static enum xos_status findings(struct watched *w, bool warns, struct xos_err *err)
{
	char text[XOS_ERR_TEXT_MAX] = "";
	for (size_t i = 0; i < w->report->nfindings; i++) {
		const struct xos_finding *f = &w->report->finding[i];
		size_t n = strlen(text);
		if (f->warns == warns)
			snprintf(text + n, sizeof(text) - n, "%s%s: %s", n ? "; " : "", f->name,
			    f->why.text);
	}
	return text[0] ? xos_err_set(err, XOS_UNAVAILABLE, "part", "%s", text) : XOS_OK;
}

static enum xos_status check(void *ctx, struct xos_err *err)
{
	struct watched *w = ctx;
	enum xos_status st;
	pthread_mutex_lock(&w->m->lock);
	int64_t silent = xos_clock_mono_ms() - w->heard_ms;
	if (silent > SILENT_MS)
		st = xos_err_set(err, XOS_UNAVAILABLE, "part-silent",
		    "the process has not answered for %llds: %s", (long long)(silent / 1000),
		    w->why.text);
	else
		st = findings(w, false, err);
	pthread_mutex_unlock(&w->m->lock);
	return st;
}

static enum xos_status check_warnings(void *ctx, struct xos_err *err)
{
	struct watched *w = ctx;
	pthread_mutex_lock(&w->m->lock);
	enum xos_status st = findings(w, true, err);
	pthread_mutex_unlock(&w->m->lock);
	return st;
}

static void text_of(void *ctx, struct xos_buf *text)
{
	struct watched *w = ctx;
	pthread_mutex_lock(&w->m->lock);
	xos_report_text(w->report, text);
	pthread_mutex_unlock(&w->m->lock);
}

enum xos_status xos_monitor_watch_quietly(struct xos_monitor *m, struct xos_health *health,
    const char *name, struct xos_bulk *bulk, uint16_t type, struct xos_err *err)
{
	struct watched *w = &m->w[m->n];
	if (m->n == WATCHED_MAX)
		return xos_err_set(err, XOS_LIMIT, "monitor", "too many processes to watch");
	*w = (struct watched){.m = m, .name = name, .bulk = bulk, .type = type};
	w->report = calloc(1, sizeof(*w->report));
	if (!w->report)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	m->n++;
	enum xos_status st = xos_health_check(health, name, check, w, err);
	return st == XOS_OK ? xos_health_warning(health, name, check_warnings, w, err) : st;
}

enum xos_status xos_monitor_watch(struct xos_monitor *m, struct xos_health *health,
    const char *name, struct xos_bulk *bulk, uint16_t type, struct xos_err *err)
{
	struct watched *w = &m->w[m->n];
	enum xos_status st = xos_monitor_watch_quietly(m, health, name, bulk, type, err);
	return st == XOS_OK ? xos_health_source(health, text_of, w, err) : st;
}

/* A finding that was not there the last time goes into the event log: once, not every second. */
static void tell_new(const struct watched *w, const struct xos_report *fresh)
{
	for (size_t i = 0; i < fresh->nfindings; i++) {
		const struct xos_finding *f = &fresh->finding[i];
		bool known = false;
		for (size_t k = 0; k < w->report->nfindings && !known; k++)
			known = strcmp(f->name, w->report->finding[k].name) == 0 &&
			        strcmp(f->why.code, w->report->finding[k].why.code) == 0;
		if (!known)
			xos_event_err(f->warns ? XOS_WARN : XOS_ERROR,
			    f->warns ? "health.warning" : "health.problem", &f->why, "part",
			    w->name, "what", f->name, (const char *)NULL);
	}
}

static void ask(struct watched *w, int64_t ms)
{
	struct xos_report *fresh = calloc(1, sizeof(*fresh));
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf reply;
	if (!fresh)
		return;
	xos_buf_init(&reply, 0);
	enum xos_status st =
	    xos_bulk_call(w->bulk, w->type, XOS_BYTES_NONE, xos_clock_mono_ms() + ms, &reply, &err);
	if (st == XOS_OK)
		st = xos_report_decode(xos_buf_bytes(&reply), fresh, &err);
	xos_buf_free(&reply);
	if (st == XOS_OK)
		tell_new(w, fresh);
	pthread_mutex_lock(&w->m->lock);
	if (st == XOS_OK) {
		struct xos_report *old = w->report;
		w->report = fresh;
		fresh = old;
		w->heard_ms = xos_clock_mono_ms();
	} else {
		w->why = err;
	}
	pthread_mutex_unlock(&w->m->lock);
	free(fresh);
}

/* false: it is over. */
static bool wait_a_while(struct xos_monitor *m)
{
	struct pollfd p = {.fd = m->stop_fd, .events = POLLIN};
	return poll(&p, 1, EVERY_MS) <= 0;
}

static void *watch(void *arg)
{
	struct xos_monitor *m = arg;
	while (wait_a_while(m))
		for (size_t i = 0; i < m->n; i++)
			ask(&m->w[i], ASK_MS);
	return NULL;
}

enum xos_status xos_monitor_start(struct xos_monitor *m, struct xos_err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		m->w[i].heard_ms = xos_clock_mono_ms();
		ask(&m->w[i], FIRST_MS);
	}
	int rc = pthread_create(&m->thread, NULL, watch, m);
	if (rc != 0)
		return xos_err_errno(err, rc, "monitor", "cannot start a thread");
	m->started = true;
	return XOS_OK;
}

void xos_monitor_free(struct xos_monitor *m)
{
	if (!m)
		return;
	if (m->started) {
		eventfd_write(m->stop_fd, 1);
		pthread_join(m->thread, NULL);
	}
	for (size_t i = 0; i < m->n; i++)
		free(m->w[i].report);
	if (m->stop_fd >= 0)
		close(m->stop_fd);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
