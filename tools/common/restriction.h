#ifndef XOS_CLI_RESTRICTION_H
#define XOS_CLI_RESTRICTION_H

#include "base/bytes.h"
#include "base/status.h"

/*
 * What --restrict names, encoded for a certificate (policy/restriction.h), appended: a file, "-" for standard input, or
 * NULL for what may be done in `member`'s name when nobody says: work on files and look at jobs. That
 * submits nothing, opens no session, gets no token and lets nobody else act.
 */
XOS_MUST_USE enum xos_status xos_cli_restriction(
    const char *file, const char *member, struct xos_buf *out, struct xos_err *err);

#endif
