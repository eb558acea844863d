#ifndef XOS_JOBS_COPY_H
#define XOS_JOBS_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/secret.h"
#include "base/status.h"

/*
 * Exchanges the credential that a running job reads (X509_USER_PROXY) for a renewed one: a new file beside it, then rename(2), so
 * that a reader finds the old one or the new one whole.
 *
 * With isolate the file lies on the job's own tmpfs, which only the job's mount namespace shows, and the folder is the
 * job's: it may have put links, pipes or whatever there. So a child does it that sees the file system as the job does
 * (chroot to /proc/PID/root) and with no right but the job's account: no capability, and the account as the one by
 * which files are judged. Its real user stays root, so that no process of that account can stop or trace it. It is given
 * five seconds.
 */
struct xos_copy {
	const char *run;  /* the job's run folder: who holds its lock is the monitor */
	const char *cred; /* the folder, as the job sees it */
	bool isolate;
	uid_t uid;
	gid_t gid;
};

/* UNAVAILABLE with code "job-copy"; NOT_FOUND: the job is not running (any more, or yet). */
XOS_MUST_USE enum xos_status xos_copy_exchange(
    const struct xos_copy *c, struct xos_secret *credential, struct xos_err *err);

#endif
