/* Descriptors that are handed over, and what else may come that way. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/channel.h"
#include "proc/pass.h"

static int ends[2];
static struct xos_err err;

static void setup(void)
{
	ck_assert_int_eq(xos_channel_pair(ends, &err), XOS_OK);
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

static int open_count(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(what_is_sent_arrives_and_works)
{
	int p[2], got[2] = {-1, -1};
	char word[4] = "";

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_fds_send(ends[0], p, 2, &err), XOS_OK);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_OK);
	ck_assert_int_eq(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(write(got[1], "hi", 2), 2);
	ck_assert_int_eq(read(p[0], word, 2), 2);
	ck_assert_str_eq(word, "hi");
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(got[i]);
	}
	close(ends[0]);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_UNAVAILABLE);
}
END_TEST

/* None may stay open unknown. */
START_TEST(what_was_not_expected_is_refused_and_closed)
{
	int p[4], got[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pipe(p + 2), 0);
	int before = open_count();
	ck_assert_int_eq(xos_fds_send(ends[0], p, 4, &err), XOS_OK);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_fds_send(ends[0], p, 1, &err), XOS_OK);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_MALFORMED);
	ck_assert_int_eq(send(ends[0], "F", 1, 0), 1);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_MALFORMED);
	ck_assert_int_eq(send(ends[0], "more than a word", 16, 0), 16);
	ck_assert_int_eq(xos_fds_receive(ends[1], got, 2, &err), XOS_MALFORMED);
	ck_assert_int_eq(open_count(), before);
	ck_assert_int_ne(xos_fds_send(ends[0], p, 0, &err), XOS_OK);
	ck_assert_int_ne(xos_fds_send(ends[0], p, XOS_PASS_MAX + 1, &err), XOS_OK);
	for (int i = 0; i < 4; i++)
		close(p[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pass");
	TCase *tc = tcase_create("pass");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_sent_arrives_and_works);
	tcase_add_test(tc, what_was_not_expected_is_refused_and_closed);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
