#ifndef XOS_API_LOGPROOF_H
#define XOS_API_LOGPROOF_H

#include <stdint.h>

#include "base/status.h"
#include "json/json.h"
#include "log/tree.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * The client half of an authority's log: what it answers, verified here from the pinned root down, so that nobody on the
 * way (nor the authority's own front end) is believed. All work off line, on documents that were kept, too.
 */
#define XOS_LOGPROOF_HEAD_MAX 4096 /* bytes of an encoded head */

struct xos_logproof_want {
	const struct xos_cert *root; /* pinned */
	const struct xos_trust
	    *trust; /* whose trust list judges the signer; NULL: no list is known */
	const char *vo;
	const char *log;    /* its name: "demo/ca" */
	enum xos_kind kind; /* whose issuer signs its heads (USER for xos-cad), or ACCOUNTING */
	int64_t now, skew;
};

/*
 * {"head", "chain", ...}: the head is that of this log, has a root, and is signed by an issuer of the VO for that kind; the
 * certificates in chain only help to find it. encoded (may be NULL; initialised here) gets its bytes, to be remembered.
 * DENIED "signature", "log-name"; MALFORMED "log-head"; NOT_YET_VALID "log-head-time".
 */
XOS_MUST_USE enum xos_status xos_logproof_head(const struct xos_json *doc,
    const struct xos_logproof_want *want, struct xos_log_head *head, struct xos_buf *encoded,
    struct xos_err *err);

/* {"entry", "path", ...}: the record stands in the log of a verified head. record borrows from entry, which is
 * initialised here and freed by the caller. */
XOS_MUST_USE enum xos_status xos_logproof_record(const struct xos_json *doc,
    const struct xos_log_head *head, struct xos_buf *entry, struct xos_log_record *record,
    struct xos_err *err);

/*
 * Did the log of the second head only grow since the first? doc: {"path", ...}; NULL where sizes are equal, or the first
 * is 0. MALFORMED "log-went-back" (it is shorter) or "log-rewritten" (other records stand where the first head's were).
 */
XOS_MUST_USE enum xos_status xos_logproof_growth(const struct xos_json *doc,
    const struct xos_log_head *from, const struct xos_log_head *to, struct xos_err *err);

#endif
