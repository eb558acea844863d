#include <check.h>
#include <stdlib.h>

#include "base/shared.h"

START_TEST(the_last_frees)
{
	struct xos_buf b;
	xos_buf_init(&b, 10);
	xos_buf_put_str(&b, "abc");
	struct xos_shared *s = xos_shared_take(&b);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(b.n, 0);
	/* What it was taken from can be used again, with the same maximum. */
	xos_buf_put_str(&b, "0123456789");
	ck_assert_int_eq(xos_buf_status(&b), XOS_OK);
	ck_assert(xos_bytes_eq(xos_shared_bytes(s), xos_bytes_str("abc")));
	ck_assert_ptr_eq(xos_shared_ref(s), s);
	xos_shared_unref(s);
	ck_assert(xos_bytes_eq(xos_shared_bytes(s), xos_bytes_str("abc")));
	xos_shared_unref(s);
	xos_shared_unref(NULL);
	ck_assert_uint_eq(xos_shared_bytes(NULL).n, 0);
	xos_buf_free(&b);
}
END_TEST

START_TEST(a_failed_buffer_is_not_shared)
{
	struct xos_buf b;
	xos_buf_init(&b, 2);
	xos_buf_put_str(&b, "abc");
	ck_assert_ptr_null(xos_shared_take(&b));
	ck_assert_uint_eq(b.n, 0);
	ck_assert_int_eq(xos_buf_status(&b), XOS_OK);
	xos_buf_free(&b);
}
END_TEST

START_TEST(nothing_is_something)
{
	struct xos_buf b;
	xos_buf_init(&b, 2);
	struct xos_shared *s = xos_shared_take(&b);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(xos_shared_bytes(s).n, 0);
	xos_shared_unref(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shared");
	TCase *t = tcase_create("shared");
	tcase_add_test(t, the_last_frees);
	tcase_add_test(t, a_failed_buffer_is_not_shared);
	tcase_add_test(t, nothing_is_something);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
