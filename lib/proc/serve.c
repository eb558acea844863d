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
#include "proc/committer.h"
#include "proc/daemon.h"
#include "proc/frame.h"

/* A peer that asks but does not take its answers loses them, so that the others are still served. */
#define REPLY_WAIT_MS 1000

/* Requests of one channel that are taken before the others get their turn. */
#define TURN 16
#define GROUP_MAX 256

struct answer {
	size_t channel;
	struct frame f; /* id 0: none is due */
	struct xos_buf payload;
	struct xos_err err;
};

/* Answers that wait for one commit. */
struct group {
	struct answer *answers;
	size_t n;
};

struct serving {
	const struct xos_channel_server *server;
	bool open[XOS_CHANNEL_MAX];
	bool deaf[XOS_CHANNEL_MAX]; /* did not take an answer in this round */
	uint64_t refused[XOS_CHANNEL_MAX];
	int64_t next_tick;
	/* With a commit: */
	struct committer *committer; /* started with the first group */
	bool committing;             /* `before` */
	struct group before, next;
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

static void answer(struct serving *s, struct answer *a)
{
	struct xos_err err = XOS_ERR_INIT;
	if (a->f.id != 0) {
		if (a->f.status != XOS_OK) {
			xos_buf_free(&a->payload);
			xos_buf_init(&a->payload, XOS_CHANNEL_PAYLOAD_MAX);
			frame_put_err(&a->payload, a->f.status, &a->err);
		}
		a->f.payload = xos_buf_bytes(&a->payload);
		int64_t wait = s->deaf[a->channel] ? 0 : REPLY_WAIT_MS;
		enum xos_status rc = frame_send(
		    s->server->channels[a->channel], &a->f, xos_clock_mono_ms() + wait, &err);
		if (rc != XOS_OK) {
			s->deaf[a->channel] = true;
			log_refused(s, a->channel, &a->f, &err);
		}
	}
	xos_buf_free(&a->payload);
}

/* Answers, or puts the answer to those that wait for the next commit. */
static void settle(struct serving *s, struct answer *a)
{
	const struct xos_channel_server *server = s->server;
	bool waits = server->commit &&
	             (server->staged ? server->staged(server->ctx) : a->f.status == XOS_OK);
	if (waits)
		s->next.answers[s->next.n++] = *a;
	else
		answer(s, a);
}

/* Takes one request of channel i; false: there is none. */
static bool take_request(struct serving *s, size_t i)
{
	struct xos_channel *ch = s->server->channels[i];
	struct answer a = {.channel = i, .err = XOS_ERR_INIT};
	struct frame f;
	enum xos_status rc = frame_receive(ch, &f, &a.err);
	if (rc != XOS_OK && rc != XOS_MALFORMED) {
		/* EAGAIN: that was the last, or another thread was faster. */
		s->open[i] = strcmp(a.err.code, "channel-closed") != 0;
		return false;
	}
	xos_buf_init(&a.payload, XOS_CHANNEL_PAYLOAD_MAX);
	if (rc == XOS_OK && f.kind != FRAME_REQUEST) {
		rc = xos_err_set(
		    &a.err, XOS_MALFORMED, "channel-frame", "malformed frame: not a request");
		f.id = 0;
	}
	bool handled = rc == XOS_OK;
	if (handled)
		rc = dispatch(s, i, &f, &a.payload, &a.err);
	else
		log_refused(s, i, &f, &a.err);
	a.f = (struct frame){.kind = FRAME_REPLY, .status = rc, .type = f.type, .id = f.id};
	if (rc != XOS_OK && a.err.status != rc)
		(void)xos_err_set(&a.err, rc, xos_status_name(rc), "%s", xos_status_name(rc));
	xos_wipe(ch->in, sizeof(ch->in) < 4096 ? sizeof(ch->in) : 4096);
	if (handled)
		settle(s, &a);
	else
		answer(s, &a);
	return true;
}

/* ---- group commit ---- */

static void answer_group(struct serving *s, enum xos_status rc, const struct xos_err *err)
{
	for (size_t i = 0; i < s->before.n; i++) {
		struct answer *a = &s->before.answers[i];
		if (rc != XOS_OK && a->f.status == XOS_OK) {
			a->f.status = rc;
			a->err = *err;
		}
		answer(s, a);
	}
	s->before.n = 0;
}

static void end_commit(struct serving *s)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status rc = XOS_INTERNAL;
	if (!s->committing || !committer_end(s->committer, &rc, &err))
		return;
	s->committing = false;
	if (rc != XOS_OK)
		xos_event_err(XOS_ERROR, "channel.commit-failed", &err, (const char *)NULL);
	if (s->server->committed)
		s->server->committed(s->server->ctx, rc, &err);
	answer_group(s, rc, &err);
}

static void begin_commit(struct serving *s)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status rc = XOS_OK;
	if (s->committing || s->next.n == 0)
		return;
	struct group filled = s->next;
	s->next = s->before;
	s->before = filled;
	if (!s->committer)
		rc = committer_new(s->server->commit, s->server->ctx, &s->committer, &err);
	if (rc != XOS_OK) {
		answer_group(s, rc, &err);
		return;
	}
	s->committing = true;
	committer_begin(s->committer);
}

/* What was taken is answered, also when the serving ends. */
static void finish_commits(struct serving *s)
{
	begin_commit(s);
	while (s->committing) {
		struct pollfd p = {committer_fd(s->committer), POLLIN, 0};
		(void)poll(&p, 1, -1);
		end_commit(s);
		begin_commit(s);
	}
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

/* Not between a request and the commit that its answer waits for: a tick may replace what is committed to. */
static int tick_left(struct serving *s)
{
	if (!s->server->on_tick || s->committing || s->next.n > 0)
		return -1;
	int64_t left = s->next_tick - xos_clock_mono_ms();
	if (left <= 0) {
		s->server->on_tick(s->server->ctx);
		s->next_tick = xos_clock_mono_ms() + s->server->tick_ms;
		left = s->server->tick_ms;
	}
	return left > 60000 ? 60000 : (int)left;
}

/* In turns, so that a channel that is full does not keep the others waiting. */
static void take_requests(struct serving *s, const struct pollfd *p)
{
	for (size_t i = 0; i < s->server->nchannels; i++) {
		s->deaf[i] = false;
		for (int k = 0; p[i].revents && k < TURN && s->next.n < GROUP_MAX; k++)
			if (!take_request(s, i))
				break;
	}
}

/* One round: wait, handle requests of each channel that has some, answer. *done ends the serving. */
static enum xos_status serve_round(struct serving *s, bool *done, struct xos_err *err)
{
	const struct xos_channel_server *server = s->server;
	struct pollfd p[XOS_CHANNEL_MAX + 2];
	size_t n = server->nchannels;
	bool any = false, room = s->next.n < GROUP_MAX;
	for (size_t i = 0; i < n; i++) {
		p[i] =
		    (struct pollfd){s->open[i] && room ? server->channels[i]->fd : -1, POLLIN, 0};
		any = any || s->open[i];
	}
	p[n] = (struct pollfd){server->signal_fd, POLLIN, 0};
	p[n + 1] = (struct pollfd){s->committing ? committer_fd(s->committer) : -1, POLLIN, 0};
	*done = !any;
	if (*done)
		return XOS_OK;
	if (poll(p, n + 2, tick_left(s)) < 0)
		return errno == EINTR ? XOS_OK
		                      : xos_err_errno(err, errno, "channel-poll", "cannot wait");
	if (p[n].revents && take_signals(server)) {
		*done = true;
		return XOS_OK;
	}
	end_commit(s);
	(void)tick_left(s); /* it may have waited for that commit */
	take_requests(s, p);
	begin_commit(s);
	return XOS_OK;
}

static struct serving *serving_new(const struct xos_channel_server *server)
{
	struct serving *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->server = server;
	s->next_tick = xos_clock_mono_ms() + server->tick_ms;
	for (size_t i = 0; i < server->nchannels; i++)
		s->open[i] = true;
	if (!server->commit)
		return s;
	s->before.answers = calloc(GROUP_MAX, sizeof(struct answer));
	s->next.answers = calloc(GROUP_MAX, sizeof(struct answer));
	if (s->before.answers && s->next.answers)
		return s;
	free(s->before.answers);
	free(s->next.answers);
	free(s);
	return NULL;
}

enum xos_status xos_channel_serve(const struct xos_channel_server *server, struct xos_err *err)
{
	if (server->nchannels == 0 || server->nchannels > XOS_CHANNEL_MAX ||
	    (server->on_tick && server->tick_ms <= 0))
		return xos_err_set(
		    err, XOS_INTERNAL, "channel-server", "wrong use of xos_channel_serve");
	struct serving *s = serving_new(server);
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	bool done = false;
	enum xos_status rc = XOS_OK;
	while (rc == XOS_OK && !done)
		rc = serve_round(s, &done, err);
	finish_commits(s);
	committer_free(s->committer);
	free(s->before.answers);
	free(s->next.answers);
	free(s);
	return rc;
}
