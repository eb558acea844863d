/* Long bodies that many responses share. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

#define WAIT_MS 60000
#define H "Host: localhost\r\n"

static struct fixture f;
static char buf[70000];

static void start(void)
{
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1});
}

static void stop(void)
{
	fixture_stop(&f);
}

static int ask(const char *request)
{
	int fd = raw_connect(f.port);
	raw_say(fd, request);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	close(fd);
	return raw_status(buf);
}

/* Of a body of a to z over and over: head and body, read to the end. */
static void check_shared(int fd, size_t n)
{
	static char big[2000000];
	char length[64];
	size_t got = raw_response(fd, big, sizeof(big), WAIT_MS);
	const char *body = strstr(big, "\r\n\r\n");
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", n);
	ck_assert_ptr_nonnull(body);
	ck_assert_ptr_nonnull(strstr(big, length));
	body += 4;
	ck_assert_uint_eq(got - (size_t)(body - big), n);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(body[i], 'a' + (int)(i % 26));
}

START_TEST(sends_shared_bodies)
{
	static const size_t n[] = {0, 1, 16383, 16384, 65536, 65537, 1500000, 3};
	char text[128];
	int fd = raw_connect(f.port);
	/* On one connection: nothing of one is left for the next. */
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		snprintf(text, sizeof(text), "GET /shared?n=%zu HTTP/1.1\r\n" H "\r\n", n[i]);
		raw_say(fd, text);
		check_shared(fd, n[i]);
	}
	close(fd);
	fd = raw_connect(f.port);
	raw_say(fd, "HEAD /shared?n=20000 HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	raw_read(fd, buf, sizeof(buf), WAIT_MS);
	ck_assert_ptr_nonnull(strstr(buf, "Content-Length: 20000\r\n"));
	ck_assert_str_eq(strstr(buf, "\r\n\r\n"), "\r\n\r\n");
	close(fd);
	/* What failed after the body was set has the problem's body, and no other. */
	ck_assert_int_eq(ask("GET /shared?n=10000001 HTTP/1.1\r\n" H "\r\n"), 400);
	ck_assert_ptr_nonnull(strstr(buf, "application/problem+json"));
}
END_TEST

START_TEST(survives_hang_up_within_a_shared_body)
{
	for (int i = 0; i < 4; i++) {
		int fd = raw_connect(f.port);
		raw_say(fd, "GET /shared?n=9000000 HTTP/1.1\r\n" H "\r\n");
		ck_assert_uint_gt(raw_read(fd, buf, 1000, WAIT_MS), 0);
		close(fd);
	}
	ck_assert_int_eq(ask("GET /shared?n=5 HTTP/1.1\r\n" H "\r\n"), 200);
	ck_assert_ptr_nonnull(strstr(buf, "abcde"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shared");
	TCase *t = tcase_create("shared");
	tcase_add_checked_fixture(t, start, stop);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, sends_shared_bodies);
	tcase_add_test(t, survives_hang_up_within_a_shared_body);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
