#ifndef XOS_VOPS_SEARCH_H
#define XOS_VOPS_SEARCH_H

#include "vops/judge.h"

/*
 * The three searches of AuthZEN: candidates one after the other, those permitted are told. Candidates are the members of
 * the membership, the sites and nodes that site sets declare, the actions of the schema. A request tries at most
 * VOPS_SEARCH_WORK of them and then gives a token for the rest, so a page may be short, or empty, and not the last.
 */
#define VOPS_SEARCH_WORK 20000u

/* Page tokens are good for the same caller and request only, as long as this process lives. */
struct vops_search_key {
	uint8_t bytes[32];
};

XOS_MUST_USE enum xos_status vops_search(struct vops_judge *j, struct vops_view *v,
    const struct vops_search_key *key, const struct xos_identity *caller, enum xos_search what,
    struct xos_evaluations *e, struct xos_buf *out, struct xos_err *err);

#endif
