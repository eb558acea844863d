#ifndef XOS_POLICYTOOL_ZONES_H
#define XOS_POLICYTOOL_ZONES_H

#include "policy/decide.h"

/* Seconds east of UTC in the zone of that name at a moment. False: there is no data of it. */
bool xos_policytool_zone_offset(
    const struct xos_policy_options *zones, const char *name, int64_t now, int64_t *offset);

#endif
