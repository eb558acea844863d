/* grant.list, grant.show, grant.revoke: a member for what is its own, an administrator for all. */
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/jobgrants.h"

#define PAGE 1000 /* in one answer */

struct listing {
	const struct ca_call *c;
	struct xos_json *list;
	bool more;
};

static enum xos_status add_info(void *ctx, const struct ca_job_grant *g, struct xos_err *err)
{
	struct listing *l = ctx;
	struct xos_grant_info info;

	(void)err;
	l->more = xos_json_count(l->list) == PAGE;
	if (l->more)
		return XOS_OK;
	ca_job_grant_info(g, l->c->now, &info);
	xos_json_add(l->list, xos_grant_info_to_json(&info));
	return XOS_OK;
}

static bool is_signer(const struct ca_call *c, uint64_t number)
{
	return c->command->signer->claims->number == number;
}

/* Where the page begins: behind args.ends and args.id, which is how the one before ended. */
static enum xos_status read_page(
    struct ca_call *c, struct ca_job_grants_page *page, struct xos_err *err)
{
	const struct xos_json *args = c->command->args;
	const char *id = NULL;
	enum xos_status st = xos_json_opt_time(args, "ends", INT64_MAX, &page->ends, err);

	if (st == XOS_OK)
		st = xos_json_opt_string(args, "id", XOS_JOB_ID_TEXT - 1, &id, err);
	if (st == XOS_OK && !id != (page->ends == INT64_MAX))
		st = xos_err_set(
		    err, XOS_MALFORMED, "json-field", "args: ends and id belong together");
	page->id = id ? id : "";
	page->max = PAGE + 1; /* one more shows whether there is more */
	return st;
}

/* number 0: of all. */
static enum xos_status whose(struct ca_call *c, uint64_t *number, struct xos_err *err)
{
	const struct xos_json *args = c->command->args;
	struct ca_member *m = NULL;
	const char *name = NULL;
	bool all = false;
	enum xos_status st = XOS_JSON_ONLY(args, err, "member", "all", "ends", "id");

	*number = c->command->signer->claims->number;
	if (st == XOS_OK)
		st = xos_json_opt_string(args, "member", XOS_MEMBER_MAX, &name, err);
	if (st == XOS_OK)
		st = xos_json_opt_bool(args, "all", false, &all, err);
	if (st == XOS_OK && all && name)
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "grant.list lists those of \"member\", or \"all\" of them");
	if (st == XOS_OK && all) {
		*number = 0;
		st = ca_demand_admin(c, err);
	}
	if (st == XOS_OK && name && strcmp(name, c->command->signer->claims->name) != 0) {
		st = ca_demand_admin(c, err);
		if (st == XOS_OK)
			st = ca_member_get(c->auth->membership, name, &m, err);
		if (st == XOS_OK)
			*number = m->number;
		ca_member_free(m);
	}
	return st;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct listing l = {.c = c, .list = xos_json_array()};
	struct ca_job_grants_page page = {.number = 0};
	enum xos_status st = whose(c, &page.number, err);

	if (st == XOS_OK)
		st = read_page(c, &page, err);
	if (st == XOS_OK)
		st = ca_job_grants_list(c->auth->membership, &page, add_info, &l, err);
	if (st != XOS_OK) {
		xos_json_free(l.list);
		return st;
	}
	c->result = xos_json_object();
	xos_json_set(c->result, "grants", l.list);
	xos_json_set_bool(c->result, "more", l.more);
	return XOS_OK;
}

/* g is cleared by the caller. What is not one's own is unknown to who may not see it. */
static enum xos_status find(struct ca_call *c, struct ca_job_grant *g, struct xos_err *err)
{
	const char *id = NULL;
	enum xos_status st = ca_arg(c, "id", &id, err);

	xos_grant_init(&g->grant);
	if (st == XOS_OK)
		st = ca_job_grant_get(c->auth->membership, id, g, err);
	if (st != XOS_OK || is_signer(c, g->number))
		return st;
	if (xos_command_is_admin(c->command))
		return ca_demand_admin(c, err);
	return xos_err_set(err, XOS_NOT_FOUND, "grant-unknown",
	    "you have no grant \"%.40s\"; the role /%s/Role=admin shows those of others", id,
	    c->auth->vo);
}

static void answer(struct ca_call *c, const struct ca_job_grant *g)
{
	struct xos_grant_info info;

	ca_job_grant_info(g, c->now, &info);
	c->result = xos_json_object();
	xos_json_set(c->result, "grant", xos_grant_info_to_json(&info));
}

static enum xos_status show(struct ca_call *c, struct xos_err *err)
{
	struct ca_job_grant g = {.number = 0};
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "id");

	if (st == XOS_OK)
		st = find(c, &g, err);
	if (st == XOS_OK)
		answer(c, &g);
	ca_job_grant_clear(&g);
	return st;
}

static enum xos_status make_reason(
    struct ca_call *c, char out[CA_REASON_MAX + 1], struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(
	    c->command->args, "reason", CA_REASON_MAX - XOS_MEMBER_MAX - 16, &text, err);

	if (st == XOS_OK &&
	    !xos_str_printf(out, CA_REASON_MAX + 1, "revoked by %s%s%s",
	        c->command->signer->claims->name, text ? ": " : "", text ? text : ""))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "reason is too long");
	if (st == XOS_OK)
		xos_text_clean(out);
	return st;
}

static enum xos_status revoke(struct ca_call *c, struct xos_err *err)
{
	char reason[CA_REASON_MAX + 1];
	struct ca_job_grant g = {.number = 0};
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "id", "reason");

	if (st == XOS_OK)
		st = make_reason(c, reason, err);
	if (st == XOS_OK)
		st = find(c, &g, err);
	if (st == XOS_OK && !g.revoked) {
		st = ca_job_grant_revoke(c->auth->membership, g.grant.id, reason, c->now, err);
		g.revoked = c->now;
		memcpy(g.reason, reason, sizeof(g.reason));
	}
	if (st == XOS_OK)
		answer(c, &g);
	ca_job_grant_clear(&g);
	return st;
}

static const struct ca_verb verbs[] = {
    {"grant.list", false, true, list},
    {"grant.show", false, true, show},
    {"grant.revoke", true, true, revoke},
};
const struct ca_verbs ca_grant_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
