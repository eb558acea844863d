#ifndef XOS_TOOLS_JOB_VERBS_H
#define XOS_TOOLS_JOB_VERBS_H

#include "cli/cli.h"

extern const char *job_node_option; /* --node, of every verb */

extern const struct xos_cli_option job_submit_options[];
enum xos_status job_submit(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

extern const struct xos_cli_option job_where_options[];
enum xos_status job_where(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

extern const struct xos_cli_option job_extend_options[];
enum xos_status job_extend(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

#endif
