#ifndef XOS_VOPS_JUDGE_H
#define XOS_VOPS_JUDGE_H

#include "api/evaluations.h"
#include "decide/record.h"
#include "token/verify.h"
#include "vops/view.h"

/*
 * One evaluation after the other, by one view, for one caller. Who is asked about:
 * - by a certificate chain that the request brings, which is verified here: basis "token";
 * - the caller itself, by the certificate of its connection: basis "token";
 * - a member without either, by the membership as it stands, no role active: basis "membership".
 * A member is told about itself and about nobody else; nodes and services about anybody. A judge belongs to one
 * thread at a time.
 */
struct vops_judge;
XOS_MUST_USE enum xos_status vops_judge_new(struct vops_judge **out, struct xos_err *err);
void vops_judge_free(struct vops_judge *j); /* NULL-safe */
/* Where its evaluations are recorded, as far as the log's sample goes; borrowed; NULL: nowhere. Not what searches try. */
void vops_judge_record(struct vops_judge *j, struct xos_decision_log *log);
/* For a new request: by v (one more owner) and for this caller (borrowed). */
void vops_judge_begin(struct vops_judge *j, struct vops_view *v, const struct xos_identity *caller,
    const struct xos_bytes *chain, size_t nchain, const char *id);
void vops_judge_end(struct vops_judge *j);

struct vops_verdict {
	bool permitted, undecided;
	const char *basis; /* NULL: nobody was found */
};
struct vops_told {
	bool brief;
	const char *const *ignored;
	size_t nignored;
};
/*
 * Decides and appends the answer to out (NULL: it is not told). XOS_OK for every verdict. MALFORMED: a chain that is
 * none, a subject that is not the chain's; DENIED: the caller may not ask this.
 */
XOS_MUST_USE enum xos_status vops_judge_decide(struct vops_judge *j, struct xos_decision_request *r,
    const struct vops_told *told, struct xos_buf *out, struct vops_verdict *v, struct xos_err *err);

/*
 * For searches, which ask again and again with one thing changed: the subject of r once, then only this action,
 * this place, or this member of the view's membership (each NULL: as r says).
 */
struct vops_candidate {
	const char *action;
	const struct vops_place *place;
	const struct xos_membership_member *member;
};
XOS_MUST_USE enum xos_status vops_judge_try(struct vops_judge *j, struct xos_decision_request *r,
    const struct vops_candidate *c, struct vops_verdict *v, struct xos_err *err);

#endif
