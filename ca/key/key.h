#ifndef XOS_CA_KEY_H
#define XOS_CA_KEY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/loghead.h"
#include "ca/membership/membership.h"
#include "ca/messages.h"
#include "ca/key/record.h"
#include "ca/key/status.h"
#include "ca/key/tokens.h"
#include "log/log.h"
#include "pki/issue.h"
#include "service/bulk.h"
#include "service/main.h"
#include "service/report.h"

/*
 * The key process: holds the signing key of the authority. It believes the auth process about who
 * logged in (a grant, good once), looks the membership up itself, applies the profile, writes the log,
 * and only then lets a certificate out. What the network process says counts only as far as the
 * grant's digest covers it.
 */
#define CA_GRANTS 1024
#define CA_LIST_LIFE (24 * 3600)   /* of a signed roster or lock list, seconds */
#define CA_LIST_REFRESH (6 * 3600) /* signed anew when older, though nothing changed */
/* Others act on who is an administrator for so long without hearing from us: short, and given anew often. */
#define CA_ADMINISTRATORS_LIFE 300
#define CA_ADMINISTRATORS_REFRESH 60
#define CA_RENEWED_MAX                                                                             \
	500 /* tokens of one member that renewals make; well below CA_LOCK_TOKENS_MAX */
#define CA_LIFETIME_MIN 60
#define CA_DELEGATIONS_MAX 32 /* unexpired ones under one grant */

struct ca_list {
	struct xos_buf compact; /* empty: none signed yet */
	uint64_t serial;        /* of the newest one ever signed */
	uint64_t version;       /* of the membership that it shows */
	int64_t issued;
};

/* How it goes; heal.c, report.c. */
struct ca_key_watch {
	char log_path[PATH_MAX];
	bool log_failed;       /* a write failed: the log is to be opened anew */
	struct xos_err failed; /* why */
	int64_t retry_ms, wait_ms;
	int64_t offset, newest; /* wall minus monotonic clock; the latest time that was ever seen */
	const struct xos_service_run *run;  /* for SIGHUP (reload.c); NULL in tests */
	uint64_t issued, commits, sequence; /* the last record that was made durable */
};

struct ca_key {
	char vo[XOS_VO_MAX + 1];
	int64_t lifetime, lifetime_max;
	struct xos_key *key;
	struct xos_chain
	    chain; /* ca.pem: the issuer's certificate, and what stands above but the root */
	struct xos_issuer *issuer;
	/* The same for delegations that are renewed; delegations NULL: the VO has no key for them (delegate.c). */
	struct xos_key *delegation_key;
	struct xos_chain delegation_chain;
	struct xos_issuer *delegations;
	struct ca_membership *membership; /* read only */
	struct xos_key *before;           /* the public key before this one; NULL: there was none */
	struct xos_loghead loghead;
	struct xos_log *log; /* NULL: it could not be opened anew; see ca_key_log_ready */
	uint64_t acts;       /* id of the last act in the log */
	/* Group commit (settle.c): */
	bool grouped;    /* whoever serves commits for many requests at a time */
	bool waits;      /* the request at hand staged something that its answer waits for */
	uint64_t staged; /* id of the last act that was staged: at least acts */
	uint64_t staged_sequence; /* of its record */
	struct ca_list roster, locks;
	struct ca_list members;            /* version: the last act; serial: how many were signed */
	struct ca_list administrators;     /* version: the last act; without a serial */
	struct ca_grant grants[CA_GRANTS]; /* id "": free */
	struct ca_tokens *tokens;
	struct ca_status *status;
	struct ca_key_watch watch;
};

struct ca_key_opts {
	const char *vo;
	const char *state; /* the folder, for the key before this one; NULL: none */
	const char *key, *cert, *membership, *log; /* paths */
	const char *delegation_key,
	    *delegation_cert; /* paths of files that may be missing; NULL: none */
	int64_t lifetime, lifetime_max;
	const char *http_url; /* where stock verifiers find CRL and OCSP; NULL: tokens do not say */
};

/* Loads the key, opens membership and log, catches up with the acts. Before the sandbox. */
XOS_MUST_USE enum xos_status ca_key_new(
    const struct ca_key_opts *opts, struct ca_key **out, struct xos_err *err);
void ca_key_free(struct ca_key *k);

/* Who may ask what; network is channel 0, auth channel 1. */
extern const struct xos_bulk_handler ca_key_table[];
extern const size_t ca_key_ntable;
/* About once a second: opens a log anew that could not be written, watches the clock. */
void ca_key_tick(void *key);

/* Serves from now on with these in struct xos_channel_server: issuance shares commits. */
void ca_key_group(struct ca_key *k);
enum xos_status ca_key_group_commit(void *key, struct xos_err *err); /* on a thread of its own */
bool ca_key_group_staged(void *key);
void ca_key_group_committed(void *key, enum xos_status status, const struct xos_err *err);

/* --- between the files of the key process --- */

/* Stages every act that the log lacks, within the caller's snapshot of the membership; counted as logged
 * by ca_key_commit. */
XOS_MUST_USE enum xos_status ca_key_stage_acts(
    struct ca_key *k, uint64_t *last, struct xos_err *err);
/* Makes what is staged durable; last: from ca_key_stage_acts. */
XOS_MUST_USE enum xos_status ca_key_commit(struct ca_key *k, uint64_t last, struct xos_err *err);
/* For answers that may wait: durable before the answer goes out; at once where nobody groups. */
XOS_MUST_USE enum xos_status ca_key_settle(struct ca_key *k, uint64_t last, struct xos_err *err);
/* Both: afterwards the log has every act. */
XOS_MUST_USE enum xos_status ca_key_catch_up(struct ca_key *k, struct xos_err *err);
/* One view of membership and acts for several reads. */
XOS_MUST_USE enum xos_status ca_key_snapshot(struct ca_key *k, struct xos_err *err);
void ca_key_snapshot_end(struct ca_key *k);
/* A write failed: from now on ca_key_tick tries to open the log anew. */
void ca_key_log_failed(struct ca_key *k, const struct xos_err *why);
void ca_key_log_written(struct ca_key *k); /* counts what was made durable */
/* UNAVAILABLE while there is no log: nothing may be signed. */
XOS_MUST_USE enum xos_status ca_key_log_ready(const struct ca_key *k, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_key_open_log(
    struct ca_key *k, const char *path, struct xos_err *err);
void ca_key_report_clock(const struct ca_key *k, struct xos_report *r);
enum xos_status ca_key_report(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

enum xos_status ca_handle_grant(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_issue(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_delegate(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* delegate.c: what it signs with. */
XOS_MUST_USE enum xos_status ca_delegations_open(
    struct ca_key *k, const struct ca_key_opts *o, struct xos_err *err);
void ca_delegations_close(struct ca_key *k);
enum xos_status ca_handle_roster(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_locks(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_membership(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_administrators(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
