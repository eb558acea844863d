#ifndef XOS_TOKEN_REQUEST_H
#define XOS_TOKEN_REQUEST_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * What a log-in binds: SHA-256 over a domain separator, the VO, the key's SPKI, the roles in order
 * and the lifetime, each with its length before it. SCRAM carries it as channel-binding data under
 * this name, so that whoever stands between member and authority can swap neither key nor roles nor
 * lifetime.
 */
#define XOS_REQUEST_BINDING "xos-token-request"

XOS_MUST_USE enum xos_status xos_token_request_digest(const char *vo, struct xos_bytes spki,
    const char *const *roles, size_t nroles, int64_t lifetime, uint8_t out[XOS_SHA256_LEN],
    struct xos_err *err);
/*
 * With the code of a second factor: SHA-256 over another separator, the digest above and the code. So the code is
 * bound to the request, and whoever has digest and code can compute it without the request. in and out may be
 * the same.
 */
XOS_MUST_USE enum xos_status xos_token_request_totp(const uint8_t in[XOS_SHA256_LEN],
    const char *code, uint8_t out[XOS_SHA256_LEN], struct xos_err *err);

#endif
