#ifndef XOS_STORE_STORE_H
#define XOS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * One small SQL face. SQLite stands behind it (WAL, synchronous=FULL, foreign keys); what callers
 * write is kept to SQL that PostgreSQL can run too, with parameters as ?1, ?2, ... A store and its
 * statements serve one thread at a time; several processes may open the same file.
 *
 * Errors: busy, I/O, full and unreadable are UNAVAILABLE and name the file (codes store-busy,
 * store-io, store-full, store-open), a violated constraint is CONFLICT (store-constraint), a
 * damaged file INTERNAL (store-damaged), a newer or foreign schema CONFLICT (store-newer,
 * store-schema).
 */
struct xos_store;
struct xos_stmt;

/* Migration i (from 0) brings the schema from version i to i + 1; never edit one that was released.
 */
struct xos_store_options {
	const char *path;
	const char *const *migrations;
	size_t nmigrations;
	mode_t mode; /* of a new file; 0: 0600. 0660 where two users share it through their group */
	bool read_only;  /* neither creates nor migrates; the schema must be current */
	int64_t busy_ms; /* how long to wait for another writer; 0: 5000 */
};

/* Opens or creates, then migrates, each step in a transaction. A file newer than the program is
 * refused unchanged. */
XOS_MUST_USE enum xos_status xos_store_open(
    const struct xos_store_options *o, struct xos_store **out, struct xos_err *err);
void xos_store_close(struct xos_store *s); /* rolls an open transaction back */
/* SQLite's own check of the whole file, and of foreign keys. INTERNAL with the first complaint. */
XOS_MUST_USE enum xos_status xos_store_check(struct xos_store *s, struct xos_err *err);

/*
 * A copy of the whole database as one file that must not exist yet (0600), as of one moment, durably; others
 * may write meanwhile. s should be read_only. The copy has no journal beside it.
 */
XOS_MUST_USE enum xos_status xos_store_copy(
    struct xos_store *s, const char *path, struct xos_err *err);

/* Statements without parameters and rows; several may be separated by semicolons. */
XOS_MUST_USE enum xos_status xos_store_exec(
    struct xos_store *s, const char *sql, struct xos_err *err);

/* A transaction that takes the write lock at once, so that it cannot fail half-way for being late.
 * They do not nest. */
XOS_MUST_USE enum xos_status xos_store_begin(struct xos_store *s, struct xos_err *err);
/* Durable when it returns OK. On failure the transaction has been rolled back. */
XOS_MUST_USE enum xos_status xos_store_commit(struct xos_store *s, struct xos_err *err);
/* Ends the transaction if one is open; never fails, so that it may stand under out: labels. */
void xos_store_rollback(struct xos_store *s);

/*
 * One statement, from the cache when the same text was prepared before. Give it back by
 * xos_stmt_done; the store owns it. A statement in use cannot be taken a second time: a second one
 * is made.
 */
XOS_MUST_USE enum xos_status xos_store_prepare(
    struct xos_store *s, const char *sql, struct xos_stmt **out, struct xos_err *err);
void xos_stmt_done(struct xos_stmt *st); /* NULL-safe */

/* Parameters count from 1; text and bytes are copied. A failure shows at the next step. NULL text
 * binds null; for bytes, p NULL binds an empty blob. */
void xos_stmt_bind_int(struct xos_stmt *st, int i, int64_t v);
void xos_stmt_bind_text(struct xos_stmt *st, int i, const char *v);
void xos_stmt_bind_bytes(struct xos_stmt *st, int i, struct xos_bytes v);
void xos_stmt_bind_null(struct xos_stmt *st, int i);

/* *row: a row is there to read; false: finished. */
XOS_MUST_USE enum xos_status xos_stmt_step(struct xos_stmt *st, bool *row, struct xos_err *err);
/* Executes a statement that gives no rows and gives it back (also on failure). *changed: rows
 * inserted, updated or deleted; may be NULL. */
XOS_MUST_USE enum xos_status xos_stmt_run(
    struct xos_stmt *st, int64_t *changed, struct xos_err *err);

/* Columns count from 0; what they give lives until the next step or done. */
bool xos_stmt_is_null(struct xos_stmt *st, int col);
int64_t xos_stmt_int(struct xos_stmt *st, int col);            /* null gives 0 */
const char *xos_stmt_text(struct xos_stmt *st, int col);       /* null gives NULL */
struct xos_bytes xos_stmt_bytes(struct xos_stmt *st, int col); /* null gives none */

/* Calls that reached the engine since the opening, and the time they took together. */
struct xos_store_stats {
	uint64_t calls, micros;
};
struct xos_store_stats xos_store_stats(const struct xos_store *s);

int64_t xos_store_last_id(
    struct xos_store *s); /* of the last INSERT into a table with an integer key */

#endif
