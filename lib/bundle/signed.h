#ifndef XOS_BUNDLE_SIGNED_H
#define XOS_BUNDLE_SIGNED_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * What all signed objects of this room share: who may sign them, and when they count.
 *
 * Each object is a JWS (pki/jws.h) whose type binds the purpose. Its payload is a JSON object with
 * exactly the members stated in docs/protocols/README.md: an unknown, a missing or a doubled member
 * is MALFORMED. Times are RFC 3339 in UTC.
 */
enum xos_signer {
	XOS_SIGNER_POLICY, /* the VO's policy signing certificate */
	XOS_SIGNER_CA,     /* the issuer of user tokens */
	XOS_SIGNER_RCA     /* the issuer of nodes and services */
};
const char *xos_signer_name(enum xos_signer s); /* "policy", "ca", "rca" */

/*
 * Is cert, now, a certificate of that signer in this VO, by a valid path to the VO's pinned root?
 * Supplied by whoever knows kinds (api/vops.h has the one to use). Returns XOS_OK for yes and for
 * nothing else; what it is given stands in the object that is being verified and proves nothing.
 */
typedef enum xos_status (*xos_signer_fn)(void *arg, enum xos_signer want, const char *vo,
    const struct xos_cert *cert, int64_t now, struct xos_err *err);

/* May cert, a signer by the function above, have signed what says that it was issued then? */
typedef enum xos_status (*xos_signed_at_fn)(
    void *arg, const char *vo, const struct xos_cert *cert, int64_t issued, struct xos_err *err);

struct xos_bundle_trust {
	const char *vo;
	xos_signer_fn signer;
	xos_signed_at_fn signed_at; /* NULL: whenever */
	void *arg;
	int64_t now;
	int64_t skew; /* seconds by which an object may be issued in the future, 0 to 3600 */
};

/* Certificates that may have signed: issuers as known or as presented, never trusted by being here. */
struct xos_bundle_certs {
	const struct xos_cert *const *cert;
	size_t n;
};

#define XOS_BUNDLE_SKEW 300               /* a fair value for skew */
#define XOS_BUNDLE_LIFE_MAX (400 * 86400) /* longest validity of a signed object, seconds */

/* OK, NOT_YET_VALID or EXPIRED (codes "object-not-yet-valid", "object-expired"; text says by how
 * much), MALFORMED if expires is not after issued. what is for messages: "the roster". */
XOS_MUST_USE enum xos_status xos_signed_check_times(const char *what, int64_t issued,
    int64_t expires, int64_t now, int64_t skew, struct xos_err *err);

/*
 * Opens a JWS of this type signed by one of certs, asks trust->signer about that certificate, and
 * appends the payload to out. *who (may be NULL) borrows the certificate from certs. DENIED with
 * code "foreign-signer" if none of them signed it or it may not.
 */
XOS_MUST_USE enum xos_status xos_signed_open(const char *typ, struct xos_bytes compact,
    enum xos_signer want, const struct xos_bundle_certs *certs,
    const struct xos_bundle_trust *trust, struct xos_buf *out, const struct xos_cert **who,
    struct xos_err *err);

#endif
