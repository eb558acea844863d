#ifndef XOS_DECIDE_STANDING_H
#define XOS_DECIDE_STANDING_H

#include <stdint.h>

#include "base/status.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "token/claims.h"

/* Roster and locks by which a decision point judges. All borrowed. */
struct xos_standing {
	const char *where; /* for messages: "This node's", "The policy service's" */
	const struct xos_roster *roster;
	/* The lock in force for this kind and name, of groups and roles also one above; NULL: none. */
	const struct xos_lock *(*lock)(
	    const void *arg, enum xos_lock_kind kind, const char *name, int64_t now);
	const void *arg;
};

/*
 * May who has these claims act at all, on that node? serial: of the token, NULL if there is none; node NULL:
 * none in particular. Roster and locks, in this order; DENIED with code "roster" or "locked" and the lock's
 * message.
 */
XOS_MUST_USE enum xos_status xos_standing_check(const struct xos_standing *s,
    const struct xos_claims *c, const char *serial, const char *node, int64_t now,
    struct xos_err *err);
/* The same for a job or grant that a delegation names. */
XOS_MUST_USE enum xos_status xos_standing_grant(
    const struct xos_standing *s, const char *id, int64_t now, struct xos_err *err);
/* The lock by which the two above refuse, of several the first that they come to; NULL: none. */
const struct xos_lock *xos_standing_lock(const struct xos_standing *s, const struct xos_claims *c,
    const char *serial, const char *node, int64_t now);
const struct xos_lock *xos_standing_grant_lock(
    const struct xos_standing *s, const char *id, int64_t now);
/* And for a node alone. */
XOS_MUST_USE enum xos_status xos_standing_node(
    const struct xos_standing *s, const char *node, int64_t now, struct xos_err *err);

#endif
