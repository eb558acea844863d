#ifndef XOS_AUTH_TOTP_H
#define XOS_AUTH_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/kdf.h"
#include "pki/key.h"

/*
 * Codes of a second factor that change with time (RFC 6238 over RFC 4226), as stock authenticator
 * programs make them: SHA-1, steps of 30 seconds, six digits. The other digests are there for the RFC's
 * own test vectors.
 */
#define XOS_TOTP_SECRET_LEN 20 /* RFC 4226 section 4, R6: 160 bits recommended */
#define XOS_TOTP_STEP 30
#define XOS_TOTP_DIGITS 6
#define XOS_TOTP_MAX 8 /* digits that are ever computed */

/* digits: 6 to 8. out gets that many and a NUL. */
XOS_MUST_USE enum xos_status xos_totp_code(enum xos_hmac_hash hash, struct xos_bytes secret,
    int64_t step, unsigned digits, char out[XOS_TOTP_MAX + 1]);

/* Is this six digits? */
bool xos_totp_is_code(const char *s);
/*
 * Which step is this code of? The one of now and its two neighbours are tried, all three always; a step that is not
 * after `used` (0: none) counts as wrong, for it was given before. NOT_FOUND, without a text, if it is none.
 */
XOS_MUST_USE enum xos_status xos_totp_find(const uint8_t secret[XOS_TOTP_SECRET_LEN],
    const char *code, int64_t now, int64_t used, int64_t *step);

/*
 * The secret that member and authority agree on: from a fresh key of each, the VO and the member. Who carried the
 * two public halves learns nothing; who swapped one has two sides that do not agree, which the first code shows.
 */
XOS_MUST_USE enum xos_status xos_totp_agree(const struct xos_key *own, const struct xos_key *peer,
    bool own_is_member, const char *vo, const char *member, uint8_t secret[XOS_TOTP_SECRET_LEN],
    struct xos_err *err);

/* The secret in base32 (RFC 4648, without padding), as people type it. */
#define XOS_TOTP_BASE32 33
void xos_totp_base32(const uint8_t secret[XOS_TOTP_SECRET_LEN], char out[XOS_TOTP_BASE32]);
/* "otpauth://totp/demo:alice?secret=...&issuer=demo&algorithm=SHA1&digits=6&period=30" */
#define XOS_TOTP_URI_MAX 256
XOS_MUST_USE enum xos_status xos_totp_uri(const uint8_t secret[XOS_TOTP_SECRET_LEN], const char *vo,
    const char *member, char out[XOS_TOTP_URI_MAX]);

#endif
