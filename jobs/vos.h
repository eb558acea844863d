#ifndef XOS_JOBS_VOS_H
#define XOS_JOBS_VOS_H

#include <limits.h>

#include "jobs/config.h"

/*
 * A node of several VOs: the folder `vos` of the first one's jobd.conf holds a folder for each further VO with a
 * jobd.conf in it, complete as if it were alone: state, trust, TLS identity, xos-credd's socket. All name the same
 * address and the same user of the network processes, which share the front and nothing else.
 */
#define XOS_JOBS_VOS_MAX 6

struct xos_jobs_vos {
	struct xos_jobs_config conf[XOS_JOBS_VOS_MAX];
	char path[XOS_JOBS_VOS_MAX][PATH_MAX];
	size_t n;
};

/* Loads them all, in the order of their folders' names; none if first names no folder or it is not there. *out is
 * calloc'd. CONFLICT (code "vos") if they cannot go together. */
XOS_MUST_USE enum xos_status xos_jobs_vos_load(
    const struct xos_jobs_config *first, struct xos_jobs_vos **out, struct xos_err *err);
void xos_jobs_vos_free(struct xos_jobs_vos *v);
/* For --check: that they can be loaded and go together; each by its own checks too. */
void xos_jobs_vos_check(const struct xos_jobs_config *first,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx);

#endif
