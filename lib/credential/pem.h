#ifndef XOS_CREDENTIAL_PEM_H
#define XOS_CREDENTIAL_PEM_H

#include "base/bytes.h"
#include "base/status.h"

/* Certificates between PEM (RFC 7468) and DER, without a look into them. */
#define XOS_PEM_CERTS_MAX 16

/* Appends one block of 64 columns. */
void xos_pem_write(struct xos_buf *out, struct xos_bytes der);
/* The certificates of text, in order, at most XOS_PEM_CERTS_MAX, at least one; text between the blocks is passed over,
 * other blocks (a private key) are MALFORMED. cert[] points into memory, which the caller initialised and frees. */
XOS_MUST_USE enum xos_status xos_pem_read(struct xos_bytes text, struct xos_buf *memory,
    struct xos_bytes cert[XOS_PEM_CERTS_MAX], size_t *n, struct xos_err *err);

#endif
