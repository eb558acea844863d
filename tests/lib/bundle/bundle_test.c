/* Bundles as a node takes them, and everything that a thief of the VO's keys could try. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "base/file.h"
#include "bundle/archive.h"
#include "bundle/stored.h"
#include "taking.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

START_TEST(a_good_bundle_says_all_it_has)
{
	const struct xos_test_bundle g = good();
	make(vo, &g);
	struct xos_bundle *b = take();

	ck_assert_uint_eq(xos_bundle_serial(b), 10);
	ck_assert_str_eq(xos_bundle_vo(b), "demo");
	ck_assert_str_eq(xos_bundle_site(b), "lab");
	ck_assert_ptr_nonnull(xos_bundle_vo_set(b));
	ck_assert_uint_eq(xos_policy_set_serial(xos_bundle_site_set(b)), 5);
	ck_assert_uint_eq(xos_bundle_issuer_count(b), 2);
	const struct xos_roster *r = xos_bundle_roster(b);
	ck_assert_uint_eq(xos_roster_count(r), 4);
	ck_assert_str_eq(xos_roster_at(r, 0)->name, "alice");
	ck_assert_ptr_null(xos_roster_at(r, 4));
	ck_assert_uint_eq(xos_roster_find(r, "zoe")->number, 7);
	ck_assert_str_eq(xos_roster_find_number(r, 3)->name, "bob");
	ck_assert_int_eq(xos_roster_find_number(r, 1)->state, XOS_MEMBER_REMOVED);
	ck_assert_ptr_null(xos_roster_find(r, "zo"));
	ck_assert_ptr_null(xos_roster_find_number(r, 8));
	xos_bundle_unref(b);
}
END_TEST

START_TEST(locks_are_found_by_kind_name_and_time)
{
	const struct xos_test_bundle g = good();
	make(vo, &g);
	struct xos_bundle *b = take();

	ck_assert_str_eq(xos_bundle_lock(b, XOS_LOCK_MEMBER, "bob", NOW)->message, "call us");
	ck_assert_ptr_null(xos_bundle_lock(b, XOS_LOCK_MEMBER, "zoe", NOW)); /* over */
	ck_assert_ptr_null(xos_bundle_lock(b, XOS_LOCK_JOB, "bob", NOW));    /* another kind */
	ck_assert_ptr_nonnull(xos_bundle_lock(b, XOS_LOCK_GROUP, "/demo/students", NOW));
	ck_assert_ptr_nonnull(xos_bundle_lock(b, XOS_LOCK_GROUP, "/demo/students/first", NOW));
	ck_assert_ptr_null(xos_bundle_lock(b, XOS_LOCK_GROUP, "/demo/students2", NOW));
	ck_assert_ptr_null(xos_bundle_lock(b, XOS_LOCK_GROUP, "/demo", NOW));
	ck_assert_ptr_nonnull(
	    xos_bundle_lock(b, XOS_LOCK_ROLE, "/demo/students/Role=tutor", NOW)); /* by its group */
	ck_assert_ptr_nonnull(xos_bundle_lock(b, XOS_LOCK_ROLE, "/demo/Role=admin", NOW));
	ck_assert_ptr_null(xos_bundle_lock(b, XOS_LOCK_ROLE, "/demo/Role=admin", NOW + HOUR));
	ck_assert_ptr_nonnull(xos_bundle_lock(b, XOS_LOCK_NODE, "n7", NOW));
	/* A clock that is behind does not open a lock before its beginning. */
	ck_assert_ptr_nonnull(xos_bundle_lock(b, XOS_LOCK_NODE, "n7", NOW - HOUR));
	ck_assert_ptr_nonnull(xos_bundle_lock_at(b, 4));
	ck_assert_ptr_null(xos_bundle_lock_at(b, 5));
	xos_bundle_unref(b);
}
END_TEST

START_TEST(foreign_signers_are_refused)
{
	struct xos_test_bundle g = good();
	struct xos_chain node = {.n = 0}, member = {.n = 0};
	const struct xos_test_who n1 = {.name = "n1"}, alice = {.name = "alice", .number = 2};

	make(twin, &g); /* another root of the same name */
	refuse(XOS_DENIED, NULL);
	xos_test_node(vo, &n1, &node);
	g.signer = &node;
	make(vo, &g);
	refuse(XOS_DENIED, "token-kind");
	xos_test_member(vo, &alice, &member);
	g.signer = &member;
	make(vo, &g);
	refuse(XOS_DENIED, "token-kind");
	xos_chain_clear(&node);
	xos_chain_clear(&member);
}
END_TEST

START_TEST(every_vo_key_stolen_does_not_make_a_site_set)
{
	struct xos_test_bundle g = good();

	g.site_key = twin->site_key;
	make(vo, &g);
	refuse(XOS_DENIED, "foreign-signer");
	g.site_key = vo->policy_key;
	make(vo, &g);
	refuse(XOS_DENIED, "foreign-signer");
	g.site_key = vo->root_key;
	make(vo, &g);
	refuse(XOS_DENIED, "foreign-signer");
}
END_TEST

START_TEST(a_set_of_another_site_or_vo)
{
	struct xos_test_bundle g = good();

	g.site_text = "site \"other\" serial 5 { }\n";
	make(vo, &g);
	refuse(XOS_DENIED, "wrong-site");
	g = good();
	g.vo_text = "vo \"other\" serial 1 { }\n";
	make(vo, &g);
	refuse(XOS_DENIED, "wrong-vo");
	g = good();
	make(vo, &g);
	want.site = "elsewhere";
	refuse(XOS_DENIED, "wrong-site");
	want.site = "lab";
	want.root = twin->root;
	refuse(XOS_DENIED, "wrong-root");
	want.root = vo->root;
	bt.vo = "other";
	refuse(XOS_DENIED, NULL);
}
END_TEST

START_TEST(without_a_site_set_there_is_none)
{
	struct xos_test_bundle g = good();

	g.site_text = NULL;
	make(vo, &g);
	struct xos_bundle *b = take();
	ck_assert_ptr_null(xos_bundle_site_set(b));
	ck_assert_int_eq(xos_bundle_site_expires(b), 0);
	xos_bundle_unref(b);
}
END_TEST

START_TEST(times)
{
	struct xos_test_bundle g = good();

	g.issued = NOW - 13 * HOUR;
	make(vo, &g);
	refuse(XOS_EXPIRED, "object-expired");
	g.issued = NOW + XOS_BUNDLE_SKEW + 1;
	make(vo, &g);
	refuse(XOS_NOT_YET_VALID, "object-not-yet-valid");
	g.issued = NOW + XOS_BUNDLE_SKEW;
	make(vo, &g);
	xos_bundle_unref(take());
	/* A clock that was set back does not bring an old bundle to life. */
	g.issued = NOW - 13 * HOUR;
	make(vo, &g);
	bt.now = NOW - 2 * HOUR;
	seen.newest = NOW;
	refuse(XOS_EXPIRED, "object-expired");
}
END_TEST

/* What is the same is not parsed again, but judged again. */
START_TEST(the_same_roster_again)
{
	struct xos_test_bundle g = good();
	make(vo, &g);
	struct xos_bundle *first = take();
	want.before = first;
	g.serial = 11;
	make(vo, &g);
	struct xos_bundle *second = take();
	ck_assert_ptr_eq(xos_bundle_roster(second), xos_bundle_roster(first));
	/* It lives as long as the last who has it. */
	xos_bundle_unref(first);
	ck_assert_uint_eq(xos_roster_find(xos_bundle_roster(second), "zoe")->number, 7);
	want.before = second;
	/* Who was removed is removed. */
	struct xos_test_bundle other = g;
	other.nmembers = 3;
	other.roster_serial = 5;
	make(vo, &other);
	struct xos_bundle *third = take();
	ck_assert_ptr_ne(xos_bundle_roster(third), xos_bundle_roster(second));
	ck_assert_ptr_null(xos_roster_find(xos_bundle_roster(third), "old"));
	xos_bundle_unref(third);
	/* The members are the same, the signer is another, or none any more; it ended; it is older than what was seen. */
	make(vo, &g);
	seen.roster = 5;
	refuse(XOS_DENIED, "lower-serial");
	seen.roster = 0;
	bt.now = NOW + 13 * HOUR;
	refuse(XOS_EXPIRED, "object-expired");
	bt.now = NOW;
	make(twin, &g);
	refuse(XOS_DENIED, NULL);
	want.before = NULL;
	xos_bundle_unref(second);
}
END_TEST

/* Each part on its own: whoever holds the policy key cannot bring an old one back. */
START_TEST(lower_serials)
{
	const struct xos_test_bundle g = good();
	uint64_t *const field[] = {&seen.bundle, &seen.vo_set, &seen.site_set, &seen.roster,
	    &seen.locks_ca, &seen.locks_rca};
	const uint64_t is[] = {10, 1, 5, 4, 4, 4};

	make(vo, &g);
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		seen = (struct xos_bundle_seen){0};
		*field[i] = is[i] + 1;
		refuse(XOS_DENIED, "lower-serial");
		*field[i] = is[i];
		xos_bundle_unref(take());
	}
}
END_TEST

static bool by_another(void *arg, const uint8_t fingerprint[XOS_SHA256_LEN])
{
	return memcmp(xos_cert_fingerprint(arg), fingerprint, XOS_SHA256_LEN) != 0;
}

/* The highest serial there is, by a thief: it counts as long as the stolen key does, and nothing else goes with it. */
START_TEST(serials_of_a_key_that_counts_no_more_are_forgotten)
{
	const struct xos_test_bundle honest = good();
	struct xos_test_bundle forged = honest;
	struct xos_cert *const stolen[] = {vo->policy, vo->ca, vo->rca};
	char *dir = xos_test_dir_new();

	forged.serial = INT64_MAX;
	forged.roster_serial = forged.locks_serial = INT64_MAX;
	make(vo, &forged);
	struct xos_bundle *b = take();
	MUST(xos_bundle_store(dir, xos_buf_bytes(&compact), b, &seen, &err), &err);
	xos_bundle_unref(b);
	for (size_t i = 0; i < 3; i++) {
		make(vo, &honest);
		refuse(XOS_DENIED, "lower-serial");
		ck_assert(!xos_bundle_seen_forget(&seen, by_another, (void *)(uintptr_t)vo->root));
		/* Also after a restart, since it is written down whose they are. */
		MUST(xos_bundle_seen_load(dir, &seen, &err), &err);
		for (size_t k = 0; k <= i; k++)
			ck_assert(xos_bundle_seen_forget(&seen, by_another, stolen[k]));
		ck_assert_uint_eq(seen.bundle, 0);
		ck_assert_uint_eq(seen.roster, i >= 1 ? 0 : INT64_MAX);
		ck_assert_uint_eq(seen.locks_ca, i >= 1 ? 0 : INT64_MAX);
		ck_assert_uint_eq(seen.locks_rca, i >= 2 ? 0 : INT64_MAX);
		/* The owner's set is the owner's. */
		ck_assert_uint_eq(seen.site_set, 5);
		ck_assert(!xos_bundle_seen_forget(&seen, by_another, stolen[i]));
	}
	xos_bundle_unref(take());
	xos_test_dir_free(dir);
}
END_TEST

/* Who has one bundle needs only what is new of the next. */
START_TEST(only_what_changed)
{
	struct xos_test_bundle g = good();
	struct xos_archive old = {.n = 0}, new = {.n = 0}, between = {.n = 0};
	struct xos_buf first, delta, merged, kept;
	struct xos_bundle *b = NULL;

	make(vo, &g);
	xos_bundle_unref(take());
	first = compact;
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	g.serial = 11;
	g.vo_text = "vo \"demo\" serial 1 { permit group /demo action job.submit on any; }\n";
	make(vo, &g);
	MUST(xos_archive_read(xos_buf_bytes(&first), &old, &err), &err);
	MUST(xos_archive_read(xos_buf_bytes(&compact), &new, &err), &err);
	xos_buf_init(&delta, XOS_BUNDLE_MAX);
	xos_archive_delta(&delta, &new, &old);
	MUST(xos_archive_read(xos_buf_bytes(&delta), &between, &err), &err);
	ck_assert_uint_lt(between.n, new.n);
	ck_assert_uint_ge(between.n, 1);
	/* Alone it is nothing. */
	ck_assert_int_eq(xos_bundle_verify(xos_buf_bytes(&delta), &want, &b, &err), XOS_NOT_FOUND);
	ck_assert_str_eq(err.code, "bundle-part");
	xos_buf_init(&merged, 2 * XOS_BUNDLE_MAX);
	xos_archive_merge(&merged, &between, &old);
	xos_buf_init(&kept, XOS_BUNDLE_MAX);
	want.kept = &kept;
	MUST(xos_bundle_verify(xos_buf_bytes(&merged), &want, &b, &err), &err);
	want.kept = NULL;
	ck_assert_uint_eq(xos_bundle_serial(b), 11);
	xos_bundle_unref(b);
	/* What is kept is the new one, without the rest of the old. */
	xos_archive_clear(&between);
	MUST(xos_archive_read(xos_buf_bytes(&kept), &between, &err), &err);
	ck_assert_uint_eq(between.n, new.n);
	b = NULL;
	MUST(xos_bundle_verify(xos_buf_bytes(&kept), &want, &b, &err), &err);
	xos_bundle_unref(b);
	xos_archive_clear(&between);
	xos_archive_clear(&old);
	xos_archive_clear(&new);
	xos_buf_free(&first);
	xos_buf_free(&delta);
	xos_buf_free(&merged);
	xos_buf_free(&kept);
}
END_TEST

START_TEST(changed_bytes)
{
	const struct xos_test_bundle g = good();
	struct xos_bundle *b = NULL;

	make(vo, &g);
	size_t n = compact.n;
	for (size_t i = 0; i < n; i += 1 + n / 150) {
		uint8_t old = compact.p[i];

		compact.p[i] = old == 'A' ? 'B' : 'A';
		ck_assert_int_ne(
		    xos_bundle_verify(xos_buf_bytes(&compact), &want, &b, &err), XOS_OK);
		ck_assert_ptr_null(b);
		compact.p[i] = old;
	}
	for (size_t cut = 0; cut < n; cut += 1 + n / 150) {
		const struct xos_bytes part = {compact.p, cut};

		ck_assert_int_ne(xos_bundle_verify(part, &want, &b, &err), XOS_OK);
	}
	xos_buf_put_str(&compact, "A");
	ck_assert_int_ne(xos_bundle_verify(xos_buf_bytes(&compact), &want, &b, &err), XOS_OK);
	ck_assert_ptr_null(b);
}
END_TEST

START_TEST(too_long)
{
	struct xos_bytes huge = {calloc(1, 2 * XOS_BUNDLE_MAX + 1), 2 * XOS_BUNDLE_MAX + 1};
	struct xos_bundle *b = NULL;

	ck_assert_ptr_nonnull(huge.p);
	ck_assert_int_eq(xos_bundle_verify(huge, &want, &b, &err), XOS_LIMIT);
	free((void *)(uintptr_t)huge.p);
}
END_TEST

START_TEST(stored_and_read_again)
{
	char *dir = xos_test_dir_new();
	struct xos_test_bundle g = good();
	struct xos_bundle *again = NULL;

	ck_assert_int_eq(xos_bundle_load(dir, &want, &again, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_bundle_seen_load(dir, &seen, &err), XOS_OK);
	make(vo, &g);
	struct xos_bundle *b = take();
	ck_assert_int_eq(xos_bundle_store(dir, xos_buf_bytes(&compact), b, &seen, &err), XOS_OK);
	struct xos_bundle_seen other = {0};
	ck_assert_int_eq(xos_bundle_seen_load(dir, &other, &err), XOS_OK);
	ck_assert(memcmp(&other, &seen, sizeof(seen)) == 0);
	ck_assert_uint_eq(other.bundle, 10);
	ck_assert_uint_eq(other.site_set, 5);
	ck_assert_int_eq(other.newest, NOW);
	ck_assert_int_eq(xos_bundle_load(dir, &want, &again, &err), XOS_OK);
	xos_bundle_unref(again);
	again = NULL;
	/* A damaged record is refused, not taken for an empty one. */
	char *path = xos_test_path(dir, "bundle.seen");
	MUST(xos_file_write(path, 0600, xos_bytes_str("{\"bundle\":1}"), &err), &err);
	ck_assert_int_eq(xos_bundle_seen_load(dir, &other, &err), XOS_MALFORMED);
	free(path);
	path = xos_test_path(dir, "bundle");
	MUST(xos_file_write(path, 0600, xos_bytes_str("a.b.c"), &err), &err);
	ck_assert_int_eq(xos_bundle_load(dir, &want, &again, &err), XOS_MALFORMED);
	ck_assert_ptr_null(again);
	free(path);
	xos_bundle_unref(b);
	xos_test_dir_free(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle");
	TCase *tc = tcase_create("bundle");

	tcase_add_checked_fixture(tc, taking_setup, taking_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_good_bundle_says_all_it_has);
	tcase_add_test(tc, locks_are_found_by_kind_name_and_time);
	tcase_add_test(tc, foreign_signers_are_refused);
	tcase_add_test(tc, every_vo_key_stolen_does_not_make_a_site_set);
	tcase_add_test(tc, a_set_of_another_site_or_vo);
	tcase_add_test(tc, without_a_site_set_there_is_none);
	tcase_add_test(tc, times);
	tcase_add_test(tc, the_same_roster_again);
	tcase_add_test(tc, lower_serials);
	tcase_add_test(tc, serials_of_a_key_that_counts_no_more_are_forgotten);
	tcase_add_test(tc, only_what_changed);
	tcase_add_test(tc, changed_bytes);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, stored_and_read_again);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
