#ifndef XOS_CREDD_JOBS_H
#define XOS_CREDD_JOBS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "credd/accounts.h"
#include "credd/decide.h"
#include "credd/jobfile.h"
#include "local/message.h"

/*
 * The credentials of jobs: for each a key made here, and the delegation once it came. In memory the
 * key stands in secret memory; on disk in DIR/<job>, 0600, in a folder of 0700 (jobfile.h). Belongs to
 * one thread. Each operation is done and durable when it returns XOS_OK, and can be repeated.
 */
struct xos_credd_jobs;

/* Seconds that a prepared job waits for its delegation, and that one stays after its end, or after it was last said that the job
 * runs still: by it the job is decided about. */
#define XOS_CREDD_PREPARED_KEEP 3600
#define XOS_CREDD_OVER_KEEP 86400
/* And, by a clock that nobody steps, at least so long after that was seen first: a clock that jumped ahead and is put right again within
 * the hour costs no credential. */
#define XOS_CREDD_SEEN_KEEP_MS (3600 * INT64_C(1000))
/* Bytes of secret memory that must be lockable for new keys, or status and log say that they may be swapped. */
#define XOS_CREDD_LOCK_MIN 65536

/* Makes dir if missing and reads what is there. A file that is damaged is moved aside to
 * .damaged-<job> with an event: one bad file must not keep the others from their jobs. */
XOS_MUST_USE enum xos_status xos_credd_jobs_open(
    const char *dir, size_t max, struct xos_credd_jobs **out, struct xos_err *err);
void xos_credd_jobs_free(struct xos_credd_jobs *jobs); /* files stay */
size_t xos_credd_jobs_count(const struct xos_credd_jobs *jobs);

/* Records who submits, with the account that the job will have, and appends the request to csr.
 * CONFLICT: known under another member. LIMIT: too many jobs. */
XOS_MUST_USE enum xos_status xos_credd_jobs_prepare(struct xos_credd_jobs *jobs, const char *job,
    const struct xos_identity *who, const struct xos_credd_account *account, int64_t now,
    struct xos_buf *csr, struct xos_err *err);

struct xos_credd_job_info {
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	struct xos_credd_account account;
	int64_t not_after;
};
/* Takes a delegation that was verified (known); chain is what was verified. The checks and their
 * codes stand in docs/protocols/credd.md. node: this one. */
XOS_MUST_USE enum xos_status xos_credd_jobs_accept(struct xos_credd_jobs *jobs, const char *job,
    const struct xos_known *known, const struct xos_bytes *chain, size_t n, const char *node,
    struct xos_credd_job_info *out, struct xos_err *err);

/* The token file. EXPIRED past its end, NOT_FOUND if nothing was accepted. */
XOS_MUST_USE enum xos_status xos_credd_jobs_credential(struct xos_credd_jobs *jobs, const char *job,
    int64_t now, struct xos_secret **pem, struct xos_err *err);
/* Which job's credential does a process of uid get? hint "": the newest that is in time. NOT_FOUND,
 * the same for a job of another uid as for none: what others run is not told. */
XOS_MUST_USE enum xos_status xos_credd_jobs_choose(const struct xos_credd_jobs *jobs, uid_t uid,
    const char *hint, int64_t now, const char **job, struct xos_err *err);
/* Whose the job's credential is from now on: a uid that was leased to it. Not kept: leases are. */
void xos_credd_jobs_move(struct xos_credd_jobs *jobs, const char *id, uint32_t uid);
/* The lease is over: the member's computed account has it again, not who has the uid next. */
void xos_credd_jobs_move_back(struct xos_credd_jobs *jobs, const char *id);
/* The accepted chain, DER, borrowed until the job changes; 0 if there is none. */
size_t xos_credd_jobs_chain(
    const struct xos_credd_jobs *jobs, const char *job_id, struct xos_bytes out[XOS_CHAIN_MAX]);

/* The same as it is kept; NULL: none. */
const struct xos_chain *xos_credd_jobs_held(const struct xos_credd_jobs *jobs, const char *job_id);
/* The job service says that it runs. */
void xos_credd_jobs_running(struct xos_credd_jobs *jobs, const char *job_id, int64_t now);
/* The record, borrowed until the job changes; NULL: none. And all of them, in no stated order: NULL at first and at the
 * end. */
const struct xos_credd_job *xos_credd_jobs_get(
    const struct xos_credd_jobs *jobs, const char *job_id);
const struct xos_credd_job *xos_credd_jobs_next(
    const struct xos_credd_jobs *jobs, const struct xos_credd_job *at);

/* Forgets it: wipes the key, removes the file. OK also when there is none. */
XOS_MUST_USE enum xos_status xos_credd_jobs_release(
    struct xos_credd_jobs *jobs, const char *job, struct xos_err *err);
/* Fills list with at most max jobs, newest first: all, or those of one uid. */
size_t xos_credd_jobs_list(const struct xos_credd_jobs *jobs, const uid_t *uid, int64_t now,
    struct xos_local_entry *list, size_t max);
/* Forgets what nobody will ask for any more. Call it now and then. What may still be renewed stays. mono_ms: of
 * xos_clock_mono_ms. */
void xos_credd_jobs_sweep(struct xos_credd_jobs *jobs, int64_t now, int64_t mono_ms);

/* --- inside: for grants.h and renewals.h --- */
struct xos_credd_job;
/* Did this member submit it? */
bool xos_credd_job_is_of(const struct xos_credd_job *job, const struct xos_claims *c);
/* Borrowed; NULL: there is none. */
struct xos_credd_job *xos_credd_jobs_find(const struct xos_credd_jobs *jobs, const char *id);
void xos_credd_jobs_each(const struct xos_credd_jobs *jobs,
    void (*each)(void *ctx, struct xos_credd_job *job), void *ctx);
/* Durable as it stands in memory. */
XOS_MUST_USE enum xos_status xos_credd_jobs_store(
    const struct xos_credd_jobs *jobs, const struct xos_credd_job *job, struct xos_err *err);

#endif
