#ifndef XOS_CA_VERIFIERS_H
#define XOS_CA_VERIFIERS_H

#include "auth/totp.h"
#include "auth/verifier.h"
#include "base/status.h"
#include "ca/membership/membership.h"
#include "store/store.h"

/*
 * The verifiers of passwords and one-time codes, in a database of their own that only the auth process opens.
 *
 * A password changes together with an act in the membership database, and two files cannot commit as one.
 * So a change is prepared here first, then the act commits, then the change is applied; what is left
 * prepared after a crash is applied if its act is there and dropped if not. A member has the old
 * password or the new one with its act, never one without the other.
 */
struct ca_verifiers {
	struct xos_store *store;
	uint8_t secret[XOS_SHA256_LEN]; /* for the salts of names that do not exist */
};

XOS_MUST_USE enum xos_status ca_verifiers_open(
    const char *path, bool create, struct ca_verifiers **out, struct xos_err *err);
void ca_verifiers_close(struct ca_verifiers *v);

/* A change of one of a member's secrets. */
struct ca_verifier_change {
	char member[XOS_MEMBER_MAX + 1];
	bool all; /* everything that the member has goes; nothing else is read then */
	enum xos_scram_kind kind;
	bool removes;
	struct xos_scram_verifier verifier; /* unless it removes */
	int64_t until;                      /* 0: no end */
	/* Not a verifier but a second factor (totp.h): its secret, and the step of the code that confirmed it. */
	bool totp;
	uint8_t totp_secret[XOS_TOTP_SECRET_LEN];
	int64_t totp_used;
};

/* NOT_FOUND without a text if there is none, or its end has come. */
XOS_MUST_USE enum xos_status ca_verifiers_get(struct ca_verifiers *v, const char *member,
    enum xos_scram_kind kind, int64_t now, struct xos_scram_verifier *out, struct xos_err *err);
/* Prepares a change. jti: of the act that it belongs to. Durable on return. */
XOS_MUST_USE enum xos_status ca_verifiers_prepare(struct ca_verifiers *v, const char *jti,
    const struct ca_verifier_change *change, struct xos_err *err);
/*
 * Uses a one-time code up: afterwards it is gone, durably. DENIED with code "credentials" if it is not there
 * (any more), has ended, or is another than the one that was proven: whoever comes second gets this.
 */
XOS_MUST_USE enum xos_status ca_verifiers_spend(struct ca_verifiers *v, const char *member,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err);
/* Applies (or drops) what is prepared under jti. */
XOS_MUST_USE enum xos_status ca_verifiers_settle(
    struct ca_verifiers *v, const char *jti, bool apply, int64_t now, struct xos_err *err);
/* For who changes beside a running auth process, after the act is there: that process takes what is prepared
 * without an act for what a crash left, and drops it. Prepares and applies it again if it does not stand. */
XOS_MUST_USE enum xos_status ca_verifiers_make_sure(struct ca_verifiers *v, const char *jti,
    const struct ca_verifier_change *change, int64_t now, struct xos_err *err);
/* After a crash: settles everything left, by what the acts say. */
XOS_MUST_USE enum xos_status ca_verifiers_recover(
    struct ca_verifiers *v, struct ca_membership *acts, int64_t now, struct xos_err *err);

#endif
