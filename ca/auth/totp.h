#ifndef XOS_CA_TOTP_H
#define XOS_CA_TOTP_H

#include <stdbool.h>

#include "auth/totp.h"
#include "ca/auth/auth.h"

/*
 * The second factor (auth/totp.h) in the auth process. Secrets stand in verifiers.db beside the passwords, with the
 * last step that was used; which groups must have one stands in the membership. Guesses are counted by
 * themselves (throttle.h): who can make them knows the password already.
 */

/* OK, and *yes. */
XOS_MUST_USE enum xos_status ca_totp_enrolled(
    struct ca_verifiers *v, const char *member, bool *yes, struct xos_err *err);
/* Takes a code of a member who is enrolled; its step is used up, durably. DENIED: "totp-wrong"; LIMIT:
 * "totp-throttled"; DENIED too: "totp-none". */
XOS_MUST_USE enum xos_status ca_totp_take(
    struct ca_auth *a, const char *member, const char *code, int64_t now, struct xos_err *err);
/* Which group of this member must have one now: group "" if none. */
XOS_MUST_USE enum xos_status ca_totp_required(struct ca_membership *m,
    const struct ca_member *member, int64_t now, char group[XOS_FQAN_MAX + 1], struct xos_err *err);
/*
 * What a log-in needs beside what was proven by `kind`: *mfa says whether a second factor was. totp "": none was given.
 * A one-time code needs none, for it is also for those who lost theirs. DENIED: "totp-needed", "totp-not-enrolled",
 * "totp-none" (given, though there is none), and what ca_totp_take says.
 */
XOS_MUST_USE enum xos_status ca_totp_login(struct ca_auth *a, const char *member,
    enum xos_scram_kind kind, const char *totp, int64_t now, bool *mfa, struct xos_err *err);
/* May a token be renewed that was given for one factor? DENIED "totp-needed". */
XOS_MUST_USE enum xos_status ca_totp_renewal(
    struct ca_auth *a, const char *member, bool mfa, int64_t now, struct xos_err *err);

/* Enrolments that were begun and not confirmed; forgotten with the process, and when they are old. */
#define CA_ENROLMENT_LIFE 600
void ca_enrolment_put(
    struct ca_auth *a, const char *member, const uint8_t secret[XOS_TOTP_SECRET_LEN], int64_t now);
/* NULL if there is none. */
struct ca_enrolment *ca_enrolment_get(struct ca_auth *a, const char *member, int64_t now);

#endif
