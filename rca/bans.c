/* The owner's bans, and what becomes of bans and leaving in the lock list. */
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "rca/nodes.h"
#include "store/sql.h"

enum xos_status rca_node_ban_by(
    struct xos_store *db, const char *node, const char *by, struct xos_err *err)
{
	return xos_sql_run(
	    db, NULL, err, "UPDATE nodes SET ban_by = ?2 WHERE node = ?1", "ss", node, by);
}

enum xos_status rca_owner_ban(struct xos_store *db, const char *node, int64_t now, int64_t until,
    const char *message, const char *by, struct xos_err *err)
{
	char id[33];

	xos_random_id(id, 16);
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO owner_bans (node, id, since, until, message, author)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (node) DO UPDATE SET id = excluded.id,"
	    " since = excluded.since, until = excluded.until, message = excluded.message,"
	    " author = excluded.author",
	    "ssiiss", node, id, now, until, message, by);
}

enum xos_status rca_owner_unban(struct xos_store *db, const char *node, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st =
	    xos_sql_run(db, &changed, err, "DELETE FROM owner_bans WHERE node = ?1", "s", node);

	if (st == XOS_OK && changed == 0)
		st = xos_err_set(
		    err, XOS_NOT_FOUND, "no-ban", "no node %s is banned by its owner", node);
	return st;
}

enum xos_status rca_owner_ban_check(
    struct xos_store *db, const char *node, int64_t now, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT message FROM owner_bans WHERE node = ?1 AND until > ?2", "si", node, now);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row)
		st = xos_err_set(err, XOS_DENIED, "node-banned",
		    "the node %s is banned by its owner%s%s", node,
		    *xos_stmt_text(s, 0) ? ": " : "", xos_stmt_text(s, 0));
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_node_ban_id(struct xos_store *db, const char *node, bool owner, int64_t now,
    char id[XOS_LOCK_ID_MAX + 1], struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    owner ? "SELECT id FROM owner_bans WHERE node = ?1 AND until > ?2"
	          : "SELECT ban_id FROM nodes WHERE node = ?1 AND ban_id IS NOT NULL AND ban_until "
	            "> ?2",
	    "si", node, now);

	id[0] = 0;
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row && !xos_str_copy(id, XOS_LOCK_ID_MAX + 1, xos_stmt_text(s, 0)))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad ban in nodes.db");
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_node_bans(
    struct xos_store *db, const char *node, int64_t now, bool *vo, bool *owner, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(db, &n, err,
	    "SELECT count(*) FROM nodes WHERE node = ?1 AND ban_id IS NOT NULL AND ban_until > ?2",
	    "si", node, now);

	*vo = n > 0;
	if (st == XOS_OK)
		st = xos_sql_int(db, &n, err,
		    "SELECT count(*) FROM owner_bans WHERE node = ?1 AND until > ?2", "si", node,
		    now);
	*owner = n > 0;
	return st;
}

static enum xos_status read_lock(struct xos_stmt *s, struct xos_lock *l, struct xos_err *err)
{
	l->kind = XOS_LOCK_NODE;
	l->since = xos_stmt_int(s, 2);
	l->until = xos_stmt_int(s, 3);
	if (!xos_str_copy(l->id, sizeof(l->id), xos_stmt_text(s, 0)) ||
	    !xos_str_copy(l->name, sizeof(l->name), xos_stmt_text(s, 1)) ||
	    !xos_str_copy(l->message, sizeof(l->message), xos_stmt_text(s, 4)))
		return xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad ban in nodes.db");
	return XOS_OK;
}

/* Rows (id, node, since, until, message) by node and, of one node, the one that lasts longest first. *full: there are
 * more than fit. */
static enum xos_status add_locks(struct xos_store *db, const char *sql, int64_t now,
    struct xos_lock *list, size_t *n, bool *full, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	size_t first = *n;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err, sql, "i", now);

	*full = false;
	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		if (*n > first && strcmp(list[*n - 1].name, xos_stmt_text(s, 1)) == 0)
			continue;
		if (*n == XOS_LOCKS_COUNT_MAX) {
			*full = true;
			break;
		}
		st = read_lock(s, &list[*n], err);
		*n += st == XOS_OK;
	}
	xos_stmt_done(s);
	return st;
}

static const char bans[] =
    "SELECT ban_id AS id, node, ban_since AS since, ban_until AS until, ban_message AS message"
    " FROM nodes WHERE ban_id IS NOT NULL AND ban_until > ?1"
    " UNION ALL SELECT id, node, since, until, message FROM owner_bans WHERE until > ?1"
    " ORDER BY node, until DESC";
static const char gone[] =
    "SELECT left_id, node, left_at, left_until, 'this node left the VO' FROM nodes"
    " WHERE left_until > ?1 AND (ban_id IS NULL OR ban_until <= ?1)"
    " AND node NOT IN (SELECT node FROM owner_bans WHERE until > ?1) ORDER BY node";

enum xos_status rca_node_locks(
    struct xos_store *db, int64_t now, struct xos_lock **out, size_t *n, struct xos_err *err)
{
	struct xos_lock *list = calloc(XOS_LOCKS_COUNT_MAX, sizeof(*list));
	size_t count = 0;
	bool full = false;
	enum xos_status st =
	    list ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = add_locks(db, bans, now, list, &count, &full, err);
	if (st == XOS_OK && full)
		st = xos_err_set(err, XOS_LIMIT, "locks-count", "more than %u nodes are banned",
		    XOS_LOCKS_COUNT_MAX);
	/* Nodes that leave in crowds take no ban's place, nor stop the list: what they leave behind ends by itself. */
	if (st == XOS_OK)
		st = add_locks(db, gone, now, list, &count, &full, err);
	if (st == XOS_OK && full)
		XOS_EVENT(XOS_WARN, "locks.full", "left_out", "nodes that left");
	if (st != XOS_OK) {
		free(list);
		return st;
	}
	*out = list;
	*n = count;
	return XOS_OK;
}
