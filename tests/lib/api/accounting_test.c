#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/accounting.h"
#include "base/file.h"

static struct xos_record sample(void)
{
	struct xos_record r = {.id = "00112233445566778899aabbccddeeff",
	    .vo = "demo",
	    .member = "alice",
	    .number = 4,
	    .actors = {"job 00ff on n9", "job 11ff on n2"},
	    .nactors = 2,
	    .site = "lab",
	    .node = "n1",
	    .name = "try",
	    .submitted = 1000,
	    .started = 1001,
	    .ended = 1010,
	    .wall_ms = 9000,
	    .cpu_user_us = 5,
	    .cpu_system_us = 6,
	    .memory_kib = 7,
	    .end = "signalled",
	    .value = 9,
	    .cause = "wall",
	    .deciders = "vo demo:1, site lab:3",
	    .sets = {{"vo", "demo", 42}, {"site", "lab", 7}},
	    .nsets = 2,
	    .bundle_serial = 99,
	    .account = "demo.alice",
	    .uid = 200000004,
	    .delegation = "sha256:00",
	    .isolation = "account,pid"};
	return r;
}

START_TEST(round_trip)
{
	struct xos_record r = sample(), back;
	struct xos_json *doc = xos_record_to_json(&r), *again;
	struct xos_buf a, b;

	ck_assert_int_eq(xos_record_from_json(doc, &back, NULL), XOS_OK);
	again = xos_record_to_json(&back);
	xos_buf_init(&a, XOS_RECORD_MAX);
	xos_buf_init(&b, XOS_RECORD_MAX);
	ck_assert_int_eq(xos_json_dump(doc, &a, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_dump(again, &b, NULL), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&a), xos_buf_bytes(&b)));
	xos_json_free(doc);
	xos_json_free(again);
	xos_buf_free(&a);
	xos_buf_free(&b);
}
END_TEST

static enum xos_status changed(const char *key, const char *value)
{
	struct xos_record r = sample(), back;
	struct xos_json *doc = xos_record_to_json(&r);
	enum xos_status st;

	xos_json_set_string(doc, key, value);
	st = xos_record_from_json(doc, &back, NULL);
	xos_json_free(doc);
	return st;
}

START_TEST(every_cause_of_an_end_is_taken)
{
	static const char *const causes[] = {
	    "self", "cancelled", "wall", "cpu", "memory", "policy", "lock"};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct xos_record r = sample(), back;

		snprintf(r.cause, sizeof(r.cause), "%s", causes[i]);
		struct xos_json *doc = xos_record_to_json(&r);
		ck_assert_msg(xos_record_from_json(doc, &back, NULL) == XOS_OK, "%s", causes[i]);
		ck_assert_str_eq(back.cause, causes[i]);
		xos_json_free(doc);
	}
}
END_TEST

START_TEST(refusals)
{
	ck_assert_int_eq(changed("name", "other"), XOS_OK);
	ck_assert_int_eq(changed("id", "../../etc/passwd"), XOS_MALFORMED);
	ck_assert_int_eq(changed("id", "00112233445566778899AABBCCDDEEFF"), XOS_MALFORMED);
	ck_assert_int_eq(changed("kind", "session"), XOS_MALFORMED);
	ck_assert_int_eq(changed("vo", "Demo"), XOS_MALFORMED);
	ck_assert_int_eq(changed("member", "root:x"), XOS_MALFORMED);
	ck_assert_int_eq(changed("node", "N1"), XOS_MALFORMED);
	ck_assert_int_eq(changed("end", "fine"), XOS_MALFORMED);
	ck_assert_int_eq(changed("cause", ""), XOS_MALFORMED);
	ck_assert_int_eq(changed("number", "4"), XOS_MALFORMED);
	ck_assert_int_eq(changed("ended", "1970-01-01T00:00:01Z"), XOS_MALFORMED);
	ck_assert_int_eq(changed("surprise", "x"), XOS_MALFORMED);
}
END_TEST

static enum xos_status sender(
    enum xos_kind kind, const char *service, const char *vo, const char *name, size_t steps)
{
	struct xos_record r = sample();
	struct xos_claims c = {.kind = kind};
	struct xos_identity who = {.claims = &c, .nsteps = steps};

	strcpy(c.service, service);
	strcpy(c.vo, vo);
	strcpy(c.name, name);
	return xos_record_sender(&r, &who, NULL);
}

START_TEST(senders)
{
	ck_assert_int_eq(sender(XOS_KIND_SERVICE, "jobs", "demo", "n1", 0), XOS_OK);
	ck_assert_int_eq(sender(XOS_KIND_SERVICE, "jobs", "demo", "n2", 0), XOS_DENIED);
	ck_assert_int_eq(sender(XOS_KIND_SERVICE, "jobs", "other", "n1", 0), XOS_DENIED);
	ck_assert_int_eq(sender(XOS_KIND_SERVICE, "data", "demo", "n1", 0), XOS_DENIED);
	ck_assert_int_eq(sender(XOS_KIND_NODE, "", "demo", "n1", 0), XOS_DENIED);
	ck_assert_int_eq(sender(XOS_KIND_USER, "", "demo", "alice", 0), XOS_DENIED);
	ck_assert_int_eq(sender(XOS_KIND_SERVICE, "jobs", "demo", "n1", 1), XOS_DENIED);
}
END_TEST

START_TEST(spool_keeps_one_file_a_record)
{
	struct xos_record r = sample();
	char dir[] = "/tmp/xos-spool-XXXXXX", path[128], cmd[64];
	struct dirent *e;
	size_t files = 0;
	DIR *d;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(xos_spool_put(dir, &r, (uint32_t)-1, (uint32_t)-1, NULL), XOS_OK);
	ck_assert_int_eq(xos_spool_put(dir, &r, (uint32_t)-1, (uint32_t)-1, NULL), XOS_OK);
	d = opendir(dir);
	while ((e = readdir(d)))
		files += e->d_name[0] != '.';
	closedir(d);
	ck_assert_uint_eq(files, 1);
	snprintf(path, sizeof(path), "%s/%s.json", dir, r.id);
	ck_assert_int_eq(access(path, R_OK), 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

START_TEST(pauses_grow_and_end)
{
	for (int i = 0; i < 200; i++) {
		int64_t first = xos_spool_pause(1), late = xos_spool_pause(1000);

		ck_assert_int_ge(first, 500);
		ck_assert_int_lt(first, 1500);
		ck_assert_int_ge(late, 150000);
		ck_assert_int_lt(late, 450000);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("api accounting");
	TCase *t = tcase_create("accounting");
	SRunner *r;
	int failed;

	tcase_add_test(t, round_trip);
	tcase_add_test(t, every_cause_of_an_end_is_taken);
	tcase_add_test(t, refusals);
	tcase_add_test(t, senders);
	tcase_add_test(t, spool_keeps_one_file_a_record);
	tcase_add_test(t, pauses_grow_and_end);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
