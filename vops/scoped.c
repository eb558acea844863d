#include "vops/scoped.h"

#include "base/text.h"
#include "store/sql.h"

/* What is kept of one name's former versions. */
#define VERSIONS "20"

const char *vops_scope_name(enum vops_scope s)
{
	return s == VOPS_SCOPE_GROUP ? "group" : "owner";
}

enum xos_status vops_scoped_each(
    struct xos_store *db, int64_t now, vops_scoped_fn fn, void *ctx, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT kind, name, serial, text FROM scoped_sets AS a WHERE withdrawn IS NULL"
	    " AND serial = (SELECT max(serial) FROM scoped_sets AS b"
	    " WHERE b.kind = a.kind AND b.name = a.name) ORDER BY kind, name",
	    "");

	(void)now; /* these count from their push to their withdrawal */
	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		const struct vops_scoped one = {.kind = (enum vops_scope)xos_stmt_int(s, 0),
		    .name = xos_stmt_text(s, 1),
		    .serial = (uint64_t)xos_stmt_int(s, 2),
		    .text = xos_stmt_bytes(s, 3)};

		st = fn(ctx, &one, err);
	}
	xos_stmt_done(s);
	return st;
}

static enum xos_status check_room(int64_t count, struct xos_err *err)
{
	return count < (int64_t)VOPS_SCOPED_MAX
	           ? XOS_OK
	           : xos_err_set(err, XOS_LIMIT, "sets-full",
	                 "%u sets of this level are kept already: withdraw some", VOPS_SCOPED_MAX);
}

enum xos_status vops_scoped_add(struct xos_store *db, const struct vops_scoped *s, const char *by,
    int64_t now, struct xos_err *err)
{
	int64_t last = 0, others = 0;
	enum xos_status st = xos_sql_int(db, &last, err,
	    "SELECT coalesce(max(serial), 0) FROM scoped_sets WHERE kind = ?1 AND name = ?2", "is",
	    (int64_t)s->kind, s->name);

	if (st == XOS_OK && s->serial <= (uint64_t)last)
		return xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the set of %s has the serial %llu, but %lld was there before: raise it above "
		    "that",
		    s->name, (unsigned long long)s->serial, (long long)last);
	if (st == XOS_OK)
		st = xos_sql_int(db, &others, err,
		    "SELECT count(DISTINCT name) FROM scoped_sets WHERE kind = ?1 AND name <> ?2",
		    "is", (int64_t)s->kind, s->name);
	if (st == XOS_OK)
		st = check_room(others, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO scoped_sets (kind, name, serial, text, author, pushed)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		    "isibsi", (int64_t)s->kind, s->name, (int64_t)s->serial, s->text, by, now);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "DELETE FROM scoped_sets WHERE kind = ?1 AND name = ?2 AND serial NOT IN"
		    " (SELECT serial FROM scoped_sets WHERE kind = ?1 AND name = ?2"
		    " ORDER BY serial DESC LIMIT " VERSIONS ")",
		    "is", (int64_t)s->kind, s->name);
	return st;
}

static enum xos_status no_set(
    enum vops_scope kind, const char *name, uint64_t serial, struct xos_err *err)
{
	if (serial)
		return xos_err_set(err, XOS_NOT_FOUND, "no-policy",
		    "no set of %s with the serial %llu is kept", name, (unsigned long long)serial);
	return xos_err_set(err, XOS_NOT_FOUND, "no-policy", "the %s %s has no set in force",
	    kind == VOPS_SCOPE_GROUP ? "group" : "member", name);
}

enum xos_status vops_scoped_withdraw(struct xos_store *db, enum vops_scope kind, const char *name,
    const char *by, int64_t now, struct xos_err *err)
{
	int64_t changed = 0;
	/* The row stays, so that its serial is never used again. */
	enum xos_status st = xos_sql_run(db, &changed, err,
	    "UPDATE scoped_sets SET withdrawn = ?3, withdrawn_by = ?4 WHERE kind = ?1 AND name = ?2"
	    " AND withdrawn IS NULL AND serial = (SELECT max(serial) FROM scoped_sets"
	    " WHERE kind = ?1 AND name = ?2)",
	    "isis", (int64_t)kind, name, now, by);

	return st == XOS_OK && changed == 0 ? no_set(kind, name, 0, err) : st;
}

enum xos_status vops_scoped_get(struct xos_store *db, enum vops_scope kind, const char *name,
    uint64_t serial, struct xos_buf *text, uint64_t *found, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT text, serial, withdrawn FROM scoped_sets WHERE kind = ?1 AND name = ?2"
	    " AND (?3 = 0 OR serial = ?3) ORDER BY serial DESC LIMIT 1",
	    "isi", (int64_t)kind, name, (int64_t)serial);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && (!row || (serial == 0 && !xos_stmt_is_null(s, 2))))
		st = no_set(kind, name, serial, err);
	if (st == XOS_OK) {
		struct xos_bytes b = xos_stmt_bytes(s, 0);

		xos_buf_put(text, b.p, b.n);
		*found = (uint64_t)xos_stmt_int(s, 1);
		st = xos_buf_status(text);
		if (st != XOS_OK)
			xos_err_set(err, st, "store-size", "a stored set does not fit");
	}
	xos_stmt_done(s);
	return st;
}

static void list_row(struct xos_stmt *s, const char *level, struct xos_json *list)
{
	struct xos_json *v = xos_json_object();

	xos_json_set_string(v, "level", level);
	xos_json_set_string(v, "name", xos_stmt_text(s, 1));
	xos_json_set_int(v, "serial", xos_stmt_int(s, 2));
	xos_json_set_string(v, "by", xos_stmt_text(s, 3));
	xos_json_set_time(v, "pushed", xos_stmt_int(s, 4));
	xos_json_set_int(v, "bytes", xos_stmt_int(s, 5));
	if (!xos_stmt_is_null(s, 6)) {
		xos_json_set_time(v, "withdrawn", xos_stmt_int(s, 6));
		xos_json_set_string(v, "withdrawn_by", xos_stmt_text(s, 7));
	}
	if (!xos_stmt_is_null(s, 8))
		xos_json_set_time(v, "expires", xos_stmt_int(s, 8));
	xos_json_add(list, v);
}

static enum xos_status list_rows(struct xos_stmt *s, struct xos_json *list, struct xos_err *err)
{
	static const char *const levels[] = {"group", "owner", "node"};
	bool row = false;
	enum xos_status st = XOS_OK;

	while ((st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		int64_t kind = xos_stmt_int(s, 0);

		list_row(s, levels[kind < 0 || kind > 2 ? 2 : kind], list);
	}
	return st;
}

enum xos_status vops_scoped_list(
    struct xos_store *db, const char *name, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT kind, name, serial, author, pushed, length(text), withdrawn, withdrawn_by, NULL"
	    " FROM scoped_sets WHERE ?1 IS NULL OR name = ?1"
	    " UNION ALL SELECT 2, site || '/' || node, serial, '', pushed, length(compact), NULL,"
	    " NULL, expires FROM node_sets WHERE ?1 IS NULL"
	    " ORDER BY 1, 2, 3 DESC LIMIT 10000",
	    "s", name);

	if (st == XOS_OK)
		st = list_rows(s, list, err);
	xos_stmt_done(s);
	xos_json_set(doc, "sets", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}

enum xos_status vops_node_sets_each(
    struct xos_store *db, const char *site, vops_node_set_fn fn, void *ctx, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT node, serial, expires, compact FROM node_sets WHERE site = ?1 ORDER BY node",
	    "s", site);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		const struct vops_node_set one = {.node = xos_stmt_text(s, 0),
		    .serial = (uint64_t)xos_stmt_int(s, 1),
		    .expires = xos_stmt_int(s, 2),
		    .compact = xos_stmt_bytes(s, 3)};

		st = fn(ctx, &one, err);
	}
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_node_set_put(struct xos_store *db, const char *site,
    const struct vops_node_set *set, int64_t now, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false, same = false;
	int64_t last = 0, others = 0;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT serial, compact FROM node_sets WHERE site = ?1 AND node = ?2", "ss", site,
	    set->node);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row) {
		last = xos_stmt_int(s, 0);
		same = xos_bytes_eq(xos_stmt_bytes(s, 1), set->compact);
	}
	xos_stmt_done(s);
	if (st != XOS_OK || same)
		return st;
	if (set->serial <= (uint64_t)last)
		return xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the set of the node %s/%s has the serial %llu, but %lld is in force: raise it "
		    "above that",
		    site, set->node, (unsigned long long)set->serial, (long long)last);
	st = xos_sql_int(db, &others, err,
	    "SELECT count(*) FROM node_sets WHERE site = ?1 AND node <> ?2", "ss", site, set->node);
	if (st == XOS_OK)
		st = check_room(others, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO node_sets (site, node, serial, expires, compact, pushed)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (site, node) DO UPDATE SET"
		    " serial = excluded.serial, expires = excluded.expires,"
		    " compact = excluded.compact, pushed = excluded.pushed",
		    "ssiibi", site, set->node, (int64_t)set->serial, set->expires, set->compact,
		    now);
	return st;
}
