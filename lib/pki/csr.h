#ifndef XOS_PKI_CSR_H
#define XOS_PKI_CSR_H

#include "base/bytes.h"
#include "base/status.h"
#include "pki/digest.h"
#include "pki/key.h"

/*
 * Certification requests (PKCS#10, RFC 2986). Only the key in them is believed, once the signature
 * proved that the sender holds it: subject and attributes of a certificate are the authority's to
 * choose.
 */
#define XOS_CSR_MAX 4096

struct xos_csr {
	struct xos_bytes spki; /* borrowed from the request */
	uint8_t spki_sha256[XOS_SHA256_LEN];
};

/* Appends the DER of a request with an empty subject for a private key. */
XOS_MUST_USE enum xos_status xos_csr_make(
    const struct xos_key *key, struct xos_buf *out, struct xos_err *err);
/* Strict DER, exact end, algorithms as in key.h, proof of possession. MALFORMED, or DENIED (codes
 * "key-algorithm", "csr-signature"). On failure *out is zeroed. */
XOS_MUST_USE enum xos_status xos_csr_parse(
    struct xos_bytes der, struct xos_csr *out, struct xos_err *err);
/* One "CERTIFICATE REQUEST" PEM block to DER. */
XOS_MUST_USE enum xos_status xos_csr_from_pem(
    struct xos_bytes pem, struct xos_buf *der, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_csr_to_pem(struct xos_bytes der, struct xos_buf *pem);

#endif
