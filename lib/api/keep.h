#ifndef XOS_API_KEEP_H
#define XOS_API_KEEP_H

#include "api/rca.h"

/*
 * How nodes and services keep their certificates at xos-rcad, beyond renewal (api/rca.h). Each body has the form
 * of a renewal's, with a type of its own:
 *
 *   POST /v1/vo/{vo}/confirm  xos-confirm+jws, by the new key -> nothing: the new certificate is in use. From now on
 *                             its predecessor renews no more, and a use of the predecessor's key is a second one.
 *   POST /v1/vo/{vo}/rescue   xos-rescue+jws, payload as a renewal's, by the key of a certificate that has ended ->
 *                             {"chain"}; over TLS without client certificate, since TLS takes no ended one.
 */
#define XOS_RCA_CONFIRM_TYP "xos-confirm+jws"
#define XOS_RCA_RESCUE_TYP "xos-rescue+jws"

XOS_MUST_USE enum xos_status xos_rca_confirm(
    struct xos_client *c, const char *vo, const struct xos_chain *own, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_rca_confirm_sign(const char *vo, const struct xos_chain *own,
    int64_t now, struct xos_json **body, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_rca_confirm_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err);

/* As xos_rca_renew, for a certificate that has ended. DENIED "rescue-early" if it has not. */
XOS_MUST_USE enum xos_status xos_rca_rescue(struct xos_client *c, const char *vo,
    const struct xos_chain *old, const struct xos_key *fresh, struct xos_chain *out,
    struct xos_err *err);
XOS_MUST_USE enum xos_status xos_rca_rescue_sign(const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err);
/* The chain is judged as of its end. Whether the owner allows it, and for how long, is the caller's. */
XOS_MUST_USE enum xos_status xos_rca_rescue_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err);

#endif
