#ifndef XOS_CA_MEMBERSHIP_H
#define XOS_CA_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"
#include "bundle/administrators.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "store/store.h"

/*
 * The membership of one VO: members, groups, roles, locks. The auth process writes it, the key process
 * reads it; nobody else can open it.
 *
 * - A member's name and number are never given to anybody else: who leaves stays as "removed", and
 *   numbers come from a counter that only grows.
 * - Groups form a tree below /<vo>. A member of /demo/physics/hep is a member of /demo/physics and of
 *   /demo too. The list of a member's groups, which is what tokens carry, is: the groups joined, in
 *   the order of joining (the first is the primary one), each followed by those above it that are
 *   not listed yet; /<vo> is always the last.
 * - A role needs its holder to be a member of its group; leaving the group gives it up.
 * - Every function that changes something expects an open transaction of the caller's.
 */
struct ca_membership {
	struct xos_store *store;
	char vo[XOS_VO_MAX + 1];
};

struct ca_names {
	char **item;
	size_t n;
};

#define CA_NO_END XOS_LOCK_NO_END /* of a membership, or of the VO */
#define CA_REASON_MAX 200
#define CA_CONTACT_MAX 200

enum ca_member_kind {
	CA_PERSON,
	CA_ROBOT, /* a program that acts for its owner */
	CA_SEALED /* the VO's break-glass administrator */
};

struct ca_member {
	uint64_t number;
	char name[XOS_MEMBER_MAX + 1];
	enum ca_member_kind kind;
	enum xos_member_state state;
	int64_t added;
	int64_t until;                  /* the membership ends then; CA_NO_END */
	char reason[CA_REASON_MAX + 1]; /* of a suspension; "" if none was given */
	char contact[CA_CONTACT_MAX + 1];
	uint64_t rules;                   /* the version accepted last; 0: none */
	char sponsor[XOS_MEMBER_MAX + 1]; /* who invited; "" if nobody */
	bool sponsor_left;                /* removed, suspended, or past the end */
	char owner[XOS_MEMBER_MAX + 1];   /* of a robot */
	struct ca_names groups;           /* as in a token */
	struct ca_names roles;            /* by name */
};

/* Opens path; creates it only if create (vo then becomes its VO). DENIED (code "other-vo") if the file
 * is another VO's. */
XOS_MUST_USE enum xos_status ca_membership_open(const char *path, const char *vo, bool create,
    bool read_only, struct ca_membership **out, struct xos_err *err);
void ca_membership_close(struct ca_membership *m);

/* --- members --- */

/* CONFLICT if the name is, or was, somebody's, or somebody is invited by it; MALFORMED if it is none. */
XOS_MUST_USE enum xos_status ca_member_name_free(
    struct ca_membership *m, const char *name, struct xos_err *err);
/* The same, and takes it. */
XOS_MUST_USE enum xos_status ca_member_add(
    struct ca_membership *m, const char *name, int64_t now, uint64_t *number, struct xos_err *err);
/* Ends the membership for good; groups and roles go, name and number stay taken. CONFLICT (code
 * "last-administrator") if nobody would be left who administers: ca_administrators_left. */
XOS_MUST_USE enum xos_status ca_member_remove(
    struct ca_membership *m, const char *name, int64_t now, struct xos_err *err);
/* With groups and roles. NOT_FOUND (code "no-member"). Removed members are found too. */
XOS_MUST_USE enum xos_status ca_member_get(
    struct ca_membership *m, const char *name, struct ca_member **out, struct xos_err *err);
void ca_member_free(struct ca_member *member);
bool ca_member_holds(const struct ca_member *member, const char *role);
bool ca_member_in_group(const struct ca_member *member, const char *group);
/* All names, by name, from after `after` ("" at first), at most max of them. */
XOS_MUST_USE enum xos_status ca_member_names(struct ca_membership *m, const char *after, size_t max,
    struct ca_names *out, struct xos_err *err);
/* The roster's view at now: all members ever, malloc'd. Who may get no token although a member (standing.h)
 * is "suspended" there. */
XOS_MUST_USE enum xos_status ca_member_roster(struct ca_membership *m, int64_t now,
    struct xos_roster_member **out, size_t *n, struct xos_err *err);

/* --- groups and roles; the tree of groups is in grouptree.h --- */

/* The group above must exist. CONFLICT if it exists. */
XOS_MUST_USE enum xos_status ca_group_add(
    struct ca_membership *m, const char *group, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_group_join(
    struct ca_membership *m, const char *name, const char *group, int64_t now, struct xos_err *err);
/* CONFLICT (code "group-implied") if the member is in it only through a group below. */
XOS_MUST_USE enum xos_status ca_group_leave(
    struct ca_membership *m, const char *name, const char *group, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_role_grant(
    struct ca_membership *m, const char *name, const char *role, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_role_revoke(
    struct ca_membership *m, const char *name, const char *role, int64_t now, struct xos_err *err);

/* --- locks (kinds member, group, role, token, job, grant) --- */

/* So long after its end a token stays locked, seconds: nodes and services take it for valid for some minutes yet, as
 * clocks differ (no more than an hour, pki/chain.h), and a revocation list shows it once more. */
#define CA_LOCK_TOKEN_PAST 3600
#define CA_LOCK_TOKENS_OWN 1000 /* by the holder, twice what renewals make */
#define CA_LOCK_TOKENS_MAX 4000 /* of XOS_LOCKS_COUNT_MAX */

/* Fills lock->id, and ends the grants that it is about (jobgrants.h). CONFLICT if what it names is locked already, LIMIT (code "locks-count") if the list is full.
 * kind token: the name is the serial and until the end of the token, both from the key process' list. */
XOS_MUST_USE enum xos_status ca_lock_add(
    struct ca_membership *m, struct xos_lock *lock, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_lock_remove(
    struct ca_membership *m, enum xos_lock_kind kind, const char *name, struct xos_err *err);
/* Those in force at now, by kind and name, malloc'd. */
XOS_MUST_USE enum xos_status ca_lock_list(
    struct ca_membership *m, int64_t now, struct xos_lock **out, size_t *n, struct xos_err *err);
/* DENIED with code "locked", the message and the end, if the member, one of the member's groups or
 * one of these roles is locked. */
XOS_MUST_USE enum xos_status ca_lock_check(struct ca_membership *m, const struct ca_member *member,
    const char *const *roles, size_t nroles, int64_t now, struct xos_err *err);
/* Is this person locked by name? The answer is yes if that cannot be found out. */
XOS_MUST_USE enum xos_status ca_lock_on_member(
    struct ca_membership *m, const char *name, int64_t now, bool *locked, struct xos_err *err);
/* The same for a token of this serial that is shown or used; its holder is ca_lock_check's. */
XOS_MUST_USE enum xos_status ca_lock_check_token(
    struct ca_membership *m, const char *serial, int64_t now, struct xos_err *err);

/* --- administrators --- */

/* CONFLICT (code "last-administrator") unless somebody administers the VO whom nothing stops at now and whose
 * membership has no end. For changes that could leave nobody: asked after them, in their transaction. */
XOS_MUST_USE enum xos_status ca_administrators_left(
    struct ca_membership *m, int64_t now, struct xos_err *err);

/* Active members who hold /<vo>/Role=admin, each with the lock that holds just now; fills list and n. */
XOS_MUST_USE enum xos_status ca_administrators(
    struct ca_membership *m, int64_t now, struct xos_administrators *out, struct xos_err *err);

/* --- versions: each grows when what it names changes --- */
enum ca_version { CA_VERSION_ROSTER, CA_VERSION_LOCKS, CA_VERSION_ACTS };
XOS_MUST_USE enum xos_status ca_version_get(
    struct ca_membership *m, enum ca_version which, uint64_t *value, struct xos_err *err);

void ca_names_free(struct ca_names *names);
XOS_MUST_USE enum xos_status ca_names_add(
    struct ca_names *names, const char *s, size_t len, struct xos_err *err);

/* Adds one to a counter and gives its new value; for the files of this room. */
XOS_MUST_USE enum xos_status ca_counter_next(
    struct ca_membership *m, const char *name, uint64_t *value, struct xos_err *err);
/* The number of a member that is not removed. */
XOS_MUST_USE enum xos_status ca_member_number(
    struct ca_membership *m, const char *name, uint64_t *number, struct xos_err *err);

#endif
