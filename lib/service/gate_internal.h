#ifndef XOS_SERVICE_GATE_INTERNAL_H
#define XOS_SERVICE_GATE_INTERNAL_H

/* Inside the gate only: gate.c has the administrators, gate_member.c everybody else. */
#include "bundle/administrators.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "service/gate.h"

#define XOS_GATE_SKEW 300
#define XOS_GATE_ISSUERS_MAX 8

struct xos_gate {
	struct xos_gate_options o;
	struct xos_administrators *list; /* the newest seen, though it may have ended; NULL: none */
	struct xos_roster *roster;       /* the same of the ca's other lists */
	struct xos_locks *locks;
};

/* The issuers that may have signed; cert has room for XOS_GATE_ISSUERS_MAX. */
struct xos_bundle_certs xos_gate_issuers(const struct xos_gate *g, const struct xos_cert **cert);
struct xos_bundle_trust xos_gate_trust(const struct xos_gate *g, int64_t now);
/* UNAVAILABLE "administrators-unknown" unless there is a list that has not ended. */
XOS_MUST_USE enum xos_status xos_gate_list_counts(
    const struct xos_gate *g, int64_t now, struct xos_err *err);

#endif
