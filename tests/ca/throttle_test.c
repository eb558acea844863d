#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/auth/throttle.h"

#define NOW 1800000000
static struct ca_throttle *t;
static struct xos_err err;

static void setup(void)
{
	t = ca_throttle_new();
}

static void teardown(void)
{
	ca_throttle_free(t);
}

static enum xos_status ask(const char *member, const char *address, int64_t now)
{
	return ca_throttle_check(t, member, address, now, &err);
}

START_TEST(waits_grow_and_end)
{
	for (int i = 0; i < 4; i++)
		ca_throttle_failed(t, "alice", "192.0.2.1", NOW);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW), XOS_OK);
	ca_throttle_failed(t, "alice", "192.0.2.1", NOW);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW), XOS_LIMIT);
	ck_assert_str_eq(err.code, "login-throttled");
	ck_assert_ptr_nonnull(strstr(err.text, "try again in 2s"));
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 2), XOS_OK);
	ca_throttle_failed(t, "alice", "192.0.2.1", NOW + 2);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 4), XOS_LIMIT);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 6), XOS_OK);
	/* somebody else, and the same member from elsewhere */
	ck_assert_int_eq(ask("bob", "192.0.2.1", NOW + 2), XOS_OK);
	ck_assert_int_eq(ask("alice", "192.0.2.2", NOW + 2), XOS_OK);
	ca_throttle_passed(t, "alice", "192.0.2.1");
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 2), XOS_OK);
}
END_TEST

START_TEST(many_failures_do_not_overflow)
{
	for (int i = 0; i < 200; i++)
		ca_throttle_failed(t, "alice", "192.0.2.1", NOW);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 899), XOS_LIMIT);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 900), XOS_OK);
	/* an address that tries many names is slowed down for all of them */
	ck_assert_int_eq(ask("bob", "192.0.2.1", NOW + 1), XOS_LIMIT);
	/* nobody can lock a member out for long from elsewhere */
	ck_assert_int_eq(ask("alice", "192.0.2.9", NOW + 31), XOS_OK);
}
END_TEST

START_TEST(a_clock_set_back_locks_nobody_out)
{
	for (int i = 0; i < 20; i++)
		ca_throttle_failed(t, "alice", "192.0.2.1", NOW + 1000000);
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW), XOS_OK);
}
END_TEST

START_TEST(the_table_is_bounded)
{
	char name[32];

	for (int i = 0; i < 20; i++)
		ca_throttle_failed(t, "alice", "192.0.2.1", NOW + 50);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		ca_throttle_failed(t, name, name, NOW + i);
	}
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 51), XOS_LIMIT);
	for (int i = 1000; i < 10000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		ca_throttle_failed(t, name, name, NOW + i);
	}
	/* pushed out at last: a restart would do the same */
	ck_assert_int_eq(ask("alice", "192.0.2.1", NOW + 51), XOS_OK);
}
END_TEST

/* A flood of failures under made-up names, which each leave their mark, forgives none. */
START_TEST(a_flood_hides_nobody)
{
	char name[32];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "203.0.113.%d", i);
		ca_throttle_failed(t, "alice", name, NOW);
	}
	ck_assert_int_eq(ask("alice", "192.0.2.9", NOW + 1), XOS_LIMIT);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		ca_throttle_failed(t, name, name, NOW + 1);
	}
	ck_assert_int_eq(ask("alice", "192.0.2.9", NOW + 1), XOS_LIMIT);
}
END_TEST

/* Whoever has one address of an IPv6 network has all 2^64. */
START_TEST(a_network_counts_as_one_address)
{
	char address[64];

	for (int i = 0; i < 60; i++) {
		snprintf(address, sizeof(address), "[2001:db8::%x]", i + 1);
		ca_throttle_failed(t, "alice", address, NOW);
	}
	ck_assert_int_eq(ask("bob", "[2001:db8::ffff]", NOW + 1), XOS_LIMIT);
	ck_assert_int_eq(ask("bob", "[2001:db8:0:1::1]", NOW + 1), XOS_OK);
	/* IPv4 in IPv6's clothes stays a single address, and the same as bare. */
	for (int i = 0; i < 60; i++)
		ca_throttle_failed(t, "carol", "[::ffff:192.0.2.1]", NOW);
	ck_assert_int_eq(ask("bob", "192.0.2.1", NOW + 1), XOS_LIMIT);
	ck_assert_int_eq(ask("bob", "[::ffff:192.0.2.2]", NOW + 1), XOS_OK);
}
END_TEST

/* The second factor counts by itself: the first one's success clears nothing, and no address matters. */
START_TEST(second_factors_are_counted_alone)
{
	const int64_t now = 1800000000;

	for (int i = 0; i < 4; i++) {
		ca_throttle_second_failed(t, "alice", now);
		ca_throttle_passed(t, "alice", "192.0.2.1");
		ck_assert_int_eq(ca_throttle_second_check(t, "alice", now, &err), XOS_OK);
	}
	ca_throttle_second_failed(t, "alice", now);
	ck_assert_int_eq(ca_throttle_second_check(t, "alice", now, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "totp-throttled");
	ck_assert_int_eq(ca_throttle_second_check(t, "bob", now, &err), XOS_OK);
	ck_assert_int_eq(ca_throttle_check(t, "alice", "192.0.2.1", now, &err), XOS_OK);
	/* never for longer than a quarter of an hour, and no failure of the first factor adds to it */
	for (int i = 0; i < 40; i++)
		ca_throttle_second_failed(t, "alice", now);
	ck_assert_int_eq(ca_throttle_second_check(t, "alice", now + 899, &err), XOS_LIMIT);
	ck_assert_int_eq(ca_throttle_second_check(t, "alice", now + 900, &err), XOS_OK);
	ca_throttle_second_passed(t, "alice");
	ca_throttle_failed(t, "alice", "192.0.2.1", now);
	ck_assert_int_eq(ca_throttle_second_check(t, "alice", now, &err), XOS_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-throttle");
	TCase *c = tcase_create("throttle");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, waits_grow_and_end);
	tcase_add_test(c, second_factors_are_counted_alone);
	tcase_add_test(c, many_failures_do_not_overflow);
	tcase_add_test(c, a_clock_set_back_locks_nobody_out);
	tcase_add_test(c, the_table_is_bounded);
	tcase_add_test(c, a_flood_hides_nobody);
	tcase_add_test(c, a_network_counts_as_one_address);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
