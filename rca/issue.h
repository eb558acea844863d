#ifndef XOS_RCA_ISSUE_H
#define XOS_RCA_ISSUE_H

#include <stdint.h>

#include "api/logserve.h"
#include "log/log.h"
#include "pki/cert.h"
#include "rca/conf.h"
#include "rca/messages.h"

/*
 * The signing half: the issuing key, the issuance log, the profile. A certificate exists for the world
 * only after the log has it.
 */
struct rca_issuer;

/* Log records: payloads are JSON objects. */
#define RCA_LOG_ISSUED                                                                             \
	1 /* {"serial", "service", "name", "hosts", "not_before", "not_after", "spki", "by", "digest"} */
#define RCA_LOG_COMMAND 2 /* {"verb", "by", "digest", "args"} */

#define RCA_LOG_TWICE                                                                              \
	20 /* {"node", "service", "generation", "serial", "from", "why"}: a key was used by two */
#define RCA_LOG_RESCUED                                                                            \
	21 /* {"node", "service", "serial", "ended", "from"}: renewed after its end; before that record */

#define RCA_LOG_SSH                                                                                \
	22 /* {"serial", "node", "principals", "not_before", "not_after", "key", "digest"}: a host's */

/* Reads rca.key and rca.pem of the state folder. The certificate must be an issuer of this VO for
 * nodes and services, under the trusted root. Nothing can be issued before the log is open. */
XOS_MUST_USE enum xos_status rca_issuer_open(
    const struct rca_conf *conf, int64_t now, struct rca_issuer **out, struct xos_err *err);
/* Opens key/issued.log. Done apart, as the user that the process will be: the log's files are its own.
 * CONFLICT: another process has it. */
XOS_MUST_USE enum xos_status rca_issuer_open_log(struct rca_issuer *i, struct xos_err *err);
void rca_issuer_close(struct rca_issuer *i);
const struct xos_key *rca_issuer_key(const struct rca_issuer *i);
/* The end of its certificate: nothing that it signs outlives that. */
int64_t rca_issuer_end(const struct rca_issuer *i);

/* Checks, logs, gives the chain (leaf and issuer). DENIED for what the profile does not allow, CSR
 * errors as in pki/csr.h, UNAVAILABLE if the log cannot be written. */
XOS_MUST_USE enum xos_status rca_issuer_issue(struct rca_issuer *i,
    const struct rca_issue_request *r, int64_t now, struct xos_chain *out, struct xos_err *err);
/* Tells of the log what anybody may know. */
XOS_MUST_USE enum xos_status rca_issuer_tell(struct rca_issuer *i, enum xos_log_question q,
    struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err);
/* Puts a record of this type (RCA_LOG_COMMAND, ...) into the log, durably. */
XOS_MUST_USE enum xos_status rca_issuer_note(
    struct rca_issuer *i, uint16_t type, struct xos_bytes json, struct xos_err *err);

#endif
