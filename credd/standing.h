#ifndef XOS_CREDD_STANDING_H
#define XOS_CREDD_STANDING_H

#include "credd/decide.h"
#include "credd/jobs.h"
#include "local/client.h"

/*
 * How it stands with jobs that run: for each whether it would be let begin now, and what is to become of it if not. Also says by which view that
 * was decided, so that nobody has to ask for the same again, and when the answer may be another one by time alone. Nothing is
 * recorded: what the job service makes of it is.
 */

/* question and answer as xos_local_standing has them. LIMIT: more than XOS_LOCAL_STANDING_JOBS. */
XOS_MUST_USE enum xos_status xos_credd_standing(struct xos_credd_decider *d,
    const struct xos_credd_self *self, struct xos_credd_jobs *jobs, struct xos_bytes question,
    int64_t now, struct xos_buf *out, struct xos_err *err);

#endif
