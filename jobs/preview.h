#ifndef XOS_JOBS_PREVIEW_H
#define XOS_JOBS_PREVIEW_H

#include "jobs/front.h"
#include "local/client.h"

/* POST preview: what would become of the jobs that run here if a set of the VO came into force. */
enum xos_status xos_job_route_preview(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);

/* The starter's half: carries the order to xos-credd. */
XOS_MUST_USE enum xos_status xos_preview_ask(
    struct xos_local *credd, struct xos_bytes order, struct xos_buf *reply, struct xos_err *err);

#endif
