#include "token/request.h"

#include "base/name.h"
#include "token/claims.h"

#define DOMAIN "xos-token-request-1"
#define DOMAIN_TOTP "xos-token-request-totp-1"
#define SIZE_MAX_REQUEST (64 * 1024)

enum xos_status xos_token_request_digest(const char *vo, struct xos_bytes spki,
    const char *const *roles, size_t nroles, int64_t lifetime, uint8_t out[XOS_SHA256_LEN],
    struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	if (!vo || !xos_name_is_vo(vo) || spki.n == 0 || nroles > XOS_CLAIMS_ROLES_MAX ||
	    lifetime < 0)
		return xos_err_set(err, XOS_MALFORMED, "token-request",
		    "a token is asked for with a VO, a key, at most %d roles and a lifetime",
		    XOS_CLAIMS_ROLES_MAX);
	xos_buf_init(&b, SIZE_MAX_REQUEST);
	xos_buf_put(&b, DOMAIN, sizeof(DOMAIN)); /* with its NUL */
	xos_buf_lp_str(&b, vo);
	xos_buf_lp(&b, spki);
	xos_buf_u32(&b, (uint32_t)nroles);
	for (size_t i = 0; i < nroles; i++)
		xos_buf_lp_str(&b, roles[i]);
	xos_buf_u64(&b, (uint64_t)lifetime);
	st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&b), out);
	if (st != XOS_OK)
		xos_err_set(err, st, "token-request", "the request is too long");
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_token_request_totp(const uint8_t in[XOS_SHA256_LEN], const char *code,
    uint8_t out[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, 256);
	xos_buf_put(&b, DOMAIN_TOTP, sizeof(DOMAIN_TOTP)); /* with its NUL */
	xos_buf_put(&b, in, XOS_SHA256_LEN);
	xos_buf_lp_str(&b, code);
	st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&b), out);
	if (st != XOS_OK)
		xos_err_set(err, st, "token-request", "the request is too long");
	xos_buf_free(&b);
	return st;
}
