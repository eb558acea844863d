#ifndef XOS_PKI_CRL_H
#define XOS_PKI_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * Certificate revocation lists (RFC 5280 section 5), version 2, signed by the issuer of the certificates
 * themselves. Always with a nextUpdate, cRLNumber and authorityKeyIdentifier; a list that covers a part of
 * the certificates only says so in a critical issuingDistributionPoint.
 */
#define XOS_CRL_MAX (16u * 1024 * 1024) /* bytes */
#define XOS_CRL_ENTRIES_MAX 200000u
#define XOS_CRL_URI_MAX 255

/* CRLReason, RFC 5280 5.3.1. */
enum xos_crl_reason {
	XOS_CRL_UNSPECIFIED = 0, /* written by leaving the extension out */
	XOS_CRL_KEY_COMPROMISE = 1,
	XOS_CRL_CA_COMPROMISE = 2,
	XOS_CRL_AFFILIATION_CHANGED = 3,
	XOS_CRL_SUPERSEDED = 4,
	XOS_CRL_CESSATION = 5,
	XOS_CRL_HOLD = 6,
	XOS_CRL_PRIVILEGE_WITHDRAWN = 9
};

struct xos_crl_entry {
	struct xos_bytes serial; /* big-endian, 1 to XOS_SERIAL_MAX bytes */
	int64_t since;
	enum xos_crl_reason reason;
};

struct xos_crl_fields {
	int64_t this_update, next_update;
	uint64_t number; /* grows from one list to the next of the same scope */
	const char
	    *uri; /* of this list, if it covers only the certificates that name it; NULL: all */
	bool only_users;                     /* end-entity certificates only; needs uri */
	const struct xos_crl_entry *entries; /* borrowed, without duplicates */
	size_t n;
};

/* Appends the DER; out is as it was on failure. MALFORMED: a field that does not fit, or a key that is not
 * the issuer's; LIMIT: too many entries. */
XOS_MUST_USE enum xos_status xos_crl_sign(const struct xos_cert *issuer, const struct xos_key *key,
    const struct xos_crl_fields *f, struct xos_buf *out, struct xos_err *err);

/* A list that was read. Parsing proves form only, as with certificates. Extensions that are critical and none
 * of those above, and lists for some reasons or of other issuers' certificates, are refused. */
struct xos_crl;
XOS_MUST_USE enum xos_status xos_crl_parse(
    struct xos_bytes der, struct xos_crl **out, struct xos_err *err);
void xos_crl_free(struct xos_crl *c);

struct xos_bytes xos_crl_der(const struct xos_crl *c);
int64_t xos_crl_this_update(const struct xos_crl *c);
int64_t xos_crl_next_update(const struct xos_crl *c);
uint64_t xos_crl_number(const struct xos_crl *c);
const char *xos_crl_uri(const struct xos_crl *c); /* NULL: it covers everything */
bool xos_crl_only_users(const struct xos_crl *c);
size_t xos_crl_count(const struct xos_crl *c);
const struct xos_crl_entry *xos_crl_at(const struct xos_crl *c, size_t i); /* by serial */
const struct xos_crl_entry *xos_crl_find(const struct xos_crl *c, struct xos_bytes serial);

/* Did this issuer sign it, and does it count at now? DENIED (codes "crl-issuer", "crl-signature"), EXPIRED
 * ("crl-expired"), NOT_YET_VALID ("crl-early"). */
XOS_MUST_USE enum xos_status xos_crl_verify(const struct xos_crl *c, const struct xos_cert *issuer,
    int64_t now, int64_t skew, struct xos_err *err);

#endif
