#ifndef XOS_RCA_EST_STORE_H
#define XOS_RCA_EST_STORE_H

#include <stdint.h>

#include "api/rca.h"
#include "json/json.h"
#include "store/store.h"

/*
 * What nodes.db knows of stock clients: which application a key belongs to, since such a client keeps no id and only
 * sends its request again; and which nodes came in this way, with the last certificate that each was given. Functions
 * that change something expect the caller's transaction. spki: SHA-256 in hexadecimal.
 */

/* The application of that node for that key into id. NOT_FOUND, err untouched. */
XOS_MUST_USE enum xos_status rca_est_find(struct xos_store *db, const char *node, const char *spki,
    char id[XOS_RCA_ID_LEN + 1], struct xos_err *err);
XOS_MUST_USE enum xos_status rca_est_remember(
    struct xos_store *db, const char *node, const char *spki, const char *id, struct xos_err *err);

/* The admitted node was enrolled here; again is OK. */
XOS_MUST_USE enum xos_status rca_est_enrolled(
    struct xos_store *db, const char *node, struct xos_err *err);
/* DENIED "est-node" if this node, as it was admitted last, was not. */
XOS_MUST_USE enum xos_status rca_est_check(
    struct xos_store *db, const char *node, struct xos_err *err);

/* The last answer to a re-enrolment; service "" for the node itself. rca_est_last: NOT_FOUND, err untouched, without
 * one since the node was admitted. */
XOS_MUST_USE enum xos_status rca_est_keep(struct xos_store *db, const char *node,
    const char *service, const struct xos_json *answer, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status rca_est_last(struct xos_store *db, const char *node,
    const char *service, struct xos_json **answer, int64_t *when, struct xos_err *err);

/* Forgets what belongs to applications and nodes that are no longer there. */
XOS_MUST_USE enum xos_status rca_est_expire(struct xos_store *db, struct xos_err *err);

#endif
