/* Locks: who gets no token although membership would allow it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/membership/jobgrants.h"
#include "ca/membership/membership.h"
#include "store/sql.h"

/* That a token with this serial exists only the key process knows. */
static enum xos_status check_token(const struct xos_lock *lock, struct xos_err *err)
{
	if (!xos_lock_serial_valid(lock->name))
		return xos_err_set(err, XOS_MALFORMED, "token-serial",
		    "\"%s\" is no serial of a token: hexadecimal in lower case, as xos-token "
		    "shows it",
		    lock->name);
	if (lock->until == XOS_LOCK_NO_END)
		return xos_err_set(
		    err, XOS_MALFORMED, "lock-until", "the lock of a token ends with the token");
	return XOS_OK;
}

static enum xos_status check_target(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	uint64_t number = 0;
	int64_t there = 0;
	enum xos_status st = XOS_OK;

	switch (lock->kind) {
	case XOS_LOCK_MEMBER:
		return ca_member_number(m, lock->name, &number, err);
	case XOS_LOCK_GROUP:
		st = xos_sql_int(m->store, &there, err,
		    "SELECT COUNT(*) FROM vo_groups WHERE name = ?1", "s", lock->name);
		if (st == XOS_OK && !there)
			st = xos_err_set(err, XOS_NOT_FOUND, "no-group",
			    "VO %s has no group \"%s\"", m->vo, lock->name);
		return st;
	case XOS_LOCK_ROLE:
		if (xos_name_is_role(lock->name) && xos_fqan_in_vo(lock->name, m->vo))
			return XOS_OK;
		return xos_err_set(err, XOS_MALFORMED, "role-name", "\"%s\" is no role of VO %s",
		    lock->name, m->vo);
	case XOS_LOCK_TOKEN:
		return check_token(lock, err);
	case XOS_LOCK_JOB:
	case XOS_LOCK_GRANT: /* one that nobody registered can be locked, too: nodes know its name */
		if (xos_job_id_valid(lock->name))
			return XOS_OK;
		return xos_err_set(err, XOS_MALFORMED, "lock-name",
		    "\"%s\" is no job or grant: 32 hexadecimal digits, as xos-job shows them",
		    lock->name);
	default:
		return xos_err_set(err, XOS_MALFORMED, "lock-kind",
		    "this authority locks members, groups, roles, tokens, jobs and grants");
	}
}

/* A list that does not fit is signed no more, and then no lock reaches anybody. Tokens, which members may
 * lock for themselves, leave room for what administrators lock. */
static enum xos_status check_room(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	int64_t all = 0, tokens = 0;
	enum xos_status st = xos_sql_int(
	    m->store, &all, err, "SELECT COUNT(*) FROM locks WHERE until > ?1", "i", lock->since);

	if (st == XOS_OK)
		st = xos_sql_int(m->store, &tokens, err,
		    "SELECT COUNT(*) FROM locks WHERE until > ?1 AND kind = 'token'", "i",
		    lock->since);
	if (st == XOS_OK && (all >= XOS_LOCKS_COUNT_MAX ||
	                        (lock->kind == XOS_LOCK_TOKEN && tokens >= CA_LOCK_TOKENS_MAX)))
		st = xos_err_set(err, XOS_LIMIT, "locks-count",
		    "VO %s has %lld locks, %lld of them on tokens, and no room for more: unlock "
		    "some, or lock the member or group instead",
		    m->vo, (long long)all, (long long)tokens);
	return st;
}

enum xos_status ca_lock_on_member(
    struct ca_membership *m, const char *name, int64_t now, bool *locked, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(m->store, &n, err,
	    "SELECT COUNT(*) FROM locks WHERE kind = 'member' AND name = ?1 AND until > ?2", "si",
	    name, now);

	*locked = st != XOS_OK || n > 0;
	return st;
}

/* Nodes learn of a robot from the roster, which says nothing of owners. */
static enum xos_status robots_too(
    struct ca_membership *m, enum xos_lock_kind kind, const char *name, struct xos_err *err)
{
	uint64_t version = 0;
	int64_t robots = 0;
	enum xos_status st = XOS_OK;

	if (kind == XOS_LOCK_MEMBER)
		st = xos_sql_int(m->store, &robots, err,
		    "SELECT COUNT(*) FROM members r JOIN members o ON o.number = r.owner"
		    " WHERE o.name = ?1 AND r.state <> 'removed'",
		    "s", name);
	return st == XOS_OK && robots ? ca_counter_next(m, "roster", &version, err) : st;
}

enum xos_status ca_lock_add(struct ca_membership *m, struct xos_lock *lock, struct xos_err *err)
{
	uint64_t version = 0;
	int64_t there = 0;
	enum xos_status st = check_target(m, lock, err);

	/* One that ended gives way to the new one; those of tokens, which nobody locks twice, go as well. */
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "DELETE FROM locks WHERE until <= ?3"
		    " AND (kind = 'token' OR (kind = ?1 AND name = ?2))",
		    "ssi", xos_lock_kind_name(lock->kind), lock->name, lock->since);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, &there, err,
		    "SELECT COUNT(*) FROM locks WHERE kind = ?1 AND name = ?2", "ss",
		    xos_lock_kind_name(lock->kind), lock->name);
	if (st == XOS_OK && there)
		st = xos_err_set(err, XOS_CONFLICT, "locked",
		    "%s is locked already: xos-vo unlock it first to change the lock", lock->name);
	if (st == XOS_OK)
		st = check_room(m, lock, err);
	xos_random_id(lock->id, 8);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO locks (id, kind, name, since, until, message)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		    "sssiis", lock->id, xos_lock_kind_name(lock->kind), lock->name, lock->since,
		    lock->until, lock->message);
	if (st == XOS_OK)
		st = robots_too(m, lock->kind, lock->name, err);
	if (st == XOS_OK)
		st = ca_job_grants_end_lock(m, lock, err);
	if (st == XOS_OK && lock->kind == XOS_LOCK_TOKEN)
		st = ca_job_grants_lock_token(m, lock, err);
	return st == XOS_OK ? ca_counter_next(m, "locks", &version, err) : st;
}

enum xos_status ca_lock_remove(
    struct ca_membership *m, enum xos_lock_kind kind, const char *name, struct xos_err *err)
{
	uint64_t version = 0;
	int64_t changed = 0;
	enum xos_status st =
	    kind == XOS_LOCK_TOKEN ? ca_job_grants_unlock_token(m, name, err) : XOS_OK;

	if (st == XOS_OK)
		st = xos_sql_run(m->store, &changed, err,
		    "DELETE FROM locks WHERE kind = ?1 AND name = ?2", "ss",
		    xos_lock_kind_name(kind), name);

	if (st == XOS_OK && changed == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "not-locked", "%s is not locked", name);
	if (st == XOS_OK)
		st = robots_too(m, kind, name, err);
	return st == XOS_OK ? ca_counter_next(m, "locks", &version, err) : st;
}

static enum xos_status read_lock(struct xos_stmt *q, struct xos_lock *lock, struct xos_err *err)
{
	if (xos_lock_kind_parse(xos_stmt_text(q, 1), &lock->kind) != XOS_OK ||
	    !xos_str_copy(lock->id, sizeof(lock->id), xos_stmt_text(q, 0)) ||
	    !xos_str_copy(lock->name, sizeof(lock->name), xos_stmt_text(q, 2)) ||
	    !xos_str_copy(lock->message, sizeof(lock->message), xos_stmt_text(q, 5)))
		return xos_err_set(err, XOS_INTERNAL, "lock", "a stored lock cannot be read");
	lock->since = xos_stmt_int(q, 3);
	lock->until = xos_stmt_int(q, 4);
	return XOS_OK;
}

enum xos_status ca_lock_list(
    struct ca_membership *m, int64_t now, struct xos_lock **out, size_t *n, struct xos_err *err)
{
	struct xos_lock *list = NULL;
	struct xos_stmt *q = NULL;
	size_t i = 0;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT id, kind, name, since, until, message FROM locks WHERE until > ?1"
	    " ORDER BY kind, name",
	    "i", now);

	*out = NULL;
	*n = 0;
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct xos_lock *more = reallocarray(list, i + 1, sizeof(*list));

		if (!more) {
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
			break;
		}
		list = more;
		memset(&list[i], 0, sizeof(list[i]));
		st = read_lock(q, &list[i++], err);
	}
	xos_stmt_done(q);
	if (st != XOS_OK) {
		free(list);
		return st;
	}
	*out = list;
	*n = i;
	return XOS_OK;
}

static bool hits(const struct xos_lock *lock, const struct ca_member *member,
    const char *const *roles, size_t nroles)
{
	switch (lock->kind) {
	case XOS_LOCK_MEMBER:
		return strcmp(lock->name, member->name) == 0;
	case XOS_LOCK_GROUP:
		return ca_member_in_group(member, lock->name);
	case XOS_LOCK_TOKEN:
	case XOS_LOCK_JOB:
	case XOS_LOCK_GRANT:
		/* Not its holder: ca_lock_check_token, ca_lock_check_grant. */
		return false;
	case XOS_LOCK_ROLE:
		for (size_t i = 0; i < nroles; i++)
			if (strcmp(lock->name, roles[i]) == 0)
				return true;
		return false;
	default:
		return true; /* what we do not understand refuses */
	}
}

static enum xos_status refuse(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	char until[XOS_TIME_TEXT] = "";

	if (lock->until < XOS_LOCK_NO_END)
		xos_time_format(lock->until, until);
	return xos_err_set(err, XOS_DENIED, "locked",
	    "the administrators of VO %s have locked the %s %s%s%s%s%s", m->vo,
	    xos_lock_kind_name(lock->kind), lock->name, until[0] ? " until " : "", until,
	    lock->message[0] ? ": " : "", lock->message);
}

enum xos_status ca_lock_check(struct ca_membership *m, const struct ca_member *member,
    const char *const *roles, size_t nroles, int64_t now, struct xos_err *err)
{
	struct xos_lock *list = NULL;
	size_t n = 0;
	enum xos_status st = XOS_OK;

	/* There for when somebody has locked everybody else. */
	if (member->kind == CA_SEALED)
		return XOS_OK;
	st = ca_lock_list(m, now, &list, &n, err);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		if (hits(&list[i], member, roles, nroles))
			st = refuse(m, &list[i], err);
	free(list);
	return st;
}

static enum xos_status check_named(struct ca_membership *m, enum xos_lock_kind kind,
    const char *name, int64_t now, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	struct xos_lock lock = {.kind = kind};
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT id, kind, name, since, until, message FROM locks"
	    " WHERE kind = ?1 AND name = ?2 AND until > ?3",
	    "ssi", xos_lock_kind_name(kind), name, now);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row)
		st = read_lock(q, &lock, err);
	xos_stmt_done(q);
	return st == XOS_OK && row ? refuse(m, &lock, err) : st;
}

enum xos_status ca_lock_check_token(
    struct ca_membership *m, const char *serial, int64_t now, struct xos_err *err)
{
	return check_named(m, XOS_LOCK_TOKEN, serial, now, err);
}

enum xos_status ca_lock_check_grant(
    struct ca_membership *m, const char *id, int64_t now, struct xos_err *err)
{
	enum xos_status st = check_named(m, XOS_LOCK_GRANT, id, now, err);

	return st == XOS_OK ? check_named(m, XOS_LOCK_JOB, id, now, err) : st;
}
