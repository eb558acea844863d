#ifndef XOS_SERVER_TRUST_H
#define XOS_SERVER_TRUST_H

#include "base/status.h"
#include "json/json.h"
#include "server/layout.h"

/*
 * What `xos-server status` tells of the keys below the root: from the trust list in trust/, or, where the servers were
 * set up before there was one, from the certificates in use.
 */

/* Warnings (an end within 30 days) for a person; nothing to tell prints nothing. */
XOS_MUST_USE enum xos_status xos_server_trust_print(
    const struct xos_server *s, struct xos_err *err);
/* {"serial"?, "expires"?, "certificates": [{"kind", "state"?, "since"?, "expires", "serial"}], "warnings": [...]} */
XOS_MUST_USE enum xos_status xos_server_trust_json(
    const struct xos_server *s, struct xos_json **out, struct xos_err *err);

#endif
