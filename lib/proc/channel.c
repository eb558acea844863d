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

static int init_sync(struct xos_channel *ch)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);
	if (rc != 0)
		return rc;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(&ch->turn, &attr);
	pthread_condattr_destroy(&attr);
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

static bool take_turn(struct xos_channel *ch, int64_t deadline_ms)
{
	struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
	int rc = 0;
	pthread_mutex_lock(&ch->lock);
	while (ch->busy && rc == 0)
		rc = pthread_cond_timedwait(&ch->turn, &ch->lock, &until);
	bool mine = !ch->busy;
	ch->busy = true;
	pthread_mutex_unlock(&ch->lock);
	return mine;
}

static void give_turn(struct xos_channel *ch)
{
	pthread_mutex_lock(&ch->lock);
	ch->busy = false;
	pthread_cond_signal(&ch->turn);
	pthread_mutex_unlock(&ch->lock);
}

static enum xos_status await_reply(struct xos_channel *ch, uint16_t type, int64_t deadline_ms,
    struct frame *f, struct xos_err *err)
{
	for (;;) {
		enum xos_status rc = frame_wait(ch->fd, POLLIN, deadline_ms, err);
		if (rc == XOS_OK)
			rc = frame_receive(ch, f, err);
		if (rc != XOS_OK)
			return rc;
		if (f->kind == FRAME_REPLY && f->id < ch->last_id)
			continue; /* somebody gave up waiting for this one */
		if (f->kind != FRAME_REPLY || f->id != ch->last_id || f->type != type)
			return xos_err_set(err, XOS_MALFORMED, "channel-frame",
			    "malformed frame: not the reply that was asked for");
		return XOS_OK;
	}
}

static enum xos_status exchange(struct xos_channel *ch, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err)
{
	struct frame f = {.kind = FRAME_REQUEST, .type = type, .id = ++ch->last_id};
	f.payload = payload;
	enum xos_status rc = frame_send(ch, &f, deadline_ms, err);
	if (rc == XOS_OK)
		rc = await_reply(ch, type, deadline_ms, &f, err);
	if (rc != XOS_OK)
		return rc;
	if (f.status != XOS_OK)
		return frame_take_err(&f, err);
	if (!reply)
		return XOS_OK;
	xos_buf_put(reply, f.payload.p, f.payload.n);
	rc = xos_buf_status(reply);
	return rc == XOS_OK ? rc : xos_err_set(err, rc, "memory", "out of memory");
}

enum xos_status xos_channel_call(struct xos_channel *ch, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err)
{
	if (reply)
		xos_buf_init(reply, XOS_CHANNEL_PAYLOAD_MAX);
	if (payload.n > XOS_CHANNEL_PAYLOAD_MAX)
		return xos_err_set(err, XOS_LIMIT, "channel-large",
		    "a request of %zu bytes is longer than %d", payload.n, XOS_CHANNEL_PAYLOAD_MAX);
	if (!take_turn(ch, deadline_ms))
		return xos_err_set(err, XOS_UNAVAILABLE, "channel-timeout",
		    "the other process of this service is busy with earlier requests");
	enum xos_status rc = exchange(ch, type, payload, deadline_ms, reply, err);
	give_turn(ch);
	if (rc != XOS_OK)
		xos_buf_free(reply);
	return rc;
}
