#ifndef XOS_TOKEN_TRUST_H
#define XOS_TOKEN_TRUST_H

#include <stddef.h>

#include "base/status.h"
#include "pki/cert.h"

/*
 * Whom we trust: one root for each VO name, and issuers that we happen to know (not trusted by
 * themselves: they only help to build paths). Filled once, then read by any number of threads; to
 * reload, make a new one and exchange it.
 */
struct xos_trust;

struct xos_trust *xos_trust_new(void);                      /* NULL if out of memory */
struct xos_trust *xos_trust_ref(const struct xos_trust *t); /* one more owner */
void xos_trust_free(struct xos_trust *t);

/* A self-signed certificate with subject `O=<vo>, CN=<vo> root` and a valid signature. The same
 * again is OK; a different root for a VO that is known is CONFLICT (code "second-root"). */
XOS_MUST_USE enum xos_status xos_trust_add_root(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err);
/* A certificate of an issuer; kept once. */
XOS_MUST_USE enum xos_status xos_trust_add_issuer(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err);
/* Self-signed certificates become roots, other CAs issuers; anything else is refused. */
XOS_MUST_USE enum xos_status xos_trust_add_pem(
    struct xos_trust *t, struct xos_bytes pem, struct xos_err *err);
/* One PEM file, or every *.pem file of a folder, in the order of their names. A folder without any
 * is NOT_FOUND. The folder and its files must not be writable by others than their owner or group
 * root. */
XOS_MUST_USE enum xos_status xos_trust_load(
    struct xos_trust *t, const char *path, struct xos_err *err);

/* NULL if there is none. Borrowed. */
const struct xos_cert *xos_trust_root(const struct xos_trust *t, const char *vo);
size_t xos_trust_vo_count(const struct xos_trust *t);
const char *xos_trust_vo(const struct xos_trust *t, size_t i); /* NULL past the end */
size_t xos_trust_issuer_count(const struct xos_trust *t);
const struct xos_cert *xos_trust_issuer(const struct xos_trust *t, size_t i);

#endif
