/* xos-vo import */
#include <stdio.h>
#include <string.h>

#include "vo/sheet.h"
#include "vo/verbs.h"

/* A batch is one transaction and one act in the record, which takes 32 KiB of arguments. */
#define BATCH_BYTES (30 * 1024)
#define BATCH_ROWS 1000
#define CHANGES_MAX 100000

static bool opt_dry_run;

const struct xos_cli_option vo_import_options[] = {
    {"dry-run", NULL, "show what would change, and change nothing", &opt_dry_run, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

struct import {
	struct xos_cli *cli;
	struct vo_sheet sheet;
	size_t groups, members; /* rows that are done */
	struct xos_json *all;   /* every change, with --dry-run or --json */
	size_t changes;
};

static size_t length(const struct xos_json *row)
{
	struct xos_buf b;
	xos_buf_init(&b, 1024 * 1024);
	size_t n = xos_json_dump(row, &b, NULL) ? SIZE_MAX / 2 : b.n;
	xos_buf_free(&b);
	return n;
}

/* Moves rows from *next on into a batch while they fit; room: what is left of it. */
static enum xos_status fill(const struct xos_json *rows, size_t *next, size_t *room,
    struct xos_json *batch, struct xos_err *err)
{
	while (*next < xos_json_count(rows) && xos_json_count(batch) < BATCH_ROWS) {
		const struct xos_json *row = xos_json_at(rows, *next);
		const char *at = "";
		size_t n = length(row) + 1;
		if (n > BATCH_BYTES)
			return xos_json_get_string(row, "at", 64, &at, NULL)
			           ? XOS_INTERNAL
			           : xos_err_set(err, XOS_LIMIT, "import-row",
			                 "%s: a row of more than %d bytes cannot be recorded", at,
			                 BATCH_BYTES);
		if (n > *room)
			break;
		*room -= n;
		xos_json_add(batch, xos_json_copy(row));
		(*next)++;
	}
	return XOS_OK;
}

/* Groups go before all members. */
static enum xos_status next_batch(struct import *i, struct xos_json **args, struct xos_err *err)
{
	struct xos_json *groups = xos_json_array(), *members = xos_json_array();
	size_t room = BATCH_BYTES;
	enum xos_status st = fill(i->sheet.groups, &i->groups, &room, groups, err);
	if (!st && i->groups == xos_json_count(i->sheet.groups))
		st = fill(i->sheet.members, &i->members, &room, members, err);
	*args = xos_json_object();
	xos_json_set(*args, "groups", groups);
	xos_json_set(*args, "members", members);
	if (st) {
		xos_json_free(*args);
		*args = NULL;
	}
	return st;
}

static enum xos_status take(struct import *i, const struct xos_json *result, struct xos_err *err)
{
	const struct xos_json *changes = NULL;
	enum xos_status st = xos_json_get_array(result, "changes", CHANGES_MAX, &changes, err);
	size_t n = st ? 0 : xos_json_count(changes);
	i->changes += n;
	for (size_t k = 0; (opt_dry_run || i->cli->json) && k < n; k++)
		xos_json_add(i->all, xos_json_copy(xos_json_at(changes, k)));
	return st;
}

static enum xos_status one_batch(struct import *i, struct xos_err *err)
{
	size_t total = xos_json_count(i->sheet.groups) + xos_json_count(i->sheet.members);
	struct xos_json *args = NULL, *result = NULL;
	size_t groups_before = i->groups;
	enum xos_status st = next_batch(i, &args, err);
	if (st)
		return st;
	/* What earlier batches would have added is not there when nothing is changed. */
	if (opt_dry_run && groups_before > 0) {
		struct xos_json *suppose = xos_json_array();
		for (size_t k = 0; k < groups_before; k++)
			xos_json_add(suppose, xos_json_copy(xos_json_at(i->sheet.groups, k)));
		xos_json_set(args, "suppose", suppose);
	}
	st = xos_cli_command(
	    i->cli, "ca", opt_dry_run ? "import.check" : "import.apply", args, &result, err);
	if (!st)
		st = take(i, result, err);
	xos_json_free(result);
	if (!st)
		xos_cli_progress(i->cli, "%zu of %zu rows", i->groups + i->members, total);
	return st;
}

static void print_change(const struct xos_json *c)
{
	const char *at = NULL, *verb = NULL, *name = NULL, *value = NULL;
	if (!xos_json_get_string(c, "at", 64, &at, NULL) &&
	    !xos_json_get_string(c, "verb", 64, &verb, NULL) &&
	    !xos_json_get_string(c, "name", 512, &name, NULL) &&
	    !xos_json_opt_string(c, "value", 1024, &value, NULL))
		xos_cli_say("%s: %s %s%s%s", at, verb, name, value ? " " : "", value ? value : "");
}

static enum xos_status tell(struct import *i, struct xos_err *err)
{
	if (i->cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_bool(doc, "dry_run", opt_dry_run);
		xos_json_set(doc, "changes", i->all);
		i->all = NULL;
		return xos_cli_print_json(doc, err);
	}
	for (size_t k = 0; k < xos_json_count(i->all); k++)
		print_change(xos_json_at(i->all, k));
	xos_cli_say(opt_dry_run ? "%zu changes would be made, and none was" : "%zu changes made",
	    i->changes);
	return XOS_OK;
}

enum xos_status vo_import(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct import i = {.cli = cli, .all = xos_json_array()};
	enum xos_status st = vo_sheet_read(argv[0], &i.sheet, err);
	while (!st && (i.groups < xos_json_count(i.sheet.groups) ||
	                  i.members < xos_json_count(i.sheet.members)))
		st = one_batch(&i, err);
	xos_cli_progress(cli, "%s", "");
	if (st && i.changes && !opt_dry_run)
		st = xos_err_prefix(err, st,
		    "%zu changes are made, nothing of what follows; run it again when this is "
		    "corrected",
		    i.changes);
	if (!st)
		st = tell(&i, err);
	vo_sheet_clear(&i.sheet);
	xos_json_free(i.all);
	return st;
}
