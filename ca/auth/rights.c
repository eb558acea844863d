/* Rights below the VO's: administrators of a group, for it and all below it. */
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"

#define ADMIN "admin"

/* The group of /<vo>/<group>/Role=admin; the VO's own role is another matter. */
static bool administered(const char *vo, const char *role, char group[XOS_FQAN_MAX + 1])
{
	const char *name = NULL;
	size_t len = 0;

	if (!xos_fqan_in_vo(role, vo) || !xos_role_split(role, &len, &name) ||
	    strcmp(name, ADMIN) != 0 || len > XOS_FQAN_MAX || len <= strlen(vo) + 1)
		return false;
	memcpy(group, role, len);
	group[len] = '\0';
	return true;
}

bool ca_member_administers(const char *vo, const struct ca_member *member, const char *group)
{
	char whole[XOS_FQAN_MAX + 1], top[XOS_FQAN_MAX + 1];

	if (xos_str_printf(whole, sizeof(whole), "/%s/Role=" ADMIN, vo) &&
	    ca_member_holds(member, whole))
		return true;
	for (size_t i = 0; i < member->roles.n; i++)
		if (administered(vo, member->roles.item[i], top) && xos_group_within(group, top))
			return true;
	return false;
}

/* A role counts if it is active in the token and still held: neither alone is enough. */
static bool holds_above(const struct ca_call *c, const struct ca_member *member, const char *group)
{
	const struct xos_claims *claims = c->command->signer->claims;
	char top[XOS_FQAN_MAX + 1];

	for (size_t i = 0; i < claims->nroles; i++)
		if (administered(c->auth->vo, claims->roles[i], top) &&
		    xos_group_within(group, top) && ca_member_holds(member, claims->roles[i]))
			return true;
	return false;
}

enum xos_status ca_demand_group_admin(struct ca_call *c, const char *group, struct xos_err *err)
{
	struct ca_member *member = NULL;
	char top[XOS_VO_MAX + 2];
	enum xos_status st;

	xos_str_printf(top, sizeof(top), "/%s", c->auth->vo);
	if (xos_command_is_admin(c->command))
		return ca_demand_admin(c, err);
	st = ca_signer_now(c, &member, err);
	if (st == XOS_OK && !holds_above(c, member, group))
		st = xos_group_within(top, group)
		         ? xos_command_demand_admin(c->command, err)
		         : xos_err_set(err, XOS_DENIED, "not-administrator",
		               "%s needs Role=admin of %s, of a group above it or of the VO, held "
		               "and "
		               "active in the token: if you hold it, log in with xos-login --role "
		               "%s/Role=admin or --role %s/Role=admin",
		               c->command->verb, group, group, top);
	ca_member_free(member);
	return st;
}

enum xos_status ca_demand_role_admin(struct ca_call *c, const char *role, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1];
	const char *name = NULL;
	size_t len = 0;

	if (!xos_name_is_role(role) || !xos_role_split(role, &len, &name) || len > XOS_FQAN_MAX)
		return xos_err_set(err, XOS_MALFORMED, "role-name",
		    "\"%s\" is no role of VO %s: write /%s/Role=NAME or /%s/GROUP/Role=NAME", role,
		    c->auth->vo, c->auth->vo, c->auth->vo);
	memcpy(group, role, len);
	group[len] = '\0';
	return ca_demand_group_admin(c, group, err);
}

enum xos_status ca_demand_parent_admin(struct ca_call *c, const char *group, struct xos_err *err)
{
	char parent[XOS_FQAN_MAX + 1];
	char *last;

	if (!xos_name_is_group(group) || !xos_str_copy(parent, sizeof(parent), group))
		return xos_err_set(err, XOS_MALFORMED, "group-name",
		    "\"%s\" is no group name of VO %s: write /%s/NAME or /%s/NAME/NAME", group,
		    c->auth->vo, c->auth->vo, c->auth->vo);
	last = strrchr(parent, '/');
	if (last == parent)
		return ca_demand_admin(c, err);
	*last = '\0';
	return ca_demand_group_admin(c, parent, err);
}
