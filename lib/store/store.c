#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "store/internal.h"

#define BUSY_MS 5000

static enum xos_status fail_as(struct xos_store *s, enum xos_status status, const char *code,
    const char *what, struct xos_err *err)
{
	return xos_err_set(err, status, code, "%s: %s: %s", s->path, what, sqlite3_errmsg(s->db));
}

enum xos_status store_fail(struct xos_store *s, int rc, struct xos_err *err)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail_as(s, XOS_UNAVAILABLE, "store-busy",
		    "another process keeps the database busy; try again", err);
	case SQLITE_IOERR:
		return fail_as(s, XOS_UNAVAILABLE, "store-io", "reading or writing failed", err);
	case SQLITE_FULL:
		return fail_as(s, XOS_UNAVAILABLE, "store-full", "the disk is full", err);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return fail_as(s, XOS_UNAVAILABLE, "store-open",
		    "cannot open for this use; check the owner and mode of the file and its folder",
		    err);
	case SQLITE_CONSTRAINT:
		return fail_as(s, XOS_CONFLICT, "store-constraint", "refused by a constraint", err);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail_as(s, XOS_INTERNAL, "store-damaged",
		    "the database is damaged; restore it from a backup", err);
	case SQLITE_TOOBIG:
		return fail_as(s, XOS_LIMIT, "store-large", "a value is too large", err);
	default:
		return fail_as(s, XOS_INTERNAL, "store", "internal error", err);
	}
}

uint64_t store_clock(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void store_count(struct xos_store *s, uint64_t since)
{
	s->stats.calls++;
	s->stats.micros += store_clock() - since;
}

struct xos_store_stats xos_store_stats(const struct xos_store *s)
{
	return s->stats;
}

enum xos_status xos_store_exec(struct xos_store *s, const char *sql, struct xos_err *err)
{
	uint64_t since = store_clock();
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	store_count(s, since);
	return rc == SQLITE_OK ? XOS_OK : store_fail(s, rc, err);
}

enum xos_status xos_store_begin(struct xos_store *s, struct xos_err *err)
{
	return xos_store_exec(s, "BEGIN IMMEDIATE", err);
}

enum xos_status xos_store_commit(struct xos_store *s, struct xos_err *err)
{
	enum xos_status rc = xos_store_exec(s, "COMMIT", err);
	if (rc != XOS_OK)
		xos_store_rollback(s);
	return rc;
}

void xos_store_rollback(struct xos_store *s)
{
	/* Some errors end the transaction by themselves. */
	if (s && !sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int64_t xos_store_last_id(struct xos_store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

/* The first column of the first row of a query without parameters. */
static enum xos_status query_int(
    struct xos_store *s, const char *sql, int64_t *v, struct xos_err *err)
{
	struct xos_stmt *st = NULL;
	bool row = false;
	enum xos_status rc = xos_store_prepare(s, sql, &st, err);
	if (rc == XOS_OK)
		rc = xos_stmt_step(st, &row, err);
	if (rc == XOS_OK && !row)
		rc = xos_err_set(
		    err, XOS_INTERNAL, "store-schema", "%s: no row from: %s", s->path, sql);
	if (rc == XOS_OK)
		*v = xos_stmt_int(st, 0);
	xos_stmt_done(st);
	return rc;
}

/* *version 0: an empty database. */
static enum xos_status read_version(struct xos_store *s, int64_t *version, struct xos_err *err)
{
	int64_t tables = 0, ours = 0;
	*version = 0;
	enum xos_status rc = query_int(s, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (rc != XOS_OK || tables == 0)
		return rc;
	rc = query_int(s,
	    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
	    &ours, err);
	if (rc != XOS_OK)
		return rc;
	if (!ours)
		return xos_err_set(err, XOS_CONFLICT, "store-schema",
		    "%s is a database of another program; choose another path", s->path);
	return query_int(s, "SELECT version FROM schema_version", version, err);
}

static enum xos_status check_version(
    const struct xos_store *s, int64_t version, int64_t known, struct xos_err *err)
{
	if (version <= known)
		return XOS_OK;
	return xos_err_set(err, XOS_CONFLICT, "store-newer",
	    "%s has schema version %lld but this program knows up to %lld; use the newer program",
	    s->path, (long long)version, (long long)known);
}

/* Several processes may start at once: the version is read again under the write lock. */
static enum xos_status migrate_one(
    struct xos_store *s, const struct xos_store_options *o, int64_t *version, struct xos_err *err)
{
	char set[96];
	enum xos_status rc = xos_store_begin(s, err);
	if (rc != XOS_OK)
		return rc;
	rc = read_version(s, version, err);
	if (rc == XOS_OK)
		rc = check_version(s, *version, (int64_t)o->nmigrations, err);
	if (rc != XOS_OK || *version == (int64_t)o->nmigrations)
		goto out;
	if (*version == 0)
		rc = xos_store_exec(s,
		    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);"
		    "DELETE FROM schema_version; INSERT INTO schema_version VALUES (0)",
		    err);
	if (rc == XOS_OK)
		rc = xos_store_exec(s, o->migrations[*version], err);
	xos_str_printf(
	    set, sizeof(set), "UPDATE schema_version SET version = %lld", (long long)*version + 1);
	if (rc == XOS_OK)
		rc = xos_store_exec(s, set, err);
	if (rc == XOS_OK)
		rc = xos_store_commit(s, err);
	if (rc == XOS_OK)
		++*version;
	else
		rc = xos_err_prefix(
		    err, rc, "migration to schema version %lld", (long long)*version + 1);
out:
	xos_store_rollback(s);
	return rc;
}

static enum xos_status migrate(
    struct xos_store *s, const struct xos_store_options *o, struct xos_err *err)
{
	int64_t version = 0, known = (int64_t)o->nmigrations;
	enum xos_status rc = read_version(s, &version, err);
	if (rc == XOS_OK)
		rc = check_version(s, version, known, err);
	if (rc != XOS_OK)
		return rc;
	if (o->read_only && version < known)
		return xos_err_set(err, XOS_CONFLICT, "store-schema",
		    "%s has schema version %lld, older than %lld; start the program that owns it "
		    "first",
		    s->path, (long long)version, (long long)known);
	if (o->read_only)
		return XOS_OK;
	rc = xos_store_exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err);
	while (rc == XOS_OK && version < known)
		rc = migrate_one(s, o, &version, err);
	return rc;
}

/* SQLite would create the file under the umask; its -wal and -shm files take their mode from it. */
static enum xos_status make_file(const struct xos_store_options *o, struct xos_err *err)
{
	int fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return XOS_OK;
	if (fd < 0)
		return xos_err_errno(err, errno, "store-open", "cannot create %s", o->path);
	enum xos_status rc = XOS_OK;
	if (fchmod(fd, o->mode ? o->mode : 0600) != 0)
		rc = xos_err_errno(err, errno, "store-open", "cannot set the mode of %s", o->path);
	close(fd);
	return rc;
}

static enum xos_status set_up(
    struct xos_store *s, const struct xos_store_options *o, struct xos_err *err)
{
	int flags = o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int rc = sqlite3_open_v2(o->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, err);
	int64_t busy = o->busy_ms ? o->busy_ms : BUSY_MS;
	int persist = 1;
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, (int)(busy < 3600000 ? busy : 3600000));
	/* A file is data: its schema must not make us call functions or write to system tables. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* A reader who may not write the folder needs -wal and -shm to be there. */
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	enum xos_status status =
	    xos_store_exec(s, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY", err);
	return status == XOS_OK ? migrate(s, o, err) : status;
}

enum xos_status xos_store_open(
    const struct xos_store_options *o, struct xos_store **out, struct xos_err *err)
{
	enum xos_status rc = o->read_only ? XOS_OK : make_file(o, err);
	if (rc != XOS_OK)
		return rc;
	if (o->read_only && access(o->path, F_OK) != 0)
		return xos_err_errno(err, errno, "store-open", "cannot open %s", o->path);
	struct xos_store *s = calloc(1, sizeof(*s));
	if (s)
		s->path = strdup(o->path);
	if (!s || !s->path) {
		free(s);
		return xos_err_set(
		    err, XOS_INTERNAL, "memory", "out of memory opening %s", o->path);
	}
	rc = set_up(s, o, err);
	if (rc != XOS_OK) {
		xos_store_close(s);
		return rc;
	}
	*out = s;
	return XOS_OK;
}

void xos_store_close(struct xos_store *s)
{
	if (!s)
		return;
	while (s->stmts) {
		struct xos_stmt *st = s->stmts;
		s->stmts = st->next;
		sqlite3_finalize(st->handle);
		free(st->sql);
		free(st);
	}
	if (s->db)
		xos_store_rollback(s);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

enum xos_status xos_store_check(struct xos_store *s, struct xos_err *err)
{
	static const char *const checks[] = {
	    "PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct xos_stmt *st = NULL;
		bool row = false;
		enum xos_status rc = xos_store_prepare(s, checks[i], &st, err);
		if (rc == XOS_OK)
			rc = xos_stmt_step(st, &row, err);
		const char *said = rc == XOS_OK && row ? xos_stmt_text(st, 0) : "ok";
		if (!said || strcmp(said, "ok") != 0)
			rc = xos_err_set(err, XOS_INTERNAL, "store-damaged",
			    "%s is damaged: %s%s; restore it from a backup", s->path,
			    i ? "a foreign key is violated in table " : "", said ? said : "?");
		xos_stmt_done(st);
		if (rc != XOS_OK)
			return rc;
	}
	return XOS_OK;
}
