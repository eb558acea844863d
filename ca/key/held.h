#ifndef XOS_CA_HELD_H
#define XOS_CA_HELD_H

#include <stdint.h>

#include "base/status.h"
#include "ca/membership/membership.h"
#include "ca/key/tokens.h"
#include "pki/crl.h"

/*
 * Which unexpired tokens are held: by a lock in force on the token, its member, one of its groups or roles, or
 * because the membership ended or rests. Worked out for all tokens when the membership changed in what concerns
 * this, or a lock ended; each token then carries its cause, so that asking costs nothing.
 */
struct ca_cause {
	int64_t since;
	enum xos_crl_reason reason; /* HOLD: it may end; AFFILIATION_CHANGED: a member who left */
};

struct ca_held;
struct ca_held *ca_held_new(void); /* NULL if out of memory */
void ca_held_free(struct ca_held *h);

/* Within a snapshot of the membership. *changed: its locks or roster are others than at the last call. */
XOS_MUST_USE enum xos_status ca_held_refresh(struct ca_held *h, struct ca_membership *m,
    struct ca_tokens *t, int64_t now, bool *changed, struct xos_err *err);
/* Grows whenever a token may be held that was not, or the reverse. */
uint64_t ca_held_version(const struct ca_held *h);
/* For a token that was put since the last refresh. */
void ca_held_mark(const struct ca_held *h, const struct ca_tokens *t, struct ca_token *token);
const struct ca_cause *ca_held_cause(
    const struct ca_held *h, const struct ca_token *token); /* or NULL */

/* How many tokens that have not expired a lock of this kind and name holds, were it in force. NOT_FOUND: no
 * such member. */
XOS_MUST_USE enum xos_status ca_held_count(struct ca_membership *m, struct ca_tokens *t,
    enum xos_lock_kind kind, const char *name, int64_t now, uint64_t *count, struct xos_err *err);

#endif
