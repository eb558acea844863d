/* What a process says about itself: there and back, as text, and from a process that lies. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "service/report.h"

static struct xos_report *r, *back;
static struct xos_err err;
static struct xos_buf bytes;

static void setup(void)
{
	struct xos_err why = XOS_ERR_INIT;

	r = calloc(1, sizeof(*r));
	back = calloc(1, sizeof(*back));
	xos_buf_init(&bytes, XOS_REPORT_MAX);
	xos_err_set(&why, XOS_UNAVAILABLE, "log-write", "cannot write");
	xos_report_problem(r, "log", &why);
	xos_err_set(&why, XOS_EXPIRED, "issuer-ends", "ends soon");
	xos_report_warning(r, "issuer", &why);
	xos_report_figure(r, XOS_FIGURE_COUNTER, "xos_a_total", "A.", 7);
	xos_report_figure(r, XOS_FIGURE_MICROS, "xos_b_seconds_total", "B.", 1500000);
	xos_report_labelled(r, "xos_c_total", "C.", "code", "locked", 1);
	xos_report_labelled(r, "xos_c_total", "C.", "code", "other", 2);
	xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_d", "D.", -3);
	xos_report_encode(&bytes, r);
	ck_assert_int_eq(xos_buf_status(&bytes), XOS_OK);
}

static void teardown(void)
{
	xos_buf_free(&bytes);
	free(r);
	free(back);
}

START_TEST(there_and_back)
{
	struct xos_buf text;

	ck_assert_int_eq(xos_report_decode(xos_buf_bytes(&bytes), back, &err), XOS_OK);
	ck_assert_uint_eq(back->nfindings, 2);
	ck_assert_str_eq(back->finding[0].name, "log");
	ck_assert(!back->finding[0].warns && back->finding[1].warns);
	ck_assert_int_eq(back->finding[0].why.status, XOS_UNAVAILABLE);
	ck_assert_str_eq(back->finding[0].why.code, "log-write");
	ck_assert_uint_eq(back->nfigures, 5);
	xos_buf_init(&text, 4096);
	xos_report_text(back, &text);
	ck_assert_str_eq(xos_buf_str(&text),
	    "# HELP xos_a_total A.\n# TYPE xos_a_total counter\nxos_a_total 7\n"
	    "# HELP xos_b_seconds_total B.\n# TYPE xos_b_seconds_total counter\n"
	    "xos_b_seconds_total 1.500000\n"
	    "# HELP xos_c_total C.\n# TYPE xos_c_total counter\n"
	    "xos_c_total{code=\"locked\"} 1\nxos_c_total{code=\"other\"} 2\n"
	    "# HELP xos_d D.\n# TYPE xos_d gauge\nxos_d -3\n");
	xos_buf_free(&text);
}
END_TEST

START_TEST(cut_and_trailing_bytes)
{
	for (size_t n = 0; n < bytes.n; n++) {
		ck_assert_int_eq(
		    xos_report_decode((struct xos_bytes){bytes.p, n}, back, &err), XOS_MALFORMED);
		ck_assert_uint_eq(back->nfindings + back->nfigures, 0);
	}
	xos_buf_u8(&bytes, 0);
	ck_assert_int_eq(xos_report_decode(xos_buf_bytes(&bytes), back, &err), XOS_MALFORMED);
}
END_TEST

/* Nothing of it may become a line of its own in /metrics. */
START_TEST(names_and_values_that_would_forge_lines)
{
	static const char *const names[] = {"", "1a", "A", "a b", "a\nb 1", "a{x=\"1\"}"};
	static const char *const values[] = {"a\"b", "a\\b", "a\nb"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(r, 0, sizeof(*r));
		xos_report_figure(r, XOS_FIGURE_GAUGE, names[i], "x", 1);
		xos_buf_free(&bytes);
		xos_buf_init(&bytes, XOS_REPORT_MAX);
		xos_report_encode(&bytes, r);
		ck_assert_int_eq(
		    xos_report_decode(xos_buf_bytes(&bytes), back, &err), XOS_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memset(r, 0, sizeof(*r));
		xos_report_labelled(r, "xos_a_total", "x", "code", values[i], 1);
		xos_buf_free(&bytes);
		xos_buf_init(&bytes, XOS_REPORT_MAX);
		xos_report_encode(&bytes, r);
		ck_assert_int_eq(
		    xos_report_decode(xos_buf_bytes(&bytes), back, &err), XOS_MALFORMED);
	}
}
END_TEST

START_TEST(more_than_fits_is_left_out)
{
	struct xos_err why = XOS_ERR_INIT;

	xos_err_set(&why, XOS_LIMIT, "x", "x");
	for (size_t i = 0; i < 2 * XOS_REPORT_FIGURES; i++) {
		xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_many", "Many.", 1);
		xos_report_problem(r, "many", &why);
	}
	xos_buf_free(&bytes);
	xos_buf_init(&bytes, XOS_REPORT_MAX);
	xos_report_encode(&bytes, r);
	ck_assert_int_eq(xos_report_decode(xos_buf_bytes(&bytes), back, &err), XOS_OK);
	ck_assert_uint_eq(back->nfigures, XOS_REPORT_FIGURES);
	ck_assert_uint_eq(back->nfindings, XOS_REPORT_FINDINGS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report");
	TCase *tc = tcase_create("report");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, cut_and_trailing_bytes);
	tcase_add_test(tc, names_and_values_that_would_forge_lines);
	tcase_add_test(tc, more_than_fits_is_left_out);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
