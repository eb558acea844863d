#include "net/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct post {
	struct post *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct xos_loop {
	struct event_base *base;
	int wake_fd;
	struct event *wake;
	pthread_mutex_t lock; /* of what follows */
	struct post *first, **last;
	bool stop;
};

struct xos_timer {
	struct event *ev;
	void (*fn)(void *ctx);
	void *ctx;
	int64_t every_ms; /* 0: once */
};

struct xos_watch {
	struct event_base *base;
	struct event *ev;
	int fd;
	unsigned events;
	void (*fn)(void *ctx, unsigned events);
	void *ctx;
};

static void posts_run(struct xos_loop *l)
{
	pthread_mutex_lock(&l->lock);
	struct post *p = l->first;
	l->first = NULL;
	l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	while (p) {
		struct post *next = p->next;
		p->fn(p->ctx);
		free(p);
		p = next;
	}
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct xos_loop *l = ctx;
	uint64_t n;
	(void)what;
	if (read((int)fd, &n, sizeof(n)) < 0)
		return; /* nothing there: somebody else's wake was enough */
	posts_run(l);
	pthread_mutex_lock(&l->lock);
	bool stop = l->stop;
	pthread_mutex_unlock(&l->lock);
	if (stop)
		event_base_loopbreak(l->base);
}

static void wake(const struct xos_loop *l)
{
	uint64_t one = 1;
	ssize_t n = write(l->wake_fd, &one, sizeof(one));
	(void)n; /* EAGAIN: the counter is full, so the loop is awake anyway */
}

enum xos_status xos_loop_new(struct xos_loop **out, struct xos_err *err)
{
	struct xos_loop *l = calloc(1, sizeof(*l));
	if (!l)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	l->last = &l->first;
	/* OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that hung up must not end us. */
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&l->lock, NULL);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* One thread runs the loop and the wake descriptor serves the others: no locks wanted. */
	struct event_config *cfg = event_config_new();
	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
		l->base = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	if (l->base && l->wake_fd >= 0)
		l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	if (!l->wake || event_add(l->wake, NULL) != 0) {
		xos_loop_free(l);
		return xos_err_set(err, XOS_INTERNAL, "loop", "cannot make an event loop");
	}
	*out = l;
	return XOS_OK;
}

void xos_loop_free(struct xos_loop *l)
{
	if (!l)
		return;
	posts_run(l);
	if (l->wake)
		event_free(l->wake);
	if (l->base)
		event_base_free(l->base);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

enum xos_status xos_loop_run(struct xos_loop *l, struct xos_err *err)
{
	int rc = event_base_dispatch(l->base);
	pthread_mutex_lock(&l->lock);
	l->stop = false;
	pthread_mutex_unlock(&l->lock);
	return rc == 0 ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "loop", "the event loop failed");
}

void xos_loop_stop(struct xos_loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_mutex_unlock(&l->lock);
	wake(l);
}

enum xos_status xos_loop_post(struct xos_loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct post *p = malloc(sizeof(*p));
	if (!p)
		return XOS_INTERNAL;
	*p = (struct post){.fn = fn, .ctx = ctx};
	pthread_mutex_lock(&l->lock);
	*l->last = p;
	l->last = &p->next;
	pthread_mutex_unlock(&l->lock);
	wake(l);
	return XOS_OK;
}

static void timer_arm(struct xos_timer *t, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(t->ev, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct xos_timer *t = ctx;
	(void)fd;
	(void)what;
	if (t->every_ms)
		timer_arm(t, t->every_ms);
	t->fn(t->ctx); /* last: it may free t */
}

struct xos_timer *xos_timer_new(struct xos_loop *loop, void (*fn)(void *ctx), void *ctx)
{
	struct xos_timer *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->fn = fn;
	t->ctx = ctx;
	t->ev = evtimer_new(loop->base, on_timer, t);
	if (!t->ev) {
		free(t);
		return NULL;
	}
	return t;
}

void xos_timer_set(struct xos_timer *t, int64_t ms)
{
	t->every_ms = 0;
	timer_arm(t, ms);
}

void xos_timer_every(struct xos_timer *t, int64_t ms)
{
	t->every_ms = ms > 0 ? ms : 1;
	timer_arm(t, t->every_ms);
}

void xos_timer_clear(struct xos_timer *t)
{
	t->every_ms = 0;
	event_del(t->ev);
}

void xos_timer_free(struct xos_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

static void on_watch(evutil_socket_t fd, short what, void *ctx)
{
	struct xos_watch *w = ctx;
	unsigned events = 0;
	(void)fd;
	if (what & EV_READ)
		events |= XOS_WATCH_READ;
	if (what & EV_WRITE)
		events |= XOS_WATCH_WRITE;
	w->fn(w->ctx, events);
}

struct xos_watch *xos_watch_new(
    struct xos_loop *loop, int fd, void (*fn)(void *ctx, unsigned events), void *ctx)
{
	struct xos_watch *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	*w = (struct xos_watch){.base = loop->base, .fd = fd, .fn = fn, .ctx = ctx};
	w->ev = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_watch, w);
	if (!w->ev) {
		free(w);
		return NULL;
	}
	return w;
}

void xos_watch_set(struct xos_watch *w, unsigned events)
{
	short what = EV_PERSIST;
	if (events == w->events)
		return;
	if (w->events)
		event_del(w->ev);
	w->events = events;
	if (!events)
		return;
	if (events & XOS_WATCH_READ)
		what |= EV_READ;
	if (events & XOS_WATCH_WRITE)
		what |= EV_WRITE;
	event_assign(w->ev, w->base, w->fd, what, on_watch, w);
	event_add(w->ev, NULL);
}

void xos_watch_free(struct xos_watch *w)
{
	if (!w)
		return;
	event_free(w->ev);
	free(w);
}
