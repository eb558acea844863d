#ifndef XOS_VOPS_AUTHZEN_H
#define XOS_VOPS_AUTHZEN_H

#include "service/relay.h"
#include "vops/conf.h"
#include "vops/keeper.h"

/*
 * The routes of the OpenID AuthZEN Authorization API 1.0, on the worker threads of the network process. A decision of
 * this service signs nothing and changes nothing; whoever asked enforces it. A sample of them is recorded (decide/record.h).
 */
struct vops_authzen;
/* Registers the routes, the health check and the metrics; all borrowed. In `open`. */
XOS_MUST_USE enum xos_status vops_authzen_open(struct xos_relay *relay,
    const struct vops_conf *conf, struct vops_authzen **out, struct xos_err *err);
/* Starts the thread that keeps the view. */
XOS_MUST_USE enum xos_status vops_authzen_start(struct vops_authzen *a, struct xos_err *err);
/* Something may have changed at auth; any thread; NULL-safe. */
void vops_authzen_poke(struct vops_authzen *a);
void vops_authzen_stop(
    struct vops_authzen *a); /* before the relay is closed: no thread asks auth afterwards */
void vops_authzen_free(struct vops_authzen *a); /* after it; NULL-safe */

#endif
