#ifndef XOS_POLICY_PARSER_H
#define XOS_POLICY_PARSER_H

#include "base/status.h"
#include "policy/ast.h"
#include "policy/lexer.h"

/* Private to policy/: what the parts of the parser share. */

#define XOS_POLICY_WORD_MAX 4096u
#define XOS_POLICY_NAMES_MAX 512u     /* named sets of one text, and templates */
#define XOS_POLICY_PARAMETERS_MAX 16u /* of a template */
#define XOS_POLICY_ZONES_MAX 64u      /* of one set */

/* What a named set holds. */
enum xos_names_kind {
	XOS_NAMES_PREFIXES,
	XOS_NAMES_NUMBERS, /* of one type */
	XOS_NAMES_STRINGS,
	XOS_NAMES_ACTIONS,
	XOS_NAMES_WHOS,
	XOS_NAMES_PLACES
};

struct xos_names { /* sorted, nothing twice; shared by all conditions and heads that use it */
	const char *name;
	enum xos_names_kind kind;
	enum xos_policy_type type; /* of NUMBERS */
	size_t n;
	union {
		struct xos_policy_ip *prefixes;
		int64_t *numbers;
		const char **strings;
		uint64_t actions;
		struct xos_policy_who *whos;
		struct xos_policy_place *places;
	} u;
	struct xos_policy_token at;
	bool used;
};

enum xos_parameter_type {
	XOS_PARAMETER_PRINCIPAL,
	XOS_PARAMETER_ACTION,
	XOS_PARAMETER_PLACE,
	XOS_PARAMETER_NUMBER,
	XOS_PARAMETER_DURATION,
	XOS_PARAMETER_SIZE,
	XOS_PARAMETER_STRING,
	XOS_PARAMETER_PREFIX,
	XOS_PARAMETER_WINDOW,
	XOS_PARAMETER_TYPES
};

struct xos_parameter {
	const char *name;
	enum xos_parameter_type type;
};

struct xos_template {
	const char *name;
	struct xos_parameter params[XOS_POLICY_PARAMETERS_MAX];
	size_t nparams;
	struct xos_policy_lexer body; /* begins after "{", ends before "}" */
	struct xos_policy_token at;
	bool used;
};

struct xos_use { /* the template that is being expanded */
	struct xos_template *template;
	const char *id; /* before the ids inside; NULL: none */
	struct xos_policy_token at;
	struct xos_policy_lexer args[XOS_POLICY_PARAMETERS_MAX];
	struct xos_policy_lexer body; /* where to go on after the argument, if in_arg */
	bool in_arg;
	/* A template that nothing uses, read once with made-up arguments (parse_unused.c). */
	bool trial;
	struct xos_policy_token param_at; /* of the parameter that was replaced last */
	size_t param;                     /* its number */
	bool at_param;                    /* the last error hangs on the argument there */
	const struct xos_names *made_up;  /* named sets, one a parameter */
};

struct xos_name_slot {
	const char *name; /* NULL: free */
	uint16_t i;
};

struct xos_name_table { /* open addressing, never more than half full */
	struct xos_name_slot slots[XOS_POLICY_NAMES_MAX * 2];
};

struct xos_policy_parser {
	struct xos_policy_lexer lexer;
	struct xos_policy_token t;          /* the current token */
	char word[XOS_POLICY_WORD_MAX + 1]; /* its text if it is a word, an id or a name */
	size_t last_end;                    /* where the token before the current one ended */
	unsigned braces;                    /* open, up to the current token */
	bool after_brace;                   /* the token before was "}" */
	uint32_t nodes;                     /* in the conditions of this statement */
	bool all_named; /* an "any" or ".*" has named all added actions that there are */
	struct xos_policy_set *set;
	struct xos_policy_errors *errs;
	enum xos_status status; /* OK until the first error */
	struct xos_names *names;
	size_t nnames;
	struct xos_template *templates;
	size_t ntemplates;
	struct xos_name_table name_table, template_table;
	struct xos_use *use; /* NULL: none */
	size_t expanded;     /* bytes read again by uses of templates */
	size_t retried;      /* bytes of unused templates read more than once */
};

/* parser.c: xos_policy_set_parse(); `then` sees the parser of a good set before it is gone. */
XOS_MUST_USE enum xos_status xos_parser_run(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_policy_errors *errs,
    void (*then)(const struct xos_policy_parser *p, void *arg), void *arg);

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
/* The current token for a message: "%.*s", xos_parser_shown(p), xos_parser_text(p). */
int xos_parser_shown(const struct xos_policy_parser *p);
const char *xos_parser_text(const struct xos_policy_parser *p);

/* parse_set.c: the whole text; the current token is its first. */
void xos_parser_set(struct xos_policy_parser *p);
bool xos_parser_item(struct xos_policy_parser *p);
void xos_parser_skip(struct xos_policy_parser *p, size_t start);

/* parse_head.c. A list has alternatives, of which any may be a named set. */
bool xos_parser_who(struct xos_policy_parser *p, struct xos_policy_who *who);
bool xos_parser_whos(struct xos_policy_parser *p, struct xos_policy_who **whos, size_t *n);
bool xos_parser_starts_who(const struct xos_policy_parser *p);
bool xos_parser_actions(struct xos_policy_parser *p, bool narrowing, uint64_t *mask);
bool xos_parser_action(struct xos_policy_parser *p, uint64_t *mask); /* one name or prefix */

/* parse_place.c */
bool xos_parser_place(struct xos_policy_parser *p, struct xos_policy_place *place);
bool xos_parser_places(struct xos_policy_parser *p, struct xos_policy_place **places, size_t *n);
bool xos_parser_starts_place(const struct xos_policy_parser *p);
/* Sorts the terms of a place, refuses one that is there twice, copies them to the set's memory. */
bool xos_parser_place_make(struct xos_policy_parser *p, const struct xos_policy_token *at,
    struct xos_policy_term *terms, size_t n, struct xos_policy_place *place);
/* Sorts and drops what is there twice; gives the new count. */
size_t xos_policy_places_unique(struct xos_policy_place *places, size_t n);
size_t xos_policy_unique(void *v, size_t n, size_t size, int (*order)(const void *, const void *));

/* parse_cond.c: an expression; and joins two conditions (either may be NULL). */
bool xos_parser_cond(struct xos_policy_parser *p, struct xos_policy_cond **out);
struct xos_policy_cond *xos_parser_cond_new(
    struct xos_policy_parser *p, enum xos_policy_cond_op op);
struct xos_policy_cond *xos_parser_cond_not(struct xos_policy_parser *p, struct xos_policy_cond *c);
struct xos_policy_cond *xos_parser_cond_join(struct xos_policy_parser *p,
    enum xos_policy_cond_op op, struct xos_policy_cond *a, struct xos_policy_cond *b);
unsigned xos_policy_cond_depth(const struct xos_policy_cond *c);

/* parse_test.c: one test of a condition. */
bool xos_parser_test(struct xos_policy_parser *p, struct xos_policy_cond **out);

/* parse_value.c: literals and lists of them. */
bool xos_parser_number(struct xos_policy_parser *p, enum xos_policy_type type, int64_t *v);
bool xos_parser_prefix(struct xos_policy_parser *p, struct xos_policy_ip *ip);
bool xos_parser_word_or_string(struct xos_policy_parser *p, const char **s);
/* {a, $b, c} or $b into `into`, whose kind (and type) say what is wanted. */
bool xos_parser_list(struct xos_policy_parser *p, struct xos_names *into);
/* networks.c: what stands behind the name of a cap that is a set of networks. */
bool xos_parser_networks(struct xos_policy_parser *p, struct xos_policy_cap_value *v);
bool xos_parser_list_add(struct xos_policy_parser *p, struct xos_names *into); /* one value */
void xos_parser_list_end(struct xos_names *into);                              /* sorts it */

/* parse_time.c: after "time in" and "date in". */
bool xos_parser_window(struct xos_policy_parser *p, struct xos_policy_window *w);
bool xos_parser_dates(struct xos_policy_parser *p, struct xos_policy_dates *d);

/* parse_names.c: named sets. The current token is a NAME; NULL after an error. */
struct xos_names *xos_parser_named(struct xos_policy_parser *p, enum xos_names_kind kind);
bool xos_parser_define(struct xos_policy_parser *p);
/* The slot of that name, or the free one where it belongs. */
struct xos_name_slot *xos_name_find(struct xos_name_table *table, const char *name);

/* parse_template.c */
bool xos_parser_template(struct xos_policy_parser *p);
bool xos_parser_use(struct xos_policy_parser *p);
/* parse_unused.c: at the end of the set, the templates that nothing uses. */
void xos_parser_unused(struct xos_policy_parser *p);
/* The current token is the NAME of a parameter: go into its argument. */
bool xos_parser_parameter(struct xos_policy_parser *p);

/* parse_schema.c: schema { ... }. */
bool xos_parser_schema(struct xos_policy_parser *p);

/* parse_statement.c, parse_accounts.c, parse_site.c: a statement up to its end; the current token starts it. */
bool xos_parser_statement(struct xos_policy_parser *p);
bool xos_parser_accounts(struct xos_policy_parser *p);
/* parse_accounts.c: at the end of the set, what its lines say together. */
void xos_parser_check_accounts(struct xos_policy_parser *p);
bool xos_parser_node(struct xos_policy_parser *p);

#endif
