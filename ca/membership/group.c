/* Groups, who is in them, and roles in them. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/membership/membership.h"
#include "ca/membership/sealed.h"
#include "store/sql.h"
#include "token/claims.h"

#define GROUPS_MAX 10000

static enum xos_status find_group(
    struct ca_membership *m, const char *group, int64_t *id, struct xos_err *err)
{
	enum xos_status st =
	    xos_sql_int(m->store, id, err, "SELECT id FROM vo_groups WHERE name = ?1", "s", group);

	if (st == XOS_NOT_FOUND)
		st = xos_err_set(err, st, "no-group",
		    "VO %s has no group \"%s\": xos-vo group list shows them", m->vo, group);
	return st;
}

static enum xos_status check_form(struct ca_membership *m, const char *group, struct xos_err *err)
{
	if (xos_name_is_group(group) && xos_fqan_in_vo(group, m->vo))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "group-name",
	    "\"%s\" is no group name of VO %s: write /%s/NAME or /%s/NAME/NAME", group, m->vo,
	    m->vo, m->vo);
}

static enum xos_status check_parent(struct ca_membership *m, const char *group, struct xos_err *err)
{
	char parent[XOS_FQAN_MAX + 1];
	int64_t id = 0;
	enum xos_status st;

	if (!xos_str_copy(parent, sizeof(parent), group) || strrchr(parent, '/') == parent)
		return xos_err_set(
		    err, XOS_CONFLICT, "group-exists", "the group %s exists already", group);
	*strrchr(parent, '/') = '\0';
	st = xos_sql_int(
	    m->store, &id, err, "SELECT id FROM vo_groups WHERE name = ?1", "s", parent);
	if (st == XOS_NOT_FOUND)
		st = xos_err_set(
		    err, st, "no-group", "%s must exist before %s: add it first", parent, group);
	return st;
}

enum xos_status ca_group_add(
    struct ca_membership *m, const char *group, int64_t now, struct xos_err *err)
{
	int64_t there = 0;
	uint64_t id = 0;
	enum xos_status st = check_form(m, group, err);

	if (st == XOS_OK)
		st = check_parent(m, group, err);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, &there, err,
		    "SELECT COUNT(*) FROM vo_groups WHERE name = ?1", "s", group);
	if (st == XOS_OK && there)
		st = xos_err_set(
		    err, XOS_CONFLICT, "group-exists", "the group %s exists already", group);
	if (st == XOS_OK)
		st = ca_counter_next(m, "group", &id, err);
	if (st == XOS_OK && id > GROUPS_MAX)
		st =
		    xos_err_set(err, XOS_LIMIT, "groups", "a VO has at most %d groups", GROUPS_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO vo_groups (id, name, added) VALUES (?1, ?2, ?3)", "isi",
		    (int64_t)id, group, now);
	return st;
}

/* Would the list of the member's groups still fit into a token? */
static enum xos_status check_fits(struct ca_membership *m, const char *name, struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(m, name, &member, err);

	if (st == XOS_OK && member->groups.n > XOS_CLAIMS_GROUPS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "member-groups",
		    "%s would be in more than %d groups: a token does not hold more", name,
		    XOS_CLAIMS_GROUPS_MAX);
	ca_member_free(member);
	return st;
}

enum xos_status ca_group_join(
    struct ca_membership *m, const char *name, const char *group, int64_t now, struct xos_err *err)
{
	uint64_t number = 0, place = 0;
	int64_t id = 0, there = 0;
	enum xos_status st = check_form(m, group, err);

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = find_group(m, group, &id, err);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, &there, err,
		    "SELECT COUNT(*) FROM memberships WHERE number = ?1 AND grp = ?2", "ii",
		    (int64_t)number, id);
	if (st == XOS_OK && (there || id == 0))
		st = xos_err_set(
		    err, XOS_CONFLICT, "group-joined", "%s is in %s already", name, group);
	if (st == XOS_OK)
		st = ca_counter_next(m, "place", &place, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO memberships (number, grp, place, since) VALUES (?1, ?2, ?3, ?4)",
		    "iiii", (int64_t)number, id, (int64_t)place, now);
	return st == XOS_OK ? check_fits(m, name, err) : st;
}

/* Roles in groups that the member is no longer in. */
static enum xos_status drop_roles(
    struct ca_membership *m, const struct ca_member *member, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < member->roles.n; i++) {
		char group[XOS_FQAN_MAX + 1] = "";
		const char *role = NULL;
		size_t len = 0;

		if (xos_role_split(member->roles.item[i], &len, &role) && len <= XOS_FQAN_MAX)
			memcpy(group, member->roles.item[i], len);
		group[len] = '\0';
		if (!ca_member_in_group(member, group))
			st = xos_sql_run(m->store, NULL, err,
			    "DELETE FROM roles WHERE number = ?1 AND role = ?2", "is",
			    (int64_t)member->number, member->roles.item[i]);
	}
	return st;
}

static enum xos_status not_in_group(
    struct ca_membership *m, const char *name, const char *group, struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(m, name, &member, err);

	if (st != XOS_OK)
		return st;
	if (ca_member_in_group(member, group))
		st = xos_err_set(err, XOS_CONFLICT, "group-implied",
		    "%s is in %s through a group below it: leave that one", name, group);
	else
		st =
		    xos_err_set(err, XOS_NOT_FOUND, "group-joined", "%s is not in %s", name, group);
	ca_member_free(member);
	return st;
}

enum xos_status ca_group_leave(
    struct ca_membership *m, const char *name, const char *group, struct xos_err *err)
{
	struct ca_member *member = NULL;
	uint64_t number = 0;
	int64_t id = 0, changed = 0;
	enum xos_status st = check_form(m, group, err);

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = find_group(m, group, &id, err);
	if (st == XOS_OK && id == 0)
		return xos_err_set(err, XOS_CONFLICT, "group-implied",
		    "every member is in %s: to end a membership use xos-vo member remove", group);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, &changed, err,
		    "DELETE FROM memberships WHERE number = ?1 AND grp = ?2", "ii", (int64_t)number,
		    id);
	if (st == XOS_OK && changed == 0)
		st = not_in_group(m, name, group, err);
	if (st == XOS_OK)
		st = ca_member_get(m, name, &member, err);
	if (st == XOS_OK)
		st = drop_roles(m, member, err);
	ca_member_free(member);
	return st;
}

static enum xos_status check_role(
    struct ca_membership *m, const char *role, char group[XOS_FQAN_MAX + 1], struct xos_err *err)
{
	const char *name = NULL;
	size_t len = 0;

	if (!xos_name_is_role(role) || !xos_fqan_in_vo(role, m->vo) ||
	    !xos_role_split(role, &len, &name))
		return xos_err_set(err, XOS_MALFORMED, "role-name",
		    "\"%s\" is no role of VO %s: write /%s/Role=NAME or /%s/GROUP/Role=NAME", role,
		    m->vo, m->vo, m->vo);
	memcpy(group, role, len);
	group[len] = '\0';
	return XOS_OK;
}

enum xos_status ca_role_grant(
    struct ca_membership *m, const char *name, const char *role, int64_t now, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1] = "";
	struct ca_member *member = NULL;
	uint64_t number = 0;
	int64_t id = 0;
	enum xos_status st = check_role(m, role, group, err);

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = find_group(m, group, &id, err);
	if (st == XOS_OK)
		st = ca_member_get(m, name, &member, err);
	if (st == XOS_OK && !ca_member_in_group(member, group))
		st = xos_err_set(err, XOS_CONFLICT, "not-in-group",
		    "%s is not in %s: a role needs its group; let %s join it first", name, group,
		    name);
	if (st == XOS_OK && ca_member_holds(member, role))
		st = xos_err_set(err, XOS_CONFLICT, "role-held", "%s holds %s already", name, role);
	if (st == XOS_OK && member->roles.n >= XOS_CLAIMS_ROLES_MAX)
		st = xos_err_set(err, XOS_LIMIT, "member-roles",
		    "%s holds %d roles already: a token does not hold more", name,
		    XOS_CLAIMS_ROLES_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO roles (number, role, since) VALUES (?1, ?2, ?3)", "isi",
		    (int64_t)number, role, now);
	ca_member_free(member);
	return st;
}

enum xos_status ca_role_revoke(
    struct ca_membership *m, const char *name, const char *role, int64_t now, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1] = "", admin[XOS_FQAN_MAX + 1];
	uint64_t number = 0;
	int64_t changed = 0;
	enum xos_status st = check_role(m, role, group, err);

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, &changed, err,
		    "DELETE FROM roles WHERE number = ?1 AND role = ?2", "is", (int64_t)number,
		    role);
	if (st == XOS_OK && changed == 0)
		st =
		    xos_err_set(err, XOS_NOT_FOUND, "role-held", "%s does not hold %s", name, role);
	xos_str_printf(admin, sizeof(admin), "/%s/Role=admin", m->vo);
	if (st != XOS_OK || strcmp(role, admin) != 0)
		return st;
	st = ca_sealed_refuse(name, err);
	return st == XOS_OK ? ca_administrators_left(m, now, err) : st;
}
