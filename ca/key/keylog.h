#ifndef XOS_CA_KEYLOG_H
#define XOS_CA_KEYLOG_H

#include "base/bytes.h"
#include "base/status.h"

/*
 * What the key process tells about its log: the signed head, proofs, records. Heads and proofs hold nothing about
 * anybody and go to the network process; records go to auth alone, which knows who may see them.
 */
enum xos_status ca_handle_log_head(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_log_proof(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_log_growth(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_log_records(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
