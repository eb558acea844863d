/* xos-vo export */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "vo/sheet.h"
#include "vo/verbs.h"

static const char *opt_format, *opt_out;

const struct xos_cli_option vo_export_options[] = {
    {"format", "csv|json", "of the output (default csv)", NULL, &opt_format, NULL},
    {"out", "FILE", "write it there instead of standard output", NULL, &opt_out, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* The VO's own group is there already where this is imported. */
static enum xos_status get_groups(
    const struct xos_cli *cli, struct xos_json *into, struct xos_err *err)
{
	struct xos_json *all = xos_json_array();
	enum xos_status st = vo_pages(cli, "group.list", NULL, "groups", "group", all, err);
	for (size_t i = 0; !st && i < xos_json_count(all); i++) {
		const char *name = NULL, *about = NULL;
		st = xos_json_get_string(xos_json_at(all, i), "group", 256, &name, err);
		if (!st)
			st = xos_json_opt_string(xos_json_at(all, i), "about", 1024, &about, err);
		if (st || (!strchr(name + 1, '/') && !about))
			continue;
		struct xos_json *g = xos_json_object();
		xos_json_set_string(g, "group", name);
		xos_json_set_string(g, "about", about);
		xos_json_add(into, g);
	}
	xos_json_free(all);
	return st;
}

/* Pages end where the authority says: it leaves robots out. */
static enum xos_status get_members(
    const struct xos_cli *cli, struct xos_json *into, struct xos_err *err)
{
	char after[64] = "";
	for (;;) {
		struct xos_json *args = xos_json_object(), *page = NULL;
		const struct xos_json *members = NULL;
		if (after[0])
			xos_json_set_string(args, "after", after);
		enum xos_status st = xos_cli_command(cli, "ca", "export.members", args, &page, err);
		if (!st)
			st = xos_json_get_array(page, "members", 10000, &members, err);
		for (size_t i = 0; !st && i < xos_json_count(members); i++)
			xos_json_add(into, xos_json_copy(xos_json_at(members, i)));
		bool last = !st && !xos_json_has(page, "last");
		if (!st && !last)
			st = xos_json_copy_string(page, "last", after, sizeof(after), err);
		xos_json_free(page);
		if (st || last)
			return st;
		xos_cli_progress(cli, "%zu members so far", xos_json_count(into));
	}
}

/* Names with spaces between them. */
static void words(const struct xos_json *row, const char *key, struct xos_buf *out)
{
	const char **list = NULL;
	size_t n = 0;
	out->n = 0;
	if (xos_json_opt_strings(row, key, 1024, 256, &list, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++) {
		xos_buf_put_str(out, i ? " " : "");
		xos_buf_put_str(out, list[i]);
	}
	free(list);
}

static const char *get(const struct xos_json *row, const char *key)
{
	const char *text = NULL;
	return xos_json_opt_string(row, key, 1024, &text, NULL) ? NULL : text;
}

static void put_csv(const struct vo_sheet *s, struct xos_buf *out)
{
	static const char *const heads[] = {
	    "kind", "name", "state", "until", "contact", "groups", "roles", "about"};
	struct xos_buf groups, roles;
	xos_buf_init(&groups, XOS_CSV_RECORD_MAX);
	xos_buf_init(&roles, XOS_CSV_RECORD_MAX);
	xos_csv_put(out, heads, 8);
	for (size_t i = 0; i < xos_json_count(s->groups); i++) {
		const struct xos_json *g = xos_json_at(s->groups, i);
		const char *fields[] = {
		    "group", get(g, "group"), NULL, NULL, NULL, NULL, NULL, get(g, "about")};
		xos_csv_put(out, fields, 8);
	}
	for (size_t i = 0; i < xos_json_count(s->members); i++) {
		const struct xos_json *m = xos_json_at(s->members, i);
		words(m, "groups", &groups);
		words(m, "roles", &roles);
		const char *fields[] = {"member", get(m, "name"), get(m, "state"), get(m, "until"),
		    get(m, "contact"), xos_buf_str(&groups), xos_buf_str(&roles), NULL};
		xos_csv_put(out, fields, 8);
	}
	xos_buf_free(&groups);
	xos_buf_free(&roles);
}

/* Takes the arrays. */
static enum xos_status put_json(struct vo_sheet *s, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	xos_json_set(doc, "groups", s->groups);
	xos_json_set(doc, "members", s->members);
	*s = (struct vo_sheet){NULL, NULL};
	enum xos_status st = xos_json_dump_pretty(doc, out, err);
	xos_json_free(doc);
	return st;
}

static enum xos_status tell(
    const struct xos_cli *cli, size_t groups, size_t members, struct xos_err *err)
{
	if (!cli->json) {
		xos_cli_say("%zu groups and %zu members in %s", groups, members, opt_out);
		return XOS_OK;
	}
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "file", opt_out);
	xos_json_set_int(doc, "groups", (int64_t)groups);
	xos_json_set_int(doc, "members", (int64_t)members);
	return xos_cli_print_json(doc, err);
}

enum xos_status vo_export(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	size_t groups = 0, members = 0;
	bool json = opt_format ? strcmp(opt_format, "json") == 0 : cli->json;
	if (opt_format && !json && strcmp(opt_format, "csv") != 0)
		return xos_cli_usage(err, "--format is csv or json");
	struct vo_sheet s = {xos_json_array(), xos_json_array()};
	struct xos_buf out;
	xos_buf_init(&out, VO_SHEET_MAX);
	enum xos_status st = get_groups(cli, s.groups, err);
	if (!st)
		st = get_members(cli, s.members, err);
	groups = xos_json_count(s.groups);
	members = xos_json_count(s.members);
	xos_cli_progress(cli, "%s", "");
	if (!st && json)
		st = put_json(&s, &out, err);
	else if (!st)
		put_csv(&s, &out);
	if (!st && xos_buf_status(&out))
		st = xos_err_set(err, xos_buf_status(&out), "export", "the export is too long");
	if (!st && opt_out)
		st = xos_file_write(opt_out, 0600, xos_buf_bytes(&out), err);
	else if (!st && fwrite(out.p, 1, out.n, stdout) != out.n)
		st = xos_err_errno(err, 0, "output", "cannot write the export");
	if (!st && opt_out)
		st = tell(cli, groups, members, err);
	vo_sheet_clear(&s);
	xos_buf_free(&out);
	return st;
}
