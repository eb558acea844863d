#ifndef XOS_CA_SEALED_H
#define XOS_CA_SEALED_H

#include "ca/membership/membership.h"

/*
 * The sealed administrator, for the day on which all others are locked, lost or gone: a member of a kind of its
 * own that has no password, holds /<vo>/Role=admin, and logs in by one code, once, which has no end. Locks do not
 * hold it. What it gets is short and cannot be renewed; that it was used stands in the log and in the
 * description of the VO until it is sealed anew. Nothing but a new seal gives it a secret.
 */
#define CA_SEALED_NAME "break-glass"
#define CA_SEALED_LIFE 3600 /* longest token, seconds */

/* Makes the member if there is none yet and notes that it is sealed; in the caller's transaction. CONFLICT if
 * a person has the name. */
XOS_MUST_USE enum xos_status ca_sealed_seal(
    struct ca_membership *m, int64_t now, struct xos_err *err);
/* Notes that the code was used, with an act; its own transaction. Nothing for other members. */
XOS_MUST_USE enum xos_status ca_sealed_used(struct ca_membership *m, const char *member,
    const char *address, int64_t now, struct xos_err *err);
/* DENIED (code "sealed-renewal") for a token of the sealed one's that does not come of a log-in just now. */
XOS_MUST_USE enum xos_status ca_sealed_fresh(
    const struct ca_member *member, int64_t authenticated, int64_t now, struct xos_err *err);
/* DENIED (code "sealed") if this is the sealed one's name. */
XOS_MUST_USE enum xos_status ca_sealed_refuse(const char *name, struct xos_err *err);

#endif
