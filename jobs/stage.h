#ifndef XOS_JOBS_STAGE_H
#define XOS_JOBS_STAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/accounting.h"
#include "api/jobs.h"
#include "base/status.h"

/*
 * The starter's folders below `state`, and one job's files in them:
 *
 *   run/ID/      lock, started, status, stdout, stderr (the monitor's; the front may read them),
 *                record (what accounting will say, as far as known at the start), done (settled)
 *   work/ID/     the job's HOME, its account's own
 *   credential/  an empty folder: the mount point of each job's own credential tmpfs
 *   spool/       accounting records that wait to be sent
 *
 *   A record or status that cannot be read is renamed, once, to its name and XOS_STAGE_DAMAGED; a run folder
 *   with such a record stays until somebody removes it.
 *
 * Of these the front can write none but spool/, which its user owns.
 */
#define XOS_STAGE_DAMAGED ".damaged"

struct xos_stage {
	char run[PATH_MAX], work[PATH_MAX], credential[PATH_MAX], spool[PATH_MAX];
	bool root;
	uid_t network_uid; /* as root: of front and courier */
	gid_t network_gid;
};

/* Makes what is missing. network: user of the front (NULL without root). DENIED if job accounts could
 * not reach their folders: names the parent that is in the way. */
XOS_MUST_USE enum xos_status xos_stage_open(
    struct xos_stage *s, const char *state, const char *network, struct xos_err *err);

/* run/ID and work/ID (uid's own). CONFLICT (code "job-exists") if run/ID is there. */
XOS_MUST_USE enum xos_status xos_stage_make(
    const struct xos_stage *s, const char *id, uid_t uid, gid_t gid, struct xos_err *err);
/* Removes both; the work folder with the rights of its owner, whose links lead nowhere that way. */
void xos_stage_remove(const struct xos_stage *s, const char *id);

/* Removes the work folder alone, in the same way: its owner's uid is to be used again. */
void xos_stage_clear(const struct xos_stage *s, const char *id);

/* run/ID, or a file in it if name is not NULL. */
XOS_MUST_USE enum xos_status xos_stage_path(const struct xos_stage *s, const char *id,
    const char *name, char out[PATH_MAX], struct xos_err *err);
bool xos_stage_has(const struct xos_stage *s, const char *id, const char *name);
/* Modification time of a file of the job; 0: none. */
int64_t xos_stage_time(const struct xos_stage *s, const char *id, const char *name);
XOS_MUST_USE enum xos_status xos_stage_mark(
    const struct xos_stage *s, const char *id, const char *name, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_stage_save(
    const struct xos_stage *s, const struct xos_record *r, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_stage_load(
    const struct xos_stage *s, const char *id, struct xos_record *r, struct xos_err *err);
/* Calls each for the id of every run folder. */
XOS_MUST_USE enum xos_status xos_stage_each(const struct xos_stage *s,
    void (*each)(void *ctx, const char *id), void *ctx, struct xos_err *err);

#endif
