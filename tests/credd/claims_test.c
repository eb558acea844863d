/* Numbers of several VOs on one node never overlap; what cannot be told gives nobody any. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "credd/claims.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static char *dir, *folder;
static const struct xos_credd_local_files nobody = {"/nowhere", "/nowhere", "/nowhere", "/nowhere"};

static void prepare(const char *vo)
{
	struct xos_err err = XOS_ERR_INIT;
	MUST(xos_credd_claims_prepare(folder, vo, geteuid(), getegid(), &err), &err);
}

static void setup(void)
{
	dir = xos_test_dir_new();
	folder = xos_test_path(dir, "slices");
	prepare("demo");
	prepare("other");
}

static void teardown(void)
{
	free(folder);
	xos_test_dir_free(dir);
}

static struct xos_credd_slice claim(const char *vo, uint32_t first, uint32_t last)
{
	struct xos_credd_slice s;
	xos_credd_slice_init(&s, vo, first, last, &nobody);
	ck_assert(s.present);
	xos_credd_slice_claim(&s, folder);
	return s;
}

static void put(const char *vo, const char *text)
{
	char *path = xos_test_path(folder, vo);
	struct xos_err err = XOS_ERR_INIT;
	MUST(xos_file_write(path, 0644, xos_bytes_str(text), &err), &err);
	free(path);
}

START_TEST(numbers_of_their_own)
{
	ck_assert(claim("demo", 1900000000, 1900000999).present);
	ck_assert(claim("other", 1900001000, 1900001999).present);
	/* The same again, as at each bundle. */
	ck_assert(claim("demo", 1900000000, 1900000999).present);
}
END_TEST

START_TEST(who_came_first_stays)
{
	ck_assert(claim("demo", 1900000000, 1900000999).present);
	for (int i = 0; i < 2; i++) {
		struct xos_credd_slice s = claim("other", 1900000999, 1900001999);
		ck_assert(!s.present);
		ck_assert_ptr_nonnull(strstr(s.why, "VO demo has 1900000000-1900000999"));
		ck_assert(claim("demo", 1900000000, 1900000999).present);
	}
}
END_TEST

START_TEST(refused_ones_give_up_what_they_had)
{
	ck_assert(claim("demo", 1900000000, 1900000999).present);
	ck_assert(claim("other", 1900001000, 1900001999).present);
	/* The site exchanges them: nobody has both for a moment, and then each has the other's. */
	ck_assert(!claim("demo", 1900001000, 1900001999).present);
	ck_assert(claim("other", 1900000000, 1900000999).present);
	ck_assert(claim("demo", 1900001000, 1900001999).present);
}
END_TEST

START_TEST(a_vo_without_accounts_holds_none)
{
	struct xos_credd_slice none = {.present = false, .vo = "demo"};
	ck_assert(claim("demo", 1900000000, 1900000999).present);
	xos_credd_slice_claim(&none, folder);
	ck_assert(claim("other", 1900000000, 1900000999).present);
}
END_TEST

START_TEST(one_that_cannot_be_read_refuses)
{
	static const char *const damaged[] = {"1900000000", "1900000000-", "1-2", "-1-2\n",
	    "01-2\n", "2-1\n", "1-2\n\n", "1-2 \n", "1-4294967296\n", "1-2\n3-4", "1-2\n\n3-4\n",
	    "\n", "111111111111111111111111111111111111111111-2\n"};
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put("other", damaged[i]);
		struct xos_credd_slice s = claim("demo", 1900000000, 1900000999);
		ck_assert_msg(!s.present, "%s", damaged[i]);
		ck_assert_ptr_nonnull(strstr(s.why, "cannot be read"));
	}
	put("other", "");
	ck_assert(claim("demo", 1900000000, 1900000999).present);
}
END_TEST

/* Also what it has for single jobs and for groups. */
START_TEST(no_range_of_another_is_met)
{
	static const struct xos_policy_account_group group = {"demo", "/demo/a", 1960000001};
	static const char *const met[] = {
	    "1-2\n1950000009-1950000020\n", "1900001000-1900001001\n1960000001-1960000001\n3-4\n"};
	struct xos_credd_slice s = {.present = true,
	    .vo = "demo",
	    .first = 1900000000,
	    .last = 1900000999,
	    .jobs_first = 1950000000,
	    .jobs_last = 1950000009,
	    .groups = &group,
	    .ngroups = 1};
	for (size_t i = 0; i < 2; i++) {
		struct xos_credd_slice mine = s;
		put("other", met[i]);
		xos_credd_slice_claim(&mine, folder);
		ck_assert_msg(!mine.present, "%s", met[i]);
	}
	put("other", "1950000010-1950000020\n");
	xos_credd_slice_claim(&s, folder);
	ck_assert_msg(s.present, "%s", s.why);
	ck_assert(!claim("other", 1950000009, 1950000020).present);
	ck_assert(!claim("other", 1960000001, 1960000002).present);
}
END_TEST

START_TEST(no_folder_no_numbers)
{
	struct xos_credd_slice s;
	xos_credd_slice_init(&s, "demo", 1900000000, 1900000999, &nobody);
	xos_credd_slice_claim(&s, "/nowhere/slices");
	ck_assert(!s.present);
	/* Nobody prepared a file for this one: it could not be held against others. */
	ck_assert(!claim("third", 1900000000, 1900000999).present);
	xos_credd_slice_init(&s, "demo", 1900000000, 1900000999, &nobody);
	xos_credd_slice_claim(&s, NULL);
	ck_assert(s.present);
}
END_TEST

START_TEST(a_lock_that_is_never_given_back_refuses)
{
	char *path = xos_test_path(folder, ".lock");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	struct xos_credd_slice s = claim("demo", 1900000000, 1900000999);
	ck_assert(!s.present);
	ck_assert_ptr_nonnull(strstr(s.why, "cannot be told"));
	close(fd);
	free(path);
}
END_TEST

/* Two that come at once, again and again: one of them has the numbers, never both and never none. */
START_TEST(at_once_one_has_them)
{
	for (int i = 0; i < 50; i++) {
		int go[2];
		pid_t child[2];
		size_t have = 0;
		put("demo", "");
		put("other", "");
		ck_assert_int_eq(pipe(go), 0);
		for (int k = 0; k < 2; k++) {
			child[k] = fork();
			if (child[k] == 0) {
				char c;
				close(go[1]);
				(void)!read(go[0], &c, 1);
				struct xos_credd_slice s =
				    claim(k ? "demo" : "other", 1900000000, 1900000999);
				_exit(s.present ? 0 : 1);
			}
		}
		close(go[0]);
		close(go[1]);
		for (int k = 0; k < 2; k++) {
			int status;
			ck_assert_int_eq(waitpid(child[k], &status, 0), child[k]);
			have += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		}
		ck_assert_uint_eq(have, 1);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd/claims");
	TCase *t = tcase_create("claims");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, numbers_of_their_own);
	tcase_add_test(t, who_came_first_stays);
	tcase_add_test(t, refused_ones_give_up_what_they_had);
	tcase_add_test(t, a_vo_without_accounts_holds_none);
	tcase_add_test(t, one_that_cannot_be_read_refuses);
	tcase_add_test(t, no_range_of_another_is_met);
	tcase_add_test(t, no_folder_no_numbers);
	tcase_add_test(t, a_lock_that_is_never_given_back_refuses);
	tcase_add_test(t, at_once_one_has_them);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
