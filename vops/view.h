#ifndef XOS_VOPS_VIEW_H
#define XOS_VOPS_VIEW_H

#include <pthread.h>
#include <stdatomic.h>

#include "bundle/membership.h"
#include "decide/known.h"
#include "decide/standing.h"
#include "policy/decide.h"
#include "token/trust.h"
#include "vops/handover.h"

/*
 * What the policy service decides by at one moment: all sets, the roster, the locks and the membership. Immutable
 * once made, and counted: a request that began with one view ends with it. Parts that did not change go
 * from one view to the next without being parsed again.
 */
struct vops_part {
	atomic_uint refs;
	uint8_t kind; /* enum vops_part_kind */
	char name[VOPS_PART_NAME_MAX + 1];
	uint64_t tag;      /* of its contents */
	int64_t not_after; /* of a set; 0: as long as it is here */
	struct xos_policy_set *set;
	struct xos_roster *roster;
	struct xos_locks *locks;
	struct xos_membership *membership;
};

/* Takes the contents apart; signed lists are verified. */
XOS_MUST_USE enum xos_status vops_part_new(uint8_t kind, const char *name, uint64_t tag,
    int64_t not_after, struct xos_bytes content, const struct xos_trust *trust, const char *vo,
    struct vops_part **out, struct xos_err *err);
struct vops_part *vops_part_ref(struct vops_part *p);
void vops_part_unref(struct vops_part *p); /* NULL-safe */

struct vops_place {
	const char *site, *node; /* borrowed from the set; node NULL: the site itself */
};

struct vops_view {
	atomic_uint refs;
	char vo[XOS_VO_MAX + 1];
	struct vops_part **parts;
	size_t nparts;
	struct xos_policy *policy; /* never NULL; without parts it refuses everything */
	struct xos_trust *trust;
	const struct xos_roster
	    *roster; /* borrowed from the parts, as are the next; NULL: none yet */
	const struct xos_locks *locks[2];
	const struct xos_membership *membership;
	struct vops_place *sites, *nodes; /* that the site sets declare, by name */
	size_t nsites, nnodes;
	int64_t until; /* the first end of a signed list */
	const char *until_what;
	struct xos_known_cache *cache; /* of verified chains; under lock */
	pthread_mutex_t lock;
};

/* Takes parts (the array and one reference each), also when it fails. */
XOS_MUST_USE enum xos_status vops_view_new(const char *vo, const struct xos_trust *trust,
    struct vops_part **parts, size_t n, struct vops_view **out, struct xos_err *err);
struct vops_view *vops_view_ref(struct vops_view *v);
void vops_view_unref(struct vops_view *v); /* NULL-safe */

/* OK; else UNAVAILABLE with a sentence: something is missing, or has ended. */
XOS_MUST_USE enum xos_status vops_view_usable(
    const struct vops_view *v, int64_t now, struct xos_err *err);
/* Only of a view that has a roster. */
struct xos_standing vops_view_standing(const struct vops_view *v);
/*
 * The chain verified, from the cache if it is known there; *out is one more owner's. No delegation is refused for
 * its node here. digest: what the cache goes by.
 */
XOS_MUST_USE enum xos_status vops_view_known(struct vops_view *v, const struct xos_bytes *chain,
    size_t n, const uint8_t digest[XOS_SHA256_LEN], int64_t now, struct xos_known **out,
    struct xos_err *err);

#endif
