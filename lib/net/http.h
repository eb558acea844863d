#ifndef XOS_NET_HTTP_H
#define XOS_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/shared.h"
#include "base/status.h"
#include "json/json.h"

/*
 * What a handler sees of an exchange (RFC 9110). A request never changes and lives until its
 * response was finished; everything it gives is borrowed from it.
 */
struct xos_request;
struct xos_response;

#define XOS_REQUEST_ID_MAX 64 /* XOS_EVENT_REQUEST_MAX */

const char *xos_request_method(const struct xos_request *req); /* "GET" */
const char *xos_request_path(const struct xos_request *req);   /* as sent, without the query */
/* A {name} of the route's pattern, percent-decoded, valid UTF-8 without control characters, never
 * empty, never "." or "..". NULL: the pattern has none. */
const char *xos_request_param(const struct xos_request *req, const char *name);
/* A parameter of the query, decoded alike ("+" is a space); NULL if absent. A query with the same
 * name twice never reaches a handler. */
const char *xos_request_query(const struct xos_request *req, const char *name);
/* OK with the fallback if absent; MALFORMED if it is no decimal number of at most max. */
XOS_MUST_USE enum xos_status xos_request_query_u64(const struct xos_request *req, const char *name,
    uint64_t fallback, uint64_t max, uint64_t *out, struct xos_err *err);
/* Refuses parameters of the query that are not in the NULL-terminated list. */
XOS_MUST_USE enum xos_status xos_request_query_only(
    const struct xos_request *req, const char *const *names, struct xos_err *err);
/* A header field, compared without case; the first of that name; NULL if absent. */
const char *xos_request_header(const struct xos_request *req, const char *name);
struct xos_bytes xos_request_body(const struct xos_request *req);
/* The body as JSON, Content-Type application/json or application/...+json required. */
XOS_MUST_USE enum xos_status xos_request_json(
    const struct xos_request *req, struct xos_json **out, struct xos_err *err);
const char *xos_request_peer(const struct xos_request *req); /* "127.0.0.1:40000" */
/* X-Request-Id if it was [A-Za-z0-9._-]{1,64}, else 16 random hexadecimal digits. */
const char *xos_request_id(const struct xos_request *req);
/* The peer's certificates, leaf first, which the verifier accepted; *n is 0 without any. */
const struct xos_bytes *xos_request_chain(const struct xos_request *req, size_t *n);
/* What the verifier made of them; NULL without any. */
void *xos_request_identity(const struct xos_request *req);

/*
 * What names this one TLS connection at both of its ends (RFC 5056), so that a proof that contains it is good for no
 * other: tls-unique (RFC 5929) with TLS 1.2, tls-exporter (RFC 9266) with TLS 1.3. Its length; 0 without TLS, or if
 * there is none.
 */
#define XOS_BINDING_MAX 64
size_t xos_request_binding(const struct xos_request *req, uint8_t out[XOS_BINDING_MAX]);

/*
 * The response: 200 without a body at first. A setter that fails (memory, a header with a line
 * end) makes the whole response a 500.
 */
void xos_response_status(struct xos_response *res, int status); /* 200 to 599 */
/* Adds a field; "Content-Length", "Connection", "Date", "Transfer-Encoding" are the server's own. */
void xos_response_header(struct xos_response *res, const char *name, const char *value);
/* Copies body; replaces an earlier one. content_type NULL: none. */
void xos_response_body(struct xos_response *res, const char *content_type, struct xos_bytes body);
/* The same without a copy: for what is long and goes to many. A reference is taken. */
void xos_response_shared(
    struct xos_response *res, const char *content_type, struct xos_shared *body);
/* Status and a JSON body; takes doc, also when it fails. */
void xos_response_json(struct xos_response *res, int status, struct xos_json *doc);
/* A problem document (problem.h). */
void xos_response_problem(struct xos_response *res, const struct xos_err *err);

/*
 * For answers that take long (waiting for a job's end) without holding a worker: after
 * xos_response_defer the handler returns XOS_OK and keeps req and res, which stay valid until
 * somebody, on any thread, calls xos_response_finish exactly once. status not OK: err becomes the
 * answer.
 */
void xos_response_defer(struct xos_response *res);
void xos_response_finish(
    struct xos_response *res, enum xos_status status, const struct xos_err *err);

#endif
