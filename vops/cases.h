#ifndef XOS_VOPS_CASES_H
#define XOS_VOPS_CASES_H

#include "policy/decide.h"
#include "vops/auth.h"

/*
 * The VO's cases (lib/cases), which every set of the VO must pass before it comes into force, whoever pushes it; and those
 * that travel with one push. They are run against what would be in force: the policies that a file names are for
 * trials without a server, and are passed over here.
 */
#define VOPS_CASES_FILES_MAX 16u
#define VOPS_CASES_TEXT_MAX (512u * 1024) /* bytes of one file */
#define VOPS_CASES_NAME_MAX 63            /* [A-Za-z0-9][A-Za-z0-9._-]* */
#define VOPS_CASES_MS 10000               /* that all of them may take together */

/* travelling: [{"name", "text"}], or NULL; trial: the same policy on trial (cases/run.h). DENIED "case-failed" with the first case that
 * failed: its name, what was expected, what came and why. MALFORMED "cases-malformed", LIMIT "cases-time". */
XOS_MUST_USE enum xos_status vops_cases_run(struct vops_auth *a, const struct xos_json *travelling,
    const struct xos_policy *policy, const struct xos_policy *trial, int64_t now,
    struct xos_err *err);

/* The verbs, for administrators. */
enum xos_status vops_cases_set(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_cases_remove(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_cases_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_cases_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);

#endif
