#ifndef XOS_SERVER_SHARED_H
#define XOS_SERVER_SHARED_H

#include <stdbool.h>

#include "server/init.h"
#include "server/layout.h"

/*
 * A VO whose members the xos-cad of another folder serves, at that one's address (`xos-server init --with DIR`): its
 * own rcad, vopsd and acctd, its own state of xos-cad, and a link to its configuration in the other's cad/vos.
 */

/* Before anything is made: can that server take one more, and do their users differ? */
XOS_MUST_USE enum xos_status xos_server_shared_check(
    const struct xos_server_init *o, struct xos_err *err);
/* Puts the link there if it is missing, and starts the other xos-cad anew if it was, or if changed, and it runs. */
XOS_MUST_USE enum xos_status xos_server_shared_join(
    const struct xos_server *s, bool changed, struct xos_err *err);
/* Takes the link away and starts the other xos-cad anew if it runs. OK if there is none. */
XOS_MUST_USE enum xos_status xos_server_shared_leave(
    const struct xos_server *s, struct xos_err *err);

#endif
