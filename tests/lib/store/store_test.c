#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "store/store.h"

static char dir[64], path[128];
static const char *const migrations[] = {
    "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, key BLOB)",
    "CREATE TABLE pet (owner INTEGER NOT NULL REFERENCES person (id), name TEXT);"
    "INSERT INTO person (name) VALUES ('root')",
};

static void setup(void)
{
	strcpy(dir, "/tmp/xos-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(xos_path_join(path, sizeof(path), dir, "db"));
}

static void teardown(void)
{
	static const char *const names[] = {"db", "db-wal", "db-shm"};
	char file[160];
	for (size_t i = 0; i < 3; i++)
		if (xos_path_join(file, sizeof(file), dir, names[i]))
			unlink(file);
	rmdir(dir);
}

static struct xos_store_options options(size_t n)
{
	return (struct xos_store_options){
	    .path = path, .migrations = migrations, .nmigrations = n, .busy_ms = 50};
}

static struct xos_store *open_store(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(2);
	ck_assert_msg(xos_store_open(&o, &s, &err) == XOS_OK, "%s", err.text);
	return s;
}

static enum xos_status add(struct xos_store *s, const char *name, struct xos_err *err)
{
	struct xos_stmt *st = NULL;
	int64_t changed = 0;
	enum xos_status rc =
	    xos_store_prepare(s, "INSERT INTO person (name, key) VALUES (?1, ?2)", &st, err);
	if (rc != XOS_OK)
		return rc;
	xos_stmt_bind_text(st, 1, name);
	xos_stmt_bind_bytes(st, 2, (struct xos_bytes){(const uint8_t *)"a\0b", 3});
	rc = xos_stmt_run(st, &changed, err);
	ck_assert(rc != XOS_OK || changed == 1);
	return rc;
}

static int64_t count(struct xos_store *s)
{
	struct xos_stmt *st = NULL;
	bool row = false;
	ck_assert_int_eq(xos_store_prepare(s, "SELECT count(*) FROM person", &st, NULL), XOS_OK);
	ck_assert_int_eq(xos_stmt_step(st, &row, NULL), XOS_OK);
	ck_assert(row);
	int64_t n = xos_stmt_int(st, 0);
	xos_stmt_done(st);
	return n;
}

START_TEST(values_survive)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = open_store();
	ck_assert_int_eq(add(s, "alice", &err), XOS_OK);
	ck_assert_int_eq(xos_store_last_id(s), 2);
	xos_store_close(s);
	s = open_store();
	struct xos_stmt *st = NULL;
	bool row = false;
	ck_assert_int_eq(
	    xos_store_prepare(s, "SELECT id, name, key FROM person ORDER BY id", &st, &err),
	    XOS_OK);
	ck_assert_int_eq(xos_stmt_step(st, &row, &err), XOS_OK);
	ck_assert(row && xos_stmt_is_null(st, 2) && xos_stmt_bytes(st, 2).n == 0);
	ck_assert_int_eq(xos_stmt_step(st, &row, &err), XOS_OK);
	ck_assert(row);
	ck_assert_int_eq(xos_stmt_int(st, 0), 2);
	ck_assert_str_eq(xos_stmt_text(st, 1), "alice");
	ck_assert(
	    xos_bytes_eq(xos_stmt_bytes(st, 2), (struct xos_bytes){(const uint8_t *)"a\0b", 3}));
	ck_assert_int_eq(xos_stmt_step(st, &row, &err), XOS_OK);
	ck_assert(!row);
	xos_stmt_done(st);
	ck_assert_int_eq(xos_store_check(s, &err), XOS_OK);
	xos_store_close(s);
}
END_TEST

START_TEST(durable_settings)
{
	struct xos_store *s = open_store();
	struct xos_stmt *st = NULL;
	bool row;
	ck_assert_int_eq(xos_store_prepare(s, "PRAGMA journal_mode", &st, NULL), XOS_OK);
	ck_assert_int_eq(xos_stmt_step(st, &row, NULL), XOS_OK);
	ck_assert_str_eq(xos_stmt_text(st, 0), "wal");
	xos_stmt_done(st);
	ck_assert_int_eq(xos_store_prepare(s, "PRAGMA synchronous", &st, NULL), XOS_OK);
	ck_assert_int_eq(xos_stmt_step(st, &row, NULL), XOS_OK);
	ck_assert_int_eq(xos_stmt_int(st, 0), 2);
	xos_stmt_done(st);
	xos_store_close(s);
}
END_TEST

START_TEST(constraints_are_conflicts)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = open_store();
	ck_assert_int_eq(add(s, "root", &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "store-constraint");
	ck_assert_int_eq(
	    xos_store_exec(s, "INSERT INTO pet VALUES (99, 'rex')", &err), XOS_CONFLICT);
	ck_assert_int_eq(add(s, NULL, &err), XOS_CONFLICT);
	/* The statement is usable after its failure. */
	ck_assert_int_eq(add(s, "bob", &err), XOS_OK);
	xos_store_close(s);
}
END_TEST

START_TEST(rollback_undoes)
{
	struct xos_store *s = open_store();
	ck_assert_int_eq(xos_store_begin(s, NULL), XOS_OK);
	ck_assert_int_eq(add(s, "carol", NULL), XOS_OK);
	ck_assert_int_eq(count(s), 2);
	xos_store_rollback(s);
	xos_store_rollback(s);
	ck_assert_int_eq(count(s), 1);
	ck_assert_int_eq(xos_store_begin(s, NULL), XOS_OK);
	ck_assert_int_eq(add(s, "carol", NULL), XOS_OK);
	ck_assert_int_eq(xos_store_commit(s, NULL), XOS_OK);
	ck_assert_int_eq(count(s), 2);
	/* An open transaction goes with the store. */
	ck_assert_int_eq(xos_store_begin(s, NULL), XOS_OK);
	ck_assert_int_eq(add(s, "dave", NULL), XOS_OK);
	xos_store_close(s);
	s = open_store();
	ck_assert_int_eq(count(s), 2);
	xos_store_close(s);
}
END_TEST

START_TEST(second_writer_is_told_busy)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *a = open_store(), *b = open_store();
	ck_assert_int_eq(xos_store_begin(a, &err), XOS_OK);
	ck_assert_int_eq(xos_store_begin(b, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "store-busy");
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(count(b), 1); /* readers go on */
	ck_assert_int_eq(xos_store_commit(a, &err), XOS_OK);
	ck_assert_int_eq(xos_store_begin(b, &err), XOS_OK);
	xos_store_close(b);
	xos_store_close(a);
}
END_TEST

START_TEST(migrations_go_on)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(1);
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_OK);
	ck_assert_int_eq(count(s), 0);
	xos_store_close(s);
	s = open_store();
	ck_assert_int_eq(count(s), 1);
	xos_store_close(s);
	s = open_store(); /* nothing is done twice */
	ck_assert_int_eq(count(s), 1);
	xos_store_close(s);
	s = NULL;
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "store-newer");
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(failed_migration_changes_nothing)
{
	static const char *const broken[] = {
	    "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)",
	    "CREATE TABLE half (x INTEGER); CREATE TABLE person (x INTEGER)"};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(2);
	o.migrations = broken;
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.text, "version 2"));
	o.nmigrations = 1;
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_OK);
	ck_assert_int_eq(xos_store_exec(s, "SELECT * FROM half", &err), XOS_INTERNAL);
	xos_store_close(s);
}
END_TEST

START_TEST(foreign_files_are_refused)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(2);
	char text[4096];
	memset(text, 'x', sizeof(text));
	struct xos_bytes in = {(const uint8_t *)text, sizeof(text)};
	ck_assert_int_eq(xos_file_write(path, 0600, in, &err), XOS_OK);
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_INTERNAL);
	ck_assert_str_eq(err.code, "store-damaged");
	unlink(path);
	static const char *const other[] = {
	    "CREATE TABLE x (y INTEGER); DROP TABLE schema_version"};
	o.migrations = other;
	o.nmigrations = 1;
	ck_assert_int_ne(xos_store_open(&o, &s, &err), XOS_OK);
	o.path = "/nonexistent/folder/db";
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/folder/db"));
}
END_TEST

START_TEST(other_programs_database)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(0);
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_OK);
	ck_assert_int_eq(xos_store_exec(s, "CREATE TABLE theirs (x INTEGER)", &err), XOS_OK);
	xos_store_close(s);
	s = NULL;
	o = options(2);
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "store-schema");
}
END_TEST

START_TEST(modes_and_reading)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = NULL;
	struct xos_store_options o = options(2);
	struct stat st;
	char wal[160];
	o.read_only = true;
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_NOT_FOUND);
	o.read_only = false;
	o.mode = 0660;
	umask(077);
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	ck_assert(xos_str_printf(wal, sizeof(wal), "%s-wal", path));
	ck_assert_int_eq(stat(wal, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	xos_store_close(s);
	ck_assert_int_eq(stat(wal, &st), 0); /* stays for readers */
	o.read_only = true;
	ck_assert_int_eq(xos_store_open(&o, &s, &err), XOS_OK);
	ck_assert_int_eq(count(s), 1);
	ck_assert_int_eq(add(s, "eve", &err), XOS_UNAVAILABLE);
	xos_store_close(s);
}
END_TEST

START_TEST(statements_are_strict)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = open_store();
	struct xos_stmt *st = NULL, *other = NULL;
	bool row;
	ck_assert_int_eq(xos_store_prepare(s, "SELECT 1; SELECT 2", &st, &err), XOS_INTERNAL);
	ck_assert_int_eq(xos_store_prepare(s, "", &st, &err), XOS_INTERNAL);
	ck_assert_int_eq(xos_store_prepare(s, "SELEKT", &st, &err), XOS_INTERNAL);
	ck_assert_int_eq(xos_store_prepare(s, "SELECT ?1", &st, &err), XOS_OK);
	ck_assert_int_eq(xos_store_prepare(s, "SELECT ?1", &other, &err), XOS_OK);
	ck_assert_ptr_ne(st, other);
	xos_stmt_bind_int(st, 2, 5); /* there is no second parameter */
	ck_assert_int_ne(xos_stmt_step(st, &row, &err), XOS_OK);
	xos_stmt_bind_int(other, 1, 5);
	ck_assert_int_eq(xos_stmt_run(other, NULL, &err), XOS_INTERNAL); /* rows nobody reads */
	xos_stmt_done(st);
	/* The cache gives the same one back, without the old value. */
	ck_assert_int_eq(xos_store_prepare(s, "SELECT ?1", &other, &err), XOS_OK);
	ck_assert_int_eq(xos_stmt_step(other, &row, &err), XOS_OK);
	ck_assert(row && xos_stmt_is_null(other, 0));
	xos_stmt_done(other);
	xos_stmt_done(NULL);
	xos_store_close(s);
	xos_store_close(NULL);
}
END_TEST

START_TEST(killed_between_statements)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct xos_store *s = open_store();
		if (add(s, "kept", NULL) != XOS_OK || xos_store_begin(s, NULL) != XOS_OK ||
		    add(s, "lost", NULL) != XOS_OK)
			_exit(1);
		raise(SIGKILL);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	struct xos_store *s = open_store();
	ck_assert_int_eq(count(s), 2);
	ck_assert_int_eq(xos_store_check(s, NULL), XOS_OK);
	xos_store_close(s);
}
END_TEST

START_TEST(a_copy_is_whole_while_others_write)
{
	struct xos_store *writer = open_store(), *reader = NULL, *copied = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store_options o = options(2);
	char copy[160];
	ck_assert(xos_path_join(copy, sizeof(copy), dir, "copy"));
	ck_assert_int_eq(add(writer, "ada", &err), XOS_OK);
	o.read_only = true;
	ck_assert_int_eq(xos_store_open(&o, &reader, &err), XOS_OK);
	/* What is not committed is not in it, and does not hold it up. */
	ck_assert_int_eq(xos_store_begin(writer, &err), XOS_OK);
	ck_assert_int_eq(add(writer, "bob", &err), XOS_OK);
	ck_assert_msg(xos_store_copy(reader, copy, &err) == XOS_OK, "%s", err.text);
	xos_store_rollback(writer);
	/* Never over something that is there. */
	ck_assert_int_ne(xos_store_copy(reader, copy, &err), XOS_OK);
	o.path = copy;
	ck_assert_msg(xos_store_open(&o, &copied, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_store_check(copied, &err), XOS_OK);
	struct xos_stmt *st = NULL;
	bool row = false;
	ck_assert_int_eq(
	    xos_store_prepare(copied, "SELECT count(*) FROM person", &st, &err), XOS_OK);
	ck_assert_int_eq(xos_stmt_step(st, &row, &err), XOS_OK);
	ck_assert_int_eq(xos_stmt_int(st, 0), 2); /* root and ada */
	xos_stmt_done(st);
	struct stat sb;
	ck_assert_int_eq(stat(copy, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 0777, 0600);
	ck_assert_uint_gt(xos_store_stats(writer).calls, 3);
	xos_store_close(copied);
	xos_store_close(reader);
	xos_store_close(writer);
	unlink(copy);
}
END_TEST

START_TEST(damage_is_found)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_store *s = open_store();
	for (int i = 0; i < 200; i++) {
		char name[32];
		ck_assert(xos_str_printf(name, sizeof(name), "member-%d", i));
		ck_assert_int_eq(add(s, name, &err), XOS_OK);
	}
	/* Everything into the main file, so that what is overwritten below is really read. */
	ck_assert_int_eq(xos_store_exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", &err), XOS_OK);
	xos_store_close(s);
	int fd = open(path, O_WRONLY);
	static char junk[12288];
	memset(junk, 0xa5, sizeof(junk));
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), 4096), (ssize_t)sizeof(junk));
	close(fd);
	struct xos_store_options o = options(2);
	s = NULL;
	enum xos_status rc = xos_store_open(&o, &s, &err);
	if (rc == XOS_OK)
		rc = xos_store_check(s, &err);
	ck_assert_int_eq(rc, XOS_INTERNAL);
	ck_assert_str_eq(err.code, "store-damaged");
	xos_store_close(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, values_survive);
	tcase_add_test(tc, durable_settings);
	tcase_add_test(tc, constraints_are_conflicts);
	tcase_add_test(tc, rollback_undoes);
	tcase_add_test(tc, second_writer_is_told_busy);
	tcase_add_test(tc, migrations_go_on);
	tcase_add_test(tc, failed_migration_changes_nothing);
	tcase_add_test(tc, foreign_files_are_refused);
	tcase_add_test(tc, other_programs_database);
	tcase_add_test(tc, modes_and_reading);
	tcase_add_test(tc, statements_are_strict);
	tcase_add_test(tc, killed_between_statements);
	tcase_add_test(tc, damage_is_found);
	tcase_add_test(tc, a_copy_is_whole_while_others_write);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
