/* Units of a text: where they end, which brackets belong together, where they may be broken. */
#include "policy/format_unit.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 8u /* blocks in blocks that are laid out as such; no set needs more than one */
#define DEPTH_MAX 7u  /* of brackets, for the levels */

static const struct {
	const char *text;
	uint16_t words;
} known[] = {{"template", XOS_FORMAT_HOLDER}, {"schema", XOS_FORMAT_HOLDER},
    {"when", XOS_FORMAT_CLAUSES | XOS_FORMAT_TAIL | XOS_FORMAT_TERM},
    {"unless", XOS_FORMAT_CLAUSES | XOS_FORMAT_TAIL | XOS_FORMAT_TERM},
    {"because", XOS_FORMAT_CLAUSES | XOS_FORMAT_TAIL},
    {"contact", XOS_FORMAT_CLAUSES | XOS_FORMAT_TAIL},
    {"on", XOS_FORMAT_ON | XOS_FORMAT_HEAD_PART | XOS_FORMAT_TAIL | XOS_FORMAT_VALUES |
               XOS_FORMAT_TERM},
    {"action", XOS_FORMAT_HEAD_PART | XOS_FORMAT_VALUES | XOS_FORMAT_TERM},
    {"change", XOS_FORMAT_CHANGE}, {"or", XOS_FORMAT_OR | XOS_FORMAT_TAIL | XOS_FORMAT_TERM},
    {"and", XOS_FORMAT_AND | XOS_FORMAT_TAIL | XOS_FORMAT_TERM}, {"not", XOS_FORMAT_TERM},
    {"check", XOS_FORMAT_CHECK | XOS_FORMAT_TERM}, {"in", XOS_FORMAT_VALUES | XOS_FORMAT_TERM},
    {"like", XOS_FORMAT_VALUES | XOS_FORMAT_TERM}, {"who", XOS_FORMAT_VALUES | XOS_FORMAT_TERM}};

static uint16_t words_of(const struct xos_policy_token *t)
{
	if (t->kind != XOS_TOKEN_WORD)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].text) == t->len && memcmp(known[i].text, t->text, t->len) == 0)
			return known[i].words;
	return 0;
}

static char sign_of(const struct xos_policy_token *t)
{
	return (char)(t->kind == XOS_TOKEN_OP && strchr("{}();,", t->text[0]) ? t->text[0] : 0);
}

static void advance(struct xos_format *f)
{
	f->next_gap = f->lexer.at;
	xos_policy_lexer_next(&f->lexer, &f->next);
	f->failed |= f->next.kind == XOS_TOKEN_ERROR;
}

void xos_format_begin(struct xos_format *f, const char *text, size_t len)
{
	f->text = text;
	f->fresh = true;
	xos_policy_lexer_init(&f->lexer, text, len);
	advance(f);
}

static bool grow(struct xos_format *f)
{
	if (f->n < f->cap)
		return true;
	size_t cap = f->cap ? f->cap * 2 : 256;
	struct xos_format_token *list = realloc(f->list, cap * sizeof(*list));
	if (!list) {
		f->failed = f->no_memory = true;
		return false;
	}
	f->list = list;
	f->cap = cap;
	return true;
}

static struct xos_format_token *opened(struct xos_format *f)
{
	return f->open ? &f->list[f->open - 1] : NULL;
}

/* The innermost open bracket is closed by token i, or (if i is itself) by nothing. */
static void pop(struct xos_format *f, size_t i)
{
	size_t at = f->open - 1;
	f->open = f->list[at].match;
	f->list[at].match = (uint32_t)(i < f->n ? i : at);
}

static void close_brace(struct xos_format *f, size_t i)
{
	while (f->open && f->list[f->open - 1].sign != '{')
		pop(f, f->n);
	if (!f->open)
		return;
	size_t at = f->open - 1;
	struct xos_format_token *o = &f->list[at];
	pop(f, i);
	f->list[i].match = (uint32_t)at;
	/* A node may be called "in": values have no semicolon, and there is at least one. */
	o->block = at == 0 || o->semicolon || i == at + 1 || !(o[-1].words & XOS_FORMAT_VALUES);
	f->list[i].block = o->block;
	f->braces--;
}

static void match(struct xos_format *f, size_t i)
{
	struct xos_format_token *o = opened(f), *t = &f->list[i];
	if (o && i && f->list[i - 1].sign == ',' && t->sign != '}') {
		o->commas++;
		o->lines += t->newline;
	}
	t->match = (uint32_t)i;
	if (t->sign == '{' || t->sign == '(') {
		f->braces += t->sign == '{';
		t->match = f->open;
		f->open = (uint32_t)i + 1;
	} else if (t->sign == '}') {
		close_brace(f, i);
	} else if (t->sign == ')' && o && o->sign == '(') {
		t->match = f->open - 1;
		pop(f, i);
	} else if (t->sign == ';' && o) {
		o->semicolon = true;
	}
}

/* The next token goes into the unit. */
static bool take(struct xos_format *f)
{
	if (!grow(f))
		return false;
	const struct xos_policy_token *t = &f->next;
	struct xos_format_token *mine = &f->list[f->n++];
	*mine = (struct xos_format_token){.gap = (uint32_t)f->next_gap,
	    .start = (uint32_t)t->start,
	    .end = (uint32_t)f->lexer.at,
	    .kind = (uint8_t)t->kind,
	    .words = words_of(t),
	    .sign = sign_of(t),
	    .level = XOS_FORMAT_NONE};
	for (size_t i = mine->gap; i < mine->start; i++) {
		mine->comments |= f->text[i] == '#';
		mine->newline |= f->text[i] == '\n';
	}
	/* The bytes that continue a character of UTF-8 take no place. */
	for (size_t i = mine->start; i < mine->end; i++)
		mine->width += ((unsigned char)f->text[i] & 0xc0) != 0x80;
	match(f, f->n - 1);
	advance(f);
	return true;
}

static bool goes_on(const struct xos_format *f)
{
	char sign = sign_of(&f->next);
	if (f->next.kind == XOS_TOKEN_OP)
		return sign != '{' && sign != '}';
	return words_of(&f->next) & XOS_FORMAT_TAIL;
}

static void read_end(struct xos_format *f)
{
	f->closes = true;
	if (take(f) && sign_of(&f->next) == ';')
		take(f);
}

/* Is the unit whole with the token that was just taken? */
static bool is_whole(struct xos_format *f)
{
	size_t last = f->n - 1;
	if (f->list[last].sign == '{' && f->braces == 1) {
		f->opens = f->depth == 0 || (f->list[0].words & XOS_FORMAT_HOLDER);
		return f->opens;
	}
	if (f->braces)
		return false;
	return f->list[last].sign == ';' ||
	       (f->list[last].sign == '}' && f->list[last].block && !goes_on(f));
}

/* Is there a blank between the two, if they stand on one line? */
static bool spaced(const struct xos_format_token *before, const struct xos_format_token *t)
{
	if (t->sign == ';' || t->sign == ',' || t->sign == ')' || before->sign == '(')
		return false;
	if (t->sign == '(')
		return before->kind != XOS_TOKEN_WORD || (before->words & XOS_FORMAT_TERM);
	if (t->sign == '}')
		return t->block;
	return before->sign != '{' || before->block;
}

/* head: no condition has begun yet. */
static uint8_t level(const struct xos_format *f, size_t i, unsigned depth, bool head)
{
	unsigned words = f->list[i].words;
	bool change =
	    (words & XOS_FORMAT_ON) && i + 1 < f->n && (f->list[i + 1].words & XOS_FORMAT_CHANGE);
	if (depth == 0 && (change || (words & XOS_FORMAT_CLAUSES)))
		return XOS_FORMAT_CLAUSE;
	if (depth == 0 && head && (words & XOS_FORMAT_HEAD_PART))
		return XOS_FORMAT_HEAD;
	unsigned first = XOS_FORMAT_INNER + 3 * (depth < DEPTH_MAX ? depth : DEPTH_MAX);
	if (words & XOS_FORMAT_OR)
		return (uint8_t)first;
	if (words & XOS_FORMAT_AND)
		return (uint8_t)(first + 1);
	return f->list[i - 1].sign == ',' ? (uint8_t)(first + 2) : (uint8_t)XOS_FORMAT_NONE;
}

/* What can be told once the unit is whole. */
static void measure(struct xos_format *f)
{
	unsigned depth = 0, blocks = 0;
	bool head = true;
	while (f->open)
		pop(f, f->n);
	for (size_t i = 0; i < f->n; i++) {
		struct xos_format_token *t = &f->list[i], *before = i ? t - 1 : NULL;
		if (t->match > i && t->block && ++blocks > BLOCKS_MAX) {
			blocks--;
			t->block = f->list[t->match].block = false;
		}
		if (t->match < i)
			depth--;
		if (before) {
			/* A list of values that stood one a line is left so. */
			bool own = before->block && before->match >= i && !before->semicolon &&
			           before->commas && before->lines == before->commas;
			t->spaced = spaced(before, t);
			t->column = before->column + before->width + t->spaced;
			t->forced = before->forced + (t->comments || own);
			head &= !(before->words & XOS_FORMAT_CHECK);
			t->level = level(f, i, depth, head);
			head &= t->level != XOS_FORMAT_CLAUSE;
		}
		if (t->match > i)
			depth++;
		else if (t->match < i && t->block)
			blocks--;
	}
}

bool xos_format_read(struct xos_format *f)
{
	f->n = 0;
	f->open = 0;
	f->braces = 0;
	f->opens = f->closes = false;
	while (!f->failed && f->next.kind != XOS_TOKEN_END) {
		if (sign_of(&f->next) == '}' && !f->braces) {
			if (f->n == 0)
				read_end(f);
			break;
		}
		if (!take(f) || is_whole(f))
			break;
	}
	if (!f->failed)
		measure(f);
	return !f->failed && f->n != 0;
}
