#ifndef XOS_CA_GROUPTREE_H
#define XOS_CA_GROUPTREE_H

#include "ca/membership/membership.h"

/* The tree of groups: what stands in it, and taking out of it. */

#define CA_ABOUT_MAX 200

struct ca_group_row {
	char name[XOS_FQAN_MAX + 1];
	char about[CA_ABOUT_MAX + 1];
	uint64_t members; /* joined here directly */
};
/* By name, from after `after` ("" at first), at most max; malloc'd. */
XOS_MUST_USE enum xos_status ca_group_page(struct ca_membership *m, const char *after, size_t max,
    struct ca_group_row **out, size_t *n, struct xos_err *err);

/* NOT_FOUND with code "no-group". */
XOS_MUST_USE enum xos_status ca_group_exists(
    struct ca_membership *m, const char *group, struct xos_err *err);

/*
 * Takes the group out. CONFLICT (code "group-used") while a group below it, a member in it, a role in it
 * or a lock of it or of a role in it is there. Policy that names it goes on naming nobody; whoever adds
 * the group again later gives that policy its new members, so the caller says so.
 */
XOS_MUST_USE enum xos_status ca_group_remove(
    struct ca_membership *m, const char *group, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_group_describe(
    struct ca_membership *m, const char *group, const char *about, struct xos_err *err);
/* Who joined exactly this group, by name as in ca_group_page. */
XOS_MUST_USE enum xos_status ca_group_members(struct ca_membership *m, const char *group,
    const char *after, size_t max, struct ca_names *out, struct xos_err *err);

struct ca_role_row {
	char role[XOS_FQAN_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
};
/* Roles in group and below, with who holds them, by role and member, from after the pair (role, member);
 * malloc'd. */
XOS_MUST_USE enum xos_status ca_role_page(struct ca_membership *m, const char *group,
    const struct ca_role_row *after, size_t max, struct ca_role_row **out, size_t *n,
    struct xos_err *err);

#endif
