#ifndef XOS_API_RCA_PROOF_H
#define XOS_API_RCA_PROOF_H

#include "api/rca.h"

/*
 * What nodes and services sign for xos-rcad, in one form: {"proof": compact JWS, "chain": ["<DER>", ...]}, whose
 * payload has "vo", "aud", "iat", "exp", "jti" and what the type asks for. For lib/api alone.
 */

/* Adds those five to payload, which is taken, signs it with chain's key and gives the body. */
XOS_MUST_USE enum xos_status xos_rca_proof_sign(const char *typ, const char *vo,
    const struct xos_chain *chain, struct xos_json *payload, int64_t now, struct xos_json **body,
    struct xos_err *err);
/* The other half. The payload stays in *out for what the type asks; unknown members are refused by the caller.
 * ended: the chain is judged as it was in the last second of its certificate, which must be over (DENIED
 * "rescue-early" if it is not). */
XOS_MUST_USE enum xos_status xos_rca_proof_open(struct xos_bytes body, const char *typ, bool ended,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err);
/* POST /v1/vo/{vo}/WHAT; an empty answer is refused if answer is not NULL. Takes body. */
XOS_MUST_USE enum xos_status xos_rca_proof_send(struct xos_client *c, const char *vo,
    const char *what, struct xos_json *body, struct xos_json **answer, struct xos_err *err);

#endif
