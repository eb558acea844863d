#ifndef XOS_CA_INVITATIONS_H
#define XOS_CA_INVITATIONS_H

#include "ca/auth/auth.h"

/*
 * Invitations: a name, and a one-time code with which whoever has it becomes the member of that name at the
 * first log-in. Until then there is no member, and the name is free again when the invitation ends or is
 * withdrawn; while it stands nobody else can be given the name, because the code would open that membership.
 */
#define CA_INVITATIONS_OWN 20 /* waiting, by one member who is no administrator */

struct ca_invitation {
	char name[XOS_MEMBER_MAX + 1];
	char sponsor[XOS_MEMBER_MAX + 1];
	uint64_t number; /* the sponsor's */
	int64_t at;
	int64_t until; /* of the code */
	int64_t ends;  /* of the membership; CA_NO_END */
	int64_t life;  /* instead of ends: from the first log-in on, seconds; 0: not */
	char *groups;  /* with spaces between them; owned, ca_invitation_clear */
	char contact[CA_CONTACT_MAX + 1];
};
void ca_invitation_clear(struct ca_invitation *i);

/* In the caller's transaction. CONFLICT if the name is taken; LIMIT for a member with too many (bounded). */
XOS_MUST_USE enum xos_status ca_invitation_add(
    struct ca_membership *m, const struct ca_invitation *i, bool bounded, struct xos_err *err);
/* NOT_FOUND with code "no-invitation", also for one that has ended. */
XOS_MUST_USE enum xos_status ca_invitation_get(struct ca_membership *m, const char *name,
    int64_t now, struct ca_invitation *out, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_invitation_remove(
    struct ca_membership *m, const char *name, struct xos_err *err);
/* Those that stand, by name after `after`, at most max; of one sponsor, or of all (0). malloc'd; clear each. */
XOS_MUST_USE enum xos_status ca_invitation_page(struct ca_membership *m, const char *after,
    uint64_t sponsor, size_t max, int64_t now, struct ca_invitation **out, size_t *n,
    struct xos_err *err);

/*
 * At a log-in whose code was proven: makes the member, with an act of its own, if the name is invited and
 * proven is the code that stands now. OK also if there is no such invitation. DENIED (code "sponsor-left")
 * if who invited is in no good standing any more, "vo-closed", "vo-ended". Its own transaction.
 */
XOS_MUST_USE enum xos_status ca_invitation_take_up(struct ca_auth *a, const char *name,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err);

#endif
