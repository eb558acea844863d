#include "decide/standing.h"

#include <string.h>

#include "base/clock.h"

static enum xos_status locked(const struct xos_standing *s, enum xos_lock_kind kind,
    const char *name, int64_t now, struct xos_err *err)
{
	char until[XOS_TIME_TEXT + 8] = "";
	const struct xos_lock *lock = s->lock(s->arg, kind, name, now);
	if (!lock)
		return XOS_OK;
	if (lock->until != XOS_LOCK_NO_END) {
		memcpy(until, " until ", 8);
		xos_time_format(lock->until, until + 7);
	}
	return xos_err_set(err, XOS_DENIED, "locked", "The %s %s is locked%s%s%s (lock %s).",
	    xos_lock_kind_name(kind), lock->name, until, lock->message[0] ? ": " : "",
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

enum xos_status xos_standing_check(const struct xos_standing *s, const struct xos_claims *c,
    const char *serial, const char *node, int64_t now, struct xos_err *err)
{
	bool machine = c->kind == XOS_KIND_NODE || c->kind == XOS_KIND_SERVICE;
	enum xos_status st =
	    machine ? locked(s, XOS_LOCK_NODE, c->name, now, err) : on_roster(s, c, err);
	if (!st && !machine)
		st = locked(s, XOS_LOCK_MEMBER, c->name, now, err);
	/* The end entity's: what was delegated of a locked token is refused with it. */
	if (!st && serial)
		st = locked(s, XOS_LOCK_TOKEN, serial, now, err);
	if (!st && node)
		st = locked(s, XOS_LOCK_NODE, node, now, err);
	for (size_t i = 0; !st && i < c->ngroups; i++)
		st = locked(s, XOS_LOCK_GROUP, c->groups[i], now, err);
	for (size_t i = 0; !st && i < c->nroles; i++)
		st = locked(s, XOS_LOCK_ROLE, c->roles[i], now, err);
	if (!st && c->home_org[0])
		st = locked(s, XOS_LOCK_HOME, c->home_org, now, err);
	return st;
}

enum xos_status xos_standing_grant(
    const struct xos_standing *s, const char *id, int64_t now, struct xos_err *err)
{
	enum xos_status st = locked(s, XOS_LOCK_JOB, id, now, err);
	return st ? st : locked(s, XOS_LOCK_GRANT, id, now, err);
}

enum xos_status xos_standing_node(
    const struct xos_standing *s, const char *node, int64_t now, struct xos_err *err)
{
	return locked(s, XOS_LOCK_NODE, node, now, err);
}
