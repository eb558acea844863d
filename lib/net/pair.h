#ifndef XOS_NET_PAIR_H
#define XOS_NET_PAIR_H

#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"

/*
 * Certificate and key in two files that are replaced together. New ones are written beside the old
 * as FILE.next, durably, then renamed, key first; xos_tls_pair_load finishes what a crash left in
 * between, so certificate and key belong together after any interruption.
 */
struct xos_tls_pair {
	char *certificate, *key;       /* paths */
	int64_t not_before, not_after; /* of the certificate in use; 0: not read yet */
	int64_t renew_after;           /* half of its life and some chance */
	int64_t retry_after;           /* after a failure; the caller's */
};

/* Copies both paths. */
XOS_MUST_USE enum xos_status xos_tls_pair_init(
    struct xos_tls_pair *p, const char *certificate, const char *key, struct xos_err *err);
void xos_tls_pair_clear(struct xos_tls_pair *p);

/* Keeps other programs from replacing the two meanwhile, by a lock of the key's folder, which death ends too. Waits
 * until then (monotonic milliseconds); UNAVAILABLE "renew-busy". */
XOS_MUST_USE enum xos_status xos_tls_pair_lock(
    const struct xos_tls_pair *p, int64_t until, int *fd, struct xos_err *err);
void xos_tls_pair_unlock(int fd); /* -1 is nothing */

/* Finishes an interrupted replacement, as whoever may write the folders; nothing to do is OK. */
XOS_MUST_USE enum xos_status xos_tls_pair_finish(const struct xos_tls_pair *p, struct xos_err *err);
/* Finishes, reads both into *out (zeroed) and sets the times. */
XOS_MUST_USE enum xos_status xos_tls_pair_load(
    struct xos_tls_pair *p, struct xos_chain *out, struct xos_err *err);
/* Replaces both. fresh: with its key, which must be the leaf's. */
XOS_MUST_USE enum xos_status xos_tls_pair_save(
    const struct xos_tls_pair *p, const struct xos_chain *fresh, struct xos_err *err);

#endif
