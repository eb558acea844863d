#ifndef XOS_POLICYTOOL_LINES_H
#define XOS_POLICYTOOL_LINES_H

#include <stdio.h>

#include "api/decision.h"
#include "cases/ask.h"
#include "policytool/recorded.h"

/*
 * Requests as JSON, one object a line: AuthZEN evaluation requests as in docs/protocols/decision.md,
 * and beside what stands there
 *
 *   subject.properties   groups, roles, held (lists), home, auth_method, auth_age (seconds), auth_mfa
 *   context.now          the time, RFC 3339
 *
 * which for a real decision come from a verified token and from the decision point's clock; or records of decisions
 * (recorded.h), which hold all of that. One line
 * is in memory at a time. Empty lines are passed over, and counted.
 */
struct xos_policytool_lines;

/* in and path are borrowed. NULL: out of memory. */
struct xos_policytool_lines *xos_policytool_lines_new(FILE *in, const char *path);
void xos_policytool_lines_free(struct xos_policytool_lines *l);
/* Reads the next line; false at the end, or with *st set if reading failed. A line that is too long is
 * read to its end and is an error of its own when asked for. */
bool xos_policytool_lines_next(
    struct xos_policytool_lines *l, enum xos_status *st, struct xos_err *err);
size_t xos_policytool_lines_number(const struct xos_policytool_lines *l); /* from 1 */
/* The request of the current line, until the next. policy knows what VOs added to the schema. The text of an error begins with the line's number. */
XOS_MUST_USE enum xos_status xos_policytool_lines_request(struct xos_policytool_lines *l,
    const struct xos_policy *policy, int64_t now, struct xos_policy_request *out,
    struct xos_err *err);
/* After xos_policytool_lines_request: what was decided then; NULL: the line is a request. Until the next. */
const struct xos_policytool_recorded *xos_policytool_lines_recorded(
    const struct xos_policytool_lines *l);
/* Decides the current line and appends the answer, or {"line":3,"error":{...}}, without a line end.
 * The exit status that it stands for: 0 permitted, 1 denied, 3 undecided or no request. */
int xos_policytool_lines_answer(struct xos_policytool_lines *l, const struct xos_policy *policy,
    int64_t now, struct xos_policy_answer *a, struct xos_buf *out);

#endif
