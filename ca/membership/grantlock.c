/* A lock of a token, for what was renewed under grants that the token signed. */
#include "ca/membership/jobgrants.h"
#include "store/sql.h"

#define LEFT 500 /* of all locks, for those that administrators make */

static enum xos_status check_room(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	int64_t all = 0;
	enum xos_status st = xos_sql_int(
	    m->store, &all, err, "SELECT COUNT(*) FROM locks WHERE until > ?1", "i", lock->since);

	if (st == XOS_OK && all > XOS_LOCKS_COUNT_MAX - LEFT)
		st = xos_err_set(err, XOS_LIMIT, "locks-count",
		    "there is no room for locks of all grants that the token %s signed: lock the "
		    "member instead",
		    lock->name);
	return st;
}

enum xos_status ca_job_grants_lock_token(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	int64_t added = 0;
	enum xos_status st = xos_sql_run(m->store, NULL, err,
	    "DELETE FROM locks WHERE kind = 'grant' AND until <= ?1", "i", lock->since);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, &added, err,
		    "INSERT INTO locks (id, kind, name, since, until, message)"
		    " SELECT lower(hex(randomblob(8))), 'grant', g.id, ?2,"
		    " max(?3, g.not_after + ?4), ?5 FROM grants g"
		    " WHERE g.token = ?1 AND g.not_after > ?2 AND NOT EXISTS"
		    " (SELECT 1 FROM locks l WHERE l.kind = 'grant' AND l.name = g.id)",
		    "siiis", lock->name, lock->since, lock->until, (int64_t)CA_LOCK_TOKEN_PAST,
		    lock->message);
	return st == XOS_OK && added ? check_room(m, lock, err) : st;
}

enum xos_status ca_job_grants_unlock_token(
    struct ca_membership *m, const char *serial, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "DELETE FROM locks WHERE kind = 'grant'"
	    " AND name IN (SELECT id FROM grants WHERE token = ?1)"
	    " AND EXISTS (SELECT 1 FROM locks t WHERE t.kind = 'token' AND t.name = ?1"
	    " AND t.since = locks.since AND t.message = locks.message)",
	    "s", serial);
}
