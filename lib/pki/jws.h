#ifndef XOS_PKI_JWS_H
#define XOS_PKI_JWS_H

#include "base/bytes.h"
#include "base/status.h"
#include "pki/key.h"

/*
 * JWS compact serialisation (RFC 7515) with ES256 (RFC 7518) alone and one form of protected
 * header:
 *
 *   {"alg":"ES256","kid":"<base64url of SHA-256 of the SPKI>","typ":"<typ>"}
 *
 * The verifier builds the header that must stand there from the key and the type that it expects
 * and compares bytes: no parser and no choice of algorithm touches what is not verified yet. typ
 * binds the purpose ("xos-policy-set+jws"); audience and time belong in the payload. Any standard
 * verifier accepts the result. See docs/decisions/jws-one-header.md.
 */
#define XOS_JWS_KID_TEXT 44 /* 43 characters and NUL */
#define XOS_JWS_TYP_MAX 64  /* [a-z0-9+.-] */
#define XOS_JWS_MAX (16 * 1024 * 1024)

/* The key identifier used in headers. */
void xos_jws_kid(const struct xos_key *key, char out[XOS_JWS_KID_TEXT]);
/* Appends the compact form to out. key: private, P-256. */
XOS_MUST_USE enum xos_status xos_jws_sign(const struct xos_key *key, const char *typ,
    struct xos_bytes payload, struct xos_buf *out, struct xos_err *err);
/* Appends the payload to out, after everything was verified. DENIED: another key or type (code
 * "jws-header"), wrong signature ("signature"); MALFORMED: not of the form. */
XOS_MUST_USE enum xos_status xos_jws_verify(const struct xos_key *key, const char *typ,
    struct xos_bytes compact, struct xos_buf *out, struct xos_err *err);
/* The key identifier that the header claims, to look the key up. Not verified: xos_jws_verify is
 * what counts. MALFORMED unless the header has the one form with this typ. */
XOS_MUST_USE enum xos_status xos_jws_peek_kid(
    const char *typ, struct xos_bytes compact, char out[XOS_JWS_KID_TEXT], struct xos_err *err);

#endif
