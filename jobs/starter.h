#ifndef XOS_JOBS_STARTER_H
#define XOS_JOBS_STARTER_H

#include "jobs/ask.h"
#include "jobs/config.h"
#include "jobs/running.h"
#include "jobs/stage.h"
#include "proc/cgroup.h"
#include "proc/channel.h"

/*
 * The process that starts jobs: root when the daemon was started as root. See jobs/README.md for what
 * it believes of whom.
 */
struct xos_starter;

/* Opens folders and finds the jobs that are not settled yet. c is borrowed. */
XOS_MUST_USE enum xos_status xos_starter_new(
    const struct xos_jobs_config *c, struct xos_starter **out, struct xos_err *err);
void xos_starter_free(struct xos_starter *s);
/* Serves orders from the front's channel until signal_fd says to end. */
XOS_MUST_USE enum xos_status xos_starter_serve(
    struct xos_starter *s, struct xos_channel *front, int signal_fd, struct xos_err *err);

/* Inside: shared by starter.c and settle.c. */
#define XOS_STARTER_JOBS_MAX 16384

struct xos_starter_job {
	char id[XOS_JOB_ID_TEXT];
	int64_t again_ms; /* monotonic: settling failed, not before this */
	struct xos_running_job running;
};

struct xos_starter {
	const struct xos_jobs_config *c;
	struct xos_stage stage;
	struct xos_local *credd;
	struct xos_ask ask;
	struct xos_cgroups groups; /* what jobs can be limited by as a whole */
	char path[PATH_MAX], monitor[PATH_MAX], tools[PATH_MAX];
	struct xos_starter_job *jobs; /* started or made, and not settled */
	size_t njobs;
	int64_t tell_ms; /* when xos-credd is told next what this service can do */
	int64_t clean_ms;
	struct xos_running running;
};

/* Watches this job from now on. */
XOS_MUST_USE enum xos_status xos_starter_watch(
    struct xos_starter *s, const char *id, struct xos_err *err);
/* What is over: status, credential, record; and what was kept long enough. Called every tick. */
void xos_starter_settle(void *ctx);
/* Folder for cred.pem of a job. */
XOS_MUST_USE enum xos_status xos_starter_cred(
    const struct xos_starter *s, const char *id, char out[PATH_MAX], struct xos_err *err);

#endif
