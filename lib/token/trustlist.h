#ifndef XOS_TOKEN_TRUSTLIST_H
#define XOS_TOKEN_TRUSTLIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * The list of what stands directly below the root of a VO, signed by the root key, off line:
 *   {"vo", "serial", "issued", "expires"?, "root", "issuers": [{"certificate", "state", "since", "reason"?}]}
 * "root" is the fingerprint of the root's certificate, "certificate" DER in base64. Issuers of ca (tokens, and delegations) and rca, and
 * the certificates that sign policy and accounting. Where a list is in force, what it does not name counts no
 * more. Past "expires" it stays in force, and its owner is told: an old list is better than none.
 */
#define XOS_TRUST_LIST_TYP "xos-trust+jws"
#define XOS_TRUST_LIST_MAX (60u * 1024) /* compact form, bytes */
#define XOS_TRUST_LIST_CERTS_MAX 32u
#define XOS_TRUST_LIST_REASON_MAX 200 /* bytes of text */

enum xos_trust_state {
	XOS_TRUST_PREPARED, /* accepted; its owner does not use it yet */
	XOS_TRUST_ACTIVE,
	XOS_TRUST_TAINTED, /* what it signed up to "since" stays good until its end, nothing newer */
	XOS_TRUST_REVOKED  /* nothing of it counts */
};
const char *xos_trust_state_name(enum xos_trust_state s); /* "prepared", ..., "revoked" */
XOS_MUST_USE enum xos_status xos_trust_state_parse(const char *s, enum xos_trust_state *out);

/* What a certificate below the root is for: how a list is read by people. */
enum xos_trust_role {
	XOS_TRUST_CA,
	XOS_TRUST_RCA,
	XOS_TRUST_VOPS,
	XOS_TRUST_ACCOUNTING,
	XOS_TRUST_DELEGATION /* of the ca as well: what it issues under the grants of jobs */
};
/* "ca", "rca", "vops", "accounting", "delegation" */
const char *xos_trust_role_name(enum xos_trust_role r);
/* By the marker of an issuer or the claims of an end entity. MALFORMED, code "trust-certificate": neither, or
 * of another VO. Proves nothing about who made it. */
XOS_MUST_USE enum xos_status xos_trust_role_of(
    const struct xos_cert *c, const char *vo, enum xos_trust_role *out, struct xos_err *err);

struct xos_trust_entry {
	struct xos_cert *cert; /* owned by the list */
	enum xos_trust_role role;
	enum xos_trust_state state;
	int64_t since;
	char reason[XOS_TRUST_LIST_REASON_MAX + 1]; /* "": none */
};

struct xos_trust_list {
	char vo[XOS_VO_MAX + 1];
	uint64_t serial;         /* from 1; a lower one is refused */
	int64_t issued, expires; /* expires 0: not said */
	struct xos_trust_entry entry[XOS_TRUST_LIST_CERTS_MAX];
	size_t n;
};

void xos_trust_list_free(struct xos_trust_list *l);
/* Borrowed; NULL: not named. By the certificate itself, not its key. */
const struct xos_trust_entry *xos_trust_list_find(
    const struct xos_trust_list *l, const uint8_t fingerprint[XOS_SHA256_LEN]);

/* Appends the compact form, after the checks that a reader will make. */
XOS_MUST_USE enum xos_status xos_trust_list_sign(const struct xos_key *root_key,
    const struct xos_cert *root, const struct xos_trust_list *l, struct xos_buf *out,
    struct xos_err *err);
/*
 * DENIED: "jws-header" or "signature" (not signed by this root), "wrong-vo", "wrong-root", "not-issued" (a
 * certificate that the root did not make). MALFORMED: not of the form, a certificate twice, "trust-certificate".
 */
XOS_MUST_USE enum xos_status xos_trust_list_verify(struct xos_bytes compact,
    const struct xos_cert *root, struct xos_trust_list **out, struct xos_err *err);

/*
 * Does what stands below this certificate count by the list? signed_at: when it was signed at the latest, as it
 * says itself; INT64_MIN for the certificate alone. A list of NULL says nothing: OK. DENIED: "issuer-unlisted", "issuer-revoked",
 * "issuer-tainted".
 */
XOS_MUST_USE enum xos_status xos_trust_list_judge(const struct xos_trust_list *l,
    const uint8_t fingerprint[XOS_SHA256_LEN], const char *subject, int64_t signed_at,
    struct xos_err *err);

#endif
