#ifndef XOS_CA_ACTS_H
#define XOS_CA_ACTS_H

#include <stdint.h>

#include "base/status.h"
#include "ca/membership/membership.h"
#include "json/json.h"
#include "pki/digest.h"

/*
 * Administrative acts, kept in the membership database beside what they changed and in the same
 * transaction, so that neither can exist without the other. The key process copies them into the
 * signed log, in order of id, before it signs anything or confirms one: database and log cannot part, whatever
 * dies in between. Acts are never changed or removed.
 */
struct ca_act {
	uint64_t id; /* given by ca_act_add; 1, 2, 3, ... */
	int64_t at;
	const char *actor; /* member name, or a verb of xos-cad */
	uint64_t number;   /* the actor's; 0 for a verb */
	const char *verb;
	const char *args; /* JSON, without secrets */
	const char *jti;
	struct xos_bytes digest; /* of the command, XOS_SHA256_LEN; NONE for a verb */
};

XOS_MUST_USE enum xos_status ca_act_add(
    struct ca_membership *m, struct ca_act *act, struct xos_err *err);
/* What a member did by logging in, not by a command: its jti is drawn here. Takes args. */
XOS_MUST_USE enum xos_status ca_act_of(
    struct ca_membership *m, const struct ca_act *act, struct xos_json *args, struct xos_err *err);
/* Calls each for acts with id > after, in order; strings are borrowed for the call. Stops at the first
 * that is not OK. */
XOS_MUST_USE enum xos_status ca_acts_after(struct ca_membership *m, uint64_t after,
    enum xos_status (*each)(void *ctx, const struct ca_act *act, struct xos_err *err), void *ctx,
    struct xos_err *err);
/* Is there an act of this jti? */
XOS_MUST_USE enum xos_status ca_act_exists(
    struct ca_membership *m, const char *jti, bool *exists, struct xos_err *err);

#endif
