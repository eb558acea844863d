/* What the network process gives to nodes: what they lack makes a whole bundle with what they have, and costs bounded memory. */
#include "vops/shelf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "bundle/archive.h"
#include "bundle/bundle.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000
#define SITE_SET "site \"lab\" serial 5 { permit vo demo action job.submit on site:lab; }"
#define MADE 40u /* more than are remembered */

static struct xos_test_vo *vo;
static struct xos_trust *trust;
static struct vops_shelf *shelf;
static struct xos_buf archive[MADE + 1]; /* by serial */
static struct xos_err err;

static const struct xos_roster_member members[] = {{"alice", 1, XOS_MEMBER_ACTIVE}};

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	vo = xos_test_vo_new("demo", "lab", NOW);
	trust = xos_test_vo_trust(vo);
	shelf = vops_shelf_new();
	for (size_t i = 0; i <= MADE; i++)
		xos_buf_init(&archive[i], XOS_BUNDLE_MAX);
}

static void teardown(void)
{
	for (size_t i = 0; i <= MADE; i++)
		xos_buf_free(&archive[i]);
	vops_shelf_free(shelf);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
}

/* The one of that serial, with lists of locks of their own. */
static void put(uint64_t serial)
{
	const struct xos_test_bundle b = {.serial = serial,
	    .locks_serial = serial,
	    .site_text = SITE_SET,
	    .members = members,
	    .nmembers = 1};

	xos_test_bundle(vo, &b, &archive[serial]);
	MUST(vops_shelf_put(shelf, "lab", xos_buf_bytes(&archive[serial]), &err), &err);
}

static struct xos_bytes give(uint64_t have)
{
	struct xos_shared *out = NULL;

	MUST(vops_shelf_give(shelf, "lab", have, &out, &err), &err);
	return xos_shared_bytes(out);
}

/* As a node does it: what came and what it has, then the whole is verified. */
static void expect_whole(struct xos_bytes came, const struct xos_buf *have, uint64_t serial)
{
	struct xos_bundle_trust bt = {
	    .vo = "demo", .signer = xos_api_signer, .arg = trust, .now = NOW, .skew = 300};
	struct xos_bundle_seen seen = {0};
	const struct xos_bundle_want want = {
	    .trust = &bt, .site = "lab", .site_key = vo->site_key, .root = vo->root, .seen = &seen};
	struct xos_archive fresh = {.n = 0}, old = {.n = 0};
	struct xos_bundle *b = NULL;
	struct xos_buf whole;

	xos_buf_init(&whole, 2 * XOS_BUNDLE_MAX);
	MUST(xos_archive_read(came, &fresh, &err), &err);
	MUST(xos_archive_read(xos_buf_bytes(have), &old, &err), &err);
	xos_archive_merge(&whole, &fresh, &old);
	MUST(xos_bundle_verify(xos_buf_bytes(&whole), &want, &b, &err), &err);
	ck_assert_uint_eq(xos_bundle_serial(b), serial);
	xos_bundle_unref(b);
	xos_archive_clear(&fresh);
	xos_archive_clear(&old);
	xos_buf_free(&whole);
}

START_TEST(what_is_lacking_makes_a_whole_with_what_is_there)
{
	for (uint64_t s = 1; s <= MADE; s++)
		put(s);
	for (uint64_t s = 1; s <= MADE; s++) {
		struct xos_bytes came = give(s);

		/* Too far behind: all of it. */
		if (s <= MADE - 32)
			ck_assert_uint_eq(came.n, archive[MADE].n);
		else
			ck_assert_uint_lt(came.n, archive[MADE].n);
		expect_whole(came, &archive[s], MADE);
	}
	ck_assert_uint_eq(give(0).n, archive[MADE].n);
	ck_assert_uint_eq(give(UINT64_MAX).n, archive[MADE].n);
}
END_TEST

/* Whoever asks by each serial that is remembered does not make the server keep each difference. */
START_TEST(differences_that_are_kept_are_few)
{
	for (uint64_t s = 1; s <= 32; s++)
		put(s);
	for (int round = 0; round < 2; round++) {
		for (uint64_t s = 1; s < 32; s++) {
			expect_whole(give(s), &archive[s], 32);
			ck_assert_uint_le(vops_shelf_bytes(shelf), 5 * archive[32].n);
		}
	}
	put(33);
	ck_assert_uint_eq(vops_shelf_bytes(shelf), archive[33].n);
}
END_TEST

START_TEST(what_is_no_bundle_changes_nothing)
{
	struct xos_bytes cut;
	struct xos_shared *none = NULL;

	put(1);
	cut = (struct xos_bytes){archive[1].p, archive[1].n - 1};
	ck_assert_int_eq(vops_shelf_put(shelf, "lab", cut, &err), XOS_MALFORMED);
	ck_assert_uint_eq(vops_shelf_serial(shelf, "lab"), 1);
	expect_whole(give(0), &archive[1], 1);
	ck_assert_uint_eq(vops_shelf_serial(shelf, "farm"), 0);
	ck_assert_int_eq(vops_shelf_give(shelf, "farm", 0, &none, &err), XOS_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops-shelf");
	TCase *tc = tcase_create("shelf");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_lacking_makes_a_whole_with_what_is_there);
	tcase_add_test(tc, differences_that_are_kept_are_few);
	tcase_add_test(tc, what_is_no_bundle_changes_nothing);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
