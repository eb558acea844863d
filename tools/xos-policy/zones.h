#ifndef XOS_POLICYTOOL_ZONES_H
#define XOS_POLICYTOOL_ZONES_H

#include "policytool/sets.h"

/* The time zones that sets need, read from the system's zoneinfo ($TZDIR or /usr/share/zoneinfo). A
 * zone that the system does not have is left out: tests in it are unknown. */
struct xos_policytool_zones;

XOS_MUST_USE enum xos_status xos_policytool_zones_load(
    const struct xos_policytool_sets *sets, struct xos_policytool_zones **out, struct xos_err *err);
void xos_policytool_zones_free(struct xos_policytool_zones *z); /* NULL-safe */
const struct xos_policy_options *xos_policytool_zones_options(const struct xos_policytool_zones *z);

/* Seconds east of UTC in the zone of that name at a moment. False: there is no data of it. */
bool xos_policytool_zone_offset(
    const struct xos_policy_options *zones, const char *name, int64_t now, int64_t *offset);

#endif
