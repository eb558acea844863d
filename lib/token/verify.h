#ifndef XOS_TOKEN_VERIFY_H
#define XOS_TOKEN_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "pki/chain.h"
#include "token/claims.h"
#include "token/delegation.h"
#include "token/trust.h"

/*
 * From a chain to an identity. Everything that decides about a peer's credential stands behind this
 * one function; a caller that wants to know who somebody is calls it and nothing else.
 */

/* An identity after verification. Owned by the caller, changes never. */
struct xos_identity {
	struct xos_cert *leaf;   /* what was presented first: a token, or a delegation of one */
	struct xos_cert *entity; /* the end-entity certificate; leaf itself without delegation */
	/* Of the end entity. Those of a certificate of kind delegation are its member's: kind is user here, and the
	 * first step is what it delegates, so that it counts for nothing but what a proxy of the member's own would. */
	struct xos_claims *claims;
	bool renewed;                        /* the end entity is such a certificate */
	char uri[XOS_URI_MAX];               /* of the end entity */
	uint8_t spki_sha256[XOS_SHA256_LEN]; /* of the leaf's key: what the peer proved to hold */
	char serial[XOS_SERIAL_TEXT];        /* of the end entity */
	uint8_t root[XOS_SHA256_LEN];        /* fingerprint of the root */
	uint8_t issuer
	    [XOS_SHA256_LEN]; /* of what stands directly below it: the trust list judges that */
	int64_t not_before, not_after; /* of the whole chain, delegation ends included */
	struct xos_delegation **steps; /* first step first; 0 when the person acts directly. The
	                                      * first one of a robot is its token's own restriction,
	                                      * that of a renewed delegation its own extension */
	size_t nsteps;
	uint8_t chain_digest[XOS_SHA256_LEN]; /* of the verified path: a key for caches */
};

void xos_identity_free(struct xos_identity *id);

struct xos_verify_opts {
	int64_t now;
	int64_t skew;   /* tolerated, seconds */
	unsigned kinds; /* XOS_KIND_BIT set that is acceptable here; 0 refuses all */
	/* Proxies with our extension, restricted tokens of robots, and, where kinds has the user's,
	 * certificates of kind delegation. */
	bool allow_delegation;
	const char *vo;      /* only this VO; NULL: any that is trusted */
	const char *name;    /* only this name; NULL: any */
	const char *service; /* a service certificate must be of this kind; NULL: any */
	const char *host; /* DNS name or address that the end entity's SAN must match; NULL: any */
	enum xos_chain_purpose purpose; /* ANY outside TLS */
	xos_revoked_fn revoked;         /* may be NULL */
	void *arg;
};

/*
 * chain: DER, leaf first, exactly as the peer presented it. *out only on XOS_OK. Beyond chain.h:
 * DENIED with code "token-kind" (a node's certificate where a user's is wanted, and the reverse),
 * "token-vo", "token-name", "token-issuer" (marker absent or for other kinds or VO),
 * "token-mismatch" (subject, URI and extension disagree), "delegation-refused" (not allowed here),
 * "delegation-widened", "delegation-missing" (proxy without our extension or language), "issuer-unlisted",
 * "issuer-revoked", "issuer-tainted" (by the VO's trust list). MALFORMED with
 * code "chain-order": from the leaf to the end entity each certificate must be followed by its signer's,
 * so that what follows the first is itself the signer's chain; the order of issuers is free.
 */
XOS_MUST_USE enum xos_status xos_token_verify(const struct xos_trust *trust,
    const struct xos_bytes *chain, size_t n, const struct xos_verify_opts *opts,
    struct xos_identity **out, struct xos_err *err);
/* The same for a chain that is parsed already. */
XOS_MUST_USE enum xos_status xos_token_verify_chain(const struct xos_trust *trust,
    const struct xos_chain *chain, const struct xos_verify_opts *opts, struct xos_identity **out,
    struct xos_err *err);

/* Does the VO's trust list still let this identity count? One that was verified before a list came is asked again
 * at each use. DENIED as xos_trust_list_judge. */
XOS_MUST_USE enum xos_status xos_identity_listed(
    const struct xos_trust *trust, const struct xos_identity *id, struct xos_err *err);

/*
 * The issuer of a VO that may issue this kind, verified up to the VO's root: its key signs rosters
 * and locks as well. kid: SHA-256 of its SPKI (32 bytes), NULL for any. *out is a reference of the
 * caller's. NOT_FOUND: none is known; EXPIRED and the others as above.
 */
XOS_MUST_USE enum xos_status xos_token_find_issuer(const struct xos_trust *trust, const char *vo,
    enum xos_kind kind, const uint8_t *kid, int64_t now, int64_t skew, struct xos_cert **out,
    struct xos_err *err);

#endif
