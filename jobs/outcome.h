#ifndef XOS_JOBS_OUTCOME_H
#define XOS_JOBS_OUTCOME_H

#include <stdint.h>

#include "base/bytes.h"

/*
 * How a job ended, as its monitor writes it (file `status` in the job's folder, atomically and
 * durably), or as the starter writes it when the monitor is gone without a word.
 */
enum xos_job_end {
	XOS_END_EXITED = 1, /* value: exit code */
	XOS_END_SIGNALLED,  /* value: signal */
	XOS_END_FAILED,     /* never ran: text says why */
	XOS_END_LOST        /* the monitor was lost: exit status unknown */
};

enum xos_job_cause {
	XOS_CAUSE_SELF = 1,  /* the job ended by itself */
	XOS_CAUSE_CANCELLED, /* asked for */
	XOS_CAUSE_WALL,      /* wall time used up */
	XOS_CAUSE_CPU,       /* CPU time used up */
	XOS_CAUSE_MEMORY,    /* memory used up: the kernel killed it */
	XOS_CAUSE_POLICY, /* a set that came later refuses it, and says that it is to be stopped */
	XOS_CAUSE_LOCK    /* a lock holds it, and it could not be frozen, or not for longer */
};

struct xos_job_outcome {
	enum xos_job_end end;
	enum xos_job_cause cause;
	uint32_t value;
	int64_t started, ended; /* seconds since 1970; started 0: never */
	uint64_t wall_ms; /* by the monotonic clock, without the time for which it was frozen */
	uint64_t user_us, system_us;       /* CPU time of all reaped processes */
	uint64_t memory_kib;               /* largest resident set of one process */
	uint64_t dropped_out, dropped_err; /* bytes of output past the cap */
	char isolation[128]; /* what separated it: "pid,mount,ipc,tmp,proc" or "none" */
	char text[256];      /* FAILED, and causes POLICY and LOCK: why */
};

#define XOS_OUTCOME_MAX 1024
const char *xos_job_end_name(enum xos_job_end end);       /* "exited", ... */
const char *xos_job_cause_name(enum xos_job_cause cause); /* "self", ... */
/* Sets the text, cut between two characters. */
void xos_outcome_text(struct xos_job_outcome *o, const char *text);
void xos_outcome_encode(struct xos_buf *b, const struct xos_job_outcome *o);
XOS_MUST_USE enum xos_status xos_outcome_decode(
    struct xos_bytes in, struct xos_job_outcome *o, struct xos_err *err);
/* `status` in folder run. Reading gives NOT_FOUND while there is none. */
XOS_MUST_USE enum xos_status xos_outcome_write(
    const char *run, const struct xos_job_outcome *o, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_outcome_read(
    const char *run, struct xos_job_outcome *o, struct xos_err *err);

#endif
