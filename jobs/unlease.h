#ifndef XOS_JOBS_UNLEASE_H
#define XOS_JOBS_UNLEASE_H

#include "jobs/starter.h"

/* Uids of jobs that are over: cleaned, and given back to xos-credd once nothing is left; else xos-credd is told what
 * is. Called every tick; works now and then, and soon after a job was settled. As root only. */
void xos_starter_unlease(struct xos_starter *s);
/*
 * What the permitted job runs as, put into p as well: its account, or a uid that it has to itself, of which nothing may
 * be left from before. Makes the home. Without root: nothing.
 */
XOS_MUST_USE enum xos_status xos_starter_account(struct xos_starter *s, const char *id,
    struct xos_permission *p, struct xos_lease *out, struct xos_err *err);

#endif
