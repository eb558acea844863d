/* member.add, member.remove, member.list, member.show, password.reset */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/auth/command_self.h"

#define PAGE_MAX 500

/* Each of a list of groups or roles that came with member.add. */
static enum xos_status each_of(struct ca_call *c, const char *key, const char *name,
    enum xos_status (*fn)(struct ca_membership *m, const char *name, const char *what, int64_t now,
        struct xos_err *err),
    struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st = xos_json_opt_strings(
	    c->command->args, key, XOS_CLAIMS_GROUPS_MAX, XOS_FQAN_MAX, &list, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = fn(c->auth->membership, name, list[i], c->now, err);
	free(list);
	return st;
}

enum xos_status ca_member_joins(struct ca_call *c, const char *name, struct xos_err *err)
{
	enum xos_status st = each_of(c, "groups", name, ca_group_join, err);

	return st == XOS_OK ? each_of(c, "roles", name, ca_role_grant, err) : st;
}

static enum xos_status add(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	uint64_t number = 0;
	enum xos_status st = XOS_JSON_ONLY(
	    c->command->args, err, "name", "verifier", "groups", "roles", "until", "contact");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_member_add(c->auth->membership, name, c->now, &number, err);
	if (st == XOS_OK)
		st = ca_member_details(c, name, err);
	if (st == XOS_OK)
		st = ca_member_joins(c, name, err);
	if (st == XOS_OK && xos_json_has(c->command->args, "verifier"))
		st = ca_arg_verifier(c, name, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", name);
		xos_json_set_int(c->result, "number", (int64_t)number);
	}
	return st;
}

static enum xos_status take_away(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_member_remove(c->auth->membership, name, c->now, err);
	if (st == XOS_OK) {
		c->sets_verifier =
		    xos_str_copy(c->verifier.member, sizeof(c->verifier.member), name);
		c->verifier.all = true;
	}
	return st;
}

static enum xos_status password(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	uint64_t number = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "verifier");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_member_number(c->auth->membership, name, &number, err);
	return st == XOS_OK ? ca_arg_verifier(c, name, err) : st;
}

/* --- reading --- */

static struct xos_json *encode(const struct ca_member *m)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "name", m->name);
	xos_json_set_int(o, "number", (int64_t)m->number);
	xos_json_set_string(o, "state", xos_member_state_name(m->state));
	xos_json_set_time(o, "since", m->added);
	xos_json_set_strings(o, "groups", (const char *const *)m->groups.item, m->groups.n);
	xos_json_set_strings(o, "roles", (const char *const *)m->roles.item, m->roles.n);
	if (m->until < CA_NO_END)
		xos_json_set_time(o, "until", m->until);
	if (m->reason[0])
		xos_json_set_text(o, "reason", m->reason);
	if (m->contact[0])
		xos_json_set_text(o, "contact", m->contact);
	if (m->sponsor[0]) {
		xos_json_set_string(o, "sponsor", m->sponsor);
		xos_json_set_bool(o, "sponsor_left", m->sponsor_left);
	}
	if (m->owner[0])
		xos_json_set_string(o, "owner", m->owner);
	if (m->rules)
		xos_json_set_int(o, "rules", (int64_t)m->rules);
	return o;
}

static enum xos_status add_tokens(
    struct ca_call *c, const struct ca_member *m, struct xos_json *o, struct xos_err *err)
{
	struct xos_json *list = NULL;
	enum xos_status st = ca_ask_tokens(c->auth, m->number, &list, err);

	if (st == XOS_OK)
		xos_json_set(o, "tokens", list);
	return st;
}

static enum xos_status show(struct ca_call *c, struct xos_err *err)
{
	struct ca_member *m = NULL;
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	/* Members may look at themselves. */
	if (st == XOS_OK && strcmp(name, c->command->signer->claims->name) != 0)
		st = ca_demand_admin(c, err);
	if (st == XOS_OK)
		st = ca_member_get(c->auth->membership, name, &m, err);
	if (st == XOS_OK) {
		c->result = encode(m);
		st = add_tokens(c, m, c->result, err);
	}
	ca_member_free(m);
	return st;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct xos_json *members = NULL;
	struct ca_names names = {NULL, 0};
	const char *after = NULL;
	int64_t max = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "after", "max");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "after", XOS_MEMBER_MAX, &after, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, &max, err);
	if (st == XOS_OK)
		st = ca_member_names(
		    c->auth->membership, after ? after : "", (size_t)max + 1, &names, err);
	if (st == XOS_OK)
		members = xos_json_array();
	for (size_t i = 0; st == XOS_OK && i < names.n && i < (size_t)max; i++) {
		struct ca_member *m = NULL;

		st = ca_member_get(c->auth->membership, names.item[i], &m, err);
		if (st == XOS_OK)
			xos_json_add(members, encode(m));
		ca_member_free(m);
	}
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set(c->result, "members", members);
		xos_json_set_bool(c->result, "more", names.n > (size_t)max);
	} else {
		xos_json_free(members);
	}
	ca_names_free(&names);
	return st;
}

static const struct ca_verb verbs[] = {
    {"member.add", true, false, add},
    {"member.remove", true, false, take_away},
    {"member.list", false, false, list},
    {"member.show", false, true, show},
    {"password.reset", true, false, password},
};
const struct ca_verbs ca_member_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
