#ifndef XOS_CREDD_VIEW_H
#define XOS_CREDD_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "bundle/bundle.h"
#include "credd/accounts.h"
#include "credd/config.h"
#include "policy/decide.h"
#include "token/trust.h"

/* How it stands with the map of accounts (publish.h). */
struct xos_credd_map {
	int64_t built; /* 0: there is none */
	uint32_t members;
	char error[XOS_ERR_TEXT_MAX]; /* why it could not be written; "" */
};

/*
 * What the node decides by at one moment: a verified bundle and everything made from it. Immutable
 * once made. The thread that fetches makes one; the thread that decides exchanges its pointer between
 * two requests, so a decision never sees half of a change.
 */
struct xos_credd_view {
	struct xos_bundle *bundle; /* NULL: none yet; everything is then undecided */
	struct xos_policy *policy; /* never NULL; without a bundle it refuses everything */
	struct xos_trust *trust;   /* never NULL */
	struct xos_credd_slice slice;
	struct xos_credd_map map; /* set once, after the rest */
	int64_t newest;           /* newest signed time that this node has verified */
	int64_t until;            /* end of bundle or of its greatest age, whichever is earlier */
	const char *until_what;   /* which of the two, for people */
};

/* base: the trust folder's contents; the issuers of the bundle are added to a copy. bundle may be
 * NULL; both get one more owner. */
XOS_MUST_USE enum xos_status xos_credd_view_new(const struct xos_credd_self *self,
    const struct xos_trust *base, struct xos_bundle *bundle, int64_t newest,
    const struct xos_credd_local_files *files, struct xos_credd_view **out, struct xos_err *err);
void xos_credd_view_free(struct xos_credd_view *v); /* NULL-safe */

/* The clock by which the node decides: the system's, but never before the newest signed time. */
int64_t xos_credd_view_now(const struct xos_credd_view *v);
/* OK; else UNAVAILABLE with code "no-bundle" or "bundle-old" and a sentence for people. */
XOS_MUST_USE enum xos_status xos_credd_view_usable(
    const struct xos_credd_view *v, int64_t now, struct xos_err *err);
/*
 * May this member, with this token and its groups and roles, act on this node at all? Roster and locks, in
 * this order; DENIED with code "roster" or "locked" and the lock's message.
 */
struct xos_identity;
XOS_MUST_USE enum xos_status xos_credd_view_standing(const struct xos_credd_view *v,
    const char *node, const struct xos_identity *id, int64_t now, struct xos_err *err);
/* The same for a job or grant that a delegation names. */
XOS_MUST_USE enum xos_status xos_credd_view_grant_standing(
    const struct xos_credd_view *v, const char *id, int64_t now, struct xos_err *err);
/* The lock in force that is in the way of this identity, its delegations included, or of that job or grant; NULL: none. */
const struct xos_lock *xos_credd_view_lock(
    const struct xos_credd_view *v, const char *node, const struct xos_identity *id, int64_t now);
const struct xos_lock *xos_credd_view_grant_lock(
    const struct xos_credd_view *v, const char *id, int64_t now);

#endif
