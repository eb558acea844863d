#include "policy/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool xos_parser_error(struct xos_policy_parser *p, const struct xos_policy_token *at,
    const char *hint, const char *fmt, ...)
{
	if (p->status == XOS_OK)
		p->status = XOS_MALFORMED;
	p->errs->total++;
	if (p->errs->n == XOS_POLICY_ERRORS_MAX)
		return false;
	struct xos_policy_error *e = &p->errs->list[p->errs->n++];
	at = at ? at : &p->t;
	/* Made-up arguments stand in no line. */
	if (p->use && p->use->trial && (at->line == 0 || p->t.line == 0)) {
		p->use->at_param = true;
		if (at->line == 0)
			at = &p->use->param_at;
	}
	e->line = at->line;
	e->col = at->col;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	snprintf(e->hint, sizeof(e->hint), "%s", hint ? hint : "");
	if (p->use && p->use->trial) {
		size_t n = strlen(e->text);
		snprintf(e->text + n, sizeof(e->text) - n,
		    " (in the template %s, which nothing uses)", p->use->template->name);
	} else if (p->use) {
		size_t n = strlen(e->text);
		snprintf(e->text + n, sizeof(e->text) - n, " (in the use of %s at %u:%u)",
		    p->use->template->name, p->use->at.line, p->use->at.col);
	}
	return false;
}

/* With what stands around names and strings, and never nothing at all. */
const char *xos_parser_text(const struct xos_policy_parser *p)
{
	return p->t.kind == XOS_TOKEN_END ? "end of text" : p->lexer.text + p->t.start;
}

int xos_parser_shown(const struct xos_policy_parser *p)
{
	size_t n = p->t.len;
	if (p->t.kind == XOS_TOKEN_END)
		n = strlen("end of text");
	else if (p->t.kind == XOS_TOKEN_ID || p->t.kind == XOS_TOKEN_NAME)
		n++;
	else if (p->t.kind == XOS_TOKEN_STRING)
		n += 2;
	return (int)(n < 60 ? n : 60);
}

bool xos_parser_memory(struct xos_policy_parser *p)
{
	xos_parser_error(p, NULL, NULL, "out of memory");
	p->status = XOS_INTERNAL;
	return false;
}

/* The end of an argument is followed by what stands after its parameter in the template. */
static void next_token(struct xos_policy_parser *p)
{
	xos_policy_lexer_next(&p->lexer, &p->t);
	if (p->t.kind != XOS_TOKEN_END || !p->use || !p->use->in_arg)
		return;
	p->use->in_arg = false;
	p->lexer = p->use->body;
	xos_policy_lexer_next(&p->lexer, &p->t);
}

void xos_parser_next(struct xos_policy_parser *p)
{
	p->after_brace = xos_parser_is(p, "}");
	if (xos_parser_is(p, "{"))
		p->braces++;
	else if (p->after_brace && p->braces)
		p->braces--;
	p->last_end = p->lexer.at;
	next_token(p);
	p->word[0] = 0;
	if (p->t.kind == XOS_TOKEN_ERROR) {
		xos_parser_error(p, NULL, NULL, "%s", p->t.message);
		return;
	}
	if (p->t.kind != XOS_TOKEN_WORD && p->t.kind != XOS_TOKEN_ID && p->t.kind != XOS_TOKEN_NAME)
		return;
	if (p->t.len > XOS_POLICY_WORD_MAX) {
		xos_parser_error(p, NULL, NULL, "a name of %zu bytes; at most %u are allowed",
		    p->t.len, XOS_POLICY_WORD_MAX);
		p->t.kind = XOS_TOKEN_ERROR;
		return;
	}
	memcpy(p->word, p->t.text, p->t.len);
	p->word[p->t.len] = 0;
	if (p->t.kind == XOS_TOKEN_NAME && p->use && xos_parser_parameter(p))
		xos_parser_next(p);
}

bool xos_parser_is(const struct xos_policy_parser *p, const char *text)
{
	/* Asked a dozen times for each word: the first byte nearly always tells. */
	return p->t.len && p->t.text[0] == text[0] &&
	       (p->t.kind == XOS_TOKEN_WORD || p->t.kind == XOS_TOKEN_OP) &&
	       strlen(text) == p->t.len && memcmp(p->t.text, text, p->t.len) == 0;
}

bool xos_parser_accept(struct xos_policy_parser *p, const char *text)
{
	if (!xos_parser_is(p, text))
		return false;
	xos_parser_next(p);
	return true;
}

bool xos_parser_expect(struct xos_policy_parser *p, const char *text, const char *hint)
{
	if (xos_parser_accept(p, text))
		return true;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false; /* told already */
	if (p->t.kind == XOS_TOKEN_END)
		return xos_parser_error(p, NULL, hint, "expected '%s', but the %s ends here", text,
		    p->use ? "template" : "text");
	return xos_parser_error(p, NULL, hint, "expected '%s', found '%.*s'", text,
	    xos_parser_shown(p), xos_parser_text(p));
}

const char *xos_parser_keep(struct xos_policy_parser *p)
{
	const char *s = xos_policy_memory_string(p->set->memory, p->word, strlen(p->word));
	if (!s)
		xos_parser_memory(p);
	return s;
}

bool xos_parser_string(struct xos_policy_parser *p, size_t max, const char *what, const char **out)
{
	char text[XOS_POLICY_BECAUSE_MAX + 1];
	size_t n = 0;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_STRING)
		return xos_parser_error(p, NULL, "write it in double quotes", "expected %s", what);
	for (size_t i = 0; i < p->t.len; i++) {
		if (p->t.text[i] == '\\')
			i++;
		if (n == max || n == XOS_POLICY_BECAUSE_MAX)
			return xos_parser_error(
			    p, NULL, NULL, "%s is longer than %zu bytes", what, max);
		text[n++] = p->t.text[i];
	}
	if (n == 0)
		return xos_parser_error(p, NULL, NULL, "%s must not be empty", what);
	*out = xos_policy_memory_string(p->set->memory, text, n);
	if (!*out)
		return xos_parser_memory(p);
	xos_parser_next(p);
	return true;
}

/* Levenshtein distance of short words; longer ones are never near. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[34];
	size_t na = strlen(a), nb = strlen(b);
	if (na > 32 || nb > 32)
		return 99;
	for (unsigned j = 0; j <= nb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= na; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *xos_parser_suggest(char *buf, size_t cap, const char *word, const char *fallback,
    const char *(*candidate)(size_t i))
{
	const char *best = NULL;
	unsigned least = 3;
	for (size_t i = 0; candidate(i); i++) {
		unsigned d = distance(word, candidate(i));
		if (d < least) {
			least = d;
			best = candidate(i);
		}
	}
	if (!best)
		return fallback;
	snprintf(buf, cap, "did you mean %s?", best);
	return buf;
}

/* Where the first byte stands that is not UTF-8, for the message. */
static void tell_utf8(struct xos_policy_parser *p, const char *text, size_t len)
{
	size_t good = 0, bad = len;
	struct xos_policy_token at = {.line = 1, .col = 1};
	/* A cut inside a character fails too: search by whole lines, then by byte. */
	for (size_t i = 0, start = 0; i <= len; i++) {
		if (i < len && text[i] != '\n')
			continue;
		if (!xos_utf8_valid((struct xos_bytes){(const uint8_t *)text + start, i - start})) {
			good = start;
			bad = i;
			break;
		}
		start = i + 1;
		at.line++;
	}
	for (size_t n = 1; good + n <= bad && n <= 4096; n++)
		if (xos_utf8_valid((struct xos_bytes){(const uint8_t *)text + good, n}))
			at.col = (uint32_t)n + 1;
	xos_parser_error(p, &at, "save the file as UTF-8", "this is not UTF-8 text");
}

/*
 * Characters that change the direction of what follows them, or end a line for some readers only
 * (U+2028, U+2029): a text would show itself otherwise than it is read.
 */
static bool hidden(const char *text, size_t len, struct xos_policy_token *at)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t start = 0;
	*at = (struct xos_policy_token){.line = 1, .col = 1};
	for (size_t i = 0; i + 2 < len; i++) {
		if (s[i] == '\n') {
			at->line++;
			start = i + 1;
		}
		if (s[i] != 0xe2)
			continue;
		bool line = s[i + 1] == 0x80 && (s[i + 2] == 0xa8 || s[i + 2] == 0xa9);
		bool turn = (s[i + 1] == 0x80 && s[i + 2] >= 0xaa && s[i + 2] <= 0xae) ||
		            (s[i + 1] == 0x81 && s[i + 2] >= 0xa6 && s[i + 2] <= 0xa9);
		at->col = (uint32_t)(i - start) + 1;
		if (line || turn)
			return true;
	}
	return false;
}

enum xos_status xos_parser_run(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_policy_errors *errs,
    void (*then)(const struct xos_policy_parser *p, void *arg), void *arg)
{
	*out = NULL;
	struct xos_policy_parser *p = calloc(1, sizeof(*p));
	struct xos_policy_errors *own = errs ? NULL : calloc(1, sizeof(*own));
	enum xos_status status = XOS_INTERNAL;
	struct xos_policy_token at;
	if (!p || (!errs && !own))
		goto out;
	p->errs = errs ? errs : own;
	memset(p->errs, 0, sizeof(*p->errs));
	snprintf(
	    p->errs->filename, sizeof(p->errs->filename), "%s", filename ? filename : "policy");
	p->t.line = p->t.col = 1;
	if (len > XOS_POLICY_TEXT_MAX) {
		xos_parser_error(p, NULL, "split it into several sets",
		    "a set has at most %u bytes, this one has %zu", XOS_POLICY_TEXT_MAX, len);
		status = XOS_LIMIT;
		goto out;
	}
	p->set = xos_policy_set_new();
	if (!p->set)
		goto out;
	if (!xos_utf8_valid((struct xos_bytes){(const uint8_t *)text, len})) {
		tell_utf8(p, text, len);
	} else if (hidden(text, len, &at)) {
		xos_parser_error(p, &at, "remove it: the text would look other than it is",
		    "a character that changes direction or line");
	} else {
		xos_policy_lexer_init(&p->lexer, len ? text : "", len);
		xos_parser_next(p);
		xos_parser_set(p);
	}
	status = p->status;
	if (status != XOS_OK)
		goto out;
	if (then)
		then(p, arg);
	*out = p->set;
	p->set = NULL;
out:
	if (p)
		xos_policy_set_unref(p->set);
	free(p);
	free(own);
	return status;
}

enum xos_status xos_policy_set_parse(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_policy_errors *errs)
{
	return xos_parser_run(text, len, filename, out, errs, NULL, NULL);
}
