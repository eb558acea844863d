#ifndef XOS_SERVICE_BULK_H
#define XOS_SERVICE_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proc/channel.h"

/*
 * Requests and replies that may be larger than one frame of a channel (rosters, policy sets,
 * bundles), cut into frames of it. What fits into one frame costs one exchange, as without this.
 *
 * Frames: PIECE is u16 type, u32 total, u32 offset, lp(request) and bytes up to the end; pieces come in order and
 * the last one runs the handler. A reply to the last piece, and to MORE (u32 offset), is u32 total
 * and bytes from the offset on. One exchange of several frames at a time on a channel, beside any number that take one; a
 * new first piece forgets an unfinished one, so a caller that died half-way blocks nobody. request is the id that the
 * caller's thread works for (base/event.h), or empty: the handler's events carry it too.
 */
#define XOS_BULK_PIECE 0xfff0 /* types of frames, taken in every table that uses this */
#define XOS_BULK_MORE 0xfff1
#define XOS_BULK_MAX (24u * 1024 * 1024)

/* The asking half, over a channel that may carry other frames too. Threads may share it. */
struct xos_bulk;
XOS_MUST_USE enum xos_status xos_bulk_new(
    struct xos_channel *ch, struct xos_bulk **out, struct xos_err *err); /* ch is borrowed */
/* Another channel from the next call on, taken; for a peer that was started anew. With NULL for ch above, calls
 * are UNAVAILABLE "part-away" until the first one comes. Any thread; does not wait. */
void xos_bulk_attach(struct xos_bulk *b, struct xos_channel *ch);
void xos_bulk_free(struct xos_bulk *b);
/* As xos_channel_call, with payload and reply of up to XOS_BULK_MAX bytes. */
XOS_MUST_USE enum xos_status xos_bulk_call(struct xos_bulk *b, uint16_t type,
    struct xos_bytes payload, int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err);

/*
 * The same without a turn: many threads' requests are outstanding at a time, so that the other process can
 * group what it commits. For requests and replies that fit into one frame (LIMIT "channel-payload" otherwise, though
 * the request may have been carried out).
 */
XOS_MUST_USE enum xos_status xos_bulk_ask(struct xos_bulk *b, uint16_t type,
    struct xos_bytes payload, int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err);

/* The answering half. */
struct xos_bulk_handler {
	uint16_t type;
	const char *name;
	uint32_t from;      /* bit i: channel i may send it */
	size_t payload_max; /* longer requests are refused with their first piece */
	/* As in channel.h; reply takes at most XOS_BULK_MAX bytes. */
	enum xos_status (*handle)(void *ctx, size_t from, struct xos_bytes payload,
	    struct xos_buf *reply, struct xos_err *err);
};

/* A request without payload that every server answers, whatever its table says: its report (report.h). */
#define XOS_BULK_REPORT 0xfff2

struct xos_bulk_server;
/* table and ctx are borrowed. */
XOS_MUST_USE enum xos_status xos_bulk_server_new(const struct xos_bulk_handler *table, size_t n,
    void *ctx, struct xos_bulk_server **out, struct xos_err *err);
void xos_bulk_server_free(struct xos_bulk_server *s);
/* The folder or file whose disk the report looks at; borrowed. Without one it only shows that there is an answer. */
void xos_bulk_server_disk(struct xos_bulk_server *s, const char *path);
/*
 * Serves a channel server whose only frames are these two: fill in channels and signal_fd (see
 * xos_part_channels), ticks and commit as you like; table and ctx are set here, and the ctx of ticks
 * and commit is the one given to xos_bulk_server_new.
 */
XOS_MUST_USE enum xos_status xos_bulk_serve(
    struct xos_bulk_server *s, struct xos_channel_server *server, struct xos_err *err);

#endif
