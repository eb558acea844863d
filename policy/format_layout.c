/*
 * Lines of a unit. What fits on a line stands on one; what does not is broken at the outermost places
 * where it can be, and its parts are laid out in the same way.
 */
#include "policy/format.h"
#include "policy/format_unit.h"

void xos_format_end_line(struct xos_format *f)
{
	xos_buf_put_str(&f->out, "\n");
	f->fresh = true;
	f->column = 0;
	f->lines++;
}

static void put(struct xos_format *f, size_t start, size_t end, size_t width)
{
	if (f->fresh) {
		xos_buf_printf(&f->out, "%*s", (int)f->indent, "");
		f->column = f->line_indent = f->indent;
		f->fresh = false;
	}
	xos_buf_put(&f->out, f->text + start, end - start);
	f->column += width;
}

static void put_blank(struct xos_format *f)
{
	xos_buf_put_str(&f->out, " ");
	f->column++;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool xos_format_comments(
    struct xos_format *f, size_t from, size_t to, unsigned indent, bool *blanks)
{
	unsigned newlines = 0;
	for (size_t i = from; i < to; i++) {
		newlines += f->text[i] == '\n';
		if (f->text[i] != '#')
			continue;
		size_t start = i, end;
		while (i < to && f->text[i] != '\n')
			i++;
		for (end = i--; is_blank(f->text[end - 1]);)
			end--;
		if (newlines == 0 && !f->fresh) {
			xos_buf_put_str(&f->out, "  ");
		} else {
			if (!f->fresh)
				xos_format_end_line(f);
			if (newlines > 1 && blanks && *blanks)
				xos_format_end_line(f);
			if (blanks)
				*blanks = true;
		}
		f->indent = indent;
		put(f, start, end, 0);
		newlines = 0;
	}
	return newlines > 1;
}

/* Ends the line before token i, which goes to that indent. */
static void break_line(struct xos_format *f, size_t i, unsigned comments, unsigned indent)
{
	xos_format_comments(f, f->list[i].gap, f->list[i].start, comments, NULL);
	if (!f->fresh)
		xos_format_end_line(f);
	f->indent = indent;
}

static void separate(struct xos_format *f, size_t i, unsigned indent)
{
	if (f->list[i].comments)
		break_line(f, i, indent, indent);
	else if (f->list[i].spaced)
		put_blank(f);
}

static void flat(struct xos_format *f, size_t a, size_t b, unsigned indent)
{
	for (size_t i = a; i < b; i++) {
		if (i > a)
			separate(f, i, indent);
		put(f, f->list[i].start, f->list[i].end, f->list[i].width);
	}
}

/* Do the tokens a to b - 1 fit on the line, if extra columns come before them? */
static bool fits(const struct xos_format *f, size_t a, size_t b, size_t extra)
{
	const struct xos_format_token *first = &f->list[a], *last = &f->list[b - 1];
	size_t column = f->fresh ? f->indent : f->column;
	return first->forced == last->forced &&
	       column + extra + last->column + last->width - first->column <=
	           XOS_POLICY_FORMAT_WIDTH;
}

/* The first "{" of a block that is whole between a and b; b: there is none. */
static size_t find_block(const struct xos_format *f, size_t a, size_t b)
{
	while (a < b && !(f->list[a].block && f->list[a].match > a && f->list[a].match < b))
		a++;
	return a;
}

/* Would a part that comes next fit on this line? Of one with a block: up to the "{". */
static bool follows(const struct xos_format *f, size_t a, size_t b)
{
	size_t block = find_block(f, a, b);
	return !f->list[a].comments && fits(f, a, block < b ? block + 1 : b, f->list[a].spaced);
}

static void lay(struct xos_format *f, size_t a, size_t b, unsigned indent);

/* Lays a part out and tells whether the next one may follow on its last line: after what goes over
 * several lines a new one begins, but not after the "}" of a block. */
static bool lay_part(struct xos_format *f, size_t a, size_t b, unsigned indent)
{
	size_t lines = f->lines;
	lay(f, a, b, indent + XOS_FORMAT_INDENT);
	return f->lines == lines || f->list[b - 1].block;
}

/* A part that comes after another: on this line if it may and fits, else on the next. */
static bool lay_next(struct xos_format *f, size_t a, size_t b, bool may, unsigned indent)
{
	if (may && follows(f, a, b))
		separate(f, a, indent);
	else
		break_line(f, a, indent, indent);
	return lay_part(f, a, b, indent);
}

/* Parts that follow one another as they fit. */
static void fill(struct xos_format *f, size_t a, size_t b, uint8_t level, unsigned indent)
{
	bool may = true;
	for (size_t s = a, e; s < b; s = e) {
		for (e = s + 1; e < b && f->list[e].level != level;)
			e++;
		may = s == a ? lay_part(f, s, e, indent) : lay_next(f, s, e, may, indent);
	}
}

/* Clauses from token a on, each on a line; with may the first may follow on this one. */
static void lay_clauses(struct xos_format *f, size_t a, size_t b, bool may, unsigned indent)
{
	for (size_t s = a, e; s < b; s = e) {
		for (e = s + 1; e < b && f->list[e].level != XOS_FORMAT_CLAUSE;)
			e++;
		lay_next(f, s, e, may && s == a, indent);
	}
}

/* Where the part of the block that begins at i ends: after ";", or after "," if it has none. */
static size_t part_end(const struct xos_format *f, size_t open, size_t i)
{
	char end = f->list[open].semicolon ? ';' : ',';
	size_t close = f->list[open].match;
	for (; i < close; i++) {
		if (f->list[i].match > i)
			i = f->list[i].match;
		else if (f->list[i].sign == end)
			return i + 1;
	}
	return close;
}

static void open_block(struct xos_format *f, size_t open)
{
	size_t close = f->list[open].match;
	unsigned base = f->line_indent, inside = base + XOS_FORMAT_INDENT;
	bool own = f->list[open].forced != f->list[close].forced, may = false;
	for (size_t s = open + 1, e; s < close; s = e) {
		e = part_end(f, open, s);
		may = lay_next(f, s, e, may, inside) && !own;
	}
	break_line(f, close, inside, base);
	flat(f, close, close + 1, base);
}

static void lay_block(struct xos_format *f, size_t a, size_t b, size_t open, unsigned indent)
{
	size_t close = f->list[open].match, rest = close + 1;
	bool opened = false;
	lay(f, a, open + 1, indent);
	while (rest < b && !f->list[rest].spaced && !f->list[rest].comments)
		rest++;
	if (f->list[open].forced == f->list[open + 1].forced &&
	    fits(f, open + 1, rest, f->list[open + 1].spaced)) {
		separate(f, open + 1, indent);
		flat(f, open + 1, rest, indent);
	} else {
		opened = true;
		open_block(f, open);
		flat(f, close + 1, rest, indent);
	}
	if (rest < b && opened && fits(f, rest, b, f->list[rest].spaced))
		lay_next(f, rest, b, true, indent);
	else
		lay_clauses(f, rest, b, opened, indent);
}

/* Tokens a to b - 1 from here on; further lines at that indent. */
static void lay(struct xos_format *f, size_t a, size_t b, unsigned indent)
{
	uint8_t level = XOS_FORMAT_NONE;
	if (fits(f, a, b, 0)) {
		flat(f, a, b, indent);
		return;
	}
	size_t block = find_block(f, a, b), clause = b;
	for (size_t i = b; i-- > a + 1;) {
		if (f->list[i].level <= level)
			level = f->list[i].level;
		if (f->list[i].level == XOS_FORMAT_CLAUSE)
			clause = i;
	}
	if (block < b && (level != XOS_FORMAT_CLAUSE || fits(f, a, block + 1, 0))) {
		lay_block(f, a, b, block, indent);
	} else if (level == XOS_FORMAT_CLAUSE) {
		lay(f, a, clause, indent);
		lay_clauses(f, clause, b, false, indent);
	} else if (level != XOS_FORMAT_NONE) {
		fill(f, a, b, level, indent);
	} else {
		flat(f, a, b, indent);
	}
}

void xos_format_unit(struct xos_format *f)
{
	lay(f, 0, f->n, f->indent + XOS_FORMAT_INDENT);
}
