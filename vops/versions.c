#include "vops/versions.h"

#include <string.h>

#include "base/clock.h"
#include "store/sql.h"

#define IN_FORCE "(SELECT coalesce(max(serial), 0) FROM vo_sets WHERE active IS NOT NULL)"
#define WAITS "active IS NULL AND cancelled IS NULL AND serial > " IN_FORCE

static enum xos_status check_serial(
    struct xos_store *db, const struct vops_version *v, struct xos_err *err)
{
	int64_t last = 0, used = 0;
	enum xos_status st = xos_sql_int(db, &last, err,
	    "SELECT coalesce(max(serial), 0) FROM vo_sets WHERE active IS NOT NULL"
	    " OR (cancelled IS NULL AND planned <= ?1)",
	    "i", v->planned);

	if (st == XOS_OK && v->serial <= (uint64_t)last)
		return xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the set has the serial %llu, but %lld is in force, or will be by then: raise "
		    "it above that",
		    (unsigned long long)v->serial, (long long)last);
	if (st == XOS_OK)
		st = xos_sql_int(db, &used, err, "SELECT count(*) FROM vo_sets WHERE serial = ?1",
		    "i", (int64_t)v->serial);
	if (st == XOS_OK && used)
		return xos_err_set(err, XOS_CONFLICT, "serial-used",
		    "another version has the serial %llu (xos-policy list): take a higher one",
		    (unsigned long long)v->serial);
	return st;
}

enum xos_status vops_version_add(
    struct xos_store *db, const struct vops_version *v, int64_t now, struct xos_err *err)
{
	bool changed = false;
	enum xos_status st = check_serial(db, v, err);

	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO vo_sets (serial, text, author, pushed, kind, approver, comment,"
		    " planned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    "ibsisssi", (int64_t)v->serial, v->text, v->author, now, v->kind, v->approver,
		    v->comment, v->planned);
	return st == XOS_OK ? vops_versions_due(db, now, &changed, err) : st;
}

enum xos_status vops_versions_due(
    struct xos_store *db, int64_t now, bool *changed, struct xos_err *err)
{
	int64_t due = 0;
	enum xos_status st = xos_sql_int(db, &due, err,
	    "SELECT count(*) FROM vo_sets WHERE " WAITS " AND planned <= ?1", "i", now);

	*changed = due > 0;
	if (st == XOS_OK && due)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE vo_sets SET active = ?1 WHERE " WAITS " AND planned <= ?1", "i", now);
	return st;
}

enum xos_status vops_version_serial(
    struct xos_store *db, int64_t at, uint64_t *serial, struct xos_err *err)
{
	int64_t found = 0;
	enum xos_status st = xos_sql_int(db, &found, err,
	    "SELECT coalesce(max(serial), 0) FROM vo_sets WHERE active IS NOT NULL"
	    " OR (cancelled IS NULL AND planned <= ?1)",
	    "i", at);

	*serial = (uint64_t)found;
	return st;
}

enum xos_status vops_version_next(struct xos_store *db, uint64_t *serial, struct xos_err *err)
{
	int64_t last = 0;
	enum xos_status st =
	    xos_sql_int(db, &last, err, "SELECT coalesce(max(serial), 0) FROM vo_sets", "");

	if (st == XOS_OK && last == INT64_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "serial-used", "there is no higher serial than the last one");
	*serial = (uint64_t)last + 1;
	return st;
}

const char *vops_version_state_name(enum vops_version_state s)
{
	static const char *const names[] = {
	    "planned", "in force", "replaced", "overtaken", "cancelled"};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

static enum vops_version_state state_of(
    int64_t serial, bool active, bool cancelled, int64_t in_force)
{
	if (cancelled)
		return VOPS_VERSION_CANCELLED;
	if (active)
		return serial == in_force ? VOPS_VERSION_IN_FORCE : VOPS_VERSION_REPLACED;
	return serial > in_force ? VOPS_VERSION_PLANNED : VOPS_VERSION_OVERTAKEN;
}

static enum xos_status no_version(uint64_t serial, struct xos_err *err)
{
	if (serial)
		return xos_err_set(err, XOS_NOT_FOUND, "no-policy",
		    "the VO has no set with the serial %llu (xos-policy list)",
		    (unsigned long long)serial);
	return xos_err_set(err, XOS_NOT_FOUND, "no-policy",
	    "the VO has no policy yet: push one with xos-policy push FILE");
}

enum xos_status vops_version_state(struct xos_store *db, uint64_t serial,
    enum vops_version_state *out, bool *returns, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT active, cancelled, kind, " IN_FORCE " FROM vo_sets WHERE serial = ?1", "i",
	    (int64_t)serial);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = no_version(serial, err);
	if (st == XOS_OK) {
		*out = state_of((int64_t)serial, !xos_stmt_is_null(s, 0), !xos_stmt_is_null(s, 1),
		    xos_stmt_int(s, 3));
		*returns = strcmp(xos_stmt_text(s, 2), "return") == 0;
	}
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_version_cancel(
    struct xos_store *db, uint64_t serial, const char *by, int64_t now, struct xos_err *err)
{
	enum vops_version_state state = VOPS_VERSION_REPLACED;
	bool returns = false;
	enum xos_status st = vops_version_state(db, serial, &state, &returns, err);

	if (st == XOS_OK && state != VOPS_VERSION_PLANNED)
		return xos_err_set(err, XOS_CONFLICT, "not-planned",
		    "the version %llu is %s: only one that is planned can be cancelled",
		    (unsigned long long)serial, vops_version_state_name(state));
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE vo_sets SET cancelled = ?2, cancelled_by = ?3 WHERE serial = ?1", "iis",
		    (int64_t)serial, now, by);
	return st;
}

enum xos_status vops_vo_set_get(struct xos_store *db, uint64_t serial, struct xos_buf *text,
    uint64_t *found, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT text, serial FROM vo_sets WHERE serial = ?1 OR (?1 = 0 AND active IS NOT NULL)"
	    " ORDER BY serial DESC LIMIT 1",
	    "i", (int64_t)serial);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = no_version(serial, err);
	if (st == XOS_OK) {
		struct xos_bytes b = xos_stmt_bytes(s, 0);

		xos_buf_put(text, b.p, b.n);
		st = xos_buf_status(text);
		if (st != XOS_OK)
			xos_err_set(err, st, "store-size", "a stored set does not fit");
	}
	if (st == XOS_OK && found)
		*found = (uint64_t)xos_stmt_int(s, 1);
	xos_stmt_done(s);
	return st;
}

/* until: when a version above it became active; rows come from above. */
static void list_row(struct xos_stmt *s, int64_t *until, struct xos_json *list)
{
	struct xos_json *v = xos_json_object();
	bool active = !xos_stmt_is_null(s, 7);
	enum vops_version_state state =
	    state_of(xos_stmt_int(s, 0), active, !xos_stmt_is_null(s, 8), xos_stmt_int(s, 10));

	xos_json_set_int(v, "serial", xos_stmt_int(s, 0));
	xos_json_set_string(v, "state", vops_version_state_name(state));
	xos_json_set_string(v, "kind", xos_stmt_text(s, 1));
	xos_json_set_string(v, "by", xos_stmt_text(s, 2));
	xos_json_set_string(v, "approver", xos_stmt_text(s, 3));
	xos_json_set_string(v, "comment", xos_stmt_text(s, 4));
	xos_json_set_time(v, "pushed", xos_stmt_int(s, 5));
	xos_json_set_time(v, "from", xos_stmt_int(s, active ? 7 : 6));
	if (active && *until)
		xos_json_set_time(v, "until", *until);
	if (active)
		*until = xos_stmt_int(s, 7);
	xos_json_set_string(v, "cancelled_by", xos_stmt_text(s, 9));
	xos_json_set_int(v, "bytes", xos_stmt_int(s, 11));
	xos_json_add(list, v);
}

enum xos_status vops_vo_set_list(struct xos_store *db, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	int64_t until = 0;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT serial, kind, author, approver, comment, pushed, planned, active, cancelled,"
	    " cancelled_by, " IN_FORCE ", length(text) FROM vo_sets ORDER BY serial DESC LIMIT"
	    " 1000",
	    "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		list_row(s, &until, list);
	xos_stmt_done(s);
	xos_json_set(doc, "sets", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}
