#ifndef XOS_POLICY_LINT_SET_H
#define XOS_POLICY_LINT_SET_H

#include "policy/ast.h"
#include "policy/lexer.h"

/* Private to policy/: the lints. */
enum xos_lint {
	XOS_LINT_UNUSED_NAME,
	XOS_LINT_UNUSED_TEMPLATE,
	XOS_LINT_DUPLICATE,
	XOS_LINT_FORBIDDEN_PERMIT,
	XOS_LINT_UNGUARDED,
	XOS_LINT_NEVER,
	XOS_LINT_OLD_SCHEMA,
	XOS_LINT_WIDE_PERMIT,
	XOS_LINT_NO_REASON,
	XOS_LINT_PATTERN,
	XOS_LINT_REDUNDANT,
	XOS_LINT_ALWAYS,
	XOS_LINT_NOT_DELEGATED,
	XOS_LINTS
};

void xos_lint_tell(struct xos_policy_errors *out, const struct xos_policy_token *at,
    enum xos_lint lint, const char *hint, const char *fmt, ...) XOS_PRINTF(5, 6);
/* lint_set.c: what single statements, and permits beside forbids, give reason for. */
void xos_lint_statements(const struct xos_policy_set *set, struct xos_policy_errors *out);

#endif
