#ifndef XOS_BUNDLE_MEMBERSHIP_H
#define XOS_BUNDLE_MEMBERSHIP_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/roster.h"
#include "bundle/signed.h"

/*
 * The active members of a VO with groups and roles as they stand now, for the policy service alone, which
 * answers by it about members who are not there with a token:
 *   {"vo", "serial", "issued", "expires", "names": [group or role ...],
 *    "members": [{"name", "number", "groups": [index ...], "roles": [index ...]}]}
 * Signed by the ca. Groups stand in the order of a token; roles are those held, none of them active. The names
 * are said once, because there are few and members are many.
 */
#define XOS_MEMBERSHIP_TYP "xos-membership+jws"
#define XOS_MEMBERSHIP_MAX (10u * 1024 * 1024) /* compact form, bytes */
#define XOS_MEMBERSHIP_NAMES_MAX 100000u
#define XOS_MEMBERSHIP_OF_ONE_MAX 512u /* groups, and roles, of one member */

struct xos_membership_member {
	char name[XOS_MEMBER_MAX + 1];
	uint64_t number;
	const char *const *groups, *const *roles; /* borrowed */
	size_t ngroups, nroles;
};

struct xos_membership;
void xos_membership_free(struct xos_membership *m); /* NULL-safe */
uint64_t xos_membership_serial(const struct xos_membership *m);
int64_t xos_membership_expires(const struct xos_membership *m);
size_t xos_membership_count(const struct xos_membership *m);
/* In the order of their names; NULL past the end. Borrowed, as is the next. */
const struct xos_membership_member *xos_membership_at(const struct xos_membership *m, size_t i);
const struct xos_membership_member *xos_membership_find(
    const struct xos_membership *m, const char *name);
/* The index of the first member whose name is not before this one. */
size_t xos_membership_from(const struct xos_membership *m, const char *name);

struct xos_membership_fields {
	const char *vo;
	uint64_t serial; /* higher than that of any other that was signed before */
	int64_t issued, expires;
	const char *const *names; /* sorted, no two alike */
	size_t nnames;
	const struct xos_membership_member
	    *members; /* groups and roles point to elements of names */
	size_t n;
};
/* Appends the compact form. MALFORMED: a name that is none or doubled; LIMIT: it does not fit. */
XOS_MUST_USE enum xos_status xos_membership_sign(const struct xos_key *ca_key,
    const struct xos_membership_fields *f, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_membership_verify(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_membership **out, struct xos_err *err);

#endif
