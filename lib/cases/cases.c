/* Files of cases: lines, blocks and tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cases/parser.h"

/* Cuts the comment off, which starts at '#' after a blank, outside of quotes. */
static void drop_comment(char *s)
{
	bool quoted = false;
	for (size_t i = 0; s[i]; i++) {
		if (s[i] == '"')
			quoted = !quoted;
		if (s[i] == '#' && !quoted && (i == 0 || strchr(" \t", s[i - 1]))) {
			s[i] = 0;
			break;
		}
	}
	xos_cases_trim(s);
}

static char *unquote(char *s)
{
	size_t n = strlen(s);
	if (n < 2 || s[0] != '"' || s[n - 1] != '"')
		return s;
	s[n - 1] = 0;
	return s + 1;
}

static enum xos_status add_case(struct xos_cases_parser *p, struct xos_cases_draft *d, unsigned row)
{
	struct xos_cases *c = p->cases;
	struct xos_case one = {.line = row ? p->line : p->started};
	char name[600];
	bool decision = false;
	for (size_t i = 0; i < d->nexpected; i++)
		decision |= d->expected[i].what == XOS_EXPECT_DECISION;
	if (!decision) {
		p->line = row ? p->line : p->started;
		return xos_cases_fail(p, p->text,
		    "the case '%s' expects nothing: add 'expect permit' or 'expect deny'", p->name);
	}
	if (c->n == XOS_CASES_MAX)
		return xos_cases_fail(p, p->text, "more than %u cases", XOS_CASES_MAX);
	struct xos_case *list = reallocarray(c->list, c->n + 1, sizeof(*list));
	if (!list)
		return xos_cases_no_memory(p);
	c->list = list;
	if (row)
		snprintf(name, sizeof(name), "%s [%u]", p->name, row);
	one.name = strdup(row ? name : p->name);
	one.expected = malloc((d->nexpected + 1) * sizeof(*one.expected));
	one.delegations = malloc((d->ndelegations + 1) * sizeof(*one.delegations));
	if (!one.name || !one.expected || !one.delegations) {
		free(one.name);
		free(one.expected);
		free(one.delegations);
		return xos_cases_no_memory(p);
	}
	memcpy(one.expected, d->expected, d->nexpected * sizeof(*one.expected));
	memcpy(one.delegations, d->delegations, d->ndelegations * sizeof(*one.delegations));
	one.nexpected = d->nexpected;
	one.ndelegations = d->ndelegations;
	one.ask = d->ask;
	*d = (struct xos_cases_draft){.ask = NULL};
	list[c->n++] = one;
	return XOS_OK;
}

static void end_table(struct xos_cases_parser *p)
{
	free(p->head);
	p->head = NULL;
	p->ncolumns = 0;
	p->table = false;
	p->rows = 0;
}

static enum xos_status end_block(struct xos_cases_parser *p)
{
	enum xos_status st = XOS_OK;
	if (p->block == IN_CASE && p->table && !p->rows)
		st = xos_cases_fail(p, p->text, "the table of '%s' has no rows", p->name);
	else if (p->block == IN_CASE && !p->rows)
		st = add_case(p, &p->draft, 0);
	if (!st && p->block == IN_SUBJECT && !xos_cases_ask_get(p->draft.ask, "subject"))
		st = xos_cases_fail(p, p->text, "the subject above has no 'is VO:MEMBER'");
	if (!st && p->block == IN_SUBJECT) {
		p->cases->people[p->cases->npeople - 1].ask = p->draft.ask;
		p->draft.ask = NULL;
	}
	end_table(p);
	xos_cases_draft_clear(&p->draft);
	free(p->name);
	p->name = NULL;
	p->block = IN_FILE;
	return st;
}

static enum xos_status start_case(struct xos_cases_parser *p, const char *name)
{
	if (!name[0])
		return xos_cases_fail(p, p->text, "a case has a name: case students cannot submit");
	if (strlen(name) > 500)
		return xos_cases_fail(p, name, "the name of a case has at most 500 bytes");
	p->block = IN_CASE;
	p->started = p->line;
	p->name = strdup(name);
	return p->name && xos_cases_draft_copy(&p->draft, &p->defaults) ? XOS_OK
	                                                                : xos_cases_no_memory(p);
}

static enum xos_status start_subject(struct xos_cases_parser *p, const char *name)
{
	if (!name[0] || strpbrk(name, " \t|,:"))
		return xos_cases_fail(
		    p, name, "a subject is described under a name of one word: subject alice");
	for (size_t i = 0; i < p->cases->npeople; i++)
		if (strcmp(p->cases->people[i].name, name) == 0)
			return xos_cases_fail(p, name, "the subject '%s' is described twice", name);
	if (p->cases->npeople == XOS_CASES_SUBJECTS_MAX)
		return xos_cases_fail(p, name, "more than %u subjects", XOS_CASES_SUBJECTS_MAX);
	struct xos_cases_person *people =
	    reallocarray(p->cases->people, p->cases->npeople + 1, sizeof(*people));
	if (!people)
		return xos_cases_no_memory(p);
	p->cases->people = people;
	people[p->cases->npeople] = (struct xos_cases_person){strdup(name), NULL};
	if (!people[p->cases->npeople++].name)
		return xos_cases_no_memory(p);
	p->block = IN_SUBJECT;
	p->draft.ask = xos_cases_ask_new();
	return p->draft.ask ? XOS_OK : xos_cases_no_memory(p);
}

static enum xos_status top_line(struct xos_cases_parser *p, char *word, char *value)
{
	enum xos_status st = end_block(p);
	if (st)
		return st;
	if (strcmp(word, "case") == 0)
		return start_case(p, unquote(value));
	if (strcmp(word, "subject") == 0)
		return start_subject(p, value);
	if (strcmp(word, "policies") != 0)
		return value[0]
		           ? xos_cases_take(p, &p->defaults, word, word, unquote(value))
		           : xos_cases_fail(p, word,
		                 "expected policies, subject, case, or a field with its value; "
		                 "the lines of a case are indented");
	if (!value[0])
		return xos_cases_fail(p, word, "name the files: policies demo-vo.xos lab-site.xos");
	for (char *s; !st && (s = xos_cases_piece(&value, " \t,"));)
		st = xos_cases_add_string(
		    p, &p->cases->policies, &p->cases->npolicies, xos_cases_beside(p, s));
	return st;
}

/* The cells of a row, in place. */
static size_t cells(char *s, char **out)
{
	size_t n = 0;
	for (char *next; s && n < XOS_CASES_COLUMNS_MAX + 1; s = next) {
		next = strchr(s, '|');
		if (next)
			*next++ = 0;
		s = xos_cases_skip(s);
		xos_cases_trim(s);
		if (!next && !*s && n)
			break; /* a bar at the end closes the row */
		out[n++] = s;
	}
	return n;
}

static enum xos_status table_head(struct xos_cases_parser *p, char *s)
{
	enum xos_status st = XOS_OK;
	p->head = strdup(s);
	if (!p->head)
		return xos_cases_no_memory(p);
	p->ncolumns = cells(p->head, p->columns);
	if (p->ncolumns > XOS_CASES_COLUMNS_MAX)
		st = xos_cases_fail(p, s, "more than %u columns", XOS_CASES_COLUMNS_MAX);
	for (size_t i = 0; !st && i < p->ncolumns; i++)
		if (!p->columns[i][0])
			st = xos_cases_fail(p, s, "column %zu of the table has no name", i + 1);
	return st;
}

static enum xos_status table_row(struct xos_cases_parser *p, char *s)
{
	char *value[XOS_CASES_COLUMNS_MAX + 1];
	struct xos_cases_draft d = {.ask = NULL};
	size_t len = strlen(s);
	bool closed = len && s[len - 1] == '|';
	size_t n = cells(s, value);
	/* The bar at the end closes the row, or stands before a last cell that is empty. */
	if (closed && n + 1 == p->ncolumns)
		value[n++] = s + len;
	if (n != p->ncolumns)
		return xos_cases_fail(
		    p, s, "a row of %zu cells in a table of %zu columns", n, p->ncolumns);
	enum xos_status st = xos_cases_draft_copy(&d, &p->draft) ? XOS_OK : xos_cases_no_memory(p);
	/* Who it is goes first, so that a column left of it is not overwritten. */
	for (unsigned turn = 0; turn < 2; turn++)
		for (size_t i = 0; !st && i < n; i++)
			if ((strcmp(p->columns[i], "subject") == 0) == (turn == 0) && value[i][0] &&
			    strcmp(value[i], "-") != 0)
				st = xos_cases_take(
				    p, &d, value[i], p->columns[i], unquote(value[i]));
	if (!st)
		st = add_case(p, &d, (unsigned)++p->rows);
	xos_cases_draft_clear(&d);
	return st;
}

static enum xos_status inner_line(struct xos_cases_parser *p, char *word, char *value, bool bars)
{
	if (p->table && bars)
		return p->head ? table_row(p, word) : table_head(p, word);
	if (p->table)
		return xos_cases_fail(p, word,
		    "a row of a table has '|' between or after its cells; fields stand before the "
		    "table");
	if (p->block == IN_CASE && strcmp(word, "table") == 0 && !value[0]) {
		p->table = true;
		return XOS_OK;
	}
	if (!value[0])
		return xos_cases_fail(p, word, "'%s' has no value", word);
	if (p->block == IN_SUBJECT) {
		if (strcmp(word, "is") == 0)
			return xos_cases_set(p, &p->draft, value, "subject", unquote(value));
		if (strcmp(word, "groups") != 0 && strcmp(word, "roles") != 0 &&
		    strcmp(word, "held") != 0 && strcmp(word, "home") != 0 &&
		    strncmp(word, "auth.", 5) != 0)
			return xos_cases_fail(p, word,
			    "a subject has is, groups, roles, held, home and auth.*, not '%s'",
			    word);
		return xos_cases_set(p, &p->draft, value, word, unquote(value));
	}
	return xos_cases_take(p, &p->draft, word, word, unquote(value));
}

static enum xos_status take_line(struct xos_cases_parser *p, const char *line, size_t n)
{
	if (n >= sizeof(p->text))
		return xos_cases_fail(
		    p, p->text, "the line is longer than %u bytes", XOS_CASES_LINE_MAX_BYTES - 1);
	memcpy(p->text, line, n);
	p->text[n] = 0;
	drop_comment(p->text);
	char *word = xos_cases_skip(p->text);
	if (!*word)
		return XOS_OK;
	bool bars = p->table && strchr(word, '|');
	if (word != p->text && p->block == IN_FILE)
		return xos_cases_fail(p, word,
		    "an indented line belongs to a case or a subject, and none "
		    "has begun");
	if (word != p->text && bars)
		return inner_line(p, word, word, true);
	char *value = word + strcspn(word, " \t");
	if (*value) {
		*value = 0;
		value = xos_cases_skip(value + 1);
	}
	return word == p->text ? top_line(p, word, value) : inner_line(p, word, value, false);
}

static enum xos_status take_all(struct xos_cases_parser *p, const char *text, size_t len)
{
	enum xos_status st = XOS_OK;
	size_t at = 0;
	if (len > XOS_CASES_TEXT_MAX)
		return xos_err_set(p->err, XOS_LIMIT, "cases-too-large",
		    "%s is larger than %u bytes; divide it", p->cases->path, XOS_CASES_TEXT_MAX);
	if (memchr(text, 0, len) || !xos_utf8_valid((struct xos_bytes){(const uint8_t *)text, len}))
		return xos_err_set(p->err, XOS_MALFORMED, "cases-malformed",
		    "%s:1:1: this is no text file: NUL bytes or no UTF-8", p->cases->path);
	while (!st && at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		p->line++;
		st = take_line(p, text + at, n);
		at += n + 1;
	}
	p->text[0] = 0;
	if (!st)
		st = end_block(p);
	if (!st && p->people_only && !p->cases->npeople)
		st = xos_cases_fail(p, p->text, "the file describes no subject");
	if (!st && !p->people_only && !p->cases->n)
		st = xos_cases_fail(p, p->text, "the file has no case");
	return st;
}

static enum xos_status parse_text(const char *text, size_t len, const char *path, bool people,
    struct xos_cases **out, struct xos_err *err)
{
	struct xos_cases_parser *p = calloc(1, sizeof(*p));
	enum xos_status st = XOS_INTERNAL;
	*out = NULL;
	if (p) {
		p->err = err;
		p->people_only = people;
		p->cases = calloc(1, sizeof(*p->cases));
		p->defaults.ask = xos_cases_ask_new();
	}
	if (p && p->cases)
		p->cases->path = strdup(path);
	if (!p || !p->cases || !p->cases->path || !p->defaults.ask)
		(void)xos_err_set(err, st, "memory", "out of memory");
	else
		st = take_all(p, text ? text : "", len);
	if (!st) {
		*out = p->cases;
		p->cases = NULL;
	}
	if (p) {
		xos_cases_draft_clear(&p->draft);
		xos_cases_draft_clear(&p->defaults);
		free(p->name);
		free(p->head);
		xos_cases_free(p->cases);
	}
	free(p);
	return st;
}

enum xos_status xos_cases_parse(
    const char *text, size_t len, const char *path, struct xos_cases **out, struct xos_err *err)
{
	return parse_text(text, len, path, false, out, err);
}

static enum xos_status read_file(
    const char *path, bool people, struct xos_cases **out, struct xos_err *err)
{
	struct xos_buf text;
	*out = NULL;
	xos_buf_init(&text, XOS_CASES_TEXT_MAX);
	enum xos_status st = xos_file_read(path, XOS_CASES_TEXT_MAX, &text, err);
	if (!st)
		st = parse_text((const char *)text.p, text.n, path, people, out, err);
	xos_buf_free(&text);
	return st;
}

enum xos_status xos_cases_read(const char *path, struct xos_cases **out, struct xos_err *err)
{
	return read_file(path, false, out, err);
}

enum xos_status xos_cases_people_read(const char *path, struct xos_cases **out, struct xos_err *err)
{
	return read_file(path, true, out, err);
}

void xos_cases_free(struct xos_cases *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		struct xos_case *one = &c->list[i];
		for (size_t j = 0; j < one->nexpected; j++)
			free(one->expected[j].text);
		free(one->expected);
		free(one->delegations);
		free(one->name);
		xos_cases_ask_free(one->ask);
	}
	for (size_t i = 0; i < c->npeople; i++) {
		free(c->people[i].name);
		xos_cases_ask_free(c->people[i].ask);
	}
	free(c->people);
	for (size_t i = 0; i < c->npolicies; i++)
		free(c->policies[i]);
	for (size_t i = 0; i < c->ndelegations; i++)
		free(c->delegations[i]);
	free(c->list);
	free(c->policies);
	free(c->delegations);
	free(c->path);
	free(c);
}
