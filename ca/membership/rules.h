#ifndef XOS_CA_RULES_H
#define XOS_CA_RULES_H

#include "api/rules.h"
#include "ca/membership/membership.h"
#include "ca/membership/vo.h"

/*
 * The rules of the VO, by version, and who has accepted which. Nobody who has not accepted the version in
 * force gets a token, however the log-in was proven: the key process asks too. What was accepted is an
 * act of the member's with version and digest; a robot stands on its owner's word, the sealed administrator
 * on nobody's.
 */
/* A new version, in the caller's transaction. */
XOS_MUST_USE enum xos_status ca_rules_set(
    struct ca_membership *m, const char *text, int64_t now, uint64_t *version, struct xos_err *err);
/* version 0: the one in force. NOT_FOUND with code "no-rules". text is malloc'd. */
XOS_MUST_USE enum xos_status ca_rules_get(
    struct ca_membership *m, uint64_t version, struct xos_rules *out, struct xos_err *err);
/* DENIED with code "rules-not-accepted". The second in a VO that was read already. */
XOS_MUST_USE enum xos_status ca_rules_check(
    struct ca_membership *m, const struct ca_member *member, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_rules_in(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, struct xos_err *err);
/* Records that the member accepts, with its act; its own transaction. Accepting once more changes nothing.
 * CONFLICT (code "rules-changed") unless version and digest are those in force. */
XOS_MUST_USE enum xos_status ca_rules_accept(struct ca_membership *m, const char *name,
    uint64_t version, const uint8_t digest[XOS_SHA256_LEN], int64_t now, struct xos_err *err);

#endif
