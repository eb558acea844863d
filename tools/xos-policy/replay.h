#ifndef XOS_POLICYTOOL_REPLAY_H
#define XOS_POLICYTOOL_REPLAY_H

#include <stdbool.h>

#include "policytool/change.h"

/* Requests of a file, or decisions that nodes recorded, asked of two policies. */
struct xos_policytool_replay {
	struct xos_policytool_changes *changes;
	const struct xos_policy *before, *after;
	int64_t now;    /* of requests that name no time */
	bool quiet;     /* lines that are none are counted only */
	size_t bad;     /* lines that are neither */
	size_t records; /* recorded decisions */
	size_t other;   /* of these, decided otherwise than the policy `before` does */
	size_t closed;  /* of these, answered without sets: by a lock, the roster, an old bundle */
	uint64_t stands_for; /* decisions that the records stand for, by their sample */
};

/* A file of lines, "-" is standard input, or a folder: its *.jsonl in the order of their names. Lines that are no
 * requests are counted, told, and do not end it. */
XOS_MUST_USE enum xos_status xos_policytool_replay(
    struct xos_policytool_replay *r, const char *path, struct xos_err *err);

#endif
