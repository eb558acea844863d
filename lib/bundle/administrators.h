#ifndef XOS_BUNDLE_ADMINISTRATORS_H
#define XOS_BUNDLE_ADMINISTRATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/signed.h"
#include "pki/cert.h"

/*
 * Who administers a VO at this moment, for the authorities that take commands but do not hold the
 * membership: a role in a token is what it was at log-in.
 *   {"vo", "act", "issued", "expires", "administrators": [{"name", "number", "locked"?}], "tokens"?: [serial],
 *    "roster"?: serial, "locks"?: serial}
 * Signed by the ca, for minutes. Listed are active members who hold /<vo>/Role=admin; "locked" says why
 * one of them may do nothing just now, "tokens" are those that are locked one by one. act is the number of the last act that the list takes account of: with
 * "issued" it tells which of two lists is the newer one. A roster or lock list of the ca whose serial is lower than "roster"
 * or "locks" is not that of this moment.
 */
#define XOS_ADMINISTRATORS_TYP "xos-administrators+jws"
#define XOS_ADMINISTRATORS_MAX (1024u * 1024) /* compact form, bytes */
#define XOS_ADMINISTRATORS_COUNT_MAX 1000u
#define XOS_ADMINISTRATOR_LOCKED_MAX 400 /* bytes of text */
#define XOS_ADMINISTRATORS_TOKENS_MAX 4096u

struct xos_administrator {
	char name[XOS_MEMBER_MAX + 1];
	uint64_t number;
	char locked[XOS_ADMINISTRATOR_LOCKED_MAX + 1]; /* "": not locked */
};

struct xos_administrators {
	uint64_t act;
	int64_t issued, expires;
	struct xos_administrator *list;
	size_t n;
	char (*tokens)[XOS_SERIAL_TEXT]; /* locked ones */
	size_t ntokens;
	uint64_t roster, locks; /* lowest serials that are up to date; 0: not said */
};

void xos_administrators_free(struct xos_administrators *a);
/* Borrowed; NULL: none of this name with this number. */
const struct xos_administrator *xos_administrators_find(
    const struct xos_administrators *a, const char *name, uint64_t number);

/* Is the token of this serial locked? */
bool xos_administrators_token_locked(const struct xos_administrators *a, const char *serial);

/* Appends the compact form. MALFORMED: a bad name, number or serial; LIMIT: too many. */
XOS_MUST_USE enum xos_status xos_administrators_sign(const struct xos_key *ca_key, const char *vo,
    const struct xos_administrators *a, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_administrators_verify(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_administrators **out, struct xos_err *err);

#endif
