#ifndef XOS_CA_AUTH_H
#define XOS_CA_AUTH_H

#include <stdint.h>

#include "auth/scram.h"
#include "ca/membership.h"
#include "ca/messages.h"
#include "ca/throttle.h"
#include "ca/verifiers.h"
#include "service/bulk.h"
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
	int64_t until;
	uint64_t order; /* grows with each log-in */
};

struct ca_auth {
	char vo[XOS_VO_MAX + 1];
	int64_t iterations;
	struct ca_membership *membership;
	struct ca_verifiers *verifiers;
	struct xos_trust *trust;
	struct xos_scram_server *scram;
	struct xos_scram_verifier found; /* by the last look-up */
	struct ca_throttle *throttle;
	struct xos_bulk *key; /* to the key process */
	struct ca_session sessions[CA_SESSIONS];
	uint64_t order;
};

struct ca_auth_opts {
	const char *vo;
	const char *membership, *verifiers; /* paths */
	const struct xos_trust *trust;      /* one more owner */
	int64_t iterations;
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

/* Handlers (login.c, commands.c). */
enum xos_status ca_login_begin(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_login_finish(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_command(
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

#define CA_KEY_DEADLINE_MS 10000
int64_t ca_key_deadline(void); /* on xos_clock_mono_ms */

#endif
