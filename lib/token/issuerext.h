#ifndef XOS_TOKEN_ISSUEREXT_H
#define XOS_TOKEN_ISSUEREXT_H

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "token/kind.h"

/*
 * The marker of an issuer below the root: which VO, which kinds it may issue.
 *
 *   XosIssuer ::= SEQUENCE { version INTEGER (1), vo UTF8String, kinds SEQUENCE OF ENUMERATED }
 *
 * kinds ascending, without duplicates, not empty. Non-critical: stock programs are held by the name
 * constraints, ours by this. Its absence grants nothing.
 */
struct xos_issuer_marker {
	char vo[XOS_VO_MAX + 1];
	unsigned kinds; /* XOS_KIND_BIT */
};

XOS_MUST_USE enum xos_status xos_issuer_marker_encode(
    const struct xos_issuer_marker *m, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_issuer_marker_decode(
    struct xos_bytes der, struct xos_issuer_marker *out, struct xos_err *err);

#endif
