#ifndef XOS_DECIDE_ZONES_H
#define XOS_DECIDE_ZONES_H

#include "policy/decide.h"

/*
 * A policy from sets, with the time zones that they name read from this machine. A zone that is not here, or whose
 * data is none, makes its tests unknown; an event says why. As xos_policy_new otherwise.
 */
XOS_MUST_USE enum xos_status xos_zones_policy(
    const struct xos_policy_part *parts, size_t n, struct xos_policy **out, struct xos_err *err);

#endif
