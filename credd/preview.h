#ifndef XOS_CREDD_PREVIEW_H
#define XOS_CREDD_PREVIEW_H

#include "credd/decide.h"
#include "credd/jobs.h"

/*
 * What would become of jobs if a set of the VO came into force: each is decided anew, by its own credential, with that set in the
 * place of the one of the bundle. Nothing is changed and nothing recorded. Only for an administrator of the VO, whose
 * standing is the caller's to see. At most XOS_CREDD_PREVIEW_JOBS are asked about and
 * XOS_CREDD_PREVIEW_TOLD told.
 */
#define XOS_CREDD_PREVIEW_JOBS 1000
#define XOS_CREDD_PREVIEW_TOLD 200

/* question and answer as xos_local_preview has them. DENIED "not-administrator"; MALFORMED what is wrong with the set. */
XOS_MUST_USE enum xos_status xos_credd_preview(struct xos_credd_decider *d,
    const struct xos_credd_self *self, struct xos_credd_jobs *jobs, const struct xos_known *asker,
    struct xos_bytes question, int64_t now, struct xos_buf *out, struct xos_err *err);

#endif
