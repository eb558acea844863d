#ifndef XOS_CREDD_SOURCE_H
#define XOS_CREDD_SOURCE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "credd/config.h"
#include "credd/view.h"
#include "credd/witness.h"

/*
 * Where views come from: the trust folder, the pinned site key, the last good bundle on disk and what
 * is fetched. Keeps the highest serials and the newest signed time. One thread at a time.
 */
struct xos_credd_source;

/* Reads trust folder, site key and DIR/bundle.seen. self outlives the source. */
XOS_MUST_USE enum xos_status xos_credd_source_new(
    const struct xos_credd_self *self, struct xos_credd_source **out, struct xos_err *err);
void xos_credd_source_free(struct xos_credd_source *s);
/* Roots and issuers as they stand in the trust folder; borrowed. */
const struct xos_trust *xos_credd_source_trust(const struct xos_credd_source *s);
/* Its files of trust lists are looked at by xos_trust_look alone, which whoever says so calls every second. */
void xos_credd_source_pace(struct xos_credd_source *s);
/* Sees the heads of every bundle that is taken; borrowed. */
struct xos_credd_witness *xos_credd_source_witness(struct xos_credd_source *s);

/*
 * The view by the stored bundle. Without one, or with one that no longer verifies (an event says
 * why), a view without a bundle: xos-credd starts, decides nothing and says so. A stored bundle that
 * has ended since is kept in the view, which then says that it is old.
 */
XOS_MUST_USE enum xos_status xos_credd_source_stored(
    struct xos_credd_source *s, struct xos_credd_view **out, struct xos_err *err);
/*
 * Takes a bundle that came, or what is new of one against that in force: verifies, makes the view, stores. Refusals are those of
 * xos_bundle_verify; nothing changes then. NOT_FOUND "bundle-part": ask for all of it. A bundle that cannot be stored is used all the same, with
 * an event: a full disk must not stop a lock from reaching this node.
 */
XOS_MUST_USE enum xos_status xos_credd_source_take(struct xos_credd_source *s,
    struct xos_bytes came, struct xos_credd_view **out, struct xos_err *err);

/* Keeps the trust list in force, if it is another than before, for the next start and for the other daemons of the
 * node. */
void xos_credd_source_lists(struct xos_credd_source *s);

#endif
