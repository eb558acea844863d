#include "vops/proposals.h"

#include <string.h>

#include "base/text.h"
#include "store/sql.h"

#define KEPT "100" /* closed ones whose text is kept */

enum xos_status vops_review_needed(struct xos_store *db, bool *needed, struct xos_err *err)
{
	int64_t value = 0;
	enum xos_status st = xos_sql_int(db, &value, err,
	    "SELECT coalesce(max(value), 0) FROM settings WHERE name = 'review'", "");

	*needed = st != XOS_OK || value != 0;
	return st;
}

enum xos_status vops_review_set(
    struct xos_store *db, bool needed, const char *by, int64_t now, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO settings (name, value, author, since) VALUES ('review', ?1, ?2, ?3)"
	    " ON CONFLICT (name) DO UPDATE SET value = excluded.value, author = excluded.author,"
	    " since = excluded.since",
	    "isi", (int64_t)needed, by, now);
}

enum xos_status vops_proposal_add(
    struct xos_store *db, struct vops_proposal *p, struct xos_err *err)
{
	struct xos_buf args;
	int64_t open = 0, last = 0;

	xos_buf_init(&args, XOS_COMMAND_BODY_MAX);
	enum xos_status st = xos_json_dump(p->args, &args, err);
	if (st == XOS_OK)
		st = xos_sql_int(
		    db, &open, err, "SELECT count(*) FROM proposals WHERE state = 'open'", "");
	if (st == XOS_OK && open >= (int64_t)VOPS_PROPOSALS_OPEN_MAX)
		st = xos_err_set(err, XOS_LIMIT, "proposals-full",
		    "%u proposals are open already: approve or reject some first",
		    VOPS_PROPOSALS_OPEN_MAX);
	if (st == XOS_OK)
		st = xos_sql_int(db, &last, err, "SELECT coalesce(max(id), 0) FROM proposals", "");
	p->id = last + 1;
	p->expires = p->made + VOPS_PROPOSAL_LIFE;
	strcpy(p->state, "open");
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO proposals (id, verb, args, base, author, number, made, expires,"
		    " state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open')",
		    "isbisiii", p->id, p->verb, xos_buf_bytes(&args), (int64_t)p->base, p->author,
		    (int64_t)p->number, p->made, p->expires);
	xos_buf_free(&args);
	return st;
}

enum xos_status vops_proposal_get(
    struct xos_store *db, int64_t id, struct vops_proposal *out, struct xos_err *err)
{
	struct vops_proposal p = {.id = id};
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT verb, args, base, author, number, made, expires, state FROM proposals"
	    " WHERE id = ?1",
	    "i", id);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && (!row || xos_stmt_bytes(s, 1).n == 0))
		st = xos_err_set(err, XOS_NOT_FOUND, "no-proposal",
		    "there is no proposal %lld, or it is not kept any more (xos-policy proposals)",
		    (long long)id);
	if (st == XOS_OK)
		st = xos_json_parse(xos_stmt_bytes(s, 1), XOS_COMMAND_BODY_MAX, &p.args, err);
	if (st == XOS_OK && (!xos_str_copy(p.verb, sizeof(p.verb), xos_stmt_text(s, 0)) ||
	                        !xos_str_copy(p.author, sizeof(p.author), xos_stmt_text(s, 3)) ||
	                        !xos_str_copy(p.state, sizeof(p.state), xos_stmt_text(s, 7))))
		st = xos_err_set(err, XOS_INTERNAL, "store-size", "a stored proposal does not fit");
	if (st == XOS_OK) {
		p.base = (uint64_t)xos_stmt_int(s, 2);
		p.number = (uint64_t)xos_stmt_int(s, 4);
		p.made = xos_stmt_int(s, 5);
		p.expires = xos_stmt_int(s, 6);
		*out = p;
	} else {
		vops_proposal_clear(&p);
	}
	xos_stmt_done(s);
	return st;
}

void vops_proposal_clear(struct vops_proposal *p)
{
	xos_json_free(p->args);
	p->args = NULL;
}

enum xos_status vops_proposal_close(struct xos_store *db, int64_t id, const char *state,
    const char *by, int64_t now, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(db, &changed, err,
	    "UPDATE proposals SET state = ?2, decided = ?3, decided_by = ?4"
	    " WHERE id = ?1 AND state = 'open'",
	    "isis", id, state, now, by);

	if (st == XOS_OK && changed == 0)
		return xos_err_set(err, XOS_CONFLICT, "proposal-closed",
		    "the proposal %lld is not open any more (xos-policy proposals)", (long long)id);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE proposals SET args = x'' WHERE state <> 'open' AND id NOT IN"
		    " (SELECT id FROM proposals WHERE state <> 'open' ORDER BY id DESC LIMIT " KEPT
		    ")",
		    "");
	return st;
}

enum xos_status vops_proposals_due(struct xos_store *db, int64_t now, struct xos_err *err)
{
	int64_t due = 0;
	enum xos_status st = xos_sql_int(db, &due, err,
	    "SELECT count(*) FROM proposals WHERE state = 'open' AND expires <= ?1", "i", now);

	if (st == XOS_OK && due)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE proposals SET state = 'expired', decided = ?1"
		    " WHERE state = 'open' AND expires <= ?1",
		    "i", now);
	return st;
}

static void list_row(struct xos_stmt *s, struct xos_json *list)
{
	struct xos_json *v = xos_json_object();

	xos_json_set_int(v, "id", xos_stmt_int(s, 0));
	xos_json_set_string(v, "what", xos_stmt_text(s, 1));
	xos_json_set_int(v, "base", xos_stmt_int(s, 2));
	xos_json_set_string(v, "by", xos_stmt_text(s, 3));
	xos_json_set_time(v, "made", xos_stmt_int(s, 4));
	xos_json_set_time(v, "expires", xos_stmt_int(s, 5));
	xos_json_set_string(v, "state", xos_stmt_text(s, 6));
	if (!xos_stmt_is_null(s, 7))
		xos_json_set_time(v, "decided", xos_stmt_int(s, 7));
	xos_json_set_string(v, "decided_by", xos_stmt_text(s, 8));
	xos_json_add(list, v);
}

enum xos_status vops_proposals_list(
    struct xos_store *db, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false, needed = true;
	enum xos_status st = vops_review_needed(db, &needed, err);

	if (st == XOS_OK)
		st = xos_sql_query(db, &s, err,
		    "SELECT id, verb, base, author, made, expires, state, decided, decided_by"
		    " FROM proposals ORDER BY id DESC LIMIT 1000",
		    "");
	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		list_row(s, list);
	xos_stmt_done(s);
	xos_json_set_bool(doc, "review", needed);
	xos_json_set(doc, "proposals", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}
