#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "credd/accounts.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static char *dir, *paths[4];
static struct xos_credd_local_files files;

static void put(int which, const char *text)
{
	struct xos_err err = XOS_ERR_INIT;
	MUST(xos_file_write(paths[which], 0644, xos_bytes_str(text), &err), &err);
}

static void setup(void)
{
	static const char *const names[] = {"passwd", "group", "subuid", "subgid"};
	dir = xos_test_dir_new();
	for (int i = 0; i < 4; i++)
		paths[i] = xos_test_path(dir, names[i]);
	files = (struct xos_credd_local_files){paths[0], paths[1], paths[2], paths[3]};
	put(0, "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n");
	put(1, "root:x:0:\nbob:x:1000:\n");
	put(2, "bob:100000:65536\n");
}

static void teardown(void)
{
	for (int i = 0; i < 4; i++)
		free(paths[i]);
	xos_test_dir_free(dir);
}

static struct xos_credd_slice slice(uint32_t first, uint32_t last)
{
	struct xos_credd_slice s;
	xos_credd_slice_init(&s, "demo", first, last, &files);
	return s;
}

START_TEST(uid_is_base_plus_number)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_account a;
	struct xos_credd_slice s = slice(1900000000, 1900000010);
	ck_assert_msg(s.present, "%s", s.why);
	ck_assert_int_eq(xos_credd_account(&s, "alice", 1, &a, &err), XOS_OK);
	ck_assert_uint_eq(a.uid, 1900000001);
	ck_assert_uint_eq(a.gid, 1900000001);
	ck_assert_str_eq(a.name, "demo.alice");
	ck_assert_int_eq(xos_credd_account(&s, "last", 10, &a, &err), XOS_OK);
	ck_assert_uint_eq(a.uid, 1900000010);
}
END_TEST

START_TEST(numbers_outside_the_slice_have_none)
{
	static const uint64_t bad[] = {
	    0, 11, 12, 4294967295u, 4294967296u, UINT64_MAX, UINT64_MAX - 1900000000u + 2};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_account a;
	struct xos_credd_slice s = slice(1900000000, 1900000010);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(xos_credd_account(&s, "alice", bad[i], &a, &err), XOS_NOT_FOUND);
		ck_assert_str_eq(err.code, "no-account");
	}
}
END_TEST

START_TEST(names_that_are_no_account_names_have_none)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_account a;
	struct xos_credd_slice s = slice(1900000000, 1900000010);
	ck_assert_int_eq(xos_credd_account(&s, "abcdefghijklmnopqrstuvwxyz", 1, &a, &err), XOS_OK);
	ck_assert_uint_eq(strlen(a.name), XOS_ACCOUNT_MAX);
	ck_assert_int_eq(
	    xos_credd_account(&s, "abcdefghijklmnopqrstuvwxyz1", 1, &a, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_credd_account(&s, "../x", 1, &a, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_credd_account(&s, "", 1, &a, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(reserved_ranges_refuse_the_slice)
{
	static const uint32_t bad[][2] = {{0, 100}, {500, 2000}, {999, 1500}, {60000, 60001},
	    {60577, 60600}, {61000, 61184}, {65519, 65530}, {65530, 65534}, {65535, 70000},
	    {500000, 524288}, {200000000, 200999999}, {1878982656, 1900000000},
	    {1879048191, 1900000000}, {2147483000, 2147483648u}, {4294967000u, 4294967295u},
	    {1900000000, 1900000000}, {1900000010, 1900000000}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_credd_slice s = slice(bad[i][0], bad[i][1]);
		ck_assert_msg(!s.present, "%u-%u was accepted", bad[i][0], bad[i][1]);
		ck_assert(s.why[0] != '\0');
	}
	static const uint32_t good[][2] = {
	    {1879048192, 1900000000}, {2147000000, 2147483647}, {10000, 60000}, {300000, 524287}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct xos_credd_slice s = slice(good[i][0], good[i][1]);
		ck_assert_msg(s.present, "%s", s.why);
	}
}
END_TEST

static void overlap(int which, const char *text, const char *names)
{
	put(which, text);
	struct xos_credd_slice s = slice(1900000000, 1900000999);
	ck_assert_msg(!s.present, "accepted: %s", text);
	ck_assert_msg(strstr(s.why, names) != NULL, "%s", s.why);
	put(which, "");
}

START_TEST(local_numbers_refuse_the_slice)
{
	overlap(0, "carol:x:1900000005:100::/:/bin/sh\n", "carol");
	overlap(0, "carol:x:100:1900000999::/:/bin/sh", "carol");
	overlap(1, "wheel:x:1900000000:a,b\n", "wheel");
	overlap(2, "carol:1899999000:1001\n", "subuid");
	overlap(2, "carol:1900000999:1\n", "subuid");
	overlap(3, "carol:1800000000:200000000\n", "subgid");
	overlap(0, "carol:x:hello:100::/:/bin/sh\n", "cannot be read");
	overlap(0, "nonsense\n", "cannot be read");
	overlap(2, "carol:1:x\n", "cannot be read");
	put(0, "# comment\n\n+::::::\ncarol:x:1899999999:1900001000::/:/bin/sh\n");
	put(2, "carol:1899999000:1000\ncarol:1900001000:5\ncarol:1900000000:0\n");
	struct xos_credd_slice s = slice(1900000000, 1900000999);
	ck_assert_msg(s.present, "%s", s.why);
}
END_TEST

/* The site's set, parsed, and the slice of demo by it. */
static struct xos_policy_set *set;

static struct xos_credd_slice slice_from(const char *text)
{
	static struct xos_policy_errors errs;
	struct xos_credd_slice s;
	size_t n = 0;
	xos_policy_set_unref(set);
	set = NULL;
	ck_assert_int_eq(xos_policy_set_parse(text, strlen(text), "lab.xos", &set, &errs), XOS_OK);
	xos_credd_slice_from(&s, "demo", set, xos_policy_set_accounts(set, &n), &files);
	return s;
}

#define RULES                                                                                      \
	"site \"lab\" serial 1 { accounts vo demo uid 1900000000-1900000999 jobs "                 \
	"1950000000-1950000009 home \"/srv/homes/%\"; accounts vo demo group /demo/b gid "         \
	"1960000002; accounts vo demo group /demo gid 1960000001; accounts vo demo group "         \
	"/demo/a/x "                                                                               \
	"gid 1960000003; accounts vo bio uid 1910000000-1910000999; accounts vo bio group /bio "   \
	"gid "                                                                                     \
	"1960000009; }"

START_TEST(rules_of_the_site)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_account a;
	struct xos_credd_groups g;
	struct xos_claims *c = NULL;
	char *home = NULL;
	struct xos_credd_slice s = slice_from(RULES);
	ck_assert_msg(s.present, "%s", s.why);
	ck_assert_uint_eq(s.jobs_first, 1950000000);
	ck_assert_uint_eq(s.ngroups, 3);
	MUST(xos_credd_account(&s, "alice", 1, &a, &err), &err);
	MUST(xos_credd_account_home(&s, &a, &home, &err), &err);
	ck_assert_str_eq(home, "/srv/homes/demo.alice");
	free(home);
	MUST(xos_claims_new(XOS_KIND_USER, "demo", "alice", &c, &err), &err);
	MUST(xos_credd_account_groups(&s, c, &g, &err), &err);
	ck_assert_uint_eq(g.n, 0);
	/* Of a group and those below it, but not of what stands above or only begins alike. */
	MUST(xos_claims_add_group(c, "/demo/b/y", &err), &err);
	MUST(xos_claims_add_group(c, "/demo/a", &err), &err);
	MUST(xos_claims_add_group(c, "/demo/a/xx", &err), &err);
	MUST(xos_credd_account_groups(&s, c, &g, &err), &err);
	ck_assert_uint_eq(g.n, 2);
	ck_assert_uint_eq(g.gid[0], 1960000001);
	ck_assert_uint_eq(g.gid[1], 1960000002);
	xos_claims_free(c);
	xos_policy_set_unref(set);
	set = NULL;
}
END_TEST

START_TEST(more_groups_than_a_job_can_have)
{
	struct xos_policy_account_group rule[XOS_CREDD_GROUPS_MAX + 1];
	struct xos_credd_slice s = {
	    .present = true, .vo = "demo", .groups = rule, .ngroups = XOS_CREDD_GROUPS_MAX};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_groups g = {.n = 0};
	struct xos_claims *c = NULL;
	for (uint32_t i = 0; i <= XOS_CREDD_GROUPS_MAX; i++)
		rule[i] = (struct xos_policy_account_group){"demo", "/demo", 1960000000 + i};
	MUST(xos_claims_new(XOS_KIND_USER, "demo", "alice", &c, &err), &err);
	MUST(xos_claims_add_group(c, "/demo", &err), &err);
	ck_assert_int_eq(xos_credd_account_groups(&s, c, &g, &err), XOS_OK);
	ck_assert_uint_eq(g.n, XOS_CREDD_GROUPS_MAX);
	s.ngroups++;
	ck_assert_int_eq(xos_credd_account_groups(&s, c, &g, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "account-groups");
	xos_claims_free(c);
}
END_TEST

/* What one of its numbers meets on this machine refuses the slice as a whole. */
START_TEST(local_numbers_refuse_the_rules)
{
	static const struct {
		int file;
		const char *text, *names;
	} bad[] = {{1, "wheel:x:1960000002:\n", "of a group, 1960000002"},
	    {0, "carol:x:100:1960000001::/:/bin/sh\n", "of a group, 1960000001"},
	    {0, "carol:x:1950000009:100::/:/bin/sh\n", "for jobs, 1950000000-1950000009"},
	    {2, "carol:1949999000:1001\n", "for jobs"}, {3, "carol:1960000000:65536\n", "subgid"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i].file, bad[i].text);
		struct xos_credd_slice s = slice_from(RULES);
		ck_assert_msg(!s.present, "accepted: %s", bad[i].text);
		ck_assert_msg(strstr(s.why, bad[i].names) != NULL, "%s", s.why);
		put(bad[i].file, "");
	}
	/* Numbers of another VO of the site are not this one's. */
	put(1, "wheel:x:1960000009:\n");
	ck_assert(slice_from(RULES).present);
	xos_policy_set_unref(set);
	set = NULL;
}
END_TEST

START_TEST(one_member_without_root)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_account a;
	struct xos_credd_slice s = {.present = true,
	    .single = true,
	    .vo = "demo",
	    .member = "alice",
	    .uid = 1000,
	    .gid = 1001};
	ck_assert_int_eq(xos_credd_account(&s, "alice", 77, &a, &err), XOS_OK);
	ck_assert_uint_eq(a.uid, 1000);
	ck_assert_uint_eq(a.gid, 1001);
	ck_assert_int_eq(xos_credd_account(&s, "bob", 77, &a, &err), XOS_NOT_FOUND);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-accounts");
	TCase *t = tcase_create("accounts");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, uid_is_base_plus_number);
	tcase_add_test(t, numbers_outside_the_slice_have_none);
	tcase_add_test(t, names_that_are_no_account_names_have_none);
	tcase_add_test(t, reserved_ranges_refuse_the_slice);
	tcase_add_test(t, local_numbers_refuse_the_slice);
	tcase_add_test(t, rules_of_the_site);
	tcase_add_test(t, more_groups_than_a_job_can_have);
	tcase_add_test(t, local_numbers_refuse_the_rules);
	tcase_add_test(t, one_member_without_root);
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
