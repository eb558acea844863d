/* What anybody can do to the files of a log: nothing of it passes unseen. */
#include "fixture.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

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
	static const struct xos_log_crypto forger = {NULL, toy_hash, forged, believe, NULL};
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

int main(void)
{
	TCase *tc = log_case("damage");
	tcase_add_test(tc, every_byte_flipped);
	tcase_add_test(tc, the_bad_record_is_named);
	tcase_add_test(tc, every_length_cut);
	tcase_add_test(tc, head_file_damage);
	tcase_add_test(tc, rewritten_without_the_key);
	tcase_add_test(tc, another_logs_head);
	return run_case(tc);
}
