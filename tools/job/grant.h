#ifndef XOS_TOOLS_JOB_GRANT_H
#define XOS_TOOLS_JOB_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "json/json.h"
#include "pki/cert.h"
#include "token/delegation.h"
#include "token/tokenfile.h"

/* What somebody who submits says about renewal. */
struct job_grant_wish {
	bool none;        /* --no-renew */
	int64_t renew;    /* --renew, seconds from now; 0: not said */
	int64_t lifetime; /* --lifetime, of the delegation; 0: not said */
};

/*
 * The grant to go with a delegation, as xos_grant_sign gives it, or NULL where none is wanted or none is needed: by default it
 * goes as far as the job may run, at most seven days, and only if the delegation ends before; one for whom --lifetime says how
 * long the job may act gives none. job_end: when the job must have ended, with a margin. A delegated credential or a robot's
 * token gives none, which is said on standard error.
 */
XOS_MUST_USE enum xos_status job_grant_for(const struct xos_chain *token,
    const struct xos_token_info *who, const struct xos_delegation *d,
    const uint8_t key[XOS_SHA256_LEN], int64_t job_end, const struct job_grant_wish *wish,
    struct xos_json **out, struct xos_err *err);

/* Before anything is submitted: DENIED if one is asked for by who cannot give it. */
XOS_MUST_USE enum xos_status job_grant_may(
    const struct xos_token_info *who, const struct job_grant_wish *wish, struct xos_err *err);

#endif
