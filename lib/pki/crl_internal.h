#ifndef XOS_PKI_CRL_INTERNAL_H
#define XOS_PKI_CRL_INTERNAL_H

/* Between crl.c and crl_read.c only; not a public header. */

#include "pki/crl.h"
#include "pki/der.h"

#define OID_CRL_NUMBER XOS_OID("\x55\x1d\x14")
#define OID_REASON XOS_OID("\x55\x1d\x15")
#define OID_IDP XOS_OID("\x55\x1d\x1c")
#define OID_AKI XOS_OID("\x55\x1d\x23")

/* Is it a reason that a list may carry? 7 is not used, 8 is for delta lists. */
bool crl_reason_ok(uint64_t reason);
/* The key identifier that a certificate states of itself. False if it has none. */
bool crl_key_id(const struct xos_cert *issuer, struct xos_bytes *ski);

#endif
