#ifndef XOS_RCA_MESSAGES_H
#define XOS_RCA_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "api/rca.h"
#include "base/bytes.h"
#include "base/name.h"
#include "json/json.h"

/*
 * What the three processes of xos-rcad say to each other, over service/bulk.h. Payloads are the bodies
 * that came over HTTP (network to auth) or JSON objects (auth to key), read as strictly as anything
 * from outside: the network process may have been taken over.
 */
enum rca_message {
	/* network -> auth */
	RCA_APPLY = 1,       /* body of POST applications -> {"id"} */
	RCA_APPLICATION,     /* id as text -> body of the answer */
	RCA_COMMAND,         /* body of POST commands -> {"result"} */
	RCA_NODES,           /* nothing, or lp the machine that asks -> {"nodes": [...]} */
	RCA_RENEW,           /* rca/from.h: body of POST renew -> {"chain"} */
	RCA_LOCKS,           /* nothing -> compact JWS */
	RCA_ADMINISTRATORS,  /* compact JWS -> nothing */
	RCA_ROSTER = 20,     /* compact JWS of the ca -> nothing */
	RCA_CA_LOCKS = 21,   /* compact JWS of the ca -> nothing */
	RCA_TERMS = 22,      /* lp(site), lp(compact JWS) -> nothing */
	RCA_JOIN = 23,       /* lp(peer), lp(body of POST joins) -> {"id"} */
	RCA_LEAVE = 24,      /* body of POST leave -> nothing */
	RCA_EST_ENROLL = 40, /* struct rca_est_request (est.h) -> {"chain"}, or {}: it waits */
	RCA_EST_REENROLL,    /* the same with a chain -> {"chain"} */
	/* network -> auth, how certificates are kept; with the peer's address (rca/from.h) */
	RCA_CONFIRM = 30,  /* body of POST confirm -> nothing */
	RCA_RESCUE,        /* body of POST rescue -> {"chain"} */
	RCA_SSH_HOST,      /* body of POST ssh-host -> {"certificates"} */
	RCA_SSH_AUTHORITY, /* nothing -> compact JWS (api/sshhost.h) */
	RCA_TRUST = 50,    /* compact trust list -> nothing; XOS_RELAY_TRUST */
	/* network -> auth -> key: questions about the log, as api/logserve.h has them */
	RCA_LOG_HEAD = 60,
	RCA_LOG_PROOF,
	RCA_LOG_GROWTH,
	/* auth -> key */
	RCA_ISSUE = 100, /* struct rca_issue_request -> {"chain"} */
	RCA_SIGN_LOCKS,  /* struct xos_locks_fields as JSON -> compact JWS */
	RCA_NOTE,        /* {"verb", "by", "digest", "args"}: a command, for the log -> nothing */
	RCA_NOTE_TWICE = 130,  /* RCA_LOG_TWICE as in rca/issue.h -> nothing */
	RCA_NOTE_RESCUED,      /* RCA_LOG_RESCUED as in rca/issue.h -> nothing */
	RCA_SIGN_SSH,          /* {"node", "hosts", "keys", "digest"} -> {"certificates"} */
	RCA_SIGN_SSH_AUTHORITY /* {} -> compact JWS */
};

/* What auth asks key to certify. Key checks all of it again, and that the CSR proves its key. */
struct rca_issue_request {
	char service[XOS_SERVICE_MAX + 1]; /* "" for a node itself */
	char name[XOS_NODE_MAX + 1];
	char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1];
	size_t nhosts;
	struct xos_buf csr; /* DER */
	char by[128];       /* who decided: "alice", "renewal", "offline"; for the log */
	char digest[65];    /* of the command or renewal, hexadecimal; "" offline */
	bool server;        /* one of the VO's own servers: only offline or by renewal */
};
void rca_issue_request_init(struct rca_issue_request *r);
void rca_issue_request_free(struct rca_issue_request *r);
struct xos_json *rca_issue_request_encode(const struct rca_issue_request *r);
XOS_MUST_USE enum xos_status rca_issue_request_decode(
    struct xos_bytes in, struct rca_issue_request *out, struct xos_err *err);

#define RCA_WHO_MAX (XOS_NODE_MAX + 8) /* of RCA_NODES */

/* Kinds that only the VO's own servers have: a node that applies for one is refused. */
bool rca_kind_is_server(const char *kind);

#endif
