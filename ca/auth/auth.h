#ifndef XOS_CA_AUTH_H
#define XOS_CA_AUTH_H

#include <limits.h>
#include <stdint.h>

#include "auth/scram.h"
#include "auth/totp.h"
#include "ca/membership/membership.h"
#include "ca/messages.h"
#include "ca/auth/throttle.h"
#include "ca/auth/verifiers.h"
#include "service/bulk.h"
#include "service/main.h"
#include "token/trust.h"

/*
 * The auth process: the only reader of password verifiers and the only writer of the membership. It
 * has no network and no signing key. What it found out about a log-in it tells the key process over a
 * channel that the network process does not hold.
 */
#define CA_SESSIONS 512
#define CA_SESSIONS_ADDRESS 64 /* of them, begun from one address */
#define CA_SESSION_LIFE 60     /* seconds between the two messages of a log-in */

struct ca_session {
	struct xos_scram_session *scram; /* NULL: free place */
	char sid[CA_SID_LEN + 1];
	char address[CA_SCOPE_MAX]; /* as the throttle counts it */
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_scram_verifier code; /* what it was begun with, if with a one-time code */
	char totp[XOS_TOTP_DIGITS + 1]; /* "" if none was given */
	int64_t until;
	uint64_t order; /* grows with each log-in */
};

#define CA_ENROLMENTS 64

/* A second factor that was agreed on and not confirmed yet. */
struct ca_enrolment {
	char member[XOS_MEMBER_MAX + 1];
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	int64_t until;
};

/* What report.c remembers between two reports. */
struct ca_auth_watch {
	char membership[PATH_MAX];
	const struct xos_service_run *run; /* for SIGHUP (reload.c); NULL in tests */
	struct xos_store *probe;           /* NULL until it could be opened */
	unsigned failures;                 /* of the probe, in a row */
};

struct ca_auth {
	char vo[XOS_VO_MAX + 1];
	int64_t iterations, renew_max, grant_max;
	bool delegations; /* the key process has a key for them */
	struct ca_membership *membership;
	struct ca_verifiers *verifiers;
	struct xos_trust *trust;
	struct xos_scram_server *scram;
	struct xos_scram_verifier found; /* by the last look-up */
	struct ca_throttle *throttle;
	struct xos_bulk *key; /* to the key process */
	struct ca_session sessions[CA_SESSIONS];
	struct ca_enrolment enrolments[CA_ENROLMENTS];
	uint64_t order;
	struct ca_auth_watch watch;
};

struct ca_auth_opts {
	const char *vo;
	const char *membership, *verifiers; /* paths */
	const struct xos_trust *trust;      /* one more owner */
	int64_t iterations;
	int64_t renew_max;       /* seconds after an authentication that renewed tokens may live */
	int64_t grant_max;       /* seconds that the grant of a job may last */
	bool delegations;        /* as in struct ca_auth */
	struct xos_channel *key; /* borrowed */
};

/* Opens the databases, repairs what a crash left, starts SASL. Before the sandbox. */
XOS_MUST_USE enum xos_status ca_auth_new(
    const struct ca_auth_opts *opts, struct ca_auth **out, struct xos_err *err);
void ca_auth_free(struct ca_auth *a);

/* Who may ask what; the network process is channel 0, and there is no other. */
extern const struct xos_bulk_handler ca_auth_table[];
extern const size_t ca_auth_ntable;
void ca_auth_tick(void *auth); /* forgets unfinished log-ins; about once a second */

/* --- between the files of the auth process --- */

/* Only after the right password, or for the right key, does anybody learn that a member is suspended or
 * locked. roles: those that count for locks. */
XOS_MUST_USE enum xos_status ca_auth_standing(struct ca_auth *a, const char *name, uint64_t number,
    const char *const *roles, size_t nroles, int64_t now, struct xos_err *err);
/* Tells the key process; id, VO and end of the grant are filled in here. */
XOS_MUST_USE enum xos_status ca_auth_grant(
    struct ca_auth *a, struct ca_grant *g, int64_t now, struct xos_err *err);

/* A proof's identifier is good once, also if what follows refuses (renew.c). DENIED "renewal-replayed". */
XOS_MUST_USE enum xos_status ca_auth_once(
    struct ca_auth *a, const char *jti, int64_t expires, int64_t now, struct xos_err *err);
/* Returns when the act stands in the signed log (commands.c). */
XOS_MUST_USE enum xos_status ca_auth_record(struct ca_auth *a, uint64_t act, struct xos_err *err);

/* Handlers (login.c, renew.c, commands.c). */
enum xos_status ca_login_begin(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_login_finish(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_renew(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_command(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* jobgrants.c */
enum xos_status ca_handle_job_grant(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_job_renew(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* apply.c: for people without a token. */
enum xos_status ca_handle_apply(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_application(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_about(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* accept.c: the VO's rules. */
enum xos_status ca_handle_rules(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_accept(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/*
 * A proof by password or code that is no log-in (login.c): the session must have been begun with this digest
 * as what it binds. Throttled as log-ins are; a code is not used up. Appends the server's own proof to final.
 */
XOS_MUST_USE enum xos_status ca_login_proof(struct ca_auth *a, const struct ca_login_finish *m,
    const uint8_t digest[XOS_SHA256_LEN], char member[XOS_MEMBER_MAX + 1], struct xos_buf *final,
    struct xos_err *err);

enum xos_status ca_auth_report(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#define CA_KEY_DEADLINE_MS 10000
int64_t ca_key_deadline(void); /* on xos_clock_mono_ms */

#endif
