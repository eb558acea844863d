#ifndef XOS_STORE_INTERNAL_H
#define XOS_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

struct xos_stmt {
	struct xos_store *store;
	sqlite3_stmt *handle;
	char *sql;
	bool in_use;
	int bind_rc; /* the first failed bind, shown at the next step */
	struct xos_stmt *next;
};

struct xos_store {
	sqlite3 *db;
	char *path;
	struct xos_stmt *stmts;
	struct xos_store_stats stats;
};

/* Translates an SQLite result; the message of the connection goes into err. */
enum xos_status store_fail(struct xos_store *s, int rc, struct xos_err *err);

/* Microseconds of a clock that nobody sets; store_count adds the time since then. */
uint64_t store_clock(void);
void store_count(struct xos_store *s, uint64_t since);

#endif
