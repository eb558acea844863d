/* Uids of single jobs: leased once, told after they are durable, used again only when nothing is left. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "credd/leases.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define FIRST 1950000000u
#define WAIT 60

static char *dir, *journal;
static struct xos_credd_leases *l;
static struct xos_err err;

static void reopen(void)
{
	xos_credd_leases_free(l);
	l = NULL;
	err = (struct xos_err)XOS_ERR_INIT;
	MUST(xos_credd_leases_open(dir, WAIT, &l, &err), &err);
}

static void setup(void)
{
	dir = xos_test_dir_new();
	journal = xos_test_path(dir, XOS_CREDD_LEASES_JOURNAL);
	reopen();
}

static void teardown(void)
{
	xos_credd_leases_free(l);
	l = NULL;
	free(journal);
	xos_test_dir_free(dir);
}

static enum xos_status take_of(
    const char *job, const char *member, int64_t now, uint32_t count, uint32_t *uid)
{
	const struct xos_credd_lease_want w = {.first = FIRST,
	    .last = FIRST + count - 1,
	    .job = job,
	    .member = member,
	    .number = 1,
	    .now = now};
	return xos_credd_leases_take(l, &w, uid, &err);
}

static uint32_t take(const char *job, int64_t now)
{
	uint32_t uid = 0;
	enum xos_status st = take_of(job, "alice", now, 3, &uid);
	ck_assert_msg(st == XOS_OK, "%s", err.text);
	return uid;
}

static void give_back(const char *job, int64_t now)
{
	MUST(xos_credd_leases_give_back(l, job, now, &err), &err);
}

static void put(const char *text)
{
	MUST(xos_file_write(journal, 0600, xos_bytes_str(text), &err), &err);
	reopen();
}

START_TEST(one_job_one_uid)
{
	uint32_t uid;
	ck_assert_uint_eq(take("a", 100), FIRST);
	ck_assert_uint_eq(take("b", 100), FIRST + 1);
	ck_assert_uint_eq(take("a", 200), FIRST);
	ck_assert_int_eq(take_of("a", "mallory", 200, 3, &uid), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "lease-member");
	ck_assert_str_eq(xos_credd_leases_of_uid(l, FIRST + 1)->job, "b");
	ck_assert_ptr_null(xos_credd_leases_of_uid(l, FIRST + 2));
	ck_assert_uint_eq(take("c", 100), FIRST + 2);
	ck_assert_int_eq(take_of("d", "alice", 100, 3, &uid), XOS_LIMIT);
	ck_assert_str_eq(err.code, "leases-all");
}
END_TEST

START_TEST(what_is_left_holds_it)
{
	uint32_t uid;
	take("a", 100);
	MUST(xos_credd_leases_hold(l, "a", "files remain in /dev/shm\n\x01", 150, &err), &err);
	ck_assert_int_eq(take_of("b", "alice", 1000, 1, &uid), XOS_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "of 1 something is left"));
	reopen();
	const struct xos_credd_lease *one = xos_credd_leases_at(l, 0);
	ck_assert_str_eq(one->why, "files remain in /dev/shm??");
	ck_assert_int_eq(one->held, 150);
	ck_assert_int_eq(take_of("b", "alice", 1000, 1, &uid), XOS_LIMIT);
	/* Not longer than it is there. */
	give_back("a", 2000);
	ck_assert_int_eq(take_of("b", "alice", 2000 + WAIT, 1, &uid), XOS_OK);
	ck_assert_int_eq(xos_credd_leases_hold(l, "none", "x", 1, &err), XOS_NOT_FOUND);
	give_back("none", 1);
}
END_TEST

START_TEST(waits_and_the_oldest_first)
{
	uint32_t uid;
	take("a", 100);
	take("b", 100);
	take("c", 100);
	give_back("b", 200);
	give_back("a", 210);
	ck_assert_int_eq(take_of("d", "alice", 200 + WAIT - 1, 3, &uid), XOS_LIMIT);
	reopen();
	ck_assert_uint_eq(xos_credd_leases_waiting(l), 2);
	ck_assert_int_eq(take_of("d", "alice", 200 + WAIT - 1, 3, &uid), XOS_LIMIT);
	ck_assert_uint_eq(take("d", 200 + WAIT), FIRST + 1);
	ck_assert_int_eq(take_of("e", "alice", 210 + WAIT - 1, 3, &uid), XOS_LIMIT);
	ck_assert_uint_eq(take("e", 210 + WAIT), FIRST);
	/* A clock that was set back. */
	give_back("c", 5000);
	ck_assert_uint_eq(take("f", 300), FIRST + 2);
}
END_TEST

START_TEST(a_range_that_moves)
{
	struct xos_credd_lease_want w = {.first = FIRST,
	    .last = FIRST + 9,
	    .job = "x",
	    .member = "alice",
	    .number = 1,
	    .now = 101};
	uint32_t uid;
	take("a", 100);
	take("b", 100);
	give_back("b", 100);
	w.first = FIRST - 2;
	w.last = FIRST + 1;
	w.job = "x";
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_OK);
	ck_assert_uint_eq(uid, FIRST - 2);
	w.job = "y";
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_OK);
	ck_assert_uint_eq(uid, FIRST - 1);
	w.job = "z";
	w.now = 101;
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_LIMIT);
	w.now = 100 + WAIT;
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_OK);
	ck_assert_uint_eq(uid, FIRST + 1);
	/* Upwards: the one that has a uid of before keeps it. */
	w = (struct xos_credd_lease_want){.first = FIRST + 100,
	    .last = FIRST + 101,
	    .job = "a",
	    .member = "alice",
	    .number = 1,
	    .now = 200};
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_OK);
	ck_assert_uint_eq(uid, FIRST);
	w.job = "n";
	ck_assert_int_eq(xos_credd_leases_take(l, &w, &uid, &err), XOS_OK);
	ck_assert_uint_eq(uid, FIRST + 100);
}
END_TEST

/* Each length of the journal is that of a crash: a lease that was told is there, one that was not may be. */
START_TEST(cut_off_anywhere)
{
	struct xos_buf whole;
	size_t told;
	take("a", 100);
	MUST(xos_file_read(journal, 4096, &whole, &err), &err);
	told = whole.n;
	xos_buf_free(&whole);
	take("b", 100);
	give_back("a", 150);
	take("c", 200);
	MUST(xos_file_read(journal, 4096, &whole, &err), &err);
	for (size_t len = 0; len <= whole.n; len++) {
		uint32_t uid = 0;
		MUST(xos_file_write(journal, 0600, (struct xos_bytes){whole.p, len}, &err), &err);
		reopen();
		ck_assert_ptr_null(xos_credd_leases_trouble(l));
		if (len == told)
			ck_assert_uint_eq(xos_credd_leases_of_job(l, "a")->uid, FIRST);
		if (len == whole.n)
			ck_assert_uint_eq(xos_credd_leases_of_job(l, "c")->uid, FIRST + 2);
		/* What is written now is whole lines again, and nobody gets another's uid. */
		ck_assert_int_eq(take_of("new", "bob", 200, 10, &uid), XOS_OK);
		for (size_t i = 0, seen = 0; xos_credd_leases_at(l, i); i++) {
			seen += xos_credd_leases_at(l, i)->uid == uid;
			ck_assert_uint_le(seen, 1);
		}
		reopen();
		ck_assert_ptr_null(xos_credd_leases_trouble(l));
		ck_assert_uint_eq(xos_credd_leases_of_job(l, "new")->uid, uid);
	}
	xos_buf_free(&whole);
}
END_TEST

START_TEST(a_damaged_journal_leases_nothing)
{
	static const char *const damaged[] = {"nonsense\n", "lease 1950000000 a alice 1\n",
	    "lease 1950000000 a alice 1 100 \n", "lease 1950000000 ../a alice 1 100\n",
	    "lease 1950000000 a alice 1 100\nlease 1950000000 b alice 1 100\n", "held 5 100 x\n",
	    "lease -1 a alice 1 100\n", "lease 4294967295 a alice 1 100\n", "free 5\n", "\n",
	    "lease 1950000000 a alice 1 100\nheld 1950000000 100\n",
	    "lease 5 a alice 1 1\n\nfree 5 1\n"};
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		uint32_t uid;
		put(damaged[i]);
		ck_assert_msg(xos_credd_leases_trouble(l) != NULL, "%s", damaged[i]);
		ck_assert_int_eq(take_of("z", "alice", 100, 3, &uid), XOS_UNAVAILABLE);
		struct xos_buf b;
		MUST(xos_file_read(journal, 4096, &b, &err), &err);
		ck_assert_str_eq(xos_buf_str(&b), damaged[i]);
		xos_buf_free(&b);
	}
}
END_TEST

/* What cannot be written down is not leased, and leaves a journal of whole lines. */
START_TEST(a_disk_that_is_full)
{
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct xos_buf before, after;
	uint32_t uid;
	take("a", 100);
	MUST(xos_file_read(journal, 4096, &before, &err), &err);
	signal(SIGXFSZ, SIG_IGN);
	/* Nothing more, then a part of a line. */
	for (size_t room = 0; room < 20; room += 7) {
		limit.rlim_cur = before.n + room;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		ck_assert_int_eq(take_of("b", "alice", 100, 3, &uid), XOS_UNAVAILABLE);
		ck_assert_str_eq(err.code, "leases");
		ck_assert_int_eq(xos_credd_leases_give_back(l, "a", 100, &err), XOS_UNAVAILABLE);
		ck_assert_ptr_nonnull(xos_credd_leases_of_job(l, "a"));
		ck_assert_ptr_null(xos_credd_leases_of_job(l, "b"));
	}
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	MUST(xos_file_read(journal, 4096, &after, &err), &err);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&before), xos_buf_bytes(&after)));
	xos_buf_free(&before);
	xos_buf_free(&after);
	ck_assert_uint_eq(take("b", 100), FIRST + 1);
	reopen();
	ck_assert_uint_eq(xos_credd_leases_count(l), 2);
}
END_TEST

START_TEST(who_had_it_then)
{
	struct xos_credd_lease who;
	int64_t until;
	take("a", 100);
	give_back("a", 200);
	take("b", 210);
	take("c", 210);
	give_back("b", 300);
	ck_assert_uint_eq(take("d", 200 + WAIT + 100), FIRST);
	MUST(xos_credd_leases_at_time(l, FIRST, 150, &who, &until, &err), &err);
	ck_assert_str_eq(who.job, "a");
	ck_assert_int_eq(until, 200);
	MUST(xos_credd_leases_at_time(l, FIRST, 100, &who, &until, &err), &err);
	MUST(xos_credd_leases_at_time(l, FIRST, 200, &who, &until, &err), &err);
	ck_assert_int_eq(xos_credd_leases_at_time(l, FIRST, 99, &who, &until, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(
	    xos_credd_leases_at_time(l, FIRST, 201, &who, &until, &err), XOS_NOT_FOUND);
	MUST(xos_credd_leases_at_time(l, FIRST, 9999, &who, &until, &err), &err);
	ck_assert_str_eq(who.job, "d");
	ck_assert_int_eq(until, 0);
	ck_assert_int_eq(
	    xos_credd_leases_at_time(l, FIRST + 7, 9999, &who, &until, &err), XOS_NOT_FOUND);
}
END_TEST

/* 1 000 jobs come and go until the journal begins anew; nothing that counts is lost, also of before. */
START_TEST(a_journal_that_begins_anew)
{
	char job[64], text[256];
	struct xos_credd_lease who;
	int64_t until;
	struct xos_buf b;
	xos_buf_init(&b, XOS_CREDD_LEASES_READ_MAX);
	xos_buf_put_str(&b, "lease 1950000000 first alice 1 10\nlease 1950000001 long alice 1 10\n"
	                    "held 1950000001 11 files remain in x\nfree 1950000000 20\n");
	for (int i = 0; b.n <= XOS_CREDD_LEASES_BYTES; i++) {
		snprintf(text, sizeof(text),
		    "lease 1950000002 job-%d alice 1 %d\nfree 1950000002 %d\n", i, 100 + i,
		    100 + i);
		xos_buf_put_str(&b, text);
	}
	MUST(xos_file_write(journal, 0600, xos_buf_bytes(&b), &err), &err);
	xos_buf_free(&b);
	reopen();
	ck_assert_ptr_null(xos_credd_leases_trouble(l));
	for (int i = 0; i < 3; i++) {
		uint32_t uid = 0;
		snprintf(job, sizeof(job), "new-%d", i);
		ck_assert_int_eq(take_of(job, "alice", 10000000, 100, &uid), XOS_OK);
		ck_assert_uint_eq(uid, FIRST + 3 + (uint32_t)i);
	}
	MUST(xos_file_read(journal, 65536, &b, &err), &err);
	ck_assert_uint_lt(b.n, 1000);
	xos_buf_free(&b);
	reopen();
	ck_assert_ptr_null(xos_credd_leases_trouble(l));
	ck_assert_uint_eq(xos_credd_leases_count(l), 4);
	ck_assert_str_eq(xos_credd_leases_of_job(l, "long")->why, "files remain in x");
	ck_assert_uint_eq(xos_credd_leases_waiting(l), 2);
	MUST(xos_credd_leases_at_time(l, FIRST, 15, &who, &until, &err), &err);
	ck_assert_str_eq(who.job, "first");
	MUST(xos_credd_leases_at_time(l, FIRST + 4, 10000000, &who, &until, &err), &err);
	ck_assert_str_eq(who.job, "new-1");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("credd-leases");
	TCase *t = tcase_create("leases");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, one_job_one_uid);
	tcase_add_test(t, what_is_left_holds_it);
	tcase_add_test(t, waits_and_the_oldest_first);
	tcase_add_test(t, a_range_that_moves);
	tcase_add_test(t, cut_off_anywhere);
	tcase_add_test(t, a_damaged_journal_leases_nothing);
	tcase_add_test(t, a_disk_that_is_full);
	tcase_add_test(t, who_had_it_then);
	tcase_add_test(t, a_journal_that_begins_anew);
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
