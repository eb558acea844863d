#include "base/csv.h"

#include <string.h>

#include "base/text.h"

void xos_csv_init(struct xos_csv *c, struct xos_bytes in)
{
	*c = (struct xos_csv){.in = in, .line = 1, .column = 1};
	xos_buf_init(&c->text, XOS_CSV_RECORD_MAX);
}

void xos_csv_free(struct xos_csv *c)
{
	xos_buf_free(&c->text);
}

static enum xos_status bad(const struct xos_csv *c, const char *what, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "csv", "line %zu, column %zu: %s", c->line, c->column, what);
}

static bool at_end(const struct xos_csv *c)
{
	return c->at >= c->in.n;
}

static uint8_t peek(const struct xos_csv *c)
{
	return at_end(c) ? 0 : c->in.p[c->at];
}

static void step(struct xos_csv *c)
{
	if (c->in.p[c->at++] == '\n') {
		c->line++;
		c->column = 1;
	} else {
		c->column++;
	}
}

/* At LF, or CR with LF after it? A lone CR is not the end of a line. */
static bool at_line_end(const struct xos_csv *c)
{
	return peek(c) == '\n' ||
	       (peek(c) == '\r' && c->at + 1 < c->in.n && c->in.p[c->at + 1] == '\n');
}

/* One character of a field, whole. */
static enum xos_status take(struct xos_csv *c, struct xos_err *err)
{
	const uint8_t *p = c->in.p + c->at;
	size_t n = xos_utf8_length(p, c->in.n - c->at);

	if (n == 0 || p[0] == 0)
		return bad(c, "a byte that is no UTF-8 text", err);
	xos_buf_put(&c->text, p, n);
	for (size_t i = 0; i < n; i++)
		step(c);
	return XOS_OK;
}

static enum xos_status quoted(struct xos_csv *c, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	step(c);
	while (st == XOS_OK) {
		if (at_end(c))
			return bad(c, "the file ends within quotes", err);
		if (peek(c) == '"') {
			step(c);
			if (peek(c) != '"' || at_end(c))
				break;
		}
		st = take(c, err);
	}
	if (st == XOS_OK && !at_end(c) && peek(c) != ',' && !at_line_end(c))
		st = bad(c, "after a closing quote comes a comma or the end of the line", err);
	return st;
}

static enum xos_status unquoted(struct xos_csv *c, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && !at_end(c) && peek(c) != ',' && !at_line_end(c)) {
		if (peek(c) == '"')
			return bad(c,
			    "a quote within a field: put the whole field in quotes and "
			    "double the quote",
			    err);
		if (peek(c) == '\r')
			return bad(c, "a carriage return that ends no line", err);
		st = take(c, err);
	}
	return st;
}

static enum xos_status field(
    struct xos_csv *c, struct xos_csv_record *r, size_t *start, struct xos_err *err)
{
	enum xos_status st;

	if (r->n >= XOS_CSV_FIELDS_MAX)
		return xos_err_set(err, XOS_LIMIT, "csv-long",
		    "line %zu, column %zu: more than %d fields", c->line, c->column,
		    XOS_CSV_FIELDS_MAX);
	r->column[r->n] = c->column;
	*start = c->text.n;
	st = peek(c) == '"' && !at_end(c) ? quoted(c, err) : unquoted(c, err);
	xos_buf_u8(&c->text, 0);
	if (st == XOS_OK && xos_buf_status(&c->text) != XOS_OK)
		st = xos_err_set(err, XOS_LIMIT, "csv-long",
		    "line %zu: a record of more than %d bytes", r->line, XOS_CSV_RECORD_MAX);
	r->n++;
	return st;
}

enum xos_status xos_csv_next(
    struct xos_csv *c, struct xos_csv_record *out, bool *more, struct xos_err *err)
{
	size_t start[XOS_CSV_FIELDS_MAX];
	enum xos_status st = XOS_OK;
	bool comma = true;

	memset(out, 0, sizeof(*out));
	out->line = c->line;
	c->text.n = 0;
	*more = !at_end(c);
	if (!*more)
		return XOS_OK;
	if (at_line_end(c))
		return bad(c, "an empty line", err);
	while (st == XOS_OK && comma) {
		/* field() refuses one too many before it writes. */
		st = field(c, out, &start[out->n < XOS_CSV_FIELDS_MAX ? out->n : 0], err);
		comma = st == XOS_OK && peek(c) == ',' && !at_end(c);
		if (comma)
			step(c);
	}
	/* Only a line end can stand here. */
	if (st == XOS_OK && !at_end(c) && peek(c) == '\r')
		step(c);
	if (st == XOS_OK && !at_end(c))
		step(c);
	for (size_t i = 0; st == XOS_OK && i < out->n; i++)
		out->field[i] = (const char *)c->text.p + start[i];
	return st;
}

void xos_csv_put(struct xos_buf *out, const char *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = fields[i] ? fields[i] : "";
		/* A record of one empty field would be an empty line. */
		bool quote = strpbrk(s, ",\"\r\n") || (n == 1 && !*s);

		if (i)
			xos_buf_put_str(out, ",");
		if (quote)
			xos_buf_put_str(out, "\"");
		for (const char *p = s; *p; p++) {
			if (*p == '"')
				xos_buf_put_str(out, "\"");
			xos_buf_put(out, p, 1);
		}
		if (quote)
			xos_buf_put_str(out, "\"");
	}
	xos_buf_put_str(out, "\r\n");
}
