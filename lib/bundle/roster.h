#ifndef XOS_BUNDLE_ROSTER_H
#define XOS_BUNDLE_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/signed.h"

/*
 * The members of a VO, so that nodes know account names and numbers before anybody logs in:
 *   {"vo", "serial", "issued", "expires", "members": [{"name", "number", "state"}]}
 * Signed by the ca. Names and numbers are unique and never reused; a member that left stays, with
 * state "removed", so that what the member's uid owns keeps its name. Order does not matter.
 */
#define XOS_ROSTER_TYP "xos-roster+jws"
#define XOS_ROSTER_MAX (10u * 1024 * 1024) /* compact form, bytes */
#define XOS_ROSTER_MEMBERS_MAX 100000u
#define XOS_MEMBER_NUMBER_MAX 0x7fffffffu

enum xos_member_state {
	XOS_MEMBER_ACTIVE,
	XOS_MEMBER_SUSPENDED, /* may come back; nothing is admitted meanwhile */
	XOS_MEMBER_REMOVED    /* for good */
};
const char *xos_member_state_name(enum xos_member_state s); /* "active", "suspended", "removed" */

struct xos_roster_member {
	char name[XOS_MEMBER_MAX + 1];
	uint64_t number; /* 1 .. XOS_MEMBER_NUMBER_MAX */
	enum xos_member_state state;
};

struct xos_roster;

void xos_roster_free(struct xos_roster *r);
uint64_t xos_roster_serial(const struct xos_roster *r);
int64_t xos_roster_issued(const struct xos_roster *r);
int64_t xos_roster_expires(const struct xos_roster *r);
size_t xos_roster_count(const struct xos_roster *r);
/* In the order of their names; NULL past the end. Borrowed, as are the results below. */
const struct xos_roster_member *xos_roster_at(const struct xos_roster *r, size_t i);
const struct xos_roster_member *xos_roster_find(const struct xos_roster *r, const char *name);
const struct xos_roster_member *xos_roster_find_number(const struct xos_roster *r, uint64_t number);

/* What to sign. members are borrowed. */
struct xos_roster_fields {
	const char *vo;
	uint64_t serial; /* higher than that of any roster signed before */
	int64_t issued, expires;
	const struct xos_roster_member *members;
	size_t n;
};
/* Appends the compact form. MALFORMED: a bad or doubled name or number. */
XOS_MUST_USE enum xos_status xos_roster_sign(const struct xos_key *ca_key,
    const struct xos_roster_fields *f, struct xos_buf *out, struct xos_err *err);

XOS_MUST_USE enum xos_status xos_roster_verify(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_roster **out, struct xos_err *err);
/*
 * The same, every check again, but for the parsing where the payload is that of `before` (NULL: none), a roster of the same VO, to which *out
 * is then one more reference: at 100 000 members that is most of the work.
 */
XOS_MUST_USE enum xos_status xos_roster_verify_again(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_roster *before, struct xos_roster **out, struct xos_err *err);

#endif
