/* What the authority says of grants, and how it is asked. */
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/grant.h"
#include "base/clock.h"

#define PAGES_MAX 10000 /* of a list */

static const char *const states[] = {
    [XOS_GRANT_ACTIVE] = "active",
    [XOS_GRANT_ENDED] = "ended",
    [XOS_GRANT_REVOKED] = "revoked",
};

const char *xos_grant_state_name(enum xos_grant_state s)
{
	return s >= XOS_GRANT_ACTIVE && s <= XOS_GRANT_REVOKED ? states[s] : "unknown";
}

static void set_time(struct xos_json *doc, const char *key, int64_t t)
{
	if (t)
		xos_json_set_time(doc, key, t);
}

struct xos_json *xos_grant_info_to_json(const struct xos_grant_info *i)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "id", i->id);
	xos_json_set_string(doc, "member", i->member);
	xos_json_set_string(doc, "node", i->node);
	xos_json_set_string(doc, "actor", i->actor);
	xos_json_set_string(doc, "key", i->key);
	xos_json_set_string(doc, "roles", i->roles);
	xos_json_set_int(doc, "depth", i->depth);
	xos_json_set_bool(doc, "restricted", i->restricted);
	xos_json_set_string(doc, "state", xos_grant_state_name(i->state));
	xos_json_set_text(doc, "text", i->text[0] ? i->text : NULL);
	xos_json_set_time(doc, "issued", i->issued);
	xos_json_set_time(doc, "registered", i->registered);
	xos_json_set_time(doc, "ends", i->ends);
	xos_json_set_int(doc, "renewals", (int64_t)i->renewals);
	set_time(doc, "revoked", i->revoked);
	set_time(doc, "renewed", i->renewed);
	set_time(doc, "not_after", i->not_after);
	return doc;
}

static enum xos_status read_state(
    const struct xos_json *doc, struct xos_grant_info *i, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st = xos_json_get_string(doc, "state", 16, &name, err);

	for (int s = XOS_GRANT_ACTIVE; st == XOS_OK && s <= XOS_GRANT_REVOKED; s++)
		if (strcmp(name, states[s]) == 0) {
			i->state = (enum xos_grant_state)s;
			return XOS_OK;
		}
	return st == XOS_OK ? xos_json_refuse(doc, err, "state: unknown") : st;
}

static enum xos_status read_names(
    const struct xos_json *doc, struct xos_grant_info *i, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_copy_string(doc, "id", i->id, sizeof(i->id), err);

	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "member", i->member, sizeof(i->member), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "node", i->node, sizeof(i->node), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "actor", i->actor, sizeof(i->actor), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "key", i->key, sizeof(i->key), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "roles", i->roles, sizeof(i->roles), err);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "text", sizeof(i->text) - 1, &text, err);
	if (st == XOS_OK && text)
		memcpy(i->text, text, strlen(text) + 1);
	return st;
}

static enum xos_status read_times(
    const struct xos_json *doc, struct xos_grant_info *i, struct xos_err *err)
{
	enum xos_status st = xos_json_get_time(doc, "issued", &i->issued, err);

	if (st == XOS_OK)
		st = xos_json_get_time(doc, "registered", &i->registered, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "ends", &i->ends, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "revoked", 0, &i->revoked, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "renewed", 0, &i->renewed, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "not_after", 0, &i->not_after, err);
	return st;
}

enum xos_status xos_grant_info_from_json(
    const struct xos_json *doc, struct xos_grant_info *out, struct xos_err *err)
{
	struct xos_grant_info i = {.id = ""};
	uint64_t depth = 0;
	enum xos_status st = read_names(doc, &i, err);

	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "depth", XOS_DELEGATION_DEPTH_MAX, &depth, err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "restricted", &i.restricted, err);
	if (st == XOS_OK)
		st = read_state(doc, &i, err);
	if (st == XOS_OK)
		st = read_times(doc, &i, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "renewals", INT64_MAX, &i.renewals, err);
	i.depth = (unsigned)depth;
	if (st == XOS_OK)
		*out = i;
	return st;
}

/* --- asking --- */

static const char *put_path(struct xos_buf *path, const char *vo, const char *id)
{
	xos_buf_init(path, 512);
	xos_buf_put_str(path, "/v1/vo/");
	xos_path_encode(path, vo);
	xos_buf_put_str(path, "/grants");
	if (id) {
		xos_buf_put_str(path, "/");
		xos_path_encode(path, id);
		xos_buf_put_str(path, "/renew");
	}
	return xos_buf_str(path);
}

/* {"grant": info} */
static enum xos_status read_info(
    const struct xos_json *doc, struct xos_grant_info *out, struct xos_err *err)
{
	struct xos_grant_info unused;
	const struct xos_json *i = NULL;
	enum xos_status st = xos_json_get_object(doc, "grant", &i, err);

	return st == XOS_OK ? xos_grant_info_from_json(i, out ? out : &unused, err) : st;
}

enum xos_status xos_grants_register(struct xos_client *client, const char *vo,
    const struct xos_json *grant, struct xos_grant_info *out, struct xos_err *err)
{
	struct xos_json *answer = NULL;
	struct xos_buf path;
	const char *p = put_path(&path, vo, NULL);
	enum xos_status st =
	    p ? xos_client_json(client, "POST", p, grant, &answer, err)
	      : xos_err_set(err, XOS_MALFORMED, "name", "the name of the VO is too long");

	if (st == XOS_OK)
		st = read_info(answer, out, err);
	xos_json_free(answer);
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_grants_renew(struct xos_client *client, const char *vo, const char *id,
    const struct xos_json *body, const struct xos_key *key, const struct xos_trust *trust,
    struct xos_grant_renewed *out, struct xos_err *err)
{
	struct xos_json *answer = NULL;
	struct xos_buf path;
	const char *p = put_path(&path, vo, id);
	enum xos_status st =
	    p ? xos_client_json(client, "POST", p, body, &answer, err)
	      : xos_err_set(err, XOS_MALFORMED, "name", "the name of VO or grant is too long");

	memset(out, 0, sizeof(*out));
	if (st == XOS_OK)
		st = xos_grant_renewed_decode(answer, trust, vo, id, key, out, err);
	if (st == XOS_OK)
		out->local_time = xos_clock_now();
	xos_json_free(answer);
	xos_buf_free(&path);
	return st;
}

static enum xos_status ask(struct xos_client *client, const struct xos_chain *token, const char *vo,
    const char *verb, const char *id, const char *reason, struct xos_grant_info *out,
    struct xos_err *err)
{
	struct xos_json *args = xos_json_object(), *answer = NULL;
	enum xos_status st;

	xos_json_set_string(args, "id", id);
	xos_json_set_string(args, "reason", reason);
	st = xos_command_send(client, token, vo, "ca", verb, args, &answer, err);
	if (st == XOS_OK)
		st = read_info(answer, out, err);
	xos_json_free(answer);
	return st;
}

enum xos_status xos_grants_get(struct xos_client *client, const struct xos_chain *token,
    const char *vo, const char *id, struct xos_grant_info *out, struct xos_err *err)
{
	return ask(client, token, vo, "grant.show", id, NULL, out, err);
}

enum xos_status xos_grants_revoke(struct xos_client *client, const struct xos_chain *token,
    const char *vo, const char *id, const char *reason, struct xos_grant_info *out,
    struct xos_err *err)
{
	return ask(client, token, vo, "grant.revoke", id, reason, out, err);
}

/* Behind *last, unless that is none; *last becomes the last one of this page. */
static enum xos_status list_page(struct xos_client *client, const struct xos_chain *token,
    const char *vo, const char *member, struct xos_grant_info *last, bool *more,
    enum xos_status (*each)(void *ctx, const struct xos_grant_info *i, struct xos_err *err),
    void *ctx, struct xos_err *err)
{
	struct xos_json *args = xos_json_object(), *answer = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st;

	if (member && strcmp(member, "*") == 0)
		xos_json_set_bool(args, "all", true);
	else
		xos_json_set_string(args, "member", member);
	if (last->id[0]) {
		xos_json_set_string(args, "id", last->id);
		xos_json_set_time(args, "ends", last->ends);
	}
	st = xos_command_send(client, token, vo, "ca", "grant.list", args, &answer, err);
	if (st == XOS_OK)
		st = xos_json_get_array(answer, "grants", XOS_GRANTS_MAX, &list, err);
	for (size_t n = 0; st == XOS_OK && n < xos_json_count(list); n++) {
		st = xos_grant_info_from_json(xos_json_at(list, n), last, err);
		if (st == XOS_OK)
			st = each(ctx, last, err);
	}
	if (st == XOS_OK)
		st = xos_json_opt_bool(answer, "more", false, more, err);
	/* A server that says so and gives nothing would be asked for ever. */
	*more = *more && xos_json_count(list) > 0;
	xos_json_free(answer);
	return st;
}

enum xos_status xos_grants_list(struct xos_client *client, const struct xos_chain *token,
    const char *vo, const char *member,
    enum xos_status (*each)(void *ctx, const struct xos_grant_info *i, struct xos_err *err),
    void *ctx, struct xos_err *err)
{
	struct xos_grant_info last = {.id = ""};
	enum xos_status st = XOS_OK;
	bool more = true;

	for (size_t pages = 0; st == XOS_OK && more; pages++) {
		more = false;
		st = pages < PAGES_MAX
		         ? list_page(client, token, vo, member, &last, &more, each, ctx, err)
		         : xos_err_set(err, XOS_LIMIT, "grants-count",
		               "the server's list of grants does not end");
	}
	return st;
}
