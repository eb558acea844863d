#ifndef XOS_VOPS_ROUTES_H
#define XOS_VOPS_ROUTES_H

#include "service/relay.h"

/* The routes of the network process for sets of nodes. relay is borrowed. */
XOS_MUST_USE enum xos_status vops_routes_sets(struct xos_relay *relay, struct xos_err *err);

#endif
