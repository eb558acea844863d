#ifndef XOS_POLICYTOOL_TRIAL_H
#define XOS_POLICYTOOL_TRIAL_H

#include "cases/run.h"
#include "policytool/sets.h"

/*
 * Files of cases run against their policies. Every set is loaded once, however many files name it, so
 * that what is reached adds up over all of them.
 *
 * A statement counts as reached if in some case it applied: its level was asked, its head matched and
 * its condition was true, or unknown where that is enough. It need not have decided alone. The
 * statements of a delegation are reached if a case carries it and does what they are about.
 */
struct xos_policytool_trials;

struct xos_policytool_trials *xos_policytool_trials_new(void); /* NULL: out of memory */
void xos_policytool_trials_free(struct xos_policytool_trials *t);

/* Runs the cases of a file; now: the time of cases that name none. MALFORMED with file and line if
 * a case cannot be asked at all (code "cases-malformed"), or a policy or delegation is not good. */
XOS_MUST_USE enum xos_status xos_policytool_trials_run(struct xos_policytool_trials *t,
    const struct xos_cases *cases, int64_t now, xos_cases_told *told, void *arg,
    struct xos_err *err);

/* The sets met so far, and which of their statements were reached. */
size_t xos_policytool_trials_sets(const struct xos_policytool_trials *t);
const struct xos_policy_set *xos_policytool_trials_set(
    const struct xos_policytool_trials *t, size_t i, const char **path, const bool **reached);

#endif
