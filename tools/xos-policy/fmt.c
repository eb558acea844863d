/* xos-policy fmt: sets written as everybody writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "policy/format.h"
#include "policytool/verbs.h"

static bool check_only, write_back;

const struct xos_cli_option xos_policytool_fmt_options[] = {
    {"check", NULL, "write nothing; name the files that would change and exit 1", &check_only, NULL,
        NULL},
    {"write", NULL, "replace the files that change, instead of printing", &write_back, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

struct formatted {
	struct xos_buf before, after;
	bool changes;
};

static enum xos_status format(
    const char *path, struct formatted *f, struct xos_policy_errors *errs, struct xos_err *err)
{
	memset(errs, 0, sizeof(*errs));
	xos_buf_init(&f->after, XOS_POLICY_TEXT_MAX);
	enum xos_status st = xos_file_read(path, XOS_POLICY_TEXT_MAX, &f->before, err);
	if (!st)
		st = xos_policy_format(
		    (const char *)f->before.p, f->before.n, path, &f->after, errs);
	if (st && errs->total)
		return xos_err_set(err, st, "policy-malformed", "%s:%u:%u: %s", path,
		    errs->list[0].line, errs->list[0].col, errs->list[0].text);
	if (st == XOS_INTERNAL)
		return xos_err_set(err, st, "memory", "out of memory");
	if (st)
		return err->text[0] ? st
		                    : xos_err_set(err, st, "policy-too-large",
		                          "%s: the formatted text would exceed %u bytes", path,
		                          XOS_POLICY_TEXT_MAX);
	f->changes = !xos_bytes_eq(xos_buf_bytes(&f->before), xos_buf_bytes(&f->after));
	return XOS_OK;
}

/* The file itself, not a link to it, with the mode that it has. */
static enum xos_status replace(const char *path, struct xos_bytes text, struct xos_err *err)
{
	struct stat st;
	char *real = realpath(path, NULL);
	enum xos_status status =
	    real && stat(real, &st) == 0
	        ? xos_file_write(real, st.st_mode & 07777, text, err)
	        : xos_err_set(err, XOS_UNAVAILABLE, "file-open", "cannot examine %s", path);
	free(real);
	return status;
}

static void tell_errors(
    const char *program, const struct xos_policy_errors *errs, const struct xos_err *err)
{
	struct xos_buf out;
	xos_buf_init(&out, 1 << 20);
	xos_policy_errors_print(errs, &out);
	const char *text = xos_buf_str(&out);
	if (errs->total && text)
		fputs(text, stderr);
	else
		fprintf(stderr, "%s: %s\n", program, err->text);
	xos_buf_free(&out);
}

static void file_done(struct xos_cli *cli, struct xos_json *files, const char *path,
    const struct formatted *f, enum xos_status st, const struct xos_err *why)
{
	int code = st ? xos_status_exit(st) : check_only && f->changes ? 1 : 0;
	if (code > cli->exit_status)
		cli->exit_status = code;
	if (!cli->json) {
		if (!st && f->changes && check_only)
			printf("%s is not formatted\n", path);
		else if (!st && f->changes && write_back)
			printf("%s formatted\n", path);
		else if (!st && !check_only && !write_back)
			fwrite(f->after.p, 1, f->after.n, stdout);
		return;
	}
	struct xos_json *o = xos_json_object();
	struct xos_buf copy;
	xos_json_set_text(o, "file", path);
	xos_json_set_bool(o, "ok", !st);
	xos_json_set_text(o, "error", st ? why->text : NULL);
	if (!st)
		xos_json_set_bool(o, "changes", f->changes);
	xos_buf_init(&copy, XOS_POLICY_TEXT_MAX + 1);
	xos_buf_put(&copy, f->after.p, f->after.n);
	if (!st && !check_only && !write_back)
		xos_json_set_text(o, "text", xos_buf_str(&copy));
	xos_buf_free(&copy);
	xos_json_add(files, o);
}

static void format_file(
    struct xos_cli *cli, struct xos_json *files, const char *path, struct xos_policy_errors *errs)
{
	struct formatted f = {.changes = false};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = format(path, &f, errs, &why);
	if (st && !cli->json)
		tell_errors(cli->program, errs, &why);
	if (!st && write_back && f.changes) {
		st = replace(path, xos_buf_bytes(&f.after), &why);
		if (st && !cli->json)
			fprintf(stderr, "%s: %s\n", cli->program, why.text);
	}
	file_done(cli, files, path, &f, st, &why);
	xos_buf_free(&f.before);
	xos_buf_free(&f.after);
}

enum xos_status xos_policytool_fmt(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_policytool_paths paths = {NULL, 0, 0};
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	enum xos_status st = XOS_OK;
	if (check_only && write_back)
		st = xos_cli_usage(err, "--check and --write exclude each other");
	else if (!errs)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (int i = 0; !st && i < argc; i++)
		st = xos_policytool_find(&paths, argv[i], ".xos", err);
	struct xos_json *files = !st && cli->json ? xos_json_array() : NULL;
	for (size_t i = 0; !st && i < paths.n; i++)
		format_file(cli, files, paths.list[i], errs);
	xos_policytool_paths_free(&paths);
	free(errs);
	if (st || !cli->json)
		return st;
	struct xos_json *doc = xos_json_object();
	xos_json_set_bool(doc, "ok", cli->exit_status == 0);
	xos_json_set(doc, "files", files);
	return xos_cli_print_json(doc, err);
}
