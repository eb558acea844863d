/* Two administrators: a change is proposed by one and approved by another, if the VO wants that. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "vops/changes.h"
#include "vops/proposals.h"
#include "vops/versions.h"

static enum xos_status propose(struct vops_auth *a, const struct xos_command *c, int64_t now,
    struct xos_json *result, struct xos_err *err)
{
	struct vops_proposal p = {
	    .args = c->args, .number = c->signer->claims->number, .made = now};
	enum xos_status st = vops_version_serial(a->db, 0, &p.base, err);

	if (st == XOS_OK && (!xos_str_copy(p.verb, sizeof(p.verb), c->verb) ||
	                        !xos_str_copy(p.author, sizeof(p.author), c->signer->claims->name)))
		st = xos_err_set(err, XOS_INTERNAL, "proposal", "a name does not fit");
	if (st == XOS_OK)
		st = vops_proposal_add(a->db, &p, err);
	if (st != XOS_OK)
		return st;
	xos_json_set_string(result, "state", "proposed");
	xos_json_set_int(result, "proposal", p.id);
	xos_json_set_time(result, "expires", p.expires);
	return XOS_OK;
}

enum xos_status vops_review_change(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const struct vops_change change = {.verb = c->verb,
	    .args = c->args,
	    .author = c->signer->claims->name,
	    .now = xos_clock_now()};
	bool review = false;
	enum xos_status st = vops_change_try(a, &change, &review, result, err);

	return st == XOS_OK && review ? propose(a, c, change.now, *result, err) : st;
}

enum xos_status vops_review_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	return st == XOS_OK ? vops_proposals_list(a->db, result, err) : st;
}

static enum xos_status get(
    struct vops_auth *a, const struct xos_command *c, struct vops_proposal *p, struct xos_err *err)
{
	int64_t id = 0;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "id");

	if (st == XOS_OK)
		st = xos_json_get_int64(c->args, "id", 1, INT64_MAX, &id, err);
	return st == XOS_OK ? vops_proposal_get(a->db, id, p, err) : st;
}

/* The text that would come into force: of a rollback the one of the version named. */
static enum xos_status proposed_text(
    struct vops_auth *a, const struct vops_proposal *p, struct xos_json *doc, struct xos_err *err)
{
	const char *text = NULL;
	uint64_t serial = 0;
	struct xos_buf old;
	enum xos_status st = XOS_OK;

	if (strcmp(p->verb, "policy.push") == 0) {
		st = xos_json_get_string(p->args, "text", XOS_POLICY_TEXT_MAX, &text, err);
		if (st == XOS_OK)
			xos_json_set_string(doc, "text", text);
	} else if (strcmp(p->verb, "policy.rollback") == 0) {
		xos_buf_init(&old, XOS_POLICY_TEXT_MAX + 1);
		st = xos_json_get_uint64(p->args, "serial", INT64_MAX, &serial, err);
		if (st == XOS_OK)
			st = vops_vo_set_get(a->db, serial, &old, NULL, err);
		if (st == XOS_OK)
			xos_json_set_string(doc, "text", xos_buf_str(&old));
		xos_buf_free(&old);
	}
	return st;
}

enum xos_status vops_review_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct vops_proposal p = {.args = NULL};
	struct xos_json *doc = NULL;
	enum xos_status st = get(a, c, &p, err);

	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	xos_json_set_int(doc, "id", p.id);
	xos_json_set_string(doc, "what", p.verb);
	xos_json_set_string(doc, "by", p.author);
	xos_json_set_string(doc, "state", p.state);
	xos_json_set_int(doc, "base", (int64_t)p.base);
	xos_json_set_time(doc, "made", p.made);
	xos_json_set_time(doc, "expires", p.expires);
	st = proposed_text(a, &p, doc, err);
	xos_json_set(doc, "args", p.args);
	p.args = NULL;
	if (st == XOS_OK)
		*result = doc;
	else
		xos_json_free(doc);
	return st;
}

/* Somebody else than who proposed it, while it is open and what it was made on is still in force: else it would undo what
 * nobody looked at. */
static enum xos_status check_approval(struct vops_auth *a, const struct xos_command *c,
    const struct vops_proposal *p, int64_t now, struct xos_err *err)
{
	uint64_t in_force = 0;

	if (strcmp(p->state, "open") != 0 || p->expires <= now)
		return xos_err_set(err, XOS_CONFLICT, "proposal-closed", "the proposal %lld is %s",
		    (long long)p->id, strcmp(p->state, "open") != 0 ? p->state : "expired");
	if (c->signer->claims->number == p->number)
		return xos_err_set(err, XOS_DENIED, "own-proposal",
		    "%s made this proposal: another administrator of the VO approves it",
		    p->author);
	enum xos_status st = vops_version_serial(a->db, 0, &in_force, err);
	if (st == XOS_OK && in_force != p->base)
		st = xos_err_set(err, XOS_CONFLICT, "proposal-stale",
		    "serial %llu is in force by now, and the proposal was made when it was %llu: "
		    "compare (xos-policy diff), then propose it anew",
		    (unsigned long long)in_force, (unsigned long long)p->base);
	return st;
}

enum xos_status vops_review_approve(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct vops_proposal p = {.args = NULL};
	struct vops_change change = {.approver = c->signer->claims->name, .now = xos_clock_now()};
	char id[24];
	enum xos_status st = get(a, c, &p, err);

	if (st != XOS_OK)
		return st;
	change.verb = p.verb;
	change.args = p.args;
	change.author = p.author;
	st = check_approval(a, c, &p, change.now, err);
	if (st == XOS_OK)
		st = vops_proposal_close(a->db, p.id, "approved", change.approver, change.now, err);
	if (st == XOS_OK)
		st = vops_change_do(a, &change, result, err);
	if (st == XOS_OK) {
		xos_json_set_int(*result, "proposal", p.id);
		xos_json_set_string(*result, "what", p.verb);
		xos_str_printf(id, sizeof(id), "%lld", (long long)p.id);
		XOS_EVENT(XOS_INFO, "proposal.approved", "proposal", id, "what", p.verb, "author",
		    p.author, "by", change.approver);
	}
	vops_proposal_clear(&p);
	return st;
}

/* Also by who made it: that is taking it back. */
enum xos_status vops_review_reject(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct vops_proposal p = {.args = NULL};
	enum xos_status st = get(a, c, &p, err);

	if (st == XOS_OK)
		st = vops_proposal_close(
		    a->db, p.id, "rejected", c->signer->claims->name, xos_clock_now(), err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_int(*result, "proposal", p.id);
	}
	vops_proposal_clear(&p);
	return st;
}
