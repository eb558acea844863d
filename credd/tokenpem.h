#ifndef XOS_CREDD_TOKENPEM_H
#define XOS_CREDD_TOKENPEM_H

#include "base/secret.h"
#include "base/status.h"
#include "pki/cert.h"

/* A token file in memory: certificate, key (PEM), chain, the order that existing grid tools read. LIMIT: it does not fit
 * an answer. */
XOS_MUST_USE enum xos_status xos_credd_token_file(const struct xos_chain *chain,
    struct xos_bytes key, struct xos_secret **pem, struct xos_err *err);

#endif
