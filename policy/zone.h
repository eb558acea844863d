#ifndef XOS_POLICY_ZONE_H
#define XOS_POLICY_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * Time zones: the offset of local time from UTC at a moment, from TZif data (RFC 9636, versions 1 to
 * 4) that somebody else has read. The parser is strict and bounded: counts are limited, every index is
 * checked, transitions rise, the footer is a POSIX TZ string in full, nothing follows it. Leap seconds
 * do not move policies: data that counts them ("right/") is refused.
 */
#define XOS_POLICY_TZIF_MAX (64u * 1024u)
#define XOS_POLICY_ZONE_NAME_MAX 63u

struct xos_policy_zone;

/* Letters, digits and "_+-" in components between single '/', each beginning with a letter; no '.',
 * so that a name is never a way out of a folder. */
bool xos_policy_zone_name_ok(const char *name);

/* OK, MALFORMED (with what is wrong), INTERNAL. The bytes may go afterwards. */
XOS_MUST_USE enum xos_status xos_policy_zone_parse(
    struct xos_bytes tzif, struct xos_policy_zone **out, struct xos_err *err);
void xos_policy_zone_free(struct xos_policy_zone *zone); /* NULL-safe */

/* Seconds east of UTC at the moment t (seconds since 1970). Any t has an answer; it takes the
 * logarithm of the number of transitions. */
int32_t xos_policy_zone_offset(const struct xos_policy_zone *zone, int64_t t);

#endif
