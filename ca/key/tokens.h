#ifndef XOS_CA_TOKENS_H
#define XOS_CA_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ca/key/record.h"

/*
 * The tokens that have not expired, in the memory of the key process: what decides which of them a lock
 * holds. A token is 64 bytes; its groups and roles are one number, since members who share a history of
 * groups share that list. Filled from the log at the start and at each issuance; expired ones go when the
 * room is needed. They are kept for CA_TOKENS_KEEP beyond their end: a revocation list shows a token once more
 * after it expired (RFC 5280 3.3).
 */
#define CA_TOKENS_KEEP 3600

struct ca_token {
	uint8_t serial[XOS_SERIAL_MAX];
	uint8_t nserial;
	bool
	    delegation; /* under a grant: another issuer's, and neither in lists nor in answers of this one */
	uint32_t set;    /* of groups and roles */
	uint32_t held;   /* held.h's */
	uint32_t before; /* the member's one before; tokens.c's */
	uint64_t number;
	int64_t not_before, not_after;
};

struct ca_tokens;
struct ca_tokens *ca_tokens_new(void); /* NULL if out of memory */
void ca_tokens_free(struct ca_tokens *t);

/* One that is there already stays as it is. MALFORMED for a serial that is none; INTERNAL without memory. *added (may be NULL) is borrowed until the
 * next put. */
XOS_MUST_USE enum xos_status ca_tokens_put(struct ca_tokens *t, const struct ca_token_entry *e,
    int64_t now, struct ca_token **added, struct xos_err *err);

/* In the order of issuance; those that expired may still be among them. */
size_t ca_tokens_count(const struct ca_tokens *t);
struct ca_token *ca_tokens_at(struct ca_tokens *t, size_t i);
struct ca_token *ca_tokens_find(struct ca_tokens *t, struct xos_bytes serial); /* NULL: unknown */

/* How many of the member's have not expired and are not held; delegations do not count. */
size_t ca_tokens_usable(struct ca_tokens *t, uint64_t number, int64_t now);

/* How many unexpired ones of the member's have this name: a grant's, of those issued under it. */
size_t ca_tokens_named(struct ca_tokens *t, uint64_t number, const char *name, int64_t now);

/* Names are groups, roles and grants (CA_NAME_GRANT), sets are lists of them; both are counted from 0. */
size_t ca_tokens_names(const struct ca_tokens *t);
const char *ca_tokens_name(const struct ca_tokens *t, size_t name);
size_t ca_tokens_sets(const struct ca_tokens *t);
const uint32_t *ca_tokens_set(const struct ca_tokens *t, size_t set, size_t *n);

#endif
