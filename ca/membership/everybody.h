#ifndef XOS_CA_EVERYBODY_H
#define XOS_CA_EVERYBODY_H

#include "bundle/membership.h"
#include "ca/membership/membership.h"

/* Everybody who may act at now, with groups and roles: what is signed for the policy service. */
struct ca_everybody {
	struct ca_names names; /* groups and roles, sorted */
	struct xos_membership_member *members;
	size_t n;
	const char **pool;
	size_t npool, room;
};
/* Within a snapshot. Robots and sealed administrators are not among them: a robot's restriction stands in its
 * token and nowhere else. Nobody, if the VO is closed or over. */
XOS_MUST_USE enum xos_status ca_everybody(
    struct ca_membership *m, int64_t now, struct ca_everybody *out, struct xos_err *err);
void ca_everybody_free(struct ca_everybody *e);

#endif
