#ifndef XOS_JOBS_ABILITIES_H
#define XOS_JOBS_ABILITIES_H

#include "base/status.h"
#include "local/client.h"

/* Tells xos-credd what this service says of its requests and what it can enforce (docs/protocols/credd.md, operation
 * abilities). can: of control groups, as limits.h has it. */
XOS_MUST_USE enum xos_status xos_abilities_tell(
    struct xos_local *credd, unsigned can, struct xos_err *err);

#endif
