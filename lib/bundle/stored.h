#ifndef XOS_BUNDLE_STORED_H
#define XOS_BUNDLE_STORED_H

#include "bundle/bundle.h"

/*
 * The last good bundle on disk: DIR/bundle, an archive, and DIR/bundle.seen with the
 * highest serials. Nothing in them is trusted when read back: the bundle is verified again, and
 * "seen" can only be raised by it.
 */

/* Reads DIR/bundle.seen. Missing: OK and all zero. MALFORMED: damaged (the text says what to do). */
XOS_MUST_USE enum xos_status xos_bundle_seen_load(
    const char *dir, struct xos_bundle_seen *seen, struct xos_err *err);
/* Reads and verifies; want->seen is as loaded before. NOT_FOUND: there is none. */
XOS_MUST_USE enum xos_status xos_bundle_load(const char *dir, const struct xos_bundle_want *want,
    struct xos_bundle **out, struct xos_err *err);
/* Durable, in an order that survives a crash at any point: bundle first, then seen. archive is what
 * xos_bundle_verify kept. seen is raised by b before it is written. */
XOS_MUST_USE enum xos_status xos_bundle_store(const char *dir, struct xos_bytes archive,
    const struct xos_bundle *b, struct xos_bundle_seen *seen, struct xos_err *err);

#endif
