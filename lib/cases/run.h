#ifndef XOS_CASES_RUN_H
#define XOS_CASES_RUN_H

#include "cases/cases.h"

/*
 * Cases asked of a policy, and their answers held against what they expect. The policy is given twice: as it is, and
 * with every statement on trial (xos_cases_try), which decides nothing and tells all that apply.
 */
struct xos_cases_ground {
	const struct xos_policy *policy, *trial;
	/* By position in the file's list of delegations; NULL if the file names none. */
	const struct xos_policy_set *const *delegations;
	int64_t deadline_ms; /* on xos_clock_mono_ms(); 0: none */
};

/* Puts every statement of a set on trial but checks. Nobody may have compiled the set or share it yet. */
void xos_cases_try(struct xos_policy_set *set);

/* What became of one case. Borrowed, until the callback returns. */
struct xos_cases_outcome {
	const struct xos_cases *file;
	const struct xos_case *one;
	bool passed;
	const struct xos_policy_request *request;
	const struct xos_policy_answer *answer, *trial;
	/* One line for each expectation that was not met: what was expected, what came instead. */
	char *const *expected, *const *got;
	const unsigned *lines; /* where they stand */
	size_t nfailed;
};
typedef void xos_cases_told(void *arg, const struct xos_cases_outcome *o);

/* Runs the cases of a file; now: the time of cases that name none. MALFORMED with file and line if a case
 * cannot be asked at all (code "cases-malformed"); LIMIT "cases-time" past the deadline. */
XOS_MUST_USE enum xos_status xos_cases_run(const struct xos_cases_ground *g,
    const struct xos_cases *file, int64_t now, xos_cases_told *told, void *arg,
    struct xos_err *err);

#endif
