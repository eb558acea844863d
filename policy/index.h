#ifndef XOS_POLICY_INDEX_H
#define XOS_POLICY_INDEX_H

#include "policy/decide.h"
#include "policy/eval.h"

/*
 * Private to policy/: which statements can concern a request. The index only ever leaves out
 * statements that cannot apply; what it finds is evaluated in full, so that a collision of hashes
 * costs time and nothing else.
 *
 * A VO's set is indexed by action and who, a site's or node's by action and the narrowest resource.
 */
struct xos_policy_bucket {
	uint64_t key;
	uint32_t first, count; /* in entries */
};

struct xos_policy_scope { /* one set, compiled */
	struct xos_policy_set *set;
	int64_t not_before, not_after;
	struct xos_policy_bucket *buckets; /* open addressing; count 0: free */
	size_t mask;
	uint32_t *entries; /* statements, by position in the set */
};

XOS_MUST_USE enum xos_status xos_policy_scope_build(
    struct xos_policy_scope *scope, const struct xos_policy_set *set);
void xos_policy_scope_clear(struct xos_policy_scope *scope);

/* The buckets that concern a request, each once, in *out (from m). False: out of memory. */
bool xos_policy_scope_find(const struct xos_policy_scope *scope, const struct xos_policy_eval *e,
    struct xos_policy_memory *m, const struct xos_policy_bucket ***out, size_t *n);

struct xos_policy {
	atomic_uint refs;
	struct xos_policy_scope *scopes; /* sorted by level and name */
	size_t n;
};

const struct xos_policy_scope *xos_policy_find_scope(
    const struct xos_policy *p, enum xos_policy_level level, const char *name);

#endif
