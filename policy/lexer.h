#ifndef XOS_POLICY_LEXER_H
#define XOS_POLICY_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Private to policy/: the lexer. Words are whatever stands together without blanks (names, paths,
 * numbers with units, dates, addresses); the parser knows from the place what a word must be.
 */
enum xos_policy_token_kind {
	XOS_TOKEN_END,
	XOS_TOKEN_ERROR, /* a byte or string that no policy may have; message tells */
	XOS_TOKEN_WORD,
	XOS_TOKEN_ID,     /* "@name": text without the @ */
	XOS_TOKEN_NAME,   /* "$name": text without the $ */
	XOS_TOKEN_STRING, /* text between the quotes, escapes still in it */
	XOS_TOKEN_OP      /* one of ; , & ( ) { } == != < <= > >= */
};

struct xos_policy_token {
	enum xos_policy_token_kind kind;
	const char *text; /* into the input */
	size_t len;
	size_t start; /* where it begins in the input, sigil or quote included */
	uint32_t line, col;
	bool first;          /* on its line */
	const char *message; /* of an ERROR */
};

struct xos_policy_lexer {
	const char *text;
	size_t len, at, line_start;
	uint32_t line;
	bool line_empty;
};

/* text must be valid UTF-8 (the lexer accepts other than ASCII in strings and comments only). */
void xos_policy_lexer_init(struct xos_policy_lexer *lx, const char *text, size_t len);
/* Always moves on: after at most len + 1 calls the kind is END. */
void xos_policy_lexer_next(struct xos_policy_lexer *lx, struct xos_policy_token *t);

#endif
