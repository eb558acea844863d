/* xos-policy test: cases run against the policies that they stand beside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policytool/trial.h"
#include "policytool/verbs.h"

static bool coverage, require_coverage;
static const char *now_text;

const struct xos_cli_option xos_policytool_test_options[] = {
    {"coverage", NULL, "list the statements that no case reached", &coverage, NULL, NULL},
    {"require-coverage", NULL, "the same, and exit 1 if there are any", &require_coverage, NULL,
        NULL},
    {"now", "TIME", "the time of cases that name none", NULL, &now_text, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

struct run {
	struct xos_cli *cli;
	size_t cases, failed, broken;
	int worst; /* exit status of files that could not be run */
	struct xos_json *files, *failures;
};

static void put_line(const char *mark, const char *text, unsigned line)
{
	char clean[4096];
	(void)!xos_str_printf(clean, sizeof(clean), "%.4000s", text);
	xos_text_clean(clean);
	if (line)
		printf("  %s %s  (line %u)\n", mark, clean, line);
	else
		printf("  %s %s\n", mark, clean);
}

static void tell_failure(const struct xos_cases_outcome *o, const char *request)
{
	char name[700];
	(void)!xos_str_printf(name, sizeof(name), "%s", o->one->name);
	xos_text_clean(name);
	printf("FAIL %s:%u: %s\n", o->file->path, o->one->line, name);
	put_line(" ", request, 0);
	for (size_t i = 0; i < o->nfailed; i++) {
		put_line("-", o->expected[i], o->lines[i]);
		/* Two expectations often meet the same answer. */
		if (i + 1 == o->nfailed || strcmp(o->got[i], o->got[i + 1]) != 0)
			put_line("+", o->got[i], 0);
	}
}

static void tell(void *arg, const struct xos_cases_outcome *o)
{
	struct run *r = arg;
	struct xos_buf b;
	r->cases++;
	if (o->passed)
		return;
	r->failed++;
	xos_buf_init(&b, 100000);
	xos_cases_ask_text(o->one->ask, &b);
	const char *request = xos_buf_str(&b);
	if (!r->cli->json) {
		tell_failure(o, request ? request : "");
		xos_buf_free(&b);
		return;
	}
	struct xos_json *f = xos_json_object(), *list = xos_json_array();
	xos_json_set_string(f, "case", o->one->name);
	xos_json_set_int(f, "line", o->one->line);
	xos_json_set_text(f, "request", request);
	xos_json_set_string(f, "decision", xos_policy_decision_name(o->answer->decision));
	for (size_t i = 0; i < o->nfailed; i++) {
		struct xos_json *e = xos_json_object();
		xos_json_set_int(e, "line", o->lines[i]);
		xos_json_set_text(e, "expected", o->expected[i]);
		xos_json_set_text(e, "got", o->got[i]);
		xos_json_add(list, e);
	}
	xos_json_set(f, "differences", list);
	xos_json_add(r->failures, f);
	xos_buf_free(&b);
}

/* 2 for a file of cases that is none; otherwise as everywhere. */
static void note_broken(
    struct run *r, struct xos_json *file, enum xos_status st, const struct xos_err *err)
{
	/* What cannot even be understood weighs most, then what could not be read. */
	static const int weight[] = {0, 1, 3, 2};
	int code = strcmp(err->code, "cases-malformed") == 0 ? 2 : xos_status_exit(st);
	r->broken++;
	if (weight[code] > weight[r->worst])
		r->worst = code;
	if (r->cli->json)
		xos_json_set_text(file, "error", err->text);
	else
		fprintf(stderr, "xos-policy: %s\n", err->text);
}

static void run_file(struct run *r, struct xos_policytool_trials *t, const char *path, int64_t now)
{
	struct xos_cases *cases = NULL;
	struct xos_err err = XOS_ERR_INIT;
	size_t before = r->cases, failed = r->failed;
	struct xos_json *file = r->cli->json ? xos_json_object() : NULL;
	r->failures = r->cli->json ? xos_json_array() : NULL;
	enum xos_status st = xos_cases_read(path, &cases, &err);
	if (!st)
		st = xos_policytool_trials_run(t, cases, now, tell, r, &err);
	if (st)
		note_broken(r, file, st, &err);
	else if (!r->cli->json)
		printf("%s: %zu cases, %zu failed\n", path, r->cases - before, r->failed - failed);
	if (r->cli->json) {
		xos_json_set_text(file, "file", path);
		xos_json_set_int(file, "cases", (int64_t)(r->cases - before));
		xos_json_set(file, "failures", r->failures);
		xos_json_add(r->files, file);
	}
	xos_cases_free(cases);
}

static void tell_missed(
    const char *path, const struct xos_policy_statement *s, struct xos_json *missed)
{
	struct xos_buf label, head;
	xos_buf_init(&label, 1000);
	xos_buf_init(&head, 100000);
	xos_policy_statement_label(s, &label);
	xos_policy_statement_head(s, &head);
	const char *name = xos_buf_str(&label), *text = xos_buf_str(&head);
	if (missed) {
		struct xos_json *o = xos_json_object();
		xos_json_set_text(o, "file", path);
		xos_json_set_int(o, "line", xos_policy_statement_line(s));
		xos_json_set_text(o, "statement", name);
		xos_json_set_text(o, "head", text);
		xos_json_add(missed, o);
	} else {
		printf("not reached: %s:%u: %s, %s\n", path, xos_policy_statement_line(s),
		    name ? name : "?", text ? text : "?");
	}
	xos_buf_free(&label);
	xos_buf_free(&head);
}

/* How many statements no case reached. */
static size_t tell_coverage(
    const struct run *r, const struct xos_policytool_trials *t, struct xos_json *doc)
{
	struct xos_json *missed = r->cli->json ? xos_json_array() : NULL;
	size_t all = 0, reached = 0;
	for (size_t i = 0; i < xos_policytool_trials_sets(t); i++) {
		const char *path;
		const bool *hit;
		const struct xos_policy_set *set = xos_policytool_trials_set(t, i, &path, &hit);
		for (size_t j = 0; j < xos_policy_set_count(set); j++) {
			all++;
			reached += hit[j];
			if (!hit[j])
				tell_missed(path, xos_policy_set_statement(set, j), missed);
		}
	}
	if (r->cli->json) {
		struct xos_json *o = xos_json_object();
		xos_json_set_int(o, "statements", (int64_t)all);
		xos_json_set_int(o, "reached", (int64_t)reached);
		xos_json_set(o, "not_reached", missed);
		xos_json_set(doc, "coverage", o);
	} else {
		printf("%zu of %zu statements reached\n", reached, all);
	}
	return all - reached;
}

static enum xos_status finish(
    struct run *r, const struct xos_policytool_trials *t, struct xos_err *err)
{
	struct xos_json *doc = r->cli->json ? xos_json_object() : NULL;
	size_t missed = 0;
	if (coverage || require_coverage)
		missed = tell_coverage(r, t, doc);
	r->cli->exit_status = r->worst                                    ? r->worst
	                      : r->failed || (require_coverage && missed) ? 1
	                                                                  : 0;
	if (!r->cli->json) {
		printf(
		    "%zu cases: %zu passed, %zu failed", r->cases, r->cases - r->failed, r->failed);
		if (r->broken)
			printf("; %zu files could not be run", r->broken);
		printf("\n");
		return XOS_OK;
	}
	xos_json_set_bool(doc, "ok", r->cli->exit_status == 0);
	xos_json_set_int(doc, "cases", (int64_t)r->cases);
	xos_json_set_int(doc, "failed", (int64_t)r->failed);
	xos_json_set(doc, "files", r->files);
	return xos_cli_print_json(doc, err);
}

enum xos_status xos_policytool_test(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct run r = {.cli = cli, .files = cli->json ? xos_json_array() : NULL};
	struct xos_policytool_paths paths = {NULL, 0, 0};
	struct xos_policytool_trials *t = xos_policytool_trials_new();
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_OK;
	if (!t)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (now_text && !xos_time_parse(now_text, &now))
		st = xos_cli_usage(err, "--now is a time in UTC, as 2026-12-01T00:00:00Z");
	for (int i = 0; !st && i < argc; i++)
		st = xos_policytool_find(&paths, argv[i], ".test", err);
	for (size_t i = 0; !st && i < paths.n; i++)
		run_file(&r, t, paths.list[i], now);
	if (!st)
		st = finish(&r, t, err);
	xos_policytool_paths_free(&paths);
	xos_policytool_trials_free(t);
	return st;
}
