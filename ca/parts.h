#ifndef XOS_CA_PARTS_H
#define XOS_CA_PARTS_H

#include "service/authority.h"

/* The three processes of xos-cad and their sandboxes, as service/authority.h runs them. */
XOS_MUST_USE enum xos_status ca_parts_run(const struct xos_service_run *run, struct xos_err *err);

#endif
