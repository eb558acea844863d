/* Time zones from a folder, and never from anywhere else. */
#include "local/zoneinfo.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static void write_file(const char *name, const char *text)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
}

static void make(void)
{
	strcpy(dir, "/tmp/xos-zoneinfo-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/zones", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/zones/Europe", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	write_file("zones/Europe/Paris", "data");
	write_file("secret", "secret");
}

static void clean(void)
{
	static const char *const names[] = {
	    "zones/Europe/Paris", "zones/Europe/Big", "zones/Europe", "zones", "secret", ""};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
}

static enum xos_status zone_read(const char *name)
{
	char zones[96];
	struct xos_buf out;
	struct xos_err err = XOS_ERR_INIT;
	snprintf(zones, sizeof(zones), "%s/zones", dir);
	enum xos_status status = xos_zoneinfo_read(zones, name, &out, &err);
	ck_assert_int_eq(status == XOS_OK, out.n == 4);
	if (status == XOS_OK)
		ck_assert_int_eq(memcmp(out.p, "data", 4), 0);
	else
		ck_assert_int_ne(err.text[0], 0);
	xos_buf_free(&out);
	return status;
}

START_TEST(a_zone_is_read)
{
	ck_assert_int_eq(zone_read("Europe/Paris"), XOS_OK);
	ck_assert_int_eq(zone_read("Europe/Pari"), XOS_NOT_FOUND);
	ck_assert_int_ne(zone_read("Europe"), XOS_OK); /* a folder */
}
END_TEST

START_TEST(names_that_lead_elsewhere)
{
	static const char *const names[] = {"", "/", "../secret", "Europe/../../secret",
	    "/etc/passwd", "Europe//Paris", "Europe/Paris/", "./Europe/Paris", "Europe/.Paris",
	    "secret.", "Europe\\Paris", "Europe/Paris\n", "1Europe/Paris", "-Europe",
	    "Europe/_Paris", "Europe/P\xc3\xa9ris",
	    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(
		    zone_read(names[i]) == XOS_MALFORMED, "'%s' was not refused", names[i]);
	ck_assert(xos_zoneinfo_name_ok("America/Port-au-Prince"));
	ck_assert(xos_zoneinfo_name_ok("Etc/GMT+5"));
	ck_assert(xos_zoneinfo_name_ok("America/Argentina/Buenos_Aires"));
}
END_TEST

START_TEST(too_large)
{
	snprintf(path, sizeof(path), "%s/zones/Europe/Big", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(ftruncate(fileno(f), XOS_ZONEINFO_MAX + 1), 0);
	fclose(f);
	ck_assert_int_ne(zone_read("Europe/Big"), XOS_OK);
	static char deep[5000];
	struct xos_buf out;
	memset(deep, 'a', sizeof(deep) - 1);
	ck_assert_int_eq(xos_zoneinfo_read(deep, "Europe/Paris", &out, NULL), XOS_LIMIT);
	xos_buf_free(&out);
	/* The system's own folder, wherever it is installed. */
	enum xos_status status = xos_zoneinfo_read(NULL, "Europe/Paris", &out, NULL);
	ck_assert(status == XOS_OK ? out.n > 4 && memcmp(out.p, "TZif", 4) == 0
	                           : status == XOS_NOT_FOUND);
	xos_buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zoneinfo");
	TCase *tc = tcase_create("files");
	tcase_add_checked_fixture(tc, make, clean);
	tcase_add_test(tc, a_zone_is_read);
	tcase_add_test(tc, names_that_lead_elsewhere);
	tcase_add_test(tc, too_large);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
