#ifndef XOS_API_CAD_RENEW_H
#define XOS_API_CAD_RENEW_H

#include <stdint.h>

#include "api/cad.h"

/*
 * Renewal: a member who has an unexpired token gets another one for a new key without proving a password
 * again; the old token's key signs the whole request. Both halves.
 *
 *   POST /v1/vo/{vo}/renew   {"request": {csr, roles, lifetime}, "proof": "<JWS>", "chain": ["<DER>", ...]}
 *   payload of the JWS: {"vo", "aud", "request": {csr, roles, lifetime}, "iat", "exp", "jti"}
 *
 * The request stands there twice: the signed one is what the auth process goes by, the other is for the
 * key process, which compares their digests. Not here: jti once, standing, how long after the
 * authentication; and that no role is new.
 */
#define XOS_CAD_RENEWAL_TYP "xos-token-renewal+jws"
#define XOS_CAD_RENEWAL_AUD "ca"
#define XOS_CAD_RENEWAL_LIFE 120          /* seconds that our client gives one */
#define XOS_CAD_RENEWAL_LIFE_MAX 300      /* longest that a server accepts */
#define XOS_CAD_RENEWAL_SKEW 300          /* between the signer's clock and ours */
#define XOS_CAD_RENEWAL_MAX (1024 * 1024) /* bytes of the body */

/* old: the token's chain with its key. request: with the CSR of the new key. Gives the body. */
XOS_MUST_USE enum xos_status xos_cad_renewal_sign(const char *vo, const struct xos_chain *old,
    const struct xos_cad_request *request, int64_t now, struct xos_json **body,
    struct xos_err *err);

struct xos_cad_renewal {
	struct xos_identity *who;       /* verified: a member acting directly */
	struct xos_cad_request request; /* the signed one */
	uint8_t digest[XOS_SHA256_LEN]; /* of it */
	char jti[33];
	int64_t exp;
};
void xos_cad_renewal_free(struct xos_cad_renewal *r);
/*
 * From the bytes of {"proof", "chain"}: the chain (kind user, no delegation, not expired at now), the signature by its
 * key, audience, VO, times, and a CSR that proves its key, which is not the old one. *out only on XOS_OK.
 * Codes: "renewal-audience", "renewal-time", "renewal-key", those of verify.h, jws.h and csr.h.
 */
XOS_MUST_USE enum xos_status xos_cad_renewal_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_cad_renewal **out,
    struct xos_err *err);

/* The client's whole side, as xos_cad_login: login->password is not used. DENIED "renewal-end": the
 * authentication is too long ago. */
XOS_MUST_USE enum xos_status xos_cad_renew(struct xos_client *client,
    const struct xos_cad_login *login, const struct xos_chain *old,
    struct xos_cad_login_result *out, struct xos_err *err);

#endif
