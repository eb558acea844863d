#ifndef XOS_PKI_KDF_H
#define XOS_PKI_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "pki/digest.h"

/* HMAC-SHA-256 (RFC 2104) over several pieces as if they were joined, at most 8 and 64 KiB. */
XOS_MUST_USE enum xos_status xos_hmac_sha256(
    struct xos_bytes key, const struct xos_bytes *in, size_t n, uint8_t out[XOS_SHA256_LEN]);

/* HMAC with another digest, for formats that prescribe one (RFC 6238): SHA-1 is no choice of ours. *n: bytes in
 * out. */
enum xos_hmac_hash { XOS_HMAC_SHA1, XOS_HMAC_SHA256, XOS_HMAC_SHA512 };
#define XOS_HMAC_MAX 64
XOS_MUST_USE enum xos_status xos_hmac(enum xos_hmac_hash hash, struct xos_bytes key,
    struct xos_bytes in, uint8_t out[XOS_HMAC_MAX], size_t *n);

#define XOS_PBKDF2_PASSWORD_MAX 1024
#define XOS_PBKDF2_SALT_MAX 256

/*
 * PBKDF2 with HMAC-SHA-256 and one block of output (RFC 8018 5.2; Hi() of RFC 5802). iterations from
 * 1; 65 536 take about 7 ms on a core with SHA instructions, a fifth of PKCS5_PBKDF2_HMAC of OpenSSL
 * 3.0: see docs/decisions/scram-client.md. MALFORMED for a size out of bounds; out is then all zero.
 */
XOS_MUST_USE enum xos_status xos_pbkdf2_sha256(struct xos_bytes password, struct xos_bytes salt,
    uint32_t iterations, uint8_t out[XOS_SHA256_LEN]);

#endif
