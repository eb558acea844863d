/* group.add, group.list, group.join, group.leave, role.grant, role.revoke */
#include <stdlib.h>

#include "ca/commands.h"

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
	return st == XOS_OK ? ca_group_add(c->auth->membership, group, c->now, err) : st;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct ca_group *groups = NULL;
	struct xos_json *all;
	size_t n = 0;
	enum xos_status st = xos_json_only(c->command->args, (const char *const[]){NULL}, err);

	if (st == XOS_OK)
		st = ca_group_list(c->auth->membership, &groups, &n, err);
	if (st != XOS_OK)
		return st;
	all = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		struct xos_json *g = xos_json_object();

		xos_json_set_string(g, "group", groups[i].name);
		xos_json_set_int(g, "members", (int64_t)groups[i].members);
		xos_json_add(all, g);
	}
	free(groups);
	c->result = xos_json_object();
	xos_json_set(c->result, "groups", all);
	return XOS_OK;
}

static enum xos_status join(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *group = NULL;
	enum xos_status st = two_args(c, "group", &name, &group, err);

	return st == XOS_OK ? ca_group_join(c->auth->membership, name, group, c->now, err) : st;
}

static enum xos_status leave(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *group = NULL;
	enum xos_status st = two_args(c, "group", &name, &group, err);

	return st == XOS_OK ? ca_group_leave(c->auth->membership, name, group, err) : st;
}

static enum xos_status grant(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *role = NULL;
	enum xos_status st = two_args(c, "role", &name, &role, err);

	return st == XOS_OK ? ca_role_grant(c->auth->membership, name, role, c->now, err) : st;
}

static enum xos_status revoke(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *role = NULL;
	enum xos_status st = two_args(c, "role", &name, &role, err);

	return st == XOS_OK ? ca_role_revoke(c->auth->membership, name, role, err) : st;
}

static const struct ca_verb verbs[] = {
    {"group.add", true, false, add},
    {"group.list", false, true, list},
    {"group.join", true, false, join},
    {"group.leave", true, false, leave},
    {"role.grant", true, false, grant},
    {"role.revoke", true, false, revoke},
};
const struct ca_verbs ca_group_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
