/* xos-policy cases: cases that every set of the VO must pass. */
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "policytool/verbs.h"

#define CASES_MAX (512 * 1024)

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static enum xos_status set(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_buf text;
	xos_buf_init(&text, 0);
	enum xos_status st = xos_file_read(file, CASES_MAX, &text, err);
	if (!st) {
		struct xos_json *args = xos_json_object();
		xos_json_set_string(args, "name", base_name(file));
		xos_json_set_string(args, "text", xos_buf_str(&text) ? xos_buf_str(&text) : "");
		st = xos_cli_command_do(cli, "vops", "cases.set", args, err,
		    "every set of the VO must pass the cases of %s from now on", base_name(file));
	}
	xos_buf_free(&text);
	return st;
}

static struct xos_json *named(const char *name)
{
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "name", name);
	return args;
}

static enum xos_status show(struct xos_cli *cli, const char *name, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *text = NULL;
	enum xos_status st = xos_cli_command(cli, "vops", "cases.show", named(name), &doc, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st)
		st = xos_json_get_string(doc, "text", CASES_MAX, &text, err);
	if (!st)
		xos_cli_print_text(stdout, text);
	xos_json_free(doc);
	return st;
}

static enum xos_status list(struct xos_cli *cli, struct xos_err *err)
{
	static const char *const heads[] = {"NAME", "BY", "SINCE"};
	struct xos_json *doc = NULL;
	const struct xos_json *rows = NULL;
	enum xos_status st = xos_cli_command(cli, "vops", "cases.list", NULL, &doc, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st)
		st = xos_json_get_array(doc, "cases", 1000, &rows, err);
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 3);
		for (size_t i = 0; i < xos_json_count(rows); i++) {
			const struct xos_json *row = xos_json_at(rows, i);
			const char *cells[3] = {NULL, NULL, NULL};
			(void)!xos_json_get_string(row, "name", 64, &cells[0], NULL);
			(void)!xos_json_get_string(row, "by", 64, &cells[1], NULL);
			(void)!xos_json_get_string(row, "since", 64, &cells[2], NULL);
			xos_cli_table_row(t, cells);
		}
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}

enum xos_status xos_policytool_cases(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	if (argc == 1 && strcmp(argv[0], "list") == 0)
		return list(cli, err);
	if (argc == 2 && strcmp(argv[0], "set") == 0)
		return set(cli, argv[1], err);
	if (argc == 2 && strcmp(argv[0], "show") == 0)
		return show(cli, argv[1], err);
	if (argc == 2 && strcmp(argv[0], "remove") == 0)
		return xos_cli_command_do(cli, "vops", "cases.remove", named(argv[1]), err,
		    "%s is not asked for any more", argv[1]);
	return xos_cli_usage(err, "say list, set FILE, show NAME or remove NAME");
}
