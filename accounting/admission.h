#ifndef XOS_ACCOUNTING_ADMISSION_H
#define XOS_ACCOUNTING_ADMISSION_H

#include "accounting/config.h"
#include "base/status.h"
#include "service/front.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * Whom xos-acctd lets in: by the lists of locks and administrators that it fetches from xos-cad and xos-rcad.
 * A banned node's records wait at the node; a locked member reads nothing; who was an administrator at log-in
 * and is none now reads what is the member's own.
 */
struct xos_acct_admission;

/* All borrowed. The certificate shown to the others and the health are those of the front. */
XOS_MUST_USE enum xos_status xos_acct_admission_new(const struct xos_acct_config *c,
    const struct xos_trust *trust, struct xos_front *front, struct xos_acct_admission **out,
    struct xos_err *err);
XOS_MUST_USE enum xos_status xos_acct_admission_start(
    struct xos_acct_admission *a, struct xos_err *err);
void xos_acct_admission_free(struct xos_acct_admission *a); /* NULL-safe */

/* Any thread. As xos_lockout_check. */
XOS_MUST_USE enum xos_status xos_acct_admit(
    struct xos_acct_admission *a, const struct xos_identity *who, struct xos_err *err);
/* As xos_lockout_administers. */
XOS_MUST_USE enum xos_status xos_acct_administers(
    struct xos_acct_admission *a, const struct xos_identity *who, struct xos_err *err);

#endif
