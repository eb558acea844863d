/* The map of accounts: both directions, misses, replacement, and files that no writer wrote. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "local/accountmap.h"
#include "local/accountmap_form.h"

#define FIRST 1900000000u
#define MANY 100000u

static char dir[64], path[96];
static struct xos_account_map_member *member;
static struct xos_account_map_group group[3];
static struct xos_account_map_fields fields;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/xos-map-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/accounts.map", dir);
	member = calloc(MANY, sizeof(*member));
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(member[i].name, sizeof(member[i].name), "demo.m%u", i * 7919u % MANY);
		member[i].uid = member[i].gid = FIRST + 1 + i;
	}
	ck_assert(xos_account_group_name("/demo", group[0].name));
	ck_assert(xos_account_group_name("/demo/physics", group[1].name));
	ck_assert(xos_account_group_name("/demo/physics/hot", group[2].name));
	for (uint32_t i = 0; i < 3; i++)
		group[i].gid = 1960000000u + i;
	fields = (struct xos_account_map_fields){.head = {.vo = "demo",
	                                             .first = FIRST,
	                                             .last = FIRST + 999999,
	                                             .jobs_first = 1950000000u,
	                                             .jobs_last = 1950000009u,
	                                             .home = "/srv/homes/",
	                                             .serial = 7,
	                                             .built = 1000,
	                                             .members = 4,
	                                             .groups = 3},
	    .member = member,
	    .group = group};
}

static void teardown(void)
{
	free(member);
	unlink(path);
	rmdir(dir);
}

static void make(struct xos_buf *b)
{
	struct xos_err err = XOS_ERR_INIT;
	xos_buf_init(b, XOS_ACCOUNT_MAP_SIZE_MAX);
	ck_assert_msg(xos_account_map_make(&fields, b, &err) == XOS_OK, "%s", err.text);
}

static void publish(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	make(&b);
	ck_assert_msg(
	    xos_file_write(path, 0644, xos_buf_bytes(&b), &err) == XOS_OK, "%s", err.text);
	xos_buf_free(&b);
}

static struct xos_account_map *open_map(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_account_map *m = NULL;
	ck_assert_msg(xos_account_map_open(path, geteuid(), &m, &err) == XOS_OK, "%s", err.text);
	return m;
}

START_TEST(both_directions_and_misses)
{
	struct xos_account_map_member a;
	struct xos_account_map_group g;
	member[2].state = XOS_ACCOUNT_REMOVED;
	publish();
	struct xos_account_map *m = open_map();
	const struct xos_account_map_head *h = xos_account_map_head(m);
	ck_assert_str_eq(h->vo, "demo");
	ck_assert_str_eq(h->home, "/srv/homes/");
	ck_assert_uint_eq(h->serial, 7);
	ck_assert_uint_eq(h->members, 4);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert(xos_account_map_by_name(m, member[i].name, &a));
		ck_assert_uint_eq(a.uid, member[i].uid);
		ck_assert(xos_account_map_by_uid(m, member[i].uid, &a));
		ck_assert_str_eq(a.name, member[i].name);
		ck_assert_int_eq(a.state, member[i].state);
	}
	ck_assert(xos_account_map_group_by_name(m, "demo+physics", &g));
	ck_assert_uint_eq(g.gid, 1960000001u);
	ck_assert(xos_account_map_group_by_gid(m, 1960000002u, &g));
	ck_assert_str_eq(g.name, "demo+physics+hot");
	static const char *const none[] = {"", "demo", "demo.", "demo.m", "root", "demo.m4 ",
	    "demo+physics", "demo.abcdefghijklmnopqrstuvwxyz0123456789"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!xos_account_map_by_name(m, none[i], &a), "%s", none[i]);
	static const uint32_t no[] = {
	    0, 1000, FIRST, FIRST + 5, FIRST - 1, UINT32_MAX, 1950000003u};
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert(!xos_account_map_by_uid(m, no[i], &a));
	ck_assert(!xos_account_map_group_by_gid(m, FIRST + 1, &g));
	ck_assert(!xos_account_map_group_by_gid(m, 0, &g));
	ck_assert(!xos_account_map_group_by_name(m, "demo.m0", &g));
	ck_assert(!xos_account_map_at(m, 4, &a));
	xos_account_map_free(m);
}
END_TEST

START_TEST(names_of_groups)
{
	char out[XOS_ACCOUNT_MAP_GROUP_MAX + 1];
	ck_assert(xos_account_group_name("/demo/a-b.c", out));
	ck_assert_str_eq(out, "demo+a-b.c");
	ck_assert(!xos_account_group_name("demo", out));
	ck_assert(!xos_account_group_name("/demo/Role=x", out));
	ck_assert(!xos_account_group_name("/demo//a", out));
}
END_TEST

START_TEST(a_replaced_file_is_noticed)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_account_map_member a;
	publish();
	struct xos_account_map *m = open_map();
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_OK);
	ck_assert(!xos_account_map_by_uid(m, FIRST + 5, &a));
	fields.head.members = 5;
	publish();
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_OK);
	ck_assert(xos_account_map_by_uid(m, FIRST + 5, &a));
	/* What replaces it is damaged, or is gone: the old one goes on to answer. */
	ck_assert_int_eq(xos_file_write(path, 0644, xos_bytes_str("nonsense"), &err), XOS_OK);
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_MALFORMED);
	ck_assert(xos_account_map_by_uid(m, FIRST + 5, &a));
	unlink(path);
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_NOT_FOUND);
	ck_assert(xos_account_map_by_uid(m, FIRST + 5, &a));
	publish();
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_OK);
	xos_account_map_free(m);
}
END_TEST

START_TEST(whose_file_is_believed)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_account_map *m = NULL;
	char other[128];
	publish();
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert_int_eq(xos_account_map_open(path, geteuid(), &m, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "map-owner");
	ck_assert_int_eq(chmod(path, 0644), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 1234, 1234), 0);
		ck_assert_int_eq(xos_account_map_open(path, 1235, &m, &err), XOS_DENIED);
		ck_assert_int_eq(xos_account_map_open(path, 1234, &m, &err), XOS_OK);
		xos_account_map_free(m);
	}
	/* A link in its place is not followed; nor does a pipe keep anybody waiting. */
	snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_ne(xos_account_map_open(path, geteuid(), &m, &err), XOS_OK);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	ck_assert_int_ne(xos_account_map_open(path, geteuid(), &m, &err), XOS_OK);
	unlink(other);
}
END_TEST

START_TEST(what_no_map_may_hold)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_account_map_member keep = member[3];
	xos_buf_init(&b, 65536);
	member[3].uid = member[0].uid;
	ck_assert_int_eq(xos_account_map_make(&fields, &b, &err), XOS_MALFORMED);
	member[3] = keep;
	memcpy(member[3].name, member[0].name, sizeof(member[3].name));
	ck_assert_int_eq(xos_account_map_make(&fields, &b, &err), XOS_MALFORMED);
	member[3] = keep;
	member[3].uid = 0;
	ck_assert_int_eq(xos_account_map_make(&fields, &b, &err), XOS_MALFORMED);
	member[3] = keep;
	member[3].gid = FIRST + 1000000;
	ck_assert_int_eq(xos_account_map_make(&fields, &b, &err), XOS_MALFORMED);
	member[3] = keep;
	group[1].gid = 27;
	ck_assert_int_eq(xos_account_map_make(&fields, &b, &err), XOS_MALFORMED);
	ck_assert_uint_eq(b.n, 0);
	xos_buf_free(&b);
}
END_TEST

/* Everything that can be asked of a map, whatever it holds. */
static void ask_all(const struct xos_account_map *m)
{
	const struct xos_account_map_head *h = xos_account_map_head(m);
	struct xos_account_map_member a;
	struct xos_account_map_group g;
	for (uint32_t i = 0; i < 6; i++) {
		if (xos_account_map_at(m, i, &a))
			ck_assert(a.uid >= h->first && a.uid <= h->last && a.uid >= 1000);
		if (xos_account_map_by_name(m, member[i].name, &a))
			ck_assert_str_eq(a.name, member[i].name);
		if (xos_account_map_by_uid(m, FIRST + i, &a))
			ck_assert_uint_eq(a.uid, FIRST + i);
		if (xos_account_map_group_at(m, i, &g))
			ck_assert_uint_ge(g.gid, 1000);
		if (xos_account_map_group_by_gid(m, 1960000000u + i, &g))
			ck_assert_uint_eq(g.gid, 1960000000u + i);
	}
	(void)xos_account_map_group_by_name(m, "demo+physics", &g);
}

START_TEST(cut_short_and_tampered_with)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_account_map *m = NULL;
	struct xos_buf b;
	make(&b);
	/* Each length but the right one is refused, so that no look-up ever meets the end. */
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_account_map_use((struct xos_bytes){b.p, n}, &m, &err), XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_account_map_use(xos_buf_bytes(&b), &m, &err), XOS_MALFORMED);
	b.n--;
	/* Each byte turned over: refused, or still a map that answers within its bounds. */
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	for (size_t i = 0; i < b.n; i++)
		for (size_t j = 0; j < sizeof(flips); j++) {
			uint8_t *copy = malloc(b.n);
			memcpy(copy, b.p, b.n);
			copy[i] ^= flips[j];
			if (xos_account_map_use((struct xos_bytes){copy, b.n}, &m, &err) ==
			    XOS_OK) {
				ask_all(m);
				xos_account_map_free(m);
			}
			free(copy);
		}
	xos_buf_free(&b);
}
END_TEST

/* Every slot taken: a miss ends all the same. */
START_TEST(full_tables_end)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_account_map *m = NULL;
	struct xos_account_map_member a;
	struct xos_buf b;
	fields.head.members = 1000;
	make(&b);
	size_t slots = XOS_MAP_HEAD + 1000 * XOS_MAP_RECORD;
	for (size_t i = 0; i < 2 * 2048; i++)
		memcpy(b.p + slots + 4 * i, "\0\0\0\1", 4);
	ck_assert_int_eq(xos_account_map_use(xos_buf_bytes(&b), &m, &err), XOS_OK);
	ck_assert(!xos_account_map_by_name(m, "demo.nobody", &a));
	ck_assert(!xos_account_map_by_uid(m, FIRST + 999, &a));
	xos_account_map_free(m);
	xos_buf_free(&b);
}
END_TEST

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Counted and not asserted one by one: each assertion is a system call. */
START_TEST(a_hundred_thousand)
{
	struct xos_account_map_member a;
	uint32_t named = 0, numbered = 0, missed = 0;
	fields.head.members = MANY;
	double begin = seconds();
	publish();
	double built = seconds();
	struct xos_account_map *m = open_map();
	double opened = seconds();
	for (uint32_t i = 0; i < MANY; i++)
		named += xos_account_map_by_name(m, member[i].name, &a) && a.uid == member[i].uid;
	double t1 = seconds();
	for (uint32_t i = 0; i < MANY; i++)
		numbered += xos_account_map_by_uid(m, member[i].uid, &a) &&
		            strcmp(a.name, member[i].name) == 0;
	double t2 = seconds();
	for (uint32_t i = 0; i < MANY; i++)
		missed += !xos_account_map_by_name(m, member[i].name + 1, &a);
	double t3 = seconds();
	ck_assert_uint_eq(named, MANY);
	ck_assert_uint_eq(numbered, MANY);
	ck_assert_uint_eq(missed, MANY);
	printf("written %.0f ms, opened %.0f us, by name %.0f ns, by uid %.0f ns, miss %.0f ns\n",
	    (built - begin) * 1e3, (opened - built) * 1e6, (t1 - opened) * 1e9 / MANY,
	    (t2 - t1) * 1e9 / MANY, (t3 - t2) * 1e9 / MANY);
	xos_account_map_free(m);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("local-accountmap");
	TCase *t = tcase_create("map");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, both_directions_and_misses);
	tcase_add_test(t, names_of_groups);
	tcase_add_test(t, a_replaced_file_is_noticed);
	tcase_add_test(t, whose_file_is_believed);
	tcase_add_test(t, what_no_map_may_hold);
	tcase_add_test(t, cut_short_and_tampered_with);
	tcase_add_test(t, full_tables_end);
	tcase_add_test(t, a_hundred_thousand);
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
