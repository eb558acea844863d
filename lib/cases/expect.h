#ifndef XOS_CASES_EXPECT_H
#define XOS_CASES_EXPECT_H

#include "cases/cases.h"

/* What a case expects, held against the answer that came. */
struct xos_cases_verdict {
	char **expected, **got; /* what was not met */
	unsigned *lines;
	size_t n;
};

/* trial: the answer of the same policy with every statement on trial, which tells all that apply:
 * where two permits match, either may be expected. MALFORMED: an expectation that no answer could
 * ever meet, such as a limit of no known name. */
XOS_MUST_USE enum xos_status xos_cases_expect_all(const struct xos_case *one,
    const struct xos_policy_answer *answer, const struct xos_policy_answer *trial,
    struct xos_cases_verdict *out, struct xos_err *err);
void xos_cases_verdict_free(struct xos_cases_verdict *v);

#endif
