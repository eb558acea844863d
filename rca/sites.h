#ifndef XOS_RCA_SITES_H
#define XOS_RCA_SITES_H

#include <stdint.h>

#include "bundle/admission.h"
#include "json/json.h"
#include "store/store.h"

/*
 * Sites in nodes.db: their keys, as VO administrators registered them, and the terms on which their owners let
 * nodes in. A site that was removed keeps its last terms: they count again if it comes back with the same key, and
 * meanwhile nobody approves its nodes, so that removing it is no way around an owner's no. Functions that change
 * something expect the caller's transaction.
 */
#define RCA_SITES_MAX 10000

/* The same key again is OK. CONFLICT "site-taken": another key is registered; LIMIT "sites-full". */
XOS_MUST_USE enum xos_status rca_site_add(struct xos_store *db, const char *site,
    const struct xos_key *key, const char *by, int64_t now, struct xos_err *err);
/* NOT_FOUND "no-site". */
XOS_MUST_USE enum xos_status rca_site_remove(
    struct xos_store *db, const char *site, int64_t now, struct xos_err *err);
/* NOT_FOUND "no-site". */
XOS_MUST_USE enum xos_status rca_site_key(
    struct xos_store *db, const char *site, struct xos_key **out, struct xos_err *err);
/* {"sites": [{"site", "key", "by", "since", "terms"?: {"serial", "expires", "approvers", "rescue"}}]} */
XOS_MUST_USE enum xos_status rca_site_list(
    struct xos_store *db, struct xos_json **out, struct xos_err *err);

/* Keeps verified terms of a registered site. The same ones again are OK. CONFLICT "lower-serial". */
XOS_MUST_USE enum xos_status rca_site_terms_put(struct xos_store *db,
    const struct xos_admission *terms, struct xos_bytes compact, int64_t now, struct xos_err *err);

enum rca_terms {
	RCA_TERMS_NONE,    /* the owner never published any: VO administrators approve */
	RCA_TERMS_FORCE,   /* in force: only their approvers do */
	RCA_TERMS_EXPIRED, /* over: nobody does until the owner renews them */
	RCA_TERMS_REMOVED  /* there are some, but the site is no longer registered: nobody does */
};
/* out (may be NULL): serial, expires, approvers and rescue of the terms, whatever their state; else zero. */
XOS_MUST_USE enum xos_status rca_site_terms(struct xos_store *db, const char *site, int64_t now,
    enum rca_terms *state, struct xos_admission *out, struct xos_err *err);

/* Do the terms of any registered site name this member as an approver, be they over or not? */
XOS_MUST_USE enum xos_status rca_site_named(
    struct xos_store *db, const char *member, bool *named, struct xos_err *err);

/* For how many seconds after its end a node of this site may renew its certificate with the old key: 0 unless the
 * owner's terms are in force and say so. */
XOS_MUST_USE enum xos_status rca_site_rescue(
    struct xos_store *db, const char *site, int64_t now, int64_t *seconds, struct xos_err *err);

#endif
