#ifndef XOS_PKI_CERTSONLY_H
#define XOS_PKI_CERTSONLY_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"

/*
 * Certificates and nothing else in a PKCS#7 SignedData without content or signers (RFC 5652 5.1, "certs-only" of
 * RFC 8551 3.8): how stock enrolment clients take them. Appends DER to out. It proves nothing by itself.
 */
XOS_MUST_USE enum xos_status xos_certs_only(
    const struct xos_cert *const *cert, size_t n, struct xos_buf *out, struct xos_err *err);

#endif
