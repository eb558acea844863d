/* The record of decisions as a file: whole lines, files put aside, samples, and what a full or a wrong folder does. */
#include "decide/record.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "json/json.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define REQUEST                                                                                    \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\r\n\"action\":{\"name\":\"job."   \
	"submit\"}}"

static char *dir, *folder, *current;
static struct xos_decision_log *log_;
static struct xos_err err;

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	dir = xos_test_dir_new();
	folder = xos_test_path(dir, "decisions");
	current = xos_test_path(folder, "decisions.jsonl");
	log_ = NULL;
}

static void teardown(void)
{
	xos_decision_log_close(log_);
	free(current);
	free(folder);
	xos_test_dir_free(dir);
}

static void open_log(uint64_t sample, uint64_t bytes, uint64_t files)
{
	const struct xos_decision_log_options o = {
	    .folder = folder, .sample = sample, .bytes = bytes, .files = files};

	MUST(xos_decision_log_open(&o, &log_, &err), &err);
}

static void put(enum xos_decision_outcome outcome)
{
	static const char *const groups[] = {"/demo/physics", "/demo"};
	const struct xos_policy_request asked = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                             .vo = "demo",
	                                             .member = "alice",
	                                             .groups = groups,
	                                             .ngroups = 2,
	                                             .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"}};
	const struct xos_decision_record r = {.id = "0011",
	    .now = INT64_C(1795348800),
	    .outcome = outcome,
	    .by = "vo demo:1",
	    .bundle_serial = 7,
	    .asked = &asked,
	    .request = xos_bytes_str(REQUEST)};

	xos_decision_log_put(log_, &r);
}

static struct xos_decision_log_counts counts(void)
{
	struct xos_decision_log_counts n;

	xos_decision_log_count(log_, &n);
	return n;
}

/* Each line parses; returns how many there are. */
static size_t lines(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	size_t n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		struct xos_json *doc = NULL;
		const struct xos_json *request = NULL;

		MUST(xos_json_parse(xos_bytes_str(line), sizeof(line), &doc, &err), &err);
		MUST(xos_json_get_object(doc, "request", &request, &err), &err);
		xos_json_free(doc);
		n++;
	}
	fclose(f);
	return n;
}

static size_t files_aside(void)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)))
		n += strncmp(e->d_name, "decisions-", 10) == 0;
	closedir(d);
	return n;
}

START_TEST(a_line_a_decision_readable_by_nobody_else)
{
	struct stat sb;

	open_log(1, 1 << 20, 4);
	put(XOS_DECISION_PERMIT);
	put(XOS_DECISION_DENY);
	put(XOS_DECISION_UNDECIDED);
	ck_assert_uint_eq(lines(current), 3);
	ck_assert_uint_eq(counts().written, 3);
	ck_assert_int_eq(stat(current, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(folder, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0700);
}
END_TEST

START_TEST(permits_are_sampled_denials_never)
{
	open_log(1000000, 1 << 20, 4);
	for (int i = 0; i < 100; i++)
		put(XOS_DECISION_PERMIT);
	for (int i = 0; i < 10; i++)
		put(XOS_DECISION_DENY);
	struct xos_decision_log_counts n = counts();
	ck_assert_uint_eq(n.written + n.left_out, 110);
	ck_assert_uint_ge(n.left_out, 90);
	ck_assert_uint_ge(lines(current), 10);
}
END_TEST

START_TEST(none_is_kept)
{
	open_log(0, 1 << 20, 4);
	put(XOS_DECISION_DENY);
	ck_assert_int_ne(access(folder, F_OK), 0);
	xos_decision_log_close(log_);
	log_ = NULL;
	put(XOS_DECISION_DENY); /* without a log at all */
}
END_TEST

START_TEST(full_files_are_put_aside_and_the_oldest_go)
{
	open_log(1, 1000, 3);
	for (int i = 0; i < 40; i++)
		put(XOS_DECISION_PERMIT);
	ck_assert_uint_eq(counts().written, 40);
	ck_assert_uint_eq(counts().lost, 0);
	ck_assert_uint_eq(files_aside(), 3);
	ck_assert_uint_ge(lines(current), 1);
}
END_TEST

START_TEST(a_torn_line_swallows_nothing)
{
	MUST(xos_dir_make(folder, 0700, &err), &err);
	int fd = open(current, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq((int)write(fd, "{\"deci", 6), 6);
	close(fd);
	open_log(1, 1 << 20, 4);
	put(XOS_DECISION_DENY);
	FILE *f = fopen(current, "re");
	char line[4096];
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "{\"deci\n");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_ptr_nonnull(strstr(line, "\"decision\":\"deny\""));
	fclose(f);
}
END_TEST

/* Written again once it can be, and never in another's file. */
START_TEST(what_cannot_be_written_is_counted)
{
	open_log(1, 1 << 20, 4);
	MUST(xos_dir_make(folder, 0700, &err), &err);
	ck_assert_int_eq(symlink("/dev/null", current), 0);
	put(XOS_DECISION_DENY);
	put(XOS_DECISION_DENY);
	ck_assert_uint_eq(counts().lost, 2);
	ck_assert_int_ne(counts().last_error[0], 0);
	ck_assert_int_eq(unlink(current), 0);
	put(XOS_DECISION_DENY);
	ck_assert_uint_eq(counts().written, 1);
	ck_assert_int_eq(counts().last_error[0], 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("decision-log");
	TCase *tc = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_line_a_decision_readable_by_nobody_else);
	tcase_add_test(tc, permits_are_sampled_denials_never);
	tcase_add_test(tc, none_is_kept);
	tcase_add_test(tc, full_files_are_put_aside_and_the_oldest_go);
	tcase_add_test(tc, a_torn_line_swallows_nothing);
	tcase_add_test(tc, what_cannot_be_written_is_counted);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
