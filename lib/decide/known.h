#ifndef XOS_DECIDE_KNOWN_H
#define XOS_DECIDE_KNOWN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "local/message.h"
#include "pki/digest.h"
#include "policy/set.h"
#include "token/verify.h"

/* Seconds by which clocks may disagree when a chain is verified. */
#define XOS_KNOWN_SKEW 60

/* A verified chain with its restrictions decoded; never changes. */
struct xos_known {
	struct xos_identity *id;
	struct xos_policy_set *restriction[XOS_DELEGATION_DEPTH_MAX + 1];
	size_t nrestrictions;
	atomic_uint refs;
	/* "<vo>:<member>", "node:<vo>:<host>", "service:<vo>:<kind>/<host>" */
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
};

/*
 * Verifies a chain of a member, with delegations, or of a node or service, which has none; every
 * restriction decoded or the chain is refused (DENIED, code "restriction"). A delegation that does not reach `node` is
 * DENIED with code "wrong-node"; with NULL for node, whoever decides looks at the last step.
 */
XOS_MUST_USE enum xos_status xos_known_make(const struct xos_trust *trust, const char *vo,
    const char *node, const struct xos_bytes *chain, size_t n, int64_t now, struct xos_known **out,
    struct xos_err *err);
/* Counted; the last owner frees. Any thread. */
struct xos_known *xos_known_ref(struct xos_known *k);
void xos_known_free(struct xos_known *k);
/* Still within its times? EXPIRED or NOT_YET_VALID as xos_token_verify would say. */
XOS_MUST_USE enum xos_status xos_known_current(
    const struct xos_known *k, int64_t now, struct xos_err *err);
/* What the cache goes by: SHA-256 over the certificates, each with its length, in order. */
XOS_MUST_USE enum xos_status xos_known_digest(
    const struct xos_bytes *chain, size_t n, uint8_t out[XOS_SHA256_LEN]);

/*
 * The last verified chains, at most max of them; the one not used for longest goes first. Only
 * chains that verified are kept, so garbage cannot push out what is in use without keys that are
 * good for something. Cleared whenever trust or bundle change.
 */
struct xos_known_cache;
XOS_MUST_USE enum xos_status xos_known_cache_new(
    size_t max, struct xos_known_cache **out, struct xos_err *err);
void xos_known_cache_free(struct xos_known_cache *c);
void xos_known_cache_clear(struct xos_known_cache *c);
/* Borrowed until the next put or clear; NULL: not there. */
struct xos_known *xos_known_cache_get(
    struct xos_known_cache *c, const uint8_t digest[XOS_SHA256_LEN]);
/* Takes k and gives it back, borrowed as above. */
const struct xos_known *xos_known_cache_put(
    struct xos_known_cache *c, const uint8_t digest[XOS_SHA256_LEN], struct xos_known *k);
size_t xos_known_cache_count(const struct xos_known_cache *c);

#endif
