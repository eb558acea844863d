#ifndef XOS_CREDD_NODE_H
#define XOS_CREDD_NODE_H

#include "base/status.h"
#include "credd/config.h"

/*
 * The daemon process itself, started by the supervisor with the listening socket: becomes its own
 * user, closes its sandbox, then reads its state and serves until told to stop.
 */
XOS_MUST_USE enum xos_status xos_credd_node_run(
    const struct xos_credd_conf *conf, struct xos_err *err);

#endif
