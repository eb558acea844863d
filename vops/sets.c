#include "vops/sets.h"

#include "api/once.h"
#include "base/text.h"
#include "store/sql.h"

/* Append only: a step that was released is never edited. */
static const char *const migrations[] = {
    "CREATE TABLE vo_sets (serial BIGINT PRIMARY KEY, text BLOB NOT NULL, author TEXT NOT NULL,"
    " pushed BIGINT NOT NULL);"
    "CREATE TABLE sites (site TEXT PRIMARY KEY, spki BLOB NOT NULL, author TEXT NOT NULL,"
    " since BIGINT NOT NULL);"
    "CREATE TABLE site_sets (site TEXT PRIMARY KEY REFERENCES sites (site), serial BIGINT NOT NULL,"
    " expires BIGINT NOT NULL, compact BLOB NOT NULL, pushed BIGINT NOT NULL);"
    "CREATE TABLE objects (kind INTEGER PRIMARY KEY, serial BIGINT NOT NULL,"
    " compact BLOB NOT NULL, fetched BIGINT NOT NULL);" XOS_ONCE_SCHEMA,
    /* A version counts from when it became active, and for ever after: not from what a clock says. */
    "ALTER TABLE vo_sets ADD COLUMN kind TEXT NOT NULL DEFAULT 'push';"
    "ALTER TABLE vo_sets ADD COLUMN approver TEXT;"
    "ALTER TABLE vo_sets ADD COLUMN comment TEXT;"
    "ALTER TABLE vo_sets ADD COLUMN planned BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE vo_sets ADD COLUMN active BIGINT;"
    "ALTER TABLE vo_sets ADD COLUMN cancelled BIGINT;"
    "ALTER TABLE vo_sets ADD COLUMN cancelled_by TEXT;"
    "UPDATE vo_sets SET planned = pushed, active = pushed;"
    "CREATE TABLE scoped_sets (kind INTEGER NOT NULL, name TEXT NOT NULL, serial BIGINT NOT NULL,"
    " text BLOB NOT NULL, author TEXT NOT NULL, pushed BIGINT NOT NULL, withdrawn BIGINT,"
    " withdrawn_by TEXT, PRIMARY KEY (kind, name, serial));"
    "CREATE TABLE node_sets (site TEXT NOT NULL REFERENCES sites (site), node TEXT NOT NULL,"
    " serial BIGINT NOT NULL, expires BIGINT NOT NULL, compact BLOB NOT NULL,"
    " pushed BIGINT NOT NULL, PRIMARY KEY (site, node));"
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value BIGINT NOT NULL, author TEXT NOT NULL,"
    " since BIGINT NOT NULL);"
    "CREATE TABLE proposals (id BIGINT PRIMARY KEY, verb TEXT NOT NULL, args BLOB NOT NULL,"
    " base BIGINT NOT NULL, author TEXT NOT NULL, number BIGINT NOT NULL, made BIGINT NOT NULL,"
    " expires BIGINT NOT NULL, state TEXT NOT NULL, decided BIGINT, decided_by TEXT);"
    "CREATE TABLE cases (name TEXT PRIMARY KEY, text BLOB NOT NULL, author TEXT NOT NULL,"
    " since BIGINT NOT NULL);"
    "CREATE TABLE abilities (node TEXT PRIMARY KEY, site TEXT NOT NULL, document BLOB NOT NULL,"
    " told BIGINT NOT NULL);",
    /* heads.h */
    ("CREATE TABLE heads (log TEXT PRIMARY KEY, encoded BLOB NOT NULL, carried BLOB NOT NULL,"
     " fetched BIGINT NOT NULL);"),
};

enum xos_status vops_sets_open(const char *path, struct xos_store **out, struct xos_err *err)
{
	const struct xos_store_options o = {
	    .path = path,
	    .migrations = migrations,
	    .nmigrations = sizeof(migrations) / sizeof(migrations[0]),
	};

	return xos_store_open(&o, out, err);
}

/* Appends the blob of the first row's first column. *row says whether there was one. */
static enum xos_status take_blob(
    struct xos_stmt *s, struct xos_buf *out, bool *row, struct xos_err *err)
{
	enum xos_status st = xos_stmt_step(s, row, err);

	if (st == XOS_OK && *row) {
		struct xos_bytes b = xos_stmt_bytes(s, 0);

		if (b.n)
			xos_buf_put(out, b.p, b.n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "store-size", "a stored object does not fit");
	}
	return st;
}

static enum xos_status no_site(const char *site, struct xos_err *err)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-site",
	    "the site %s is not registered: a VO administrator registers it with its owner's "
	    "public key "
	    "(xos-policy site add %s --key FILE)",
	    site, site);
}

enum xos_status vops_site_key(
    struct xos_store *db, const char *site, struct xos_key **out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(db, &s, err, "SELECT spki FROM sites WHERE site = ?1", "s", site);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK)
		st = row ? xos_key_from_spki(xos_stmt_bytes(s, 0), out, err) : no_site(site, err);
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_site_add(struct xos_store *db, const char *site, const struct xos_key *key,
    const char *by, int64_t now, struct xos_err *err)
{
	struct xos_key *old = NULL;
	int64_t count = 0;
	enum xos_status st = vops_site_key(db, site, &old, err);

	if (st == XOS_OK) {
		if (!xos_key_same(old, key))
			st = xos_err_set(err, XOS_CONFLICT, "site-taken",
			    "the site %s is registered with another key; remove it first if its "
			    "owner "
			    "changed keys",
			    site);
		xos_key_free(old);
		return st;
	}
	if (st != XOS_NOT_FOUND)
		return st;
	st = xos_sql_int(db, &count, err, "SELECT count(*) FROM sites", "");
	if (st == XOS_OK && count >= VOPS_SITES_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "sites-full", "the VO has %d sites already", VOPS_SITES_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO sites (site, spki, author, since) VALUES (?1, ?2, ?3, ?4)", "sbsi",
		    site, xos_key_spki(key), by, now);
	return st;
}

enum xos_status vops_site_remove(struct xos_store *db, const char *site, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st =
	    xos_sql_run(db, NULL, err, "DELETE FROM site_sets WHERE site = ?1", "s", site);

	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err, "DELETE FROM node_sets WHERE site = ?1", "s", site);
	if (st == XOS_OK)
		st = xos_sql_run(db, &changed, err, "DELETE FROM sites WHERE site = ?1", "s", site);
	return st == XOS_OK && changed == 0 ? no_site(site, err) : st;
}

static enum xos_status site_row(struct xos_stmt *s, struct xos_json *list, struct xos_err *err)
{
	struct xos_json *v = xos_json_object();
	uint8_t digest[XOS_SHA256_LEN];
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = xos_sha256(xos_stmt_bytes(s, 1), digest);

	if (st != XOS_OK)
		xos_err_set(err, st, "digest", "SHA-256 failed");
	xos_fingerprint_text(digest, text);
	xos_json_set_string(v, "site", xos_stmt_text(s, 0));
	xos_json_set_string(v, "key", text);
	if (!xos_stmt_is_null(s, 2)) {
		xos_json_set_int(v, "serial", xos_stmt_int(s, 2));
		xos_json_set_time(v, "expires", xos_stmt_int(s, 3));
	}
	xos_json_add(list, v);
	return st;
}

enum xos_status vops_sites_each(struct xos_store *db,
    enum xos_status (*fn)(void *ctx, const char *site, struct xos_err *err), void *ctx,
    struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err, "SELECT site FROM sites ORDER BY site", "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		st = fn(ctx, xos_stmt_text(s, 0), err);
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_site_list(struct xos_store *db, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT sites.site, spki, serial, expires FROM sites"
	    " LEFT JOIN site_sets ON site_sets.site = sites.site ORDER BY sites.site",
	    "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		st = site_row(s, list, err);
	xos_stmt_done(s);
	xos_json_set(doc, "sites", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}

enum xos_status vops_site_set_get(
    struct xos_store *db, const char *site, struct xos_buf *out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(db, &s, err, "SELECT compact FROM site_sets WHERE site = ?1", "s", site);

	if (st == XOS_OK)
		st = take_blob(s, out, &row, err);
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_site_set_put(struct xos_store *db, const char *site, uint64_t serial,
    int64_t expires, struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	struct xos_buf old;
	int64_t last = 0;

	xos_buf_init(&old, XOS_SITESET_MAX);
	enum xos_status st = vops_site_set_get(db, site, &old, err);
	if (st != XOS_OK || xos_bytes_eq(xos_buf_bytes(&old), compact))
		goto out;
	st = xos_sql_int(db, &last, err,
	    "SELECT coalesce(max(serial), 0) FROM site_sets WHERE site = ?1", "s", site);
	if (st == XOS_OK && serial <= (uint64_t)last)
		st = xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the set of the site %s has the serial %llu, but %lld is in force: raise it "
		    "above that",
		    site, (unsigned long long)serial, (long long)last);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO site_sets (site, serial, expires, compact, pushed)"
		    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (site) DO UPDATE SET"
		    " serial = excluded.serial, expires = excluded.expires, compact = "
		    "excluded.compact,"
		    " pushed = excluded.pushed",
		    "siibi", site, (int64_t)serial, expires, compact, now);
out:
	xos_buf_free(&old);
	return st;
}

enum xos_status vops_object_forget(struct xos_store *db, enum vops_object o, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err, "DELETE FROM objects WHERE kind = ?1", "i", (int64_t)o);
}

enum xos_status vops_object_put(struct xos_store *db, enum vops_object o, uint64_t serial,
    struct xos_bytes compact, int64_t now, bool *changed, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false, same = false;
	int64_t last = 0;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT serial, compact FROM objects WHERE kind = ?1", "i", (int64_t)o);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row) {
		last = xos_stmt_int(s, 0);
		same = xos_bytes_eq(xos_stmt_bytes(s, 1), compact);
	}
	xos_stmt_done(s);
	if (st == XOS_OK && serial < (uint64_t)last)
		return xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the %s has the serial %llu, but %lld was seen before", vops_object_name(o),
		    (unsigned long long)serial, (long long)last);
	*changed = !same;
	if (st == XOS_OK && !same)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO objects (kind, serial, compact, fetched) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (kind) DO UPDATE SET serial = excluded.serial,"
		    " compact = excluded.compact, fetched = excluded.fetched",
		    "iibi", (int64_t)o, (int64_t)serial, compact, now);
	return st;
}

enum xos_status vops_object_get(
    struct xos_store *db, enum vops_object o, struct xos_buf *out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT compact FROM objects WHERE kind = ?1", "i", (int64_t)o);

	if (st == XOS_OK)
		st = take_blob(s, out, &row, err);
	xos_stmt_done(s);
	if (st == XOS_OK && !row)
		st = xos_err_set(err, XOS_UNAVAILABLE, "no-object",
		    "the %s was never fetched yet: no bundle is signed without it",
		    vops_object_name(o));
	return st;
}
