#ifndef XOS_TOKEN_PROFILE_H
#define XOS_TOKEN_PROFILE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/issue.h"
#include "token/claims.h"
#include "token/delegation.h"

/*
 * The token profile: how claims become an end-entity certificate.
 *   subject  O=<vo>, OU=user|node|service|policy|accounting, CN=<name>
 *   SAN      the URI of claims.h; for nodes and services the host names and addresses given
 *   EKU      users clientAuth; nodes and services serverAuth and clientAuth; policy and accounting
 *            one of our own, so that no TLS program takes them for a peer
 * A certificate of kind delegation differs: subject O=<vo>, OU=delegation, CN=<member>, CN=<grant>; the URI names the
 * grant; it always has the (critical) delegation extension; clientAuth.
 *   others   basicConstraints (critical, no CA), keyUsage (critical) digitalSignature, key identifiers, the
 *            token extension; authorityInfoAccess and cRLDistributionPoints, where points are given; of a
 *            restricted user the delegation extension (critical)
 */
#define XOS_TOKEN_BACKDATE 300 /* seconds before now at which not_before should stand */

struct xos_token_request {
	const struct xos_claims *claims;
	struct xos_bytes spki; /* from xos_csr_parse or xos_key_spki */
	int64_t not_before, not_after;
	const char *const *dns; /* nodes and services only */
	size_t ndns;
	const char *const *ips;
	size_t nips;
	const struct xos_points
	    *points; /* where the status of what this issuer issues stands; or NULL */
	/* Users only: what the token is restricted to, from the authority, for a robot; NONE: not restricted. The
	 * token then carries the critical delegation extension (delegation.h): who does not know restrictions, or
	 * takes the member's own token only, refuses it. */
	struct xos_bytes restriction;
};

/*
 * Appends the DER of the certificate. The issuer's marker must name the claims' VO and kind; policy
 * and accounting certificates are issued by the root itself, and no others are. DENIED for an
 * issuer that may not, or a lifetime beyond the issuer's; MALFORMED for claims that do not check. A
 * failed call leaves out as it was.
 */
XOS_MUST_USE enum xos_status xos_token_issue(struct xos_issuer *issuer,
    const struct xos_token_request *req, uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out,
    struct xos_err *err);

struct xos_delegation_request {
	const struct xos_claims *claims; /* kind delegation: the member's, as they are now */
	/* vo and member are the claims', whatever stands here. id: the grant; not_after: its end, not before
	 * that of the certificate. */
	const struct xos_delegation *step;
	struct xos_bytes spki; /* of the key that proved itself */
	int64_t not_before, not_after;
	const struct xos_points *points; /* as above */
};

/*
 * Appends the DER of a certificate of kind delegation: what a member delegated under a grant, for a while longer.
 * The issuer's marker must name the claims' VO and this kind alone will do. DENIED as xos_token_issue, and (code
 * "delegation-widened") for a certificate that would outlive the grant; MALFORMED for claims of another kind or a
 * step without id. A failed call leaves out as it was.
 */
XOS_MUST_USE enum xos_status xos_token_issue_delegation(struct xos_issuer *issuer,
    const struct xos_delegation_request *req, uint8_t serial[XOS_ISSUE_SERIAL_LEN],
    struct xos_buf *out, struct xos_err *err);

#endif
