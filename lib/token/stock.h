#ifndef XOS_TOKEN_STOCK_H
#define XOS_TOKEN_STOCK_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"

/*
 * A proxy for stock programs (RFC 3820, policy language id-ppl-inheritAll, 3.8.2): it has no extension of ours, so grid
 * software takes it, and it holds no restriction, so verify.h refuses it wherever delegations are taken: it gives
 * nothing at services of the VO. Whether a member may make one is policy's to say (action token.stock); this
 * only makes it.
 */

/*
 * signer: a member's own, unrestricted token with its key: what restricts a robot or a job would hang above this, and who
 * understands it knows delegations, too. spki: from xos_csr_parse. path_len: how many further proxies may follow. until is cut to the token's
 * end. DENIED (code "stock-signer"), EXPIRED, MALFORMED.
 */
XOS_MUST_USE enum xos_status xos_stock_sign(const struct xos_chain *signer, struct xos_bytes spki,
    unsigned path_len, int64_t until, int64_t now, struct xos_cert **out, struct xos_err *err);

#endif
