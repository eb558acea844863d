#ifndef XOS_API_LOGSERVE_H
#define XOS_API_LOGSERVE_H

#include "base/bytes.h"
#include "base/status.h"
#include "log/log.h"
#include "net/http.h"
#include "pki/chain.h"

/*
 * The server half of logproof.h: what an authority answers about its own log. Heads and proofs hold hashes and numbers
 * only, nothing about anybody. Network reads the question, whoever has the log answers it; both halves stand here.
 *
 *   GET log/head                            {"log", "sequence", "root", "time", "head", "chain"}
 *   GET log/proof?sequence=N[&size=N]       {"sequence", "size", "path"}
 *   GET log/consistency?from=N[&to=N]       {"from", "to", "path"}
 *
 * Without the second number that of the newest head is meant.
 */
enum xos_log_question { XOS_LOG_HEAD, XOS_LOG_PROOF, XOS_LOG_GROWTH, XOS_LOG_QUESTIONS };
#define XOS_LOG_ASK_MAX 16 /* bytes between the processes: nothing, or two u64 */

/* The query of such a request, appended to ask. MALFORMED "query". */
XOS_MUST_USE enum xos_status xos_logserve_query(const struct xos_request *req,
    enum xos_log_question q, struct xos_buf *ask, struct xos_err *err);

/* Appends the answer, JSON. log NULL: it is not open just now, UNAVAILABLE "log-closed". chain: of the key that signs
 * the heads. NOT_FOUND: a number past the newest head. */
XOS_MUST_USE enum xos_status xos_logserve_answer(struct xos_log *log, const struct xos_chain *chain,
    enum xos_log_question q, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err);

/* "path" of a proof. */
struct xos_json;
struct xos_tree_path;
void xos_logserve_path(struct xos_json *o, const struct xos_tree_path *path);

#endif
