#ifndef XOS_CREDD_GRANTS_H
#define XOS_CREDD_GRANTS_H

#include <stdint.h>

#include "base/status.h"
#include "credd/config.h"
#include "credd/decide.h"
#include "credd/jobfile.h"
#include "credd/jobs.h"
#include "json/json.h"
#include "token/trust.h"

/*
 * What a grant says and what comes of it, checked against the job that it is for: the member signed both it and the delegation, so it
 * may say nothing more than that one, but for how long.
 *
 * Takes the grant of a request of operation job.grant; durable when it returns OK, and can be repeated. Codes: "job-unknown"
 * (NOT_FOUND); "grant-job", "grant-member", "grant-node", "grant-key", "grant-wider" (DENIED); "grant-shorter" (CONFLICT):
 * than the one that is known; and those of xos_grant_open.
 */
XOS_MUST_USE enum xos_status xos_credd_grant_take(struct xos_credd_jobs *jobs,
    const struct xos_local_request *req, const struct xos_trust *trust,
    const struct xos_credd_conf *conf, int64_t now, struct xos_credd_job **out,
    struct xos_err *err);
/*
 * Takes a credential that came from the authority; durable when it returns OK. ends: of the grant, as the authority says.
 * One that ends no later than that in use changes nothing but ends. DENIED "renewal-other": it is not for this job, key,
 * node or member; "renewal-wider": it has more depth or another restriction than the grant, or outlives it.
 */
XOS_MUST_USE enum xos_status xos_credd_grant_renewed(struct xos_credd_jobs *jobs,
    struct xos_credd_decider *decider, const char *node, struct xos_credd_job *job,
    const struct xos_chain *chain, int64_t ends, int64_t now, struct xos_err *err);
/* {"chain", "grant"}, as the authority takes it. wire: xos_credd_grant. NULL: damaged, or out of memory. */
struct xos_json *xos_credd_grant_json(struct xos_bytes wire);

#endif
