/* The power goes, or the writer is killed, while a group is being written. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

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

int main(void)
{
	TCase *tc = log_case("crash");
	tcase_add_test(tc, unsealed_tail_is_cut);
	tcase_add_test(tc, crash_at_every_byte_of_a_group);
	tcase_add_test(tc, killed_while_appending);
	return run_case(tc);
}
