#ifndef XOS_CREDD_RENEW_H
#define XOS_CREDD_RENEW_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"

/*
 * Certificate and key in two files that are replaced together. New ones are written beside the old
 * as FILE.next, durably, then renamed, key first; xos_credd_pair_load finishes what a crash left in
 * between, so certificate and key belong together after any interruption.
 */
struct xos_credd_pair {
	char *certificate, *key;       /* paths */
	int64_t not_before, not_after; /* of the certificate in use; 0: not read yet */
	int64_t renew_after;           /* half of its life and some chance */
	int64_t retry_after;           /* after a failure */
};

#define XOS_CREDD_PAIRS_MAX 16

/* "CERT:KEY, CERT:KEY" (absolute paths). *n grows by what was added. MALFORMED: not of that form. */
XOS_MUST_USE enum xos_status xos_credd_pairs_parse(
    const char *list, struct xos_credd_pair *pairs, size_t *n, struct xos_err *err);
/* Copies both paths. */
XOS_MUST_USE enum xos_status xos_credd_pair_init(
    struct xos_credd_pair *p, const char *certificate, const char *key, struct xos_err *err);
void xos_credd_pair_clear(struct xos_credd_pair *p);

/* Finishes an interrupted replacement, reads both into *out (zeroed) and sets the times. */
XOS_MUST_USE enum xos_status xos_credd_pair_load(
    struct xos_credd_pair *p, struct xos_chain *out, struct xos_err *err);
/* Replaces both. fresh: with its key, which must be the leaf's. */
XOS_MUST_USE enum xos_status xos_credd_pair_save(
    const struct xos_credd_pair *p, const struct xos_chain *fresh, struct xos_err *err);

#endif
