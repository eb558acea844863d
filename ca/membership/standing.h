#ifndef XOS_CA_STANDING_H
#define XOS_CA_STANDING_H

#include "ca/membership/vo.h"

/*
 * Whether and until when a member is one in good standing: neither removed nor suspended nor past the end,
 * in a VO that is neither over nor closed to the member; a robot only if its owner is too, and
 * not locked. Other locks are a question of their own (ca_lock_check). Asked at log-in, again at issuance, and of whoever commands.
 */
/* DENIED with code "member-suspended", "member-expired", "owner-left", "vo-ended" or "vo-closed"; the text says
 * whom to ask. */
XOS_MUST_USE enum xos_status ca_standing_check(
    struct ca_membership *m, const struct ca_member *member, int64_t now, struct xos_err *err);
/* The same in a VO that was read already. */
XOS_MUST_USE enum xos_status ca_standing_in(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, int64_t now, struct xos_err *err);
/* Nothing that the member gets may be good for longer: the end of the VO, the membership, the owner's. */
XOS_MUST_USE enum xos_status ca_standing_end(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, int64_t now, int64_t *end, struct xos_err *err);

/* --- changes; in the caller's transaction --- */

/* CONFLICT if the state is not the one to leave, or nobody would be left to administer. */
XOS_MUST_USE enum xos_status ca_member_suspend(struct ca_membership *m, const char *name,
    const char *reason, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_member_resume(
    struct ca_membership *m, const char *name, struct xos_err *err);
/* until: or CA_NO_END. Also brings back who is past the end. */
XOS_MUST_USE enum xos_status ca_member_until(
    struct ca_membership *m, const char *name, int64_t until, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_member_contact(
    struct ca_membership *m, const char *name, const char *contact, struct xos_err *err);

#endif
