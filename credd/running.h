#ifndef XOS_CREDD_RUNNING_H
#define XOS_CREDD_RUNNING_H

#include "credd/decide.h"
#include "credd/jobs.h"
#include "json/json.h"

/*
 * Deciding anew about jobs that run: the one place for it, whatever is done with the answer (preview.h asks by a set that is not in force,
 * standing.h by the one that is).
 *
 * A job is decided as its submission was: by what signed its delegation, which stands right behind it, and not by the delegation itself, which
 * lets a job submit nothing. Where the job's credential was renewed, by the member's claims in what the authority issued, without the
 * restriction in there, which is the job's and not the submitter's.
 */
struct xos_credd_principal {
	const struct xos_known *known; /* borrowed until the next call of the decider */
	size_t skip;                   /* restrictions that are the job's own */
};

/*
 * The submitter of a job. A job may run longer than its submitter's chain is valid: such a chain is verified as of its last
 * moment, and whoever decides judges locks, roster and sets of now. NOT_FOUND: there is no credential; else as
 * xos_credd_decider_verify.
 */
XOS_MUST_USE enum xos_status xos_credd_running_who(struct xos_credd_decider *d,
    const struct xos_credd_jobs *jobs, const char *id, int64_t now, struct xos_credd_principal *out,
    struct xos_err *err);

/* job: {"job", "src"?, "wall"?}, what the service told when the job was submitted. The answer says what was decided. */
enum xos_policy_decision xos_credd_running_decide(const struct xos_credd_self *self,
    const struct xos_policy *policy, const struct xos_credd_principal *who,
    const struct xos_json *job, int64_t now, struct xos_policy_answer *answer);

#endif
