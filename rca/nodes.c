/* Admitted nodes, their bans, and the VO's own servers. */
#include "rca/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "api/once.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "rca/messages.h"
#include "store/sql.h"

/* Append only: a step that was released is never edited. */
static const char *const migrations[] = {
    "CREATE TABLE applications (id TEXT PRIMARY KEY, node TEXT NOT NULL, created BIGINT NOT NULL,"
    " state INTEGER NOT NULL, decided BIGINT NOT NULL, message TEXT NOT NULL, doc BLOB NOT NULL,"
    " outcome BLOB);"
    "CREATE INDEX applications_state ON applications (state, created);"
    "CREATE TABLE nodes (node TEXT PRIMARY KEY, site TEXT NOT NULL, since BIGINT NOT NULL,"
    " hosts TEXT NOT NULL, ban_id TEXT, ban_since BIGINT, ban_until BIGINT, ban_message TEXT);"
    "CREATE TABLE services (node TEXT NOT NULL REFERENCES nodes (node), kind TEXT NOT NULL,"
    " url TEXT NOT NULL, PRIMARY KEY (node, kind));"
    "CREATE TABLE servers (kind TEXT NOT NULL, name TEXT NOT NULL, hosts TEXT NOT NULL,"
    " since BIGINT NOT NULL, PRIMARY KEY (kind, name));"
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);"
    "INSERT INTO counters VALUES ('locks', 0);" XOS_ONCE_SCHEMA,
    /* Who admits: sites and their owners' terms, codes, how each node came in and left. */
    "CREATE TABLE sites (site TEXT PRIMARY KEY, spki BLOB NOT NULL, author TEXT NOT NULL,"
    " since BIGINT NOT NULL, removed BIGINT);"
    "CREATE TABLE terms (site TEXT PRIMARY KEY REFERENCES sites (site), serial BIGINT NOT NULL,"
    " expires BIGINT NOT NULL, rescue BIGINT NOT NULL, compact BLOB NOT NULL,"
    " since BIGINT NOT NULL);"
    "CREATE TABLE approvers (site TEXT NOT NULL REFERENCES terms (site), member TEXT NOT NULL,"
    " PRIMARY KEY (site, member));"
    "CREATE TABLE owner_bans (node TEXT PRIMARY KEY REFERENCES nodes (node), id TEXT NOT NULL,"
    " since BIGINT NOT NULL, until BIGINT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL);"
    "CREATE TABLE codes (id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, site TEXT NOT NULL,"
    " node TEXT NOT NULL, author TEXT NOT NULL, author_number BIGINT NOT NULL,"
    " by_admin INTEGER NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL,"
    " uses BIGINT NOT NULL);"
    "CREATE INDEX codes_site ON codes (site, until);"
    "CREATE TABLE certificates (node TEXT NOT NULL, kind TEXT NOT NULL, serial TEXT NOT NULL,"
    " spki TEXT NOT NULL, not_after BIGINT NOT NULL, latest BIGINT NOT NULL,"
    " PRIMARY KEY (node, kind));"
    "ALTER TABLE nodes ADD COLUMN approver TEXT;"
    "ALTER TABLE nodes ADD COLUMN code TEXT;"
    "ALTER TABLE nodes ADD COLUMN about TEXT;"
    "ALTER TABLE nodes ADD COLUMN ban_by TEXT;"
    "ALTER TABLE nodes ADD COLUMN left_id TEXT;"
    "ALTER TABLE nodes ADD COLUMN left_at BIGINT;"
    "ALTER TABLE nodes ADD COLUMN left_until BIGINT;"
    "ALTER TABLE nodes ADD COLUMN left_by TEXT;",
    /* How certificates are kept: rca/generations.h. */
    "CREATE TABLE generations (node TEXT NOT NULL, kind TEXT NOT NULL, generation BIGINT NOT NULL,"
    " parent BIGINT NOT NULL, serial TEXT NOT NULL, spki TEXT NOT NULL, begins BIGINT NOT NULL,"
    " ends BIGINT NOT NULL, issued BIGINT NOT NULL, issued_from TEXT NOT NULL,"
    " iat BIGINT NOT NULL, used BIGINT, PRIMARY KEY (node, kind, generation));"
    "CREATE INDEX generations_serial ON generations (node, kind, serial);"
    "ALTER TABLE nodes ADD COLUMN ban_twice TEXT;"
    "ALTER TABLE nodes ADD COLUMN rescued BIGINT;",
    /* Stock clients: est_store.h. */
    "CREATE TABLE est_requests (node TEXT NOT NULL, spki TEXT NOT NULL, application TEXT NOT NULL,"
    " PRIMARY KEY (node, spki));"
    "CREATE TABLE est_nodes (node TEXT NOT NULL, service TEXT NOT NULL, since BIGINT NOT NULL,"
    " issued BIGINT NOT NULL, answer BLOB, PRIMARY KEY (node, service));",
};

enum xos_status rca_nodes_open(const char *path, struct xos_store **out, struct xos_err *err)
{
	const struct xos_store_options o = {
	    .path = path,
	    .migrations = migrations,
	    .nmigrations = sizeof(migrations) / sizeof(migrations[0]),
	};

	return xos_store_open(&o, out, err);
}

/* Host lists stand in one column with spaces between: no name or address has one. */
static enum xos_status join_hosts(
    struct xos_buf *out, const char *const *hosts, size_t n, struct xos_err *err)
{
	for (size_t i = 0; i < n; i++)
		xos_buf_printf(out, "%s%s", i ? " " : "", hosts[i]);
	if (xos_buf_str(out))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "node-hosts", "too many host names");
}

static enum xos_status split_hosts(
    const char *text, char hosts[][XOS_NODE_MAX + 1], size_t *n, struct xos_err *err)
{
	size_t count = 0;

	while (text && *text) {
		size_t len = strcspn(text, " ");

		if (count == XOS_RCA_HOSTS_MAX || len == 0 || len > XOS_NODE_MAX)
			return xos_err_set(
			    err, XOS_INTERNAL, "node-hosts", "bad host list in nodes.db");
		memcpy(hosts[count], text, len);
		hosts[count++][len] = 0;
		text += len;
		text += *text == ' ';
	}
	*n = count;
	return XOS_OK;
}

enum xos_status rca_node_admit(
    struct xos_store *db, const struct xos_rca_application *app, int64_t now, struct xos_err *err)
{
	const struct rca_admit how = {.by = ""};

	return rca_node_admit_by(db, app, &how, now, err);
}

enum xos_status rca_node_admit_by(struct xos_store *db, const struct xos_rca_application *app,
    const struct rca_admit *how, int64_t now, struct xos_err *err)
{
	const char *hosts[XOS_RCA_HOSTS_MAX];
	struct xos_buf text, about;

	enum xos_status st = rca_node_make_room(db, app->node, how->again, now, err);
	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < app->nhosts; i++)
		hosts[i] = app->hosts[i];
	xos_buf_init(&text, 8192);
	xos_buf_init(&about, 16384);
	st = join_hosts(&text, hosts, app->nhosts, err);
	if (st == XOS_OK)
		st = xos_json_dump(app->about, &about, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO nodes (node, site, since, hosts, approver, code, about)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		    "ssissss", app->node, app->site, now, xos_buf_str(&text), how->by, how->code,
		    xos_buf_str(&about));
	if (st == XOS_CONFLICT)
		st = xos_err_set(err, XOS_CONFLICT, "node-taken",
		    "the name %s belongs to an admitted node; the new one needs another name",
		    app->node);
	for (size_t i = 0; st == XOS_OK && i < app->nservices; i++)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO services (node, kind, url) VALUES (?1, ?2, ?3)", "sss", app->node,
		    app->services[i].kind, app->services[i].url);
	xos_buf_free(&about);
	xos_buf_free(&text);
	return st;
}

static enum xos_status no_node(const char *node, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_NOT_FOUND, "no-node", "no node %s was admitted to this VO", node);
}

static enum xos_status check_service(
    struct xos_store *db, const char *node, const char *service, struct xos_err *err)
{
	int64_t found = 0;
	enum xos_status st = xos_sql_int(db, &found, err,
	    "SELECT 1 FROM services WHERE node = ?1 AND kind = ?2", "ss", node, service);

	if (st == XOS_NOT_FOUND)
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-node", "the node %s has no service %s", node, service);
	return st;
}

enum xos_status rca_node_standing(struct xos_store *db, const char *node, const char *service,
    int64_t now, char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1], size_t *nhosts,
    struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT hosts, ban_until, ban_message, left_at, ban_since FROM nodes WHERE node = ?1",
	    "s", node);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = no_node(node, err);
	if (st == XOS_OK && !xos_stmt_is_null(s, 3))
		st = xos_err_set(err, XOS_DENIED, "node-left",
		    "the node %s has left the VO: it applies anew, with xos-node join", node);
	if (st == XOS_OK && !xos_stmt_is_null(s, 1) && now < xos_stmt_int(s, 1)) {
		char since[XOS_TIME_TEXT];

		xos_time_format(xos_stmt_int(s, 4), since);
		st = xos_err_set(err, XOS_DENIED, "node-banned",
		    "the node %s is locked since %s%s%s", node, since,
		    *xos_stmt_text(s, 2) ? ": " : "", xos_stmt_text(s, 2));
	}
	if (st == XOS_OK)
		st = split_hosts(xos_stmt_text(s, 0), hosts, nhosts, err);
	xos_stmt_done(s);
	if (st == XOS_OK)
		st = rca_owner_ban_check(db, node, now, err);
	return st == XOS_OK && service ? check_service(db, node, service, err) : st;
}

static enum xos_status add_services(
    struct xos_store *db, struct xos_json *node, const char *name, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT kind, url FROM services WHERE node = ?1 ORDER BY kind", "s", name);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *v = xos_json_object();

		xos_json_set_string(v, "kind", xos_stmt_text(s, 0));
		xos_json_set_string(v, "url", xos_stmt_text(s, 1));
		xos_json_add(list, v);
	}
	xos_stmt_done(s);
	xos_json_set(node, "services", list);
	return st;
}

enum xos_status rca_node_list(
    struct xos_store *db, int64_t now, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT nodes.node, site, ban_until, ban_message, left_at, b.until, b.message,"
	    " rescued FROM nodes LEFT JOIN owner_bans b ON b.node = nodes.node"
	    " ORDER BY nodes.node",
	    "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *v = xos_json_object();
		bool banned = !xos_stmt_is_null(s, 2) && now < xos_stmt_int(s, 2);
		bool owner = !xos_stmt_is_null(s, 5) && now < xos_stmt_int(s, 5);
		bool left = !xos_stmt_is_null(s, 4);

		xos_json_set_string(v, "node", xos_stmt_text(s, 0));
		xos_json_set_string(v, "site", xos_stmt_text(s, 1));
		xos_json_set_string(
		    v, "state", left ? "left" : (banned || owner ? "banned" : "active"));
		if (!left && (banned || owner))
			xos_json_set_string(v, "message", xos_stmt_text(s, banned ? 3 : 6));
		if (!xos_stmt_is_null(s, 7))
			xos_json_set_time(v, "rescued", xos_stmt_int(s, 7));
		st = add_services(db, v, xos_stmt_text(s, 0), err);
		xos_json_add(list, v);
	}
	xos_stmt_done(s);
	xos_json_set(doc, "nodes", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}

enum xos_status rca_node_ban(struct xos_store *db, const char *node, int64_t now, int64_t until,
    const char *message, struct xos_err *err)
{
	char id[33];
	int64_t changed = 0;

	xos_random_id(id, 16);
	enum xos_status st = xos_sql_run(db, &changed, err,
	    "UPDATE nodes SET ban_id = ?2, ban_since = ?3, ban_until = ?4, ban_message = ?5,"
	    " ban_by = NULL WHERE node = ?1",
	    "ssiis", node, id, now, until, message);
	return st == XOS_OK && changed == 0 ? no_node(node, err) : st;
}

enum xos_status rca_node_unban(struct xos_store *db, const char *node, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(db, &changed, err,
	    "UPDATE nodes SET ban_id = NULL, ban_since = NULL, ban_until = NULL, ban_message = NULL"
	    " WHERE node = ?1 AND ban_id IS NOT NULL",
	    "s", node);

	if (st == XOS_OK && changed == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-ban", "no node %s is banned", node);
	return st;
}

enum xos_status rca_server_put(struct xos_store *db, const char *service, const char *name,
    const char *const *hosts, size_t nhosts, int64_t now, struct xos_err *err)
{
	struct xos_buf text;

	xos_buf_init(&text, 8192);
	enum xos_status st = join_hosts(&text, hosts, nhosts, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO servers (kind, name, hosts, since) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (kind, name) DO UPDATE SET hosts = excluded.hosts,"
		    " since = excluded.since",
		    "sssi", service, name, xos_buf_str(&text), now);
	xos_buf_free(&text);
	return st;
}

enum xos_status rca_server_hosts(struct xos_store *db, const char *service, const char *name,
    char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1], size_t *nhosts, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT hosts FROM servers WHERE kind = ?1 AND name = ?2", "ss", service, name);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-node", "no server %s of kind %s is known",
		    name, service);
	if (st == XOS_OK)
		st = split_hosts(xos_stmt_text(s, 0), hosts, nhosts, err);
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_lock_serial_next(struct xos_store *db, uint64_t *serial, struct xos_err *err)
{
	int64_t v = 0;
	enum xos_status st = xos_sql_run(
	    db, NULL, err, "UPDATE counters SET value = value + 1 WHERE name = 'locks'", "");

	if (st == XOS_OK)
		st =
		    xos_sql_int(db, &v, err, "SELECT value FROM counters WHERE name = 'locks'", "");
	if (st == XOS_OK)
		*serial = (uint64_t)v;
	return st;
}
