/* Limits of single addresses, and limits that change while the server runs. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

#define WAIT_MS 20000 /* generous: only failures wait as long */
#define H "Host: x\r\n"

static struct fixture f;
static char buf[65536];

static int ask(const char *request)
{
	int fd = raw_connect(f.port);
	raw_say(fd, request);
	raw_response(fd, buf, sizeof(buf), WAIT_MS);
	close(fd);
	return raw_status(buf);
}

/* An address has its own limit: what is too much costs it, and only it, a connection. */
START_TEST(an_address_gives_up_its_own)
{
	fixture_start(&f, (struct xos_server_options){
	                      .listen_fd = -1, .max_connections = 100, .max_per_address = 2});
	int a = raw_connect(f.port), b = raw_connect(f.port);
	raw_say(a, "GET / HTTP/1.1\r\n" H "\r\n");
	raw_response(a, buf, sizeof(buf), WAIT_MS);
	raw_say(b, "GET / HTTP/1.1\r\n" H "\r\n");
	raw_response(b, buf, sizeof(buf), WAIT_MS);
	/* Both idle, the first one for longer. */
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\n" H "\r\n"), 200);
	ck_assert(raw_closed(a, WAIT_MS));
	/* At work: none can be given up, so the new one is closed. */
	int c = raw_connect(f.port);
	raw_say(b, "GET /slow HTTP/1.1\r\n" H "\r\n");
	raw_say(c, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_slow(2);
	int d = raw_connect(f.port);
	ck_assert(raw_closed(d, WAIT_MS));
	raw_response(b, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	raw_response(c, buf, sizeof(buf), WAIT_MS);
	ck_assert_int_eq(raw_status(buf), 200);
	close(a);
	close(b);
	close(c);
	close(d);
	fixture_stop(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("limits");
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, an_address_gives_up_its_own);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
