#ifndef XOS_CREDD_CREDENTIALS_H
#define XOS_CREDD_CREDENTIALS_H

#include "credd/ops.h"
#include "credd/pick.h"

/*
 * The operations on credentials, 60 to 68 (docs/protocols/credential.md). The peer's uid is the boundary: each works on
 * what that uid has and on nothing else. Whatever is given out or used is judged again first: locks and ends come after
 * acceptance.
 */

/* As a xos_credd_handler answers. */
XOS_MUST_USE enum xos_status xos_credd_credentials(
    const struct xos_credd_asked *a, struct xos_err *err);

/* A credential with what is needed to use it. */
struct xos_credd_usable {
	struct xos_credd_picked picked;
	struct xos_bytes chain[XOS_CHAIN_MAX];
	size_t n;
	struct xos_bytes key; /* PEM, in secret memory */
	const struct xos_known *known;
};
/* Picks and judges. EXPIRED, DENIED (locked, roster, ...) as for any chain. Borrowed. */
XOS_MUST_USE enum xos_status xos_credd_usable(const struct xos_credd_asked *a, const char *id,
    struct xos_credd_usable *out, struct xos_err *err);

/* JSON of operation list, into plain. */
XOS_MUST_USE enum xos_status xos_credd_credentials_list(
    const struct xos_credd_asked *a, struct xos_err *err);
/* Operation delegate. */
XOS_MUST_USE enum xos_status xos_credd_credentials_delegate(
    const struct xos_credd_asked *a, struct xos_err *err);

#endif
