#ifndef XOS_POLICYTOOL_VARY_H
#define XOS_POLICYTOOL_VARY_H

#include "cases/ask.h"
#include "policytool/reason.h"

/*
 * Requests that differ in what tests ask about: for each attribute the values at the boundaries of its
 * tests, a value that meets none of them and, where it may be missing, none; where each
 * window and date begins and ends in its zone, and the minute before, on each day of the week; roles one by one, all and none.
 */
struct xos_policytool_variety;

/* The time of req: around which moments are looked for. zones: of all the sets whose tests come. */
struct xos_policytool_variety *xos_policytool_variety_new(const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req);
void xos_policytool_variety_free(struct xos_policytool_variety *v);
/* Forgets all tests. */
void xos_policytool_variety_reset(
    struct xos_policytool_variety *v, const struct xos_policy_request *req);
/* For xos_formula_tests(): arg is the variety. */
void xos_policytool_variety_test(void *arg, const struct xos_formula *test);
/* How many requests there are; at least 1; UINT64_MAX if more than that. */
uint64_t xos_policytool_variety_count(const struct xos_policytool_variety *v);
/* Sets the fields of request i, from 0. */
XOS_MUST_USE enum xos_status xos_policytool_variety_apply(const struct xos_policytool_variety *v,
    uint64_t i, struct xos_cases_ask *ask, struct xos_err *err);
bool xos_policytool_variety_failed(const struct xos_policytool_variety *v); /* out of memory */

#endif
