#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static enum xos_status make_stmt(
    struct xos_store *s, const char *sql, struct xos_stmt **out, struct xos_err *err)
{
	enum xos_status status = XOS_INTERNAL;
	const char *rest = NULL;
	struct xos_stmt *st = calloc(1, sizeof(*st));
	if (st)
		st->sql = strdup(sql);
	if (!st || !st->sql) {
		(void)xos_err_set(err, status, "memory", "%s: out of memory", s->path);
		goto out;
	}
	int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->handle, &rest);
	if (rc != SQLITE_OK) {
		status = store_fail(s, rc, err);
		goto out;
	}
	if (!st->handle || rest[strspn(rest, " \t\n;")]) {
		(void)xos_err_set(
		    err, status, "store", "%s: not exactly one statement: %s", s->path, sql);
		goto out;
	}
	st->store = s;
	st->next = s->stmts;
	s->stmts = st;
	*out = st;
	return XOS_OK;
out:
	if (st) {
		sqlite3_finalize(st->handle);
		free(st->sql);
		free(st);
	}
	return status;
}

enum xos_status xos_store_prepare(
    struct xos_store *s, const char *sql, struct xos_stmt **out, struct xos_err *err)
{
	struct xos_stmt *st = s->stmts;
	while (st && (st->in_use || strcmp(st->sql, sql) != 0))
		st = st->next;
	if (!st) {
		enum xos_status rc = make_stmt(s, sql, &st, err);
		if (rc != XOS_OK || !st)
			return rc;
	}
	st->in_use = true;
	st->bind_rc = SQLITE_OK;
	*out = st;
	return XOS_OK;
}

/* Resetting ends its read transaction; clearing wipes nothing but drops the copies. */
void xos_stmt_done(struct xos_stmt *st)
{
	if (!st)
		return;
	(void)sqlite3_reset(st->handle);
	(void)sqlite3_clear_bindings(st->handle);
	st->in_use = false;
}

static void bound(struct xos_stmt *st, int rc)
{
	if (st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

void xos_stmt_bind_int(struct xos_stmt *st, int i, int64_t v)
{
	bound(st, sqlite3_bind_int64(st->handle, i, v));
}

void xos_stmt_bind_text(struct xos_stmt *st, int i, const char *v)
{
	if (v)
		bound(st, sqlite3_bind_text64(
		              st->handle, i, v, strlen(v), SQLITE_TRANSIENT, SQLITE_UTF8));
	else
		xos_stmt_bind_null(st, i);
}

void xos_stmt_bind_bytes(struct xos_stmt *st, int i, struct xos_bytes v)
{
	/* A NULL pointer would bind null, not an empty blob. */
	bound(st, sqlite3_bind_blob64(st->handle, i, v.p ? (const void *)v.p : "", v.p ? v.n : 0,
	              SQLITE_TRANSIENT));
}

void xos_stmt_bind_null(struct xos_stmt *st, int i)
{
	bound(st, sqlite3_bind_null(st->handle, i));
}

enum xos_status xos_stmt_step(struct xos_stmt *st, bool *row, struct xos_err *err)
{
	*row = false;
	if (st->bind_rc != SQLITE_OK)
		return store_fail(st->store, st->bind_rc, err);
	uint64_t since = store_clock();
	int rc = sqlite3_step(st->handle);
	store_count(st->store, since);
	if (rc == SQLITE_ROW)
		*row = true;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? XOS_OK : store_fail(st->store, rc, err);
}

enum xos_status xos_stmt_run(struct xos_stmt *st, int64_t *changed, struct xos_err *err)
{
	bool row;
	enum xos_status rc = xos_stmt_step(st, &row, err);
	if (rc == XOS_OK && row)
		rc = xos_err_set(err, XOS_INTERNAL, "store", "%s: unexpected rows from: %s",
		    st->store->path, st->sql);
	if (rc == XOS_OK && changed)
		*changed = sqlite3_changes(st->store->db);
	xos_stmt_done(st);
	return rc;
}

bool xos_stmt_is_null(struct xos_stmt *st, int col)
{
	return sqlite3_column_type(st->handle, col) == SQLITE_NULL;
}

int64_t xos_stmt_int(struct xos_stmt *st, int col)
{
	return sqlite3_column_int64(st->handle, col);
}

const char *xos_stmt_text(struct xos_stmt *st, int col)
{
	return (const char *)sqlite3_column_text(st->handle, col);
}

struct xos_bytes xos_stmt_bytes(struct xos_stmt *st, int col)
{
	/* In this order: the pointer first, since asking for it may convert the value. */
	const uint8_t *p = sqlite3_column_blob(st->handle, col);
	int n = sqlite3_column_bytes(st->handle, col);
	return p && n > 0 ? (struct xos_bytes){p, (size_t)n} : XOS_BYTES_NONE;
}
