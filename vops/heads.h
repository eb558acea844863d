#ifndef XOS_VOPS_HEADS_H
#define XOS_VOPS_HEADS_H

#include "api/logheads.h"
#include "store/store.h"
#include "vops/messages.h"

/*
 * The newest signed head of each log of the VO, kept in sets.db and carried to the nodes in bundles. Auth verifies each and never goes
 * back: it is the first witness, and the nodes, which cannot be kept from comparing, are the others.
 */

/*
 * doc: what the log's keeper answers to GET log/head. *changed: it is another than the one kept. MALFORMED "log-went-back", "log-rewritten": the
 * one kept stays; else as xos_logproof_head. In the caller's transaction.
 */
XOS_MUST_USE enum xos_status vops_head_take(struct xos_store *db, const struct xos_trust *trust,
    const char *vo, enum xos_vo_log log, struct xos_bytes doc, int64_t now, bool *changed,
    struct xos_err *err);
/* As bundles carry it, appended; nothing: none is kept. */
XOS_MUST_USE enum xos_status vops_head_get(
    struct xos_store *db, enum xos_vo_log log, struct xos_buf *out, struct xos_err *err);

#endif
