#ifndef XOS_VOPS_WHO_H
#define XOS_VOPS_WHO_H

#include "api/evaluations.h"
#include "token/verify.h"
#include "vops/view.h"

/* Whom a decision is about, after verification. Kept while the same is asked about. */
struct vops_who {
	const char *basis;               /* "token", "membership"; NULL: nobody was found */
	struct xos_known *known;         /* of a token */
	const struct xos_claims *claims; /* what counts */
	const char *serial;              /* of the token; NULL: none */
	struct xos_claims member;        /* by membership; borrows from the view */
	const char *const *held;         /* roles, for the way out */
	size_t nheld;
	/* Nothing may be granted, whatever the sets say: DENIED, EXPIRED, UNAVAILABLE ... and why. */
	struct xos_err refused;
	struct xos_policy_interned_subject *interned; /* made when the same is asked about again */
};

/* Who asks. Borrowed. */
struct vops_caller {
	const struct xos_identity *id;
	const struct xos_bytes *chain;
	size_t nchain;
};

/*
 * OK also for one that is refused (who->refused says so); MALFORMED and DENIED as vops_judge_decide. s: the subject
 * as the request names it. Clears what was in who.
 */
XOS_MUST_USE enum xos_status vops_who_find(struct vops_view *v, const struct vops_caller *caller,
    const struct xos_decision_request *r, int64_t now, struct vops_who *who, struct xos_err *err);
/* A member of the view's membership. */
void vops_who_member(
    struct vops_view *v, const struct xos_membership_member *m, int64_t now, struct vops_who *who);
void vops_who_clear(struct vops_who *who);

#endif
