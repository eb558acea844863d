#ifndef XOS_PKI_AGREE_H
#define XOS_PKI_AGREE_H

#include "pki/digest.h"
#include "pki/key.h"

/*
 * Diffie-Hellman on P-256 (NIST SP 800-56A, ephemeral on both sides): SHA-256 of the x coordinate that both
 * halves have in common. Use it as a key for HMAC over what both sides said, never as it is. MALFORMED (code
 * "key-agreement") unless own is private and both are P-256.
 */
XOS_MUST_USE enum xos_status xos_key_agree(const struct xos_key *own, const struct xos_key *peer,
    uint8_t out[XOS_SHA256_LEN], struct xos_err *err);

#endif
