#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/secret.h"
#include "base/text.h"
#include "proc/daemon.h"
#include "proc/frame.h"

/* A peer that asks but does not take its answers loses them, so that the others are still served. */
#define REPLY_WAIT_MS 1000

struct answer {
	bool due;
	struct frame f;
	struct xos_buf payload;
	struct xos_err err;
};

struct serving {
	const struct xos_channel_server *server;
	bool open[XOS_CHANNEL_MAX];
	uint64_t refused[XOS_CHANNEL_MAX];
	struct answer answers[XOS_CHANNEL_MAX];
	int64_t next_tick;
};

/* A hostile peer must not fill the disk with our complaints: the 1st, 2nd, 4th, 8th, ... is logged. */
static void log_refused(
    struct serving *s, size_t i, const struct frame *f, const struct xos_err *err)
{
	char channel[24], type[24], count[24];
	uint64_t n = ++s->refused[i];
	if (n & (n - 1))
		return;
	xos_str_printf(channel, sizeof(channel), "%zu", i);
	xos_str_printf(type, sizeof(type), "%u", f->type);
	xos_str_printf(count, sizeof(count), "%llu", (unsigned long long)n);
	xos_event_err(XOS_WARN, "channel.refused", err, "channel", channel, "type", type, "count",
	    count, (const char *)NULL);
}

static enum xos_status dispatch(
    struct serving *s, size_t i, const struct frame *f, struct xos_buf *reply, struct xos_err *err)
{
	const struct xos_channel_server *server = s->server;
	enum xos_status rc;
	for (size_t t = 0; t < server->ntable; t++) {
		const struct xos_channel_handler *h = &server->table[t];
		if (h->type != f->type)
			continue;
		if (!(h->from >> i & 1)) {
			rc = xos_err_set(err, XOS_DENIED, "channel-not-allowed",
			    "the request %s is not allowed on this channel", h->name);
			log_refused(s, i, f, err);
			return rc;
		}
		rc = h->handle(server->ctx, i, f->payload, reply, err);
		if (rc == XOS_OK && xos_buf_status(reply) != XOS_OK)
			rc = xos_err_set(err, xos_buf_status(reply), "channel-reply",
			    "the answer to %s is too long or memory ran out", h->name);
		return rc;
	}
	rc = xos_err_set(
	    err, XOS_MALFORMED, "channel-type", "there is no request of type %u", f->type);
	log_refused(s, i, f, err);
	return rc;
}

/* Takes one request of channel i and leaves its answer in s->answers[i]. */
static void take_request(struct serving *s, size_t i)
{
	struct xos_channel *ch = s->server->channels[i];
	struct answer *a = &s->answers[i];
	struct frame f;
	*a = (struct answer){.err = XOS_ERR_INIT};
	xos_buf_init(&a->payload, XOS_CHANNEL_PAYLOAD_MAX);
	enum xos_status rc = frame_receive(ch, &f, &a->err);
	if (rc != XOS_OK && rc != XOS_MALFORMED) {
		/* EAGAIN: poll was wrong, or another thread was faster. */
		s->open[i] = strcmp(a->err.code, "channel-closed") != 0;
		return;
	}
	if (rc == XOS_OK && f.kind != FRAME_REQUEST) {
		rc = xos_err_set(
		    &a->err, XOS_MALFORMED, "channel-frame", "malformed frame: not a request");
		f.id = 0;
	}
	if (rc != XOS_OK)
		log_refused(s, i, &f, &a->err);
	else
		rc = dispatch(s, i, &f, &a->payload, &a->err);
	a->due = f.id != 0;
	a->f = (struct frame){.kind = FRAME_REPLY, .status = rc, .type = f.type, .id = f.id};
	if (rc != XOS_OK && a->err.status != rc)
		(void)xos_err_set(&a->err, rc, xos_status_name(rc), "%s", xos_status_name(rc));
	xos_wipe(ch->in, sizeof(ch->in) < 4096 ? sizeof(ch->in) : 4096);
}

static void commit(struct serving *s)
{
	bool any = false;
	for (size_t i = 0; i < s->server->nchannels; i++)
		any = any || (s->answers[i].due && s->answers[i].f.status == XOS_OK);
	if (!any || !s->server->commit)
		return;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status rc = s->server->commit(s->server->ctx, &err);
	if (rc == XOS_OK)
		return;
	xos_event_err(XOS_ERROR, "channel.commit-failed", &err, (const char *)NULL);
	for (size_t i = 0; i < s->server->nchannels; i++) {
		struct answer *a = &s->answers[i];
		if (!a->due || a->f.status != XOS_OK)
			continue;
		a->f.status = rc;
		a->err = err;
	}
}

static void answer(struct serving *s, size_t i)
{
	struct answer *a = &s->answers[i];
	if (a->due) {
		struct xos_err err = XOS_ERR_INIT;
		if (a->f.status != XOS_OK) {
			xos_buf_free(&a->payload);
			xos_buf_init(&a->payload, XOS_CHANNEL_PAYLOAD_MAX);
			frame_put_err(&a->payload, a->f.status, &a->err);
		}
		a->f.payload = xos_buf_bytes(&a->payload);
		enum xos_status rc = frame_send(
		    s->server->channels[i], &a->f, xos_clock_mono_ms() + REPLY_WAIT_MS, &err);
		if (rc != XOS_OK)
			log_refused(s, i, &a->f, &err);
	}
	xos_buf_free(&a->payload);
	a->due = false;
}

/* true: a signal asks us to end. */
static bool take_signals(const struct xos_channel_server *server)
{
	int sig;
	while ((sig = xos_signal_next(server->signal_fd)) != 0) {
		if (sig != SIGHUP)
			return true;
		if (server->on_hup)
			server->on_hup(server->ctx);
	}
	return false;
}

static int tick_left(struct serving *s)
{
	if (!s->server->on_tick)
		return -1;
	int64_t left = s->next_tick - xos_clock_mono_ms();
	if (left <= 0) {
		s->server->on_tick(s->server->ctx);
		s->next_tick = xos_clock_mono_ms() + s->server->tick_ms;
		left = s->server->tick_ms;
	}
	return left > 60000 ? 60000 : (int)left;
}

/* One round: wait, handle a request of each channel that has one, answer. *done ends the serving. */
static enum xos_status serve_round(struct serving *s, bool *done, struct xos_err *err)
{
	const struct xos_channel_server *server = s->server;
	struct pollfd p[XOS_CHANNEL_MAX + 1];
	size_t n = server->nchannels;
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		p[i] = (struct pollfd){s->open[i] ? server->channels[i]->fd : -1, POLLIN, 0};
		any = any || s->open[i];
	}
	p[n] = (struct pollfd){server->signal_fd, POLLIN, 0};
	*done = !any;
	if (*done)
		return XOS_OK;
	if (poll(p, n + 1, tick_left(s)) < 0)
		return errno == EINTR ? XOS_OK
		                      : xos_err_errno(err, errno, "channel-poll", "cannot wait");
	if (p[n].revents && take_signals(server)) {
		*done = true;
		return XOS_OK;
	}
	for (size_t i = 0; i < n; i++) {
		if (!p[i].revents)
			continue;
		take_request(s, i);
		if (!server->commit)
			answer(s, i);
	}
	commit(s);
	for (size_t i = 0; i < n; i++)
		answer(s, i);
	return XOS_OK;
}

enum xos_status xos_channel_serve(const struct xos_channel_server *server, struct xos_err *err)
{
	if (server->nchannels == 0 || server->nchannels > XOS_CHANNEL_MAX ||
	    (server->on_tick && server->tick_ms <= 0))
		return xos_err_set(
		    err, XOS_INTERNAL, "channel-server", "wrong use of xos_channel_serve");
	struct serving *s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->server = server;
	s->next_tick = xos_clock_mono_ms() + server->tick_ms;
	for (size_t i = 0; i < server->nchannels; i++)
		s->open[i] = true;
	bool done = false;
	enum xos_status rc = XOS_OK;
	while (rc == XOS_OK && !done)
		rc = serve_round(s, &done, err);
	free(s);
	return rc;
}
