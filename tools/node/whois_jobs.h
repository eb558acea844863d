#ifndef XOS_NODE_WHOIS_JOBS_H
#define XOS_NODE_WHOIS_JOBS_H

#include <stdint.h>

#include "json/json.h"
#include "node/layout.h"

/*
 * The jobs that ran under a uid at a time, by the files of xos-jobd in that part of the node (docs/protocols/jobs.md):
 * those that are over, then those that run. Adds an object for each to list. UNAVAILABLE: what is there cannot be
 * read.
 */
XOS_MUST_USE enum xos_status xos_node_jobs_of(
    const struct xos_node *n, uint32_t uid, int64_t at, struct xos_json *list, struct xos_err *err);

#endif
