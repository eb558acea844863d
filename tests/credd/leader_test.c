/* What /proc says, read with care; and the vault of keys. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credd/leader.h"
#include "credd/vault.h"

#define REST " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 23 24\n"

static bool start(const char *text, uint64_t *out)
{
	return xos_credd_stat_start(xos_bytes_str(text), out);
}

START_TEST(the_start_is_found_behind_any_name)
{
	uint64_t at = 0;
	ck_assert(start("42 (bash) S" REST, &at));
	ck_assert_uint_eq(at, 4711);
	ck_assert(start("42 (a) b (c) 7 8) R" REST, &at));
	ck_assert_uint_eq(at, 4711);
	ck_assert(start("42 () S" REST, &at));
}
END_TEST

START_TEST(what_is_over_or_no_stat_has_no_start)
{
	uint64_t at = 7;
	static const char *const bad[] = {"", "42", "42 (bash", "42 (bash)", "42 (bash) ",
	    "42 (bash) Z" REST, "42 (bash) X" REST, "42 (bash) S 1 2 3\n",
	    "42 (bash) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ",
	    "42 (bash) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711",
	    "42 (bash) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -1 2\n",
	    "42 (bash) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999999999 "
	    "2\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!start(bad[i], &at), "\"%s\"", bad[i]);
	ck_assert_uint_eq(at, 7);
}
END_TEST

START_TEST(a_group_counts_by_its_whole_name)
{
	struct xos_bytes text =
	    xos_bytes_str("4:freezer:/xos-jobs/xos-abc\n0::/a/xos-jobs/xos-def/x\n");
	ck_assert(xos_credd_groups_name(text, "abc"));
	ck_assert(xos_credd_groups_name(text, "def"));
	ck_assert(!xos_credd_groups_name(text, "ab"));
	ck_assert(!xos_credd_groups_name(text, "abcd"));
	ck_assert(!xos_credd_groups_name(text, "x"));
	ck_assert(!xos_credd_groups_name(XOS_BYTES_NONE, "abc"));
	ck_assert(xos_credd_groups_name(xos_bytes_str("0::/xos-abc"), "abc"));
}
END_TEST

START_TEST(this_process_is_in_a_session)
{
	struct xos_credd_leader l, gone;
	struct xos_err err = XOS_ERR_INIT;
	/* A test may run where the session's leader has gone. */
	if (getsid(0) > 0 && getsid(getsid(0)) == getsid(0)) {
		ck_assert_msg(xos_credd_leader_of(getpid(), &l, &err) == XOS_OK, "%s", err.text);
		ck_assert_int_eq(xos_credd_leader_state(&l), XOS_CREDD_LEADER_THERE);
		gone = l;
		gone.start++; /* the number was given again */
		ck_assert_int_eq(xos_credd_leader_state(&gone), XOS_CREDD_LEADER_GONE);
		ck_assert(!xos_credd_leader_same(&l, &gone));
	}
	ck_assert_int_eq(xos_credd_leader_of(0, &l, &err), XOS_CONFLICT);
	ck_assert_int_eq(xos_credd_leader_of(-1, &l, &err), XOS_CONFLICT);
	ck_assert_int_eq(
	    xos_credd_leader_state(&(struct xos_credd_leader){.pid = 0}), XOS_CREDD_LEADER_GONE);
	ck_assert_int_eq(xos_credd_leader_state(&(struct xos_credd_leader){.pid = 0x7ffffff0}),
	    XOS_CREDD_LEADER_GONE);
	ck_assert(!xos_credd_leader_same(
	    &(struct xos_credd_leader){.pid = 0}, &(struct xos_credd_leader){.pid = 0}));
}
END_TEST

/* Without a free descriptor nothing can be told, and nothing is over. */
static int without_descriptors(void)
{
	struct xos_credd_leader l = {.pid = (uint32_t)getppid(), .start = 1};
	const struct rlimit few = {3, 3};
	if (setrlimit(RLIMIT_NOFILE, &few) != 0)
		return 77;
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	for (int fd = 0; fd < 3; fd++)
		(void)!dup(fd);
	return xos_credd_leader_state(&l) == XOS_CREDD_LEADER_UNKNOWN ? 0 : 1;
}

START_TEST(what_cannot_be_told_is_not_over)
{
	int status = -1;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(without_descriptors());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}
END_TEST

START_TEST(keys_share_pages_and_are_wiped)
{
	enum { KEYS = 1000 };
	static uint32_t slot[KEYS];
	char text[32];
	struct xos_credd_vault *v = xos_credd_vault_new();
	ck_assert_ptr_nonnull(v);
	for (int i = 0; i < KEYS; i++) {
		snprintf(text, sizeof(text), "key %d", i);
		slot[i] = xos_credd_vault_put(v, xos_bytes_str(text));
		ck_assert_uint_ne(slot[i], 0);
	}
	for (int i = 0; i < KEYS; i++) {
		snprintf(text, sizeof(text), "key %d", i);
		ck_assert(xos_bytes_eq(xos_credd_vault_get(v, slot[i]), xos_bytes_str(text)));
	}
	struct xos_bytes was = xos_credd_vault_get(v, slot[500]);
	xos_credd_vault_drop(v, slot[500]);
	for (size_t i = 0; i < was.n; i++)
		ck_assert_uint_eq(was.p[i], 0);
	ck_assert_uint_eq(xos_credd_vault_put(v, xos_bytes_str("again")), slot[500]);
	uint8_t big[XOS_CREDD_VAULT_SLOT] = {1};
	ck_assert_uint_eq(xos_credd_vault_put(v, (struct xos_bytes){big, sizeof(big) - 1}), 0);
	ck_assert_uint_ne(xos_credd_vault_put(v, (struct xos_bytes){big, sizeof(big) - 2}), 0);
	ck_assert_uint_eq(xos_credd_vault_put(v, XOS_BYTES_NONE), 0);
	xos_credd_vault_drop(v, 0);
	xos_credd_vault_free(v);
}
END_TEST

/* Where nothing may be locked, keys are kept all the same, and it is told. */
static int without_locking(void)
{
	const struct rlimit none = {0, 0};
	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 77;
	static char page[4096];
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || mlock(page, sizeof(page)) == 0)
		return 77; /* a sanitizer locks nothing and says that it did */
	struct xos_credd_vault *v = xos_credd_vault_new();
	uint32_t slot = v ? xos_credd_vault_put(v, xos_bytes_str("key")) : 0;
	if (!slot || !xos_bytes_eq(xos_credd_vault_get(v, slot), xos_bytes_str("key")))
		return 1;
	if (xos_credd_vault_locked(v))
		return 2;
	xos_credd_vault_free(v);
	return 0;
}

START_TEST(a_limit_of_locked_memory_is_told)
{
	int status = -1;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(without_locking());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_msg(
	    WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77, "step %d", WEXITSTATUS(status));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("leader");
	TCase *t = tcase_create("leader");
	tcase_add_test(t, the_start_is_found_behind_any_name);
	tcase_add_test(t, what_is_over_or_no_stat_has_no_start);
	tcase_add_test(t, a_group_counts_by_its_whole_name);
	tcase_add_test(t, this_process_is_in_a_session);
	tcase_add_test(t, a_limit_of_locked_memory_is_told);
	tcase_add_test(t, what_cannot_be_told_is_not_over);
	tcase_add_test(t, keys_share_pages_and_are_wiped);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
