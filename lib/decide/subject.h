#ifndef XOS_DECIDE_SUBJECT_H
#define XOS_DECIDE_SUBJECT_H

#include <stdbool.h>

#include "policy/decide.h"
#include "token/claims.h"

/* What was verified, as the subject of a request. Of what a request itself says only the name counts. */

/* Does the request name whose claims these are? */
bool xos_subject_is(const struct xos_policy_subject *s, const struct xos_claims *c);
/* Replaces all but kind and, of a service, the name by what the claims say; borrows from them. */
void xos_subject_fill(const struct xos_claims *c, struct xos_policy_subject *s);

#endif
