/* Commands about admitted nodes. */
#include <string.h>

#include "base/text.h"
#include "rca/commands.h"
#include "rca/generations.h"

static enum xos_status keep_ban(struct rca_auth *a, const struct rca_call *call, const char *node,
    int64_t until, const char *message, struct xos_err *err)
{
	if (call->side == RCA_SIDE_OWNER)
		return rca_owner_ban(a->db, node, call->now, until, message, call->who.name, err);
	enum xos_status st = rca_node_ban(a->db, node, call->now, until, message, err);
	return st == XOS_OK ? rca_node_ban_by(a->db, node, call->who.name, err) : st;
}

RCA_COMMAND_OF(ban)
{
	const struct xos_json *args = call->c->args;
	const char *node = NULL, *message = NULL;
	char id[XOS_LOCK_ID_MAX + 1] = "";
	int64_t until = XOS_LOCK_NO_END;
	enum xos_status st = XOS_JSON_ONLY(args, err, "node", "until", "message");

	if (st == XOS_OK)
		st = xos_json_get_string(args, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(args, "until", XOS_LOCK_NO_END, &until, err);
	if (st == XOS_OK && until <= call->now)
		st = xos_json_refuse(args, err, "until: a ban must end in the future");
	if (st == XOS_OK)
		st = xos_json_opt_string(args, "message", XOS_LOCK_MESSAGE_MAX, &message, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = keep_ban(a, call, node, until, message ? message : "", err);
	if (st == XOS_OK)
		st = rca_node_ban_id(a->db, node, call->side == RCA_SIDE_OWNER, call->now, id, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	rca_auth_forget_locks(a);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "node", node);
		xos_json_set_string(*result, "id", id);
	}
	return st;
}

/* Each side lifts its own. An owner's ban is lifted by whoever approves at the site. */
static enum xos_status lift(struct rca_auth *a, const struct rca_call *call, const char *node,
    const char *accept, bool *vo, bool *owner, struct xos_err *err)
{
	enum rca_side side;
	bool admin = call->who.why->status == XOS_OK;
	bool approver =
	    rca_may_approve(a, &call->who, call->site, call->now, &side, NULL) == XOS_OK;
	enum xos_status st = XOS_OK;

	if ((!*vo || !admin) && (!*owner || !approver))
		return xos_err_set(err, XOS_DENIED, "other-side",
		    "the node %s is banned by %s, and %s lifts that", node,
		    *vo ? "the VO" : "the owner of its site",
		    *vo ? "an administrator of the VO" : "an approver of the site");
	if (*vo && admin)
		st = rca_generation_unlock(a->db, node, accept, call->now, err);
	if (st == XOS_OK && *vo && admin) {
		st = rca_node_unban(a->db, node, err);
		*vo = false;
	}
	if (st == XOS_OK && *owner && approver) {
		st = rca_owner_unban(a->db, node, err);
		*owner = false;
	}
	return st;
}

RCA_COMMAND_OF(unban)
{
	const char *node = NULL, *accept = NULL;
	bool vo = false, owner = false;
	char id[2][XOS_LOCK_ID_MAX + 1] = {"", ""};
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "node", "accept");

	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(
		    call->c->args, "accept", XOS_FINGERPRINT_TEXT - 1, &accept, err);
	if (st == XOS_OK)
		st = rca_node_bans(a->db, node, call->now, &vo, &owner, err);
	for (size_t i = 0; st == XOS_OK && i < 2; i++)
		st = rca_node_ban_id(a->db, node, i, call->now, id[i], err);
	/* A lock for a second use outlives a ban with an end that was put in its place. */
	if (st == XOS_OK && rca_generation_standing(a->db, node, NULL) == XOS_DENIED)
		vo = true;
	if (st == XOS_OK && !vo && !owner)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-ban", "the node %s is not banned", node);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = lift(a, call, node, accept, &vo, &owner, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	rca_auth_forget_locks(a);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "node", node);
		if (vo || owner)
			xos_json_set_string(*result, "still", vo ? "vo" : "owner");
		/* Of two the VO's: one question is enough to know that the new list arrived. */
		const char *gone = id[0][0] && !vo ? id[0] : id[1][0] && !owner ? id[1] : NULL;
		xos_json_set_string(*result, "id", gone);
	}
	return st;
}

RCA_COMMAND_OF(remove)
{
	const char *node = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "node");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "node", XOS_NODE_MAX, &node, err);
	return st == XOS_OK ? rca_auth_leave(a, node, call->who.name, call->now, err) : st;
}

RCA_COMMAND_OF(describe)
{
	const char *what = NULL;
	char site[XOS_SITE_MAX + 1];
	struct xos_json *node = NULL, *list = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "what");

	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "what", XOS_NODE_MAX, &what, err);
	if (st == XOS_OK)
		st = rca_node_site(a->db, what, site, err);
	if (st == XOS_OK && rca_call_sees(a, call, site))
		st = rca_node_describe(a->db, what, call->now, &node, err);
	else if (st == XOS_NOT_FOUND)
		st = XOS_OK;
	if (st == XOS_OK)
		st = rca_applications_seen(a, call, what, &list, err);
	if (st == XOS_OK && !node && xos_json_count(list) == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-node",
		    "no node %s was admitted, and no application of that name or id waits, that "
		    "you "
		    "may look at",
		    what);
	if (st != XOS_OK) {
		xos_json_free(list);
		xos_json_free(node);
		return st;
	}
	*result = xos_json_object();
	if (node)
		xos_json_set(*result, "node", node);
	xos_json_set(*result, "applications", list);
	return XOS_OK;
}
