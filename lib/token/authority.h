#ifndef XOS_TOKEN_AUTHORITY_H
#define XOS_TOKEN_AUTHORITY_H

#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "token/kind.h"

/*
 * The certificates above the tokens: the root of a VO (self-signed, `O=<vo>, CN=<vo> root`) and its
 * issuers. An issuer's subject follows from what it may issue: `O=<vo>, CN=<vo> user authority`
 * (kind user), `node authority` (node, service), `delegation authority` (delegation). Each carries
 * critical permitted subtrees `O=<vo>, OU=<kind>` for its kinds, our issuer marker, and path length
 * 0. Policy and accounting keys are no issuers: the root signs their end-entity certificates
 * (profile.h).
 */

XOS_MUST_USE enum xos_status xos_authority_root(const struct xos_key *key, const char *vo,
    int64_t not_before, int64_t not_after, struct xos_cert **out, struct xos_err *err);

/* kinds: XOS_KIND_BIT(USER), or NODE and SERVICE (one or both), or DELEGATION; other sets are
 * refused: no online key signs another kind. The validity must lie within the root's. */
XOS_MUST_USE enum xos_status xos_authority_issuer(struct xos_issuer *root, const char *vo,
    unsigned kinds, struct xos_bytes spki, int64_t not_before, int64_t not_after,
    struct xos_cert **out, struct xos_err *err);

#endif
