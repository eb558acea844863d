/* How nodes leave and come again, their certificates, and all that is known of one. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "rca/nodes.h"
#include "store/sql.h"

static enum xos_status no_node(const char *node, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_NOT_FOUND, "no-node", "no node %s was admitted to this VO", node);
}

enum xos_status rca_node_site(
    struct xos_store *db, const char *node, char site[XOS_SITE_MAX + 1], struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(db, &s, err, "SELECT site FROM nodes WHERE node = ?1", "s", node);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = no_node(node, err);
	if (st == XOS_OK && !xos_str_copy(site, XOS_SITE_MAX + 1, xos_stmt_text(s, 0)))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad node in nodes.db");
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_node_leave(struct xos_store *db, const char *node, int64_t now, int64_t until,
    const char *by, struct xos_err *err)
{
	char id[33], site[XOS_SITE_MAX + 1];
	int64_t changed = 0;
	enum xos_status st = rca_node_site(db, node, site, err);

	xos_random_id(id, 16);
	if (st == XOS_OK)
		st = xos_sql_run(db, &changed, err,
		    "UPDATE nodes SET left_id = ?2, left_at = ?3, left_until = ?4, left_by = ?5"
		    " WHERE node = ?1 AND left_at IS NULL",
		    "ssiis", node, id, now, until, by);
	if (st == XOS_OK && changed == 0)
		st = xos_err_set(
		    err, XOS_CONFLICT, "node-left", "the node %s has left the VO before", node);
	return st;
}

/* What a node that left still has here. */
struct left {
	bool there, gone;
	int64_t until;
};

static enum xos_status look(
    struct xos_store *db, const char *node, struct left *l, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT left_at, left_until FROM nodes WHERE node = ?1", "s", node);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &l->there, err);
	if (st == XOS_OK && l->there) {
		l->gone = !xos_stmt_is_null(s, 0);
		l->until = xos_stmt_int(s, 1);
	}
	xos_stmt_done(s);
	return st;
}

static enum xos_status forget(struct xos_store *db, const char *node, struct xos_err *err)
{
	static const char *const tables[] = {"DELETE FROM services WHERE node = ?1",
	    "DELETE FROM certificates WHERE node = ?1", "DELETE FROM owner_bans WHERE node = ?1",
	    "DELETE FROM nodes WHERE node = ?1"};
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
		st = xos_sql_run(db, NULL, err, tables[i], "s", node);
	return st;
}

enum xos_status rca_node_make_room(
    struct xos_store *db, const char *node, bool again, int64_t now, struct xos_err *err)
{
	struct left l = {.there = false};
	bool vo = false, owner = false;
	char until[XOS_TIME_TEXT];
	enum xos_status st = look(db, node, &l, err);

	/* One that is there is refused by the INSERT that follows. */
	if (st != XOS_OK || !l.there || !l.gone)
		return st;
	st = rca_node_bans(db, node, now, &vo, &owner, err);
	if (st == XOS_OK && (vo || owner))
		return xos_err_set(err, XOS_DENIED, "node-banned",
		    "the node %s left while it was banned: end the ban first (xos-node unban %s)",
		    node, node);
	if (st == XOS_OK && !again && now < l.until) {
		xos_time_format(l.until, until);
		return xos_err_set(err, XOS_CONFLICT, "node-left",
		    "a node %s left, and its certificates, which would be good again, end at %s "
		    "only: "
		    "approve with --again if its keys are destroyed, or wait, or take another name",
		    node, until);
	}
	return st == XOS_OK ? forget(db, node, err) : st;
}

enum xos_status rca_certificate_note(struct xos_store *db, const char *node, const char *service,
    const struct xos_cert *cert, struct xos_err *err)
{
	char spki[XOS_FINGERPRINT_TEXT];

	xos_fingerprint_text(xos_key_spki_sha256(xos_cert_key(cert)), spki);
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO certificates (node, kind, serial, spki, not_after, latest)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (node, kind) DO UPDATE SET"
	    " serial = excluded.serial, spki = excluded.spki, not_after = excluded.not_after,"
	    " latest = CASE WHEN certificates.latest > excluded.latest THEN certificates.latest"
	    " ELSE excluded.latest END",
	    "ssssi", node, service, xos_cert_serial_text(cert), spki, xos_cert_not_after(cert));
}

enum xos_status rca_certificate_end(
    struct xos_store *db, const char *node, int64_t unknown, int64_t *end, struct xos_err *err)
{
	int64_t kinds = 0, noted = 0;
	enum xos_status st = xos_sql_int(
	    db, &kinds, err, "SELECT 1 + count(*) FROM services WHERE node = ?1", "s", node);

	if (st == XOS_OK)
		st = xos_sql_int(db, &noted, err,
		    "SELECT count(*) FROM certificates WHERE node = ?1", "s", node);
	*end = unknown;
	if (st == XOS_OK && noted >= kinds)
		st = xos_sql_int(db, end, err,
		    "SELECT max(latest) FROM certificates WHERE node = ?1", "s", node);
	return st;
}

static void add_certificate(
    struct xos_store *db, struct xos_json *to, const char *node, const char *kind)
{
	struct xos_stmt *s = NULL;
	bool row = false;

	/* What is not there to show is left out. */
	if (xos_sql_query(db, &s, NULL,
	        "SELECT serial, spki, not_after FROM certificates WHERE node = ?1 AND kind = ?2",
	        "ss", node, kind) == XOS_OK &&
	    xos_stmt_step(s, &row, NULL) == XOS_OK && row) {
		xos_json_set_string(to, "serial", xos_stmt_text(s, 0));
		xos_json_set_string(to, "fingerprint", xos_stmt_text(s, 1));
		xos_json_set_time(to, "not_after", xos_stmt_int(s, 2));
	}
	xos_stmt_done(s);
}

static enum xos_status add_services(
    struct xos_store *db, struct xos_json *doc, const char *node, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT kind, url FROM services WHERE node = ?1 ORDER BY kind", "s", node);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *v = xos_json_object();

		xos_json_set_string(v, "kind", xos_stmt_text(s, 0));
		xos_json_set_string(v, "url", xos_stmt_text(s, 1));
		add_certificate(db, v, node, xos_stmt_text(s, 0));
		xos_json_add(list, v);
	}
	xos_stmt_done(s);
	xos_json_set(doc, "services", list);
	return st;
}

static void add_ban(struct xos_json *list, const char *side, const char *by, int64_t since,
    int64_t until, const char *message)
{
	struct xos_json *v = xos_json_object();

	xos_json_set_string(v, "side", side);
	xos_json_set_string(v, "by", by);
	xos_json_set_time(v, "since", since);
	if (until != XOS_LOCK_NO_END)
		xos_json_set_time(v, "until", until);
	xos_json_set_string(v, "message", message);
	xos_json_add(list, v);
}

static enum xos_status add_about(struct xos_json *doc, const char *text, struct xos_err *err)
{
	struct xos_json *about = NULL;
	enum xos_status st =
	    text ? xos_json_parse(xos_bytes_str(text), 65536, &about, err) : XOS_OK;

	xos_json_set(doc, "about", about ? about : xos_json_object());
	return st;
}

static enum xos_status fill(
    struct xos_stmt *s, struct xos_json *doc, int64_t now, struct xos_err *err)
{
	struct xos_json *bans = xos_json_array(), *hosts = xos_json_array();
	bool vo = !xos_stmt_is_null(s, 5) && now < xos_stmt_int(s, 5);
	bool owner = !xos_stmt_is_null(s, 12) && now < xos_stmt_int(s, 12);
	bool left = !xos_stmt_is_null(s, 8);
	char host[XOS_NODE_MAX + 1];

	for (const char *p = xos_stmt_text(s, 2); p && *p; p += *p == ' ') {
		size_t len = strcspn(p, " ");

		if (xos_str_printf(host, sizeof(host), "%.*s", (int)len, p))
			xos_json_add_string(hosts, host);
		p += len;
	}
	xos_json_set_string(doc, "site", xos_stmt_text(s, 0));
	xos_json_set_time(doc, "since", xos_stmt_int(s, 1));
	xos_json_set(doc, "hosts", hosts);
	xos_json_set_string(doc, "state", left ? "left" : (vo || owner ? "banned" : "active"));
	xos_json_set_string(doc, "approved_by", xos_stmt_text(s, 3));
	xos_json_set_string(doc, "code", xos_stmt_text(s, 4));
	if (vo)
		add_ban(bans, "vo", xos_stmt_text(s, 13), xos_stmt_int(s, 6), xos_stmt_int(s, 5),
		    xos_stmt_text(s, 7));
	if (owner)
		add_ban(bans, "owner", xos_stmt_text(s, 16), xos_stmt_int(s, 14),
		    xos_stmt_int(s, 12), xos_stmt_text(s, 15));
	xos_json_set(doc, "bans", bans);
	if (left) {
		xos_json_set_time(doc, "left", xos_stmt_int(s, 8));
		xos_json_set_string(doc, "left_by", xos_stmt_text(s, 9));
		xos_json_set_time(doc, "refused_until", xos_stmt_int(s, 10));
	}
	return add_about(doc, xos_stmt_text(s, 11), err);
}

enum xos_status rca_node_describe(
    struct xos_store *db, const char *node, int64_t now, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT site, n.since, hosts, approver, code, ban_until, ban_since, ban_message,"
	    " left_at, left_by, left_until, about, b.until, ban_by, b.since, b.message, b.author"
	    " FROM nodes n LEFT JOIN owner_bans b ON b.node = n.node WHERE n.node = ?1",
	    "s", node);

	xos_json_set_string(doc, "node", node);
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK)
		st = row ? fill(s, doc, now, err) : no_node(node, err);
	xos_stmt_done(s);
	if (st == XOS_OK) {
		add_certificate(db, doc, node, "");
		st = add_services(db, doc, node, err);
	}
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}
