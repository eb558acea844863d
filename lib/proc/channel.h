#ifndef XOS_PROC_CHANNEL_H
#define XOS_PROC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * Typed requests and replies between the processes of one service, over an AF_UNIX SOCK_SEQPACKET
 * pair: a frame is one packet, so nobody can shift its boundaries. The peer is not trusted: a
 * process that parses the network may have been taken over.
 *
 * Frame (big-endian): u32 0x584f5301 ("XOS", version 1), u8 kind (0 request, 1 reply), u8 status
 * (enum xos_status; 0 in a request), u16 type, u64 id, then the payload to the end of the packet.
 * The payload of a reply that is not OK is lp(code) lp(text).
 */
#define XOS_CHANNEL_PAYLOAD_MAX (128 * 1024)
#define XOS_CHANNEL_MAX 16 /* channels that one server may read */
#define XOS_CHANNEL_FLYING 64

struct xos_channel;

/* Makes a connected pair, close-on-exec. The supervisor does it for the links it is told of. */
XOS_MUST_USE enum xos_status xos_channel_pair(int fds[2], struct xos_err *err);
/* Takes the descriptor over (also on failure) and makes it non-blocking and close-on-exec. */
XOS_MUST_USE enum xos_status xos_channel_new(int fd, struct xos_channel **out, struct xos_err *err);
void xos_channel_free(struct xos_channel *ch);

/*
 * Asks and waits for the answer. reply is initialised here and freed by the caller; it is empty
 * unless the result is OK; it may be NULL where no payload is expected back. The result is the
 * server's status with its code and text in err, or a failure of the channel itself, whose codes
 * begin with "channel-": UNAVAILABLE (peer gone: "channel-closed", too late: "channel-timeout"),
 * MALFORMED ("channel-frame"), LIMIT (payload too long).
 *
 * deadline_ms is on xos_clock_mono_ms. After a time-out the request may still be carried out; the
 * late reply is recognised by its id and dropped, and the channel stays usable. Threads may share
 * a channel: up to XOS_CHANNEL_FLYING requests are outstanding at a time, so that the server can group
 * them; further ones wait their turn, within their deadline. Replies may come in any order.
 */
XOS_MUST_USE enum xos_status xos_channel_call(struct xos_channel *ch, uint16_t type,
    struct xos_bytes payload, int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err);

/* One kind of request: who may send it and who answers it. */
struct xos_channel_handler {
	uint16_t type;
	const char *name; /* for event lines */
	uint32_t from;    /* bit i: channel i may send it */
	/* Fills reply (initialised, at most XOS_CHANNEL_PAYLOAD_MAX) or err, and returns the status
	 * that the caller gets. payload is valid during the call only. */
	enum xos_status (*handle)(void *ctx, size_t from, struct xos_bytes payload,
	    struct xos_buf *reply, struct xos_err *err);
};

struct xos_channel_server {
	struct xos_channel *const *channels;
	size_t nchannels;
	const struct xos_channel_handler *table;
	size_t ntable;
	void *ctx;
	/* From xos_signal_fd, or -1. SIGTERM and SIGINT end the serving; SIGHUP calls on_hup. */
	int signal_fd;
	void (*on_hup)(void *ctx);
	/* Called about every tick_ms, between requests; NULL for none. */
	void (*on_tick)(void *ctx);
	int64_t tick_ms;
	/*
	 * Group commit. Replies that are OK wait until a commit that began after their request was handled
	 * has ended; all that come while one runs share the next. If it fails, each of them is
	 * answered with its error instead. commit runs on a thread of its own, beside handlers; ticks
	 * and committed (NULL for none, called with the result before the replies go out) never run beside
	 * it, nor ticks while replies wait for one. NULL: every reply goes out at once.
	 */
	enum xos_status (*commit)(void *ctx, struct xos_err *err);
	/* Did the request that was just handled leave something to be committed? Asked once after each; others
	 * are answered at once, and what a refused one left is committed too. NULL: every OK did. */
	bool (*staged)(void *ctx);
	void (*committed)(void *ctx, enum xos_status status, const struct xos_err *err);
};

/*
 * Serves until a signal ends it or every peer has closed (both OK). A frame that is malformed, of
 * an unknown type or not allowed on its channel is refused with an error reply (where there is an
 * id to answer) and an event; the serving goes on.
 */
XOS_MUST_USE enum xos_status xos_channel_serve(
    const struct xos_channel_server *server, struct xos_err *err);

#endif
