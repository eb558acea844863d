#ifndef XOS_JOBS_CONFIG_H
#define XOS_JOBS_CONFIG_H

#include <stdint.h>

#include "base/status.h"

/* jobd.conf. docs/protocols/jobs.md lists the keys for people; the table in config.c is the law. */
struct xos_jobs_config {
	/* what every daemon has */
	char *vo, *listen, *state, *trust, *tls_certificate, *tls_key;
	char *user_network; /* as root only: the user of the processes that face the network */
	/* this node */
	char *node, *site, *credd_socket;
	char *accounting; /* URL of xos-acctd; NULL: records wait in the spool */
	char *member;     /* without root only: the one member whose jobs this daemon runs */
	/* how jobs run */
	char *path; /* PATH of jobs; NULL: see xos_jobs_config_load */
	char *monitor;
	int64_t wall_default, wall_max; /* seconds */
	int64_t kill_grace;             /* seconds from SIGTERM to SIGKILL */
	int64_t waiting_max;            /* seconds that a job waits for its credential */
	int64_t keep;                   /* seconds that a finished job and its output stay */
	int64_t output_max;             /* bytes of each of stdout and stderr */
	int64_t tmp_size;               /* bytes of a job's private /tmp */
	int64_t jobs_max, jobs_member_max;
};

/*
 * Reads and checks path. `path` falls back to the folder of this program and the usual ones,
 * `monitor` to xos-job-monitor beside this program. Free with xos_jobs_config_free, which also
 * takes a zeroed struct.
 */
XOS_MUST_USE enum xos_status xos_jobs_config_load(
    const char *path, struct xos_jobs_config *out, struct xos_err *err);
void xos_jobs_config_free(struct xos_jobs_config *c);

#endif
