#ifndef XOS_JOBS_TABLE_H
#define XOS_JOBS_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/jobs.h"
#include "base/status.h"
#include "jobs/via.h"

/*
 * The jobs that the front was given, in memory and, before anybody is told, on disk: one folder ID
 * with `spec` (canonical), `request` (who, when, how far) and, between its arrival and the start,
 * `chain` (the delegation); `grant`, if the member gave one. What became of a started job is read from its run folder, which only the
 * starter and the monitors write. All functions may be called by any thread.
 */
struct xos_table;

enum xos_phase {
	XOS_PHASE_WAITING = 1, /* for its credential */
	XOS_PHASE_STARTED,     /* the starter has it */
	XOS_PHASE_FAILED,      /* never started: text */
	XOS_PHASE_CANCELLED    /* while waiting */
};

/* A job as the front knows it; a copy. */
struct xos_entry {
	char id[XOS_JOB_ID_TEXT];
	char member[XOS_MEMBER_MAX + 1];
	uint64_t number;
	/* Submitted with a delegation: its last step, "actor id"; "" by the member directly. */
	char via[XOS_VIA_TEXT];
	char source[64];
	enum xos_phase phase;
	int64_t submitted, changed; /* changed: to the present phase */
	int64_t wall, until;        /* until: end of the credential, 0 before */
	char text[256];
};

/* Loads what dir holds. run: the starter's folder of run folders. */
XOS_MUST_USE enum xos_status xos_table_open(
    const char *dir, const char *run, struct xos_table **out, struct xos_err *err);
void xos_table_free(struct xos_table *t);

/* Durable when OK. CONFLICT (code "job-exists"); LIMIT (code "jobs-many") when the node, or this member,
 * has too many unfinished jobs. spec: canonical. */
struct xos_table_limits {
	size_t jobs, of_member;
};
XOS_MUST_USE enum xos_status xos_table_add(struct xos_table *t, const struct xos_entry *e,
    struct xos_bytes spec, const struct xos_table_limits *limits, struct xos_err *err);
/* Are there too many already? The same errors, before work is done for a new one. */
XOS_MUST_USE enum xos_status xos_table_room(struct xos_table *t, const char *member,
    const struct xos_table_limits *limits, struct xos_err *err);
/* NOT_FOUND with code "job-unknown". */
XOS_MUST_USE enum xos_status xos_table_get(
    struct xos_table *t, const char *id, struct xos_entry *out, struct xos_err *err);
/* Writes a changed phase (with text, until). */
XOS_MUST_USE enum xos_status xos_table_set(
    struct xos_table *t, const struct xos_entry *e, struct xos_err *err);
/* The spec, for the starter and for people. */
XOS_MUST_USE enum xos_status xos_table_spec(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err);
/* The delegation as it waits for the starter, in the form of xos_order's chain; NOT_FOUND: none. */
XOS_MUST_USE enum xos_status xos_table_chain_put(
    struct xos_table *t, const char *id, struct xos_bytes order, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_table_chain_get(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err);
/* The member's grant for it, as it came: {"chain", "grant"}; NOT_FOUND: none. */
XOS_MUST_USE enum xos_status xos_table_grant_put(
    struct xos_table *t, const char *id, struct xos_bytes grant, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_table_grant_get(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err);
void xos_table_chain_drop(struct xos_table *t, const char *id);
/* Removes what ended more than keep seconds ago, here and (by the starter) in run. */
void xos_table_clean(struct xos_table *t, int64_t keep);

/* A snapshot of all entries; malloc'd. */
XOS_MUST_USE enum xos_status xos_table_all(
    struct xos_table *t, struct xos_entry **out, size_t *n, struct xos_err *err);
/* What to tell about a job: state from the run folder. */
XOS_MUST_USE enum xos_status xos_table_info(struct xos_table *t, const struct xos_entry *e,
    const char *node, struct xos_job_info *out, struct xos_err *err);
/* Has it ended, one way or another? */
bool xos_table_ended(struct xos_table *t, const struct xos_entry *e);
/* Opens stdout or stderr of a job for reading; NOT_FOUND: it has none (yet). */
XOS_MUST_USE enum xos_status xos_table_output(
    struct xos_table *t, const char *id, const char *stream, int *fd, struct xos_err *err);

#endif
