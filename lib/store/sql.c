#include "store/sql.h"

#include <stdarg.h>

static enum xos_status bind(struct xos_store *s, const char *sql, const char *kinds, va_list ap,
    struct xos_stmt **out, struct xos_err *err)
{
	enum xos_status st = xos_store_prepare(s, sql, out, err);
	int i = 1;

	for (const char *k = kinds; st == XOS_OK && *k; k++, i++) {
		if (*k == 'i')
			xos_stmt_bind_int(*out, i, va_arg(ap, int64_t));
		else if (*k == 's')
			xos_stmt_bind_text(*out, i, va_arg(ap, const char *));
		else
			xos_stmt_bind_bytes(*out, i, va_arg(ap, struct xos_bytes));
	}
	return st;
}

enum xos_status xos_sql_run(struct xos_store *s, int64_t *changed, struct xos_err *err,
    const char *sql, const char *kinds, ...)
{
	struct xos_stmt *stmt = NULL;
	va_list ap;

	va_start(ap, kinds);
	enum xos_status st = bind(s, sql, kinds, ap, &stmt, err);
	va_end(ap);
	return st == XOS_OK ? xos_stmt_run(stmt, changed, err) : st;
}

enum xos_status xos_sql_query(struct xos_store *s, struct xos_stmt **out, struct xos_err *err,
    const char *sql, const char *kinds, ...)
{
	va_list ap;

	*out = NULL;
	va_start(ap, kinds);
	enum xos_status st = bind(s, sql, kinds, ap, out, err);
	va_end(ap);
	return st;
}

enum xos_status xos_sql_int(struct xos_store *s, int64_t *value, struct xos_err *err,
    const char *sql, const char *kinds, ...)
{
	struct xos_stmt *stmt = NULL;
	bool row = false;
	va_list ap;

	va_start(ap, kinds);
	enum xos_status st = bind(s, sql, kinds, ap, &stmt, err);
	va_end(ap);
	if (st == XOS_OK)
		st = xos_stmt_step(stmt, &row, err);
	if (st == XOS_OK && row)
		*value = xos_stmt_int(stmt, 0);
	else if (st == XOS_OK)
		st = XOS_NOT_FOUND;
	xos_stmt_done(stmt);
	return st;
}
