#ifndef XOS_JOBS_RUNNING_H
#define XOS_JOBS_RUNNING_H

#include "jobs/standing.h"
#include "local/client.h"

/*
 * The starter's hand on what runs while sets and locks change: asks xos-credd (word.h), follows what is due (standing.h), freezes, thaws and tells
 * monitors to end their jobs. What was decided stands in the job's folder before it is done, so that a starter that comes
 * after goes on with it.
 */
struct xos_starter;
struct xos_order;

/* What the starter remembers of each job; zeroed at first. */
struct xos_running_job {
	struct xos_job_standing standing;
	struct xos_job_asked asked;
	bool loaded, unwritten;
	bool frozen;      /* that the group stands still was seen, not only ordered */
	int64_t version;  /* of the view by which it was decided; 0: not yet */
	unsigned looks;   /* whether it stands still yet */
	int64_t again_ms; /* monotonic: decided again at the latest; 0: not said */
	int64_t again;    /* the same, by the clock on the wall */
	int64_t act_ms;   /* monotonic: what could not be done is not tried before */
};

/* What of the starter belongs to this alone. */
struct xos_running {
	struct xos_local *credd; /* a client of its own, which waits for a second only */
	int64_t version, look_ms;
	bool away; /* it was said that xos-credd does not answer */
};

/* opt: of xos-credd's socket. */
XOS_MUST_USE enum xos_status xos_running_open(
    struct xos_starter *s, const struct xos_local_options *opt, struct xos_err *err);
void xos_running_close(struct xos_starter *s);
/* Before the job's monitor starts: what it is decided by, for later. */
XOS_MUST_USE enum xos_status xos_running_begin(const struct xos_starter *s, const char *id,
    const struct xos_order *order, int64_t wall, struct xos_err *err);
/* Decided again at the next look, whatever the view: its credential is another one. */
void xos_running_again(struct xos_starter *s, const char *id);
/* Called every tick. */
void xos_running_look(struct xos_starter *s);

#endif
