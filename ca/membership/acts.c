#include "ca/membership/acts.h"

#include "base/random.h"
#include "store/sql.h"

enum xos_status ca_act_add(struct ca_membership *m, struct ca_act *act, struct xos_err *err)
{
	enum xos_status st = ca_counter_next(m, "act", &act->id, err);

	if (st != XOS_OK)
		return st;
	return xos_sql_run(m->store, NULL, err,
	    "INSERT INTO acts (id, at, actor, number, verb, args, jti, digest)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    "iisisssb", (int64_t)act->id, act->at, act->actor, (int64_t)act->number, act->verb,
	    act->args, act->jti, act->digest);
}

enum xos_status ca_act_of(
    struct ca_membership *m, const struct ca_act *act, struct xos_json *args, struct xos_err *err)
{
	char jti[33];
	struct ca_act whole = *act;
	struct xos_buf text;
	enum xos_status st;

	xos_random_id(jti, 16);
	whole.jti = jti;
	xos_buf_init(&text, 1024);
	st = xos_json_dump(args, &text, err);
	if (st == XOS_OK) {
		whole.args = xos_buf_str(&text);
		st = ca_act_add(m, &whole, err);
	}
	xos_json_free(args);
	xos_buf_free(&text);
	return st;
}

enum xos_status ca_acts_after(struct ca_membership *m, uint64_t after,
    enum xos_status (*each)(void *ctx, const struct ca_act *act, struct xos_err *err), void *ctx,
    struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT id, at, actor, number, verb, args, jti, digest FROM acts WHERE id > ?1"
	    " ORDER BY id",
	    "i", (int64_t)after);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct ca_act act = {.id = (uint64_t)xos_stmt_int(q, 0),
		    .at = xos_stmt_int(q, 1),
		    .actor = xos_stmt_text(q, 2),
		    .number = (uint64_t)xos_stmt_int(q, 3),
		    .verb = xos_stmt_text(q, 4),
		    .args = xos_stmt_text(q, 5),
		    .jti = xos_stmt_text(q, 6),
		    .digest = xos_stmt_bytes(q, 7)};

		st = each(ctx, &act, err);
	}
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_act_exists(
    struct ca_membership *m, const char *jti, bool *exists, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st =
	    xos_sql_int(m->store, &n, err, "SELECT COUNT(*) FROM acts WHERE jti = ?1", "s", jti);

	*exists = n > 0;
	return st;
}
