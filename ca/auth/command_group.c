/* group.add, group.join, group.leave, role.grant, role.revoke; by administrators of the group too */
#include "ca/auth/commands.h"

static enum xos_status two_args(struct ca_call *c, const char *second, const char **name,
    const char **value, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", second);

	if (st == XOS_OK)
		st = ca_arg(c, "name", name, err);
	return st == XOS_OK ? ca_arg(c, second, value, err) : st;
}

static enum xos_status add(struct ca_call *c, struct xos_err *err)
{
	const char *group = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group");

	if (st == XOS_OK)
		st = ca_arg(c, "group", &group, err);
	if (st == XOS_OK)
		st = ca_demand_parent_admin(c, group, err);
	return st == XOS_OK ? ca_group_add(c->auth->membership, group, c->now, err) : st;
}

static enum xos_status join(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *group = NULL;
	enum xos_status st = two_args(c, "group", &name, &group, err);

	if (st == XOS_OK)
		st = ca_demand_group_admin(c, group, err);
	return st == XOS_OK ? ca_group_join(c->auth->membership, name, group, c->now, err) : st;
}

static enum xos_status leave(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *group = NULL;
	enum xos_status st = two_args(c, "group", &name, &group, err);

	if (st == XOS_OK)
		st = ca_demand_group_admin(c, group, err);
	return st == XOS_OK ? ca_group_leave(c->auth->membership, name, group, err) : st;
}

static enum xos_status grant(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *role = NULL;
	enum xos_status st = two_args(c, "role", &name, &role, err);

	if (st == XOS_OK)
		st = ca_demand_role_admin(c, role, err);
	return st == XOS_OK ? ca_role_grant(c->auth->membership, name, role, c->now, err) : st;
}

static enum xos_status revoke(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *role = NULL;
	enum xos_status st = two_args(c, "role", &name, &role, err);

	if (st == XOS_OK)
		st = ca_demand_role_admin(c, role, err);
	return st == XOS_OK ? ca_role_revoke(c->auth->membership, name, role, c->now, err) : st;
}

static const struct ca_verb verbs[] = {
    {"group.add", true, true, add},
    {"group.join", true, true, join},
    {"group.leave", true, true, leave},
    {"role.grant", true, true, grant},
    {"role.revoke", true, true, revoke},
};
const struct ca_verbs ca_group_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
