#ifndef XOS_API_RCA_ADMISSION_H
#define XOS_API_RCA_ADMISSION_H

#include "api/rca.h"

/*
 * xos-rcad, about who comes in and goes: owners' terms, joining by a code, leaving. docs/protocols/README.md has the
 * table.
 */

/* --- terms --- */

/* PUT of compact xos-admission+jws (bundle/admission.h). */
XOS_MUST_USE enum xos_status xos_rca_terms_put(struct xos_client *c, const char *vo,
    const char *site, struct xos_bytes compact, struct xos_err *err);

/* --- joining by a code --- */

#define XOS_RCA_CODE_MAX 64 /* bytes that may be typed for one */

/* POST of {"application": {...}, "code": "..."}: admitted at once, id as of xos_rca_apply. DENIED "join-code", LIMIT
 * "join-throttled". The code is borrowed. */
XOS_MUST_USE enum xos_status xos_rca_join(struct xos_client *c, const char *vo,
    const struct xos_rca_application *a, struct xos_secret *code, char id[XOS_RCA_ID_LEN + 1],
    struct xos_err *err);
/* Server half: from the body, strictly. */
XOS_MUST_USE enum xos_status xos_rca_join_decode(struct xos_bytes body,
    struct xos_rca_application **a, char code[XOS_RCA_CODE_MAX + 1], struct xos_err *err);

/* --- leaving --- */

/*
 * A node takes its leave, once and for good:
 *
 *   POST /v1/vo/{vo}/leave   {"proof": "<xos-leave+jws>", "chain": ["<DER>", ...]}
 *   payload {"vo", "aud": "rca", "iat", "exp", "jti"}, signed by the key of the node's certificate
 */
#define XOS_RCA_LEAVE_TYP "xos-leave+jws"
#define XOS_RCA_LEAVE_LIFE 300 /* seconds */

/* own: the node's chain with its key. */
XOS_MUST_USE enum xos_status xos_rca_leave(
    struct xos_client *c, const char *vo, const struct xos_chain *own, struct xos_err *err);
/* The body that xos_rca_leave sends, for tests and other carriers. */
XOS_MUST_USE enum xos_status xos_rca_leave_sign(const char *vo, const struct xos_chain *own,
    int64_t now, struct xos_json **body, struct xos_err *err);

struct xos_rca_leave {
	char node[XOS_NODE_MAX + 1];
	char serial[XOS_SERIAL_TEXT]; /* of the certificate that proved it */
	char jti[33];
	int64_t exp;
};
/* Server half: chain (a node's own, not expired), signature by its key, VO, audience, times. Whether it was seen
 * before is the caller's. */
XOS_MUST_USE enum xos_status xos_rca_leave_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_leave *out,
    struct xos_err *err);

#endif
