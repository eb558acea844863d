/* Options, verbs, errors and exit status; joined VOs; the current token. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/vo.h"
#include "testsupport/vo.h"

/* The tool */

static bool wait_flag;
static const char *limit;
static struct xos_cli_list env;

static const struct xos_cli_option submit_options[] = {
    {.name = "wait", .about = "wait", .flag = &wait_flag},
    {.name = "limit", .arg = "N", .about = "a limit", .value = &limit},
    {.name = "env", .arg = "A=B", .about = "a variable", .list = &env}, {.name = NULL}};

static char seen[1000];

static enum xos_status submit(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	int n = snprintf(seen, sizeof(seen), "wait=%d limit=%s env=%zu json=%d vo=%s:", wait_flag,
	    limit ? limit : "-", env.n, cli->json, cli->vo ? cli->vo : "-");
	(void)err;
	for (int i = 0; i < argc; i++)
		n += snprintf(seen + n, sizeof(seen) - (size_t)n, " %s", argv[i]);
	ck_assert_ptr_null(argv[argc]);
	return XOS_OK;
}

static enum xos_status refuse(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)cli;
	(void)argc;
	return xos_err_set(err, argv[0][0] == 'd' ? XOS_DENIED : XOS_UNAVAILABLE, "test-refused",
	    "refused: %s", argv[0]);
}

static enum xos_status answer(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	(void)err;
	cli->exit_status = 42;
	return XOS_OK;
}

static const struct xos_cli_verb verbs[] = {
    {"submit", "COMMAND...", "submit", 1, -1, true, submit_options, submit},
    {"refuse", "WORD", "refuse", 1, 1, false, NULL, refuse},
    {"answer", "", "answer", 0, 0, false, NULL, answer}};
static const struct xos_cli_program tool = {.name = "xos-test",
    .about = "a tool for tests",
    .verbs = verbs,
    .nverbs = 3,
    .examples = "  xos-test answer\n"};
static const struct xos_cli_verb single[] = {
    {NULL, "MEMBER", "log in", 0, 1, false, submit_options, submit}};
static const struct xos_cli_program single_tool = {
    .name = "xos-one", .about = "a tool of one verb", .verbs = single, .nverbs = 1};

static char *dir;

/* Runs with these words; standard output and error go to files. */
static int run(const struct xos_cli_program *p, const char *words)
{
	char copy[500], *argv[32], *save = NULL;
	int argc = 0;
	snprintf(copy, sizeof(copy), "%s %s", p->name, words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	wait_flag = false;
	limit = NULL;
	env.n = 0;
	seen[0] = '\0';
	char *out = xos_test_path(dir, "out"), *err = xos_test_path(dir, "err");
	fflush(stdout);
	int saved_out = dup(1), saved_err = dup(2);
	ck_assert_ptr_nonnull(freopen(out, "w", stdout));
	ck_assert_ptr_nonnull(freopen(err, "w", stderr));
	int status = xos_cli_main(p, argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	free(out);
	free(err);
	return status;
}

static const char *text_of(const char *name)
{
	static char text[10000];
	char *path = xos_test_path(dir, name);
	FILE *f = fopen(path, "r");
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	free(path);
	return text;
}

static void setup(void)
{
	dir = xos_test_dir_new();
}

static void teardown(void)
{
	xos_test_dir_free(dir);
}

START_TEST(parses_options)
{
	ck_assert_int_eq(run(&tool, "submit --wait --limit 5 --env A=1 --env=B=2 sh -c id"), 0);
	ck_assert_str_eq(seen, "wait=1 limit=5 env=2 json=0 vo=-: sh -c id");
	ck_assert_int_eq(run(&tool, "--json submit --vo demo -- --odd -x"), 0);
	ck_assert_str_eq(seen, "wait=0 limit=- env=0 json=1 vo=demo: --odd -x");
	/* The command's own options are the command's. */
	ck_assert_int_eq(run(&tool, "submit ls --wait --json"), 0);
	ck_assert_str_eq(seen, "wait=0 limit=- env=0 json=0 vo=-: ls --wait --json");
	ck_assert_int_eq(run(&single_tool, "alice --wait"), 0);
	ck_assert_str_eq(seen, "wait=1 limit=- env=0 json=0 vo=-: alice");
	ck_assert_int_eq(run(&single_tool, ""), 0);
}
END_TEST

static const char *const wrong[] = {"", "sing", "submit", "submit --nope x", "submit --limit",
    "submit --limit 1 --limit 2 x", "submit --wait=yes x", "submit -x", "refuse", "refuse a b",
    "answer a", "--vo", "--wait submit x"};

START_TEST(usage_errors_exit_2)
{
	ck_assert_int_eq(run(&tool, wrong[_i]), 2);
	ck_assert_str_eq(seen, "");
	ck_assert_ptr_nonnull(strstr(text_of("err"), "xos-test: "));
	ck_assert_ptr_nonnull(strstr(text_of("err"), "--help"));
	ck_assert_str_eq(text_of("out"), "");
}
END_TEST

START_TEST(errors_and_exit_status)
{
	ck_assert_int_eq(run(&tool, "refuse denied"), 1);
	ck_assert_str_eq(text_of("err"), "xos-test: refused: denied\n");
	ck_assert_str_eq(text_of("out"), "");
	ck_assert_int_eq(run(&tool, "refuse unreachable"), 3);
	ck_assert_int_eq(run(&tool, "answer"), 42);
	ck_assert_int_eq(run(&tool, "refuse denied --json"), 1);
	ck_assert_str_eq(text_of("err"), "");
	struct xos_json *doc = NULL;
	const struct xos_json *e = NULL;
	const char *s = NULL;
	ck_assert_int_eq(xos_json_parse(xos_bytes_str(text_of("out")), 10000, &doc, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_object(doc, "error", &e, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_string(e, "code", 100, &s, NULL), XOS_OK);
	ck_assert_str_eq(s, "test-refused");
	ck_assert_int_eq(xos_json_get_string(e, "status", 100, &s, NULL), XOS_OK);
	ck_assert_str_eq(s, "denied");
	xos_json_free(doc);
}
END_TEST

START_TEST(help)
{
	ck_assert_int_eq(run(&tool, "--help"), 0);
	ck_assert_ptr_nonnull(strstr(text_of("out"), "Examples:\n  xos-test answer"));
	ck_assert_ptr_nonnull(strstr(text_of("out"), "refuse WORD"));
	ck_assert_int_eq(run(&tool, "submit --help"), 0);
	ck_assert_ptr_nonnull(strstr(text_of("out"), "--limit N"));
	ck_assert_ptr_null(strstr(text_of("out"), "refuse WORD"));
	ck_assert_int_eq(run(&single_tool, "-h"), 0);
	ck_assert_ptr_nonnull(strstr(text_of("out"), "--limit N"));
	ck_assert_int_eq(run(&tool, "--version"), 0);
	ck_assert_ptr_nonnull(strstr(text_of("out"), "xos-test 0."));
}
END_TEST

START_TEST(no_control_characters_are_shown)
{
	const char *const heads[] = {"NAME", "STATE"};
	const char *const row[] = {"caf\xc3\xa9", "run\033[31mning"};
	const char *const turned[] = {"\u202ea", "\xc2\x9b"};
	const char *const empty[] = {"longer-name", NULL};
	struct xos_cli_table *t = xos_cli_table_new(heads, 2);
	char *out = xos_test_path(dir, "out");
	xos_cli_table_row(t, row);
	xos_cli_table_row(t, turned);
	xos_cli_table_row(t, empty);
	fflush(stdout);
	int saved = dup(1);
	ck_assert_ptr_nonnull(freopen(out, "w", stdout));
	enum xos_status st = xos_cli_table_print(t, NULL);
	xos_cli_say("%s is a member", "ali\u202ece\033[2J");
	xos_cli_print_pair("name", "%s", "\u2066x\nfake: y");
	xos_cli_print_pair("", "%s", "more");
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	free(out);
	ck_assert_int_eq(st, XOS_OK);
	ck_assert_str_eq(text_of("out"), "NAME         STATE\ncaf\xc3\xa9         run?[31mning\n"
	                                 "???a         ??\n"
	                                 "longer-name  -\n"
	                                 "ali???ce?[2J is a member\n"
	                                 "name:             ???x?fake: y\n"
	                                 "                  more\n");
}
END_TEST

/* Joined VOs */

static struct xos_test_vo *demo;

static enum xos_status join(const struct xos_test_vo *vo, const char *ca, struct xos_err *err)
{
	struct xos_cli cli = {.config = dir};
	struct xos_chain issuers = {.n = 0};
	ck_assert_int_eq(xos_chain_add(&issuers, vo->ca), XOS_OK);
	ck_assert_int_eq(xos_chain_add(&issuers, vo->rca), XOS_OK);
	struct xos_cli_join j = {.vo = vo->vo, .root = vo->root, .issuers = &issuers, .ca = ca};
	enum xos_status st = xos_cli_vo_join(&cli, &j, err);
	xos_chain_clear(&issuers);
	return st;
}

START_TEST(joins_and_remembers)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_cli cli = {.config = dir};
	struct xos_cli_vo *vo = NULL;
	const char *url = NULL;
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, &err), XOS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "--join"));
	struct xos_test_vo *other = xos_test_vo_new("other", "lab", xos_clock_now());
	demo = xos_test_vo_new("demo", "lab", xos_clock_now());
	ck_assert_msg(join(demo, "https://127.0.0.1:1", &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(join(other, "https://127.0.0.1:2", &err), XOS_OK);
	ck_assert_msg(xos_cli_vo_load(&cli, &vo, &err) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(vo->name, "other");
	ck_assert_ptr_null(xos_trust_root(vo->trust, "demo"));
	xos_cli_vo_free(vo);
	cli.vo = "demo";
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, &err), XOS_OK);
	ck_assert_uint_eq(xos_trust_issuer_count(vo->trust), 2);
	ck_assert_int_eq(xos_cli_vo_url(vo, "ca", &url, &err), XOS_OK);
	ck_assert_str_eq(url, "https://127.0.0.1:1");
	ck_assert_int_eq(xos_cli_vo_url(vo, "rca", &url, &err), XOS_NOT_FOUND);
	xos_cli_vo_free(vo);
	/* Joined again: addresses that are not given stay. */
	ck_assert_int_eq(join(demo, NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, &err), XOS_OK);
	ck_assert_str_eq(vo->ca, "https://127.0.0.1:1");
	xos_cli_vo_free(vo);
	cli.vo = "../demo";
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, &err), XOS_MALFORMED);
	cli.vo = "third";
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(join(demo, "http://127.0.0.1:1", &err), XOS_MALFORMED);
	ck_assert_int_eq(join(demo, "https://x\nca = y", &err), XOS_MALFORMED);
	xos_test_vo_free(other);
	xos_test_vo_free(demo);
}
END_TEST

START_TEST(refuses_a_second_root)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_test_vo *again = xos_test_vo_new("demo", "lab", xos_clock_now());
	demo = xos_test_vo_new("demo", "lab", xos_clock_now());
	ck_assert_int_eq(join(demo, NULL, &err), XOS_OK);
	ck_assert_int_eq(join(again, NULL, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "second-root");
	xos_test_vo_free(again);
	xos_test_vo_free(demo);
}
END_TEST

static enum xos_status token(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_err *err)
{
	struct xos_cli cli = {.config = dir};
	struct xos_cli_vo *vo = NULL;
	struct xos_chain made = {.n = 0}, got = {.n = 0};
	char *path = xos_test_path(dir, "token");
	if (v) {
		xos_test_member(v, who, &made);
		xos_test_chain_save(&made, path);
	}
	setenv("XOS_TOKEN", path, 1);
	ck_assert_int_eq(xos_cli_vo_load(&cli, &vo, NULL), XOS_OK);
	enum xos_status st = xos_cli_token(vo, &got, NULL, err);
	ck_assert_uint_eq(got.n > 0, st == XOS_OK);
	xos_chain_clear(&made);
	xos_chain_clear(&got);
	xos_cli_vo_free(vo);
	free(path);
	return st;
}

START_TEST(says_the_same_about_tokens_everywhere)
{
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_now();
	struct xos_test_vo *other = xos_test_vo_new("other", "lab", now);
	demo = xos_test_vo_new("demo", "lab", now);
	ck_assert_int_eq(join(demo, "https://127.0.0.1:1", &err), XOS_OK);
	ck_assert_int_eq(token(NULL, NULL, &err), XOS_NOT_FOUND);
	ck_assert_str_eq(err.text,
	    "You have no valid token for VO demo (none found). Log in with: xos-login NAME");
	ck_assert_int_eq(token(demo, &(struct xos_test_who){.name = "alice"}, &err), XOS_OK);
	ck_assert_int_eq(
	    token(demo,
	        &(struct xos_test_who){
	            .name = "alice", .not_before = now - 9000, .not_after = now - 3600},
	        &err),
	    XOS_EXPIRED);
	ck_assert_ptr_nonnull(strstr(err.text, "You have no valid token for VO demo (expired 1h"));
	ck_assert_ptr_nonnull(strstr(err.text, "ago). Log in with: xos-login alice"));
	ck_assert_int_eq(token(other, &(struct xos_test_who){.name = "alice"}, &err), XOS_DENIED);
	ck_assert_ptr_nonnull(strstr(err.text, "for VO other"));
	ck_assert_int_eq(
	    token(demo, &(struct xos_test_who){.name = "alice", .not_before = now + 3600}, &err),
	    XOS_NOT_YET_VALID);
	xos_test_vo_free(other);
	xos_test_vo_free(demo);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli");
	TCase *t = tcase_create("cli");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, parses_options);
	tcase_add_loop_test(t, usage_errors_exit_2, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, errors_and_exit_status);
	tcase_add_test(t, help);
	tcase_add_test(t, no_control_characters_are_shown);
	tcase_add_test(t, joins_and_remembers);
	tcase_add_test(t, refuses_a_second_root);
	tcase_add_test(t, says_the_same_about_tokens_everywhere);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
