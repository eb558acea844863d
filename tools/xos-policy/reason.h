#ifndef XOS_POLICYTOOL_REASON_H
#define XOS_POLICYTOOL_REASON_H

#include "policytool/formula.h"
#include "policy/decide.h"

/*
 * Under which condition would a request be permitted? The same sets, read for what they ask instead
 * of for an answer. Where nothing is left open the formula is "always" exactly if the engine permits;
 * tests/tools/xos-policy compares the two.
 */
struct xos_policytool_open {
	bool attributes; /* what the request does not give of the context and the authentication */
	bool time;
	bool home; /* at which organisation the subject authenticated */
	/* Roles that may be asked for or not. */
	const char *const *roles;
	size_t nroles;
};

/* Formulas live in memory. zones may be NULL: tests in zones are then unknown where the time is not
 * open. NULL: out of memory. */
const struct xos_formula *xos_policytool_permitted(struct xos_policy_memory *memory,
    const struct xos_policy *policy, const struct xos_policy_options *zones,
    const struct xos_policy_request *req, const struct xos_policytool_open *open);

/* Could the statement apply to the request, as its head and condition say? */
bool xos_policytool_may_apply(struct xos_policy_memory *memory, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open, const struct xos_policy_statement *s);

/* Does the formula hold for a request that leaves nothing open? What it asks is asked of req. */
bool xos_policytool_holds(const struct xos_formula *f, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req);

/* What of the formula does not hold: what would have to. NULL: out of memory. */
const struct xos_formula *xos_policytool_lacking(struct xos_policy_memory *memory,
    const struct xos_formula *f, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req);

/* What binds a permit: "{ wall <= 1d; } unless auth.mfa" for each limit or duty that can apply, a
 * line each, sorted; equal texts bind alike. told (may be NULL) hears of the tests in them. */
void xos_policytool_bounds(struct xos_policy_memory *memory, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open, struct xos_buf *out,
    void (*told)(void *arg, const struct xos_formula *test), void *arg);

#endif
