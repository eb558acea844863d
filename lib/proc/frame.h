#ifndef XOS_PROC_FRAME_H
#define XOS_PROC_FRAME_H

#include <pthread.h>
#include <stdbool.h>

#include "proc/channel.h"

/* Inside xos-proc: one packet of a channel. */

#define FRAME_MAGIC 0x584f5301U
#define FRAME_HEAD 16
#define FRAME_MAX (FRAME_HEAD + XOS_CHANNEL_PAYLOAD_MAX)

enum frame_kind { FRAME_REQUEST = 0, FRAME_REPLY = 1 };

struct frame {
	enum frame_kind kind;
	enum xos_status status;
	uint16_t type;
	uint64_t id;
	struct xos_bytes payload; /* in the channel's buffer when received */
};

/* A thread that waits for its reply. */
struct waiter {
	struct waiter *next;
	uint64_t id;
	uint16_t type;
	bool done, asleep;
	pthread_cond_t wake; /* its reply is there, or it is its turn to read */
	enum xos_status rc;
	struct xos_buf *reply; /* may be NULL */
	struct xos_err *err;
};

struct xos_channel {
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* Under the lock: */
	struct waiter *waiters;
	unsigned flying;
	bool reading; /* one thread reads for all that wait, and owns `in` */
	uint64_t last_id;
	uint8_t in[FRAME_MAX + 1]; /* one more, to see a packet that is too long */
};

/* Waits for events on fd until the deadline: OK, or UNAVAILABLE "channel-timeout". */
enum xos_status frame_wait(int fd, short events, int64_t deadline_ms, struct xos_err *err);
enum xos_status frame_send(
    struct xos_channel *ch, const struct frame *f, int64_t deadline_ms, struct xos_err *err);
/* Takes one packet that is there. MALFORMED: *f has the id if the head could be read (else id 0). */
enum xos_status frame_receive(struct xos_channel *ch, struct frame *f, struct xos_err *err);

/* The payload of a reply that is not OK. */
void frame_put_err(struct xos_buf *out, enum xos_status status, const struct xos_err *err);
enum xos_status frame_take_err(const struct frame *f, struct xos_err *err);

#endif
