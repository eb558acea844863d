#ifndef XOS_POLICY_FORMAT_UNIT_H
#define XOS_POLICY_FORMAT_UNIT_H

#include "base/bytes.h"
#include "policy/lexer.h"

/*
 * Private to policy/: the formatter works on tokens and knows little of the grammar, so that it takes
 * any text that the lexer takes. A text is read as units: a statement, a definition, a declaration;
 * or the beginning of something that holds units (the set, a template, a schema), up to its "{"; or
 * its end. One unit is in memory at a time.
 */
enum xos_format_level { /* where a unit that is too long is broken first */
	XOS_FORMAT_CLAUSE,
	XOS_FORMAT_BLOCK,
	XOS_FORMAT_HEAD,  /* action, on: before the first clause */
	XOS_FORMAT_INNER, /* or, and, commas: three levels for each depth of brackets */
	XOS_FORMAT_NONE = 255
};

/* What the formatter knows of words; any other word is just a word. */
enum xos_format_word {
	XOS_FORMAT_HOLDER = 1,     /* template, schema: holds units */
	XOS_FORMAT_CLAUSES = 2,    /* when, unless, because, contact */
	XOS_FORMAT_TAIL = 4,       /* goes on with a statement after the "}" of its block */
	XOS_FORMAT_VALUES = 8,     /* "{" after it begins values */
	XOS_FORMAT_TERM = 16,      /* "(" after it is not that of a call */
	XOS_FORMAT_HEAD_PART = 32, /* action, on */
	XOS_FORMAT_ON = 64,
	XOS_FORMAT_CHANGE = 128,
	XOS_FORMAT_CHECK = 256,
	XOS_FORMAT_OR = 512,
	XOS_FORMAT_AND = 1024
};

struct xos_format_token {
	uint32_t gap; /* where the token before ended: blanks and comments lie between */
	uint32_t start, end;
	uint32_t width;  /* characters */
	uint32_t column; /* from 0, if the whole unit stood on one line */
	uint32_t forced; /* how often lines must break up to this token, for whatever reason */
	uint32_t match;  /* the other bracket; itself if there is none, or it is no bracket */
	uint32_t commas; /* of "{": directly inside; lines: how many of them end a line */
	uint32_t lines;
	uint16_t words; /* enum xos_format_word */
	uint8_t kind;
	uint8_t level;          /* may break before it */
	char sign;              /* one of { } ( ) ; and the comma, else 0 */
	bool comments, newline; /* in the gap */
	bool spaced;            /* a blank before it, within a line */
	bool semicolon;         /* of "{": directly inside */
	bool block;             /* of "{" and "}": { statements }, not {values} */
};

#define XOS_FORMAT_INDENT 2u

struct xos_format {
	const char *text;
	struct xos_policy_lexer lexer;
	struct xos_policy_token next; /* not yet in the unit */
	size_t next_gap;
	struct xos_format_token *list; /* the unit */
	size_t n, cap;
	uint32_t
	    open; /* the innermost open bracket of the unit, + 1; it links to the next by match */
	unsigned braces; /* open ones of the unit */
	bool opens,
	    closes;  /* the unit ends with the "{" of what holds units; begins with its "}" */
	bool failed; /* not a text that the lexer takes, or no_memory */
	bool no_memory;
	unsigned depth; /* of what holds units */
	/* The writer. */
	struct xos_buf out;
	size_t column, lines;
	unsigned indent, line_indent; /* of the next line; of this one */
	bool fresh;                   /* nothing stands on this line yet */
};

/*
 * format.c: the text in the new form, without asking whether it is a policy; for the tests, too. OK,
 * MALFORMED (the lexer does not take it), LIMIT or INTERNAL; appends only what is whole.
 */
enum xos_status xos_format_text(const char *text, size_t len, struct xos_buf *out);
/* Are all tokens and comments (without the blanks at their ends) the same, in the same order? */
bool xos_format_same(const char *a, size_t na, const char *b, size_t nb);

/* format_unit.c */
void xos_format_begin(struct xos_format *f, const char *text, size_t len);
bool xos_format_read(struct xos_format *f); /* the next unit; false: no more */

/* format_layout.c: writes the unit, which begins a line. */
void xos_format_unit(struct xos_format *f);
/* Writes the comments between two places, on their own lines at that indent unless they follow
 * something. With blanks, keeps one empty line before a comment that had some, and tells whether
 * there were some after the last. */
bool xos_format_comments(
    struct xos_format *f, size_t from, size_t to, unsigned indent, bool *blanks);
void xos_format_end_line(struct xos_format *f);

#endif
