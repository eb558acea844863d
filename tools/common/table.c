#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct row {
	char *cell[XOS_CLI_COLUMNS_MAX];
};

struct xos_cli_table {
	size_t n;
	struct row *rows;
	size_t nrows, cap;
	bool failed;
};

/* A peer's text goes to a terminal: no control characters. */
static char *clean_copy(const char *s)
{
	char *copy = strdup(s && *s ? s : "-");
	if (copy)
		xos_text_clean(copy);
	return copy;
}

/* Columns on a terminal: UTF-8 continuation bytes take none. */
static size_t width(const char *s)
{
	size_t w = 0;
	for (; *s; s++)
		w += ((unsigned char)*s & 0xc0) != 0x80;
	return w;
}

struct xos_cli_table *xos_cli_table_new(const char *const *heads, size_t n)
{
	struct xos_cli_table *t = n <= XOS_CLI_COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;
	if (!t)
		return NULL;
	t->n = n;
	xos_cli_table_row(t, heads);
	return t;
}

void xos_cli_table_row(struct xos_cli_table *t, const char *const *cells)
{
	if (!t || t->failed)
		return;
	if (t->nrows == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 16;
		struct row *rows = reallocarray(t->rows, cap, sizeof(*rows));
		if (!rows) {
			t->failed = true;
			return;
		}
		t->rows = rows;
		t->cap = cap;
	}
	struct row *r = &t->rows[t->nrows++];
	for (size_t i = 0; i < t->n; i++) {
		r->cell[i] = clean_copy(cells[i]);
		t->failed |= !r->cell[i];
	}
}

static void print_row(const struct xos_cli_table *t, const struct row *r, const size_t *wide)
{
	for (size_t i = 0; i < t->n; i++) {
		fputs(r->cell[i], stdout);
		if (i + 1 < t->n)
			printf("%*s", (int)(wide[i] - width(r->cell[i]) + 2), "");
	}
	putchar('\n');
}

enum xos_status xos_cli_table_print(struct xos_cli_table *t, struct xos_err *err)
{
	size_t wide[XOS_CLI_COLUMNS_MAX] = {0};
	bool failed = !t || t->failed;
	for (size_t r = 0; !failed && r < t->nrows; r++)
		for (size_t i = 0; i < t->n; i++)
			if (width(t->rows[r].cell[i]) > wide[i])
				wide[i] = width(t->rows[r].cell[i]);
	for (size_t r = 0; t && r < t->nrows; r++) {
		if (!failed)
			print_row(t, &t->rows[r], wide);
		for (size_t i = 0; i < t->n; i++)
			free(t->rows[r].cell[i]);
	}
	if (t)
		free(t->rows);
	free(t);
	return failed ? xos_err_set(err, XOS_INTERNAL, "memory", "out of memory") : XOS_OK;
}
