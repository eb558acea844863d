#ifndef XOS_VOPS_CHANGES_H
#define XOS_VOPS_CHANGES_H

#include "vops/auth.h"

/*
 * Changes of the VO's policy, which a VO may want to be approved by a second administrator: a set pushed, an older
 * one put back, a planned one cancelled, the rule itself turned off. Each is read and checked as a whole before anything
 * is stored, when it is proposed and once more when it is approved.
 */
struct vops_change {
	const char *verb; /* "policy.push", "policy.rollback", "policy.cancel", "policy.review" */
	const struct xos_json *args;
	const char *author, *approver; /* approver NULL: nobody was needed */
	int64_t now;
};

/* Does it, unless by the VO's rule it needs a second administrator: then *review is set, all was checked, nothing has
 * changed, and *result tells what it would do. */
XOS_MUST_USE enum xos_status vops_change_try(struct vops_auth *a, const struct vops_change *c,
    bool *review, struct xos_json **result, struct xos_err *err);
/* Checks and does it, as one that was approved. */
XOS_MUST_USE enum xos_status vops_change_do(struct vops_auth *a, const struct vops_change *c,
    struct xos_json **result, struct xos_err *err);

/* The verbs (review.c): changes proposed or done, proposals told, approved, rejected. */
enum xos_status vops_review_change(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_review_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_review_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_review_approve(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_review_reject(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);

#endif
