#ifndef XOS_JOBS_TOOLBOX_H
#define XOS_JOBS_TOOLBOX_H

#include <limits.h>

#include "base/status.h"
#include "jobs/config.h"

/* A joined VO as the tools want it (XOS_CONFIG), in the state folder, so that they work inside jobs. out: where it is. */
XOS_MUST_USE enum xos_status xos_toolbox_make(
    const struct xos_jobs_config *c, char out[PATH_MAX], struct xos_err *err);

#endif
