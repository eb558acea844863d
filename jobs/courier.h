#ifndef XOS_JOBS_COURIER_H
#define XOS_JOBS_COURIER_H

#include "jobs/config.h"

/*
 * The process that sends accounting records from the spool to xos-acctd, again and again until each is
 * acknowledged. Nobody waits for it.
 */
struct xos_courier;

/* Reads keys with the rights of the start. */
XOS_MUST_USE enum xos_status xos_courier_open(
    const struct xos_jobs_config *c, struct xos_courier **out, struct xos_err *err);
/* Until signal_fd says to end. */
XOS_MUST_USE enum xos_status xos_courier_serve(
    struct xos_courier *k, int signal_fd, struct xos_err *err);
void xos_courier_free(struct xos_courier *k);

#endif
