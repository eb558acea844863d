#ifndef XOS_AUTH_HTTP_H
#define XOS_AUTH_HTTP_H

#include <stdbool.h>

#include "auth/scram.h"
#include "base/bytes.h"
#include "base/status.h"

/*
 * SCRAM in HTTP headers (RFC 7804):
 *   Authorization: SCRAM-SHA-256 realm="demo",data=<base64>        first message
 *   Authorization: SCRAM-SHA-256 sid=<id>,data=<base64>            final message
 *   WWW-Authenticate: SCRAM-SHA-256 realm="demo",sid=<id>,data=... server's first (401)
 *   WWW-Authenticate: SCRAM-SHA-256 realm="demo"                   what is asked for (401)
 *   Authentication-Info: sid=<id>,data=<base64>                    server's final (200)
 */
#define XOS_SCRAM_SCHEME "SCRAM-SHA-256"
#define XOS_SCRAM_SID_MAX 64
#define XOS_SCRAM_REALM_MAX 31
#define XOS_SCRAM_HEADER_MAX 2048

struct xos_scram_header {
	char realm[XOS_SCRAM_REALM_MAX + 1]; /* "" if absent */
	char sid[XOS_SCRAM_SID_MAX + 1];     /* [A-Za-z0-9-], "" if absent */
	uint8_t data[XOS_SCRAM_MESSAGE_MAX];
	size_t ndata; /* 0 if absent */
};

/*
 * Parses a field value. scheme: whether "SCRAM-SHA-256 " precedes the parameters (all but
 * Authentication-Info). Strict: known parameters once each, values in their own alphabets, data as
 * padded base64 with or without quotes, nothing after the last. Parameters that we do not know are
 * skipped if they are well formed (RFC 7235). MALFORMED with code "scram-header"; *out is then zero.
 */
XOS_MUST_USE enum xos_status xos_scram_header_parse(
    const char *value, bool scheme, struct xos_scram_header *out, struct xos_err *err);
/* Appends a field value that the parser takes. INTERNAL if a field of h is not of its alphabet. */
XOS_MUST_USE enum xos_status xos_scram_header_format(
    const struct xos_scram_header *h, bool scheme, struct xos_buf *out);

#endif
