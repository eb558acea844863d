#include "vo/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"

enum column { KIND, NAME, STATE, UNTIL, CONTACT, GROUPS, ROLES, ABOUT, COLUMNS };
static const char *const titles[COLUMNS] = {
    "kind", "name", "state", "until", "contact", "groups", "roles", "about"};

struct reader {
	struct xos_csv csv;
	struct xos_csv_record r;
	size_t of[XOS_CSV_FIELDS_MAX]; /* enum column of each field */
	size_t n;
	struct vo_sheet *out;
};

void vo_sheet_clear(struct vo_sheet *s)
{
	xos_json_free(s->groups);
	xos_json_free(s->members);
	*s = (struct vo_sheet){NULL, NULL};
}

static enum xos_status bad(
    const struct reader *x, size_t field, const char *what, struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "import-file", "line %zu, column %zu: %s", x->r.line,
	    field < x->r.n ? x->r.column[field] : 1, what);
}

/* --- CSV --- */

static enum xos_status read_title(
    struct reader *x, size_t field, bool seen[COLUMNS], struct xos_err *err)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		if (strcmp(x->r.field[field], titles[c]) != 0)
			continue;
		if (seen[c])
			return bad(x, field, "a column that stands there twice", err);
		seen[c] = true;
		x->of[field] = c;
		return XOS_OK;
	}
	return bad(x, field,
	    "a column of none of these names: kind, name, state, until, contact, groups, roles, "
	    "about",
	    err);
}

static enum xos_status read_titles(struct reader *x, struct xos_err *err)
{
	bool seen[COLUMNS] = {false}, more = false;
	enum xos_status st = xos_csv_next(&x->csv, &x->r, &more, err);
	if (!st && !more)
		st = bad(x, 0, "the file is empty; its first line names the columns", err);
	x->n = x->r.n;
	for (size_t i = 0; !st && i < x->n; i++)
		st = read_title(x, i, seen, err);
	if (!st && (!seen[KIND] || !seen[NAME]))
		st = bad(x, 0, "the columns kind and name are needed", err);
	return st;
}

/* "a b c" as an array; nothing as an empty one. */
static enum xos_status set_words(
    struct reader *x, size_t field, struct xos_json *row, const char *key, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	char word[512];
	for (const char *p = x->r.field[field]; *p;) {
		size_t n = strcspn(p, " ");
		if (n >= sizeof(word)) {
			xos_json_free(list);
			return bad(x, field, "a name that is too long", err);
		}
		memcpy(word, p, n);
		word[n] = '\0';
		if (n)
			xos_json_add_string(list, word);
		p += n + (p[n] == ' ');
	}
	xos_json_set(row, key, list);
	return XOS_OK;
}

static enum xos_status set_field(
    struct reader *x, size_t field, struct xos_json *row, bool member, struct xos_err *err)
{
	const char *text = x->r.field[field];
	enum column c = (enum column)x->of[field];
	if (c == KIND)
		return XOS_OK;
	if (c == NAME) {
		xos_json_set_string(row, member ? "name" : "group", text);
		return XOS_OK;
	}
	if (member == (c == ABOUT))
		return *text ? bad(x, field, "this column is empty for this kind", err) : XOS_OK;
	if (c == GROUPS || c == ROLES)
		return set_words(x, field, row, titles[c], err);
	if (c == STATE && !*text)
		return XOS_OK;
	xos_json_set_string(row, titles[c], c == UNTIL && !*text ? "never" : text);
	return XOS_OK;
}

static enum xos_status read_record(struct reader *x, struct xos_err *err)
{
	struct xos_json *row = xos_json_object();
	char at[48];
	bool member = false;
	enum xos_status st = XOS_OK;
	if (x->r.n != x->n)
		st = bad(x, x->n, "another number of fields than the first line has", err);
	for (size_t i = 0; !st && i < x->n; i++) {
		if (x->of[i] != KIND)
			continue;
		member = strcmp(x->r.field[i], "member") == 0;
		if (!member && strcmp(x->r.field[i], "group") != 0)
			st = bad(x, i, "the kind is neither group nor member", err);
	}
	snprintf(at, sizeof(at), "line %zu", x->r.line);
	xos_json_set_string(row, "at", at);
	for (size_t i = 0; !st && i < x->n; i++)
		st = set_field(x, i, row, member, err);
	if (st)
		xos_json_free(row);
	else
		xos_json_add(member ? x->out->members : x->out->groups, row);
	return st;
}

static enum xos_status read_csv(struct xos_bytes in, struct vo_sheet *out, struct xos_err *err)
{
	struct reader x = {.out = out};
	bool more = true;
	xos_csv_init(&x.csv, in);
	enum xos_status st = read_titles(&x, err);
	while (!st && more) {
		st = xos_csv_next(&x.csv, &x.r, &more, err);
		if (!st && more)
			st = read_record(&x, err);
		if (!st &&
		    xos_json_count(out->members) + xos_json_count(out->groups) > VO_SHEET_ROWS_MAX)
			st = bad(&x, 0, "too many rows for one file", err);
	}
	xos_csv_free(&x.csv);
	return st;
}

/* --- JSON --- */

static enum xos_status copy_rows(
    const struct xos_json *doc, const char *key, struct xos_json *into, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_opt_array(doc, key, VO_SHEET_ROWS_MAX, &list, err);
	for (size_t i = 0; !st && i < xos_json_count(list); i++) {
		char at[48];
		st = xos_json_as_object(xos_json_at(list, i), err);
		if (st)
			break;
		struct xos_json *row = xos_json_copy(xos_json_at(list, i));
		snprintf(at, sizeof(at), "%s[%zu]", key, i);
		xos_json_set_string(row, "at", at);
		xos_json_add(into, row);
	}
	return st;
}

static enum xos_status read_json(struct xos_bytes in, struct vo_sheet *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(in, VO_SHEET_MAX, &doc, err);
	if (!st)
		st = XOS_JSON_ONLY(doc, err, "groups", "members");
	if (!st)
		st = copy_rows(doc, "groups", out->groups, err);
	if (!st)
		st = copy_rows(doc, "members", out->members, err);
	xos_json_free(doc);
	return st;
}

/* --- both --- */

struct named {
	const char *name;
	const struct xos_json *row;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static const char *place(const struct xos_json *row)
{
	const char *at = NULL;
	return xos_json_get_string(row, "at", 64, &at, NULL) ? "?" : at;
}

/* Puts rows into the order of their names, and refuses a name that comes twice. */
static enum xos_status sort(struct xos_json **rows, const char *key, struct xos_err *err)
{
	size_t n = xos_json_count(*rows);
	struct named *list = calloc(n + 1, sizeof(*list));
	enum xos_status st =
	    list ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; !st && i < n; i++) {
		list[i].row = xos_json_at(*rows, i);
		st = xos_json_get_string(list[i].row, key, 256, &list[i].name, err);
		if (st)
			st = xos_err_prefix(err, st, "%s", place(list[i].row));
	}
	if (!st)
		qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 1; !st && i < n; i++)
		if (strcmp(list[i].name, list[i - 1].name) == 0)
			st = xos_err_set(err, XOS_MALFORMED, "import-file",
			    "%s and %s are both about %s", place(list[i - 1].row),
			    place(list[i].row), list[i].name);
	struct xos_json *sorted = xos_json_array();
	for (size_t i = 0; !st && i < n; i++)
		xos_json_add(sorted, xos_json_copy(list[i].row));
	free(list);
	xos_json_free(*rows);
	*rows = sorted;
	return st;
}

enum xos_status vo_sheet_read(const char *path, struct vo_sheet *out, struct xos_err *err)
{
	struct xos_buf b;
	*out = (struct vo_sheet){xos_json_array(), xos_json_array()};
	enum xos_status st = xos_file_read(path, VO_SHEET_MAX, &b, err);
	if (!st && b.n && b.p[0] == '{')
		st = read_json(xos_buf_bytes(&b), out, err);
	else if (!st)
		st = read_csv(xos_buf_bytes(&b), out, err);
	if (!st)
		st = sort(&out->groups, "group", err);
	if (!st)
		st = sort(&out->members, "name", err);
	if (st && err->status == st && strncmp(err->code, "file-", 5) != 0)
		st = xos_err_prefix(err, st, "%s", path);
	xos_buf_free(&b);
	if (st)
		vo_sheet_clear(out);
	return st;
}
