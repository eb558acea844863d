/* What one address may do: wrong codes, and applications. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rca/guess.h"
#include "rca/pace.h"

#define NOW 1000000

static struct xos_err err;

START_TEST(peers_are_counted_by_what_one_person_has)
{
	static const struct {
		const char *a, *b;
		int same;
	} cases[] = {
	    {"192.0.2.1:1", "192.0.2.1:65535", 1},
	    {"192.0.2.1:1", "192.0.2.2:1", 0},
	    {"[2001:db8::1]:1", "[2001:db8::ffff:1]:2", 1},
	    {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", 0},
	    {"[::ffff:192.0.2.1]:1", "192.0.2.1:9", 1},
	    {"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", 1},
	    {"", "[", 1},
	    {"unix", "nonsense that is longer than any address could ever be, by far", 1},
	    {"unix", "192.0.2.1:1", 0},
	};
	uint8_t a[RCA_PEER_KEY], b[RCA_PEER_KEY];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rca_peer_key(cases[i].a, a);
		rca_peer_key(cases[i].b, b);
		ck_assert_msg((memcmp(a, b, sizeof(a)) == 0) == cases[i].same, "%zu", i);
	}
}
END_TEST

START_TEST(wrong_codes_wait_longer_and_longer_and_are_forgotten)
{
	struct rca_guess *g = rca_guess_new();
	static const char peer[] = "192.0.2.1:1";
	int64_t now = NOW, last = 0;

	for (int i = 0; i < 9; i++) {
		rca_guess_failed(g, peer, now);
		ck_assert_int_eq(rca_guess_check(g, peer, now, &err), XOS_OK);
	}
	for (int i = 0; i < 14; i++) {
		int64_t wait = 0;

		rca_guess_failed(g, peer, now);
		while (rca_guess_check(g, peer, now + wait, &err) != XOS_OK)
			wait++;
		ck_assert(wait >= last && wait >= 2 && wait <= 900);
		last = wait;
		now += wait;
	}
	ck_assert_int_eq(last, 900);
	rca_guess_failed(g, peer, now);
	ck_assert_int_eq(rca_guess_check(g, peer, now, &err), XOS_LIMIT);
	/* A clock that is set back does not lock out for good. */
	ck_assert_int_eq(rca_guess_check(g, peer, now - 86400, &err), XOS_OK);
	now += 2 * 3600;
	rca_guess_failed(g, peer, now);
	ck_assert_int_eq(rca_guess_check(g, peer, now, &err), XOS_OK);
	rca_guess_free(g);
}
END_TEST

START_TEST(many_addresses_together_are_slowed_too)
{
	struct rca_guess *g = rca_guess_new();
	char peer[32];

	for (int i = 0; i < 300; i++) {
		snprintf(peer, sizeof(peer), "192.0.%d.%d:1", i / 250, i % 250);
		ck_assert_int_eq(rca_guess_check(g, peer, NOW, &err), XOS_OK);
		rca_guess_failed(g, peer, NOW);
	}
	ck_assert_int_eq(rca_guess_check(g, "203.0.113.1:1", NOW, &err), XOS_LIMIT);
	ck_assert_int_eq(rca_guess_check(g, "203.0.113.1:1", NOW + 60, &err), XOS_OK);
	rca_guess_free(g);
}
END_TEST

START_TEST(a_flood_of_addresses_does_not_forgive_one_that_failed_often)
{
	struct rca_guess *g = rca_guess_new();
	static const char worst[] = "198.51.100.1:1";
	char peer[32];

	for (int i = 0; i < 25; i++)
		rca_guess_failed(g, worst, NOW);
	for (int i = 0; i < 5000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d:1", i / 62500, i / 250 % 250, i % 250);
		rca_guess_failed(g, peer, NOW + 61);
	}
	ck_assert_int_eq(rca_guess_check(g, worst, NOW + 200, &err), XOS_LIMIT);
	rca_guess_free(g);
}
END_TEST

START_TEST(applications_of_one_address_are_so_many_an_hour)
{
	struct rca_pace *p = rca_pace_new();
	char peer[32];

	for (int i = 0; i < RCA_PACE_HOUR; i++)
		ck_assert_int_eq(rca_pace_take(p, "192.0.2.1:1", NOW + i, &err), XOS_OK);
	ck_assert_int_eq(rca_pace_take(p, "192.0.2.1:2", NOW + 300, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "applications-address");
	ck_assert_int_eq(rca_pace_take(p, "192.0.2.2:1", NOW + 300, &err), XOS_OK);
	for (int i = 0; i < 5000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d:1", i / 62500, i / 250 % 250, i % 250);
		ck_assert_int_eq(rca_pace_take(p, peer, NOW + 400, &err), XOS_OK);
	}
	ck_assert_int_eq(rca_pace_take(p, "192.0.2.1:3", NOW + 500, &err), XOS_LIMIT);
	ck_assert_int_eq(rca_pace_take(p, "192.0.2.1:3", NOW + 3600, &err), XOS_OK);
	rca_pace_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pace");
	TCase *tc = tcase_create("addresses");
	SRunner *r = srunner_create(s);

	tcase_add_test(tc, peers_are_counted_by_what_one_person_has);
	tcase_add_test(tc, wrong_codes_wait_longer_and_longer_and_are_forgotten);
	tcase_add_test(tc, many_addresses_together_are_slowed_too);
	tcase_add_test(tc, a_flood_of_addresses_does_not_forgive_one_that_failed_often);
	tcase_add_test(tc, applications_of_one_address_are_so_many_an_hour);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
