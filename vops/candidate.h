#ifndef XOS_VOPS_CANDIDATE_H
#define XOS_VOPS_CANDIDATE_H

#include "vops/auth.h"

/*
 * A set of the VO that is to come into force, tried before it does: whether it loads together with all other sets, whether the
 * VO's cases and those that came with it pass (cases.h), and whether the nodes that it speaks about know what it names
 * (abilities.h).
 */
struct vops_candidate {
	struct xos_policy_set *set;
	struct xos_bytes text;        /* it was parsed from */
	const struct xos_json *cases; /* [{"name", "text"}], or NULL */
	bool force;                   /* whatever nodes say they lack */
	int64_t now;
};
/* As xos_policy_new and the two rooms named above. */
XOS_MUST_USE enum xos_status vops_candidate_check(
    struct vops_auth *a, const struct vops_candidate *c, struct xos_err *err);

#endif
