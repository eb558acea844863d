/* xos-policy lint: what is not wrong for certain, but suspicious. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/lint.h"
#include "policytool/verbs.h"

static bool list_names;

const struct xos_cli_option xos_policytool_lint_options[] = {
    {"list", NULL, "tell the names of the warnings and what they mean", &list_names, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

struct linting {
	struct xos_cli *cli;
	struct xos_json *list;
	struct xos_policy_errors *errs, *warnings;
	struct xos_policytool_sets good;
	size_t warned;
};

static enum xos_status tell_names(const struct xos_cli *cli, struct xos_err *err)
{
	static const char *const heads[] = {"NAME", "ABOUT"};
	size_t n;
	const struct xos_policy_lint *lints = xos_policy_lints(&n);
	struct xos_cli_table *t = cli->json ? NULL : xos_cli_table_new(heads, 2);
	struct xos_json *list = cli->json ? xos_json_array() : NULL;
	for (size_t i = 0; i < n; i++) {
		if (t) {
			xos_cli_table_row(t, (const char *const[]){lints[i].name, lints[i].what});
			continue;
		}
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "name", lints[i].name);
		xos_json_set_string(o, "about", lints[i].what);
		xos_json_add(list, o);
	}
	if (!cli->json)
		return xos_cli_table_print(t, err);
	struct xos_json *doc = xos_json_object();
	xos_json_set(doc, "warnings", list);
	return xos_cli_print_json(doc, err);
}

/* severity: "error" or "warning". */
static void tell_list(
    struct linting *l, const char *path, const struct xos_policy_errors *list, const char *severity)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct xos_policy_error *e = &list->list[i];
		if (l->cli->json) {
			struct xos_json *o = xos_json_object();
			xos_json_set_text(o, "file", path[0] ? path : NULL);
			if (e->line)
				xos_json_set_int(o, "line", e->line);
			if (e->col)
				xos_json_set_int(o, "column", e->col);
			xos_json_set_string(o, "severity", severity);
			xos_json_set_text(o, "text", e->text);
			xos_json_set_text(o, "hint", e->hint[0] ? e->hint : NULL);
			xos_json_add(l->list, o);
			continue;
		}
		struct xos_err clean = XOS_ERR_INIT;
		/* It replaces what a terminal would obey. */
		(void)xos_err_set(&clean, XOS_MALFORMED, "lint", "%s: %s", severity, e->text);
		if (path[0])
			printf("%s:%u:%u: ", path, e->line, e->col);
		printf("%s\n", clean.text);
		(void)xos_err_set(&clean, XOS_MALFORMED, "lint", "%s", e->hint);
		if (e->hint[0])
			printf("    hint: %s\n", clean.text);
	}
	if (list->total > list->n && !l->cli->json)
		printf("%s: %zu more\n", path, list->total - list->n);
}

static void worse(struct linting *l, int code)
{
	if (code > l->cli->exit_status)
		l->cli->exit_status = code;
}

static enum xos_status lint_file(struct linting *l, const char *path, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text;
	struct xos_err why = XOS_ERR_INIT;
	memset(l->errs, 0, sizeof(*l->errs));
	memset(l->warnings, 0, sizeof(*l->warnings));
	enum xos_status st = xos_file_read(path, XOS_POLICY_TEXT_MAX, &text, &why);
	if (!st) {
		st = xos_policy_lint((const char *)text.p, text.n, path, l->errs, l->warnings);
		if (!st)
			st = xos_policy_set_load((const char *)text.p, text.n, path, &set, &why);
	}
	xos_buf_free(&text);
	tell_list(l, path, l->errs, "error");
	tell_list(l, path, l->warnings, "warning");
	l->warned += l->warnings->total;
	if (l->errs->total || l->warnings->total)
		worse(l, 1);
	if (set)
		return xos_policytool_sets_add(&l->good, path, set, err);
	if (l->errs->total)
		return XOS_OK;
	worse(l, xos_status_exit(st));
	if (l->cli->json) {
		struct xos_json *o = xos_json_object();
		xos_json_set_text(o, "file", path);
		xos_json_set_string(o, "severity", "unreadable");
		xos_json_set_text(o, "text", why.text);
		xos_json_add(l->list, o);
	} else {
		fprintf(stderr, "%s: %s\n", l->cli->program, why.text);
	}
	return XOS_OK;
}

static enum xos_status lint_together(struct linting *l, struct xos_err *err)
{
	const struct xos_policy_set **sets = calloc(l->good.n + 1, sizeof(*sets));
	if (!sets)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < l->good.n; i++)
		sets[i] = l->good.list[i].set;
	memset(l->warnings, 0, sizeof(*l->warnings));
	xos_policy_lint_together(sets, l->good.n, l->warnings);
	tell_list(l, "", l->warnings, "warning");
	l->warned += l->warnings->total;
	if (l->warnings->total)
		worse(l, 1);
	free(sets);
	return XOS_OK;
}

static enum xos_status finish(struct linting *l, size_t files, struct xos_err *err)
{
	if (!l->cli->json) {
		printf("%zu files, %zu warnings\n", files, l->warned);
		return XOS_OK;
	}
	struct xos_json *doc = xos_json_object();
	xos_json_set_bool(doc, "ok", l->cli->exit_status == 0);
	xos_json_set(doc, "findings", l->list);
	xos_json_set_int(doc, "warnings", (int64_t)l->warned);
	return xos_cli_print_json(doc, err);
}

enum xos_status xos_policytool_lint(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct linting l = {.cli = cli};
	struct xos_policytool_paths paths = {NULL, 0, 0};
	enum xos_status st = XOS_OK;
	if (list_names)
		return tell_names(cli, err);
	if (!argc)
		return xos_cli_usage(err, "name the files or folders to look at");
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	struct xos_policy_errors *warnings = calloc(1, sizeof(*warnings));
	l.errs = errs;
	l.warnings = warnings;
	if (!errs || !warnings)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (int i = 0; !st && i < argc; i++)
		st = xos_policytool_find(&paths, argv[i], ".xos", err);
	if (!st && cli->json)
		l.list = xos_json_array();
	for (size_t i = 0; !st && i < paths.n; i++)
		st = lint_file(&l, paths.list[i], err);
	if (!st)
		st = lint_together(&l, err);
	if (!st)
		st = finish(&l, paths.n, err);
	xos_policytool_sets_free(&l.good);
	xos_policytool_paths_free(&paths);
	free(errs);
	free(warnings);
	return st;
}
