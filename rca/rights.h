#ifndef XOS_RCA_RIGHTS_H
#define XOS_RCA_RIGHTS_H

#include "rca/auth.h"
#include "rca/sites.h"

/*
 * Who may do what about the nodes of a site. While the owner's terms are in force their approvers approve, and nobody
 * else; VO administrators may deny, ban and remove. Without terms administrators do all of it. Terms that are over, or
 * whose site was removed, leave nobody who approves: an owner who once spoke is not taken to agree by silence.
 */
enum rca_side { RCA_SIDE_VO, RCA_SIDE_OWNER }; /* as whom somebody acts: administrator, approver */

/* Whoever signed a command, or made a code. */
struct rca_signer {
	const char *name;
	const struct xos_identity *id; /* NULL: of a code's maker, by name and number alone */
	uint64_t number;
	const struct xos_err *why; /* why not an administrator now; status XOS_OK: is one */
};

/* May the signer approve nodes of this site, make codes for it, lift its owner's bans? DENIED "not-approver",
 * "terms-expired", "site-removed", or what gate.h says. side: as whom. */
XOS_MUST_USE enum xos_status rca_may_approve(struct rca_auth *a, const struct rca_signer *who,
    const char *site, int64_t now, enum rca_side *side, struct xos_err *err);
/* May the signer deny, ban and remove nodes of this site? */
XOS_MUST_USE enum xos_status rca_may_stop(struct rca_auth *a, const struct rca_signer *who,
    const char *site, int64_t now, enum rca_side *side, struct xos_err *err);
/* May the signer see what is about nodes of this site? Administrators, and its approvers, also when its terms are over:
 * who cannot approve any more shall be told so, not that there is nothing. */
bool rca_may_see(struct rca_auth *a, const struct rca_signer *who, const char *site, int64_t now);
/* May the signer look at what is about no particular site? Administrators, and approvers of any. */
XOS_MUST_USE enum xos_status rca_may_look(
    struct rca_auth *a, const struct rca_signer *who, int64_t now, struct xos_err *err);

#endif
