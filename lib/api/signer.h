#ifndef XOS_API_SIGNER_H
#define XOS_API_SIGNER_H

#include "bundle/signed.h"
#include "token/trust.h"

/*
 * Who may sign what reaches the nodes, by the kinds of lib/token. Fits xos_signer_fn: arg is a
 * const struct xos_trust * with the VO's pinned root. The policy key needs an end-entity certificate
 * of kind policy, made by the root itself; ca and rca are issuers that the root made, whose marker
 * names the VO and kind user, or node or service. DENIED with code "foreign-signer" or that of the
 * verification.
 */
enum xos_status xos_api_signer(void *arg, enum xos_signer want, const char *vo,
    const struct xos_cert *cert, int64_t now, struct xos_err *err);

/* Fits xos_signed_at_fn with the same arg: a signer that the VO's trust list calls tainted has signed nothing new.
 * DENIED "issuer-tainted". */
enum xos_status xos_api_signed_at(
    void *arg, const char *vo, const struct xos_cert *cert, int64_t issued, struct xos_err *err);

#endif
