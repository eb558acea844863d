#ifndef XOS_TOOLS_JOB_STANDING_H
#define XOS_TOOLS_JOB_STANDING_H

#include "api/jobs.h"

/* What sets and locks of now are about to do to a job that runs. */

/* One word for a table: "frozen", "stopping", "draining", else the state's own name. */
const char *job_standing_state(const struct xos_job_info *i);
/* Lines of `xos-job show`; none where nothing is against it. */
void job_standing_show(const struct xos_job_info *i);

#endif
