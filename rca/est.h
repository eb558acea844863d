#ifndef XOS_RCA_EST_H
#define XOS_RCA_EST_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "rca/conf.h"
#include "rca/messages.h"
#include "service/relay.h"

/*
 * Enrolment over Secure Transport (RFC 7030, as RFC 8951 clarifies it) for stock clients; docs/protocols/est.md. The
 * network process reads HTTP and base64 and decides nothing; what a client asked for goes to auth as one of these.
 */
#define RCA_EST_BODY_MAX 8192 /* base64 of the longest request, with line ends */
#define RCA_EST_PASSWORD_MAX 128
#define RCA_EST_FROM_MAX 63
#define RCA_EST_MESSAGE_MAX XOS_RCA_BODY_MAX

struct rca_est_request {
	bool named; /* a name and a password came (RFC 7617) */
	char user[XOS_NODE_MAX + 1], password[RCA_EST_PASSWORD_MAX + 1];
	char site[XOS_SITE_MAX + 1];     /* where an application without a code goes; "": nowhere */
	char from[RCA_EST_FROM_MAX + 1]; /* the client's address, without its port */
	struct xos_buf binding;          /* the TLS connection's name (net/http.h); may be empty */
	struct xos_buf csr;              /* DER */
	struct xos_chain chain; /* RCA_EST_REENROLL: what was proved over TLS, says network */
};
void rca_est_request_init(struct rca_est_request *q);
void rca_est_request_free(struct rca_est_request *q); /* wipes the password */
/* As a message; NULL if out of memory. */
struct xos_json *rca_est_request_encode(const struct rca_est_request *q);
XOS_MUST_USE enum xos_status rca_est_request_decode(
    struct xos_bytes in, struct rca_est_request *q, struct xos_err *err);

/* A request's body to DER: application/pkcs10 in base64, white space tolerated (RFC 8951 3.1). MALFORMED. */
XOS_MUST_USE enum xos_status rca_est_body(
    const char *content_type, struct xos_bytes body, struct xos_buf *der, struct xos_err *err);
/* The value of an Authorization field into named, user and password. MALFORMED "basic-auth". */
XOS_MUST_USE enum xos_status rca_est_basic(
    const char *value, struct rca_est_request *q, struct xos_err *err);
/* What we would like requests to have (RFC 7030 4.5.2), DER. */
XOS_MUST_USE enum xos_status rca_est_wishes(struct xos_buf *out, struct xos_err *err);

/* The network half (est_front.c): adds the listener if the configuration has one. In `open`; *e and relay outlive
 * the serving. */
struct rca_est_front {
	struct xos_relay *relay;
	const struct rca_conf *conf;
};
XOS_MUST_USE enum xos_status rca_est_front_open(struct rca_est_front *e, struct xos_relay *relay,
    const struct rca_conf *conf, struct xos_err *err);

/* The deciding half (est_enroll.c, est_reenroll.c): handlers of auth, ctx is its struct rca_auth. They answer {"chain"}, or {} while an
 * application waits. */
XOS_MUST_USE enum xos_status rca_est_on_enroll(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
XOS_MUST_USE enum xos_status rca_est_on_reenroll(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
