#ifndef XOS_CA_NETWORK_ROOT_CRL_H
#define XOS_CA_NETWORK_ROOT_CRL_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"

/*
 * The root's own revocation list, made off line by xos-cad root-crl and put beside root.pem as root.crl: the
 * authority gives it out next to its own. It is read again when the file changed.
 */
struct ca_root_crl;

/* root is borrowed. */
XOS_MUST_USE enum xos_status ca_root_crl_new(
    const char *trust, const struct xos_cert *root, struct ca_root_crl **out, struct xos_err *err);
void ca_root_crl_free(struct ca_root_crl *c);
/* Appends the DER. NOT_FOUND (code "no-root-crl"): there is none, or not one of this root that counts now;
 * the text says what to do. Any thread. */
XOS_MUST_USE enum xos_status ca_root_crl_get(struct ca_root_crl *c, struct xos_buf *der,
    int64_t *this_update, int64_t *next_update, struct xos_err *err);
/* Seconds until it ends; 0: there is none that counts. Any thread. */
int64_t ca_root_crl_left(struct ca_root_crl *c);

#endif
