#ifndef XOS_RCA_LOGTELL_H
#define XOS_RCA_LOGTELL_H

#include "net/http.h"
#include "rca/issue.h"

/*
 * GET /v1/vo/{vo}/log/head, /log/proof, /log/consistency: routes of the network process, and the handlers of auth and
 * key behind them.
 */
enum xos_status rca_route_log_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status rca_route_log_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status rca_route_log_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);

enum xos_status rca_auth_log_head(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_log_proof(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_log_growth(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

enum xos_status rca_key_log_head(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_key_log_proof(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_key_log_growth(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

/* Of the key process's own state (key.c). */
struct rca_issuer *rca_key_issuer(void *key);

#endif
