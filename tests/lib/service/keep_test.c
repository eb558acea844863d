/* When nodes come back: never together. And what the keeper does with files and with an authority that is away. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/pair.h"
#include "service/keep.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NODES 10000
#define WEEK (7 * 86400)

/* The most that fall into one minute. */
static unsigned fullest(const int64_t *at, size_t n, int64_t span)
{
	unsigned *minute = calloc((size_t)(span / 60) + 2, sizeof(*minute)), most = 0;

	for (size_t i = 0; i < n; i++) {
		ck_assert(at[i] >= 0 && at[i] <= span);
		if (++minute[at[i] / 60] > most)
			most = minute[at[i] / 60];
	}
	free(minute);
	return most;
}

static struct xos_test_vo *vo;
static struct xos_trust *trust;
static struct xos_err err;
static char *dir, *cert, *key;

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	trust = xos_test_vo_trust(vo);
	dir = xos_test_dir_new();
	cert = xos_test_path(dir, "node.pem");
	key = xos_test_path(dir, "node.key");
}

static void teardown(void)
{
	free(cert);
	free(key);
	xos_trust_free(trust);
	xos_test_dir_free(dir);
	xos_test_vo_free(vo);
}

static void save(int64_t from, int64_t to)
{
	const struct xos_test_who who = {.name = "n1", .not_before = from, .not_after = to};
	struct xos_chain node = {.n = 0};
	struct xos_tls_pair pair;

	xos_test_node(vo, &who, &node);
	MUST(xos_tls_pair_init(&pair, cert, key, &err), &err);
	MUST(xos_tls_pair_save(&pair, &node, &err), &err);
	xos_tls_pair_clear(&pair);
	xos_chain_clear(&node);
}

static struct xos_keep *keeper(const char *url)
{
	const struct xos_keep_options o = {
	    .certificate = cert, .key = key, .url = url, .vo = "demo"};
	struct xos_keep *k = NULL;

	MUST(xos_keep_new(&o, &k, &err), &err);
	return k;
}

START_TEST(nodes_of_one_minute_do_not_renew_in_one_minute)
{
	int64_t now = xos_clock_now(), *at = calloc(NODES, sizeof(*at));
	struct xos_chain read = {.n = 0};
	struct xos_tls_pair pair;

	save(now, now + WEEK);
	MUST(xos_tls_pair_init(&pair, cert, key, &err), &err);
	/* Files are slow to read; a hundredth of the nodes shows the spread. */
	for (size_t i = 0; i < NODES / 100; i++) {
		MUST(xos_tls_pair_load(&pair, &read, &err), &err);
		xos_chain_clear(&read);
		at[i] = pair.renew_after - (now + WEEK / 2);
		ck_assert(pair.renew_after < now + WEEK * 2 / 3);
	}
	ck_assert_uint_lt(fullest(at, NODES / 100, WEEK / 10), 10);
	xos_tls_pair_clear(&pair);
	/* All past half of their life when the power came back; and all ended. */
	for (size_t i = 0; i < NODES; i++)
		at[i] = xos_keep_start(WEEK, WEEK / 4);
	ck_assert_uint_lt(fullest(at, NODES, 600), NODES / 5);
	for (size_t i = 0; i < NODES; i++)
		at[i] = xos_keep_start(WEEK, -86400);
	ck_assert_uint_lt(fullest(at, NODES, 120), NODES * 3 / 4);
	free(at);
}
END_TEST

START_TEST(pauses_grow_up_to_a_bound_and_differ)
{
	int64_t *at = calloc(NODES, sizeof(*at)), last = 0;

	for (unsigned n = 1; n < 40; n++) {
		int64_t p = xos_keep_pause(WEEK, n);

		ck_assert(p >= 150 && p <= 3600);
		ck_assert(n < 5 || p >= 1800);
		last = p;
	}
	ck_assert(last >= 1800);
	for (size_t i = 0; i < NODES; i++)
		at[i] = xos_keep_pause(WEEK, 9);
	ck_assert_uint_lt(fullest(at, NODES, 3600), NODES / 15);
	/* Lives of a minute, and none at all. */
	for (unsigned n = 0; n < 40; n++) {
		ck_assert(xos_keep_pause(60, n) >= 1 && xos_keep_pause(60, n) <= 3);
		ck_assert(xos_keep_pause(0, n) >= 1 && xos_keep_pause(0, n) <= 3);
	}
	free(at);
}
END_TEST

START_TEST(files_that_somebody_replaced_are_read_anew)
{
	int64_t now = xos_clock_now();
	struct xos_chain one = {.n = 0}, two = {.n = 0};
	enum xos_kept did;

	save(now - 100, now + WEEK);
	struct xos_keep *k = keeper(NULL);
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(did, XOS_KEPT_READ);
	MUST(xos_keep_chain(k, &one, &err), &err);
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(did, XOS_KEPT_NOTHING);
	save(now - 100, now + 2 * WEEK);
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(did, XOS_KEPT_READ);
	MUST(xos_keep_chain(k, &two, &err), &err);
	ck_assert(!xos_key_same(one.key, two.key));
	ck_assert_int_eq(xos_keep_state(k)->not_after, now + 2 * WEEK);
	xos_chain_clear(&one);
	xos_chain_clear(&two);
	xos_keep_free(k);
}
END_TEST

START_TEST(an_authority_that_is_away_is_not_asked_in_a_circle)
{
	int64_t now = xos_clock_now();
	enum xos_kept did;

	save(now - WEEK, now + 5);
	/* A port that nobody listens on. */
	struct xos_keep *k = keeper("https://127.0.0.1:1");
	ck_assert_int_eq(xos_keep_round(k, trust, true, &did, &err), XOS_UNAVAILABLE);
	ck_assert(!xos_keep_state(k)->refused);
	ck_assert_int_eq(xos_keep_state(k)->last.status, XOS_UNAVAILABLE);
	/* It waits now, and says why meanwhile. */
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(xos_keep_state(k)->last.status, XOS_UNAVAILABLE);
	xos_keep_free(k);
}
END_TEST

START_TEST(two_never_renew_one_certificate_at_once)
{
	int64_t now = xos_clock_now();
	struct xos_tls_pair pair;
	enum xos_kept did;
	int fd = -1, other = -1;

	save(now - 100, now + WEEK);
	MUST(xos_tls_pair_init(&pair, cert, key, &err), &err);
	MUST(xos_tls_pair_lock(&pair, 0, &fd, &err), &err);
	ck_assert_int_eq(xos_tls_pair_lock(&pair, 0, &other, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "renew-busy");
	struct xos_keep *k = keeper(NULL);
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(did, XOS_KEPT_NOTHING);
	xos_tls_pair_unlock(fd);
	MUST(xos_keep_round(k, trust, false, &did, &err), &err);
	ck_assert_int_eq(did, XOS_KEPT_READ);
	xos_keep_free(k);
	xos_tls_pair_clear(&pair);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("service-keep");
	TCase *tc = tcase_create("keep");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nodes_of_one_minute_do_not_renew_in_one_minute);
	tcase_add_test(tc, pauses_grow_up_to_a_bound_and_differ);
	tcase_add_test(tc, files_that_somebody_replaced_are_read_anew);
	tcase_add_test(tc, an_authority_that_is_away_is_not_asked_in_a_circle);
	tcase_add_test(tc, two_never_renew_one_certificate_at_once);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
