#ifndef XOS_JOBS_PLACE_H
#define XOS_JOBS_PLACE_H

#include <stddef.h>

#include "jobs/launch.h"

#define XOS_CRED_FILE "cred.pem"

/*
 * The surroundings of one job. As root, called by process 1 of the job's new process and mount
 * namespaces: own /proc, own empty /tmp, /var/tmp and /dev/shm of limited size (folders that the
 * job needs and that lie below stay visible), and a small tmpfs of the job's account over l->cred
 * with the credential in it. Nothing of it is seen outside, all of it goes with the last process.
 * A job with a uid of its own (l->alone) can write nowhere else. `isolation` gets what holds, for the record.
 */
XOS_MUST_USE enum xos_status xos_place_enter(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err);
/* Without root: makes folder l->cred (0700, must not exist) and the credential in it. */
XOS_MUST_USE enum xos_status xos_place_plain(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err);
/* Adds to `isolation` what holds however the job is placed: "calls" if it is under system call rules,
 * "network" if it has no other than its own, "networks" if some are closed to it. */
XOS_MUST_USE enum xos_status xos_place_note(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err);
void xos_place_plain_remove(const struct xos_launch *l);

#endif
