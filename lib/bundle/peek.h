#ifndef XOS_BUNDLE_PEEK_H
#define XOS_BUNDLE_PEEK_H

#include "bundle/archive.h"
#include "bundle/locks.h"

/*
 * What a bundle says of itself, proven by nobody: for the policy service, which had it signed, to know what it gives out.
 * For anything else: bundle.h.
 */
struct xos_bundle_sight {
	uint64_t serial, vo_set;
	int64_t issued, expires;
	char (*lock)[XOS_LOCK_ID_MAX + 1]; /* ids of all locks, ascending; owned */
	size_t nlocks;
};

/* *out is zeroed by the caller, who clears it. */
XOS_MUST_USE enum xos_status xos_bundle_peek(
    const struct xos_archive *a, struct xos_bundle_sight *out, struct xos_err *err);
void xos_bundle_sight_clear(struct xos_bundle_sight *s);
bool xos_bundle_sight_lock(const struct xos_bundle_sight *s, const char *id);

#endif
