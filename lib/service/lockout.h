#ifndef XOS_SERVICE_LOCKOUT_H
#define XOS_SERVICE_LOCKOUT_H

#include "base/bytes.h"
#include "base/status.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * Who may not act any more although the certificate is still valid, for a service that takes certificates and
 * has no bundle to decide by: the locks of ca and rca and the administrators of the moment, as xos_fetch
 * brings them. No list is believed that is older than what was seen, and without a list that still counts
 * nobody is let through. Any thread.
 */
struct xos_lockout;

enum xos_lockout_list { XOS_LOCKOUT_LOCKS_CA, XOS_LOCKOUT_LOCKS_RCA, XOS_LOCKOUT_ADMINISTRATORS };

/* Borrowed; both outlive it. The issuers in trust may have signed lists. */
XOS_MUST_USE enum xos_status xos_lockout_new(
    const char *vo, const struct xos_trust *trust, struct xos_lockout **out, struct xos_err *err);
void xos_lockout_free(struct xos_lockout *s); /* NULL-safe */

/* A list that came. CONFLICT "older-list"; else as the list's own verification. */
XOS_MUST_USE enum xos_status xos_lockout_take(struct xos_lockout *s, enum xos_lockout_list which,
    struct xos_bytes compact, int64_t now, struct xos_err *err);

/*
 * May this one act at all? Looked at are locks of the member or of the machine, the token, its groups, active roles and home
 * organisation. DENIED "locked" with the lock's message; UNAVAILABLE "locks-unknown" without lists that count.
 */
XOS_MUST_USE enum xos_status xos_lockout_check(
    struct xos_lockout *s, const struct xos_identity *id, int64_t now, struct xos_err *err);
/* Does this one administer the VO now? As xos_gate_open has it; the token must have the role active as well,
 * which is the caller's to see. */
XOS_MUST_USE enum xos_status xos_lockout_administers(
    struct xos_lockout *s, const struct xos_identity *id, int64_t now, struct xos_err *err);

#endif
