#ifndef XOS_API_CHAINJSON_H
#define XOS_API_CHAINJSON_H

#include "json/json.h"
#include "pki/cert.h"

/* Certificates in JSON: an array of base64 DER, leaf first. A key in the chain is never written. */
void xos_chain_to_json(struct xos_json *obj, const char *key, const struct xos_chain *chain);
/* Borrows nothing; *out is zeroed by the caller or cleared before. At least one certificate. */
XOS_MUST_USE enum xos_status xos_chain_from_json(
    const struct xos_json *obj, const char *key, struct xos_chain *out, struct xos_err *err);

#endif
