#ifndef XOS_CA_MESSAGES_H
#define XOS_CA_MESSAGES_H

#include <stdint.h>

#include "api/cad.h"
#include "api/command.h"
#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * What the processes of xos-cad say to each other over channels (service/bulk.h). Everything is read with
 * xos_reader to the exact end: the network process may have been taken over.
 */
enum ca_message {
	CA_LOGIN_BEGIN = 1,     /* network -> auth */
	CA_LOGIN_FINISH = 2,    /* network -> auth */
	CA_COMMAND = 3,         /* network -> auth: lp(address) lp(body); the answer's JSON */
	CA_ISSUE = 10,          /* network -> key */
	CA_ROSTER = 11,         /* network -> key: nothing; the compact JWS */
	CA_LOCKS = 12,          /* network -> key: nothing; the compact JWS */
	CA_ADMINISTRATORS = 13, /* network -> key: nothing; the compact JWS */
	CA_GRANT = 20,          /* auth -> key; empty answer */
	CA_RECORD = 21,         /* auth -> key: u64 act, which must be in the log; empty answer */
	CA_APPLY = 50,          /* network -> auth: lp(address) lp(body); JSON */
	CA_APPLICATION = 51,    /* network -> auth: lp(id) lp(body); JSON */
	CA_ABOUT = 52,          /* network -> auth: nothing; JSON */
	CA_ACCEPT = 53,         /* network -> auth: rules.h; the server's own proof */
	CA_RULES = 54,          /* network -> auth: u64 version, 0: in force; JSON */
	CA_TOKENS = 22          /* auth -> key: u64 number; the unexpired tokens of a member */
};

#define CA_SID_LEN 32   /* hexadecimal digits */
#define CA_GRANT_LEN 32 /* hexadecimal digits */
#define CA_PEER_MAX 64
#define CA_GRANT_LIFE 30 /* seconds */

struct ca_login_begin {
	char address[CA_PEER_MAX + 1];
	uint8_t digest[XOS_SHA256_LEN]; /* of the token request, as network saw it */
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
	int64_t time; /* of the authentication */
	int64_t expires;
	uint8_t digest[XOS_SHA256_LEN];
};

struct ca_issue {
	char grant[CA_GRANT_LEN + 1];
	struct xos_cad_request request; /* decoded: owned, xos_cad_request_clear */
};

/* Encoders append; decoders borrow from in. MALFORMED with code "message". */
void ca_login_begin_put(struct xos_buf *b, const struct ca_login_begin *m);
void ca_login_challenge_put(struct xos_buf *b, const struct ca_login_challenge *m);
void ca_login_finish_put(struct xos_buf *b, const struct ca_login_finish *m);
void ca_login_done_put(struct xos_buf *b, const struct ca_login_done *m);
void ca_grant_put(struct xos_buf *b, const struct ca_grant *m);
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
XOS_MUST_USE enum xos_status ca_issue_get(
    struct xos_bytes in, struct ca_issue *m, struct xos_err *err);

/* For the messages that are one number, or an address and a body. */
XOS_MUST_USE enum xos_status ca_u64_get(struct xos_bytes in, uint64_t *v, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_command_get(struct xos_bytes in, char address[CA_PEER_MAX + 1],
    struct xos_bytes *body, struct xos_err *err);

#endif
