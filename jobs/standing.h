#ifndef XOS_JOBS_STANDING_H
#define XOS_JOBS_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "jobs/outcome.h"

/*
 * What becomes of a job that runs while sets and locks change: what xos-credd says of it (a word), what follows from that (a step, pure), and what
 * is remembered (file `standing` in the job's folder, written by the starter; monitor and front read it). No file: nothing was ever said
 * against it.
 *
 *   permit     whatever was planned is off: it goes on, a frozen one too.
 *   refused    as the statement says. continue and drain: noted and shown; it ends by itself (nothing new of it begins, since each beginning is
 *              decided by the same sets). stop: ends after the time that the statement gives, counted from the first such refusal.
 *   locked     frozen until the lock ends or is lifted, and ended once that has lasted for freeze_max; where the owner says so, or the
 *              machine cannot freeze, ended.
 *   nothing    undecided, unknown, nobody to ask: all stays as it is, a deadline too.
 *
 * Times that decide something are of the monotonic clock (a job does not live longer than its machine's boot); those in seconds since 1970 are
 * for people.
 */
#define XOS_STANDING_TEXT 512
#define XOS_STANDING_MAX 1024 /* bytes of the file */

enum xos_word_kind { XOS_WORD_NOTHING, XOS_WORD_PERMIT, XOS_WORD_REFUSED, XOS_WORD_LOCKED };
enum xos_word_change { XOS_WORD_CONTINUE, XOS_WORD_DRAIN, XOS_WORD_STOP };

struct xos_job_word {
	enum xos_word_kind kind;
	enum xos_word_change change;  /* of REFUSED */
	int64_t after;                /* seconds, with STOP */
	char text[XOS_STANDING_TEXT]; /* why, for the member; cut */
};

struct xos_job_standing {
	bool refused, draining;
	int64_t frozen_since; /* 0: it is not frozen */
	int64_t frozen_mark;  /* the same, ms of the monotonic clock */
	uint64_t frozen_ms;   /* how long it was frozen before that */
	int64_t stops_at;     /* 0: no stop is planned */
	int64_t stop_mark;    /* the same, ms of the monotonic clock */
	int64_t stop_began;   /* first refusal with a stop, ms of the monotonic clock */
	int64_t stop_after;   /* seconds, of the statement by which stop_mark was computed */
	unsigned ending;      /* POLICY or LOCK: it is told to end; 0 */
	char text[XOS_STANDING_TEXT];
};

struct xos_standing_rules {
	bool freeze;        /* what is locked is frozen */
	int64_t freeze_max; /* seconds */
};

struct xos_standing_clock {
	int64_t now;     /* seconds since 1970 */
	int64_t mono_ms; /* never 0 */
};

enum xos_standing_act {
	XOS_STANDING_KEEP,   /* nothing to do, nothing to write */
	XOS_STANDING_NOTE,   /* to be written */
	XOS_STANDING_FREEZE, /* to be written, then frozen */
	XOS_STANDING_THAW,   /* to be thawed, then written */
	XOS_STANDING_END     /* to be written, then told to end: `ending` is the cause */
};

/* What follows from a word; s is then as it shall be written. */
enum xos_standing_act xos_standing_hear(struct xos_job_standing *s, const struct xos_job_word *w,
    const struct xos_standing_rules *rules, const struct xos_standing_clock *clock);
/* And from time alone: KEEP or END. */
enum xos_standing_act xos_standing_due(struct xos_job_standing *s,
    const struct xos_standing_rules *rules, const struct xos_standing_clock *clock);
/* It cannot be frozen: END. */
enum xos_standing_act xos_standing_unfrozen(struct xos_job_standing *s);
/* How long it has been frozen altogether. */
uint64_t xos_standing_frozen(const struct xos_job_standing *s, int64_t mono_ms);

void xos_standing_encode(struct xos_buf *b, const struct xos_job_standing *s);
XOS_MUST_USE enum xos_status xos_standing_decode(
    struct xos_bytes in, struct xos_job_standing *s, struct xos_err *err);
/* `standing` in folder run. Reading gives NOT_FOUND where there is none. */
XOS_MUST_USE enum xos_status xos_standing_write(
    const char *run, const struct xos_job_standing *s, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_standing_read(
    const char *run, struct xos_job_standing *s, struct xos_err *err);

/*
 * What the job was decided by when it began, and is again: file `asked` in its folder. It is there for as long as the machine runs, as the job
 * is, and so is not synced.
 */
struct xos_job_asked {
	char source[64]; /* address of the member's machine; "" if not known */
	int64_t wall;    /* seconds that were asked for; 0: none */
};
XOS_MUST_USE enum xos_status xos_asked_write(
    const char *run, const struct xos_job_asked *a, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_asked_decode(
    struct xos_bytes in, struct xos_job_asked *a, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_asked_read(
    const char *run, struct xos_job_asked *a, struct xos_err *err);

#endif
