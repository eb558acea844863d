#ifndef XOS_PKI_ISSUE_INTERNAL_H
#define XOS_PKI_ISSUE_INTERNAL_H

/* Encoding of certificates, shared between the issue_*.c files only; not a public header. */

#include "pki/der.h"
#include "pki/internal.h"
#include "pki/issue.h"

#define SKI_LEN 20

/* subjectKeyIdentifier: the leftmost 160 bits of SHA-256 of the key's bits (RFC 7093 method 1). */
bool issue_ski(struct xos_bytes spki, uint8_t out[SKI_LEN]);

/* Is everything in what encodable? Names, lists, sizes. */
enum xos_status issue_check(const struct xos_issue *what, struct xos_err *err);

void issue_put_name(struct xos_der *w, const struct xos_rdn *rdn, size_t n);
void issue_put_rdn(struct xos_der *w, const struct xos_rdn *rdn);
void issue_put_validity(struct xos_der *w, int64_t not_before, int64_t not_after);
/* The extensions of a certificate with this serial, with their [3]. aki: the issuer's key identifier; NONE in a
 * root. */
void issue_put_exts(struct xos_der *w, const struct xos_issue *what, struct xos_bytes serial,
    const uint8_t ski[SKI_LEN], struct xos_bytes aki);
void issue_put_proxy_exts(struct xos_der *w, const struct xos_issue_proxy *what,
    const uint8_t ski[SKI_LEN], struct xos_bytes aki);

#endif
