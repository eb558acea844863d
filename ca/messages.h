#ifndef XOS_CA_MESSAGES_H
#define XOS_CA_MESSAGES_H

#include <stdint.h>

#include "api/cad.h"
#include "api/command.h"
#include "api/grant.h"
#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * What the processes of xos-cad say to each other over channels (service/bulk.h). Everything is read with
 * xos_reader to the exact end: the network process may have been taken over.
 */
enum ca_message {
	CA_LOGIN_BEGIN = 1,  /* network -> auth */
	CA_LOGIN_FINISH = 2, /* network -> auth */
	CA_COMMAND = 3,      /* network -> auth: lp(address) lp(body); the answer's JSON */
	CA_RENEW = 60,       /* network -> auth: lp(address) lp(body); as CA_LOGIN_FINISH answers */
	CA_ISSUE = 10,       /* network -> key */
	CA_ROSTER = 11,      /* network -> key: nothing; the compact JWS */
	CA_LOCKS = 12,       /* network -> key: nothing; the compact JWS */
	CA_ADMINISTRATORS = 13, /* network -> key: nothing; the compact JWS */
	CA_GRANT = 20,          /* auth -> key; empty answer */
	CA_RECORD = 21,         /* auth -> key: u64 act, which must be in the log; empty answer */
	CA_TOKENS = 22,         /* auth -> key: u64 number; the unexpired tokens of a member */
	CA_LOG_HEAD = 30,       /* network -> key: nothing; JSON, as are those below */
	CA_LOG_PROOF = 31,      /* network -> key: u64 sequence, u64 size (0: the newest) */
	CA_LOG_GROWTH = 32,     /* network -> key: u64 from, u64 to (0: the newest) */
	CA_LOG_RECORDS = 33,    /* auth -> key: logquery.h */
	CA_TOKEN_END = 40,      /* auth -> key: the serial of an unexpired token; u64 not_after */
	CA_HELD =
	    41, /* auth -> key: u8 kind of lock, lp name; u64 unexpired tokens that it would hold */
	CA_STATUS = 42, /* network -> key: nothing; u64 version of what holds tokens */
	CA_CRL = 43,  /* network -> key: u8 part, CA_CRL_ALL: everything; struct ca_status_answer */
	CA_OCSP = 44, /* network -> key: the request in DER; struct ca_status_answer */
	CA_REPORT = 70,      /* network -> auth, network -> key: nothing; service/report.h */
	CA_APPLY = 50,       /* network -> auth: lp(address) lp(body); JSON */
	CA_APPLICATION = 51, /* network -> auth: lp(id) lp(body); JSON */
	CA_ABOUT = 52,       /* network -> auth: nothing; JSON */
	CA_ACCEPT = 53,      /* network -> auth: rules.h; the server's own proof */
	CA_RULES = 54,       /* network -> auth: u64 version, 0: in force; JSON */
	CA_JOB_GRANT = 100,  /* network -> auth: lp(address) lp(body); JSON */
	CA_JOB_RENEW = 101,  /* network -> auth: lp(address) lp(id) lp(body); JSON */
	CA_DELEGATE = 150,   /* auth -> key: struct ca_delegate; struct ca_delegated */
	/* network -> key: u64 time, u64 count of the last one; both of this one, lp(compact JWS), empty if it is that */
	CA_MEMBERSHIP = 80
};

#define CA_CRL_ALL 0xff
#define CA_CHAIN_MAX 4 /* certificates in struct ca_delegated */

#define CA_SID_LEN 32   /* hexadecimal digits */
#define CA_GRANT_LEN 32 /* hexadecimal digits */
#define CA_PEER_MAX 64
#define CA_GRANT_LIFE 30 /* seconds */

struct ca_login_begin {
	char address[CA_PEER_MAX + 1];
	uint8_t
	    digest[XOS_SHA256_LEN]; /* of the token request without its totp, as network saw it */
	char totp[XOS_TOTP_DIGITS + 1]; /* "" if it has none */
	struct xos_bytes message;
};
struct ca_login_challenge {
	char sid[CA_SID_LEN + 1];
	struct xos_bytes message;
};
struct ca_login_finish {
	char address[CA_PEER_MAX + 1];
	char sid[CA_SID_LEN + 1];
	struct xos_bytes message;
};
struct ca_login_done {
	char grant[CA_GRANT_LEN + 1];
	struct xos_bytes message;
};

/* What auth vouches for: this member asked for exactly the request with this digest. Good once. */
struct ca_grant {
	char id[CA_GRANT_LEN + 1];
	char vo[XOS_VO_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
	char method[XOS_AUTH_METHOD_MAX + 1];
	bool mfa;     /* by two factors */
	int64_t time; /* of the authentication */
	int64_t ends; /* no token of it may live longer; 0: as long as any */
	int64_t expires;
	char renews[XOS_SERIAL_TEXT]; /* serial of the token that proved it; "": a log-in */
	uint8_t digest[XOS_SHA256_LEN];
};

struct ca_issue {
	char grant[CA_GRANT_LEN + 1];
	struct xos_cad_request request; /* decoded: owned, xos_cad_request_clear */
};

/* A signed list or answer. What was answered before version may not be so any more. */
struct ca_status_answer {
	uint64_t version;
	int64_t this_update, next_update; /* 0, 0: for this request only, not to be kept */
	struct xos_bytes der;
};

/* What auth proved: that the job's key and a node's asked for a renewal of this grant. */
struct ca_delegate {
	char id[XOS_JOB_ID_TEXT];
	char node[XOS_NODE_MAX + 1];
	struct xos_bytes spki;
};
/* The certificate of kind delegation, leaf first, and how long things last. */
struct ca_delegated {
	struct xos_bytes der[CA_CHAIN_MAX];
	size_t n;
	int64_t not_after, ends;
};

/* CA_JOB_RENEW */
struct ca_job_renew {
	char address[CA_PEER_MAX + 1];
	char id[XOS_JOB_ID_TEXT]; /* as the path has it */
	struct xos_bytes body;
};

/* CA_ACCEPT: what network says of the second message of an acceptance. */
struct ca_accept {
	struct ca_login_finish proof;
	uint64_t version;
	uint8_t digest[XOS_SHA256_LEN];
};

/* Encoders append; decoders borrow from in. MALFORMED with code "message". */
void ca_login_begin_put(struct xos_buf *b, const struct ca_login_begin *m);
void ca_login_challenge_put(struct xos_buf *b, const struct ca_login_challenge *m);
void ca_login_finish_put(struct xos_buf *b, const struct ca_login_finish *m);
void ca_login_done_put(struct xos_buf *b, const struct ca_login_done *m);
void ca_grant_put(struct xos_buf *b, const struct ca_grant *m);
void ca_status_answer_put(struct xos_buf *b, const struct ca_status_answer *m);
void ca_issue_put(struct xos_buf *b, const struct ca_issue *m);

XOS_MUST_USE enum xos_status ca_login_begin_get(
    struct xos_bytes in, struct ca_login_begin *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_login_challenge_get(
    struct xos_bytes in, struct ca_login_challenge *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_login_finish_get(
    struct xos_bytes in, struct ca_login_finish *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_login_done_get(
    struct xos_bytes in, struct ca_login_done *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_grant_get(
    struct xos_bytes in, struct ca_grant *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_status_answer_get(
    struct xos_bytes in, struct ca_status_answer *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_issue_get(
    struct xos_bytes in, struct ca_issue *m, struct xos_err *err);

void ca_accept_put(struct xos_buf *b, const struct ca_accept *m);
XOS_MUST_USE enum xos_status ca_accept_get(
    struct xos_bytes in, struct ca_accept *m, struct xos_err *err);

/* UNAVAILABLE "no-delegation-authority", and what its administrator has to do. */
enum xos_status ca_no_delegations(const char *vo, struct xos_err *err);

void ca_delegate_put(struct xos_buf *b, const struct ca_delegate *m);
void ca_delegated_put(struct xos_buf *b, const struct ca_delegated *m);
void ca_job_renew_put(struct xos_buf *b, const struct ca_job_renew *m);
XOS_MUST_USE enum xos_status ca_delegate_get(
    struct xos_bytes in, struct ca_delegate *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_delegated_get(
    struct xos_bytes in, struct ca_delegated *m, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_job_renew_get(
    struct xos_bytes in, struct ca_job_renew *m, struct xos_err *err);

/* For the messages that are one number, or an address and a body. */
XOS_MUST_USE enum xos_status ca_u64_get(struct xos_bytes in, uint64_t *v, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_command_get(struct xos_bytes in, char address[CA_PEER_MAX + 1],
    struct xos_bytes *body, struct xos_err *err);

#endif
