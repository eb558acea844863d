/* xos-policy list, show, sites: what the VO's policy service keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "policytool/verbs.h"
#include "policy/set.h"

/* A member of a row as text; numbers too. NULL: not there. */
static const char *cell(const struct xos_json *row, const char *key, char buf[32])
{
	const char *s = NULL;
	int64_t v = 0;

	if (xos_json_get_string(row, key, 4096, &s, NULL) == XOS_OK)
		return s;
	if (xos_json_get_int64(row, key, 0, INT64_MAX, &v, NULL) != XOS_OK)
		return NULL;
	xos_str_printf(buf, 32, "%lld", (long long)v);
	return buf;
}

static enum xos_status print_rows(struct xos_cli *cli, const char *verb, const char *list,
    const char *const heads[4], const char *const keys[4], struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *rows = NULL;
	enum xos_status st = xos_cli_command(cli, "vops", verb, NULL, &doc, err);

	if (st == XOS_OK && cli->json)
		return xos_cli_print_json(doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, list, 100000, &rows, err);
	if (st == XOS_OK) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 4);

		for (size_t i = 0; i < xos_json_count(rows); i++) {
			const struct xos_json *row = xos_json_at(rows, i);
			char buf[4][32];
			const char *cells[4];

			for (size_t k = 0; k < 4; k++)
				cells[k] = cell(row, keys[k], buf[k]);
			xos_cli_table_row(t, cells);
		}
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}

enum xos_status xos_policytool_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[4] = {"SERIAL", "BY", "PUSHED", "BYTES"};
	static const char *const keys[4] = {"serial", "by", "pushed", "bytes"};

	(void)argc;
	(void)argv;
	return print_rows(cli, "policy.list", "sets", heads, keys, err);
}

enum xos_status xos_policytool_sites(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[4] = {"SITE", "SERIAL", "EXPIRES", "KEY"};
	static const char *const keys[4] = {"site", "serial", "expires", "key"};

	(void)argc;
	(void)argv;
	return print_rows(cli, "site.list", "sites", heads, keys, err);
}

/* Comments and reasons may hold anything; what a terminal would obey is replaced, lines and tabs stay.
 * --json tells the text as it is. */
static enum xos_status print_text(const char *text, struct xos_err *err)
{
	char *copy = strdup(text);
	if (!copy)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (char *p = copy; *p;) {
		char *end = p + strcspn(p, "\n\t"), mark = *end;
		*end = 0;
		xos_text_clean(p);
		*end = mark;
		p = end + (mark != 0);
	}
	fputs(copy, stdout);
	free(copy);
	return XOS_OK;
}

enum xos_status xos_policytool_show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *args = xos_json_object(), *doc = NULL;
	const char *text = NULL;
	uint64_t serial = 0;

	if (argc > 0 && (!xos_parse_u64(argv[0], INT64_MAX, &serial) || serial == 0)) {
		xos_json_free(args);
		return xos_cli_usage(err, "'%s' is no serial", argv[0]);
	}
	if (argc > 0)
		xos_json_set_int(args, "serial", (int64_t)serial);
	enum xos_status st = xos_cli_command(cli, "vops", "policy.show", args, &doc, err);
	if (st == XOS_OK && cli->json)
		return xos_cli_print_json(doc, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (st == XOS_OK)
		st = print_text(text, err);
	xos_json_free(doc);
	return st;
}
