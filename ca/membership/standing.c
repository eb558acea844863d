/* Good standing of members: suspension, end of membership, the VO's own state. */
#include "ca/membership/standing.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/membership/jobgrants.h"
#include "ca/membership/sealed.h"
#include "store/sql.h"

/* "; ask ..." of whoever can help: the sponsor where there is one, else the VO's contact. */
static void whom(const struct ca_member *member, const struct ca_vo *vo, char *out, size_t cap)
{
	if (member->sponsor[0] && !member->sponsor_left)
		xos_str_printf(
		    out, cap, "your sponsor %s or the VO's administrators", member->sponsor);
	else if (vo->contact[0])
		xos_str_printf(out, cap, "%s", vo->contact);
	else
		xos_str_printf(out, cap, "the VO's administrators");
}

static enum xos_status check_member(const struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, int64_t now, struct xos_err *err)
{
	char ask[CA_CONTACT_MAX + 64] = "", end[XOS_TIME_TEXT];

	whom(member, vo, ask, sizeof(ask));
	if (member->state != XOS_MEMBER_ACTIVE)
		return xos_err_set(err, XOS_DENIED, "member-suspended",
		    "the membership of %s in VO %s is %s%s%s: ask %s", member->name, m->vo,
		    xos_member_state_name(member->state), member->reason[0] ? ": " : "",
		    member->reason, ask);
	if (member->until > now)
		return XOS_OK;
	xos_time_format(member->until, end);
	return xos_err_set(err, XOS_DENIED, "member-expired",
	    "the membership of %s in VO %s ended at %s: to renew it ask %s", member->name, m->vo,
	    end, ask);
}

static enum xos_status check_owner(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *robot, int64_t now, struct xos_err *err)
{
	struct ca_member *owner = NULL;
	bool locked = false;
	enum xos_status st = ca_member_get(m, robot->owner, &owner, err);

	if (st == XOS_OK && check_member(m, vo, owner, now, NULL) != XOS_OK)
		st = xos_err_set(err, XOS_DENIED, "owner-left",
		    "%s is a robot of %s, whose own membership of VO %s is suspended or has ended",
		    robot->name, robot->owner, m->vo);
	/* A locked person has the robot's password, or whoever the lock is against has it. */
	if (st == XOS_OK)
		st = ca_lock_on_member(m, robot->owner, now, &locked, err);
	if (st == XOS_OK && locked)
		st = xos_err_set(err, XOS_DENIED, "owner-left",
		    "%s is a robot of %s, whom the administrators of VO %s have locked",
		    robot->name, robot->owner, m->vo);
	ca_member_free(owner);
	return st;
}

static bool administers(const struct ca_membership *m, const struct ca_member *member)
{
	char role[XOS_FQAN_MAX + 1];

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", m->vo);
	return ca_member_holds(member, role);
}

enum xos_status ca_standing_in(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, int64_t now, struct xos_err *err)
{
	enum xos_status st = check_member(m, vo, member, now, err);

	if (st == XOS_OK && member->kind == CA_ROBOT)
		st = check_owner(m, vo, member, now, err);
	if (st == XOS_OK && (vo->ends <= now || !administers(m, member)))
		st = ca_vo_check(m, vo, now, err);
	return st;
}

enum xos_status ca_standing_check(
    struct ca_membership *m, const struct ca_member *member, int64_t now, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(m, &vo, err);

	return st == XOS_OK ? ca_standing_in(m, &vo, member, now, err) : st;
}

enum xos_status ca_standing_end(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, int64_t now, int64_t *end, struct xos_err *err)
{
	struct ca_member *owner = NULL;
	enum xos_status st = XOS_OK;

	*end = vo->ends < member->until ? vo->ends : member->until;
	if (vo->closed && now + CA_CLOSED_LIFE < *end)
		*end = now + CA_CLOSED_LIFE;
	if (member->kind == CA_SEALED && now + CA_SEALED_LIFE < *end)
		*end = now + CA_SEALED_LIFE;
	if (member->kind != CA_ROBOT)
		return XOS_OK;
	st = ca_member_get(m, member->owner, &owner, err);
	if (st == XOS_OK && owner->until < *end)
		*end = owner->until;
	ca_member_free(owner);
	return st;
}

/* --- changes --- */

static enum xos_status set_state(struct ca_membership *m, const char *name, const char *from,
    const char *to, const char *reason, struct xos_err *err)
{
	uint64_t number = 0, version = 0;
	int64_t changed = 0;
	enum xos_status st = ca_member_number(m, name, &number, err);

	if (st == XOS_OK)
		st = ca_sealed_refuse(name, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, &changed, err,
		    "UPDATE members SET state = ?3, reason = ?4 WHERE number = ?1 AND state = ?2",
		    "isss", (int64_t)number, from, to, reason);
	if (st == XOS_OK && !changed)
		st = xos_err_set(err, XOS_CONFLICT, "member-state",
		    "the membership of %s is not %s", name, from);
	return st == XOS_OK ? ca_counter_next(m, "roster", &version, err) : st;
}

enum xos_status ca_member_suspend(
    struct ca_membership *m, const char *name, const char *reason, int64_t now, struct xos_err *err)
{
	enum xos_status st = set_state(m, name, "active", "suspended", reason, err);
	uint64_t number = 0;

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = ca_job_grants_end_member(m, number, "the member was suspended", now, err);
	return st == XOS_OK ? ca_administrators_left(m, now, err) : st;
}

enum xos_status ca_member_resume(struct ca_membership *m, const char *name, struct xos_err *err)
{
	return set_state(m, name, "suspended", "active", "", err);
}

enum xos_status ca_member_until(
    struct ca_membership *m, const char *name, int64_t until, int64_t now, struct xos_err *err)
{
	uint64_t number = 0, version = 0;
	enum xos_status st = ca_member_number(m, name, &number, err);

	if (st == XOS_OK)
		st = ca_sealed_refuse(name, err);
	if (st == XOS_OK && until <= now)
		st = xos_err_set(err, XOS_MALFORMED, "member-until",
		    "the membership would end in the past: xos-vo member suspend stops it now");
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "UPDATE members SET until = ?2 WHERE number = ?1", "ii", (int64_t)number,
		    until);
	if (st == XOS_OK)
		st = ca_counter_next(m, "roster", &version, err);
	return st == XOS_OK ? ca_administrators_left(m, now, err) : st;
}

enum xos_status ca_member_contact(
    struct ca_membership *m, const char *name, const char *contact, struct xos_err *err)
{
	uint64_t number = 0;
	enum xos_status st = ca_member_number(m, name, &number, err);

	return st == XOS_OK ? xos_sql_run(m->store, NULL, err,
	                          "UPDATE members SET contact = ?2 WHERE number = ?1", "is",
	                          (int64_t)number, contact)
	                    : st;
}
