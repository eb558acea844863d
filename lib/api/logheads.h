#ifndef XOS_API_LOGHEADS_H
#define XOS_API_LOGHEADS_H

#include <stdint.h>

#include "base/status.h"
#include "json/json.h"
#include "log/log.h"
#include "pki/chain.h"
#include "token/kind.h"
#include "token/trust.h"

/*
 * Heads of a VO's logs on their way to the nodes, which witness that the logs only grow. A bundle carries each as the compact JWS that was
 * signed (xos-log-head+jws) and, where the receiver may not have it, "~" and the signer's certificate, base64url of DER.
 */
enum xos_vo_log { XOS_VO_LOG_CA, XOS_VO_LOG_RCA, XOS_VO_LOG_ACCOUNTING, XOS_VO_LOGS };

const char *xos_vo_log_service(enum xos_vo_log l); /* who keeps it: "ca", "rca", "accounting" */
/* Whose issuer signs its heads (USER, NODE), or ACCOUNTING: an end-entity certificate of that kind. */
enum xos_kind xos_vo_log_kind(enum xos_vo_log l);
/* "demo/ca", "demo/nodes", "demo/accounting" */
void xos_vo_log_name(enum xos_vo_log l, const char *vo, char out[XOS_LOG_NAME_MAX + 1]);
/* False: it is of no such service. */
bool xos_vo_log_of_service(const char *service, enum xos_vo_log *out);

/* From a document of GET log/head (logproof.h) that was verified: appended to out. known: certificates that the receiver has. */
XOS_MUST_USE enum xos_status xos_loghead_carry(const struct xos_json *doc,
    const struct xos_cert *const *known, size_t nknown, struct xos_buf *out, struct xos_err *err);

/* A head that arrived, verified. */
struct xos_carried_head {
	enum xos_vo_log log;
	struct xos_log_head head;
	struct xos_buf encoded;  /* with its signature: xos_log_head_decode */
	struct xos_cert *signer; /* a reference of its own */
};
void xos_carried_head_clear(struct xos_carried_head *h);

struct xos_carried_want {
	const struct xos_trust *trust; /* with the VO's pinned root */
	const char *vo;
	const struct xos_cert *const *known; /* that may have signed; proven by nobody */
	size_t nknown;
	int64_t now, skew;
};
/*
 * *out is zeroed by the caller, who clears it. The head is of one of this VO's logs, has a root, and is signed by whom that log belongs to. MALFORMED
 * "log-head"; DENIED "foreign-signer", "log-name", "signature" and those of the signer's certificate; NOT_YET_VALID "log-head-time".
 */
XOS_MUST_USE enum xos_status xos_loghead_arrive(struct xos_bytes carried,
    const struct xos_carried_want *want, struct xos_carried_head *out, struct xos_err *err);

/* {"head", "chain"}, as logproof.h and xos-vo log verify --head take it. */
struct xos_json *xos_loghead_doc(const struct xos_carried_head *h);

#endif
