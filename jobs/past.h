#ifndef XOS_JOBS_PAST_H
#define XOS_JOBS_PAST_H

#include "jobs/stage.h"

/*
 * Who ran here under which uid, for `xos-node whois`: beside accounting, which is elsewhere and may be the VO's.
 * state/past.jsonl gets one line for each job that is over, as far as it ran; when it is full it becomes
 * past.jsonl.old. docs/protocols/jobs.md has the form.
 */
#define XOS_PAST_FILE "past.jsonl"
#define XOS_PAST_OLD XOS_PAST_FILE ".old"
#define XOS_PAST_BYTES (8u << 20)
#define XOS_ORIGIN_MAX 4096

/* run/ID/origin, {"source"?, "groups"}: from which address it was submitted, and the groups of who did. */
XOS_MUST_USE enum xos_status xos_origin_save(const struct xos_stage *s, const char *id,
    const char *source, const char *groups, struct xos_err *err);
/* Appends the job's line, durably; may be done twice. */
XOS_MUST_USE enum xos_status xos_past_add(
    const char *state, const struct xos_stage *s, const struct xos_record *r, struct xos_err *err);

#endif
