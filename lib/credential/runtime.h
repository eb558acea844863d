#ifndef XOS_CREDENTIAL_RUNTIME_H
#define XOS_CREDENTIAL_RUNTIME_H

#include <limits.h>

#include "base/secret.h"
#include "base/status.h"

/* Where a credential's file goes: "xos-ID.pem" in $XDG_RUNTIME_DIR, else in /run/user/UID; a folder of this user alone,
 * on a tmpfs. UNAVAILABLE "runtime-dir". */
XOS_MUST_USE enum xos_status xos_runtime_path(
    const char *id, char out[PATH_MAX], struct xos_err *err);

#endif
