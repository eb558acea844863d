#ifndef XOS_TOKEN_DELEGATION_H
#define XOS_TOKEN_DELEGATION_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * One step of delegation: the contents of the critical delegation extension, of a proxy certificate; or, with
 * the actor "robot", of the restricted token of a robot, where the authority put it (profile.h); or of a certificate
 * of kind delegation, which the authority issues when a grant is renewed (the same file): id is then the grant's.
 *
 *   XosDelegation ::= SEQUENCE {
 *     version     INTEGER (1),
 *     vo          UTF8String,
 *     member      UTF8String,                       -- for whom: the end entity's name
 *     actor       UTF8String,                       -- who acts, for example "job"
 *     node        [0] IMPLICIT UTF8String OPTIONAL, -- only on this node; absent: on any
 *     id          [1] IMPLICIT UTF8String OPTIONAL, -- job or grant
 *     until       GeneralizedTime,
 *     depth       INTEGER (0..8),                   -- how many more steps may follow
 *     restriction OCTET STRING }                    -- policy of level user; opaque here, may be
 * empty
 */
#define XOS_ACTOR_MAX 31    /* [a-z][a-z0-9-]* */
#define XOS_GRANT_ID_MAX 64 /* [A-Za-z0-9._-]+ */
#define XOS_DELEGATION_DEPTH_MAX 8
#define XOS_RESTRICTION_MAX 8192
#define XOS_DELEGATION_DER_MAX 9216

struct xos_delegation {
	char vo[XOS_VO_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
	char actor[XOS_ACTOR_MAX + 1];
	char node[XOS_NODE_MAX + 1];   /* "" if any */
	char id[XOS_GRANT_ID_MAX + 1]; /* "" if none */
	int64_t not_after;
	unsigned depth;
	/* What the step restricts. In a decoded object owned by it; in one to encode, borrowed. */
	const uint8_t *restriction;
	size_t restriction_len;
};

XOS_MUST_USE enum xos_status xos_delegation_encode(
    const struct xos_delegation *d, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_delegation_decode(
    struct xos_bytes der, struct xos_delegation **out, struct xos_err *err);
void xos_delegation_free(struct xos_delegation *d); /* of a decoded object only */

/* The URI of a certificate of kind delegation: spiffe://<vo>/delegation/<grant>. MALFORMED without an id. */
XOS_MUST_USE enum xos_status xos_delegation_uri(
    const struct xos_delegation *d, char *out, size_t cap, struct xos_err *err);

/* May `next` follow `prev` (NULL: the first step)? Same VO and member; depth goes down; end not
 * later; a node that is bound stays bound. DENIED with code "delegation-widened" if not. */
XOS_MUST_USE enum xos_status xos_delegation_follows(
    const struct xos_delegation *prev, const struct xos_delegation *next, struct xos_err *err);

/*
 * Makes the proxy certificate for a key of the receiver: signed by the delegator's key, no server
 * asked. signer: the delegator's chain, leaf first, with its key (an end-entity user token, or a
 * delegation that allows more depth, of either carrier). Fields vo and member are filled from the signer's token; an
 * end beyond the signer's is cut to it. spki: from xos_csr_parse, which proved that the receiver
 * holds the key. DENIED (code "delegation-widened", "delegation-depth", "delegation-signer"),
 * EXPIRED if the signer is.
 */
XOS_MUST_USE enum xos_status xos_delegation_sign(const struct xos_chain *signer,
    struct xos_bytes spki, const struct xos_delegation *fields, int64_t now, struct xos_cert **out,
    struct xos_err *err);

#endif
