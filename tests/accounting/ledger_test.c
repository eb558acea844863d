#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting/ledger.h"
#include "api/loghead.h"
#include "base/file.h"
#include "log/log.h"

static char dir[64], log_path[128], index_path[128];
static struct xos_key *key;

static void setup(void)
{
	strcpy(dir, "/tmp/xos-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/records.log", dir);
	snprintf(index_path, sizeof(index_path), "%s/index.db", dir);
	ck_assert_int_eq(xos_key_generate(&key, NULL), XOS_OK);
}

static void teardown(void)
{
	char cmd[96];

	xos_key_free(key);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static enum xos_status open_it(struct xos_ledger **l, struct xos_err *err)
{
	struct xos_ledger_options o = {
	    .log = log_path, .index = index_path, .name = "demo/accounting", .key = key};

	return xos_ledger_open(&o, l, err);
}

static struct xos_ledger *opened(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_ledger *l = NULL;

	ck_assert_msg(open_it(&l, &err) == XOS_OK, "%s", err.text);
	return l;
}

static struct xos_record sample(int i, const char *member)
{
	struct xos_record r = {.vo = "demo",
	    .number = 1,
	    .site = "lab",
	    .node = "n1",
	    .submitted = 1000 + i,
	    .ended = 2000 + i,
	    .end = "exited",
	    .cause = "self"};

	snprintf(r.id, sizeof(r.id), "%032x", (unsigned)i);
	snprintf(r.member, sizeof(r.member), "%s", member);
	return r;
}

static uint64_t append(struct xos_ledger *l, int i, const char *member)
{
	struct xos_record r = sample(i, member);
	uint64_t seq = 0;

	ck_assert_int_eq(xos_ledger_append(l, &r, &seq, NULL), XOS_OK);
	return seq;
}

static void list(struct xos_ledger *l, const struct xos_ledger_query *q, size_t want, bool more)
{
	const struct xos_json *records;
	struct xos_json *doc = NULL;
	struct xos_buf b;
	bool got = !more;

	xos_buf_init(&b, 1u << 20);
	ck_assert_int_eq(xos_ledger_list(l, q, &b, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_parse(xos_buf_bytes(&b), 1u << 20, &doc, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_array(doc, "records", 1000, &records, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_bool(doc, "more", &got, NULL), XOS_OK);
	ck_assert_uint_eq(xos_json_count(records), want);
	ck_assert(got == more);
	xos_json_free(doc);
	xos_buf_free(&b);
}

START_TEST(same_record_again_is_one_record)
{
	struct xos_ledger *l = opened();
	struct xos_record r = sample(1, "alice");
	uint64_t seq = 0;

	ck_assert_uint_eq(append(l, 1, "alice"), 1);
	ck_assert_uint_eq(append(l, 2, "bob"), 2);
	ck_assert_uint_eq(append(l, 1, "alice"), 1);
	xos_ledger_close(l);
	l = opened();
	ck_assert_uint_eq(append(l, 1, "alice"), 1);
	ck_assert_uint_eq(append(l, 3, "alice"), 3);
	r.wall_ms = 5;
	ck_assert_int_eq(xos_ledger_append(l, &r, &seq, NULL), XOS_CONFLICT);
	xos_ledger_close(l);
}
END_TEST

/* A node that hands in a record under another node's job id must not keep the true one out. */
START_TEST(no_node_takes_the_id_of_another)
{
	struct xos_ledger *l = opened();
	struct xos_record forged = sample(1, "alice"), again;
	uint64_t seq = 0;

	strcpy(forged.node, "evil");
	ck_assert_int_eq(xos_ledger_append(l, &forged, &seq, NULL), XOS_OK);
	ck_assert_uint_eq(append(l, 1, "alice"), 2);
	xos_ledger_close(l);
	/* The same after the index was made from the log. */
	l = opened();
	ck_assert_uint_eq(append(l, 1, "alice"), 2);
	again = forged;
	ck_assert_int_eq(xos_ledger_append(l, &again, &seq, NULL), XOS_OK);
	ck_assert_uint_eq(seq, 1);
	again.wall_ms = 5;
	ck_assert_int_eq(xos_ledger_append(l, &again, &seq, NULL), XOS_CONFLICT);
	xos_ledger_close(l);
}
END_TEST

START_TEST(index_is_made_again_from_the_log)
{
	struct xos_ledger *l = opened();
	char cmd[160];

	for (int i = 1; i <= 5; i++)
		append(l, i, i % 2 ? "alice" : "bob");
	xos_ledger_close(l);
	snprintf(cmd, sizeof(cmd), "rm -f %s*", index_path);
	ck_assert_int_eq(system(cmd), 0);
	l = opened();
	ck_assert_uint_eq(append(l, 4, "bob"), 4);
	list(l, &(struct xos_ledger_query){.limit = 100}, 5, false);
	xos_ledger_close(l);
}
END_TEST

START_TEST(lists)
{
	struct xos_ledger *l = opened();

	for (int i = 1; i <= 5; i++)
		append(l, i, i % 2 ? "alice" : "bob");
	list(l, &(struct xos_ledger_query){.limit = 3}, 3, true);
	list(l, &(struct xos_ledger_query){.limit = 3, .after = 3}, 2, false);
	list(l, &(struct xos_ledger_query){.limit = 5}, 5, false);
	list(l, &(struct xos_ledger_query){.member = "alice", .limit = 9}, 3, false);
	list(l, &(struct xos_ledger_query){.member = "alic", .limit = 9}, 0, false);
	list(l, &(struct xos_ledger_query){.since = 2004, .limit = 9}, 2, false);
	xos_ledger_close(l);
}
END_TEST

static void change_byte(const char *path, long at)
{
	FILE *f = fopen(path, "r+");
	int c;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
	c = fgetc(f);
	ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
	fputc(c ^ 1, f);
	fclose(f);
}

START_TEST(a_changed_byte_is_refused_at_start)
{
	struct xos_ledger *l = opened();
	struct xos_err err = XOS_ERR_INIT;

	for (int i = 1; i <= 3; i++)
		append(l, i, "alice");
	xos_ledger_close(l);
	change_byte(log_path, 400);
	ck_assert_int_eq(open_it(&l, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "record"));
}
END_TEST

/* Log and head put back together to an older state: the index remembers. */
START_TEST(an_older_log_is_refused)
{
	struct xos_ledger *l = opened();
	struct xos_err err = XOS_ERR_INIT;
	char cmd[512];

	append(l, 1, "alice");
	xos_ledger_close(l);
	snprintf(cmd, sizeof(cmd), "cp %s %s/old && cp %s.head %s/old.head", log_path, dir,
	    log_path, dir);
	ck_assert_int_eq(system(cmd), 0);
	l = opened();
	append(l, 2, "alice");
	xos_ledger_close(l);
	snprintf(cmd, sizeof(cmd), "cp %s/old %s && cp %s/old.head %s.head", dir, log_path, dir,
	    log_path);
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_int_eq(open_it(&l, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-cut");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("accounting ledger");
	TCase *t = tcase_create("ledger");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, same_record_again_is_one_record);
	tcase_add_test(t, no_node_takes_the_id_of_another);
	tcase_add_test(t, index_is_made_again_from_the_log);
	tcase_add_test(t, lists);
	tcase_add_test(t, a_changed_byte_is_refused_at_start);
	tcase_add_test(t, an_older_log_is_refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
