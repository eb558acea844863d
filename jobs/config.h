#ifndef XOS_JOBS_CONFIG_H
#define XOS_JOBS_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "service/main.h"

/* jobd.conf. docs/protocols/jobs.md lists the keys for people; the table in config.c is the law. */
struct xos_jobs_config {
	struct xos_service_conf common;
	/* this node */
	char *node, *site, *credd_socket;
	char *credd_user; /* as root: whom xos-credd runs as; NULL: root or our own user */
	char *accounting; /* URL of xos-acctd; NULL: records wait in the spool */
	char *rca;        /* URL of xos-rcad, which renews the TLS certificate; NULL: nobody does */
	char *member;     /* without root only: the one member whose jobs this daemon runs */
	char *vos;        /* folder with a folder for each further VO of this node; NULL: none */
	/* how jobs run */
	char *seccomp;                  /* "default", or "none": jobs without system call rules */
	char *path, *monitor;           /* NULL: see xos_jobs_path, xos_jobs_monitor */
	int64_t wall_default, wall_max; /* seconds */
	int64_t kill_grace;             /* seconds from SIGTERM to SIGKILL */
	int64_t waiting_max;            /* seconds that a job waits for its credential */
	int64_t keep;                   /* seconds that a finished job and its output stay */
	int64_t output_max;             /* bytes of each of stdout and stderr */
	int64_t tmp_size;               /* bytes of a job's private /tmp */
	int64_t jobs_max, jobs_member_max;
	char *on_lock;      /* what a lock does to a job that runs: "freeze" or "stop" */
	int64_t freeze_max; /* seconds that a job stays frozen before it is ended */
};

extern const struct xos_config_key xos_jobs_keys[];
extern const size_t xos_jobs_nkeys;

/* For struct xos_service_program: what the grammar cannot say. */
void xos_jobs_config_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx);

/* PATH of jobs, and the monitor's program: as configured, else by the folder of this program. */
XOS_MUST_USE enum xos_status xos_jobs_path(
    const struct xos_jobs_config *c, char *out, size_t cap, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_jobs_monitor(
    const struct xos_jobs_config *c, char *out, size_t cap, struct xos_err *err);

#endif
