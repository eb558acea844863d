/* xos-policy check: all errors of all files, then one line for each good set. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/lint.h"
#include "policytool/verbs.h"

static struct xos_json *file_json(const char *path, const struct xos_policy_set *set,
    const struct xos_policy_errors *errs, const struct xos_err *err)
{
	struct xos_json *o = xos_json_object(), *list = xos_json_array();
	xos_json_set_text(o, "file", path);
	xos_json_set_bool(o, "ok", set != NULL);
	if (set) {
		xos_json_set_string(o, "level", xos_policy_level_name(xos_policy_set_level(set)));
		xos_json_set_string(o, "name", xos_policy_set_name(set));
		xos_json_set_int(o, "serial", (int64_t)xos_policy_set_serial(set));
		xos_json_set_int(o, "statements", (int64_t)xos_policy_set_count(set));
	} else if (!errs->total) {
		xos_json_set_text(o, "unreadable", err->text);
	}
	for (size_t i = 0; i < errs->n; i++) {
		const struct xos_policy_error *e = &errs->list[i];
		struct xos_json *j = xos_json_object();
		xos_json_set_int(j, "line", e->line);
		xos_json_set_int(j, "column", e->col);
		xos_json_set_text(j, "text", e->text);
		xos_json_set_text(j, "hint", e->hint[0] ? e->hint : NULL);
		xos_json_add(list, j);
	}
	xos_json_set(o, "errors", list);
	xos_json_set_int(o, "errors_total", (int64_t)errs->total);
	return o;
}

static void tell(const char *path, const struct xos_policy_set *set,
    const struct xos_policy_errors *errs, const struct xos_err *err)
{
	struct xos_buf out;
	if (set) {
		const char *name = xos_policy_set_name(set);
		xos_cli_say("%s: ok: %s%s%s, serial %llu, %zu statements", path,
		    xos_policy_level_name(xos_policy_set_level(set)), name[0] ? " " : "", name,
		    (unsigned long long)xos_policy_set_serial(set), xos_policy_set_count(set));
		return;
	}
	xos_buf_init(&out, 1 << 20);
	xos_policy_errors_print(errs, &out);
	const char *text = xos_buf_str(&out);
	if (errs->total && text)
		fputs(text, stderr);
	else
		fprintf(stderr, "xos-policy: %s\n", err->text);
	xos_buf_free(&out);
}

struct checking {
	struct xos_cli *cli;
	struct xos_json *files, *warnings;
	struct xos_policy_errors *errs;
	struct xos_policytool_sets good;
};

static enum xos_status check_file(struct checking *c, const char *path, struct xos_err *err)
{
	struct xos_policy_set *set;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status status = xos_policytool_read(path, &set, c->errs, &why);
	int code = c->errs->total ? 1 : xos_status_exit(status);
	/* What could not be read weighs more than what was read and is wrong. */
	if (code > c->cli->exit_status)
		c->cli->exit_status = code;
	if (c->cli->json)
		xos_json_add(c->files, file_json(path, set, c->errs, &why));
	else
		tell(path, set, c->errs, &why);
	return set ? xos_policytool_sets_add(&c->good, path, set, err) : XOS_OK;
}

static void warn(struct checking *c, const char *fmt, ...) XOS_PRINTF(2, 3);
static void warn(struct checking *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	xos_text_clean(text);
	if (c->cli->json)
		xos_json_add_string(c->warnings, text);
	else
		printf("warning: %s\n", text);
}

/* A node whose site is here and does not declare it has neither class nor tags. */
static void check_nodes(struct checking *c)
{
	for (size_t i = 0; i < c->good.n; i++) {
		const struct xos_policytool_set *n = &c->good.list[i];
		const char *name = xos_policy_set_name(n->set), *slash = strchr(name, '/');
		for (size_t j = 0;
		     xos_policy_set_level(n->set) == XOS_POLICY_NODE && slash && j < c->good.n;
		     j++) {
			const struct xos_policy_set *site = c->good.list[j].set;
			const char *s = xos_policy_set_name(site);
			if (xos_policy_set_level(site) == XOS_POLICY_SITE &&
			    strlen(s) == (size_t)(slash - name) &&
			    strncmp(s, name, strlen(s)) == 0 &&
			    !xos_policy_set_node(site, slash + 1))
				warn(c, "%s: the site %s does not declare the node %s: node %s;",
				    n->path, s, slash + 1, slash + 1);
		}
	}
}

static void check_delegated(struct checking *c)
{
	const struct xos_policy_set **sets = calloc(c->good.n + 1, sizeof(*sets));
	if (!sets)
		return;
	for (size_t i = 0; i < c->good.n; i++)
		sets[i] = c->good.list[i].set;
	memset(c->errs, 0, sizeof(*c->errs));
	xos_policy_lint_together(sets, c->good.n, c->errs);
	for (size_t i = 0; i < c->errs->n; i++)
		warn(c, "%s", c->errs->list[i].text);
	free(sets);
}

/* What only shows when the sets stand together: two of one name are an error, the rest warnings. */
static void check_together(struct checking *c, struct xos_json *doc)
{
	struct xos_policy *policy = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status status = xos_policytool_sets_policy(&c->good, &policy, &why);
	xos_policy_unref(policy);
	check_nodes(c);
	check_delegated(c);
	if (status == XOS_OK)
		return;
	if (!c->cli->exit_status)
		c->cli->exit_status = xos_status_exit(status);
	if (c->cli->json)
		xos_json_set_text(doc, "together", why.text);
	else
		fprintf(stderr, "xos-policy: %s\n", why.text);
}

enum xos_status xos_policytool_check(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct checking c = {.cli = cli,
	    .files = cli->json ? xos_json_array() : NULL,
	    .warnings = cli->json ? xos_json_array() : NULL};
	struct xos_policytool_paths paths = {NULL, 0, 0};
	struct xos_json *doc = cli->json ? xos_json_object() : NULL;
	enum xos_status st = XOS_OK;
	c.errs = calloc(1, sizeof(*c.errs));
	if (!c.errs)
		st = xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	cli->exit_status = 0;
	for (int i = 0; !st && i < argc; i++)
		st = xos_policytool_find(&paths, argv[i], ".xos", err);
	for (size_t i = 0; !st && i < paths.n; i++)
		st = check_file(&c, paths.list[i], err);
	if (!st)
		check_together(&c, doc);
	xos_policytool_sets_free(&c.good);
	xos_policytool_paths_free(&paths);
	free(c.errs);
	if (st || !cli->json) {
		xos_json_free(c.files);
		xos_json_free(c.warnings);
		xos_json_free(doc);
		return st;
	}
	xos_json_set_bool(doc, "ok", cli->exit_status == 0);
	xos_json_set(doc, "files", c.files);
	xos_json_set(doc, "warnings", c.warnings);
	return xos_cli_print_json(doc, err);
}
