#ifndef XOS_CREDD_PICK_H
#define XOS_CREDD_PICK_H

#include "credd/jobs.h"
#include "credd/server.h"
#include "credd/sessions.h"

/* One credential of a peer's: of a session or of a job, the other is NULL. Borrowed until either table changes. */
struct xos_credd_picked {
	const char *id;
	const struct xos_credd_session *session;
	const struct xos_credd_job *job;
};

/*
 * Which of its uid's credentials does the peer mean? By id; or, with "", of those that have a chain in time: the newest
 * that was made in the peer's own process session, else that of the job whose control group it is in, else the newest.
 * Session and group only choose among what the uid has. NOT_FOUND "no-credential", the same for another uid's as for
 * none.
 */
XOS_MUST_USE enum xos_status xos_credd_pick(struct xos_credd_sessions *sessions,
    const struct xos_credd_jobs *jobs, const struct xos_credd_peer *peer, const char *id,
    int64_t now, struct xos_credd_picked *out, struct xos_err *err);

#endif
