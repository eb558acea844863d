#include "proc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "proc/frame.h"

enum xos_status xos_channel_pair(int fds[2], struct xos_err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return xos_err_errno(err, errno, "channel-pair", "cannot make a channel");
	return XOS_OK;
}

static int init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);
	if (rc != 0)
		return rc;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return rc;
}

static int init_sync(struct xos_channel *ch)
{
	int rc = init_cond(&ch->turn);
	if (rc != 0)
		return rc;
	rc = pthread_mutex_init(&ch->lock, NULL);
	if (rc != 0)
		pthread_cond_destroy(&ch->turn);
	return rc;
}

enum xos_status xos_channel_new(int fd, struct xos_channel **out, struct xos_err *err)
{
	enum xos_status rc;
	struct xos_channel *ch = calloc(1, sizeof(*ch));
	int type = 0;
	socklen_t len = sizeof(type);
	if (!ch) {
		rc = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET) {
		rc = xos_err_set(
		    err, XOS_MALFORMED, "channel-fd", "descriptor %d is not a channel", fd);
		goto out;
	}
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		rc = xos_err_errno(err, errno, "channel-fd", "cannot set descriptor %d up", fd);
		goto out;
	}
	int sync = init_sync(ch);
	if (sync != 0) {
		rc = xos_err_errno(err, sync, "channel", "cannot make a lock");
		goto out;
	}
	ch->fd = fd;
	*out = ch;
	return XOS_OK;
out:
	free(ch);
	if (fd >= 0)
		close(fd);
	return rc;
}

void xos_channel_free(struct xos_channel *ch)
{
	if (!ch)
		return;
	close(ch->fd);
	pthread_mutex_destroy(&ch->lock);
	pthread_cond_destroy(&ch->turn);
	/* Requests carry passwords' proofs. */
	xos_wipe(ch->in, sizeof(ch->in));
	free(ch);
}

/* Everything below is called with the lock held. */

static bool wait_on(pthread_cond_t *cond, struct xos_channel *ch, int64_t deadline_ms)
{
	struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
	return pthread_cond_timedwait(cond, &ch->lock, &until) == 0;
}

static void link_waiter(struct xos_channel *ch, struct waiter *w)
{
	w->id = ++ch->last_id;
	w->next = ch->waiters;
	ch->waiters = w;
	ch->flying++;
}

/* Nobody reads: one of those that wait does from now on. The others sleep on. */
static void pass_on(struct xos_channel *ch)
{
	struct waiter *w = ch->waiters;
	while (w && (w->done || !w->asleep))
		w = w->next;
	if (w && !ch->reading)
		pthread_cond_signal(&w->wake);
}

static void unlink_waiter(struct xos_channel *ch, const struct waiter *w)
{
	struct waiter **at = &ch->waiters;
	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	ch->flying--;
	pthread_cond_signal(&ch->turn);
	pass_on(ch);
}

static void take_reply(struct waiter *w, const struct frame *f)
{
	w->done = true;
	w->rc = f->status;
	if (f->type != w->type) {
		w->rc = xos_err_set(w->err, XOS_MALFORMED, "channel-frame",
		    "malformed frame: not the reply that was asked for");
	} else if (f->status != XOS_OK) {
		w->rc = frame_take_err(f, w->err);
	} else if (w->reply) {
		xos_buf_put(w->reply, f->payload.p, f->payload.n);
		w->rc = xos_buf_status(w->reply);
		if (w->rc != XOS_OK)
			xos_err_set(w->err, w->rc, "memory", "out of memory");
	}
}

/* Gives a frame to whoever waits for it. MALFORMED: nobody can. */
static enum xos_status deliver(struct xos_channel *ch, const struct frame *f, struct xos_err *err)
{
	for (struct waiter *w = ch->waiters; w; w = w->next)
		if (f->kind == FRAME_REPLY && w->id == f->id && !w->done) {
			take_reply(w, f);
			pthread_cond_signal(&w->wake);
			return XOS_OK;
		}
	if (f->kind == FRAME_REPLY && f->id <= ch->last_id)
		return XOS_OK; /* somebody gave up waiting for this one */
	return xos_err_set(err, XOS_MALFORMED, "channel-frame",
	    "malformed frame: not the reply that was asked for");
}

/* Reads one frame, for whomever it is, with the lock released meanwhile. */
static enum xos_status read_one(struct xos_channel *ch, int64_t deadline_ms, struct xos_err *err)
{
	struct frame f;
	pthread_mutex_unlock(&ch->lock);
	enum xos_status rc = frame_wait(ch->fd, POLLIN, deadline_ms, err);
	if (rc == XOS_OK)
		rc = frame_receive(ch, &f, err);
	pthread_mutex_lock(&ch->lock);
	return rc == XOS_OK ? deliver(ch, &f, err) : rc;
}

static enum xos_status too_late(struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "channel-timeout",
	    "the other process of this service did not answer in time");
}

/* One thread reads until its own reply is there; the others sleep until theirs is, or until it is their turn. */
static enum xos_status await_reply(
    struct xos_channel *ch, struct waiter *w, int64_t deadline_ms, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	while (!w->done && ch->reading && rc == XOS_OK) {
		w->asleep = true;
		if (!wait_on(&w->wake, ch, deadline_ms) && !w->done)
			rc = too_late(err);
		w->asleep = false;
	}
	if (w->done)
		return w->rc;
	if (rc != XOS_OK)
		return rc;
	ch->reading = true;
	while (!w->done && rc == XOS_OK)
		rc = read_one(ch, deadline_ms, err);
	ch->reading = false;
	return w->done ? w->rc : rc;
}

static enum xos_status exchange(struct xos_channel *ch, struct waiter *w, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_err *err)
{
	struct frame f = {.kind = FRAME_REQUEST, .type = w->type, .id = w->id, .payload = payload};
	pthread_mutex_unlock(&ch->lock);
	/* A frame is one packet: threads may send at the same time. */
	enum xos_status rc = frame_send(ch, &f, deadline_ms, err);
	pthread_mutex_lock(&ch->lock);
	return rc == XOS_OK ? await_reply(ch, w, deadline_ms, err) : rc;
}

enum xos_status xos_channel_call(struct xos_channel *ch, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_err unseen = XOS_ERR_INIT;
	struct waiter w = {.type = type, .reply = reply, .err = err ? err : &unseen};
	enum xos_status rc = XOS_OK;
	int sync;
	if (reply)
		xos_buf_init(reply, XOS_CHANNEL_PAYLOAD_MAX);
	if (payload.n > XOS_CHANNEL_PAYLOAD_MAX)
		return xos_err_set(err, XOS_LIMIT, "channel-large",
		    "a request of %zu bytes is longer than %d", payload.n, XOS_CHANNEL_PAYLOAD_MAX);
	if ((sync = init_cond(&w.wake)) != 0)
		return xos_err_errno(err, sync, "channel", "cannot make a lock");
	pthread_mutex_lock(&ch->lock);
	while (rc == XOS_OK && ch->flying >= XOS_CHANNEL_FLYING)
		if (!wait_on(&ch->turn, ch, deadline_ms) && ch->flying >= XOS_CHANNEL_FLYING)
			rc = xos_err_set(err, XOS_UNAVAILABLE, "channel-timeout",
			    "the other process of this service is busy with earlier requests");
	if (rc == XOS_OK) {
		link_waiter(ch, &w);
		rc = exchange(ch, &w, payload, deadline_ms, w.err);
		unlink_waiter(ch, &w);
	}
	pthread_mutex_unlock(&ch->lock);
	pthread_cond_destroy(&w.wake);
	if (rc != XOS_OK)
		xos_buf_free(reply);
	return rc;
}
