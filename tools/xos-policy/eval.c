/* xos-policy eval: requests in, one JSON object a line, answers out in the same order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policytool/lines.h"
#include "policytool/verbs.h"

static struct xos_cli_list sets;
static const char *requests, *now_text;

const struct xos_cli_option xos_policytool_eval_options[] = {
    {"set", "FILE|DIR", "a policy set, or all of a folder; again for more", NULL, NULL, &sets},
    {"requests", "FILE", "one request a line; - is standard input", NULL, &requests, NULL},
    {"now", "TIME", "the time of requests that name none", NULL, &now_text, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

/* Exit status: 3 if a line could not be asked or decided, else 1 if one was refused. */
static enum xos_status answer_all(struct xos_cli *cli, FILE *in, const char *path,
    const struct xos_policy *policy, int64_t now, struct xos_err *err)
{
	struct xos_policytool_lines *lines = xos_policytool_lines_new(in, path);
	struct xos_policy_answer a;
	struct xos_buf out;
	enum xos_status st = lines ? XOS_OK : XOS_INTERNAL;
	if (st)
		return xos_err_set(err, st, "memory", "out of memory");
	xos_policy_answer_init(&a);
	xos_buf_init(&out, 2 * XOS_DECISION_ANSWER_MAX);
	while (!st && xos_policytool_lines_next(lines, &st, err)) {
		int code = xos_policytool_lines_answer(lines, policy, now, &a, &out);
		if (code > cli->exit_status)
			cli->exit_status = code;
		xos_buf_put_str(&out, "\n");
		struct xos_bytes text = xos_buf_bytes(&out);
		if (xos_buf_status(&out))
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		else if (fwrite(text.p, 1, text.n, stdout) != text.n)
			break; /* a failed write shows when main flushes */
		out.n = 0;
	}
	xos_buf_free(&out);
	xos_policy_answer_free(&a);
	xos_policytool_lines_free(lines);
	return st;
}

enum xos_status xos_policytool_eval(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_policytool_sets parts = {NULL, 0, 0};
	struct xos_policy *policy = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_OK;
	FILE *in = NULL;
	(void)argc;
	(void)argv;
	cli->exit_status = 0;
	if (!requests || !sets.n)
		return xos_cli_usage(err, "say --set and --requests");
	if (now_text && !xos_time_parse(now_text, &now))
		return xos_cli_usage(err, "--now is a time in UTC, as 2026-12-01T00:00:00Z");
	for (size_t i = 0; !st && i < sets.n; i++)
		st = xos_policytool_sets_load(&parts, sets.item[i], err);
	if (!st)
		st = xos_policytool_sets_policy(&parts, &policy, err);
	if (!st && strcmp(requests, "-") == 0)
		in = stdin;
	else if (!st)
		in = fopen(requests, "re");
	if (!st && !in)
		st = xos_err_errno(err, errno, "file-open", "cannot open %s", requests);
	if (!st)
		st = answer_all(cli, in, requests, policy, now, err);
	if (in && in != stdin)
		fclose(in);
	xos_policy_unref(policy);
	xos_policytool_sets_free(&parts);
	return st;
}
