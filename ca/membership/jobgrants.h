#ifndef XOS_CA_JOBGRANTS_H
#define XOS_CA_JOBGRANTS_H

#include "api/grant.h"
#include "ca/membership/membership.h"
#include "pki/cert.h"
#include "token/claims.h"

/*
 * The grants of jobs (api/grant.h): what a member signed, and how it went since. The auth process writes them, the key
 * process looks up what it renews. "Grant" alone means the proof of a log-in in this program (messages.h).
 *
 * What ends a grant ends it for good: revocation, a lock of what it stands on, suspension and the end of the
 * membership. A member who may act again grants again. One whose end has come can be extended.
 */
#define CA_JOB_GRANTS_MEMBER 10000      /* of one member, at a time */
#define CA_JOB_GRANTS_KEPT (30 * 86400) /* seconds after its end that a grant can be asked about */

struct ca_job_grant {
	struct xos_grant grant;
	uint64_t number; /* of the member */
	char member[XOS_MEMBER_MAX + 1];
	char method[XOS_AUTH_METHOD_MAX + 1]; /* of the log-in that the grant's token came of */
	int64_t authenticated;
	bool mfa;
	char token[XOS_SERIAL_TEXT];    /* whose key signed it */
	uint8_t digest[XOS_SHA256_LEN]; /* of what was signed */
	int64_t registered;
	int64_t revoked; /* 0: not */
	char reason[CA_REASON_MAX + 1];
	uint64_t renewals;
	int64_t renewed, not_after; /* of the last certificate; 0: none */
};

void ca_job_grant_clear(struct ca_job_grant *g);
/* *out is cleared by the caller, also after a failure. NOT_FOUND "grant-unknown". */
XOS_MUST_USE enum xos_status ca_job_grant_get(
    struct ca_membership *m, const char *id, struct ca_job_grant *out, struct xos_err *err);
/* OK if it can be renewed as far as it is its own matter; DENIED "grant-revoked", EXPIRED "grant-ended". */
XOS_MUST_USE enum xos_status ca_job_grant_usable(
    const struct ca_job_grant *g, int64_t now, struct xos_err *err);
/* OK if this key and this node are the grant's; DENIED "grant-key", "grant-node". */
XOS_MUST_USE enum xos_status ca_job_grant_proven(const struct ca_job_grant *g,
    const uint8_t key[XOS_SHA256_LEN], const char *node, struct xos_err *err);

/* --- changes, in the caller's transaction --- */

/*
 * A new one, or a later end of one that is there; *changed: anything at all, so that there is an act to write. CONFLICT
 * "grant-other", "grant-shorter"; DENIED "grant-revoked"; LIMIT "grants-count".
 */
XOS_MUST_USE enum xos_status ca_job_grant_register(struct ca_membership *m,
    const struct ca_job_grant *g, int64_t now, bool *changed, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_job_grant_revoke(
    struct ca_membership *m, const char *id, const char *reason, int64_t now, struct xos_err *err);
/* A certificate was issued under it. */
XOS_MUST_USE enum xos_status ca_job_grant_renewed(
    struct ca_membership *m, const char *id, int64_t not_after, int64_t now, struct xos_err *err);
/* All of a member. */
XOS_MUST_USE enum xos_status ca_job_grants_end_member(
    struct ca_membership *m, uint64_t number, const char *reason, int64_t now, struct xos_err *err);
/* All that the lock is about: of a member, of those in a group, of a token, one by its own name or the job's. A role that
 * is locked drops out of what is renewed and ends nothing. */
XOS_MUST_USE enum xos_status ca_job_grants_end_lock(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err);
/* A token was locked: so are the grants that it signed and that something is out under, until that has ended, too. Nodes see the
 * token's serial in nothing that was renewed. A grant that is locked already stays so. LIMIT: no room for them. */
XOS_MUST_USE enum xos_status ca_job_grants_lock_token(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err);
/* Takes away what came with the token's lock, which is still there. */
XOS_MUST_USE enum xos_status ca_job_grants_unlock_token(
    struct ca_membership *m, const char *serial, struct xos_err *err);

/* --- asking --- */

/* DENIED "locked": a lock of kind grant or job with this name. */
XOS_MUST_USE enum xos_status ca_lock_check_grant(
    struct ca_membership *m, const char *id, int64_t now, struct xos_err *err);
/* The latest ends first, then by id, from behind one of that end and id (INT64_MAX, "": from the first), at most max;
 * number 0: of all. */
struct ca_job_grants_page {
	uint64_t number;
	int64_t ends;
	const char *id;
	size_t max;
};
XOS_MUST_USE enum xos_status ca_job_grants_list(struct ca_membership *m,
    const struct ca_job_grants_page *page,
    enum xos_status (*each)(void *ctx, const struct ca_job_grant *g, struct xos_err *err),
    void *ctx, struct xos_err *err);
void ca_job_grant_info(const struct ca_job_grant *g, int64_t now, struct xos_grant_info *out);

#endif
