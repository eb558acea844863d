/* xos-policy check: all errors of all files, then one line for each good set. */
#include <stdio.h>
#include <stdlib.h>

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
		printf("%s: ok: %s%s%s, serial %llu, %zu statements\n", path,
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

enum xos_status xos_policytool_check(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *files = cli->json ? xos_json_array() : NULL;
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	if (!errs)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	cli->exit_status = 0;
	for (int i = 0; i < argc; i++) {
		struct xos_policy_set *set;
		struct xos_err why = XOS_ERR_INIT;
		enum xos_status status = xos_policytool_read(argv[i], &set, errs, &why);
		int code = errs->total ? 1 : xos_status_exit(status);
		/* What could not be read weighs more than what was read and is wrong. */
		if (code > cli->exit_status)
			cli->exit_status = code;
		if (cli->json)
			xos_json_add(files, file_json(argv[i], set, errs, &why));
		else
			tell(argv[i], set, errs, &why);
		xos_policy_set_unref(set);
	}
	free(errs);
	if (!cli->json)
		return XOS_OK;
	struct xos_json *doc = xos_json_object();
	xos_json_set_bool(doc, "ok", cli->exit_status == 0);
	xos_json_set(doc, "files", files);
	return xos_cli_print_json(doc, err);
}
