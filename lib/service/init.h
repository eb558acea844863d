#ifndef XOS_SERVICE_INIT_H
#define XOS_SERVICE_INIT_H

#include "base/status.h"

/*
 * DIR/NAME.key (0600) and DIR/NAME.csr (PEM), for init verbs. What exists stays: running init again
 * finishes what was interrupted and changes nothing.
 */
XOS_MUST_USE enum xos_status xos_service_init_key(
    const char *dir, const char *name, struct xos_err *err);

#endif
