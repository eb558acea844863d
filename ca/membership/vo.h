#ifndef XOS_CA_VO_H
#define XOS_CA_VO_H

#include "ca/membership/membership.h"

/*
 * What a VO is besides its members: a description, a model, an end. Functions that change it expect a
 * transaction of the caller's.
 *
 * - administered: administrators alone decide who becomes a member. open: members may invite, for a
 *   membership that ends unless it is renewed.
 * - Past its end a VO is over for good: no log-in, no command; no token was ever longer.
 * - A closed VO lets its administrators in, for short, and nobody else; they may reopen it before its end.
 */
enum ca_vo_model { CA_ADMINISTERED, CA_OPEN };

#define CA_TITLE_MAX 200
#define CA_CLOSED_LIFE 3600 /* longest token in a closed VO, seconds */
#define CA_INVITED_LIFE_MIN 86400
#define CA_INVITED_LIFE_MAX (10 * 366 * 86400LL)

struct ca_vo {
	int64_t created;
	char title[CA_TITLE_MAX + 1];
	char contact[CA_CONTACT_MAX + 1]; /* whom to ask */
	enum ca_vo_model model;
	int64_t ends;         /* CA_NO_END */
	int64_t closed;       /* since; 0: it is not */
	int64_t invited_life; /* of a membership by a member's invitation, seconds */
	uint64_t rules;       /* version in force; 0: none */
	int64_t sealed;       /* since when an administrator is (sealed.h); 0: none is */
	int64_t unsealed;     /* the code was used then, and none is sealed since; 0: no */
};

XOS_MUST_USE enum xos_status ca_vo_get(
    struct ca_membership *m, struct ca_vo *out, struct xos_err *err);
/* DENIED with code "vo-ended" or "vo-closed". */
XOS_MUST_USE enum xos_status ca_vo_check(
    const struct ca_membership *m, const struct ca_vo *vo, int64_t now, struct xos_err *err);
const char *ca_vo_model_name(enum ca_vo_model model); /* "administered", "open" */
/* MALFORMED; "federated" with what it needs. */
XOS_MUST_USE enum xos_status ca_vo_model_parse(
    const char *text, enum ca_vo_model *out, struct xos_err *err);

/* Title, contact, model, invited_life. */
XOS_MUST_USE enum xos_status ca_vo_set(
    struct ca_membership *m, const struct ca_vo *vo, struct xos_err *err);
/* CONFLICT (code "vo-ended") if it has ended, MALFORMED if ends is past; ends: or CA_NO_END. */
XOS_MUST_USE enum xos_status ca_vo_end(
    struct ca_membership *m, int64_t ends, int64_t now, struct xos_err *err);
/* CONFLICT if it is so already. */
XOS_MUST_USE enum xos_status ca_vo_close(struct ca_membership *m, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_vo_reopen(
    struct ca_membership *m, int64_t now, struct xos_err *err);

#endif
