#ifndef XOS_VOPS_BUNDLES_H
#define XOS_VOPS_BUNDLES_H

#include "service/lockout.h"
#include "service/relay.h"

/*
 * The routes by which bundles reach nodes, and by which it is known that they did:
 *
 *   GET /v1/vo/{vo}/bundle?site=NAME[&wait=S][&in_force=SERIAL&until=TIME]
 *   GET /v1/vo/{vo}/enforcement[?lock=ID|gone=ID|vo_set=SERIAL]
 *
 * A node that has the current bundle waits, without a thread, until there is a new one or its time is over. One thread asks auth
 * once a second, and at once after everything that may have changed something.
 */
#define VOPS_WAIT_MAX 60 /* seconds */
#define VOPS_WAITERS_MAX 100000

struct vops_bundles;

/* All borrowed; they outlive it. life: of a bundle, seconds. Adds its routes to the relay's front. */
XOS_MUST_USE enum xos_status vops_bundles_new(struct xos_relay *relay, struct xos_lockout *lockout,
    int64_t life, struct vops_bundles **out, struct xos_err *err);
XOS_MUST_USE enum xos_status vops_bundles_start(struct vops_bundles *b, struct xos_err *err);
/* Something may have changed. Any thread. */
void vops_bundles_poke(struct vops_bundles *b);
/* Answers who waits, so that the front can end. Any thread, the loop's too. */
void vops_bundles_stop(struct vops_bundles *b);
void vops_bundles_free(struct vops_bundles *b); /* NULL-safe */

#endif
