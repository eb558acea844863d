#ifndef XOS_POLICY_PARSER_H
#define XOS_POLICY_PARSER_H

#include "base/status.h"
#include "policy/ast.h"
#include "policy/lexer.h"

/* Private to policy/: what the parts of the parser share. */

#define XOS_POLICY_WORD_MAX 4096u

struct xos_policy_parser {
	struct xos_policy_lexer lexer;
	struct xos_policy_token t;          /* the current token */
	char word[XOS_POLICY_WORD_MAX + 1]; /* its text if it is a word or an id */
	unsigned braces;                    /* open, up to the current token */
	bool after_brace;                   /* the token before was "}" */
	uint32_t nodes;                     /* in the conditions of this statement */
	struct xos_policy_set *set;
	struct xos_policy_errors *errs;
	enum xos_status status; /* OK until the first error */
};

/* parser.c: tokens and errors. Functions returning bool give false after an error was recorded. */
void xos_parser_next(struct xos_policy_parser *p);
bool xos_parser_is(const struct xos_policy_parser *p, const char *text); /* a word or an op */
bool xos_parser_accept(struct xos_policy_parser *p, const char *text);
bool xos_parser_expect(struct xos_policy_parser *p, const char *text, const char *hint);
/* Records an error at the token (NULL: the current one). Always false. */
bool xos_parser_error(struct xos_policy_parser *p, const struct xos_policy_token *at,
    const char *hint, const char *fmt, ...) XOS_PRINTF(4, 5);
bool xos_parser_memory(struct xos_policy_parser *p); /* records that memory ran out; false */
const char *xos_parser_keep(
    struct xos_policy_parser *p); /* the current word, in the set's memory */
/* A quoted string of at most max bytes (unescaped), not empty. */
bool xos_parser_string(struct xos_policy_parser *p, size_t max, const char *what, const char **out);
/* "did you mean X?" for the nearest of the candidates, or fallback. */
const char *xos_parser_suggest(char *buf, size_t cap, const char *word, const char *fallback,
    const char *(*candidate)(size_t i));

/* parse_head.c */
bool xos_parser_who(struct xos_policy_parser *p, struct xos_policy_who *who);
bool xos_parser_starts_who(const struct xos_policy_parser *p);
bool xos_parser_actions(struct xos_policy_parser *p, bool narrowing, uint64_t *mask);
bool xos_parser_action(struct xos_policy_parser *p, uint64_t *mask); /* one name or prefix */
bool xos_parser_place(struct xos_policy_parser *p, struct xos_policy_place *place);

/* parse_cond.c: an expression; and joins two conditions (either may be NULL). */
bool xos_parser_number(struct xos_policy_parser *p, enum xos_policy_type type, int64_t *v);
bool xos_parser_cond(struct xos_policy_parser *p, struct xos_policy_cond **out);
struct xos_policy_cond *xos_parser_cond_not(struct xos_policy_parser *p, struct xos_policy_cond *c);
struct xos_policy_cond *xos_parser_cond_join(struct xos_policy_parser *p,
    enum xos_policy_cond_op op, struct xos_policy_cond *a, struct xos_policy_cond *b);
unsigned xos_policy_cond_depth(const struct xos_policy_cond *c);

/* parse_statement.c, parse_site.c: a statement up to its end; the current token starts it. */
bool xos_parser_statement(struct xos_policy_parser *p);
bool xos_parser_accounts(struct xos_policy_parser *p);
bool xos_parser_node(struct xos_policy_parser *p);

#endif
