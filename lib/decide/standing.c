#include "decide/standing.h"

#include <string.h>

#include "base/clock.h"

static enum xos_status refuse(const struct xos_lock *lock, struct xos_err *err)
{
	char until[XOS_TIME_TEXT + 8] = "";
	if (!lock)
		return XOS_OK;
	if (lock->until != XOS_LOCK_NO_END) {
		memcpy(until, " until ", 8);
		xos_time_format(lock->until, until + 7);
	}
	return xos_err_set(err, XOS_DENIED, "locked", "The %s %s is locked%s%s%s (lock %s).",
	    xos_lock_kind_name(lock->kind), lock->name, until, lock->message[0] ? ": " : "",
	    lock->message, lock->id);
}

static enum xos_status on_roster(
    const struct xos_standing *s, const struct xos_claims *c, struct xos_err *err)
{
	const struct xos_roster_member *m = xos_roster_find(s->roster, c->name);
	if (!m)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "%s roster (serial %llu) has no member %s; a new member appears within "
		    "seconds.",
		    s->where, (unsigned long long)xos_roster_serial(s->roster), c->name);
	if (m->number != c->number)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "%s roster gives the member %s the number %llu, not %llu as in the token: log "
		    "in again.",
		    s->where, c->name, (unsigned long long)m->number,
		    (unsigned long long)c->number);
	if (m->state != XOS_MEMBER_ACTIVE)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "The membership of %s is %s: ask an administrator of the VO.", c->name,
		    xos_member_state_name(m->state));
	return XOS_OK;
}

static bool is_machine(const struct xos_claims *c)
{
	return c->kind == XOS_KIND_NODE || c->kind == XOS_KIND_SERVICE;
}

const struct xos_lock *xos_standing_lock(const struct xos_standing *s, const struct xos_claims *c,
    const char *serial, const char *node, int64_t now)
{
	const struct xos_lock *lock =
	    s->lock(s->arg, is_machine(c) ? XOS_LOCK_NODE : XOS_LOCK_MEMBER, c->name, now);
	/* The end entity's: what was delegated of a locked token is refused with it. */
	if (!lock && serial)
		lock = s->lock(s->arg, XOS_LOCK_TOKEN, serial, now);
	if (!lock && node)
		lock = s->lock(s->arg, XOS_LOCK_NODE, node, now);
	for (size_t i = 0; !lock && i < c->ngroups; i++)
		lock = s->lock(s->arg, XOS_LOCK_GROUP, c->groups[i], now);
	for (size_t i = 0; !lock && i < c->nroles; i++)
		lock = s->lock(s->arg, XOS_LOCK_ROLE, c->roles[i], now);
	if (!lock && c->home_org[0])
		lock = s->lock(s->arg, XOS_LOCK_HOME, c->home_org, now);
	return lock;
}

const struct xos_lock *xos_standing_grant_lock(
    const struct xos_standing *s, const char *id, int64_t now)
{
	const struct xos_lock *lock = s->lock(s->arg, XOS_LOCK_JOB, id, now);
	return lock ? lock : s->lock(s->arg, XOS_LOCK_GRANT, id, now);
}

enum xos_status xos_standing_check(const struct xos_standing *s, const struct xos_claims *c,
    const char *serial, const char *node, int64_t now, struct xos_err *err)
{
	enum xos_status st = is_machine(c) ? XOS_OK : on_roster(s, c, err);
	return st ? st : refuse(xos_standing_lock(s, c, serial, node, now), err);
}

enum xos_status xos_standing_grant(
    const struct xos_standing *s, const char *id, int64_t now, struct xos_err *err)
{
	return refuse(xos_standing_grant_lock(s, id, now), err);
}

enum xos_status xos_standing_node(
    const struct xos_standing *s, const char *node, int64_t now, struct xos_err *err)
{
	return refuse(s->lock(s->arg, XOS_LOCK_NODE, node, now), err);
}
