#ifndef XOS_RCA_EST_INTERNAL_H
#define XOS_RCA_EST_INTERNAL_H

#include "pki/csr.h"
#include "pki/csrnames.h"
#include "rca/auth.h"
#include "rca/est.h"

/* Between the halves of EST in the auth process: est_check.c, est_enroll.c, est_reenroll.c. */

/* A request as far as it proves itself. */
struct rca_est {
	struct rca_auth *a;
	const struct rca_est_request *q;
	struct xos_csr csr;
	struct xos_csr_names names;
	char node[XOS_NODE_MAX + 1];
	char spki[2 * XOS_SHA256_LEN + 1];
	char digest[2 * XOS_SHA256_LEN + 1]; /* of the request, for the log */
	int64_t now;
};

/* Fills all but the node's name: form, proof of possession, names, and the name of the TLS connection if the request
 * has one. e->q is q; both outlive e. */
XOS_MUST_USE enum xos_status rca_est_open(
    struct rca_est *e, struct rca_auth *a, const struct rca_est_request *q, struct xos_err *err);
/* What subject and URI name must be what will be certified, or be left out. unit: "node" or "service". DENIED
 * "est-name". */
XOS_MUST_USE enum xos_status rca_est_check_names(
    const struct rca_est *e, const char *unit, const char *uri, struct xos_err *err);
/* The end of a request: its chain alone goes out, as what else an outcome has is not for the network process; or the
 * event of the refusal. Takes whole. */
XOS_MUST_USE enum xos_status rca_est_reply(enum xos_status st, const struct rca_est *e,
    struct xos_json *whole, struct xos_buf *reply, struct xos_err *err);

#endif
