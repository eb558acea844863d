#ifndef XOS_PKI_CHAIN_H
#define XOS_PKI_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"

/*
 * Path validation (RFC 5280 section 6, RFC 3820 section 4) through OpenSSL's X509_verify_cert in
 * strict mode, with what it leaves open closed: the algorithm list of key.h on every certificate,
 * an explicit depth, a stated clock skew, and critical extensions of the caller's only where every
 * one is named.
 */
enum xos_chain_purpose { XOS_PURPOSE_ANY, XOS_PURPOSE_TLS_CLIENT, XOS_PURPOSE_TLS_SERVER };

/* Asked for every certificate of the path but the root. OK: not revoked. DENIED or EXPIRED with err
 * filled: refused. Anything else: could not decide, and refused. */
typedef enum xos_status (*xos_revoked_fn)(void *arg, const struct xos_cert *c, struct xos_err *err);

struct xos_chain_opts {
	int64_t now;
	int64_t skew; /* seconds of disagreement between clocks that are tolerated; 0 to 3600 */
	enum xos_chain_purpose purpose;
	bool allow_proxies;
	unsigned max_depth; /* certificates above the leaf, the root included; 0 means 8 */
	const struct xos_bytes
	    *critical; /* OID contents of critical extensions the caller handles */
	size_t ncritical;
	xos_revoked_fn revoked; /* may be NULL */
	void *arg;
};

/* The verified path: leaf first, the root last. Holds references. */
struct xos_path {
	const struct xos_cert *cert[XOS_CHAIN_MAX];
	size_t n;
	int64_t not_before, not_after; /* latest and earliest along the path */
};

void xos_path_clear(struct xos_path *p);

/*
 * presented: leaf first, as the peer sent it; not trusted. issuers: intermediates that we know, not
 * trusted either. roots: the anchors. Fills *out (zeroed or cleared by the caller) on XOS_OK only.
 *
 * EXPIRED, NOT_YET_VALID: a certificate's time (text says by how much, against whose clock).
 * DENIED: untrusted, signature, purpose, name constraint, algorithm, revoked, proxy where none is
 * allowed. MALFORMED: the chain is no chain. The text names the certificate by subject and says
 * what to do.
 */
XOS_MUST_USE enum xos_status xos_chain_verify(const struct xos_chain *presented,
    const struct xos_cert *const *roots, size_t nroots, const struct xos_cert *const *issuers,
    size_t nissuers, const struct xos_chain_opts *opts, struct xos_path *out, struct xos_err *err);

#endif
