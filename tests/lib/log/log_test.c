#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "log/log.h"

/*
 * The library takes digest and signature from its caller; these are good enough to tell whether it
 * checks them: every step is a bijection of the state, so a changed byte always changes the result.
 */
static void toy_hash(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	uint64_t s[4] = {1, 2, 3, 4};
	(void)ctx;
	for (size_t i = 0; i < in.n; i++) {
		s[i % 4] = (s[i % 4] ^ in.p[i]) * 1099511628211U;
		s[(i + 1) % 4] ^= s[i % 4] >> 29;
	}
	for (int round = 0; round < 8; round++)
		s[(round + 1) % 4] = (s[(round + 1) % 4] ^ s[round % 4]) * 1099511628211U;
	memcpy(out, s, XOS_LOG_HASH);
}

static int sign_fails;

static void toy_signature(const struct xos_log_head *head, uint8_t out[XOS_LOG_HASH])
{
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_buf_put_str(&b, "secret");
	xos_log_head_encode(&b, head, XOS_BYTES_NONE);
	toy_hash(NULL, xos_buf_bytes(&b), out);
	xos_buf_free(&b);
}

static enum xos_status toy_sign(
    void *ctx, const struct xos_log_head *head, struct xos_buf *signature, struct xos_err *err)
{
	uint8_t raw[XOS_LOG_HASH];
	(void)ctx;
	if (sign_fails)
		return xos_err_set(err, XOS_UNAVAILABLE, "key-away", "the key is away");
	toy_signature(head, raw);
	xos_buf_put(signature, raw, sizeof(raw));
	return XOS_OK;
}

static enum xos_status toy_verify(
    void *ctx, const struct xos_log_head *head, struct xos_bytes signature, struct xos_err *err)
{
	uint8_t raw[XOS_LOG_HASH];
	(void)ctx;
	toy_signature(head, raw);
	if (xos_bytes_eq(signature, (struct xos_bytes){raw, sizeof(raw)}))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "signature", "wrong signature");
}

static const struct xos_log_crypto crypto = {NULL, toy_hash, toy_sign, toy_verify};
static char dir[64], path[128], head_path[160];

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	strcpy(dir, "/tmp/xos-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(xos_path_join(path, sizeof(path), dir, "log"));
	ck_assert(xos_str_printf(head_path, sizeof(head_path), "%s.head", path));
	sign_fails = 0;
}

static void teardown(void)
{
	DIR *d = opendir(dir);
	char file[512];
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && xos_path_join(file, sizeof(file), dir, e->d_name))
			unlink(file);
	closedir(d);
	rmdir(dir);
}

static enum xos_status open_log(struct xos_log **log, struct xos_err *err)
{
	struct xos_log_options o = {.path = path, .name = "demo/test", .crypto = &crypto};
	*log = NULL;
	return xos_log_open(&o, log, err);
}

static struct xos_log *must_open(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = NULL;
	ck_assert_msg(open_log(&log, &err) == XOS_OK, "%s", err.text);
	return log;
}

static void append(struct xos_log *log, int from, int to)
{
	for (int i = from; i <= to; i++) {
		char text[32];
		uint64_t sequence = 0;
		ck_assert(xos_str_printf(text, sizeof(text), "record number %d", i));
		ck_assert_int_eq(
		    xos_log_append(log, (uint16_t)i, xos_bytes_str(text), &sequence, NULL), XOS_OK);
		ck_assert_uint_eq(sequence, (uint64_t)i);
	}
}

static void make(int n)
{
	struct xos_log *log = must_open();
	append(log, 1, n);
	xos_log_close(log);
}

static struct xos_buf read_all(const char *name)
{
	struct xos_buf b;
	ck_assert_int_eq(xos_file_read(name, 1 << 24, &b, NULL), XOS_OK);
	return b;
}

static void write_all(const char *name, const uint8_t *p, size_t n)
{
	ck_assert_int_eq(xos_file_write(name, 0600, (struct xos_bytes){p, n}, NULL), XOS_OK);
}

static enum xos_status verify(struct xos_log_report *report, struct xos_err *err)
{
	return xos_log_verify_file(path, &crypto, NULL, NULL, report, err);
}

static uint64_t offsets[64];

static enum xos_status see(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	char text[32];
	(void)err;
	++*(int *)ctx;
	ck_assert_int_eq(r->sequence, *(int *)ctx);
	ck_assert(xos_str_printf(text, sizeof(text), "record number %d", *(int *)ctx));
	ck_assert(xos_bytes_eq(r->payload, xos_bytes_str(text)));
	ck_assert_int_eq(r->type, *(int *)ctx);
	offsets[r->sequence] = r->offset;
	return XOS_OK;
}

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

START_TEST(every_byte_flipped)
{
	make(5);
	struct xos_buf whole = read_all(path);
	for (size_t i = 0; i < whole.n; i++) {
		struct xos_err err = XOS_ERR_INIT;
		struct xos_log *log = NULL;
		struct xos_log_report report;
		whole.p[i] ^= 1U << (i % 8);
		write_all(path, whole.p, whole.n);
		ck_assert_msg(verify(&report, &err) == XOS_MALFORMED, "byte %zu is not missed", i);
		ck_assert(strstr(err.text, path));
		ck_assert_msg(open_log(&log, &err) == XOS_MALFORMED, "byte %zu opens", i);
		whole.p[i] ^= 1U << (i % 8);
	}
	xos_buf_free(&whole);
}
END_TEST

START_TEST(the_bad_record_is_named)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_report report;
	char text[64];
	int seen = 0;
	make(20);
	ck_assert_int_eq(xos_log_verify_file(path, &crypto, see, &seen, NULL, &err), XOS_OK);
	struct xos_buf whole = read_all(path);
	whole.p[offsets[17] + 4 + 18 + 3] ^= 1;
	write_all(path, whole.p, whole.n);
	ck_assert_int_eq(verify(&report, &err), XOS_MALFORMED);
	ck_assert(xos_str_printf(text, sizeof(text),
	    "record 17 at byte %llu: the hash does not match", (unsigned long long)offsets[17]));
	ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
	ck_assert_uint_eq(report.bad_record, 17);
	ck_assert_uint_eq(report.bad_offset, offsets[17]);
	ck_assert_uint_eq(report.records, 16);
	xos_buf_free(&whole);
}
END_TEST

START_TEST(every_length_cut)
{
	struct xos_err err = XOS_ERR_INIT;
	int seen = 0;
	make(5);
	ck_assert_int_eq(xos_log_verify_file(path, &crypto, see, &seen, NULL, &err), XOS_OK);
	struct xos_buf whole = read_all(path);
	for (size_t n = 0; n < whole.n; n++) {
		struct xos_log_report report;
		struct xos_log *log = NULL;
		write_all(path, whole.p, n);
		ck_assert_msg(verify(&report, &err) == XOS_MALFORMED, "cut at %zu is not seen", n);
		if (n > offsets[3] && n < offsets[4] - 200) {
			ck_assert_uint_ge(report.missing_from, 3);
			ck_assert_uint_eq(report.missing_to, 5);
		}
		ck_assert_msg(open_log(&log, &err) == XOS_MALFORMED, "cut at %zu opens", n);
	}
	write_all(path, whole.p, offsets[3]);
	ck_assert_int_eq(verify(NULL, &err), XOS_MALFORMED);
	ck_assert_msg(
	    strstr(err.text, "records 3 to 5 are missing: the signed head says 5"), "%s", err.text);
	write_all(path, whole.p, offsets[5]);
	ck_assert_int_eq(verify(NULL, &err), XOS_MALFORMED);
	ck_assert_msg(
	    strstr(err.text, "record 5 is missing: the signed head says 5"), "%s", err.text);
	/* Gone altogether, while its head is there. */
	struct xos_log *log = NULL;
	unlink(path);
	ck_assert_int_eq(open_log(&log, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-cut");
	xos_buf_free(&whole);
}
END_TEST

START_TEST(head_file_damage)
{
	struct xos_err err = XOS_ERR_INIT;
	make(4);
	struct xos_buf head = read_all(head_path);
	ck_assert_uint_eq(head.n, 4096);
	/* Every byte that says something, and some of the padding. */
	for (size_t i = 0; i < head.n; i += i % 2048 < 200 ? 7 : 97) {
		head.p[i] ^= 0x40;
		write_all(head_path, head.p, head.n);
		ck_assert_msg(verify(NULL, &err) != XOS_OK, "byte %zu is missed", i);
		head.p[i] ^= 0x40;
	}
	/* With one copy damaged nothing is lost, and opening repairs it. */
	for (int slot = 0; slot < 2; slot++) {
		struct xos_log_report report;
		head.p[slot * 2048 + 20] ^= 1;
		write_all(head_path, head.p, head.n);
		head.p[slot * 2048 + 20] ^= 1;
		struct xos_log *log = must_open();
		xos_log_close(log);
		ck_assert_int_eq(verify(&report, &err), XOS_OK);
		ck_assert_uint_eq(report.records, 4);
	}
	struct xos_log *log = NULL;
	head.p[20] ^= 1;
	head.p[2048 + 20] ^= 1;
	write_all(head_path, head.p, head.n);
	ck_assert_int_eq(open_log(&log, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "log-head");
	unlink(head_path);
	ck_assert_int_eq(open_log(&log, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "missing"));
	xos_buf_free(&head);
}
END_TEST

/* Somebody without the key writes the whole chain anew. */
static enum xos_status forged(
    void *ctx, const struct xos_log_head *head, struct xos_buf *signature, struct xos_err *err)
{
	(void)ctx;
	(void)head;
	(void)err;
	xos_buf_put_str(signature, "forged");
	return XOS_OK;
}

static enum xos_status believe(
    void *ctx, const struct xos_log_head *head, struct xos_bytes s, struct xos_err *err)
{
	(void)ctx;
	(void)head;
	(void)s;
	(void)err;
	return XOS_OK;
}

START_TEST(rewritten_without_the_key)
{
	static const struct xos_log_crypto forger = {NULL, toy_hash, forged, believe};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = NULL;
	make(5);
	struct xos_buf head = read_all(head_path);
	unlink(path);
	unlink(head_path);
	struct xos_log_options o = {.path = path, .name = "demo/test", .crypto = &forger};
	ck_assert_int_eq(xos_log_open(&o, &log, &err), XOS_OK);
	append(log, 1, 6);
	xos_log_close(log);
	ck_assert_int_eq(verify(NULL, &err), XOS_DENIED);
	ck_assert_int_eq(open_log(&log, &err), XOS_DENIED);
	/* With the true head beside it. */
	write_all(head_path, head.p, head.n);
	ck_assert_int_ne(verify(NULL, &err), XOS_OK);
	ck_assert_int_ne(open_log(&log, &err), XOS_OK);
	xos_buf_free(&head);
}
END_TEST

START_TEST(another_logs_head)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = NULL;
	make(3);
	struct xos_log_options o = {.path = path, .name = "other/test", .crypto = &crypto};
	ck_assert_int_eq(xos_log_open(&o, &log, &err), XOS_MALFORMED);
	struct xos_buf mine = read_all(path);
	unlink(path);
	unlink(head_path);
	ck_assert_int_eq(xos_log_open(&o, &log, &err), XOS_OK);
	append(log, 1, 3);
	xos_log_close(log);
	write_all(path, mine.p, mine.n);
	ck_assert_int_eq(verify(NULL, &err), XOS_MALFORMED);
	ck_assert_int_ne(open_log(&log, &err), XOS_OK);
	xos_buf_free(&mine);
}
END_TEST

static void add_tail(const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

START_TEST(unsealed_tail_is_cut)
{
	struct xos_log_report report;
	make(3);
	struct xos_buf whole = read_all(path);
	/* A group that was being written when the power went: any part of records without their seal. */
	add_tail(whole.p + 60, 150);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.tail_bytes, 150);
	struct xos_log *log = must_open();
	append(log, 4, 5);
	xos_log_close(log);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_eq(report.records, 5);
	ck_assert_uint_eq(report.tail_bytes, 0);
	char aside[256];
	struct stat st;
	ck_assert(xos_str_printf(aside, sizeof(aside), "%s.cut-%zu", path, whole.n));
	ck_assert_int_eq(stat(aside, &st), 0);
	ck_assert_int_eq(st.st_size, 150);
	xos_buf_free(&whole);
}
END_TEST

/* The next group as it would stand on the disk at every point of its writing. */
START_TEST(crash_at_every_byte_of_a_group)
{
	make(3);
	struct xos_buf before = read_all(path), head = read_all(head_path);
	struct xos_log *log = must_open();
	append(log, 4, 4);
	xos_log_close(log);
	struct xos_buf after = read_all(path);
	for (size_t n = before.n; n <= after.n; n++) {
		struct xos_log_report report;
		write_all(path, after.p, n);
		write_all(head_path, head.p, head.n); /* the head is written after the log */
		log = must_open();
		uint64_t sequence = 0;
		ck_assert_int_eq(
		    xos_log_append(log, 9, xos_bytes_str("next"), &sequence, NULL), XOS_OK);
		xos_log_close(log);
		/* A whole group is kept: it may have been acknowledged. */
		ck_assert_uint_eq(sequence, n == after.n ? 5 : 4);
		ck_assert_int_eq(verify(&report, NULL), XOS_OK);
		ck_assert_uint_eq(report.records, sequence);
	}
	xos_buf_free(&before);
	xos_buf_free(&after);
	xos_buf_free(&head);
}
END_TEST

START_TEST(killed_while_appending)
{
	int p[2];
	uint64_t last = 0, n = 0;
	struct xos_log_report report;
	ck_assert_int_eq(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct xos_log *log = must_open();
		for (uint64_t s = 0;;)
			if (xos_log_append(log, 1, xos_bytes_str("x"), &s, NULL) != XOS_OK ||
			    write(p[1], &s, sizeof(s)) != (ssize_t)sizeof(s))
				_exit(1);
	}
	close(p[1]);
	while (last < 50 && read(p[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	kill(pid, SIGKILL);
	while (read(p[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	waitpid(pid, NULL, 0);
	struct xos_log *log = must_open();
	xos_log_close(log);
	ck_assert_int_eq(verify(&report, NULL), XOS_OK);
	ck_assert_uint_ge(report.records, last);
	ck_assert_uint_ge(last, 50);
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
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");
	tcase_set_timeout(tc, 250);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, empty_log);
	tcase_add_test(tc, every_byte_flipped);
	tcase_add_test(tc, the_bad_record_is_named);
	tcase_add_test(tc, every_length_cut);
	tcase_add_test(tc, head_file_damage);
	tcase_add_test(tc, rewritten_without_the_key);
	tcase_add_test(tc, another_logs_head);
	tcase_add_test(tc, unsealed_tail_is_cut);
	tcase_add_test(tc, crash_at_every_byte_of_a_group);
	tcase_add_test(tc, killed_while_appending);
	tcase_add_test(tc, second_writer_is_refused);
	tcase_add_test(tc, many_threads);
	tcase_add_test(tc, staged_records_share_a_seal);
	tcase_add_test(tc, no_signature_no_record);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, readers_follow);
	tcase_add_test(tc, heads_are_parsed_strictly);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
