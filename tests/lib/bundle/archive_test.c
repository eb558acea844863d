/* The form in which bundles travel, at its limits. */
#include "bundle/archive.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "bundle/bundle.h"
#include "testsupport/must.h"

static struct xos_err err;

/* What a node joins from its own and what came may have nothing in common. */
START_TEST(two_of_the_most_parts_go_together)
{
	enum { MOST = 3 * XOS_BUNDLE_SCOPED_MAX + 8 };
	static char text[2][MOST][16];
	struct xos_bytes *parts = calloc(MOST, sizeof(*parts));
	struct xos_archive read[2] = {{.n = 0}, {.n = 0}}, both = {.n = 0};
	struct xos_buf out[2], whole;

	MUST_TRUE(parts);
	xos_buf_init(&whole, 2 * XOS_BUNDLE_MAX);
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < MOST; i++) {
			snprintf(text[k][i], sizeof(text[k][i]), "%d.%zu", k, i);
			parts[i] = xos_bytes_str(text[k][i]);
		}
		xos_buf_init(&out[k], XOS_BUNDLE_MAX);
		xos_archive_write(&out[k], xos_bytes_str("manifest"), parts, MOST);
		MUST(xos_archive_read(xos_buf_bytes(&out[k]), &read[k], &err), &err);
	}
	xos_archive_merge(&whole, &read[1], &read[0]);
	ck_assert_int_eq(xos_archive_read(xos_buf_bytes(&whole), &both, &err), XOS_OK);
	ck_assert_uint_eq(both.n, 2 * MOST);
	xos_archive_clear(&both);
	for (int k = 0; k < 2; k++) {
		xos_archive_clear(&read[k]);
		xos_buf_free(&out[k]);
	}
	xos_buf_free(&whole);
	free(parts);
}
END_TEST

/* A number of parts that the bytes cannot hold is not believed, whatever memory there is. */
START_TEST(more_parts_than_bytes)
{
	static const uint8_t bad[] = "XOSBNDL1\0\0\0\1m\0\0\x61\xa8\0\0\0\0";
	struct xos_archive a = {.n = 0};

	for (size_t n = 0; n < sizeof(bad); n++)
		ck_assert_int_eq(
		    xos_archive_read((struct xos_bytes){bad, n}, &a, &err), XOS_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle archive");
	TCase *tc = tcase_create("archive");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, two_of_the_most_parts_go_together);
	tcase_add_test(tc, more_parts_than_bytes);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
