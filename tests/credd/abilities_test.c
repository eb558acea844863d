/* What the services of a node say that they can do: kept over a restart, each by its own word, and nothing that is none. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/abilities.h"
#include "base/file.h"
#include "credd/abilities.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static char *dir;
static struct xos_credd_conf conf;
static struct xos_err err;

static void setup(void)
{
	dir = xos_test_dir_new();
	conf = (struct xos_credd_conf){
	    .state = dir, .site = (char *)(uintptr_t) "lab", .node = (char *)(uintptr_t) "n1"};
}

static void teardown(void)
{
	xos_test_dir_free(dir);
}

static enum xos_status take(const char *service)
{
	return xos_credd_abilities_take(&conf, xos_bytes_str(service), &err);
}

/* The document that would be told, parsed as the other end does. */
static struct xos_json *told(void)
{
	struct xos_json *doc = NULL;
	struct xos_buf out;

	xos_buf_init(&out, XOS_ABILITIES_MAX);
	MUST(xos_credd_abilities_document(&conf, &out, &err), &err);
	MUST(xos_abilities_parse(xos_buf_bytes(&out), &doc, &err), &err);
	xos_buf_free(&out);
	return doc;
}

static size_t services(void)
{
	struct xos_json *doc = told();
	const struct xos_json *list = NULL;

	MUST(xos_json_get_array(doc, "services", 100, &list, &err), &err);
	size_t n = xos_json_count(list);
	xos_json_free(doc);
	return n;
}

#define SERVICE(name, attributes)                                                                  \
	"{\"service\":\"" name "\",\"actions\":[\"job.submit\"],\"attributes\":[" attributes       \
	"],\"caps\":[],\"duties\":[]}"

START_TEST(each_service_speaks_for_itself)
{
	struct xos_json *doc;
	const struct xos_json *list = NULL, *one;
	const char **names = NULL;
	size_t n = 0;

	ck_assert_uint_eq(services(), 0);
	ck_assert_int_eq(take(SERVICE("jobd", "\"ctx.src\"")), XOS_OK);
	ck_assert_int_eq(take(SERVICE("datad", "")), XOS_OK);
	ck_assert_int_eq(take(SERVICE("jobd", "\"ctx.src\",\"job.wall\"")), XOS_OK);
	ck_assert_uint_eq(services(), 2);
	doc = told();
	MUST(xos_json_get_array(doc, "services", 100, &list, &err), &err);
	one = xos_json_at(list, 1);
	MUST(xos_json_get_strings(one, "attributes", 100, 100, &names, &n, &err), &err);
	ck_assert_uint_eq(n, 2);
	free(names);
	xos_json_free(doc);
}
END_TEST

START_TEST(what_is_no_word_of_a_service_changes_nothing)
{
	static const char *const bad[] = {
	    "", "{}", "[]", SERVICE("../x", ""), SERVICE("jobd", "1"), SERVICE("jobd", "") "x"};

	ck_assert_int_eq(take(SERVICE("jobd", "")), XOS_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(take(bad[i]), XOS_MALFORMED);
	ck_assert_uint_eq(services(), 1);
}
END_TEST

START_TEST(services_are_bounded)
{
	static const char *const names[] = {SERVICE("a", ""), SERVICE("b", ""), SERVICE("c", ""),
	    SERVICE("d", ""), SERVICE("e", ""), SERVICE("f", ""), SERVICE("g", ""),
	    SERVICE("h", "")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(take(names[i]), XOS_OK);
	ck_assert_int_eq(take(SERVICE("i", "")), XOS_LIMIT);
	ck_assert_uint_eq(services(), 8);
}
END_TEST

START_TEST(a_damaged_file_is_forgotten)
{
	char *path = xos_test_path(dir, "abilities.json");

	ck_assert_int_eq(take(SERVICE("jobd", "")), XOS_OK);
	MUST(xos_file_write(path, 0600, xos_bytes_str("[{\"service\":"), &err), &err);
	ck_assert_uint_eq(services(), 0);
	MUST(xos_file_write(path, 0600, xos_bytes_str("[{\"service\":\"jobd\"}]"), &err), &err);
	ck_assert_uint_eq(services(), 0);
	ck_assert_int_eq(take(SERVICE("jobd", "")), XOS_OK);
	ck_assert_uint_eq(services(), 1);
	free(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd-abilities");
	TCase *c = tcase_create("abilities");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, each_service_speaks_for_itself);
	tcase_add_test(c, what_is_no_word_of_a_service_changes_nothing);
	tcase_add_test(c, services_are_bounded);
	tcase_add_test(c, a_damaged_file_is_forgotten);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
