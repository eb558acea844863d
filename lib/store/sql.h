#ifndef XOS_STORE_SQL_H
#define XOS_STORE_SQL_H

#include "store/store.h"

/*
 * Statements with their parameters in one call. kinds has one letter for each parameter: 'i' int64_t,
 * 's' const char * (NULL binds null), 'b' struct xos_bytes.
 */
XOS_MUST_USE enum xos_status xos_sql_run(struct xos_store *s, int64_t *changed, struct xos_err *err,
    const char *sql, const char *kinds, ...);
/* Prepares and binds; rows by xos_stmt_step, then xos_stmt_done. */
XOS_MUST_USE enum xos_status xos_sql_query(struct xos_store *s, struct xos_stmt **out,
    struct xos_err *err, const char *sql, const char *kinds, ...);
/* The first column of the first row. NOT_FOUND, err untouched, if there is none. */
XOS_MUST_USE enum xos_status xos_sql_int(struct xos_store *s, int64_t *value, struct xos_err *err,
    const char *sql, const char *kinds, ...);

#endif
