#ifndef XOS_NET_CLIENT_H
#define XOS_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "json/json.h"
#include "net/tls.h"

/*
 * An HTTPS client for one server, on libcurl: TLS 1.3, connection kept between calls, no proxy from
 * the environment, no redirects, no cookies. The peer is judged by the verifier alone (a SPIFFE
 * identity, not a host name). One thread at a time.
 */
struct xos_client;

struct xos_client_options {
	const char *base; /* "https://127.0.0.1:4443", no path */
	const struct xos_chain
	    *own; /* with key; NULL: no client certificate. References are taken */
	/* Told to the server, which may have several identities; what it shows is judged by the verifier.
	 * NULL: not told. Borrowed until xos_client_new returns. */
	const struct xos_cert *root;
	const struct xos_verifier *verifier; /* required; copied. recheck is not used */
	size_t body_max;                     /* of an answer; 0: 4 MiB */
	int64_t connect_ms;                  /* 0: 5 s */
	int64_t total_ms;                    /* one call; 0: 30 s */
	/* Asked about once a second while an answer is waited for; true ends the call, UNAVAILABLE "given-up". NULL: never. */
	bool (*give_up)(void *ctx);
	void *give_up_ctx;
	const char *hint; /* ends the text when nothing answers: "is xos-server running?" */
};

XOS_MUST_USE enum xos_status xos_client_new(
    const struct xos_client_options *opts, struct xos_client **out, struct xos_err *err);
void xos_client_free(struct xos_client *c);

struct xos_client_header {
	const char *name, *value;
};

struct xos_client_request {
	const char *method;
	const char *path; /* with its query, encoded: see xos_path_encode */
	const struct xos_client_header *headers;
	size_t nheaders;
	const char *content_type; /* of body; NULL without one */
	struct xos_bytes body;
	int64_t total_ms; /* instead of the client's; 0: the client's */
};

struct xos_answer;
int xos_answer_status(const struct xos_answer *a);
const char *xos_answer_header(const struct xos_answer *a, const char *name); /* NULL if absent */
struct xos_bytes xos_answer_body(const struct xos_answer *a);
void xos_answer_free(struct xos_answer *a);

/*
 * One exchange. OK when an HTTP answer came, whatever its status (xos_answer_check judges it).
 * UNAVAILABLE: "cannot reach https://127.0.0.1:1234: Connection refused; is xos-server running?".
 * The verifier's refusal of the server comes back with its own status, code and text; the server's
 * refusal of our certificate is DENIED "client-certificate-refused". LIMIT: an answer past
 * body_max.
 */
XOS_MUST_USE enum xos_status xos_client_call(struct xos_client *c,
    const struct xos_client_request *req, struct xos_answer **out, struct xos_err *err);
/* OK for 2xx; else the problem document as an error (problem.h). */
XOS_MUST_USE enum xos_status xos_answer_check(
    const struct xos_client *c, const struct xos_answer *a, struct xos_err *err);
/* Sends in (NULL: no body; not taken), demands 2xx, parses the answer if out is not NULL (an empty
 * body gives NULL). */
XOS_MUST_USE enum xos_status xos_client_json(struct xos_client *c, const char *method,
    const char *path, const struct xos_json *in, struct xos_json **out, struct xos_err *err);
/* By how many seconds this machine's clock was ahead of the server's (Date) at the last answer; false if none
 * said. */
bool xos_client_clock_offset(const struct xos_client *c, int64_t *seconds);
/* What the verifier made of the server at the last connection; NULL before the first. Owned by the
 * client until the next call. */
void *xos_client_identity(const struct xos_client *c);

/* Appends one path segment or query value, percent-encoded: all but letters, digits, "-._~". */
void xos_path_encode(struct xos_buf *out, const char *segment);

/*
 * First contact only: fetches a document from a server that nobody vouches for yet. NOTHING about
 * the answer is authentic; the caller must check it against a fingerprint that came by another way
 * before using any of it. GET, 2xx demanded, at most max bytes appended to out.
 */
XOS_MUST_USE enum xos_status xos_client_fetch_unverified(
    const char *base, const char *path, size_t max, struct xos_buf *out, struct xos_err *err);

#endif
