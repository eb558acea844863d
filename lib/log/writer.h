#ifndef XOS_LOG_WRITER_H
#define XOS_LOG_WRITER_H

#include <pthread.h>

#include "log/scan.h"

/* Inside xos-log: a log that is open for writing. open.c makes one, log.c appends, prove.c proves. */

#define PENDING_MAX (16U * 1024 * 1024)

struct xos_log {
	char *path;
	char name[XOS_LOG_NAME_MAX + 1];
	struct xos_log_crypto crypto;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t done;
	/* Under the lock: */
	struct xos_buf pending; /* frames not yet hashed */
	uint64_t staged, durable;
	bool writing; /* one thread is; it owns what stands below */
	bool broken;
	bool rooted; /* the newest seal has a root */
	struct xos_err why;
	struct xos_buf head; /* encoded */
	/* Of the writing thread: */
	struct log_state state;
	struct head_file head_file;
	struct tree_file tree_file; /* written by that thread, read by whoever makes proofs */
	int64_t head_synced_ms;
};

/* Hashes the records in out from `at` on and seals them. encoded gets the new head, entries (may be NULL) what belongs
 * into PATH.tree. */
enum xos_status log_seal_frames(const char *name, const struct xos_log_crypto *crypto,
    struct xos_buf *out, size_t at, struct log_state *state, struct xos_buf *entries,
    struct xos_buf *encoded, struct xos_err *err);
/* One more seal of what is there. */
enum xos_status log_seal_anew(struct xos_log *log, struct xos_err *err);

#endif
