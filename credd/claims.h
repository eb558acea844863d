#ifndef XOS_CREDD_CLAIMS_H
#define XOS_CREDD_CLAIMS_H

#include "base/bytes.h"
#include "credd/accounts.h"

/*
 * A node of several VOs has an xos-credd for each, and a site might give two VOs the same numbers. So each says, in a
 * folder that they share, which numbers are its members', jobs' and groups': a file by the VO's name with "FIRST-LAST\n" for
 * each range, or empty. Whoever comes first has them, under a lock, so that two that come at once never both do.
 *
 * The folder and the lock are root's; each file can be written by its own xos-credd only (xos_credd_claims_prepare).
 */
#define XOS_CREDD_CLAIM_LINE 22 /* bytes */
#define XOS_CREDD_CLAIM_MAX (XOS_CREDD_SPANS_MAX * XOS_CREDD_CLAIM_LINE)
#define XOS_CREDD_CLAIMS_MAX 64 /* files */

/*
 * Claims what s holds, and refuses s if another VO holds a number of it, or if that cannot be told. What was claimed
 * before is given up if s holds nothing or is refused. folder NULL: the node has one VO, and nothing is done.
 */
void xos_credd_slice_claim(struct xos_credd_slice *s, const char *folder);
/* Makes the folder, the lock and the VO's file, for a daemon that becomes uid:gid. */
XOS_MUST_USE enum xos_status xos_credd_claims_prepare(
    const char *folder, const char *vo, uint32_t uid, uint32_t gid, struct xos_err *err);
/* Takes "FIRST-LAST\n" from the front; false: that is not what is there, or nothing is left. */
bool xos_credd_claim_next(struct xos_bytes *rest, uint32_t *first, uint32_t *last);

#endif
