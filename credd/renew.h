#ifndef XOS_CREDD_RENEW_H
#define XOS_CREDD_RENEW_H

#include <stddef.h>

#include "base/status.h"
#include "net/pair.h"

#define XOS_CREDD_PAIRS_MAX 16

/* The setting `renew`: "CERT:KEY, CERT:KEY" (absolute paths). *n grows by what was added. MALFORMED: not of
 * that form. */
XOS_MUST_USE enum xos_status xos_credd_pairs_parse(
    const char *list, struct xos_tls_pair *pairs, size_t *n, struct xos_err *err);

#endif
