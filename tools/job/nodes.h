#ifndef XOS_TOOLS_JOB_NODES_H
#define XOS_TOOLS_JOB_NODES_H

#include "api/jobs.h"
#include "cli/cli.h"
#include "cli/vo.h"

/*
 * The job services of a VO, as xos-rcad lists them; inside a job, where the list is not known, the node
 * that the job runs on.
 */
struct job_nodes {
	struct xos_cli_vo *vo;
	struct job_node {
		char name[XOS_NODE_MAX + 1];
		char url[256];
	} * node;
	size_t n;
};

/* only: --node, NULL for all. NOT_FOUND: no such node, or none at all. */
enum xos_status job_nodes_load(
    const struct xos_cli *cli, const char *only, struct job_nodes *out, struct xos_err *err);
void job_nodes_free(struct job_nodes *n);

/* A client for the job service of a node, with the current token. */
enum xos_status job_client(const struct job_nodes *n, const struct job_node *node,
    struct xos_cli_client **out, struct xos_err *err);
/* After an answer: was it really that node's job service? Anything that is signed for a node comes
 * after this. */
enum xos_status job_client_is(
    struct xos_cli_client *c, const struct job_node *node, struct xos_err *err);

/* The node that has this job, found by asking each. */
enum xos_status job_find(const struct job_nodes *n, const char *id, struct xos_cli_client **out,
    struct xos_job_info *info, struct xos_err *err);

/* What a job's end means for whoever waited: its own status, 128 and the signal, or an error if it
 * never ran or nobody knows. */
enum xos_status job_exit(const struct xos_job_info *i, int *exit_status, struct xos_err *err);
/*
 * "until Nov 29 14:00 (for 11h31m)", "none" yet, "removed" with the job; "renews until Nov 29 14:00"; "renewal failing since
 * Nov 29 12:10 (authority not reached), token ends Nov 29 18:30"; "not renewed any more since Nov 29 12:10: ends Nov 29 18:30".
 */
void job_credential_text(const struct xos_job_info *i, char *out, size_t cap);
/* "Nov 29 14:00", by the clock of who reads it. */
void job_time_text(int64_t t, char *out, size_t cap);
void job_state_text(const struct xos_job_info *i, char *out, size_t cap);

#endif
