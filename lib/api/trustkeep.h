#ifndef XOS_API_TRUSTKEEP_H
#define XOS_API_TRUSTKEEP_H

#include "base/status.h"
#include "token/trust.h"

/*
 * A trust list that came over the network, kept in a file that is followed (xos_trust_follow), so that a restart
 * starts with it.
 */

/* Takes it (xos_trust_take_list) and, if it is news, writes it to path. That it cannot be written is an event: it
 * counts all the same, until the process ends. */
XOS_MUST_USE enum xos_status xos_trust_keep_take(const struct xos_trust *trust,
    struct xos_bytes compact, const char *path, bool *news, struct xos_err *err);
/* Writes the list in force for vo to path unless it stands there. A file that may be written in a folder that may not
 * is written in place. */
XOS_MUST_USE enum xos_status xos_trust_keep_store(
    const struct xos_trust *trust, const char *vo, const char *path, struct xos_err *err);

#endif
