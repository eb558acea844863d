#ifndef XOS_CREDD_ACCOUNTS_H
#define XOS_CREDD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"
#include "policy/set.h"
#include "token/claims.h"

/*
 * Accounts are computed: uid = first + member number, gid the same, name <vo>.<member>. Nothing is
 * leased, stored or looked up elsewhere, so every node of a site computes the same.
 */
struct xos_credd_slice {
	bool present; /* false: no member has an account here; why says the reason */
	char vo[XOS_VO_MAX + 1];
	uint32_t first, last; /* both included */
	char why[320];

	/* What else the site's set says of the VO; borrowed from the set. */
	uint32_t jobs_first, jobs_last; /* each job gets a uid of its own from here; 0: none does */
	const char *home;               /* "/srv/homes/%"; NULL: none */
	const struct xos_policy_account_group *groups;
	size_t ngroups;

	/* Without root: one member, one account, which exists already. */
	bool single;
	char member[XOS_MEMBER_MAX + 1];
	uint32_t uid, gid;
};

struct xos_credd_account {
	char name[XOS_ACCOUNT_MAX + 1];
	uint32_t uid, gid;
};

#define XOS_CREDD_GROUPS_MAX 64 /* supplementary groups of one member: XOS_LAUNCH_GROUPS */

struct xos_credd_groups {
	uint32_t gid[XOS_CREDD_GROUPS_MAX];
	size_t n;
};

/* The machine's own numbers; the default paths are those of passwd(5), group(5), subuid(5). */
struct xos_credd_local_files {
	const char *passwd, *group, *subuid, *subgid;
};
extern const struct xos_credd_local_files xos_credd_local_files;

/*
 * A slice of the site's set, checked against this machine. One overlap refuses the whole slice: with
 * half of it, what a member's uid is would depend on the node. Files that are missing hold nothing;
 * one that cannot be read or parsed refuses.
 */
void xos_credd_slice_init(struct xos_credd_slice *out, const char *vo, uint32_t first,
    uint32_t last, const struct xos_credd_local_files *files);

/* The same with all that the set says of this VO. The set outlives the slice. */
void xos_credd_slice_from(struct xos_credd_slice *out, const char *vo,
    const struct xos_policy_set *set, const struct xos_policy_accounts *a,
    const struct xos_credd_local_files *files);

/* All ranges of numbers that the slice hands out, sorted, none overlapping another. */
struct xos_credd_span {
	uint32_t first, last;
	const char *what; /* of which: "", " for jobs", " of a group" */
};
#define XOS_CREDD_SPANS_MAX (XOS_POLICY_ACCOUNT_GROUPS_MAX + 2)
size_t xos_credd_slice_spans(
    const struct xos_credd_slice *slice, struct xos_credd_span out[XOS_CREDD_SPANS_MAX]);

/* The gids of the member's groups by the site's rules, and none without root. LIMIT (code "account-groups"): more
 * than a job can have; leaving one out could open what a group is kept out of. */
XOS_MUST_USE enum xos_status xos_credd_account_groups(const struct xos_credd_slice *slice,
    const struct xos_claims *claims, struct xos_credd_groups *out, struct xos_err *err);
/* The account's home by the rule, malloc'd; NULL (with OK): there is none. */
XOS_MUST_USE enum xos_status xos_credd_account_home(const struct xos_credd_slice *slice,
    const struct xos_credd_account *account, char **out, struct xos_err *err);

/* NOT_FOUND (code "no-account") if this member has none: no slice, a number beyond it, a member other
 * than the configured one. */
XOS_MUST_USE enum xos_status xos_credd_account(const struct xos_credd_slice *slice,
    const char *member, uint64_t number, struct xos_credd_account *out, struct xos_err *err);

#endif
