#ifndef XOS_JOBS_HUB_H
#define XOS_JOBS_HUB_H

#include "jobs/front.h"
#include "jobs/vos.h"

/*
 * The network process of a node with several VOs: one struct xos_job_front for each, with its own table, trust, TLS
 * identity and starter. A request goes to the one that its path names, and a client certificate counts for its own VO
 * only. Both are seen to here, once for all routes.
 */
struct xos_job_hub;

/* Reads keys with the rights of the start. starters: one for the first and for each of vos, in their order, borrowed;
 * so are c and vos. listen_fd: bound, taken. */
XOS_MUST_USE enum xos_status xos_job_hub_open(const struct xos_jobs_config *c,
    const struct xos_jobs_vos *vos, struct xos_channel *const *starters, int listen_fd,
    struct xos_job_hub **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_job_hub_serve(
    struct xos_job_hub *h, int signal_fd, struct xos_err *err);
void xos_job_hub_free(struct xos_job_hub *h);

#endif
