#include "proc/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"

static enum xos_status closed(struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "channel-closed",
	    "the other process of this service has gone away; try again");
}

enum xos_status frame_wait(int fd, short events, int64_t deadline_ms, struct xos_err *err)
{
	for (;;) {
		int64_t left = deadline_ms - xos_clock_mono_ms();
		if (left < 0)
			left = 0;
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return XOS_OK;
		if (n < 0 && errno != EINTR)
			return xos_err_errno(err, errno, "channel-poll", "cannot wait for a reply");
		if (n == 0 && left == 0)
			return xos_err_set(err, XOS_UNAVAILABLE, "channel-timeout",
			    "the other process of this service did not answer in time");
	}
}

enum xos_status frame_send(
    struct xos_channel *ch, const struct frame *f, int64_t deadline_ms, struct xos_err *err)
{
	struct xos_buf head;
	xos_buf_init(&head, FRAME_HEAD);
	xos_buf_u32(&head, FRAME_MAGIC);
	xos_buf_u8(&head, (uint8_t)f->kind);
	xos_buf_u8(&head, (uint8_t)f->status);
	xos_buf_u16(&head, f->type);
	xos_buf_u64(&head, f->id);
	enum xos_status rc = xos_buf_status(&head);
	if (rc != XOS_OK) {
		xos_buf_free(&head);
		return xos_err_set(err, rc, "memory", "out of memory");
	}
	/* writev(2) does not change what it sends; struct iovec has no const. */
	union {
		const void *in;
		void *out;
	} payload = {.in = f->payload.p};
	struct iovec parts[2] = {{head.p, head.n}, {payload.out, f->payload.n}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = f->payload.n ? 2 : 1};
	for (;;) {
		if (sendmsg(ch->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
			rc = closed(err);
		else if (errno != EAGAIN)
			rc = xos_err_errno(
			    err, errno, "channel-send", "cannot send to the other process");
		else
			rc = frame_wait(ch->fd, POLLOUT, deadline_ms, err);
		if (rc != XOS_OK)
			break;
	}
	xos_buf_free(&head);
	return rc;
}

static enum xos_status malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "channel-frame", "malformed frame: %s", what);
}

static enum xos_status parse(struct xos_bytes in, struct frame *f, struct xos_err *err)
{
	struct xos_reader r;
	uint32_t magic;
	uint8_t kind, status;
	uint16_t type;
	uint64_t id;
	xos_reader_init(&r, in);
	if (!xos_reader_u32(&r, &magic) || magic != FRAME_MAGIC)
		return malformed(err, "no magic number of this version");
	if (!xos_reader_u8(&r, &kind) || !xos_reader_u8(&r, &status) ||
	    !xos_reader_u16(&r, &type) || !xos_reader_u64(&r, &id))
		return malformed(err, "too short");
	f->id = id;
	f->type = type;
	if (kind > FRAME_REPLY || status > XOS_INTERNAL)
		return malformed(err, "unknown kind or status");
	f->kind = (enum frame_kind)kind;
	if (id == 0 || (kind == FRAME_REQUEST && status != XOS_OK))
		return malformed(err, "no request has this form");
	if (r.left > XOS_CHANNEL_PAYLOAD_MAX)
		return malformed(err, "too long");
	f->status = (enum xos_status)status;
	f->payload = (struct xos_bytes){r.p, r.left};
	return XOS_OK;
}

enum xos_status frame_receive(struct xos_channel *ch, struct frame *f, struct xos_err *err)
{
	*f = (struct frame){.status = XOS_INTERNAL};
	ssize_t n;
	do
		n = recv(ch->fd, ch->in, sizeof(ch->in), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return closed(err);
	if (n < 0)
		return xos_err_errno(err, errno, "channel-receive", "cannot read from the channel");
	return parse((struct xos_bytes){ch->in, (size_t)n}, f, err);
}

void frame_put_err(struct xos_buf *out, enum xos_status status, const struct xos_err *err)
{
	bool said = err && err->status != XOS_OK && err->code[0];
	xos_buf_lp_str(out, said ? err->code : xos_status_name(status));
	xos_buf_lp_str(out, said ? err->text : xos_status_name(status));
}

enum xos_status frame_take_err(const struct frame *f, struct xos_err *err)
{
	char code[XOS_ERR_CODE_MAX], text[XOS_ERR_TEXT_MAX];
	struct xos_reader r;
	xos_reader_init(&r, f->payload);
	if (!xos_reader_lp_str(&r, code, sizeof(code)) ||
	    !xos_reader_lp_str(&r, text, sizeof(text)) || xos_reader_end(&r) != XOS_OK ||
	    code[strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return malformed(err, "an error that cannot be read");
	return xos_err_set(err, f->status, code, "%s", text);
}
