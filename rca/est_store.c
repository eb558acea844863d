/* Stock clients in nodes.db. */
#include "rca/est_store.h"

#include "base/text.h"
#include "store/sql.h"

enum xos_status rca_est_find(struct xos_store *db, const char *node, const char *spki,
    char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT a.id FROM est_requests e JOIN applications a ON a.id = e.application"
	    " WHERE e.node = ?1 AND e.spki = ?2",
	    "ss", node, spki);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = XOS_NOT_FOUND;
	else if (st == XOS_OK && !xos_str_copy(id, XOS_RCA_ID_LEN + 1, xos_stmt_text(s, 0)))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad request in nodes.db");
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_est_remember(
    struct xos_store *db, const char *node, const char *spki, const char *id, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO est_requests (node, spki, application) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (node, spki) DO UPDATE SET application = excluded.application",
	    "sss", node, spki, id);
}

/* A name may be admitted again after its node left: what counts is this admission. */
enum xos_status rca_est_enrolled(struct xos_store *db, const char *node, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO est_nodes (node, service, since, issued, answer)"
	    " SELECT node, '', since, 0, NULL FROM nodes WHERE node = ?1"
	    " ON CONFLICT (node, service) DO UPDATE SET since = excluded.since,"
	    " issued = excluded.issued, answer = excluded.answer"
	    " WHERE est_nodes.since <> excluded.since",
	    "s", node);
}

enum xos_status rca_est_check(struct xos_store *db, const char *node, struct xos_err *err)
{
	int64_t found = 0;
	enum xos_status st = xos_sql_int(db, &found, err,
	    "SELECT 1 FROM est_nodes e JOIN nodes n ON n.node = e.node AND n.since = e.since"
	    " WHERE e.node = ?1 AND e.service = ''",
	    "s", node);

	if (st == XOS_NOT_FOUND)
		return xos_err_set(err, XOS_DENIED, "est-node",
		    "the node %s was not enrolled here: it renews as it joined (xos-node renew)",
		    node);
	return st;
}

enum xos_status rca_est_keep(struct xos_store *db, const char *node, const char *service,
    const struct xos_json *answer, int64_t now, struct xos_err *err)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_RCA_BODY_MAX);
	enum xos_status st = xos_json_dump(answer, &text, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO est_nodes (node, service, since, issued, answer)"
		    " SELECT node, ?2, since, ?3, ?4 FROM nodes WHERE node = ?1"
		    " ON CONFLICT (node, service) DO UPDATE SET since = excluded.since,"
		    " issued = excluded.issued, answer = excluded.answer",
		    "ssib", node, service, now, xos_buf_bytes(&text));
	xos_buf_free(&text);
	return st;
}

enum xos_status rca_est_last(struct xos_store *db, const char *node, const char *service,
    struct xos_json **answer, int64_t *when, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT e.issued, e.answer FROM est_nodes e JOIN nodes n"
	    " ON n.node = e.node AND n.since = e.since"
	    " WHERE e.node = ?1 AND e.service = ?2 AND e.answer IS NOT NULL",
	    "ss", node, service);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row) {
		st = XOS_NOT_FOUND;
	} else if (st == XOS_OK) {
		*when = xos_stmt_int(s, 0);
		st = xos_json_parse(xos_stmt_bytes(s, 1), XOS_RCA_BODY_MAX, answer, err);
	}
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_est_expire(struct xos_store *db, struct xos_err *err)
{
	enum xos_status st = xos_sql_run(db, NULL, err,
	    "DELETE FROM est_requests WHERE application NOT IN (SELECT id FROM applications)", "");

	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "DELETE FROM est_nodes WHERE node NOT IN (SELECT node FROM nodes)", "");
	return st;
}
