/* member.invite, member.renew, invitation.list, invitation.withdraw */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/grouptree.h"
#include "ca/auth/invitations.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "token/claims.h"

#define PAGE_MAX 200
#define GROUPS_TEXT_MAX (16 * 1024)

/* Administrators invite anybody; who administers each of the groups named invites into them; in an open VO
 * every member invites into none. *admin: the VO's. */
static enum xos_status check_right(struct ca_call *c, const char *const *groups, size_t n,
    const struct ca_vo *vo, bool *admin, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*admin = xos_command_is_admin(c->command) && ca_demand_admin(c, NULL) == XOS_OK;
	if (*admin)
		return XOS_OK;
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = ca_demand_group_admin(c, groups[i], err);
	if (st == XOS_OK && n == 0 && vo->model != CA_OPEN)
		st = xos_err_set(err, XOS_DENIED, "not-administrator",
		    "VO %s is administered: its administrators invite, and those of a group into "
		    "that group",
		    c->auth->vo);
	return st;
}

static enum xos_status join_names(
    const char *const *groups, size_t n, struct ca_invitation *i, struct xos_err *err)
{
	struct xos_buf b;

	xos_buf_init(&b, GROUPS_TEXT_MAX);
	for (size_t k = 0; k < n; k++) {
		xos_buf_put_str(&b, k ? " " : "");
		xos_buf_put_str(&b, groups[k]);
	}
	i->groups = xos_buf_steal(&b, NULL);
	if (i->groups)
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "invitation", "too many groups for one invitation");
}

/* Groups are known names: an invitation that cannot be taken up is found out now. */
static enum xos_status check_groups(
    struct ca_call *c, const char *const *groups, size_t n, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = ca_group_exists(c->auth->membership, groups[i], err);
	return st;
}

static enum xos_status read_ends(struct ca_call *c, const struct ca_vo *vo, bool admin,
    struct ca_invitation *i, struct xos_err *err)
{
	enum xos_status st = xos_json_opt_time(c->command->args, "ends", CA_NO_END, &i->ends, err);

	if (st == XOS_OK && i->ends <= c->now)
		st = xos_err_set(
		    err, XOS_MALFORMED, "member-until", "the membership would end in the past");
	/* Members give what the VO lets them give, which is never without an end. */
	if (st == XOS_OK && !admin && i->ends > c->now + vo->invited_life) {
		if (i->ends < CA_NO_END)
			return xos_err_set(err, XOS_DENIED, "invited-life",
			    "a member's invitation is for at most %lld days in VO %s",
			    (long long)(vo->invited_life / 86400), c->auth->vo);
		i->life = vo->invited_life;
	}
	return st;
}

static enum xos_status read_args(
    struct ca_call *c, struct ca_invitation *i, bool *admin, struct xos_err *err)
{
	const char **groups = NULL, *name = NULL, *contact = NULL;
	struct ca_vo vo;
	size_t n = 0;
	enum xos_status st = ca_arg(c, "name", &name, err);

	if (st == XOS_OK)
		st = xos_json_opt_strings(c->command->args, "groups", XOS_CLAIMS_GROUPS_MAX,
		    XOS_FQAN_MAX, &groups, &n, err);
	if (st == XOS_OK)
		st =
		    xos_json_opt_string(c->command->args, "contact", CA_CONTACT_MAX, &contact, err);
	if (st == XOS_OK)
		st = ca_vo_get(c->auth->membership, &vo, err);
	if (st == XOS_OK)
		st = check_right(c, groups, n, &vo, admin, err);
	if (st == XOS_OK)
		st = check_groups(c, groups, n, err);
	if (st == XOS_OK)
		st = read_ends(c, &vo, *admin, i, err);
	if (st == XOS_OK)
		st = join_names(groups, n, i, err);
	if (st == XOS_OK &&
	    (!xos_str_copy(i->name, sizeof(i->name), name) ||
	        !xos_str_copy(i->contact, sizeof(i->contact), contact ? contact : "")))
		st = xos_err_set(err, XOS_MALFORMED, "member-name", "the name is too long");
	xos_text_clean(i->contact);
	free(groups);
	return st;
}

static enum xos_status invite(struct ca_call *c, struct xos_err *err)
{
	struct ca_invitation i = {.at = c->now, .number = c->command->signer->claims->number};
	bool admin = false;
	enum xos_status st = XOS_JSON_ONLY(
	    c->command->args, err, "name", "verifier", "until", "for", "groups", "contact", "ends");

	if (st == XOS_OK)
		st = read_args(c, &i, &admin, err);
	if (st == XOS_OK)
		st = ca_arg_code(c, i.name, err);
	if (st == XOS_OK) {
		i.until = c->verifier.until;
		st = ca_invitation_add(c->auth->membership, &i, !admin, err);
	}
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", i.name);
		xos_json_set_time(c->result, "until", i.until);
	}
	ca_invitation_clear(&i);
	return st;
}

static enum xos_status withdraw(struct ca_call *c, struct xos_err *err)
{
	struct ca_invitation i = {.groups = NULL};
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_invitation_get(c->auth->membership, name, c->now, &i, err);
	if (st == XOS_OK && i.number != c->command->signer->claims->number)
		st = ca_demand_admin(c, err);
	if (st == XOS_OK)
		st = ca_invitation_remove(c->auth->membership, name, err);
	if (st == XOS_OK) {
		memcpy(c->verifier.member, i.name, sizeof(i.name));
		c->verifier.kind = XOS_SCRAM_CODE;
		c->verifier.removes = true;
		c->sets_verifier = true;
	}
	ca_invitation_clear(&i);
	return st;
}

static struct xos_json *encode(const struct ca_invitation *i)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "name", i->name);
	xos_json_set_string(o, "sponsor", i->sponsor);
	xos_json_set_time(o, "at", i->at);
	xos_json_set_time(o, "until", i->until);
	xos_json_set_string(o, "groups", i->groups);
	if (i->contact[0])
		xos_json_set_text(o, "contact", i->contact);
	if (i->life)
		xos_json_set_int(o, "life", i->life);
	else if (i->ends < CA_NO_END)
		xos_json_set_time(o, "ends", i->ends);
	return o;
}

/* Administrators see all, others their own. */
static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	bool admin = xos_command_is_admin(c->command) && ca_demand_admin(c, NULL) == XOS_OK;
	struct ca_invitation *all = NULL;
	struct xos_json *out;
	const char *after = NULL;
	int64_t max = 0;
	size_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "after", "max");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "after", XOS_MEMBER_MAX, &after, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, &max, err);
	if (st == XOS_OK)
		st = ca_invitation_page(c->auth->membership, after ? after : "",
		    admin ? 0 : c->command->signer->claims->number, (size_t)max + 1, c->now, &all,
		    &n, err);
	if (st != XOS_OK)
		return st;
	out = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		if (i < (size_t)max)
			xos_json_add(out, encode(&all[i]));
		ca_invitation_clear(&all[i]);
	}
	free(all);
	c->result = xos_json_object();
	xos_json_set(c->result, "invitations", out);
	xos_json_set_bool(c->result, "more", n > (size_t)max);
	return XOS_OK;
}

/* Whoever could not invite the member now does not renew what was invited. */
static enum xos_status check_sponsor(
    struct ca_call *c, const struct ca_vo *vo, const struct ca_member *member, struct xos_err *err)
{
	struct ca_member *me = NULL;
	bool may = false;
	enum xos_status st;

	if (strcmp(member->sponsor, c->command->signer->claims->name) != 0)
		return ca_demand_admin(c, err);
	if (vo->model == CA_OPEN)
		return XOS_OK;
	st = ca_signer_now(c, &me, err);
	for (size_t i = 0; st == XOS_OK && i < member->groups.n; i++)
		may = may || ca_member_administers(c->auth->vo, me, member->groups.item[i]);
	ca_member_free(me);
	return st == XOS_OK && !may ? ca_demand_admin(c, err) : st;
}

/* A sponsor goes on answering for who was invited, for once more as long. */
static enum xos_status renew(struct ca_call *c, struct xos_err *err)
{
	struct ca_member *member = NULL;
	const char *name = NULL;
	struct ca_vo vo;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_vo_get(c->auth->membership, &vo, err);
	if (st == XOS_OK)
		st = ca_member_get(c->auth->membership, name, &member, err);
	if (st == XOS_OK)
		st = check_sponsor(c, &vo, member, err);
	if (st == XOS_OK && member->until == CA_NO_END)
		st = xos_err_set(
		    err, XOS_CONFLICT, "member-until", "the membership of %s has no end", name);
	if (st == XOS_OK)
		st = ca_member_until(
		    c->auth->membership, name, c->now + vo.invited_life, c->now, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", name);
		xos_json_set_time(c->result, "until", c->now + vo.invited_life);
	}
	ca_member_free(member);
	return st;
}

static const struct ca_verb verbs[] = {
    {"member.invite", true, true, invite},
    {"member.renew", true, true, renew},
    {"invitation.list", false, true, list},
    {"invitation.withdraw", true, true, withdraw},
};
const struct ca_verbs ca_invitation_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
