#ifndef XOS_CASES_PARSER_H
#define XOS_CASES_PARSER_H

#include "cases/cases.h"

/* Private to cases.c and cases_fields.c: what reading a file of cases shares. */
#define XOS_CASES_COLUMNS_MAX 32u
#define XOS_CASES_SUBJECTS_MAX 1000u
#define XOS_CASES_EXPECTED_MAX 64u
#define XOS_CASES_DELEGATIONS_MAX 16u
#define XOS_CASES_LINE_MAX_BYTES 8192u

/* What a case, or the part before the first case, has said so far. */
struct xos_cases_draft {
	struct xos_cases_ask *ask;
	struct xos_cases_expected expected[XOS_CASES_EXPECTED_MAX];
	size_t nexpected;
	size_t delegations[XOS_CASES_DELEGATIONS_MAX];
	size_t ndelegations;
};

enum xos_cases_block { IN_FILE, IN_SUBJECT, IN_CASE };

struct xos_cases_parser {
	struct xos_cases *cases;
	struct xos_err *err;
	unsigned line;
	char text[XOS_CASES_LINE_MAX_BYTES]; /* the current line, cut in place */
	enum xos_cases_block block;
	struct xos_cases_draft defaults, draft;
	bool people_only; /* cases are not needed, subjects are */
	char *name;       /* of the case */
	unsigned started;
	char *columns[XOS_CASES_COLUMNS_MAX + 1]; /* of a table; kept as a copy of its line */
	char *head;
	size_t ncolumns;
	bool table; /* its head comes next, or rows */
	size_t rows;
};

/* Errors stand at a place of the current line; always MALFORMED. */
enum xos_status xos_cases_fail(struct xos_cases_parser *p, const char *at, const char *fmt, ...)
    XOS_PRINTF(3, 4);
enum xos_status xos_cases_no_memory(struct xos_cases_parser *p);

void xos_cases_draft_clear(struct xos_cases_draft *d);
bool xos_cases_draft_copy(struct xos_cases_draft *to, const struct xos_cases_draft *from);

/* A name in the file, as a path from where we stand. */
char *xos_cases_beside(const struct xos_cases_parser *p, const char *name);
/* Takes s. */
enum xos_status xos_cases_add_string(struct xos_cases_parser *p, char ***list, size_t *n, char *s);
char *xos_cases_skip(char *s);
void xos_cases_trim(char *s);
/* The next piece of a list that marks divide, cut off in place; NULL at the end. */
char *xos_cases_piece(char **at, const char *marks);

/* A field of a request; a line "name value" of a case, which may also be an expectation. */
enum xos_status xos_cases_set(struct xos_cases_parser *p, struct xos_cases_draft *d, const char *at,
    const char *name, const char *value);
enum xos_status xos_cases_take(struct xos_cases_parser *p, struct xos_cases_draft *d,
    const char *at, const char *name, char *value);

#endif
