#ifndef XOS_POLICY_LINT_H
#define XOS_POLICY_LINT_H

#include "policy/set.h"

/*
 * What is not wrong for certain, but suspicious. Each warning has a name, which stands in brackets
 * at the end of its text: "... [unused-name]". Warnings never stop a set from loading.
 */
struct xos_policy_lint {
	const char *name; /* "unused-name" */
	const char *what; /* one line for people */
};
const struct xos_policy_lint *xos_policy_lints(size_t *n);

/*
 * Parses a text and looks for all of them. Both lists are overwritten; errs may be NULL. OK (with or
 * without warnings), else as xos_policy_set_parse(), and there are no warnings. The work is near
 * linear in the text.
 */
XOS_MUST_USE enum xos_status xos_policy_lint(const char *text, size_t len, const char *filename,
    struct xos_policy_errors *errs, struct xos_policy_errors *warnings);

/*
 * What only sets together tell: permits of a node's or group's set to which the set of the site or
 * VO among them delegates nothing. Overwrites warnings; their filename is empty, and each text
 * begins with the label of a statement.
 */
void xos_policy_lint_together(
    const struct xos_policy_set *const *sets, size_t n, struct xos_policy_errors *warnings);

#endif
