#ifndef XOS_JOBS_HOME_H
#define XOS_JOBS_HOME_H

#include <sys/types.h>

#include "base/status.h"

/*
 * A member's home, made at the first job: a folder of the account's own, mode 0700, with nothing in it. As root.
 * Every folder above it must be one of root's that nobody else can write, and no link, so that nobody can put
 * anything in its way. What is there already is taken if it is a folder of this account, and left alone otherwise
 * (DENIED, code "home"): nothing ever changes its owner.
 */
XOS_MUST_USE enum xos_status xos_home_make(
    const char *path, uid_t uid, gid_t gid, struct xos_err *err);

#endif
