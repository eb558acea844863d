#ifndef XOS_TOKEN_RESPONDER_H
#define XOS_TOKEN_RESPONDER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/issue.h"

/*
 * The certificate of an OCSP responder (RFC 6960 4.2.2.2), signed by the issuer for which it answers:
 *   subject  O=<vo>, OU=user, OU=responder, CN=ocsp: below the subtree that the issuer is held to, and no
 *            subject that a token can have
 *   EKU      OCSPSigning alone; id-pkix-ocsp-nocheck, so it should live for days
 * It carries no token extension: nobody is identified by it, whoever holds its key.
 */
XOS_MUST_USE enum xos_status xos_responder_issue(struct xos_issuer *issuer, const char *vo,
    struct xos_bytes spki, int64_t not_before, int64_t not_after,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err);

#endif
