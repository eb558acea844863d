#ifndef XOS_VOPS_SETS_H
#define XOS_VOPS_SETS_H

#include <stdint.h>

#include "json/json.h"
#include "pki/key.h"
#include "store/store.h"
#include "vops/messages.h"

/*
 * sets.db: sites with their keys and signed sets, and the last good roster and lock lists; more of it in versions.h,
 * scoped.h and proposals.h. Belongs to the auth process, which has verified all that it puts in. Functions that
 * change something expect the caller's transaction.
 */
#define VOPS_SITES_MAX 1000

XOS_MUST_USE enum xos_status vops_sets_open(
    const char *path, struct xos_store **out, struct xos_err *err);

/* --- sites --- */

/* CONFLICT "site-taken" if it has another key. The same key again is OK. */
XOS_MUST_USE enum xos_status vops_site_add(struct xos_store *db, const char *site,
    const struct xos_key *key, const char *by, int64_t now, struct xos_err *err);
/* With its set. NOT_FOUND "no-site". */
XOS_MUST_USE enum xos_status vops_site_remove(
    struct xos_store *db, const char *site, struct xos_err *err);
/* NOT_FOUND "no-site" says how to register one. */
XOS_MUST_USE enum xos_status vops_site_key(
    struct xos_store *db, const char *site, struct xos_key **out, struct xos_err *err);
/* {"sites": [{"site", "key": fingerprint, "serial", "expires"}]}. */
XOS_MUST_USE enum xos_status vops_site_list(
    struct xos_store *db, struct xos_json **out, struct xos_err *err);
/* Every registered site, by name. What fn returns ends it unless it is OK. */
XOS_MUST_USE enum xos_status vops_sites_each(struct xos_store *db,
    enum xos_status (*fn)(void *ctx, const char *site, struct xos_err *err), void *ctx,
    struct xos_err *err);
/* CONFLICT "lower-serial" unless higher than the last; the very same set again is OK. */
XOS_MUST_USE enum xos_status vops_site_set_put(struct xos_store *db, const char *site,
    uint64_t serial, int64_t expires, struct xos_bytes compact, int64_t now, struct xos_err *err);
/* Appends the compact form; empty if the site has none. */
XOS_MUST_USE enum xos_status vops_site_set_get(
    struct xos_store *db, const char *site, struct xos_buf *out, struct xos_err *err);

/* --- what was fetched --- */

/* With its serial. OK also if there was none. */
XOS_MUST_USE enum xos_status vops_object_forget(
    struct xos_store *db, enum vops_object o, struct xos_err *err);
/* *changed false: it is what is there. CONFLICT "lower-serial". */
XOS_MUST_USE enum xos_status vops_object_put(struct xos_store *db, enum vops_object o,
    uint64_t serial, struct xos_bytes compact, int64_t now, bool *changed, struct xos_err *err);
/* UNAVAILABLE "no-object": never fetched yet; the text says which and why that matters. */
XOS_MUST_USE enum xos_status vops_object_get(
    struct xos_store *db, enum vops_object o, struct xos_buf *out, struct xos_err *err);

#endif
