#ifndef XOS_SERVICE_GATE_H
#define XOS_SERVICE_GATE_H

#include "api/command.h"
#include "base/bytes.h"
#include "base/status.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * The gate through which the commands of administrators reach an authority that does not hold the membership
 * (xos-rcad, xos-vopsd). A token says who was an administrator at log-in; who is one now, xos-cad says in a
 * list that it signs for minutes (bundle/administrators.h) and that the network process fetches. The gate
 * believes no list that is older than what it has seen, and without one that still counts it lets nobody
 * through: a network process that withholds the list stops commands, it does not prolong anybody's power.
 */
struct xos_gate;

struct xos_gate_options {
	const char *vo, *aud;          /* borrowed, as is trust */
	const struct xos_trust *trust; /* the issuers in it may have signed lists */
};
XOS_MUST_USE enum xos_status xos_gate_new(
    const struct xos_gate_options *o, struct xos_gate **out, struct xos_err *err);
void xos_gate_free(struct xos_gate *g);

/* A list that came. CONFLICT "older-list"; else as xos_administrators_verify. */
XOS_MUST_USE enum xos_status xos_gate_list(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err);

/* Does this one administer the VO now, by the list? UNAVAILABLE "administrators-unknown" without a list that
 * counts; DENIED "not-administrator" or "locked". */
XOS_MUST_USE enum xos_status xos_gate_standing(
    const struct xos_gate *g, const struct xos_identity *id, int64_t now, struct xos_err *err);

/*
 * From the body of POST commands to a command that its signer may give now. That it is used once (api/once.h),
 * recorded and carried out is the caller's. As xos_command_open and xos_command_demand_admin; UNAVAILABLE
 * "administrators-unknown" without a list that counts; DENIED "not-administrator" or "locked" by the list.
 */
XOS_MUST_USE enum xos_status xos_gate_open(struct xos_gate *g, struct xos_bytes body, int64_t now,
    struct xos_command **out, struct xos_err *err);

/*
 * For commands that others than administrators may give too: looks at form, signature, audience and times alone. *why
 * has status XOS_OK if the signer is an administrator as xos_gate_open demands, else what xos_gate_open would have said.
 * Of anybody else nothing is known yet: the caller asks xos_gate_member before it does anything for one.
 */
XOS_MUST_USE enum xos_status xos_gate_open_any(struct xos_gate *g, struct xos_bytes body,
    int64_t now, struct xos_command **out, struct xos_err *why, struct xos_err *err);

/* The ca's roster and locks, for xos_gate_member. CONFLICT "older-list": lower than one that still counts. */
XOS_MUST_USE enum xos_status xos_gate_roster(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_gate_locks(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err);
/*
 * Is this an active member of the VO now, and neither the member, nor the token, a group, a role or the home
 * organisation in it is locked? By a roster and locks that are as new as the list of administrators says they must be, so
 * that a network process that withholds them stops commands. UNAVAILABLE "administrators-unknown", DENIED
 * "member-unknown", "member-suspended" or "locked".
 */
XOS_MUST_USE enum xos_status xos_gate_member(
    const struct xos_gate *g, const struct xos_identity *id, int64_t now, struct xos_err *err);

/* The same of somebody who is not here now: the member of that name and number, and locks of the member alone. */
XOS_MUST_USE enum xos_status xos_gate_named(
    const struct xos_gate *g, const char *name, uint64_t number, int64_t now, struct xos_err *err);
/* Is the member of that name and number an administrator now, who is not locked? As xos_gate_open, without a token. */
XOS_MUST_USE enum xos_status xos_gate_administrator(
    const struct xos_gate *g, const char *name, uint64_t number, int64_t now, struct xos_err *err);

/* The end of a command: event, answer, memory. st: how it went; c may be NULL then. Takes c and result. */
XOS_MUST_USE enum xos_status xos_gate_answer(enum xos_status st, struct xos_command *c,
    struct xos_json *result, struct xos_buf *reply, struct xos_err *err);

#endif
