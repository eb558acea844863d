#include "policy/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
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
	e->line = at->line;
	e->col = at->col;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	snprintf(e->hint, sizeof(e->hint), "%s", hint ? hint : "");
	return false;
}

bool xos_parser_memory(struct xos_policy_parser *p)
{
	xos_parser_error(p, NULL, NULL, "out of memory");
	p->status = XOS_INTERNAL;
	return false;
}

void xos_parser_next(struct xos_policy_parser *p)
{
	p->after_brace = xos_parser_is(p, "}");
	if (xos_parser_is(p, "{"))
		p->braces++;
	else if (p->after_brace && p->braces)
		p->braces--;
	xos_policy_lexer_next(&p->lexer, &p->t);
	p->word[0] = 0;
	if (p->t.kind == XOS_TOKEN_ERROR) {
		xos_parser_error(p, NULL, NULL, "%s", p->t.message);
		return;
	}
	if (p->t.kind != XOS_TOKEN_WORD && p->t.kind != XOS_TOKEN_ID)
		return;
	if (p->t.len > XOS_POLICY_WORD_MAX) {
		xos_parser_error(p, NULL, NULL, "a name of %zu bytes; at most %u are allowed",
		    p->t.len, XOS_POLICY_WORD_MAX);
		p->t.kind = XOS_TOKEN_ERROR;
		return;
	}
	memcpy(p->word, p->t.text, p->t.len);
	p->word[p->t.len] = 0;
}

bool xos_parser_is(const struct xos_policy_parser *p, const char *text)
{
	return (p->t.kind == XOS_TOKEN_WORD || p->t.kind == XOS_TOKEN_OP) &&
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
		return xos_parser_error(
		    p, NULL, hint, "expected '%s', but the text ends here", text);
	return xos_parser_error(p, NULL, hint, "expected '%s', found '%.*s'", text,
	    (int)(p->t.len < 40 ? p->t.len : 40), p->t.text);
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

static const char *statement_word(size_t i)
{
	static const char *const words[] = {
	    "permit", "forbid", "limit", "duty", "check", "shadow", "accounts", "node"};
	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

static bool starts_statement(const struct xos_policy_parser *p)
{
	for (size_t i = 0; statement_word(i); i++)
		if (xos_parser_is(p, statement_word(i)))
			return true;
	return false;
}

/* After an error: to the end of the statement, so that the next one is checked as well. */
static void skip_statement(struct xos_policy_parser *p, size_t start)
{
	if (p->lexer.at == start)
		xos_parser_next(p); /* always move on, or the same error comes again */
	while (p->t.kind != XOS_TOKEN_END) {
		if (p->braces <= 1 &&
		    (xos_parser_is(p, "}") || (p->t.first && starts_statement(p))))
			return;
		bool end = p->braces <= 1 && xos_parser_is(p, ";");
		bool close = p->braces == 2 && xos_parser_is(p, "}");
		xos_parser_next(p);
		if (end || (close && (starts_statement(p) || xos_parser_is(p, "}"))))
			return;
	}
}

static bool later_statement(struct xos_policy_parser *p)
{
	static const char *const later[] = {"delegate", "quota", "define", "set", "template"};
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (xos_parser_is(p, later[i]))
			return xos_parser_error(p, NULL,
			    "a statement that this version cannot carry out is never ignored: "
			    "remove it",
			    "'%s' is not supported yet", later[i]);
	return true;
}

static bool parse_item(struct xos_policy_parser *p)
{
	char hint[80];
	bool site = p->set->level == XOS_POLICY_SITE;
	if (xos_parser_is(p, "accounts") || xos_parser_is(p, "node")) {
		if (!site)
			return xos_parser_error(p, NULL, "only the owner of a site says this",
			    "'%s' belongs into a site's set", p->word);
		return xos_parser_is(p, "node") ? xos_parser_node(p) : xos_parser_accounts(p);
	}
	if (starts_statement(p))
		return xos_parser_statement(p);
	if (p->t.kind == XOS_TOKEN_ERROR || !later_statement(p))
		return false;
	return xos_parser_error(p, NULL,
	    xos_parser_suggest(hint, sizeof(hint), p->word,
	        "statements start with permit, forbid, limit, duty, check, shadow, accounts or "
	        "node",
	        statement_word),
	    "'%.*s' does not start a statement", (int)(p->t.len < 40 ? p->t.len : 40), p->t.text);
}

static bool parse_number(struct xos_policy_parser *p, const char *what, uint64_t max, uint64_t *v)
{
	if (p->t.kind != XOS_TOKEN_WORD || !xos_parse_u64(p->word, max, v))
		return xos_parser_error(p, NULL, NULL, "%s must be a whole number, at most %llu",
		    what, (unsigned long long)max);
	xos_parser_next(p);
	return true;
}

static bool parse_level_name(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_token at = p->t;
	if (!xos_parser_string(
	        p, XOS_SITE_MAX + 1 + XOS_NODE_MAX, "the name of the set", &set->name))
		return false;
	if (set->level == XOS_POLICY_VO) {
		set->vo = set->name;
		return xos_name_is_vo(set->name) ||
		       xos_parser_error(p, &at,
		           "lower-case letters, digits and '-', at most 15 bytes",
		           "'%s' is not the name of a VO", set->name);
	}
	if (set->level == XOS_POLICY_SITE) {
		set->site = set->name;
		return xos_name_is_site(set->name) ||
		       xos_parser_error(p, &at,
		           "lower-case letters, digits and '-', at most 31 bytes",
		           "'%s' is not the name of a site", set->name);
	}
	const char *slash = strchr(set->name, '/');
	if (slash) {
		set->site =
		    xos_policy_memory_string(set->memory, set->name, (size_t)(slash - set->name));
		if (!set->site)
			return xos_parser_memory(p);
	}
	return (slash && xos_name_is_site(set->site) && xos_name_is_node(slash + 1)) ||
	       xos_parser_error(p, &at, "write \"SITE/NODE\", for example \"lab/n1\"",
	           "'%s' is not the name of a node", set->name);
}

static bool parse_head(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	uint64_t schema = XOS_POLICY_SCHEMA;
	if (xos_parser_accept(p, "delegation")) {
		set->level = XOS_POLICY_DELEGATION;
		set->name = "";
		if (!xos_parser_accept(p, "by"))
			return true;
		struct xos_policy_token at = p->t;
		if (!xos_parser_expect(p, "user", "write: delegation by user \"alice\" { ... }") ||
		    !xos_parser_string(p, XOS_MEMBER_MAX, "the delegator's name", &set->name))
			return false;
		return xos_name_is_member("x", set->name) ||
		       xos_parser_error(
		           p, &at, NULL, "'%s' is not the name of a member", set->name);
	}
	if (xos_parser_accept(p, "vo"))
		set->level = XOS_POLICY_VO;
	else if (xos_parser_accept(p, "site"))
		set->level = XOS_POLICY_SITE;
	else if (xos_parser_accept(p, "node"))
		set->level = XOS_POLICY_NODE;
	else
		return xos_parser_error(p, NULL,
		    "start with: vo \"NAME\" serial N {, site, node, or delegation {",
		    "a policy set starts with vo, site, node or delegation");
	if (!parse_level_name(p) ||
	    !xos_parser_expect(p, "serial", "each change of a set raises its serial") ||
	    !parse_number(p, "the serial", INT64_MAX, &set->serial))
		return false;
	if (set->serial == 0)
		return xos_parser_error(p, NULL, NULL, "serials start at 1");
	if (xos_parser_accept(p, "schema")) {
		if (!parse_number(p, "the schema version", UINT32_MAX, &schema))
			return false;
		if (schema == 0 || schema > XOS_POLICY_SCHEMA)
			return xos_parser_error(p, NULL, "update this program, or write schema 1",
			    "schema version %llu is not known here", (unsigned long long)schema);
		set->schema = (unsigned)schema;
	}
	return true;
}

static int node_order(const void *a, const void *b)
{
	const struct xos_policy_node *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int accounts_order(const void *a, const void *b)
{
	const struct xos_policy_accounts *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void tell_twice(struct xos_policy_parser *p, const char *id)
{
	struct xos_policy_token at = {.line = 1, .col = 1};
	for (size_t i = 0; i < p->set->n; i++)
		if (p->set->statements[i].id && strcmp(p->set->statements[i].id, id) == 0)
			at.line = p->set->statements[i].line;
	xos_parser_error(p, &at, "each id names one statement", "two statements are @%s", id);
}

/* What can only be seen when the whole set has been read. */
static void finish(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	const char **ids = set->n ? malloc(set->n * sizeof(*ids)) : NULL;
	size_t nids = 0;
	if (set->n && !ids)
		xos_parser_memory(p);
	for (size_t i = 0; ids && i < set->n; i++)
		if (set->statements[i].id)
			ids[nids++] = set->statements[i].id;
	if (ids)
		qsort(ids, nids, sizeof(*ids), xos_policy_string_order);
	for (size_t i = 1; i < nids; i++)
		if (strcmp(ids[i - 1], ids[i]) == 0)
			tell_twice(p, ids[i]);
	free(ids);
	if (set->nnodes)
		qsort(set->nodes, set->nnodes, sizeof(*set->nodes), node_order);
	for (size_t i = 1; i < set->nnodes; i++)
		if (strcmp(set->nodes[i - 1].name, set->nodes[i].name) == 0)
			xos_parser_error(
			    p, NULL, NULL, "node %s is declared twice", set->nodes[i].name);
	if (set->naccounts)
		qsort(set->accounts, set->naccounts, sizeof(*set->accounts), accounts_order);
	for (size_t i = 1; i < set->naccounts; i++)
		if (set->accounts[i].first <= set->accounts[i - 1].last)
			xos_parser_error(p, NULL, "a uid belongs to one VO only",
			    "the slices of uids of %s and %s overlap", set->accounts[i - 1].vo,
			    set->accounts[i].vo);
	for (size_t i = 0; i < set->n; i++)
		set->statements[i].set = set;
}

static void parse_set(struct xos_policy_parser *p)
{
	xos_parser_next(p);
	if (!parse_head(p) || !xos_parser_expect(p, "{", "the statements stand in { }"))
		return;
	while (!xos_parser_is(p, "}") && p->t.kind != XOS_TOKEN_END) {
		if (p->errs->total >= XOS_POLICY_ERRORS_MAX || p->status == XOS_INTERNAL)
			return;
		size_t start = p->lexer.at;
		if (!parse_item(p))
			skip_statement(p, start);
	}
	if (!xos_parser_expect(p, "}", "a '}' is missing somewhere above"))
		return;
	if (p->t.kind != XOS_TOKEN_END && p->t.kind != XOS_TOKEN_ERROR)
		xos_parser_error(
		    p, NULL, "one file holds one set", "text after the end of the set");
	finish(p);
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

enum xos_status xos_policy_set_parse(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_policy_errors *errs)
{
	*out = NULL;
	struct xos_policy_parser *p = calloc(1, sizeof(*p));
	struct xos_policy_errors *own = errs ? NULL : calloc(1, sizeof(*own));
	enum xos_status status = XOS_INTERNAL;
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
	} else {
		xos_policy_lexer_init(&p->lexer, len ? text : "", len);
		parse_set(p);
	}
	status = p->status;
	if (status != XOS_OK)
		goto out;
	*out = p->set;
	p->set = NULL;
out:
	if (p)
		xos_policy_set_unref(p->set);
	free(p);
	free(own);
	return status;
}
