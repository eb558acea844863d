#ifndef XOS_VOPS_KEEPER_H
#define XOS_VOPS_KEEPER_H

#include "service/relay.h"
#include "vops/view.h"

/*
 * The thread of the network process that asks auth whether there is something new to decide by, and exchanges the
 * view when there is. What cannot be read leaves the last good view in force; health says so.
 */
struct vops_keeper;
/* All borrowed. */
XOS_MUST_USE enum xos_status vops_keeper_new(
    struct xos_relay *relay, const char *vo, struct vops_keeper **out, struct xos_err *err);
XOS_MUST_USE enum xos_status vops_keeper_start(struct vops_keeper *k, struct xos_err *err);
void vops_keeper_poke(struct vops_keeper *k); /* ask now; any thread; NULL-safe */
void vops_keeper_stop(struct vops_keeper *k); /* ends the thread; NULL-safe */
void vops_keeper_free(struct vops_keeper *k); /* stops it, too; NULL-safe */
/* One more owner's; NULL: there is none yet. Any thread. */
struct vops_view *vops_keeper_view(struct vops_keeper *k);
/* For xos_health_check. */
enum xos_status vops_keeper_health(void *keeper, struct xos_err *err);

#endif
