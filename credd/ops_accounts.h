#ifndef XOS_CREDD_OPS_ACCOUNTS_H
#define XOS_CREDD_OPS_ACCOUNTS_H

#include "credd/ops.h"

/*
 * What the socket tells and does about accounts: whois, accounts, lease, lease.end, leases; docs/protocols/credd.md,
 * "Accounts", has the objects. For service users, which the caller sees to.
 */
XOS_MUST_USE enum xos_status xos_credd_ops_accounts(
    const struct xos_credd_asked *c, struct xos_err *err);
/* After a start: jobs that have a uid to themselves have it again. */
void xos_credd_leases_apply(struct xos_credd_ops *ops);

#endif
