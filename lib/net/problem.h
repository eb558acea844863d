#ifndef XOS_NET_PROBLEM_H
#define XOS_NET_PROBLEM_H

#include "base/bytes.h"
#include "base/status.h"
#include "json/json.h"

/*
 * Errors over HTTP: problem details (RFC 9457), media type application/problem+json.
 *
 *   {"type": "urn:xos:problem:<code>", "title": "denied", "status": 403, "detail": "<text>",
 *    "instance": "urn:xos:request:<id>", "code": "<code>"}
 *
 * title is the status name of base/status.h, so that the class survives the journey.
 */
#define XOS_PROBLEM_TYPE "application/problem+json"

/* MALFORMED 400, DENIED 403, EXPIRED and NOT_YET_VALID 401, NOT_FOUND 404, CONFLICT 409,
 * UNAVAILABLE 503, LIMIT 429, INTERNAL 500. Codes with a status of their own: "body-too-long" 413,
 * "header-too-long" 431, "client-certificate-needed" and "login-needed" 401,
 * "method-not-allowed" 405, "json-too-long" 413. */
int xos_problem_http_status(const struct xos_err *err);
/* The document; request_id may be NULL. NULL if out of memory. INTERNAL errors travel with their
 * code, but their text stays here: it goes to the log with the request id. */
struct xos_json *xos_problem_encode(const struct xos_err *err, const char *request_id);
/*
 * Turns an answer that is no success back into an error, and returns its status, never OK. body may
 * be anything (a proxy's HTML page): then the class follows from the HTTP status, and the text says
 * what answered. `where` ("https://127.0.0.1:4443") starts such texts.
 */
enum xos_status xos_problem_decode(
    int http_status, struct xos_bytes body, const char *where, struct xos_err *err);

#endif
