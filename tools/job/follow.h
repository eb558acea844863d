#ifndef XOS_TOOLS_JOB_FOLLOW_H
#define XOS_TOOLS_JOB_FOLLOW_H

#include "job/nodes.h"

/* Copies a job's output to a descriptor of ours: from offset 0; follow: until the job has ended, through
 * restarts of its service, else what there is. */
enum xos_status job_copy(struct xos_cli_client *c, const char *vo, const char *id,
    const char *stream, int fd, bool follow, struct xos_err *err);
/* Both streams at once, to standard output and standard error, until the job has ended. */
enum xos_status job_follow(const struct job_nodes *n, const struct job_node *node,
    struct xos_cli_client *c, const char *id, struct xos_err *err);
/* Until it has ended. */
enum xos_status job_wait(struct xos_cli_client *c, const char *vo, const char *id,
    struct xos_job_info *info, struct xos_err *err);

#endif
