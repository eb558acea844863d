#include "policy/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/format_unit.h"

#define DEEPEST 16u /* what holds units, in one another: deeper ones are indented no further */

static unsigned indent_of(unsigned depth)
{
	return (depth < DEEPEST ? depth : DEEPEST) * XOS_FORMAT_INDENT;
}

/* The comments before the unit, and the unit. blanks: empty lines may be kept here. */
static void write_unit(struct xos_format *f, bool *blanks)
{
	const struct xos_format_token *first = &f->list[0];
	bool blank = xos_format_comments(f, first->gap, first->start, indent_of(f->depth), blanks);
	if (!f->fresh)
		xos_format_end_line(f);
	if (f->closes && f->depth)
		f->depth--;
	else if (blank && *blanks)
		xos_format_end_line(f);
	f->indent = indent_of(f->depth);
	xos_format_unit(f);
	f->depth += f->opens;
	*blanks = !f->opens;
}

enum xos_status xos_format_text(const char *text, size_t len, struct xos_buf *out)
{
	struct xos_format f = {.text = NULL};
	enum xos_status status = XOS_MALFORMED;
	bool blanks = false;
	xos_buf_init(&f.out, XOS_POLICY_TEXT_MAX);
	xos_format_begin(&f, len ? text : "", len);
	while (xos_format_read(&f) && xos_buf_status(&f.out) == XOS_OK)
		write_unit(&f, &blanks);
	if (f.failed)
		goto out;
	xos_format_comments(&f, f.next_gap, f.next.start, 0, &blanks);
	if (!f.fresh)
		xos_format_end_line(&f);
	status = xos_buf_status(&f.out);
	if (status == XOS_OK) {
		xos_buf_put(out, f.out.p, f.out.n);
		status = xos_buf_status(out);
	}
out:
	if (f.no_memory)
		status = XOS_INTERNAL;
	xos_buf_free(&f.out);
	free(f.list);
	return status;
}

/* The next token or comment of a text, as the lexer sees it; comments without blanks at the end. */
struct walk {
	const char *text;
	struct xos_policy_lexer lexer;
	struct xos_policy_token t;
	size_t gap;
};

static void walk_begin(struct walk *w, const char *text, size_t len)
{
	*w = (struct walk){.text = text};
	xos_policy_lexer_init(&w->lexer, text, len);
	xos_policy_lexer_next(&w->lexer, &w->t);
}

/* END has no bytes. */
static struct xos_bytes walk_next(struct walk *w)
{
	size_t start = w->gap, end = w->lexer.at;
	while (start < w->t.start && w->text[start] != '#')
		start++;
	if (start < w->t.start) {
		for (end = start; end < w->t.start && w->text[end] != '\n';)
			end++;
		w->gap = end;
		while (strchr(" \t\r", w->text[end - 1]))
			end--;
	} else if (w->t.kind != XOS_TOKEN_END) {
		w->gap = end;
		xos_policy_lexer_next(&w->lexer, &w->t);
	}
	return (struct xos_bytes){(const uint8_t *)w->text + start, end - start};
}

/* Nothing that means anything, and no comment, was lost, added, changed or moved. */
bool xos_format_same(const char *a, size_t na, const char *b, size_t nb)
{
	struct walk x, y;
	struct xos_bytes p, q;
	walk_begin(&x, na ? a : "", na);
	walk_begin(&y, nb ? b : "", nb);
	do {
		p = walk_next(&x);
		q = walk_next(&y);
	} while (p.n && xos_bytes_eq(p, q));
	return !p.n && !q.n;
}

static enum xos_status fail(
    struct xos_policy_errors *errs, enum xos_status status, const char *text, const char *hint)
{
	if (!errs)
		return status;
	struct xos_policy_error *e = &errs->list[0];
	e->line = e->col = 1;
	snprintf(e->text, sizeof(e->text), "%s", text);
	snprintf(e->hint, sizeof(e->hint), "%s", hint);
	errs->n = errs->total = 1;
	return status;
}

enum xos_status xos_policy_format(const char *text, size_t len, const char *filename,
    struct xos_buf *out, struct xos_policy_errors *errs)
{
	struct xos_policy_set *set;
	struct xos_buf formatted;
	enum xos_status status = xos_policy_set_parse(text, len, filename, &set, errs);
	if (status != XOS_OK)
		return status;
	xos_policy_set_unref(set);
	xos_buf_init(&formatted, XOS_POLICY_TEXT_MAX);
	status = xos_format_text(text, len, &formatted);
	if (status == XOS_LIMIT)
		status = fail(errs, status, "formatted, the set would be longer than a set may be",
		    "split it into several sets");
	else if (status != XOS_OK)
		status =
		    fail(errs, XOS_INTERNAL, "the set could not be formatted: out of memory", "");
	else if (!xos_format_same(text, len, (const char *)formatted.p, formatted.n))
		status = fail(errs, XOS_INTERNAL, "the formatter would change what the set says",
		    "this is a bug of this program; please report it with the text");
	if (status == XOS_OK) {
		xos_buf_put(out, formatted.p, formatted.n);
		status = xos_buf_status(out);
	}
	xos_buf_free(&formatted);
	return status;
}
