/* What a log promises its writers and readers. */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(what_is_written_is_read)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_report report;
	struct xos_log_head head;
	int seen = 0;
	make(10);
	struct xos_log *log = must_open();
	append(log, 11, 20);
	ck_assert_int_eq(xos_log_head_get(log, &head, NULL, &err), XOS_OK);
	ck_assert_uint_eq(head.sequence, 20);
	ck_assert_str_eq(head.name, "demo/test");
	xos_log_close(log);
	ck_assert_msg(xos_log_verify_file(path, &crypto, see, &seen, &report, &err) == XOS_OK, "%s",
	    err.text);
	ck_assert_int_eq(seen, 20);
	ck_assert_uint_eq(report.records, 20);
	ck_assert_uint_eq(report.head_sequence, 20);
	ck_assert_uint_eq(report.tail_bytes, 0);
	ck_assert_str_eq(report.name, "demo/test");
	xos_log_close(NULL);
}
END_TEST

START_TEST(empty_log)
{
	struct xos_log_report report;
	make(0);
	make(0);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 0);
	/* A crash between making the two files. */
	unlink(head_path);
	make(3);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 3);
}
END_TEST

START_TEST(second_writer_is_refused)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = must_open(), *other = NULL;
	ck_assert_int_eq(open_log(&other, &err), XOS_CONFLICT);
	append(log, 1, 1);
	xos_log_close(log);
	log = must_open();
	xos_log_close(log);
}
END_TEST

static struct xos_log *shared;

static void *appender(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		uint64_t s = 0;
		ck_assert_int_eq(
		    xos_log_append(shared, 7, xos_bytes_str("mine"), &s, NULL), XOS_OK);
		struct xos_log_head head;
		ck_assert_int_eq(xos_log_head_get(shared, &head, NULL, NULL), XOS_OK);
		ck_assert_uint_ge(head.sequence, s); /* covered by a signed head when it returns */
	}
	return NULL;
}

static void *watcher(void *arg)
{
	uint64_t *most = arg;
	while (*most < 400) {
		struct xos_err err = XOS_ERR_INIT;
		struct xos_log_report report;
		ck_assert_msg(verify(&report, &err) == XOS_OK, "%s", err.text);
		ck_assert_uint_ge(report.records, *most);
		*most = report.records;
	}
	return NULL;
}

START_TEST(many_threads)
{
	pthread_t t[8], w;
	uint64_t most = 0;
	shared = must_open();
	pthread_create(&w, NULL, watcher, &most);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, appender, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	pthread_join(w, NULL);
	xos_log_close(shared);
	struct xos_log_report report;
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 400);
}
END_TEST

START_TEST(staged_records_share_a_seal)
{
	struct stat one, group;
	struct xos_log *log = must_open();
	uint64_t s = 0;
	append(log, 1, 3);
	stat(path, &one);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    xos_log_stage(log, 1, xos_bytes_str("record number 1"), &s, NULL), XOS_OK);
	ck_assert_uint_eq(s, 6);
	stat(path, &group);
	ck_assert_int_eq(one.st_size, group.st_size); /* nothing yet */
	ck_assert_int_eq(xos_log_commit(log, NULL), XOS_OK);
	ck_assert_int_eq(xos_log_commit(log, NULL), XOS_OK);
	struct xos_log_report report;
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 6);
	stat(path, &group);
	ck_assert_int_lt(group.st_size - one.st_size, one.st_size); /* one seal, not three */
	ck_assert_int_eq(xos_log_stage(log, 1, xos_bytes_str("at the end"), &s, NULL), XOS_OK);
	xos_log_close(log);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 7);
}
END_TEST

START_TEST(no_signature_no_record)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_report report;
	struct xos_log *log = must_open();
	append(log, 1, 2);
	sign_fails = 1;
	ck_assert_int_eq(xos_log_append(log, 1, xos_bytes_str("x"), NULL, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "key-away");
	sign_fails = 0;
	ck_assert_int_eq(xos_log_append(log, 1, xos_bytes_str("x"), NULL, &err), XOS_UNAVAILABLE);
	xos_log_close(log);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 2);
	log = must_open();
	append(log, 3, 3);
	xos_log_close(log);
}
END_TEST

START_TEST(limits)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = must_open();
	uint8_t *big = calloc(1, XOS_LOG_PAYLOAD_MAX + 1);
	struct xos_bytes in = {big, XOS_LOG_PAYLOAD_MAX + 1};
	ck_assert_int_eq(xos_log_append(log, 1, in, NULL, &err), XOS_LIMIT);
	in.n--;
	ck_assert_int_eq(xos_log_append(log, 1, in, NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_log_append(log, 1, XOS_BYTES_NONE, NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_log_append(log, XOS_LOG_TYPE_SEAL, in, NULL, &err), XOS_INTERNAL);
	ck_assert_int_eq(xos_log_append(log, 1, in, NULL, &err), XOS_OK);
	xos_log_close(log);
	ck_assert_int_eq(verify(NULL, &err), XOS_OK);
	free(big);
}
END_TEST

START_TEST(readers_follow)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_reader *r = NULL;
	struct xos_log_record record;
	bool more = false;
	struct xos_log *log = must_open();
	append(log, 1, 5);
	ck_assert_int_eq(xos_log_reader_open(path, 4, &crypto, &r, &err), XOS_OK);
	for (uint64_t want = 4; want <= 5; want++) {
		ck_assert_int_eq(xos_log_reader_next(r, &record, &more, &err), XOS_OK);
		ck_assert(more);
		ck_assert_uint_eq(record.sequence, want);
	}
	ck_assert_int_eq(xos_log_reader_next(r, &record, &more, &err), XOS_OK);
	ck_assert(!more);
	append(log, 6, 6);
	ck_assert_int_eq(xos_log_reader_next(r, &record, &more, &err), XOS_OK);
	ck_assert(more && record.sequence == 6);
	ck_assert_int_eq(xos_log_reader_next(r, &record, &more, &err), XOS_OK);
	ck_assert(!more);
	xos_log_reader_close(r);
	xos_log_close(log);
	ck_assert_int_eq(xos_log_reader_open("/nonexistent", 1, &crypto, &r, &err), XOS_NOT_FOUND);
	xos_log_reader_close(NULL);
}
END_TEST

START_TEST(heads_are_parsed_strictly)
{
	struct xos_log_head head = {.name = "demo/test", .sequence = 5, .time = 7}, got;
	struct xos_bytes signature = xos_bytes_str("sig"), back;
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_log_head_encode(&b, &head, signature);
	ck_assert_int_eq(xos_log_head_decode(xos_buf_bytes(&b), &got, &back, NULL), XOS_OK);
	ck_assert_uint_eq(got.sequence, 5);
	ck_assert(xos_bytes_eq(signature, back));
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(xos_log_head_decode((struct xos_bytes){b.p, n}, &got, &back, NULL),
		    XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_log_head_decode(xos_buf_bytes(&b), &got, &back, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	TCase *tc = log_case("log");
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, empty_log);
	tcase_add_test(tc, second_writer_is_refused);
	tcase_add_test(tc, many_threads);
	tcase_add_test(tc, staged_records_share_a_seal);
	tcase_add_test(tc, no_signature_no_record);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, readers_follow);
	tcase_add_test(tc, heads_are_parsed_strictly);
	return run_case(tc);
}
