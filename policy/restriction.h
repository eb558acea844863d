#ifndef XOS_POLICY_RESTRICTION_H
#define XOS_POLICY_RESTRICTION_H

#include "base/bytes.h"
#include "base/status.h"
#include "policy/set.h"

/*
 * The restriction of a delegation as it stands in a certificate: a set of level delegation in a
 * compact, versioned binary form (docs/policy-language.md, "Restrictions in certificates"). The
 * form is canonical: one byte string for one set, and what decodes encodes to exactly the same
 * bytes. Truncated, extended, reordered or otherwise non-canonical bytes are refused; so is a
 * version, action or attribute that this program does not know: a restriction is never dropped in
 * part.
 */
#define XOS_RESTRICTION_MAX 8192 /* as token/delegation.h, so that both can be included */

/* set must be of level delegation. LIMIT if the encoding would exceed XOS_RESTRICTION_MAX. Appends
 * to out, whose maximum must leave room. */
XOS_MUST_USE enum xos_status xos_restriction_encode(
    const struct xos_policy_set *set, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_restriction_decode(
    struct xos_bytes in, struct xos_policy_set **out, struct xos_err *err);
/* The text form of encoded bytes, "delegation by user \"alice\" { ... }"; parses to the same set.
 */
XOS_MUST_USE enum xos_status xos_restriction_text(
    struct xos_bytes in, struct xos_buf *out, struct xos_err *err);

#endif
