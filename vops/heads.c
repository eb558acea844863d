#include "vops/heads.h"

#include "api/logproof.h"
#include "bundle/signed.h"
#include "store/sql.h"
#include "vops/parts.h"

#define DOC_MAX (64u * 1024)

static enum xos_status put_blob(struct xos_stmt *s, struct xos_buf *out, struct xos_err *err)
{
	struct xos_bytes blob = xos_stmt_bytes(s, 0);

	xos_buf_put(out, blob.p, blob.n);
	if (xos_buf_status(out) == XOS_OK)
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "log-head", "the head does not fit");
}

/* sql: one column, one row or none. */
static enum xos_status read_blob(struct xos_store *db, const char *sql, enum xos_vo_log log,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err, sql, "s", xos_vo_log_service(log));

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row)
		st = put_blob(s, out, err);
	xos_stmt_done(s);
	return st;
}

enum xos_status vops_head_get(
    struct xos_store *db, enum xos_vo_log log, struct xos_buf *out, struct xos_err *err)
{
	return read_blob(db, "SELECT carried FROM heads WHERE log = ?1", log, out, err);
}

/* Against the one kept. That the log only grew since is for the nodes to have proven. */
static enum xos_status compare(struct xos_store *db, enum xos_vo_log log,
    const struct xos_log_head *now, bool *changed, struct xos_err *err)
{
	struct xos_log_head before;
	struct xos_bytes signature;
	struct xos_buf kept;

	*changed = true;
	xos_buf_init(&kept, XOS_LOGPROOF_HEAD_MAX);
	enum xos_status st =
	    read_blob(db, "SELECT encoded FROM heads WHERE log = ?1", log, &kept, err);
	if (st == XOS_OK && kept.n) {
		st = xos_log_head_decode(xos_buf_bytes(&kept), &before, &signature, err);
		if (st == XOS_OK && now->sequence <= before.sequence) {
			*changed = now->time != before.time;
			st = xos_logproof_growth(NULL, &before, now, err);
		}
	}
	xos_buf_free(&kept);
	return st;
}

static enum xos_status keep(struct xos_store *db, const struct xos_trust *trust,
    enum xos_vo_log log, const struct xos_json *doc, struct xos_bytes encoded, int64_t now,
    struct xos_err *err)
{
	const struct xos_cert *known[VOPS_ISSUERS_MAX];
	size_t n = vops_issuers(trust, known);
	struct xos_buf carried;

	xos_buf_init(&carried, XOS_BUNDLE_HEAD_MAX);
	enum xos_status st = xos_loghead_carry(doc, known, n, &carried, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err, "DELETE FROM heads WHERE log = ?1", "s",
		    xos_vo_log_service(log));
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO heads (log, encoded, carried, fetched) VALUES (?1, ?2, ?3, ?4)",
		    "sbbi", xos_vo_log_service(log), encoded, xos_buf_bytes(&carried), now);
	xos_buf_free(&carried);
	return st;
}

enum xos_status vops_head_take(struct xos_store *db, const struct xos_trust *trust, const char *vo,
    enum xos_vo_log log, struct xos_bytes in, int64_t now, bool *changed, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1];
	const struct xos_logproof_want want = {.root = xos_trust_root(trust, vo),
	    .trust = trust,
	    .vo = vo,
	    .log = name,
	    .kind = xos_vo_log_kind(log),
	    .now = now,
	    .skew = XOS_BUNDLE_SKEW};
	struct xos_buf encoded = {0};
	struct xos_json *doc = NULL;
	struct xos_log_head head;

	*changed = false;
	xos_vo_log_name(log, vo, name);
	enum xos_status st = xos_json_parse(in, DOC_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_logproof_head(doc, &want, &head, &encoded, err);
	if (st == XOS_OK)
		st = compare(db, log, &head, changed, err);
	if (st == XOS_OK && *changed)
		st = keep(db, trust, log, doc, xos_buf_bytes(&encoded), now, err);
	xos_buf_free(&encoded);
	xos_json_free(doc);
	return st;
}
