#ifndef XOS_CREDD_CONFINE_H
#define XOS_CREDD_CONFINE_H

#include "base/status.h"
#include "credd/config.h"

/* Becomes the configured user and closes the sandbox: the one place that says what xos-credd may
 * still do. Before threads start. */
XOS_MUST_USE enum xos_status xos_credd_confine(
    const struct xos_credd_self *self, struct xos_err *err);

#endif
