#ifndef XOS_CREDD_ABILITIES_H
#define XOS_CREDD_ABILITIES_H

#include "credd/config.h"
#include "json/json.h"

/*
 * What the services of this node can carry out, as they said it themselves: kept in STATE/abilities.json, so that it survives a
 * restart of this daemon, and told to the VO's policy service. Any thread; the file is replaced as a whole.
 */

/* One service's word (api/abilities.h) takes the place of what it said before. */
XOS_MUST_USE enum xos_status xos_credd_abilities_take(
    const struct xos_credd_conf *conf, struct xos_bytes service, struct xos_err *err);
/* The document for the policy service, appended. */
XOS_MUST_USE enum xos_status xos_credd_abilities_document(
    const struct xos_credd_conf *conf, struct xos_buf *out, struct xos_err *err);

#endif
