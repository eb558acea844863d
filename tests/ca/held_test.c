/* Which unexpired tokens a lock holds, and that it takes no longer with many of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/key/held.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1800000000)

static char *dir;
static struct ca_membership *m;
static struct ca_tokens *t;
static struct ca_held *h;
static struct xos_err err;

static void setup(void)
{
	dir = xos_test_dir_new();
	char *path = xos_test_path(dir, "membership.db");

	err = (struct xos_err)XOS_ERR_INIT;
	MUST(ca_membership_open(path, "demo", true, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	free(path);
	t = ca_tokens_new();
	h = ca_held_new();
	MUST_TRUE(t && h);
}

static void teardown(void)
{
	ca_held_free(h);
	ca_tokens_free(t);
	ca_membership_close(m);
	xos_test_dir_free(dir);
}

static uint64_t member(const char *name)
{
	uint64_t number = 0;

	MUST(ca_member_add(m, name, NOW, &number, &err), &err);
	return number;
}

/* names: groups, then roles; ends with NULL. */
static void put(const char *serial, uint64_t number, int64_t not_after, const char *const *names)
{
	struct ca_token_entry e = {.number = number, .not_after = not_after};
	struct ca_token *added = NULL;

	strcpy(e.serial, serial);
	for (; *names; names++)
		MUST(ca_names_add(&e.names, *names, strlen(*names), &err), &err);
	MUST(ca_tokens_put(t, &e, NOW, &added, &err), &err);
	ca_held_mark(h, t, added);
	ca_names_free(&e.names);
}
#define PUT(serial, number, ...)                                                                   \
	put(serial, number, NOW + 100, (const char *const[]){__VA_ARGS__, NULL})

static struct ca_token *token(const char *serial)
{
	struct ca_token *k;
	struct xos_buf b;

	xos_buf_init(&b, XOS_SERIAL_MAX);
	MUST(xos_hex_decode(&b, serial, strlen(serial)), &err);
	k = ca_tokens_find(t, xos_buf_bytes(&b));
	xos_buf_free(&b);
	return k;
}

static void lock(enum xos_lock_kind kind, const char *name, int64_t until)
{
	struct xos_lock l = {.kind = kind, .since = NOW - 5, .until = until};

	strcpy(l.name, name);
	MUST(ca_lock_add(m, &l, &err), &err);
}

static bool refresh(int64_t now)
{
	uint64_t before = ca_held_version(h);
	bool changed = false;

	MUST(ca_held_refresh(h, m, t, now, &changed, &err), &err);
	return ca_held_version(h) != before;
}

static bool held(const char *serial)
{
	return ca_held_cause(h, token(serial)) != NULL;
}

static void fill(void)
{
	uint64_t alice = member("alice"), bob = member("bob");

	MUST(ca_group_add(m, "/demo/physics", NOW, &err), &err);
	MUST(ca_group_add(m, "/demo/physicsx", NOW, &err), &err);
	PUT("4001", alice, "/demo/physics/hep", "/demo/physics", "/demo");
	PUT("4002", alice, "/demo/physics/hep", "/demo/physics", "/demo",
	    "/demo/physics/Role=editor");
	PUT("4003", bob, "/demo/physicsx", "/demo");
	PUT("4004", bob, "/demo");
	ck_assert(refresh(NOW));
}

/* Else every minute would be news, and all that is kept of lists and answers be thrown away. */
START_TEST(who_rests_and_is_locked_is_no_news_with_time)
{
	fill();
	lock(XOS_LOCK_MEMBER, "bob", XOS_LOCK_NO_END);
	MUST(xos_sql_run(m->store, NULL, &err,
	         "UPDATE members SET state = 'suspended' WHERE name = 'bob'", ""),
	    &err);
	ck_assert(refresh(NOW + 1));
	ck_assert(held("4003"));
	ck_assert(!refresh(NOW + 100));
	ck_assert(!refresh(NOW + 200));
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "bob", &err), &err);
	ck_assert(refresh(NOW + 300));
	ck_assert(held("4003"));
	ck_assert_int_eq(ca_held_cause(h, token("4003"))->since, NOW + 1);
}
END_TEST

START_TEST(a_members_usable_tokens_are_counted)
{
	char serial[XOS_SERIAL_TEXT];

	ck_assert_uint_eq(ca_tokens_usable(t, 1, NOW), 0);
	fill();
	ck_assert_uint_eq(ca_tokens_usable(t, 1, NOW), 2);
	ck_assert_uint_eq(ca_tokens_usable(t, 2, NOW), 2);
	ck_assert_uint_eq(ca_tokens_usable(t, 3, NOW), 0);
	lock(XOS_LOCK_TOKEN, "4001", NOW + 50);
	ck_assert(refresh(NOW));
	ck_assert_uint_eq(ca_tokens_usable(t, 1, NOW), 1);
	ck_assert_uint_eq(ca_tokens_usable(t, 2, NOW + 100), 0);
	/* tables grow, and what expired goes */
	for (int i = 0; i < 3000; i++) {
		snprintf(serial, sizeof(serial), "%06x", 0x500000 + i);
		put(serial, (uint64_t)(2 + i % 5), i % 2 ? NOW + 100 : NOW - 2 * CA_TOKENS_KEEP,
		    (const char *const[]){"/demo", NULL});
	}
	ck_assert_uint_eq(ca_tokens_usable(t, 1, NOW), 1);
	ck_assert_uint_eq(ca_tokens_usable(t, 2, NOW), 2 + 300);
	ck_assert_uint_eq(ca_tokens_usable(t, 6, NOW), 300);
}
END_TEST

START_TEST(each_kind_of_lock_holds_its_tokens)
{
	static const struct {
		enum xos_lock_kind kind;
		const char *name;
		bool held[4];
	} cases[] = {
	    {XOS_LOCK_MEMBER, "alice", {true, true, false, false}},
	    {XOS_LOCK_GROUP, "/demo/physics", {true, true, false, false}},
	    {XOS_LOCK_GROUP, "/demo", {true, true, true, true}},
	    {XOS_LOCK_ROLE, "/demo/physics/Role=editor", {false, true, false, false}},
	    {XOS_LOCK_ROLE, "/demo/Role=editor", {false, false, false, false}},
	    {XOS_LOCK_TOKEN, "4003", {false, false, true, false}},
	};
	static const char *const serials[] = {"4001", "4002", "4003", "4004"};
	uint64_t count = 0, want = 0;

	fill();
	for (size_t i = 0; i < 4; i++)
		want += cases[_i].held[i];
	MUST(ca_held_count(m, t, cases[_i].kind, cases[_i].name, NOW, &count, &err), &err);
	ck_assert_uint_eq(count, want);
	MUST(ca_held_count(m, t, cases[_i].kind, cases[_i].name, NOW + 100, &count, &err), &err);
	ck_assert_uint_eq(count, 0); /* all expired */
	lock(cases[_i].kind, cases[_i].name, NOW + 50);
	ck_assert(refresh(NOW));
	for (size_t i = 0; i < 4; i++) {
		const struct ca_cause *c = ca_held_cause(h, token(serials[i]));

		ck_assert_msg((c != NULL) == cases[_i].held[i], "%s", serials[i]);
		ck_assert(!c || (c->since == NOW - 5 && c->reason == XOS_CRL_HOLD));
	}
	ck_assert(!refresh(NOW + 49));
	/* It ends by itself. */
	ck_assert(refresh(NOW + 50));
	for (size_t i = 0; i < 4; i++)
		ck_assert(!held(serials[i]));
}
END_TEST

START_TEST(what_holds_nothing_new_changes_nothing)
{
	fill();
	lock(XOS_LOCK_MEMBER, "alice", XOS_LOCK_NO_END);
	ck_assert(refresh(NOW));
	member("carol"); /* the roster is another one, what holds tokens is not */
	ck_assert(!refresh(NOW));
	ck_assert(held("4001") && !held("4003"));
	MUST(ca_lock_remove(m, XOS_LOCK_MEMBER, "alice", &err), &err);
	ck_assert(refresh(NOW));
	ck_assert(!held("4001"));
}
END_TEST

START_TEST(a_membership_that_ended_holds_its_tokens)
{
	fill();
	lock(XOS_LOCK_MEMBER, "bob", XOS_LOCK_NO_END);
	MUST(ca_member_remove(m, "bob", NOW + 7, &err), &err);
	ck_assert(refresh(NOW + 8));
	const struct ca_cause *c = ca_held_cause(h, token("4003"));
	ck_assert(c && c->since == NOW + 7 && c->reason == XOS_CRL_AFFILIATION_CHANGED);
	ck_assert(!held("4001"));
	/* One that rests counts from when it was seen. */
	MUST(xos_store_exec(
	         m->store, "UPDATE members SET state = 'suspended' WHERE name = 'alice'", &err),
	    &err);
	MUST(xos_store_exec(
	         m->store, "UPDATE counters SET value = value + 1 WHERE name = 'roster'", &err),
	    &err);
	ck_assert(refresh(NOW + 9));
	ck_assert_int_eq(ca_held_cause(h, token("4001"))->since, NOW + 9);
	lock(XOS_LOCK_GROUP, "/demo/physicsx", XOS_LOCK_NO_END);
	ck_assert(refresh(NOW + 20));
	ck_assert_int_eq(ca_held_cause(h, token("4001"))->since, NOW + 9);
	ck_assert_int_eq(ca_held_cause(h, token("4001"))->reason, XOS_CRL_HOLD);
}
END_TEST

START_TEST(a_token_that_comes_under_a_lock_is_held)
{
	fill();
	lock(XOS_LOCK_GROUP, "/demo/physics", XOS_LOCK_NO_END);
	ck_assert(refresh(NOW));
	PUT("4005", 9, "/demo/physics", "/demo");
	PUT("4006", 9, "/demo");
	ck_assert(held("4005"));
	ck_assert(!held("4006"));
}
END_TEST

START_TEST(expired_ones_go_and_what_is_left_is_found)
{
	char serial[16], group[32];

	fill();
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(serial, sizeof(serial), "50%06x", i);
		snprintf(group, sizeof(group), "/demo/g%u", i);
		put(serial, 5, i % 10 ? NOW - CA_TOKENS_KEEP : NOW + 100,
		    (const char *const[]){group, "/demo", NULL});
	}
	ck_assert_uint_lt(ca_tokens_count(t), 2000);
	ck_assert_uint_lt(ca_tokens_names(t), 2000);
	ck_assert_ptr_nonnull(token("4001"));
	for (unsigned i = 0; i < 5000; i += 10) {
		size_t n = 0;

		snprintf(serial, sizeof(serial), "50%06x", i);
		snprintf(group, sizeof(group), "/demo/g%u", i);
		ck_assert_ptr_nonnull(token(serial));
		const uint32_t *ids = ca_tokens_set(t, token(serial)->set, &n);
		ck_assert_uint_eq(n, 2);
		ck_assert_str_eq(ca_tokens_name(t, ids[0]), group);
	}
	ck_assert_ptr_null(token("60000000"));
	struct ca_token_entry bad = {.serial = "4g"};
	ck_assert_int_eq(ca_tokens_put(t, &bad, NOW, NULL, &err), XOS_MALFORMED);
	struct ca_token_entry none = {.serial = ""};
	ck_assert_int_eq(ca_tokens_put(t, &none, NOW, NULL, &err), XOS_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-held");
	TCase *tc = tcase_create("held");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_rests_and_is_locked_is_no_news_with_time);
	tcase_add_test(tc, a_members_usable_tokens_are_counted);
	tcase_add_loop_test(tc, each_kind_of_lock_holds_its_tokens, 0, 6);
	tcase_add_test(tc, what_holds_nothing_new_changes_nothing);
	tcase_add_test(tc, a_membership_that_ended_holds_its_tokens);
	tcase_add_test(tc, a_token_that_comes_under_a_lock_is_held);
	tcase_add_test(tc, expired_ones_go_and_what_is_left_is_found);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
