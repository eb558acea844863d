/* When an answer may change by time alone: never later than said, to the second, and not at every second either. */
#include "policy/edges.h"

#include "policy_test.h"
#include "zonedata.h"

#define DAY INT64_C(86400)
/* The Sunday in October on which Paris moves its clocks back, at 01:00 UTC, and the one in March on which it moves them on. */
#define OCTOBER INT64_C(1792886400)
#define MARCH INT64_C(1774742400)

static const char site[] = "site \"lab\" serial 1 { node n1 { class compute; } "
                           "permit vo demo action any on any; }";

static struct xos_policy *build(const char *vo_body, int64_t not_after)
{
	static const struct zone_maker z = {
	    .offsets = {3600, 7200}, .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
	char text[2000];
	struct xos_policy *p = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf paris;

	xos_buf_init(&paris, 10000);
	zone_write(&paris, &z);
	snprintf(text, sizeof(text), "vo \"demo\" serial 1 { %s }", vo_body);
	const struct xos_policy_zone_data zones[] = {{"Europe/Paris", xos_buf_bytes(&paris)}};
	const struct xos_policy_options o = {.zones = zones, .nzones = 1};
	struct xos_policy_part parts[] = {
	    {.set = must_parse(text), .not_after = not_after}, {.set = must_parse(site)}};
	ck_assert_msg(xos_policy_new(parts, 2, &o, &p, &err) == XOS_OK, "%s", err.text);
	xos_policy_set_unref(parts[0].set);
	xos_policy_set_unref(parts[1].set);
	xos_buf_free(&paris);
	return p;
}

/* Goes from edge to edge: between them, and in the last seconds before the next one, the answer is the one of the edge. Says how many
 * there were. */
static unsigned walk(const struct xos_policy *p, int64_t from, int64_t until, int64_t auth_time)
{
	struct xos_policy_request req = alice();
	unsigned edges = 0;

	req.subject.auth_time = auth_time;
	for (int64_t t = from; t < until; edges++) {
		const struct xos_policy_edges q = {.action = "job.submit",
		    .now = t,
		    .limit = until,
		    .auth_times = &auth_time,
		    .nauth_times = 1};
		int64_t next = xos_policy_next_edge(p, &q);

		ck_assert_int_gt(next, t);
		ck_assert_int_le(next, until);
		req.now = t;
		enum xos_policy_decision at = decide(p, &req);
		for (req.now = t + 1; req.now<next; req.now += req.now> next - 20 ? 1 : 19)
			if (decide(p, &req) != at)
				ck_abort_msg(
				    "changed %ld s before the edge", (long)(next - req.now));
		t = next;
	}
	return edges;
}

static void exact(const char *vo_body, int64_t from, unsigned days, unsigned most)
{
	struct xos_policy *p = build(vo_body, 0);
	unsigned n = walk(p, from, from + days * DAY, from - 3600);

	ck_assert_msg(n <= most, "%u edges for: %s", n, vo_body);
	xos_policy_unref(p);
}

#define WHEN(cond) "permit any action any on any when " cond ";"

START_TEST(windows_of_every_kind)
{
	exact(WHEN("time in 08:00-20:00 UTC"), NOON, 2, 7);
	exact(WHEN("time in 22:30-06:15 +05:30"), NOON, 2, 7);
	exact(WHEN("time in mon-fri UTC"), NOON, 3, 8);
	exact(WHEN("time in fri 22:00-24:00 UTC or time in sat 00:00-02:00 -03:00"), NOON, 2, 14);
	exact(WHEN("not (time in 08:00-20:00 UTC and date in 2026-11-23..2026-11-24 +02:00)"), NOON,
	    3, 14);
}
END_TEST

START_TEST(clocks_that_are_moved)
{
	exact(WHEN("time in 02:30-03:30 Europe/Paris"), OCTOBER - 3600, 2, 9);
	exact(WHEN("time in 02:30-03:30 Europe/Paris"), MARCH - 3600, 2, 9);
	exact(WHEN("time in sun 01:59-02:01 Europe/Paris"), OCTOBER - 7200, 1, 7);
	exact(WHEN("date in 2026-10-25..2026-10-25 Europe/Paris"), OCTOBER - DAY, 3, 9);
}
END_TEST

START_TEST(now_and_the_age_of_a_log_in)
{
	exact(WHEN("now < 2026-11-22T12:34:56Z"), NOON, 1, 4);
	exact(WHEN("now >= 2026-11-22T13:00:01Z"), NOON, 1, 4);
	exact(WHEN("auth.age < 2h"), NOON, 1, 4);
	exact(WHEN("auth.age <= 90m or auth.age > 10h"), NOON, 1, 8);
}
END_TEST

START_TEST(a_set_that_ends_is_an_edge)
{
	struct xos_policy *p = build("permit any action any on any;", NOON + 100);
	const struct xos_policy_edges q = {.now = NOON, .limit = NOON + DAY};

	ck_assert_int_eq(xos_policy_next_edge(p, &q), NOON + 100);
	ck_assert_uint_le(walk(p, NOON, NOON + 1000, 0), 3);
	xos_policy_unref(p);
}
END_TEST

START_TEST(without_time_there_is_no_edge)
{
	struct xos_policy *p =
	    build("permit group /demo/physics action job.submit on any; "
	          "forbid any action job.show on any when time in 12:01-12:02 UTC; "
	          "shadow forbid any action any on any when time in 12:01-12:02 UTC;",
	        0);
	struct xos_policy_edges q = {.action = "job.submit", .now = NOON, .limit = NOON + 3 * DAY};

	/* Of another action, or on trial: none of this question's. A day is as far as it is looked. */
	ck_assert_int_eq(xos_policy_next_edge(p, &q), NOON + DAY);
	q.limit = NOON + 5;
	ck_assert_int_eq(xos_policy_next_edge(p, &q), NOON + 5);
	q.action = NULL;
	q.limit = NOON + DAY;
	ck_assert_int_eq(xos_policy_next_edge(p, &q), NOON + 60);
	xos_policy_unref(p);
}
END_TEST

START_TEST(a_zone_that_nobody_brought_is_no_edge)
{
	struct xos_policy *p = build(WHEN("time in 12:01-12:02 Asia/Tokyo"), 0);
	const struct xos_policy_edges q = {.now = NOON, .limit = NOON + 600};

	ck_assert_int_eq(xos_policy_next_edge(p, &q), NOON + 600);
	xos_policy_unref(p);
}
END_TEST

START_TEST(a_restriction_brings_its_own)
{
	struct xos_policy *p = build("permit any action any on any;", 0);
	struct xos_policy_set *set = must_parse(
	    "delegation by user \"alice\" { check time in 13:00-14:00 Europe/Paris and now < "
	    "2026-11-22T12:30:00Z; }");
	struct xos_policy_edges q = {.action = "job.submit", .now = NOON - 10, .limit = NOON + DAY};

	ck_assert_int_eq(xos_policy_set_next_edge(p, set, &q), NOON);
	q.now = NOON;
	ck_assert_int_eq(xos_policy_set_next_edge(p, set, &q), NOON + 1800);
	q.now = NOON + 1801;
	ck_assert_int_eq(xos_policy_set_next_edge(p, set, &q), NOON + 3600);
	xos_policy_set_unref(set);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy edges");
	TCase *tc = tcase_create("edges");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, windows_of_every_kind);
	tcase_add_test(tc, clocks_that_are_moved);
	tcase_add_test(tc, now_and_the_age_of_a_log_in);
	tcase_add_test(tc, a_set_that_ends_is_an_edge);
	tcase_add_test(tc, without_time_there_is_no_edge);
	tcase_add_test(tc, a_zone_that_nobody_brought_is_no_edge);
	tcase_add_test(tc, a_restriction_brings_its_own);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
