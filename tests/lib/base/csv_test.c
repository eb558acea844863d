#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

static struct xos_csv c;
static struct xos_csv_record r;
static struct xos_err err;
static bool more;

static enum xos_status first(const char *text)
{
	memset(&err, 0, sizeof(err));
	xos_csv_init(&c, xos_bytes_str(text));
	return xos_csv_next(&c, &r, &more, &err);
}

START_TEST(records_and_fields)
{
	ck_assert_int_eq(first("a,\"b,\"\"x\"\"\r\n\",\r\n\"\",d\nlast"), XOS_OK);
	ck_assert(more);
	ck_assert_uint_eq(r.n, 3);
	ck_assert_str_eq(r.field[0], "a");
	ck_assert_str_eq(r.field[1], "b,\"x\"\r\n");
	ck_assert_str_eq(r.field[2], "");
	ck_assert_uint_eq(r.column[1], 3);
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_OK);
	ck_assert_uint_eq(r.n, 2);
	ck_assert_uint_eq(r.line, 3);
	ck_assert_str_eq(r.field[0], "");
	ck_assert_str_eq(r.field[1], "d");
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_OK);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_str_eq(r.field[0], "last");
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_OK);
	ck_assert(!more);
	xos_csv_free(&c);
	ck_assert_int_eq(first(""), XOS_OK);
	ck_assert(!more);
	xos_csv_free(&c);
}
END_TEST

START_TEST(what_is_no_csv_is_refused_with_its_place)
{
	static const struct {
		const char *text, *place;
	} bad[] = {{"ab\"c", "line 1, column 3"}, {"\"ab\"c", "line 1, column 5"},
	    {"a,\"bc", "column 6"}, {"\n", "empty line"}, {"a\rb", "line 1, column 2"},
	    {"a,\xff", "column 3"}, {"\"a\"\rb", "column 4"}, {"\"", "within quotes"},
	    {"\xc3", "column 1"}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(first(bad[i].text), XOS_MALFORMED);
		ck_assert_msg(strstr(err.text, bad[i].place) != NULL, "%zu: %s", i, err.text);
		xos_csv_free(&c);
	}
	ck_assert_int_eq(first("a\n\nb"), XOS_OK);
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "line 2"));
	xos_csv_free(&c);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	char commas[XOS_CSV_FIELDS_MAX + 2];
	char *big = malloc(XOS_CSV_RECORD_MAX + 2);

	memset(commas, ',', sizeof(commas));
	commas[XOS_CSV_FIELDS_MAX - 1] = '\0';
	ck_assert_int_eq(first(commas), XOS_OK);
	ck_assert_uint_eq(r.n, XOS_CSV_FIELDS_MAX);
	xos_csv_free(&c);
	commas[XOS_CSV_FIELDS_MAX - 1] = ',';
	commas[XOS_CSV_FIELDS_MAX] = '\0';
	ck_assert_int_eq(first(commas), XOS_LIMIT);
	xos_csv_free(&c);
	memset(big, 'x', XOS_CSV_RECORD_MAX + 1);
	big[XOS_CSV_RECORD_MAX + 1] = '\0';
	ck_assert_int_eq(first(big), XOS_LIMIT);
	ck_assert_str_eq(err.code, "csv-long");
	xos_csv_free(&c);
	free(big);
	/* NUL */
	xos_csv_init(&c, (struct xos_bytes){(const uint8_t *)"a\0b", 3});
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_MALFORMED);
	xos_csv_free(&c);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	static const char *const fields[] = {"plain", "", "a,b", "say \"x\"", "two\r\nlines", "\r"};
	const char *none[] = {NULL};
	struct xos_buf out;

	xos_buf_init(&out, 4096);
	xos_csv_put(&out, fields, 6);
	xos_csv_put(&out, none, 1);
	ck_assert_int_eq(first(xos_buf_str(&out)), XOS_OK);
	ck_assert_uint_eq(r.n, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(r.field[i], fields[i]);
	ck_assert_int_eq(xos_csv_next(&c, &r, &more, &err), XOS_OK);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_str_eq(r.field[0], "");
	xos_csv_free(&c);
	xos_buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base-csv");
	TCase *t = tcase_create("csv");
	SRunner *run;
	int failed;

	tcase_add_test(t, records_and_fields);
	tcase_add_test(t, what_is_no_csv_is_refused_with_its_place);
	tcase_add_test(t, sizes_are_bounded);
	tcase_add_test(t, what_is_written_is_read);
	suite_add_tcase(s, t);
	run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
