#include "ca/membership/robots.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/membership/standing.h"
#include "policy/restriction.h"
#include "store/sql.h"

static enum xos_status check_owner(
    struct ca_membership *m, const char *name, int64_t now, uint64_t *number, struct xos_err *err)
{
	struct ca_member *owner = NULL;
	enum xos_status st = ca_member_get(m, name, &owner, err);

	if (st == XOS_OK &&
	    (owner->kind != CA_PERSON || ca_standing_check(m, owner, now, NULL) != XOS_OK))
		st = xos_err_set(err, XOS_DENIED, "owner-left",
		    "%s cannot own a robot: its owner is a person in good standing", name);
	if (st == XOS_OK)
		*number = owner->number;
	ca_member_free(owner);
	return st;
}

static enum xos_status check_restriction(const struct ca_robot *robot, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	struct xos_policy_set *set = NULL;
	enum xos_status st = xos_restriction_decode(robot->restriction, &set, &why);

	if (st != XOS_OK)
		st = xos_err_set(err, XOS_MALFORMED, "restriction",
		    "the restriction of %s cannot be read: %s", robot->name, why.text);
	xos_policy_set_unref(set);
	return st;
}

enum xos_status ca_robot_add(struct ca_membership *m, const struct ca_robot *robot, int64_t now,
    uint64_t *number, struct xos_err *err)
{
	uint64_t owner = 0;
	enum xos_status st = check_owner(m, robot->owner, now, &owner, err);

	if (st == XOS_OK)
		st = check_restriction(robot, err);
	if (st == XOS_OK)
		st = ca_member_add(m, robot->name, now, number, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "UPDATE members SET kind = 'robot', owner = ?2, restriction = ?3"
		    " WHERE number = ?1",
		    "iib", (int64_t)*number, (int64_t)owner, robot->restriction);
	return st;
}

enum xos_status ca_robot_owner(
    struct ca_membership *m, const char *name, const char *owner, int64_t now, struct xos_err *err)
{
	uint64_t number = 0, version = 0;
	int64_t changed = 0;
	enum xos_status st = check_owner(m, owner, now, &number, err);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, &changed, err,
		    "UPDATE members SET owner = ?2 WHERE name = ?1 AND kind = 'robot'"
		    " AND state <> 'removed'",
		    "si", name, (int64_t)number);
	if (st == XOS_OK && !changed)
		st = xos_err_set(
		    err, XOS_NOT_FOUND, "no-robot", "VO %s has no robot \"%s\"", m->vo, name);
	return st == XOS_OK ? ca_counter_next(m, "roster", &version, err) : st;
}

enum xos_status ca_robot_restriction(
    struct ca_membership *m, uint64_t number, struct xos_buf *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT kind, restriction FROM members WHERE number = ?1", "i", (int64_t)number);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row && strcmp(xos_stmt_text(q, 0), "robot") == 0) {
		struct xos_bytes b = xos_stmt_bytes(q, 1);

		xos_buf_put(out, b.p, b.n);
		if (!b.n || xos_buf_status(out) != XOS_OK)
			st = xos_err_set(err, XOS_INTERNAL, "restriction",
			    "the restriction of a robot is missing: no token without");
	} else if (st == XOS_OK && !row) {
		st = xos_err_set(err, XOS_INTERNAL, "member", "a member is missing");
	}
	xos_stmt_done(q);
	return st;
}
