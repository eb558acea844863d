/* group.list, group.show, group.remove, group.describe, role.list */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/grouptree.h"

#define PAGE_MAX 1000

static enum xos_status page_args(
    struct ca_call *c, size_t longest, const char **after, int64_t *max, struct xos_err *err)
{
	enum xos_status st = xos_json_opt_string(c->command->args, "after", longest, after, err);

	if (st == XOS_OK && !*after)
		*after = "";
	return st == XOS_OK
	           ? xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, max, err)
	           : st;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct ca_group_row *groups = NULL;
	struct xos_json *all;
	const char *after = "";
	int64_t max = 0;
	size_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "after", "max");

	if (st == XOS_OK)
		st = page_args(c, XOS_FQAN_MAX, &after, &max, err);
	if (st == XOS_OK)
		st = ca_group_page(c->auth->membership, after, (size_t)max + 1, &groups, &n, err);
	if (st != XOS_OK)
		return st;
	all = xos_json_array();
	for (size_t i = 0; i < n && i < (size_t)max; i++) {
		struct xos_json *g = xos_json_object();

		xos_json_set_string(g, "group", groups[i].name);
		xos_json_set_int(g, "members", (int64_t)groups[i].members);
		if (groups[i].about[0])
			xos_json_set_text(g, "about", groups[i].about);
		xos_json_add(all, g);
	}
	free(groups);
	c->result = xos_json_object();
	xos_json_set(c->result, "groups", all);
	xos_json_set_bool(c->result, "more", n > (size_t)max);
	return XOS_OK;
}

/* Who is in a group is for its administrators. */
static enum xos_status show(struct ca_call *c, struct xos_err *err)
{
	struct ca_names names = {NULL, 0};
	struct xos_json *members;
	const char *group = NULL, *after = "";
	int64_t max = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group", "after", "max");

	if (st == XOS_OK)
		st = ca_arg(c, "group", &group, err);
	if (st == XOS_OK)
		st = page_args(c, XOS_MEMBER_MAX, &after, &max, err);
	if (st == XOS_OK)
		st = ca_demand_group_admin(c, group, err);
	if (st == XOS_OK)
		st = ca_group_members(
		    c->auth->membership, group, after, (size_t)max + 1, &names, err);
	if (st != XOS_OK)
		return st;
	members = xos_json_array();
	for (size_t i = 0; i < names.n && i < (size_t)max; i++)
		xos_json_add_string(members, names.item[i]);
	c->result = xos_json_object();
	xos_json_set(c->result, "members", members);
	xos_json_set_bool(c->result, "more", names.n > (size_t)max);
	ca_names_free(&names);
	return XOS_OK;
}

static enum xos_status take_away(struct ca_call *c, struct xos_err *err)
{
	const char *group = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group");

	if (st == XOS_OK)
		st = ca_arg(c, "group", &group, err);
	if (st == XOS_OK)
		st = ca_demand_parent_admin(c, group, err);
	return st == XOS_OK ? ca_group_remove(c->auth->membership, group, c->now, err) : st;
}

static enum xos_status describe(struct ca_call *c, struct xos_err *err)
{
	const char *group = NULL, *about = NULL;
	char clean[CA_ABOUT_MAX + 1];
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group", "about");

	if (st == XOS_OK)
		st = ca_arg(c, "group", &group, err);
	if (st == XOS_OK)
		st = xos_json_get_string(c->command->args, "about", CA_ABOUT_MAX, &about, err);
	if (st == XOS_OK)
		st = ca_demand_group_admin(c, group, err);
	if (st != XOS_OK)
		return st;
	if (!xos_str_copy(clean, sizeof(clean), about))
		return xos_err_set(err, XOS_INTERNAL, "group-about", "too long");
	xos_text_clean(clean);
	return ca_group_describe(c->auth->membership, group, clean, err);
}

static enum xos_status role_after(struct ca_call *c, struct ca_role_row *after, struct xos_err *err)
{
	const char *role = NULL, *member = NULL;
	enum xos_status st =
	    xos_json_opt_string(c->command->args, "after_role", XOS_FQAN_MAX, &role, err);

	if (st == XOS_OK)
		st = xos_json_opt_string(
		    c->command->args, "after_member", XOS_MEMBER_MAX, &member, err);
	if (st == XOS_OK &&
	    (!xos_str_copy(after->role, sizeof(after->role), role ? role : "") ||
	        !xos_str_copy(after->member, sizeof(after->member), member ? member : "")))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "a name is too long");
	return st;
}

static enum xos_status roles(struct ca_call *c, struct xos_err *err)
{
	char whole[XOS_VO_MAX + 2];
	struct ca_role_row after, *rows = NULL;
	struct xos_json *all;
	const char *group = NULL;
	int64_t max = 0;
	size_t n = 0;
	enum xos_status st =
	    XOS_JSON_ONLY(c->command->args, err, "group", "after_role", "after_member", "max");

	xos_str_printf(whole, sizeof(whole), "/%s", c->auth->vo);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "group", XOS_FQAN_MAX, &group, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, &max, err);
	if (st == XOS_OK)
		st = role_after(c, &after, err);
	group = group ? group : whole;
	if (st == XOS_OK)
		st = ca_demand_group_admin(c, group, err);
	if (st == XOS_OK)
		st = ca_role_page(
		    c->auth->membership, group, &after, (size_t)max + 1, &rows, &n, err);
	if (st != XOS_OK)
		return st;
	all = xos_json_array();
	for (size_t i = 0; i < n && i < (size_t)max; i++) {
		struct xos_json *r = xos_json_object();

		xos_json_set_string(r, "role", rows[i].role);
		xos_json_set_string(r, "member", rows[i].member);
		xos_json_add(all, r);
	}
	free(rows);
	c->result = xos_json_object();
	xos_json_set(c->result, "roles", all);
	xos_json_set_bool(c->result, "more", n > (size_t)max);
	return XOS_OK;
}

static const struct ca_verb verbs[] = {
    {"group.list", false, true, list},
    {"group.show", false, true, show},
    {"group.remove", true, true, take_away},
    {"group.describe", true, true, describe},
    {"role.list", false, true, roles},
};
const struct ca_verbs ca_grouptree_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
