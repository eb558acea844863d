/* Applications in nodes.db. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/messages.h"
#include "rca/nodes.h"
#include "store/sql.h"

void rca_application_free(struct rca_application *a)
{
	if (!a)
		return;
	xos_json_free(a->outcome);
	xos_rca_application_free(a->app);
	free(a);
}

static enum xos_status parse_row(
    struct xos_stmt *s, const char *id, struct rca_application *a, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(xos_stmt_bytes(s, 3), XOS_RCA_BODY_MAX, &doc, err);

	a->state = (enum xos_rca_state)xos_stmt_int(s, 0);
	a->created = xos_stmt_int(s, 1);
	if (!xos_str_copy(a->id, sizeof(a->id), id) ||
	    !xos_str_copy(a->message, sizeof(a->message), xos_stmt_text(s, 2)))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad application in nodes.db");
	if (st == XOS_OK)
		st = xos_rca_application_decode(doc, &a->app, err);
	if (st == XOS_OK && xos_stmt_bytes(s, 4).n > 0)
		st = xos_json_parse(xos_stmt_bytes(s, 4), XOS_RCA_BODY_MAX * 8, &a->outcome, err);
	xos_json_free(doc);
	return st;
}

enum xos_status rca_application_get(
    struct xos_store *db, const char *id, struct rca_application **out, struct xos_err *err)
{
	struct rca_application *a = calloc(1, sizeof(*a));
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = a ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = xos_sql_query(db, &s, err,
		    "SELECT state, created, message, doc, outcome FROM applications WHERE id = ?1",
		    "s", id);
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-application",
		    "there is no such application; unanswered ones are forgotten after some days");
	if (st == XOS_OK)
		st = parse_row(s, id, a, err);
	xos_stmt_done(s);
	if (st != XOS_OK) {
		rca_application_free(a);
		return st;
	}
	*out = a;
	return XOS_OK;
}

enum xos_status rca_application_pending(
    struct xos_store *db, char (**ids)[XOS_RCA_ID_LEN + 1], size_t *n, struct xos_err *err)
{
	char(*list)[XOS_RCA_ID_LEN + 1] = calloc(RCA_PENDING_MAX, sizeof(*list));
	struct xos_stmt *s = NULL;
	size_t count = 0;
	bool row = false;
	enum xos_status st =
	    list ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK)
		st = xos_sql_query(db, &s, err,
		    "SELECT id FROM applications WHERE state = ?1 ORDER BY created, id", "i",
		    (int64_t)XOS_RCA_PENDING);
	while (st == XOS_OK && count < RCA_PENDING_MAX &&
	       (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		if (!xos_str_copy(list[count++], sizeof(*list), xos_stmt_text(s, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "store-damaged", "bad application in nodes.db");
	}
	xos_stmt_done(s);
	if (st != XOS_OK) {
		free(list);
		return st;
	}
	*ids = list;
	*n = count;
	return XOS_OK;
}

/* Only what proves its keys may wait: an id then belongs to whoever holds the node's key. */
enum xos_status rca_application_check(const struct xos_rca_application *app, struct xos_err *err)
{
	struct xos_csr csr;
	enum xos_status st = xos_csr_parse(xos_buf_bytes(&app->csr), &csr, err);

	for (size_t i = 0; st == XOS_OK && i < app->nservices; i++) {
		if (rca_kind_is_server(app->services[i].kind))
			return xos_err_set(err, XOS_DENIED, "service-kind",
			    "a node cannot have the service %s: it is one of the VO's own servers",
			    app->services[i].kind);
		st = xos_csr_parse(xos_buf_bytes(&app->services[i].csr), &csr, err);
		if (st != XOS_OK)
			xos_err_prefix(
			    err, st, "request for the service %s", app->services[i].kind);
	}
	return st;
}

/* Does the same node wait already, with the same key? */
static enum xos_status find_same(struct xos_store *db, const struct xos_rca_application *app,
    char id[XOS_RCA_ID_LEN + 1], size_t *waiting, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT id, doc FROM applications WHERE node = ?1 AND state = ?2", "si", app->node,
	    (int64_t)XOS_RCA_PENDING);

	while (st == XOS_OK && !id[0] && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *mine = xos_rca_application_encode(app);
		struct xos_buf text;

		(*waiting)++;
		xos_buf_init(&text, XOS_RCA_BODY_MAX);
		st = xos_json_dump(mine, &text, err);
		if (st == XOS_OK && xos_bytes_eq(xos_buf_bytes(&text), xos_stmt_bytes(s, 1)) &&
		    !xos_str_copy(id, XOS_RCA_ID_LEN + 1, xos_stmt_text(s, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "store-damaged", "bad application in nodes.db");
		xos_buf_free(&text);
		xos_json_free(mine);
	}
	xos_stmt_done(s);
	return st;
}

static enum xos_status check_room(
    struct xos_store *db, const struct xos_rca_application *app, size_t same, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(
	    db, &n, err, "SELECT 1 FROM nodes WHERE node = ?1 AND left_at IS NULL", "s", app->node);

	if (st == XOS_OK)
		return xos_err_set(err, XOS_CONFLICT, "node-taken",
		    "the name %s belongs to an admitted node: choose another with --name",
		    app->node);
	if (st != XOS_NOT_FOUND)
		return st;
	st = xos_sql_int(db, &n, err, "SELECT count(*) FROM applications WHERE state = ?1", "i",
	    (int64_t)XOS_RCA_PENDING);
	if (st == XOS_OK && (n >= RCA_PENDING_MAX || same >= RCA_PENDING_NAME_MAX))
		st = xos_err_set(err, XOS_LIMIT, "applications-full",
		    "too many applications wait for an answer; ask the VO's administrator to look "
		    "at them");
	return st;
}

enum xos_status rca_application_insert(struct xos_store *db, const struct xos_rca_application *app,
    int64_t now, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct xos_json *doc = xos_rca_application_encode(app);
	struct xos_buf text;

	xos_buf_init(&text, XOS_RCA_BODY_MAX);
	xos_random_id(id, XOS_RCA_ID_LEN / 2);
	enum xos_status st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO applications (id, node, created, state, decided, message, doc)"
		    " VALUES (?1, ?2, ?3, ?4, 0, '', ?5)",
		    "ssiib", id, app->node, now, (int64_t)XOS_RCA_PENDING, xos_buf_bytes(&text));
	xos_json_free(doc);
	xos_buf_free(&text);
	return st;
}

enum xos_status rca_application_add(struct xos_store *db, const struct xos_rca_application *app,
    int64_t now, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	size_t same = 0;

	id[0] = 0;
	enum xos_status st = rca_application_check(app, err);
	if (st == XOS_OK)
		st = find_same(db, app, id, &same, err);
	if (st != XOS_OK || id[0])
		return st;
	st = check_room(db, app, same, err);
	return st == XOS_OK ? rca_application_insert(db, app, now, id, err) : st;
}

enum xos_status rca_application_decide(struct xos_store *db, const char *id,
    enum xos_rca_state state, const char *message, const struct xos_json *outcome, int64_t now,
    struct xos_err *err)
{
	struct xos_buf text;
	int64_t changed = 0;
	enum xos_status st = XOS_OK;

	xos_buf_init(&text, XOS_RCA_BODY_MAX * 8);
	if (outcome)
		st = xos_json_dump(outcome, &text, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, &changed, err,
		    "UPDATE applications SET state = ?2, message = ?3, outcome = ?4, decided = ?5"
		    " WHERE id = ?1 AND state = ?6",
		    "sisbii", id, (int64_t)state, message, xos_buf_bytes(&text), now,
		    (int64_t)XOS_RCA_PENDING);
	if (st == XOS_OK && changed == 0)
		st = xos_err_set(
		    err, XOS_CONFLICT, "decided", "this application was decided before");
	xos_buf_free(&text);
	return st;
}

enum xos_status rca_application_expire(
    struct xos_store *db, int64_t now, int64_t life, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err,
	    "DELETE FROM applications WHERE (state = ?1 AND created < ?2)"
	    " OR (state <> ?1 AND decided < ?2)",
	    "ii", (int64_t)XOS_RCA_PENDING, now - life);
}
