#ifndef XOS_PKI_DIGEST_H
#define XOS_PKI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define XOS_SHA256_LEN 32

/* SHA-256 (FIPS 180-4) over one piece, or over several pieces as if they were joined. INTERNAL only
 * when the library fails; out is then all zero. */
XOS_MUST_USE enum xos_status xos_sha256(struct xos_bytes in, uint8_t out[XOS_SHA256_LEN]);
XOS_MUST_USE enum xos_status xos_sha256_parts(
    const struct xos_bytes *in, size_t n, uint8_t out[XOS_SHA256_LEN]);

/* Incremental. A failed step fails the result; final does not free. After final only free, or begin
 * again with reset. */
struct xos_sha256;
struct xos_sha256 *xos_sha256_new(void); /* NULL if out of memory */
void xos_sha256_free(struct xos_sha256 *d);
void xos_sha256_reset(struct xos_sha256 *d);
void xos_sha256_update(struct xos_sha256 *d, struct xos_bytes in);
XOS_MUST_USE enum xos_status xos_sha256_final(struct xos_sha256 *d, uint8_t out[XOS_SHA256_LEN]);

/* "sha256:" and 64 hexadecimal digits, the form in which people compare fingerprints. */
#define XOS_FINGERPRINT_TEXT 72
void xos_fingerprint_text(const uint8_t digest[XOS_SHA256_LEN], char out[XOS_FINGERPRINT_TEXT]);
/* Takes that form, digits in either case. */
XOS_MUST_USE enum xos_status xos_fingerprint_parse(
    const char *s, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err);

#endif
