#ifndef XOS_RCA_PACE_H
#define XOS_RCA_PACE_H

#include <stdint.h>

#include "base/status.h"

/*
 * How many applications one address may send in an hour, so that a stranger does not fill the queue alone. It belongs to
 * the network process, which could let in any number anyhow: how many wait at all is auth's to bound. Threads may share it.
 */
#define RCA_PACE_HOUR 200

struct rca_pace;

struct rca_pace *rca_pace_new(void); /* NULL if out of memory */
void rca_pace_free(struct rca_pace *p);
/* Counts one from this peer (guess.h). LIMIT "applications-address". now_s: a monotonic clock. */
XOS_MUST_USE enum xos_status rca_pace_take(
    struct rca_pace *p, const char *peer, int64_t now_s, struct xos_err *err);

#endif
