#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture.h"

static struct node *n;

static void teardown(void)
{
	node_free(n);
}

static uint64_t serial_now(void)
{
	const struct xos_credd_view *v = xos_credd_decider_view(n->decider);
	return v->bundle ? xos_bundle_serial(v->bundle) : 0;
}

static void refused(const struct xos_test_bundle *b, enum xos_status want, const char *code)
{
	struct xos_err err = XOS_ERR_INIT;
	uint64_t before = serial_now();
	enum xos_status st = node_offer(n, b, &err);
	ck_assert_msg(st == want, "%s instead of %s: %s", xos_status_name(st),
	    xos_status_name(want), err.text);
	ck_assert_str_eq(err.code, code);
	ck_assert_uint_eq(serial_now(), before);
}

START_TEST(a_lower_serial_is_refused_also_after_a_restart)
{
	struct xos_err err = XOS_ERR_INIT;
	n = node_new(&(struct xos_test_bundle){.serial = 7});
	refused(&(struct xos_test_bundle){.serial = 6}, XOS_DENIED, "lower-serial");
	node_restart(n);
	ck_assert_uint_eq(serial_now(), 7);
	refused(&(struct xos_test_bundle){.serial = 6}, XOS_DENIED, "lower-serial");
	ck_assert_int_eq(node_offer(n, &(struct xos_test_bundle){.serial = 8}, &err), XOS_OK);
	ck_assert_uint_eq(serial_now(), 8);
	/* Also when somebody removes the stored bundle: the highest serial stands apart. */
	char *path = xos_test_path(n->conf.state, "bundle");
	ck_assert_int_eq(remove(path), 0);
	free(path);
	node_restart(n);
	ck_assert_uint_eq(serial_now(), 0);
	refused(&(struct xos_test_bundle){.serial = 7}, XOS_DENIED, "lower-serial");
	ck_assert_int_eq(node_offer(n, &(struct xos_test_bundle){.serial = 9}, &err), XOS_OK);
}
END_TEST

START_TEST(an_older_stored_bundle_is_not_taken_back)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf old;
	n = node_new(&(struct xos_test_bundle){.serial = 7});
	char *path = xos_test_path(n->conf.state, "bundle");
	xos_buf_init(&old, XOS_BUNDLE_MAX);
	ck_assert_int_eq(xos_file_read(path, XOS_BUNDLE_MAX, &old, &err), XOS_OK);
	ck_assert_int_eq(node_offer(n, &(struct xos_test_bundle){.serial = 8}, &err), XOS_OK);
	MUST(xos_file_write(path, 0600, xos_buf_bytes(&old), &err), &err);
	node_restart(n);
	ck_assert_uint_eq(serial_now(), 0);
	xos_buf_free(&old);
	free(path);
}
END_TEST

START_TEST(foreign_signers_are_refused)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *other = NULL;
	n = node_new(&(struct xos_test_bundle){.serial = 7});
	MUST(xos_key_generate(&other, &err), &err);
	refused(&(struct xos_test_bundle){.serial = 8, .site_key = other}, XOS_DENIED,
	    "foreign-signer");
	refused(
	    &(struct xos_test_bundle){.serial = 8, .signer = &n->alice}, XOS_DENIED, "token-kind");
	struct xos_test_vo *true_vo = n->vo, *twin = xos_test_vo_new("demo", "lab", true_vo->now);
	n->vo = twin; /* another VO of the same name, whole in itself */
	struct xos_credd_view *view = NULL;
	struct xos_buf b;
	xos_buf_init(&b, XOS_BUNDLE_MAX);
	node_bundle(n, (struct xos_test_bundle){.serial = 9}, &b);
	ck_assert_int_ne(xos_credd_source_take(n->source, xos_buf_bytes(&b), &view, &err), XOS_OK);
	ck_assert_ptr_null(view);
	n->vo = true_vo;
	xos_test_vo_free(twin);
	xos_buf_free(&b);
	xos_key_free(other);
}
END_TEST

START_TEST(expired_and_early_bundles_are_refused)
{
	int64_t now = xos_clock_now();
	n = node_new(&(struct xos_test_bundle){.serial = 7});
	refused(&(struct xos_test_bundle){.serial = 8, .issued = now - 7200, .expires = now - 3600},
	    XOS_EXPIRED, "object-expired");
	refused(&(struct xos_test_bundle){.serial = 8, .issued = now + 3600}, XOS_NOT_YET_VALID,
	    "object-not-yet-valid");
}
END_TEST

/* The node's clock never counts as earlier than what signed objects said. */
START_TEST(the_clock_is_held)
{
	int64_t now = xos_clock_now();
	n = node_new(&(struct xos_test_bundle){.serial = 7, .issued = now + 200});
	const struct xos_credd_view *v = xos_credd_decider_view(n->decider);
	ck_assert_int_ge(xos_credd_view_now(v), now + 200);
	node_restart(n);
	v = xos_credd_decider_view(n->decider);
	ck_assert_int_ge(xos_credd_view_now(v), now + 200);
}
END_TEST

START_TEST(garbage_changes_nothing)
{
	static const char *const bad[] = {"", "x", "a.b.c", "....", "{\"vo\":\"demo\"}"};
	struct xos_credd_view *view = NULL;
	struct xos_err err = XOS_ERR_INIT;
	n = node_new(&(struct xos_test_bundle){.serial = 7});
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_ne(
		    xos_credd_source_take(n->source, xos_bytes_str(bad[i]), &view, &err), XOS_OK);
	ck_assert_ptr_null(view);
	struct xos_buf b;
	xos_buf_init(&b, XOS_BUNDLE_MAX);
	/* Every part is new: of what the node has it could take the true one. */
	node_bundle(n,
	    (struct xos_test_bundle){.serial = 8,
	        .roster_serial = 2,
	        .locks_serial = 2,
	        .vo_text = "vo \"demo\" serial 1 { permit any action any on any; }",
	        .site_text = "site \"lab\" serial 9 { permit vo demo action any on site:lab; }"},
	    &b);
	for (size_t at = 0; at < b.n; at += 97) {
		b.p[at] ^= 1;
		ck_assert_int_ne(
		    xos_credd_source_take(n->source, xos_buf_bytes(&b), &view, &err), XOS_OK);
		b.p[at] ^= 1;
	}
	ck_assert_int_ne(
	    xos_credd_source_take(n->source, (struct xos_bytes){b.p, b.n - 1}, &view, &err),
	    XOS_OK);
	ck_assert_uint_eq(serial_now(), 7);
	xos_buf_free(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-source");
	TCase *t = tcase_create("source");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_lower_serial_is_refused_also_after_a_restart);
	tcase_add_test(t, an_older_stored_bundle_is_not_taken_back);
	tcase_add_test(t, foreign_signers_are_refused);
	tcase_add_test(t, expired_and_early_bundles_are_refused);
	tcase_add_test(t, the_clock_is_held);
	tcase_add_test(t, garbage_changes_nothing);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
