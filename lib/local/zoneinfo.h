#ifndef XOS_LOCAL_ZONEINFO_H
#define XOS_LOCAL_ZONEINFO_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * The system's time zones, for programs that hand their data to the policy engine, which reads no
 * files itself (policy/decide.h, struct xos_policy_zone_data).
 */
#define XOS_ZONEINFO_DIR "/usr/share/zoneinfo"
#define XOS_ZONEINFO_MAX (64u * 1024u) /* bytes of one zone */
#define XOS_ZONEINFO_NAME_MAX 63u

/*
 * Reads the TZif data of a zone such as "Europe/Paris" from dir (NULL: XOS_ZONEINFO_DIR). The name
 * is letters, digits and "_+-" in components between single '/', each beginning with a letter:
 * without a '.', nothing leads out of the folder. Initialises *out, which the caller frees; empty on
 * error. OK, MALFORMED (a name that is none), NOT_FOUND, or what reading gave.
 */
XOS_MUST_USE enum xos_status xos_zoneinfo_read(
    const char *dir, const char *name, struct xos_buf *out, struct xos_err *err);
bool xos_zoneinfo_name_ok(const char *name);

#endif
