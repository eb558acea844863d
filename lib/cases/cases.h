#ifndef XOS_CASES_H
#define XOS_CASES_H

#include "cases/ask.h"

/*
 * A file of cases: requests and what is expected of them. The form is described in xos-policy(1),
 * "FILES OF CASES". A file that is read is fully checked: every case can be run.
 */
#define XOS_CASES_TEXT_MAX (1024u * 1024u)
#define XOS_CASES_MAX 20000u

enum xos_cases_expect {
	XOS_EXPECT_DECISION, /* "permit", "deny" or "undecided" */
	XOS_EXPECT_BY,       /* the label of a statement that must count */
	XOS_EXPECT_NOT_BY,   /* that must not apply */
	XOS_EXPECT_LACKS,    /* "site lab": the level that has no permit */
	XOS_EXPECT_BECAUSE,  /* a part of the explanation */
	XOS_EXPECT_LIMIT,    /* "wall 24h"; "none" */
	XOS_EXPECT_DUTY,     /* "record"; "none" */
	XOS_EXPECT_UNKNOWN,  /* an attribute */
	XOS_EXPECT_WAY_OUT,  /* a role */
	XOS_EXPECT_SHADOW,   /* the label of a statement on trial that applies */
	XOS_EXPECT_COUNT
};
const char *xos_cases_expect_name(enum xos_cases_expect e); /* "by", "way-out" */

struct xos_cases_expected {
	enum xos_cases_expect what;
	char *text;
	unsigned line;
};

struct xos_case {
	char *name;
	unsigned line;
	struct xos_cases_ask *ask;
	struct xos_cases_expected *expected;
	size_t nexpected;
	size_t *delegations; /* positions in the file's list of them */
	size_t ndelegations;
};

struct xos_cases_person {
	char *name;
	struct xos_cases_ask *ask;
};

struct xos_cases {
	char *path;
	struct xos_cases_person *people; /* the subjects described */
	size_t npeople;
	char **policies; /* as written, or found: to be loaded */
	size_t npolicies;
	char **delegations; /* files */
	size_t ndelegations;
	struct xos_case *list;
	size_t n;
};

/* Parses the text. path serves messages, and paths inside are relative to its folder. MALFORMED
 * (code "cases-malformed") is told as path:line:col. */
XOS_MUST_USE enum xos_status xos_cases_parse(
    const char *text, size_t len, const char *path, struct xos_cases **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_cases_read(
    const char *path, struct xos_cases **out, struct xos_err *err);
/* The same for a file that may have no case: it describes subjects, at least one. */
XOS_MUST_USE enum xos_status xos_cases_people_read(
    const char *path, struct xos_cases **out, struct xos_err *err);
void xos_cases_free(struct xos_cases *cases);

#endif
